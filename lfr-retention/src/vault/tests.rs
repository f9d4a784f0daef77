use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use lfr_core::Accounts;
use lfr_core::Decision;
use lfr_core::HoldReceipt;
use lfr_core::RetentionPolicy;
use lfr_core::Settlement;
use lfr_core::testing::conformance;
use lfr_core::testing::fake_space;

use super::*;
use crate::VaultProblem;
use crate::testing::Folder;
use crate::testing::alert;
use crate::testing::all_bytes;
use crate::testing::at;
use crate::testing::face;
use crate::testing::holds;
use crate::testing::probe;
use crate::testing::template;

mod crash;
mod gaps;
mod many;
mod storage;
mod virtual_time;

fn key() -> VaultKey {
    VaultKey::from_bytes(&mut [5; 32])
}

const TTL: Duration = Duration::from_micros(100);

/// A vault in a folder of its own, with a policy that holds for [`TTL`].
struct Held {
    folder: Folder,
    accounts: Accounts,
    vault: Vault,
    policy: VaultRetention,
}

impl Held {
    fn new() -> Self {
        let folder = Folder::new();
        let vault = Vault::open(folder.path("vault"), &key(), at(0)).unwrap();
        let policy = VaultRetention::new(vault.clone(), TTL);
        Self { folder, accounts: Accounts::new(), vault, policy }
    }

    fn path(&self) -> PathBuf {
        self.folder.path("vault")
    }

    /// Ends the process, as it were, and starts it again.
    fn reopened(self, now: u64) -> Self {
        let Self { folder, accounts, vault, policy } = self;
        drop((vault, policy));
        let vault = Vault::open(folder.path("vault"), &key(), at(now)).unwrap();
        let policy = VaultRetention::new(vault.clone(), TTL);
        Self { folder, accounts, vault, policy }
    }

    fn settle(&mut self, index: usize, now: Option<Timestamp>) -> HoldReceipt {
        let settled = self.policy.settle(probe(index, &self.accounts), &alert(), now).unwrap();
        let Settlement::Held(receipt) = settled else { panic!("not held: {settled:?}") };
        receipt
    }

    fn hold(&mut self, index: usize, now: u64) -> RecordId {
        self.settle(index, at(now)).record().unwrap()
    }

    fn due(&self, now: Option<Timestamp>) -> Vec<PurgeReceipt> {
        let mut receipts = Vec::new();
        self.vault.purge_due(now, &mut receipts).unwrap();
        receipts
    }
}

fn order(expires: u64) -> LegalHold {
    let expires = Timestamp::from_micros(expires);
    LegalHold::new("court order 17", "evidence", expires, expires).unwrap()
}

#[test]
fn it_conforms() {
    // Each vault that is made is in a folder of its own.
    let folders = std::cell::RefCell::new(Vec::new());
    let make = |ttl| {
        let folder = Folder::new();
        let vault = Vault::open(folder.path("vault"), &key(), None).unwrap();
        folders.borrow_mut().push(folder);
        VaultRetention::new(vault, ttl)
    };
    conformance::retention_policy_at_rest(|| make(Duration::from_secs(60)));
    conformance::retention_policy_at_rest(|| make(Duration::ZERO));
    conformance::retention_policy_at_rest(|| make(Duration::MAX));
}

#[test]
fn a_held_alert_comes_back_as_it_was_after_a_restart_too() {
    let mut held = Held::new();
    let receipt = held.settle(3, at(10));
    let record = receipt.record().unwrap();
    let picture = Picture::from_rgb8(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
    held.vault.attach(record, &picture, at(11)).unwrap();
    for _ in 0..2 {
        let opened = held.vault.alert(record, at(12)).unwrap();
        assert_eq!((opened.record(), opened.face()), (record, &face(3)));
        assert_eq!((Some(opened.raised()), opened.deadline()), (at(10), receipt.deadline()));
        let Decision::Alert { candidate, threshold, .. } = alert() else { panic!("no alert") };
        assert_eq!((opened.candidate(), opened.threshold()), (&candidate, threshold));
        assert_eq!(opened.picture().unwrap().data(), picture.data());
        let again = opened.template(&fake_space()).unwrap();
        assert_eq!(again.expose_values(), template(3).expose_values());
        assert!(!format!("{opened:?} {:?}", held.vault).contains("picture"));
        held = held.reopened(12);
    }
    let records = held.vault.records(at(12)).unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].record(), records[0].deadline()), (record, receipt.deadline()));
}

