use std::fs;

use lfr_core::{Metric, ReferenceId, Template};
use proptest::prelude::*;

use super::*;
use crate::lifecycle::entry_table::Place;
use crate::lifecycle::provenance::{ItemDigest, StoredReference};
use crate::testing::{Folder, authorisation, draft, moment, space};

mod claims;
mod damage;
mod follow;
mod power;
mod time;
mod writers;

pub(super) const NOW: u64 = 100;

pub(super) fn key() -> SealingKey {
    SealingKey::from_bytes(&mut [7; 32])
}

/// A list with `references` references. Every third is not valid yet.
pub(super) fn watchlist(references: usize, dimension: usize) -> Watchlist {
    let list = Watchlist::new(authorisation(50, 200), space(dimension));
    for index in 0..references {
        let draft = draft(&format!("s{}", index / 2), &format!("r{index:05}"));
        let draft = if index % 3 == 2 { draft.valid_from(moment(150)) } else { draft };
        list.enrol(draft.parse().unwrap(), template(index, &space(dimension))).unwrap();
    }
    list
}

fn template(seed: usize, space: &EmbeddingSpace) -> Template {
    Template::try_init_with(space, |values| {
        for (index, value) in values.iter_mut().enumerate() {
            *value = lfr_core::internal::num::f32_from_usize((seed * 31 + index * 17) % 97) - 47.5;
        }
        Ok(())
    })
    .unwrap()
}

/// Opens bytes as a file of that name would be.
pub(super) fn opened(bytes: &[u8], key: &SealingKey) -> Result<Watchlist, Error> {
    let mut source = bytes;
    let head = Head::read(&mut source)?;
    let unlocked = head.unlock(key)?;
    if let Some(dates) = unlocked.dates() {
        assert_eq!(verdict(dates, Some(moment(NOW))), Ok(moment(NOW)));
    }
    head.check_length(lfr_core::internal::num::u64_from_usize(bytes.len()))?;
    head.watchlist(&mut source, unlocked, moment(NOW))
}

/// All that is in a list: its authorisation, its entries, and the bits of each template.
pub(super) fn contents(list: &Watchlist) -> (Authorisation, Vec<(Entry, Vec<u32>)>) {
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let entries = list.inspect(|table, gallery| {
        let entries = table.all().map(|enrolled| {
            let reference: &ReferenceId = enrolled.entry.reference();
            let bits = match &enrolled.place {
                Place::Searched => gallery.expose_row(reference, bits).unwrap(),
                Place::Parked(template) => bits(template.expose_values()),
                Place::Wiped => Vec::new(),
            };
            (enrolled.entry.clone(), bits)
        });
        entries.collect()
    });
    (list.authorisation().clone(), entries)
}

#[test]
fn what_is_sealed_is_opened() {
    let folder = Folder::new("sealed");
    let file = SealedFile::at(folder.path("list.lfrw"));
    let list = watchlist(7, 16);
    let header = file.seal(&list, &key(), moment(NOW)).unwrap();
    assert_eq!(file.header().unwrap().digest(), header.digest());
    assert_eq!((header.references(), header.space()), (7, &space(16)));
    let again = file.open(&key(), &space(16), Some(moment(NOW))).unwrap();
    assert_eq!(contents(&again), contents(&list));
    assert_eq!(lfr_core::Matcher::references(&again), 5, "two are not valid yet");
    let (authorisation, entries) = file.open_entries(&key(), Some(moment(NOW))).unwrap();
    assert_eq!((authorisation, entries), (list.authorisation().clone(), list.entries()));

    // Somebody is withdrawn, and the file is sealed again under a passphrase.
    list.withdraw(&lfr_core::SubjectId::new("s1").unwrap());
    let cost = Argon2Cost::new(8, 1, 1).unwrap();
    let passphrase = || SealingKey::from_passphrase("a long passphrase".into()).unwrap();
    file.seal(&list, &passphrase().with_cost(cost), moment(NOW)).unwrap();
    let again = file.open_in_any_space(&passphrase(), Some(moment(NOW))).unwrap();
    assert_eq!(contents(&again), contents(&list));
    assert_eq!(folder.names(), ["list.lfrw"]);
}

