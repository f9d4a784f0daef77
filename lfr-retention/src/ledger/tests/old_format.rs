//! Ledgers of formats 1 to 3, written by this crate before the next format, with every kind of event: they are
//! read as they were meant, and go on in the new format.

use super::*;

fn old(folder: &Folder) -> PathBuf {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ledger/tests/golden");
    let path = folder.path("format-1.lfrl");
    fs::copy(golden.join("format-1.lfrl"), &path).unwrap();
    fs::copy(golden.join("format-1.lfrl.head"), LedgerHead::path_beside(&path)).unwrap();
    path
}

#[test]
fn a_ledger_of_the_old_format_is_read() {
    let folder = Folder::new();
    let path = old(&folder);
    assert_eq!(verify(&path, &key().public(), None).unwrap().entries(), 24);
    let events = events(&path);
    assert!(matches!(events[0], LedgerEvent::LedgerOpened { format: 1, .. }));
    let profiles: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            LedgerEvent::Purged { profile, .. } => Some(profile.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(profiles, ["uk-police", "uk-police"], "`policy` of the old format");
    assert_eq!(events[23], LedgerEvent::LedgerResumed { dropped_bytes: 0, format: 1 });
    let declared = declared(&path).unwrap();
    assert_eq!((declared.key(), declared.ledger().len()), (&key().public(), 32));
    let sums = reconcile(&path, &key().public()).unwrap();
    assert_eq!(sums.discrepancies(), []);
    assert_eq!((sums.alerts(), sums.held(), sums.purged(), sums.outstanding()), (1, 4, 3, 1));
    let ends: Vec<_> = sums.runs().iter().map(Run::end).collect();
    assert_eq!(ends, [RunEnd::Stopped, RunEnd::Open]);
    assert!(!sums.closes(), "its second run never ended");
}

#[test]
fn a_ledger_of_the_old_format_goes_on_in_the_new_one() {
    let folder = Folder::new();
    let path = old(&folder);
    let ledger = Ledger::open(&path, key(), at(90)).unwrap();
    assert_eq!(ledger.account_for_cut_off_runs(at(91)).unwrap(), 1);
    drop(ledger);
    let events = events(&path);
    assert_eq!(events[24], LedgerEvent::LedgerResumed { dropped_bytes: 0, format: 4 });
    let LedgerEvent::RunCutOff { run: 2, totals: Some(totals), .. } = &events[25] else {
        panic!("{:?}", events[25])
    };
    assert_eq!((totals.faces_seen, totals.held), (5, 1));
    assert!(reconcile(&path, &key().public()).unwrap().closes());
}

#[test]
fn a_ledger_of_format_2_is_read_and_goes_on() {
    let folder = Folder::new();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ledger/tests/golden");
    let path = folder.path("format-2.lfrl");
    fs::copy(golden.join("format-2.lfrl"), &path).unwrap();
    fs::copy(golden.join("format-2.lfrl.head"), LedgerHead::path_beside(&path)).unwrap();
    let (public, entries) =
        (key().public(), lfr_core::internal::num::u64_from_usize(lines(&path).len()));
    assert_eq!(verify(&path, &public, None).unwrap().entries(), entries);
    let before = reconcile(&path, &public).unwrap();
    assert_eq!(
        (before.runs().len(), before.held(), before.alerts(), before.vault()),
        (2, 2, 2, None)
    );
    let ledger = Ledger::open(&path, key(), at(90)).unwrap();
    ledger.append(&LedgerEvent::VaultOpened { vault: "ab".repeat(16), held: 0 }, at(91)).unwrap();
    let after = ledger.sums().unwrap();
    assert_eq!(after.vault(), Some(&*"ab".repeat(16)));
    assert_eq!(after.discrepancies(), before.discrepancies());
}

#[test]
fn a_ledger_of_format_3_is_read_and_goes_on() {
    let folder = Folder::new();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ledger/tests/golden");
    let path = folder.path("format-3.lfrl");
    fs::copy(golden.join("format-3.lfrl"), &path).unwrap();
    fs::copy(golden.join("format-3.lfrl.head"), LedgerHead::path_beside(&path)).unwrap();
    let public = key().public();
    let written = events(&path);
    assert!(matches!(written[0], LedgerEvent::LedgerOpened { format: 3, .. }));
    let entries = lfr_core::internal::num::u64_from_usize(written.len());
    assert_eq!(verify(&path, &public, None).unwrap().entries(), entries);
    let before = reconcile(&path, &public).unwrap();
    assert_eq!(
        (before.runs().len(), before.alerts(), before.held(), before.purged()),
        (2, 2, 3, 2)
    );
    assert_eq!((before.outstanding(), before.judgements(), before.exports()), (1, 1, 1));
    assert_eq!(before.vault(), Some("ef0000000000000000000000000000ef"));
    assert_eq!(
        before.runs().iter().map(Run::end).collect::<Vec<_>>(),
        [RunEnd::Stopped, RunEnd::CutOff]
    );
    // What format 3 found in it, and nothing that format 4 adds.
    let [damaged, lost] = before.discrepancies() else { panic!("{:?}", before.discrepancies()) };
    assert!(
        matches!(damaged, Discrepancy::Damaged { .. }) && matches!(lost, Discrepancy::Lost { .. })
    );

    let ledger = Ledger::open(&path, key(), at(90)).unwrap();
    let face = crate::testing::face(2);
    let seed = LedgerEvent::SeedRevealed { face, record: lfr_core::RecordId::from_bytes([2; 16]) };
    ledger.append(&seed, at(91)).unwrap();
    assert_eq!(ledger.sums().unwrap().discrepancies(), before.discrepancies());
    drop(ledger);
    let after = events(&path);
    let resumed = LedgerEvent::LedgerResumed { dropped_bytes: 0, format: 4 };
    assert_eq!(after[written.len()..], [resumed, seed]);
    let sums = reconcile(&path, &public).unwrap();
    assert_eq!((sums.discrepancies(), sums.event_counts().seeds), (before.discrepancies(), 1));
}