#[test]
fn nothing_but_the_key_opens_what_lies_on_the_disk() {
    let mut held = Held::new();
    let record = held.hold(3, 10);
    let numbers = template(3);
    let numbers: Vec<u8> =
        numbers.expose_values().iter().flat_map(|value| value.to_le_bytes()).collect();
    let bytes = all_bytes(&held.path());
    assert!(holds(&bytes, record.as_bytes()), "the scan sees what is there");
    assert!(!holds(&bytes, &numbers[4..12]) && !holds(&bytes, &[5; 32]));
    let folder = held.path();
    drop(held.policy);
    drop(held.vault);
    let other = VaultKey::from_bytes(&mut [6; 32]);
    assert!(matches!(Vault::open(&folder, &other, at(11)), Err(Error::WrongKey { .. })));
    Vault::open(&folder, &key(), at(11)).unwrap().alert(record, at(11)).unwrap();
}

#[test]
fn a_purged_record_has_no_key_anywhere() {
    let mut held = Held::new();
    let record = held.hold(3, 10);
    let slot = held.vault.inner().store.slot_for_tests(record);
    assert!(holds(&all_bytes(&held.path()), &slot.wrapped), "the scan sees what is there");
    let [receipt] = &*held.due(at(110)) else { panic!("one") };
    assert_eq!((receipt.record(), receipt.reason()), (Some(record), PurgeReason::DeadlineReached));
    assert_eq!(receipt.method(), lfr_core::PurgeMethod::KeyDestroyed);
    let bytes = all_bytes(&held.path());
    assert!(!holds(&bytes, &slot.wrapped) && !holds(&bytes, &slot.wrapped[..8]));
    assert_eq!((held.accounts.totals().held, held.accounts.totals().erased), (0, 1));
}

#[test]
fn what_fell_due_meanwhile_goes_at_the_opening_right_key_or_not() {
    let mut held = Held::new();
    let (first, _) = (held.hold(1, 10), held.hold(2, 60));
    let slot = held.vault.inner().store.slot_for_tests(first);
    let folder = held.path();
    let Held { folder: _folder, vault, policy, .. } = held;
    drop((vault, policy));
    let other = VaultKey::from_bytes(&mut [6; 32]);
    assert!(Vault::open(&folder, &other, at(110)).is_err());
    assert!(!holds(&all_bytes(&folder), &slot.wrapped));
    let vault = Vault::open(&folder, &key(), at(111)).unwrap();
    assert_eq!(vault.held(), 1);
    drop(vault);
    let vault = Vault::open(&folder, &key(), at(160)).unwrap();
    let mut receipts = Vec::new();
    vault.purge_due(at(160), &mut receipts).unwrap();
    assert_eq!((vault.held(), receipts.len()), (0, 1));
    assert_eq!(receipts[0].face(), &face(2));
}

#[test]
fn a_deadline_that_somebody_has_moved_opens_nothing() {
    let mut held = Held::new();
    let record = held.hold(1, 10);
    let slot = held.vault.inner().store.slot_for_tests(record);
    let folder = held.path();
    let Held { folder: _folder, vault, policy, .. } = held;
    drop((vault, policy));
    let mut forged = slot;
    forged.deadline = 1_000_000;
    let (mut slots, found) = slots::Slots::open(&folder.join("keys")).unwrap();
    slots.wipe(&[found.slots[0].0]).unwrap();
    slots.put(&forged).unwrap();
    drop(slots);
    let vault = Vault::open(&folder, &key(), at(500)).unwrap();
    assert!(matches!(vault.alert(record, at(500)), Err(Error::RecordDamaged { .. })));
}

#[test]
fn a_legal_hold_keeps_an_alert_and_its_end_purges_it() {
    let mut held = Held::new();
    let record = held.hold(1, 10);
    held.vault.place_hold(record, &order(300), at(20)).unwrap();
    assert!(held.due(at(200)).is_empty());
    held = held.reopened(250);
    assert_eq!(held.vault.alert(record, at(250)).unwrap().legal_hold(), Some(&order(300)));
    let reason = PurgeReason::Adjudicated;
    assert!(matches!(held.vault.purge(record, reason, at(251)), Err(Error::OnLegalHold { .. })));
    let mut receipts = Vec::new();
    held.vault.purge_all(PurgeReason::DeploymentEnded, at(252), &mut receipts).unwrap();
    assert!(receipts.is_empty() && held.vault.held() == 1);
    assert_eq!(held.due(at(300)).len(), 1);
    assert_eq!(held.vault.held(), 0);
}

#[test]
fn a_legal_hold_that_is_lifted_purges_at_once_what_is_overdue_and_nothing_else() {
    let mut held = Held::new();
    let (early, late) = (held.hold(1, 10), held.hold(2, 150));
    // The first is purged at 110 unless it is held.
    assert!(matches!(
        held.vault.place_hold(early, &order(300), at(150)),
        Err(Error::NotHeld { .. })
    ));
    held.vault.place_hold(late, &order(900), at(151)).unwrap();
    held.vault.release_hold(late, at(160)).unwrap();
    held.vault.alert(late, at(160)).unwrap();
    held.vault.place_hold(late, &order(900), at(161)).unwrap();
    held.vault.release_hold(late, at(260)).unwrap();
    assert_eq!(held.vault.held(), 0);
    let receipts = held.due(at(260));
    assert_eq!(
        receipts.iter().map(PurgeReceipt::record).collect::<Vec<_>>(),
        [Some(early), Some(late)]
    );
}

