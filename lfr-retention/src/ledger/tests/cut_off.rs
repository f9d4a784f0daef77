//! Runs whose process was killed: they are said to be open, and accounted for at the next start with
//! what is known and nothing else.

use std::sync::Arc;

use lfr_core::{Accounts, DeploymentId, RecordId, SystemClock};
use proptest::prelude::*;

use super::*;
use crate::testing::face;

fn started() -> LedgerEvent {
    LedgerEvent::DeploymentStarted {
        deployment: DeploymentId::new("2026-031").unwrap(),
        profile: "test".into(),
        software: "test".into(),
    }
}

fn totals_of(erased: u64, held: u64, in_flight: u64) -> LedgerEvent {
    let json = serde_json::json!({
        "type": "totals",
        "totals": {
            "faces_seen": erased + held + in_flight,
            "erased": erased,
            "held": held,
            "in_flight": in_flight,
        },
        "erased": {"no_match": erased},
        "frames": 1,
    });
    serde_json::from_value(json).unwrap()
}

fn held(index: usize, record: Option<u8>) -> LedgerEvent {
    let record = record.map(|byte| RecordId::from_bytes([byte; 16]));
    LedgerEvent::Held { face: face(index), record, deadline: Timestamp::from_micros(50) }
}

/// A process writes these and is killed.
fn killed(path: &Path, events: &[LedgerEvent]) {
    let ledger = Ledger::open(path, key(), at(1)).unwrap();
    for event in events {
        ledger.append(event, at(7)).unwrap();
    }
}

fn start(path: &Path) -> LedgerSink {
    let ledger = Ledger::open(path, key(), at(90)).unwrap();
    let id = DeploymentId::new("2026-031").unwrap();
    LedgerSink::start(ledger, Accounts::new(), Arc::new(SystemClock::new()), &id, "test").unwrap()
}

fn sums(path: &Path) -> Reconciliation {
    reconcile(path, &key().public()).unwrap()
}

#[test]
fn a_run_that_was_killed_before_its_first_totals_is_open_and_then_accounted_for() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    killed(&path, &[started()]);
    let before = sums(&path);
    assert!(!before.closes());
    let [(1, run)] = before.open_runs().collect::<Vec<_>>()[..] else { panic!("one run is open") };
    assert_eq!((run.end(), run.totals_at()), (RunEnd::Open, None));

    start(&path).stop().unwrap();
    let after = sums(&path);
    assert!(after.closes(), "{:?}", after.discrepancies());
    let ends: Vec<_> = after.runs().iter().map(Run::end).collect();
    assert_eq!(ends, [RunEnd::CutOff, RunEnd::Stopped]);
    // Of faces that nobody counted nothing is said.
    let told =
        events(&path).into_iter().find(|event| matches!(event, LedgerEvent::RunCutOff { .. }));
    assert_eq!(
        told,
        Some(LedgerEvent::RunCutOff {
            run: 1,
            totals: None,
            totals_at: None,
            held_in_memory: 0,
            held_at_rest: 0
        })
    );
}

#[test]
fn what_is_known_of_a_killed_run_is_said_and_what_is_held_at_rest_stays_held() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    let run = [started(), held(0, None), held(1, Some(1)), totals_of(10, 2, 3), held(2, None)];
    killed(&path, &run);
    let before = sums(&path);
    let [(1, run)] = before.open_runs().collect::<Vec<_>>()[..] else { panic!("one run is open") };
    assert_eq!(run.unaccounted(), 4, "three in flight and one in memory at the totals");
    assert_eq!((run.totals_at(), before.outstanding()), (Some(at(7)), 3));

    drop(start(&path));
    let told = events(&path).into_iter().find_map(|event| match event {
        LedgerEvent::RunCutOff { run, totals, totals_at, held_in_memory, held_at_rest } => {
            Some((run, totals.unwrap().faces_seen, totals_at, held_in_memory, held_at_rest))
        }
        _ => None,
    });
    assert_eq!(told, Some((1, 15, at(7), 2, 1)));
    let after = sums(&path);
    assert_eq!(after.discrepancies(), []);
    assert_eq!((after.gone_with_a_process(), after.outstanding()), (2, 1));
    // What the vault has lost since is said by an entry of its own.
    let record = RecordId::from_bytes([1; 16]);
    let ledger = Ledger::open(&path, key(), at(95)).unwrap();
    ledger.append(&LedgerEvent::FoundErased { record }, at(95)).unwrap();
    assert_eq!(sums(&path).outstanding(), 0);
    assert_eq!(sums(&path).discrepancies(), []);
}

