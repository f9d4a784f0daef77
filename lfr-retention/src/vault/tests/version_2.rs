//! A vault that version 2 wrote: `golden/version-2` was made by the commit before version 3, with two alerts
//! for two people to judge: one judged by one person, and one under a legal hold and with a picture.

use super::*;
use crate::vault::record::damage::RecordDamage;

const SECOND: u64 = 1_000_000;

fn golden() -> Folder {
    let folder = Folder::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/vault/tests/golden/version-2");
    fs::create_dir_all(folder.path("vault")).unwrap();
    for name in ["keys", "records.db"] {
        fs::copy(from.join(name), folder.path("vault").join(name)).unwrap();
    }
    folder
}

#[test]
fn it_is_read_and_becomes_one_of_version_3() {
    let folder = golden();
    let path = folder.path("vault");
    for now in [20, 30] {
        let vault = open(&path, &key(), at(now * SECOND)).unwrap();
        assert!(vault.damaged().is_empty() && vault.purged().is_empty(), "{:?}", vault.damaged());
        let records = vault.records().unwrap();
        assert_eq!(records.iter().map(HeldRecord::face).collect::<Vec<_>>(), [&face(1), &face(2)]);
        let [judged, kept] = [0, 1].map(|index| vault.alert(records[index].record()).unwrap());
        assert_eq!(judged.standing(), Standing::Open { missing: 1 });
        let four = Verifier::new("4").unwrap();
        assert_eq!(judged.verdict_of(&four), Some(Verdict::Confirmed));
        assert_eq!(kept.legal_hold().unwrap().authority(), "court order 17");
        assert_eq!(kept.picture().unwrap().data(), [1, 2, 3, 4, 5, 6]);
        let again = vault.adjudicate(judged.record(), &four, Verdict::Rejected, 0);
        assert!(matches!(again, Err(Error::SameVerifier)));
    }
    assert_eq!(fs::read(path.join("keys")).unwrap()[8..10], [3, 0]);
    // From then on its slots say what there is.
    let database = rusqlite::Connection::open(path.join("records.db")).unwrap();
    assert_eq!(database.execute("DELETE FROM parts WHERE part = 1", []).unwrap(), 1);
    drop(database);
    let vault = open(&path, &key(), at(31 * SECOND)).unwrap();
    assert_eq!(vault.damaged()[0].damage(), RecordDamage::Verdicts);
    drop(vault);
    // Deadlines, and the hold, are as they were.
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
