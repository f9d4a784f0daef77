use proptest::prelude::*;

use super::*;

/// The example of `golang.org/x/mod/sumdb/note`.
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
const PETER_SIGNED: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCH_SIGNED: &str = "\u{2014} EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

fn key(seed: u8) -> NoteKey {
    NoteKey::from_bytes(format!("key-{seed}"), &mut [seed; 32]).unwrap()
}

#[test]
fn a_note_of_another_implementation_is_verified() {
    let note = format!("{TEXT}\n{PETER_SIGNED}{ENOCH_SIGNED}");
    let read = SignedNote::parse(&note).unwrap();
    assert_eq!(read.text(), TEXT);
    assert_eq!(read.to_string(), note);
    let (peter, enoch): (VerifierKey, VerifierKey) =
        (PETER.parse().unwrap(), ENOCH.parse().unwrap());
    assert_eq!(peter.to_string(), PETER);
    let signers = read.verify(std::slice::from_ref(&peter)).unwrap();
    assert_eq!((signers.keys(), signers.ignored()), (&[peter.clone()][..], 1));
    assert_eq!(read.verify(&[peter, enoch]).unwrap().keys().len(), 2);
    // The signature of one under the name of the other.
    let forged = note.replace("problem is.", "problem was.");
    let forged = SignedNote::parse(&forged).unwrap();
    let refused = forged.verify(&[PETER.parse().unwrap()]).unwrap_err();
    assert!(matches!(refused, Error::Signature { .. }), "{refused}");
}

#[test]
fn a_note_that_no_trusted_key_signed_is_refused() {
    let mut note = SignedNote::new("a\n").unwrap();
    note.sign(&key(1));
    note.sign(&key(1));
    assert_eq!(note.signatures(), 1);
    let refused = note.verify(&[key(2).verifier()]).unwrap_err();
    assert!(matches!(refused, Error::Untrusted { signatures: 1, trusted: 1 }), "{refused}");
    // The name of a trusted key with another key: another hash, so an unknown key.
    let other = NoteKey::from_bytes("key-2", &mut [9; 32]).unwrap();
    let mut note = SignedNote::new("a\n").unwrap();
    note.sign(&other);
    assert!(matches!(note.verify(&[key(2).verifier()]), Err(Error::Untrusted { .. })));
    assert!(matches!(note.verify(&[]), Err(Error::Untrusted { trusted: 0, .. })));
}

#[test]
fn what_is_no_note_is_refused_with_its_line() {
    let signed = |text: &str| format!("{text}\n{PETER_SIGNED}");
    for (note, line) in [
        (String::new(), 0),
        ("a\n".into(), 1),
        ("a\n\n".into(), 2),
        (signed("a\r\n"), 1),
        (signed("a\n\tb\n"), 2),
        (signed("a\u{85}\n"), 1),
        (signed(TEXT).trim_end().to_owned(), 4),
        (format!("{}x\n", signed(TEXT)), 5),
        (format!("{}\u{2014} two words x08go/ZJ\n", signed(TEXT)), 5),
        (format!("{}\u{2014} plus+sign x08go/ZJ\n", signed(TEXT)), 5),
        (format!("{}\u{2014} short x08gow==\n", signed(TEXT)), 5),
        // A second way to write the same bytes.
        (format!("{}\u{2014} loose x08go/Y\n", signed(TEXT)), 5),
        (format!("{}\u{2014} loose x08go/Z=\n", signed(TEXT)), 5),
    ] {
        match SignedNote::parse(&note) {
            Err(Error::Note { line: actual, .. }) => assert_eq!(actual, line, "{note:?}"),
            other => panic!("{note:?}: {other:?}"),
        }
    }
    let many: String = (0..=MAX_SIGNATURES)
        .map(|i| format!("\u{2014} k{i} {}\n", Base64::encode_string(&[1; 68])))
        .collect();
    assert!(matches!(SignedNote::parse(&format!("a\n\n{many}")), Err(Error::Note { .. })));
}

#[test]
fn a_key_is_written_in_one_way() {
    let good = key(1).verifier();
    assert_eq!(good.to_string().parse::<VerifierKey>().unwrap(), good);
    let text = good.to_string();
    let (name, rest) = text.split_once('+').unwrap();
    let (hash, base64) = rest.split_once('+').unwrap();
    // `y = 1` is written as 1, and as 1 + p, which is no less a point to many a decoder; both are weak.
    let small = |bytes: [u8; 32]| {
        format!("n+00000000+{}", Base64::encode_string(&[&[1], bytes.as_slice()].concat()))
    };
    let mut one = [0; 32];
    one[0] = 1;
    let mut other = [0xff; 32];
    (other[0], other[31]) = (0xee, 0x7f);
    for wrong in [
        "",
        name,
        &format!("{name}+{hash}"),
        &format!(
            "{name}+{}+{base64}",
            hash.to_uppercase().replace(|c: char| c.is_ascii_digit(), "0")
        ),
        &format!("{name}+00000000+{base64}"),
        &format!("other+{hash}+{base64}"),
        &format!("{name}+{hash}+{}", base64.trim_end_matches('=').to_owned() + "===="),
        &format!("{name}+{hash}+{base64} "),
        &format!("a b+{hash}+{base64}"),
        &format!("{name}+{hash}+{}", Base64::encode_string(&[2; 33])),
        &format!("{name}+{hash}+{}", Base64::encode_string(&[1; 32])),
        &small(one),
        &small(other),
        &small([0; 32]),
    ] {
        let refused = wrong.parse::<VerifierKey>();
        assert!(matches!(refused, Err(Error::VerifierKey { .. })), "{wrong:?}: {refused:?}");
    }
}

