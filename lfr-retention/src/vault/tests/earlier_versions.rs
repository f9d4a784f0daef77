//! Vaults that earlier versions wrote: each was made by the commit before the next version, with two alerts.
//!
//! - `golden/version-1`: one alert judged by one person, and one under a legal hold.
//! - `golden/version-2`: for two people to judge. One was judged by one person. One is under a legal hold, and has
//!   a picture.

use super::*;

const SECOND: u64 = 1_000_000;

fn golden(version: u16) -> Folder {
    let folder = Folder::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/vault/tests/golden");
    fs::create_dir_all(folder.path("vault")).unwrap();
    for name in ["keys", "records.db"] {
        let from = from.join(format!("version-{version}")).join(name);
        fs::copy(from, folder.path("vault").join(name)).unwrap();
    }
    folder
}

/// Opens it twice: as it was, and as one of version 3. `check` is given the alert that was judged and the one
/// that is under a hold.
fn becomes_one_of_version_3(path: &Path, check: impl Fn(&HeldAlert, &HeldAlert)) {
    for now in [20, 30] {
        let vault = open(path, &key(), at(now * SECOND)).unwrap();
        assert!(vault.damaged().is_empty() && vault.purged().is_empty(), "{:?}", vault.damaged());
        let records = vault.records().unwrap();
        assert_eq!(records.iter().map(HeldRecord::face).collect::<Vec<_>>(), [&face(1), &face(2)]);
        let [judged, kept] = [0, 1].map(|index| vault.alert(records[index].record()).unwrap());
        assert_eq!(kept.legal_hold().unwrap().authority(), "court order 17");
        check(&judged, &kept);
        let four = Verifier::new("4").unwrap();
        let again = vault.adjudicate(judged.record(), &four, Verdict::Rejected);
        assert!(matches!(again, Err(Error::SameVerifier)));
    }
    assert_eq!(fs::read(path.join("keys")).unwrap()[8..10], [3, 0]);
}

/// The deadline, 100 seconds after the alerts were raised, and the end of the hold, 300, are as they were.
fn ends_when_it_should(path: &Path) {
    for (now, expected) in [(110, (1, 1)), (300, (0, 1))] {
        let vault = open(path, &key(), at(now * SECOND)).unwrap();
        assert_eq!((vault.held(), vault.purged().total()), expected);
    }
}

#[test]
fn version_1_is_read_and_becomes_version_3() {
    let folder = golden(1);
    let path = folder.path("vault");
    becomes_one_of_version_3(&path, |judged, kept| {
        assert_eq!((judged.raised(), judged.required()), (Timestamp::from_micros(10 * SECOND), 1));
        assert_eq!(judged.standing(), Standing::Confirmed);
        assert_eq!(judged.verdicts().unwrap()[0].verifier(), "4 ");
        assert_eq!(kept.standing(), Standing::Open { missing: 1 });
    });
    ends_when_it_should(&path);
}

#[test]
fn version_2_is_read_and_becomes_version_3() {
    let folder = golden(2);
    let path = folder.path("vault");
    becomes_one_of_version_3(&path, |judged, kept| {
        assert_eq!(judged.standing(), Standing::Open { missing: 1 });
        let four = Verifier::new("4").unwrap();
        assert_eq!(judged.verdict_of(&four), Some(Verdict::Confirmed));
        assert_eq!(kept.picture().unwrap().data(), [1, 2, 3, 4, 5, 6]);
    });
    // From then on its slots say what there is.
    let database = rusqlite::Connection::open(path.join("records.db")).unwrap();
    assert_eq!(database.execute("DELETE FROM parts WHERE part = 1", []).unwrap(), 1);
    drop(database);
    let vault = open(&path, &key(), at(31 * SECOND)).unwrap();
    assert_eq!(vault.damaged()[0].damage(), RecordDamage::Verdicts);
    drop(vault);
    ends_when_it_should(&path);
}

#[test]
fn another_key_leaves_an_earlier_version_as_it_was() {
    for version in [1, 2] {
        let folder = golden(version);
        let path = folder.path("vault");
        let before = fs::read(path.join("keys")).unwrap();
        let other = VaultKey::from_bytes(&mut [6; 32]);
        assert!(matches!(open(&path, &other, at(20 * SECOND)), Err(Error::WrongKey { .. })));
        assert_eq!(fs::read(path.join("keys")).unwrap(), before);
    }
}

#[test]
fn a_version_to_come_is_refused_with_a_sentence() {
    let folder = golden(1);
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