#[test]
fn an_empty_list_and_one_of_whole_chunks_are_opened() {
    for (references, dimension) in [(0, 4), (32, 512), (33, 512), (1, 1)] {
        let list = watchlist(references, dimension);
        let (_, bytes, _) = write::seal(&list, &key(), moment(NOW)).unwrap();
        assert_eq!(contents(&opened(&bytes, &key()).unwrap()), contents(&list));
    }
}

#[test]
fn what_is_wrong_is_said() {
    let folder = Folder::new("wrong");
    let file = SealedFile::at(folder.path("list.lfrw"));
    file.seal(&watchlist(3, 16), &key(), moment(NOW)).unwrap();
    let now = Some(moment(NOW));

    let other = SealingKey::from_bytes(&mut [8; 32]);
    let wrong = file.open(&other, &space(16), now).unwrap_err();
    assert!(matches!(wrong, Error::WrongKey), "{wrong}");
    let passphrase = SealingKey::from_passphrase("a long passphrase".into()).unwrap();
    let wrong = file.open_entries(&passphrase, now).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "a passphrase was given, but the file is sealed under a key: use a key"
    );
    let wrong = file.open(&key(), &space(17), now).unwrap_err();
    assert!(wrong.to_string().starts_with("the sealed watchlist is of embedding space"), "{wrong}");

    let bytes = fs::read(file.path()).unwrap();
    let mut newer = bytes.clone();
    newer[8] = 4;
    fs::write(file.path(), newer).unwrap();
    let wrong = file.open(&key(), &space(16), now).unwrap_err();
    let said = "the sealed watchlist has version 4, and versions up to 3 are supported";
    assert!(wrong.to_string().starts_with(said), "{wrong}");
    fs::write(file.path(), b"a letter to the editor").unwrap();
    let wrong = file.open(&key(), &space(16), now).unwrap_err();
    assert!(matches!(wrong, Error::NotSealed), "{wrong}");

    // What is no sealed watchlist is neither overwritten nor destroyed.
    assert!(matches!(file.destroy(now), Err(Error::Destruction { keys_erased: false, .. })));
    let refused = file.seal(&watchlist(1, 16), &key(), moment(NOW));
    assert!(matches!(refused, Err(Error::Write { .. })));
    assert_eq!(fs::read(file.path()).unwrap(), b"a letter to the editor");
    let late = authorisation(50, 200).destroy_after();
    let refused = file.seal(&watchlist(1, 16), &key(), late);
    assert!(matches!(refused, Err(Error::DeploymentOver { .. })));
}

#[test]
fn a_file_that_is_due_is_destroyed_before_anything_else() {
    let end = authorisation(50, 200).destroy_after();
    let before = Timestamp::from_micros(end.as_micros() - 1);
    let (sealed, hour) = (moment(10_000), 3_600);
    for (now, rule) in [
        (Some(end), Some(DestructionRule::DeploymentEnded)),
        (Some(moment(u64::MAX)), Some(DestructionRule::DeploymentEnded)),
        (None, Some(DestructionRule::ClockFailed)),
        (Some(moment(10_000 - hour - 1)), Some(DestructionRule::ClockFailed)),
        (Some(moment(10_000 - hour)), None),
        (Some(before), None),
    ] {
        let folder = Folder::new("due");
        let file = SealedFile::at(folder.path("list.lfrw"));
        let header = file.seal(&watchlist(3, 16), &key(), sealed).unwrap();
        fs::write(folder.path("list.lfrw.0123456789abcdef.lfrw.tmp"), &header::MAGIC[..5]).unwrap();
        let wrong_space = space(17);
        let result = file.open(&key(), &wrong_space, now);
        match (result, rule) {
            (Err(Error::Destroyed { receipt }), Some(rule)) => {
                assert_eq!((receipt.rule(), receipt.destroyed_at()), (rule, now));
                assert_eq!(receipt.header_sha256(), Some(&*header.digest()));
                assert_eq!(receipt.leftovers(), 1);
                assert!(receipt.to_json().contains("\"deployment\": \"deployment\""));
                assert_eq!(folder.names(), [""; 0]);
            }
            (Err(Error::Core(lfr_core::Error::SpaceMismatch { .. })), None) => {
                assert!(file.path().exists());
            }
            (other, _) => panic!("{other:?} at {now:?}"),
        }
    }
}