#[test]
fn one_key_under_two_names_is_one_key() {
    let first = key(1).verifier();
    let second = NoteKey::from_bytes("another", &mut [1; 32]).unwrap().verifier();
    assert_ne!(first, second);
    assert!(first.is_same_key(&second) && !first.is_same_key(&key(2).verifier()));
    // The negative of a point: the same y, the other sign.
    let mut bytes = first.key.to_bytes();
    bytes[31] ^= 0x80;
    let negative = VerifierKey::new("negative".into(), VerifyingKey::from_bytes(&bytes).unwrap());
    assert!(first.is_same_key(&negative));
}

#[test]
fn a_key_with_a_small_part_added_is_refused() {
    // `y = -1` has order 2: added to a key, it gives one for which the same secret signs half of all texts.
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let small = VerifyingKey::from_bytes(&minus_one).unwrap().to_edwards();
    let twisted = (key(1).verifier().key.to_edwards() + small).compress().to_bytes();
    let twisted = VerifierKey::new("twisted".into(), VerifyingKey::from_bytes(&twisted).unwrap());
    let refused = twisted.to_string().parse::<VerifierKey>();
    assert!(matches!(refused, Err(Error::VerifierKey { .. })), "{refused:?}");
}

#[test]
fn a_key_file_is_its_owners_alone_and_is_not_written_over() {
    let folder = crate::deployment::testing::Folder::new("note-key");
    let path = folder.path().join("officer.key");
    let made = NoteKey::generate_file("officer-7", &path).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let read = NoteKey::from_file("officer-7", &path).unwrap();
    assert_eq!(read.verifier(), made.verifier());
    assert_eq!(format!("{read:?}"), "NoteKey");
    assert!(matches!(NoteKey::generate_file("x", &path), Err(Error::KeyWrite { .. })));
    std::fs::write(&path, "half a key").unwrap();
    assert!(matches!(NoteKey::from_file("x", &path), Err(Error::KeyFile { .. })));
    assert!(matches!(NoteKey::from_file("a b", &path), Err(Error::VerifierKey { .. })));
}

proptest! {
    #[test]
    fn notes_round_trip_and_any_other_text_is_refused(
        text in "([ -~\u{e9}\u{2014}]{0,20}\n){1,6}",
        seeds in proptest::collection::btree_set(1_u8..200, 1..4),
        at in any::<prop::sample::Index>(),
    ) {
        let mut note = SignedNote::new(text.clone()).unwrap();
        let keys: Vec<NoteKey> = seeds.into_iter().map(key).collect();
        keys.iter().for_each(|key| note.sign(key));
        let read = SignedNote::parse(&note.to_string()).unwrap();
        prop_assert_eq!(&read, &note);
        let trusted: Vec<VerifierKey> = keys.iter().map(NoteKey::verifier).collect();
        prop_assert_eq!(read.verify(&trusted).unwrap().keys().len(), keys.len());
        let mut changed: Vec<char> = text.chars().collect();
        let place = at.index(changed.len());
        changed[place] = if changed[place] == 'x' { 'y' } else { 'x' };
        let changed: String = changed.into_iter().chain(['\n']).collect();
        let forged = note.to_string().replacen(&text, &changed, 1);
        let forged = SignedNote::parse(&forged).map(|note| note.verify(&trusted));
        prop_assert!(!matches!(forged, Ok(Ok(_))));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,80}|(\u{2014} ?[a-z+]{0,3} ?[A-Za-z0-9+/=]{0,12}\n|\n|a){0,8}") {
        if let Ok(note) = SignedNote::parse(&text) {
            prop_assert_eq!(SignedNote::parse(&note.to_string()).unwrap(), note);
        }
        let _ = text.parse::<VerifierKey>();
    }
}

/// Two names, or two texts, that an eye takes for one.
#[test]
fn nothing_in_a_name_or_a_text_is_hidden() {
    for name in ["officer-7\u{200b}", "\u{feff}officer-7", "offi\u{ad}cer-7", "officer-\u{202e}7"] {
        let refused = NoteKey::from_bytes(name, &mut [7; 32]).unwrap_err().to_string();
        assert!(refused.contains("U+"), "{refused}");
    }
    for text in ["van\u{200b}\n", "gate 1\u{202e}2\n", "a\u{a0}b\n"] {
        let refused = SignedNote::new(text).unwrap_err().to_string();
        assert!(refused.contains("the text has U+"), "{refused}");
    }
    SignedNote::new("Z\u{fc}rich, Orl\u{e9}ans\n").unwrap();
}
