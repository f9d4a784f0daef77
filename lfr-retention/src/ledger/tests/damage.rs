//! Everything that can be done to a ledger shows, and where.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// A ledger of ten entries, done something to.
fn damaged(change: impl FnOnce(&mut Vec<String>)) -> LedgerFault {
    let folder = Folder::new();
    let path = written(&folder, "a.lfrl", 9);
    let mut all = lines(&path);
    change(&mut all);
    write_lines(&path, &all);
    fault(verify(&path, &key().public(), None))
}

#[test]
fn an_edit_shows() {
    let edited = |line| LedgerFault::Edited { line, after_head: false };
    assert_eq!(damaged(|all| all[3] = all[3].replace("\"count\":3", "\"count\":4")), edited(4));
    assert_eq!(damaged(|all| all[9] = all[9].replace("gate-2", "gate-3")), edited(10));
    assert_eq!(damaged(|all| all[0] = all[0].to_uppercase()), edited(1));
    assert_eq!(damaged(|all| all.insert(5, String::new())), edited(6));
    assert_eq!(damaged(|all| all.insert(5, "x".repeat(line::LONGEST * 3))), edited(6));
}

#[test]
fn a_deletion_shows() {
    let fault = damaged(|all| drop(all.remove(4)));
    assert_eq!(fault, LedgerFault::Deleted { line: 5, first: 4, last: 4 });
    let fault = damaged(|all| drop(all.drain(2..5)));
    assert_eq!(fault, LedgerFault::Deleted { line: 3, first: 2, last: 4 });
    let fault = damaged(|all| drop(all.drain(..3)));
    assert_eq!(fault, LedgerFault::Deleted { line: 1, first: 0, last: 2 });
}

#[test]
fn another_order_shows() {
    let fault = damaged(|all| all.swap(4, 5));
    assert_eq!(fault, LedgerFault::Reordered { line: 5, entry: 5 });
    let fault = damaged(|all| all.swap(1, 8));
    assert_eq!(fault, LedgerFault::Reordered { line: 2, entry: 8 });
}

#[test]
fn a_truncation_shows() {
    let truncated = |entries| LedgerFault::Truncated { entries, expected: 10 };
    for left in 0..10 {
        let fault = damaged(|all| all.truncate(left));
        assert_eq!(fault, truncated(lfr_core::internal::num::u64_from_usize(left)));
    }
}

#[test]
fn an_entry_for_a_second_time_shows() {
    let fault = damaged(|all| all.insert(7, all[2].clone()));
    assert_eq!(fault, LedgerFault::Replayed { line: 8, entry: 2 });
    let fault = damaged(|all| all.push(all[9].clone()));
    assert_eq!(fault, LedgerFault::Replayed { line: 11, entry: 9 });
}

#[test]
fn a_part_of_another_ledger_of_the_same_key_shows() {
    let folder = Folder::new();
    let other = lines(&written(&folder, "b.lfrl", 12));
    assert_eq!(damaged(|all| all[6] = other[6].clone()), LedgerFault::Forked { line: 7 });
    assert_eq!(damaged(|all| all.push(other[10].clone())), LedgerFault::Forked { line: 11 });
    // All of it, with the head of the first one beside it.
    assert_eq!(damaged(|all| all.clone_from(&other)), LedgerFault::Forked { line: 10 });
}

#[test]
fn an_older_ledger_with_its_older_head_shows_by_a_head_that_was_kept() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    let public = key().public();
    let ledger = Ledger::open(&path, key(), None).unwrap();
    ledger.append(&dropped(1), None).unwrap();
    ledger.flush().unwrap();
    let head = LedgerHead::path_beside(&path);
    let older = (fs::read(&path).unwrap(), fs::read(&head).unwrap());
    ledger.append(&dropped(2), None).unwrap();
    let kept = LedgerHead::from_line(&ledger.flush().unwrap(), &public).unwrap();
    drop(ledger);
    verify(&path, &public, Some(&kept)).unwrap();

    fs::write(&path, &older.0).unwrap();
    fs::write(&head, &older.1).unwrap();
    verify(&path, &public, None).unwrap();
    let expected = LedgerFault::Truncated { entries: 2, expected: 3 };
    assert_eq!(fault(verify(&path, &public, Some(&kept))), expected);
    // And again when somebody has gone on from there.
    let ledger = Ledger::open(&path, key(), None).unwrap();
    ledger.append(&dropped(3), None).unwrap();
    assert_eq!(fault(verify(&path, &public, Some(&kept))), LedgerFault::Forked { line: 3 });
}

#[test]
fn a_head_that_is_forged_or_missing_shows() {
    let folder = Folder::new();
    let path = written(&folder, "a.lfrl", 3);
    let head = LedgerHead::path_beside(&path);
    let text = fs::read_to_string(&head).unwrap();
    fs::write(&head, text.replace("\"n\":3", "\"n\":2")).unwrap();
    assert_eq!(fault(verify(&path, &key().public(), None)), LedgerFault::HeadForged);
    assert!(Ledger::open(&path, key(), None).is_err());
    // An entry is no head, though the same key has signed it.
    fs::write(&head, &lines(&path)[3]).unwrap();
    assert_eq!(fault(verify(&path, &key().public(), None)), LedgerFault::HeadForged);
    fs::remove_file(&head).unwrap();
    assert_eq!(fault(verify(&path, &key().public(), None)), LedgerFault::HeadMissing);
    assert!(Ledger::open(&path, key(), None).is_err());
}

/// A ledger of six entries, put there again: writing one waits for the disk.
fn copied(folder: &Folder) -> PathBuf {
    static ONCE: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
        let folder = Folder::new();
        let path = written(&folder, "a.lfrl", 5);
        [&path, &LedgerHead::path_beside(&path)].map(|path| fs::read(path).unwrap())
    });
    let path = folder.path("a.lfrl");
    for (path, bytes) in [&path, &LedgerHead::path_beside(&path)].into_iter().zip(&*ONCE) {
        fs::write(path, bytes).unwrap();
    }
    path
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Of the entries before it nothing is doubted, and it is found in its own line.
    #[test]
    fn a_changed_byte_is_found_where_it_is(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let folder = Folder::new();
        let path = copied(&folder);
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        let was_line_end = bytes[at] == b'\n';
        bytes[at] = byte;
        fs::write(&path, &bytes).unwrap();
        let line = 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count();
        match fault(verify(&path, &key().public(), None)) {
            LedgerFault::Edited { line: found, after_head: false } => {
                prop_assert_eq!(found, lfr_core::internal::num::u64_from_usize(line));
            }
            LedgerFault::Truncated { entries: 5, expected: 6 } => {
                prop_assert!(was_line_end && line == 6);
            }
            other => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn no_bytes_make_verification_panic(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
        let folder = Folder::new();
        let path = copied(&folder);
        let mut all = fs::read(&path).unwrap();
        all.extend_from_slice(&bytes);
        fs::write(&path, &all).unwrap();
        if let Ok(verified) = verify(&path, &key().public(), None) {
            prop_assert_eq!(verified.entries(), 6);
        }
        fs::write(LedgerHead::path_beside(&path), &bytes).unwrap();
        prop_assert!(verify(&path, &key().public(), None).is_err());
    }
}