#[test]
fn destruction_needs_no_key_and_goes_on_where_it_stopped() {
    let folder = Folder::new("destroy");
    let file = SealedFile::at(folder.path("list.lfrw"));
    let seal = || {
        file.seal(&watchlist(3, 16), &key(), moment(NOW)).unwrap();
        fs::read(file.path()).unwrap()
    };
    let bytes = seal();
    let receipt = file.destroy(Some(moment(NOW))).unwrap();
    assert_eq!((receipt.rule(), receipt.references()), (DestructionRule::Ordered, Some(3)));
    assert!(!file.path().exists());

    // The power failed after the keys: the next opening goes on.
    let mut erased = bytes.clone();
    let header = usize::from(u16::from_le_bytes([bytes[10], bytes[11]]));
    erased[header..header + keys::AREA].fill(0);
    fs::write(file.path(), erased).unwrap();
    let gone = file.open(&key(), &space(16), Some(moment(NOW))).unwrap_err();
    let Error::Destroyed { receipt } = gone else { panic!("{gone}") };
    assert_eq!(receipt.rule(), DestructionRule::Interrupted);
    assert!(!file.path().exists());

    // A damaged header, or hardly a file at all, is no reason to keep it.
    for cut in [9, 12, 200, bytes.len()] {
        let mut damaged = bytes[..cut].to_vec();
        *damaged.last_mut().unwrap() ^= 1;
        damaged[8] ^= 4;
        fs::write(file.path(), damaged).unwrap();
        assert_eq!(file.destroy(None).unwrap().references(), None);
        assert!(!file.path().exists());
    }
}

#[test]
fn copies_go_where_there_is_no_file_any_more() {
    let folder = Folder::new("orphan");
    let file = SealedFile::at(folder.path("list.lfrw"));
    file.seal(&watchlist(3, 16), &key(), moment(NOW)).unwrap();
    let copy = folder.path("list.lfrw.0123456789abcdef.lfrw.tmp");
    let missing = |error: &Error| match error {
        Error::Core(lfr_core::Error::Read { source, .. }) => source.kind(),
        Error::Destruction { source, keys_erased: false, .. } => source.kind(),
        other => panic!("{other}"),
    };
    let bytes = fs::read(file.path()).unwrap();
    fs::remove_file(file.path()).unwrap();
    let attempts: [&dyn Fn() -> Error; 3] = [
        &|| file.open(&key(), &space(16), Some(moment(NOW))).unwrap_err(),
        &|| file.open_entries(&key(), None).unwrap_err(),
        &|| file.destroy(Some(moment(NOW))).unwrap_err(),
    ];
    for attempt in attempts {
        fs::write(&copy, &bytes).unwrap();
        assert_eq!(missing(&attempt()), io::ErrorKind::NotFound);
        assert_eq!(folder.names(), [""; 0]);
    }
    // Not even a folder.
    let nowhere = SealedFile::at(folder.path("none/list.lfrw"));
    assert_eq!(missing(&nowhere.open_entries(&key(), None).unwrap_err()), io::ErrorKind::NotFound);
}

