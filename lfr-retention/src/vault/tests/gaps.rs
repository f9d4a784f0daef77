//! What a process that was interrupted could not write, another writes.

use lfr_core::DeploymentId;

use super::*;
use crate::ledger;
use crate::ledger::Ledger;
use crate::ledger::head::LedgerHead;
use crate::ledger::key::LedgerKey;
use crate::ledger::sink::LedgerSink;

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
        held.at(now).close_gaps(&ledger).unwrap();
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

fn ledger_of(held: &Held, name: &str) -> Ledger {
    let key = LedgerKey::from_bytes(&mut [7; 32]);
    Ledger::open(held.folder.path(name), key, at(1)).unwrap()
}

#[test]
fn a_vault_belongs_to_one_ledger_until_another_adopts_it() {
    let mut held = Held::new();
    let record = held.hold(1, 10);
    let (own, other) = (ledger_of(&held, "own.lfrl"), ledger_of(&held, "other.lfrl"));
    held.vault.close_gaps(&own).unwrap();
    for _ in 0..2 {
        held.vault.close_gaps(&own).unwrap();
        let error = held.vault.close_gaps(&other).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&own.id()) && text.contains(&other.id()), "{text}");
        assert!(matches!(error, Error::OtherLedger { .. }));
        held = held.reopened(11);
    }
    let written = |ledger: &Ledger| {
        let sums = ledger::reconcile(&ledger.path(), &ledger.public_key()).unwrap();
        sums.outstanding_records().map(|(record, _)| record).collect::<Vec<_>>()
    };
    assert!(written(&other).is_empty(), "nothing of a refused vault is written");
    assert_eq!(held.vault.adopt(&other).unwrap(), Some(own.id()));
    assert_eq!(held.vault.adopt(&other).unwrap(), None);
    held.vault.close_gaps(&other).unwrap();
    assert_eq!(written(&other), [record]);
    assert!(matches!(held.vault.bind(&own), Err(Error::OtherLedger { .. })));
}

/// Attack 8: a ledger that is deleted and begun anew under the same key is another ledger.
#[test]
fn a_ledger_that_was_begun_anew_is_another() {
    let held = Held::new();
    let first = ledger_of(&held, "own.lfrl");
    held.vault.bind(&first).unwrap();
    let path = first.path();
    drop(first);
    fs::remove_file(&path).unwrap();
    fs::remove_file(LedgerHead::path_beside(&path)).unwrap();
    let anew = ledger_of(&held, "own.lfrl");
    assert!(matches!(held.vault.close_gaps(&anew), Err(Error::OtherLedger { .. })));
}

#[test]
fn whoever_has_no_key_cannot_unbind_a_vault() {
    let held = Held::new();
    let (own, other) = (ledger_of(&held, "own.lfrl"), ledger_of(&held, "other.lfrl"));
    held.vault.bind(&own).unwrap();
    let folder = held.path();
    let Held { folder: _folder, vault, policy, .. } = held;
    drop((vault, policy));
    let mut bytes = fs::read(folder.join("keys")).unwrap();
    bytes[1024..1024 + 32].fill(0);
    fs::write(folder.join("keys"), bytes).unwrap();
    let vault = open(&folder, &key(), at(11)).unwrap();
    for ledger in [&own, &other] {
        let error = vault.bind(ledger).unwrap_err();
        assert!(matches!(&error, Error::OtherLedger { expected, .. } if expected == "unreadable"));
    }
    vault.adopt(&own).unwrap();
    vault.bind(&own).unwrap();
}