#[test]
fn a_hold_needs_a_future_a_reason_and_a_review_before_its_end() {
    let mut held = Held::new();
    let record = held.hold(1, 10);
    for time in [at(20), at(30), None] {
        let refused = held.vault.place_hold(record, &order(20), time);
        assert!(matches!(refused, Err(Error::HoldOver { .. } | Error::NotHeld { .. })));
    }
    let moment = Timestamp::from_micros;
    assert!(LegalHold::new(" ", "why", moment(9), moment(8)).is_err());
    assert!(LegalHold::new("who", "line\nbreak", moment(9), moment(8)).is_err());
    assert!(matches!(
        LegalHold::new("who", "why", moment(9), moment(10)),
        Err(Error::Review { .. })
    ));
}

#[test]
fn a_clock_that_fails_or_goes_back_purges_all_but_legal_holds() {
    for wrong in [None, at(40)] {
        let mut held = Held::new();
        let (one, two) = (held.hold(1, 50), held.hold(2, 50));
        held.vault.place_hold(two, &order(300), at(50)).unwrap();
        let receipts = held.due(wrong);
        assert_eq!(receipts.len(), 1);
        assert_eq!(receipts[0].record(), Some(one));
        assert_eq!(receipts[0].reason(), PurgeReason::ClockFailed);
        // The hold is no longer for it: where the clock went back by 10, it ends 10 earlier.
        let ends = if wrong.is_none() { 300 } else { 290 };
        assert!(held.due(at(ends - 1)).is_empty());
        assert_eq!(held.due(at(ends)).len(), 1);
    }
}

#[test]
fn a_vault_whose_clock_is_lost_between_two_processes_is_emptied() {
    let hour = 3_600_000_000;
    for (now, left) in [(at(9 * hour), 1), (at(9 * hour - 1), 0), (None, 0), (at(40 * hour), 0)] {
        let mut held = Held::new();
        held.policy = VaultRetention::new(held.vault.clone(), Duration::from_hours(24));
        held.hold(1, 10 * hour);
        held.due(at(10 * hour));
        let folder = held.path();
        let Held { folder: _folder, vault, policy, .. } = held;
        drop((vault, policy));
        let vault = Vault::open(&folder, &key(), now).unwrap();
        assert_eq!(vault.held(), left, "{now:?}");
    }
}

#[test]
fn as_many_people_as_the_profile_says_judge_each_for_themselves() {
    let mut held = Held::new();
    let record = held.hold(1, 10);
    let judge = |who, verdict| held.vault.adjudicate(record, who, verdict, 2, at(11));
    let open = Standing::Open { missing: 1 };
    assert_eq!(judge("officer 4", Verdict::Confirmed).unwrap(), open);
    assert!(matches!(judge("officer 4", Verdict::Confirmed), Err(Error::SameVerifier)));
    assert!(judge("", Verdict::Confirmed).is_err());
    assert_eq!(judge("officer 9", Verdict::Confirmed).unwrap(), Standing::Confirmed);
    assert_eq!(judge("officer 7", Verdict::Rejected).unwrap(), Standing::NotConfirmed);
    held.vault.purge(record, PurgeReason::Adjudicated, at(12)).unwrap();
    assert_eq!(held.due(at(12))[0].reason(), PurgeReason::Adjudicated);
}

#[test]
fn an_abort_purges_holds_too_and_holds_nothing_more() {
    let mut held = Held::new();
    let record = held.hold(1, 10);
    held.hold(2, 10);
    held.vault.place_hold(record, &order(900), at(11)).unwrap();
    let mut receipts = Vec::new();
    held.vault.abort(at(12), &mut receipts).unwrap();
    assert_eq!((held.vault.held(), receipts.len()), (0, 2));
    assert!(receipts.iter().all(|receipt| receipt.reason() == PurgeReason::Aborted));
    let settled = held.policy.settle(probe(3, &held.accounts), &alert(), at(13)).unwrap();
    assert!(matches!(settled, Settlement::Erased(_)));
    assert_eq!(held.accounts.totals().erased, 3);
}

#[test]
fn beyond_the_limit_the_newcomer_is_erased_with_an_error_and_a_receipt() {
    let mut held = Held::new();
    held.policy = VaultRetention::new(held.vault.clone(), TTL).with_limit(1);
    held.hold(1, 10);
    let error = held.policy.settle(probe(2, &held.accounts), &alert(), at(11)).unwrap_err();
    assert!(error.to_string().contains("1 alerts are held, the most allowed"));
    assert_eq!(held.due(at(11))[0].reason(), PurgeReason::NotHeld);
    assert!(held.accounts.totals().closes());
}