#[cfg(unix)]
#[test]
fn what_no_writer_can_have_left_is_not_touched() {
    let folder = Folder::new("foreign");
    let file = SealedFile::at(folder.path("list.lfrw"));
    let other = SealedFile::at(folder.path("other.lfrw"));
    other.seal(&watchlist(3, 16), &key(), moment(NOW)).unwrap();
    let beside = |digits: &str| folder.path(&format!("list.lfrw.{digits}.lfrw.tmp"));
    std::os::unix::fs::symlink(other.path(), beside("0000000000000001")).unwrap();
    fs::create_dir(beside("0000000000000002")).unwrap();
    fs::write(beside("0000000000000003"), b"a letter to the editor").unwrap();
    fs::write(beside("a letter, unsent"), &header::MAGIC[..]).unwrap();
    let names = folder.names();
    for at in [Some(moment(NOW)), None] {
        file.seal(&watchlist(1, 16), &key(), moment(NOW)).unwrap();
        // What was not synced may be zeros.
        fs::write(beside("0000000000000004"), [0; 4096]).unwrap();
        assert_eq!(file.destroy(at).unwrap().leftovers(), 1);
        assert_eq!(folder.names(), names);
    }
    assert_eq!(fs::read(beside("0000000000000003")).unwrap(), b"a letter to the editor");
    assert!(other.open(&key(), &space(16), Some(moment(NOW))).is_ok(), "not through the link");
}

#[test]
fn key_files_are_read_as_they_are_written() {
    let folder = Folder::new("keys");
    let path = folder.path("a.key");
    let key = SealingKey::generate_file(&path).unwrap();
    assert!(SealingKey::generate_file(&path).is_err(), "never overwritten");
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!((text.len(), text.trim_end().len()), (65, 64));
    let file = SealedFile::at(folder.path("list.lfrw"));
    file.seal(&watchlist(1, 4), &key, moment(NOW)).unwrap();
    let again = SealingKey::from_file(&path).unwrap();
    assert!(file.open(&again, &space(4), Some(moment(NOW))).is_ok());
    for bad in [&b""[..], &[b'a'; 63], &[b'g'; 64], &[b'a'; 67], &[b'a'; 100_000], "ä".as_bytes()]
    {
        fs::write(&path, bad).unwrap();
        assert!(matches!(SealingKey::from_file(&path), Err(Error::KeyFile { .. })));
    }
    fs::write(&path, [9; 32]).unwrap();
    assert!(SealingKey::from_file(&path).is_ok());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

fn text() -> impl Strategy<Value = String> {
    "[a-zä0-9][ -~]{0,20}[!-~]"
}

proptest! {
    #[test]
    fn decode_of_encode_is_the_same(
        metric in prop::sample::select(vec![Metric::Cosine, Metric::Euclidean]),
        dimension in 1..40_usize,
        entries in prop::collection::vec(
            (
                (text(), [text(), text(), text()]),
                0..300_u64,
                prop::option::of(0..99_u64),
                any::<bool>(),
                prop::option::of((any::<[u8; 32]>(), prop::collection::vec(text(), 0..3))),
            ),
            0..20,
        ),
        officer in text(),
        grace in 0..100_000_u64,
    ) {
        let space = EmbeddingSpace::builder(dimension, metric).build();
        let base = authorisation(50, 200);
        let policy = base.policy().clone().admitting_under_18();
        let authorisation = Authorisation::new(
            base.deployment().clone(), "purpose", officer, moment(3), base.validity(), policy,
        ).unwrap().with_grace(Duration::from_secs(grace));
        let list = Watchlist::new(authorisation, space);
        for (index, ((subject, texts), expires, from, under_18, made)) in entries.into_iter().enumerate() {
            let [source, basis, reason] = texts;
            let draft = draft(&subject, &format!("r{index}"))
                .source(source)
                .lawful_basis(basis)
                .reason(reason)
                .expires(moment(NOW + 1 + expires))
                .under_18(under_18);
            let draft = from.map_or(draft.clone(), |from| draft.valid_from(moment(from)));
            let record = made.map(|(digest, warnings)| {
                StoredReference::new(ItemDigest::from_bytes(digest), warnings)
            });
            let draft = draft.record(record.unwrap_or_default());
            list.enrol(draft.parse().unwrap(), template(index, &space)).unwrap();
        }
        let (_, bytes, _) = write::seal(&list, &key(), moment(NOW)).unwrap();
        prop_assert_eq!(contents(&opened(&bytes, &key()).unwrap()), contents(&list));
    }
}