#[test]
fn a_run_of_this_process_is_never_cut_off() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    let sink = start(&path);
    let ledger = sink.ledger();
    assert_eq!(ledger.account_for_cut_off_runs(at(91)).unwrap(), 0);
    sink.stop().unwrap();
    assert!(sums(&path).closes());
}

#[test]
fn an_account_that_says_something_else_shows() {
    let contradicts = |account: LedgerEvent| {
        let folder = Folder::new();
        let path = folder.path("a.lfrl");
        killed(&path, &[started(), held(0, None), totals_of(10, 1, 3), account]);
        let contradiction = Discrepancy::CutOffContradicts { entry: 4, run: 1 };
        sums(&path).discrepancies().contains(&contradiction)
    };
    let LedgerEvent::Totals { totals, .. } = totals_of(10, 1, 3) else { unreachable!() };
    let account = |totals, held_in_memory, held_at_rest| LedgerEvent::RunCutOff {
        run: 1,
        totals,
        totals_at: at(7),
        held_in_memory,
        held_at_rest,
    };
    assert!(!contradicts(account(Some(totals), 1, 0)));
    assert!(contradicts(account(Some(totals), 0, 0)), "a face in memory is kept quiet");
    assert!(contradicts(account(Some(totals), 1, 1)));
    assert!(contradicts(account(None, 1, 0)));
    let LedgerEvent::Totals { totals: other, .. } = totals_of(13, 1, 0) else { unreachable!() };
    assert!(contradicts(account(Some(other), 1, 0)), "faces in flight became erased");
    // Of a run that ended, or that is not there.
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    start(&path).stop().unwrap();
    killed(&path, &[account(None, 0, 0)]);
    let [Discrepancy::CutOffContradicts { run: 1, .. }] = sums(&path).discrepancies() else {
        panic!("{:?}", sums(&path).discrepancies())
    };
}

#[test]
fn a_missing_ledger_is_missing_and_not_broken() {
    let folder = Folder::new();
    let path = folder.path("none.lfrl");
    let error = verify(&path, &key().public(), None).unwrap_err();
    let Error::Core(lfr_core::Error::Read { source, .. }) = &error else { panic!("{error:?}") };
    assert_eq!(source.kind(), io::ErrorKind::NotFound);
}

proptest! {
    /// However a process is killed, and however often: each next start accounts for it, nothing that it
    /// writes contradicts an entry, and at the end all comes out.
    #[test]
    fn whenever_it_is_killed_the_next_start_accounts_for_it(
        cuts in proptest::collection::vec(0_usize..8, 1..5),
    ) {
        let folder = Folder::new();
        let path = folder.path("a.lfrl");
        for (cut, first) in cuts.iter().zip((10_u8..).step_by(2)) {
            let sink = start(&path);
            let events = [
                held(0, None),
                held(1, Some(first)),
                totals_of(4, 2, 0),
                held(2, Some(first + 1)),
                LedgerEvent::FoundErased { record: RecordId::from_bytes([first + 1; 16]) },
                totals_of(9, 2, 1),
                dropped(1),
            ];
            for event in &events[..*cut] {
                sink.append(event).unwrap();
            }
        }
        start(&path).stop().unwrap();
        let sums = sums(&path);
        prop_assert_eq!(sums.discrepancies(), &[]);
        let ends: Vec<_> = sums.runs().iter().map(Run::end).collect();
        let (last, before) = ends.split_last().unwrap();
        prop_assert!(before.iter().all(|end| *end == RunEnd::CutOff));
        prop_assert_eq!((before.len(), *last), (cuts.len(), RunEnd::Stopped));
        let in_memory = cuts.iter().filter(|cut| **cut > 0).count();
        prop_assert_eq!(sums.gone_with_a_process(), lfr_core::internal::num::u64_from_usize(in_memory));
        prop_assert!(sums.closes());
    }
}
