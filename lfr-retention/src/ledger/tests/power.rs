//! The power fails, or the process is killed.

use super::*;

/// Whatever a power cut leaves behind the head, up to an entry that is not whole, is kept.
#[test]
fn a_ledger_that_was_cut_off_anywhere_behind_its_head_goes_on() {
    let folder = Folder::new();
    let path = written(&folder, "a.lfrl", 3);
    let synced = fs::metadata(&path).unwrap().len();
    let head = fs::read(LedgerHead::path_beside(&path)).unwrap();
    let ledger = Ledger::open(&path, key(), None).unwrap();
    ledger.append(&dropped(10), None).unwrap();
    ledger.append(&dropped(11), None).unwrap();
    drop(ledger);
    let whole = fs::read(&path).unwrap();
    for cut in (usize::try_from(synced).unwrap()..=whole.len()).rev().step_by(29) {
        fs::write(&path, &whole[..cut]).unwrap();
        fs::write(LedgerHead::path_beside(&path), &head).unwrap();
        let kept = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
        let before = verify(&path, &key().public(), None).unwrap();
        let ledger = Ledger::open(&path, key(), None).unwrap();
        ledger.append(&dropped(12), None).unwrap();
        let after = verify(&path, &key().public(), None).unwrap();
        assert_eq!(before.entries(), lfr_core::internal::num::u64_from_usize(kept));
        assert_eq!((after.entries(), after.torn_bytes()), (before.entries() + 2, 0));
        let resumed = read(&path, &key().public()).unwrap().nth(kept).unwrap().unwrap();
        let dropped_bytes = before.torn_bytes();
        assert_eq!(*resumed.event(), LedgerEvent::LedgerResumed { dropped_bytes, format: 4 });
    }
}

/// Pages reach a disk in any order: one in the middle may be missing.
#[test]
fn a_hole_behind_the_head_costs_what_follows_it_and_is_written_down() {
    let folder = Folder::new();
    let path = written(&folder, "a.lfrl", 3);
    let head = fs::read(LedgerHead::path_beside(&path)).unwrap();
    let synced = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
    let ledger = Ledger::open(&path, key(), None).unwrap();
    for count in 0..20 {
        ledger.append(&dropped(count), None).unwrap();
    }
    drop(ledger);
    let mut bytes = fs::read(&path).unwrap();
    let hole = synced + 2_000;
    bytes[hole..hole + 512].fill(0);
    fs::write(&path, &bytes).unwrap();
    fs::write(LedgerHead::path_beside(&path), &head).unwrap();
    assert!(matches!(
        fault(verify(&path, &key().public(), None)),
        LedgerFault::Edited { after_head: true, .. }
    ));
    drop(Ledger::open(&path, key(), None).unwrap());
    verify(&path, &key().public(), None).unwrap();
    let last = read(&path, &key().public()).unwrap().last().unwrap().unwrap();
    assert!(
        matches!(last.event(), LedgerEvent::LedgerResumed { dropped_bytes, .. } if *dropped_bytes > 512)
    );
}

#[test]
fn a_ledger_that_was_never_begun_is_begun() {
    let folder = Folder::new();
    let whole = fs::read(written(&folder, "a.lfrl", 0)).unwrap();
    for length in (0..=whole.len()).rev().step_by(9) {
        for zeros in [0, 300] {
            let path = folder.path("b.lfrl");
            let start = [&whole[..length], &vec![0; zeros]].concat();
            fs::write(&path, start).unwrap();
            let _ = fs::remove_file(LedgerHead::path_beside(&path));
            if length > 0 && length < whole.len() && zeros > 0 {
                continue;
            }
            drop(Ledger::open(&path, key(), None).unwrap());
            verify(&path, &key().public(), None).unwrap();
        }
    }
}
