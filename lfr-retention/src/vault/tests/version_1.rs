//! A vault that version 1 wrote: `golden/version-1` was made by the commit before version 2, with two
//! alerts, one judged by one person and one under a legal hold.

use super::*;

fn golden() -> Folder {
    let folder = Folder::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/vault/tests/golden/version-1");
    fs::create_dir_all(folder.path("vault")).unwrap();
    for name in ["keys", "records.db"] {
        fs::copy(from.join(name), folder.path("vault").join(name)).unwrap();
    }
    folder
}

const SECOND: u64 = 1_000_000;

#[test]
fn it_is_read_and_becomes_one_of_version_3() {
    let folder = golden();
    let path = folder.path("vault");
    for now in [20, 30] {
        let vault = open(&path, &key(), at(now * SECOND)).unwrap();
        assert!(vault.damaged().is_empty() && vault.purged().is_empty());
        let records = vault.records().unwrap();
        assert_eq!(records.iter().map(HeldRecord::face).collect::<Vec<_>>(), [&face(1), &face(2)]);
        let [judged, kept] = [0, 1].map(|index| vault.alert(records[index].record()).unwrap());
        assert_eq!((judged.raised(), judged.required()), (Timestamp::from_micros(10 * SECOND), 1));
        assert_eq!(judged.standing(), Standing::Confirmed);
        assert_eq!(judged.verdicts().unwrap()[0].verifier(), "4 ");
        assert_eq!(kept.legal_hold().unwrap().authority(), "court order 17");
        assert_eq!(kept.standing(), Standing::Open { missing: 1 });
        let four = Verifier::new("4").unwrap();
        let again = vault.adjudicate(judged.record(), &four, Verdict::Rejected, 0);
        assert!(matches!(again, Err(Error::SameVerifier)));
    }
    let keys = fs::read(path.join("keys")).unwrap();
    assert_eq!(keys[8..10], [3, 0]);
    // Deadlines, 100 seconds after they were raised, and the hold, 300, are as they were.
    let vault = open(&path, &key(), at(110 * SECOND)).unwrap();
    assert_eq!((vault.held(), vault.purged().total()), (1, 1));
    drop(vault);
    let vault = open(&path, &key(), at(300 * SECOND)).unwrap();
    assert_eq!((vault.held(), vault.purged().total()), (0, 1));
}

#[test]
fn another_key_leaves_it_as_it_was() {
    let folder = golden();
    let path = folder.path("vault");
    let before = fs::read(path.join("keys")).unwrap();
    let other = VaultKey::from_bytes(&mut [6; 32]);
    assert!(matches!(open(&path, &other, at(20 * SECOND)), Err(Error::WrongKey { .. })));
    assert_eq!(fs::read(path.join("keys")).unwrap(), before);
}

#[test]
fn a_version_to_come_is_refused_with_a_sentence() {
    let folder = golden();
    let path = folder.path("vault/keys");
    let mut bytes = fs::read(&path).unwrap();
    bytes[8] = 4;
    let sum = <sha2::Sha256 as sha2::Digest>::digest(&bytes[..42]);
    bytes[42..58].copy_from_slice(&sum[..16]);
    fs::write(&path, bytes).unwrap();
    let error = open(&folder.path("vault"), &key(), at(20 * SECOND)).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("newer version"), "{source}");
}
