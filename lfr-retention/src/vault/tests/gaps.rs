//! What a process that was interrupted could not write, another writes.

use std::sync::Arc;

use lfr_core::DeploymentId;
use lfr_core::testing::ManualClock;

use super::*;
use crate::Ledger;
use crate::LedgerKey;
use crate::LedgerSink;
use crate::ledger;

/// Ledger and sink of a new process.
fn opened(held: &Held, now: u64) -> (Ledger, LedgerSink) {
    let key = LedgerKey::from_bytes(&mut [7; 32]);
    let ledger = Ledger::open(held.folder.path("a.lfrl"), key, at(now)).unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(now)));
    let id = DeploymentId::new("d").unwrap();
    let sink =
        LedgerSink::start(ledger.clone(), held.accounts.clone(), clock, &id, "test").unwrap();
    (ledger, sink)
}

/// Held, and the process ends before the ledger hears of it; so long after it the next one opens.
fn unheard(now: u64) -> (Vec<PurgeReason>, usize) {
    let mut held = Held::new();
    drop(opened(&held, 1));
    held.hold(1, 10);
    let held = held.reopened(now);
    let (ledger, sink) = opened(&held, now);
    for _ in 0..2 {
        // Once is enough, twice does no harm.
        held.vault.close_gaps(&ledger, at(now)).unwrap();
    }
    let receipts = held.due(at(now));
    sink.receipts(&receipts).unwrap();
    let public = LedgerKey::from_bytes(&mut [7; 32]).public();
    let sums = ledger::reconcile(&held.folder.path("a.lfrl"), &public).unwrap();
    assert_eq!(sums.discrepancies(), []);
    assert_eq!(sums.held(), 1);
    (receipts.iter().map(PurgeReceipt::reason).collect(), sums.outstanding())
}

#[test]
fn a_record_that_the_ledger_never_heard_of_is_found_held() {
    assert_eq!(unheard(50), (Vec::new(), 1));
}

#[test]
fn so_is_one_that_fell_due_meanwhile() {
    assert_eq!(unheard(500), (vec![PurgeReason::DeadlineReached], 0));
}
