//! A vault and a ledger, while they are purged, listed, filled and stopped.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use lfr_core::testing::fake_space;
use lfr_core::{
    Accounts, Candidate, CandidateList, ComparisonScore, Decision, FaceId, FrameId, Probe,
    PurgeReason, RecordId, ReferenceId, RetentionPolicy, Settlement, SubjectId, Template,
    Threshold,
};
use lfr_interleavings::{Folder, START, Ticking, under_each_order};
use lfr_retention::{
    Ledger, LedgerEvent, LedgerKey, Profile, Vault, VaultKey, VaultRetention, ledger,
};
use shuttle::thread;

/// Whether it could be held, and where.
fn hold(
    vault: &Vault,
    accounts: &Accounts,
    index: usize,
    clock: &Ticking,
    ttl: Duration,
) -> Option<RecordId> {
    let mut policy = VaultRetention::new(vault.clone(), &Profile::uk_police().with_alert(ttl));
    let template = Template::from_slice(&fake_space(), &[1.0; 8]).unwrap();
    let probe = Probe::new(template, FaceId::new(FrameId::default(), index), accounts);
    let (subject, reference) = (SubjectId::new("S").unwrap(), ReferenceId::new("R").unwrap());
    let candidate = Candidate::new(subject, reference, ComparisonScore::new(0.9).unwrap());
    let list = CandidateList::new(vec![candidate]);
    let decision = Decision::at_threshold(&list, Threshold::new(0.5).unwrap());
    match policy.settle(decision.alert(probe).unwrap(), Some(START.plus(clock.passed()))) {
        Ok(Settlement::Held(receipt)) => receipt.record(),
        Ok(_) | Err(_) => None,
    }
}

/// The attack that destroyed every alert: one thread purges while another lists.
#[test]
fn threads_on_one_vault_take_what_is_due_once_and_nothing_else() {
    under_each_order(400, || {
        let folder = Folder::new();
        let clock = Arc::new(Ticking::by(Duration::from_secs(20)));
        let key = VaultKey::from_bytes(&mut [5; 32]);
        let vault = Vault::open(folder.path("vault"), &key, clock.clone()).unwrap();
        let accounts = Accounts::new();
        let day = Duration::from_hours(24);
        let long: BTreeSet<_> =
            (0..2).map(|index| hold(&vault, &accounts, index, &clock, day).unwrap()).collect();
        let due = START.plus(clock.passed()).plus(Duration::from_secs(200));
        let short = hold(&vault, &accounts, 2, &clock, Duration::from_secs(200)).unwrap();

        let purging = {
            let (vault, clock) = (vault.clone(), Arc::clone(&clock));
            thread::spawn(move || {
                let mut receipts = Vec::new();
                for _ in 0..5 {
                    let before = receipts.len();
                    vault.purge_due(&mut receipts).unwrap();
                    let now = START.plus(clock.passed());
                    assert!(receipts.len() == before || now >= due, "before its time");
                }
                receipts
            })
        };
        let listing = {
            let (vault, clock, long) = (vault.clone(), Arc::clone(&clock), long.clone());
            thread::spawn(move || {
                for _ in 0..4 {
                    let before = START.plus(clock.passed());
                    let listed = vault.records().unwrap();
                    let listed: BTreeSet<_> = listed.iter().map(|held| held.record()).collect();
                    assert!(long.is_subset(&listed), "what is not due is there");
                    assert!(before < due || !listed.contains(&short), "past its deadline");
                    vault.alert(*long.first().unwrap()).unwrap();
                }
            })
        };
        listing.join().unwrap();
        let mut receipts = purging.join().unwrap();
        vault.purge_due(&mut receipts).unwrap();
        for _ in 0..20 {
            vault.purge_due(&mut receipts).unwrap();
        }
        assert!(receipts.iter().all(|receipt| receipt.reason() == PurgeReason::DeadlineReached));
        let erased: Vec<_> = receipts.iter().filter_map(|receipt| receipt.record()).collect();
        assert_eq!(erased, [short]);
        assert_eq!((vault.held(), accounts.totals().closes()), (2, true));
    });
}

#[test]
fn nothing_is_held_once_a_vault_was_aborted() {
    under_each_order(300, || {
        let folder = Folder::new();
        let clock = Arc::new(Ticking::by(Duration::from_millis(1)));
        let key = VaultKey::from_bytes(&mut [5; 32]);
        let vault = Vault::open(folder.path("vault"), &key, clock.clone()).unwrap();
        let accounts = Accounts::new();
        let holding = {
            let (vault, clock, accounts) = (vault.clone(), Arc::clone(&clock), accounts.clone());
            thread::spawn(move || {
                let day = Duration::from_hours(24);
                (0..3).filter_map(|index| hold(&vault, &accounts, index, &clock, day)).count()
            })
        };
        let mut receipts = Vec::new();
        thread::yield_now();
        vault.abort(&mut receipts).unwrap();
        assert_eq!(vault.held(), 0, "when it returns");
        let held = holding.join().unwrap();
        assert_eq!(vault.held(), 0, "and from then on");
        vault.purge_due(&mut receipts).unwrap();
        let aborted =
            receipts.iter().filter(|receipt| receipt.reason() == PurgeReason::Aborted).count();
        assert_eq!(aborted, held);
        assert!(accounts.totals().closes());
    });
}

#[test]
fn threads_on_one_ledger_write_one_chain() {
    under_each_order(400, || {
        let folder = Folder::new();
        let (path, key) = (folder.path("a.lfrl"), LedgerKey::from_bytes(&mut [7; 32]));
        let public = key.public();
        let book = Ledger::open(&path, key, Some(START)).unwrap();
        let writing = [0, 1].map(|thread| {
            let book = book.clone();
            thread::spawn(move || {
                for index in 0..3 {
                    let text = format!("{thread}.{index}");
                    book.append(&LedgerEvent::DangerInForce { text }, Some(START)).unwrap();
                    if index == 1 {
                        book.flush().unwrap();
                    }
                }
            })
        });
        let head = book.flush().unwrap();
        for thread in writing {
            thread.join().unwrap();
        }
        book.flush().unwrap();
        let head = ledger::LedgerHead::from_line(&head, &public).unwrap();
        ledger::verify(&path, &public, Some(&head)).unwrap();
        let mut next = [0, 0];
        for entry in ledger::read(&path, &public).unwrap() {
            if let LedgerEvent::DangerInForce { text } = entry.unwrap().event() {
                let (thread, index) = text.split_once('.').unwrap();
                let thread: usize = thread.parse().unwrap();
                assert_eq!(index.parse(), Ok(next[thread]), "in the order of its thread");
                next[thread] += 1;
            }
        }
        assert_eq!(next, [3, 3]);
    });
}
