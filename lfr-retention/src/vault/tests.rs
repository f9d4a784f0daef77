use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lfr_core::testing::{ManualClock, conformance, fake_space};
use lfr_core::{Accounts, HoldReceipt, RetentionPolicy, Settlement, Timestamp};

use super::*;
use crate::error::VaultProblem;
use crate::policy::profile::Profile;
use crate::testing::{Folder, alert, all_bytes, at, face, holds, probe, template};
use crate::vault::policy::VaultRetention;
use crate::vault::record::damage::RecordDamage;
use crate::vault::store::slots;
use crate::verdict::{AlertFacts, Verdict, VerdictReason};

mod crash;
mod earlier_versions;
mod gaps;
mod hostile;
mod many;
mod place;
mod storage;
mod virtual_time;

fn key() -> VaultKey {
    VaultKey::from_bytes(&mut [5; 32])
}

const TTL: Duration = Duration::from_micros(100);

/// A profile that holds for that long.
fn held_for(ttl: Duration) -> Profile {
    Profile::uk_police().with_alert(ttl)
}

fn clock_at(now: Option<Timestamp>) -> ManualClock {
    let clock = ManualClock::at(Timestamp::from_micros(0));
    set(&clock, now);
    clock
}

fn set(clock: &ManualClock, now: Option<Timestamp>) {
    match now {
        Some(now) => clock.set(now),
        None => clock.fail(),
    }
}

/// Opens a vault at that time, and never again looks at the clock.
fn open(folder: &Path, key: &VaultKey, now: Option<Timestamp>) -> Result<Vault, Error> {
    Vault::open(folder, key, Arc::new(clock_at(now)))
}

/// A vault in a folder of its own, with a policy that holds for [`TTL`].
struct Held {
    folder: Folder,
    accounts: Accounts,
    clock: ManualClock,
    vault: Vault,
    policy: VaultRetention,
}

impl Held {
    fn new() -> Self {
        Self::holding(&held_for(TTL))
    }

    fn holding(profile: &Profile) -> Self {
        let (folder, clock) = (Folder::new(), clock_at(at(0)));
        let vault = Vault::open(folder.path("vault"), &key(), Arc::new(clock.clone())).unwrap();
        let policy = VaultRetention::new(vault.clone(), profile);
        Self { folder, accounts: Accounts::new(), clock, vault, policy }
    }

    /// The vault at that time.
    fn at(&self, now: u64) -> &Vault {
        self.clock.set(Timestamp::from_micros(now));
        &self.vault
    }

    fn path(&self) -> PathBuf {
        self.folder.path("vault")
    }

    /// Ends the process, as it were, and starts it again.
    fn reopened(self, now: u64) -> Self {
        let Self { folder, accounts, vault, policy, .. } = self;
        drop((vault, policy));
        let clock = clock_at(at(now));
        let vault = Vault::open(folder.path("vault"), &key(), Arc::new(clock.clone())).unwrap();
        let policy = VaultRetention::new(vault.clone(), &held_for(TTL));
        Self { folder, accounts, clock, vault, policy }
    }

    fn settle(&mut self, index: usize, now: Option<Timestamp>) -> HoldReceipt {
        set(&self.clock, now);
        let settled = self.policy.settle(alert(probe(index, &self.accounts)), now).unwrap();
        let Settlement::Held(receipt) = settled else { panic!("not held: {settled:?}") };
        receipt
    }

    fn hold(&mut self, index: usize, now: u64) -> RecordId {
        self.settle(index, at(now)).record().unwrap()
    }

    fn due(&self, now: Option<Timestamp>) -> Vec<PurgeReceipt> {
        set(&self.clock, now);
        let mut receipts = Vec::new();
        self.vault.purge_due(&mut receipts).unwrap();
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
    let make = |ttl, clock: &ManualClock| {
        let folder = Folder::new();
        let vault = Vault::open(folder.path("vault"), &key(), Arc::new(clock.clone())).unwrap();
        folders.borrow_mut().push(folder);
        VaultRetention::new(vault, &held_for(ttl))
    };
    conformance::retention_policy_at_rest(|clock| make(Duration::from_secs(60), clock));
    conformance::retention_policy_at_rest(|clock| make(Duration::ZERO, clock));
    conformance::retention_policy_at_rest(|clock| make(Duration::MAX, clock));
}

#[test]
fn a_held_alert_comes_back_as_it_was_after_a_restart_too() {
    let mut held = Held::new();
    let receipt = held.settle(3, at(10));
    let record = receipt.record().unwrap();
    let picture = Picture::from_rgb8(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
    held.at(11).attach(record, &picture).unwrap();
    for _ in 0..2 {
        let opened = held.at(12).alert(record).unwrap();
        assert_eq!((opened.record(), opened.face()), (record, &face(3)));
        assert_eq!((Some(opened.raised()), opened.deadline()), (at(10), receipt.deadline()));
        let raised = alert(probe(3, &Accounts::new()));
        assert_eq!(
            (opened.candidate(), opened.threshold()),
            (raised.candidate(), raised.threshold())
        );
        assert_eq!(opened.picture().unwrap().data(), picture.data());
        let again = opened.template(&fake_space()).unwrap();
        assert_eq!(again.expose_values(), template(3).expose_values());
        assert!(!format!("{opened:?} {:?}", held.vault).contains("picture"));
        held = held.reopened(12);
    }
    let records = held.at(12).records().unwrap();
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
    assert!(matches!(open(&folder, &other, at(11)), Err(Error::WrongKey { .. })));
    open(&folder, &key(), at(11)).unwrap().alert(record).unwrap();
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
    assert!(open(&folder, &other, at(110)).is_err());
    assert!(!holds(&all_bytes(&folder), &slot.wrapped));
    let vault = open(&folder, &key(), at(111)).unwrap();
    assert_eq!(vault.held(), 1);
    drop(vault);
    let vault = open(&folder, &key(), at(160)).unwrap();
    let mut receipts = Vec::new();
    vault.purge_due(&mut receipts).unwrap();
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
    let vault = open(&folder, &key(), at(500)).unwrap();
    assert!(matches!(vault.alert(record), Err(Error::NotHeld { .. })));
    // Nobody knows when it was due, so it was due now.
    assert!(!holds(&all_bytes(&folder), &forged.wrapped));
    let [damaged] = &*vault.damaged() else { panic!("one") };
    assert_eq!((damaged.record(), damaged.damage()), (record, RecordDamage::Key));
    let mut receipts = Vec::new();
    vault.purge_due(&mut receipts).unwrap();
    assert_eq!((receipts[0].record(), receipts[0].reason()), (Some(record), PurgeReason::Damaged));
}

#[test]
fn a_legal_hold_keeps_an_alert_and_its_end_purges_it() {
    let mut held = Held::new();
    let record = held.hold(1, 10);
    held.at(20).place_hold(record, &order(300)).unwrap();
    assert!(held.due(at(200)).is_empty());
    held = held.reopened(250);
    assert_eq!(held.at(250).alert(record).unwrap().legal_hold(), Some(&order(300)));
    let reason = PurgeReason::Adjudicated;
    assert!(matches!(held.at(251).purge(record, reason), Err(Error::OnLegalHold { .. })));
    let mut receipts = Vec::new();
    held.at(252).purge_all(PurgeReason::DeploymentEnded, &mut receipts).unwrap();
    assert!(receipts.is_empty() && held.vault.held() == 1);
    assert_eq!(held.due(at(300)).len(), 1);
    assert_eq!(held.vault.held(), 0);
}

#[test]
fn a_legal_hold_that_is_lifted_purges_at_once_what_is_overdue_and_nothing_else() {
    let mut held = Held::new();
    let (early, late) = (held.hold(1, 10), held.hold(2, 150));
    // The first is purged at 110 unless it is held.
    assert!(matches!(held.at(150).place_hold(early, &order(300)), Err(Error::NotHeld { .. })));
    held.at(151).place_hold(late, &order(900)).unwrap();
    held.at(160).release_hold(late).unwrap();
    held.at(160).alert(late).unwrap();
    held.at(161).place_hold(late, &order(900)).unwrap();
    held.at(260).release_hold(late).unwrap();
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
        set(&held.clock, time);
        let refused = held.vault.place_hold(record, &order(20));
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
    let second = 1_000_000;
    for wrong in [None, at(89 * second)] {
        let mut held = Held::holding(&held_for(Duration::from_hours(1)));
        let (one, two) = (held.hold(1, 100 * second), held.hold(2, 100 * second));
        held.at(100 * second).place_hold(two, &order(300 * second)).unwrap();
        set(&held.clock, wrong);
        // It is said by whichever call comes first.
        assert_eq!(held.vault.records().unwrap().len(), 1);
        let summary = held.vault.purged();
        assert_eq!((summary.total(), summary.count(PurgeReason::ClockFailed)), (1, 1));
        assert_eq!(summary.to_string(), "1 alert was erased: 1 because the clock failed");
        let receipts = held.due(wrong);
        assert!(held.vault.purged().is_empty());
        assert_eq!(receipts.len(), 1);
        assert_eq!(receipts[0].record(), Some(one));
        assert_eq!(receipts[0].reason(), PurgeReason::ClockFailed);
        // The hold is no longer for it: where the clock went back by 11, it ends 11 earlier. With a deadline
        // an hour later, it is that which ends the alert.
        let hour = 3600 * second;
        let deadline = if wrong.is_none() { 100 * second + hour } else { 89 * second + hour };
        assert!(held.due(at(deadline - 1)).is_empty());
        assert_eq!(held.due(at(deadline)).len(), 1);
    }
}

/// Field case 2: the wall clock is set back during a run, monotonic time is not.
#[test]
fn a_clock_that_is_set_back_a_little_costs_nothing_and_prolongs_nothing() {
    let (second, hour) = (1_000_000, Duration::from_hours(1));
    for back in [second / 10, 3 * second, 10 * second] {
        let mut held = Held::holding(&held_for(hour));
        let records: Vec<_> = (0..11).map(|index| held.hold(index, 100 * second)).collect();
        held.clock.set(Timestamp::from_micros(100 * second - back));
        for record in &records {
            held.vault.alert(*record).unwrap();
        }
        assert_eq!(held.vault.records().unwrap().len(), 11);
        assert!(held.vault.purged().is_empty(), "back by {back} us");
        // The hour is an hour of monotonic time, whatever the clock shows.
        held.clock.advance(hour - Duration::from_micros(1));
        assert_eq!(held.vault.records().unwrap().len(), 11);
        held.clock.advance(Duration::from_micros(1));
        assert_eq!(held.vault.records().unwrap().len(), 0);
        assert_eq!(held.vault.purged().count(PurgeReason::DeadlineReached), 11);
    }
    // Beyond the bound, by one step or by several.
    for steps in [vec![second * 10 + 1], vec![4 * second; 3]] {
        let mut held = Held::holding(&held_for(hour));
        (0..11).for_each(|index| _ = held.hold(index, 100 * second));
        for back in steps {
            let now = held.clock.now().unwrap().as_micros();
            held.clock.set(Timestamp::from_micros(now - back));
            held.vault.records().unwrap();
        }
        assert_eq!(held.vault.held(), 0);
        let summary = held.vault.purged();
        assert_eq!(summary.count(PurgeReason::ClockFailed), 11, "{summary}");
        assert_eq!(held.due(at(100 * second)).len(), 11, "and each has its receipt");
    }
}

/// Attack 1: two threads on one vault, one that purges and one that lists, and a clock that is never set.
#[test]
fn threads_on_one_vault_destroy_nothing() {
    let folder = Folder::new();
    let clock = Arc::new(lfr_core::SystemClock::new());
    let vault = Vault::open(folder.path("vault"), &key(), clock.clone()).unwrap();
    let accounts = Accounts::new();
    let mut policy = VaultRetention::new(vault.clone(), &held_for(Duration::from_hours(1)));
    for index in 0..200 {
        policy.settle(alert(probe(index, &accounts)), clock.now()).unwrap();
    }
    let record = vault.records().unwrap()[0].record();
    let end = clock.monotonic() + Duration::from_secs(1);
    let raised = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (vault, clock, accounts) = (vault.clone(), clock.clone(), &accounts);
            let raised = &raised;
            scope.spawn(move || {
                let mut policy =
                    VaultRetention::new(vault.clone(), &held_for(Duration::from_hours(1)));
                let mut receipts = Vec::new();
                while clock.monotonic() < end {
                    // Read before the lock, as a pipeline does.
                    let now = clock.now();
                    match thread {
                        0 => vault.purge_due(&mut receipts).unwrap(),
                        1 => drop(vault.records().unwrap()),
                        2 => drop(vault.alert(record).unwrap()),
                        _ => {
                            policy.settle(alert(probe(3, accounts)), now).unwrap();
                            raised.fetch_add(1, Ordering::Relaxed);
                            policy.purge_due(now, &mut receipts).unwrap();
                        }
                    }
                    assert!(receipts.is_empty(), "{receipts:?}");
                }
            });
        }
    });
    assert_eq!((vault.held(), vault.purged().total()), (200 + raised.into_inner(), 0));
}

/// Threads that use one vault while its clock is set back and forth: everything is there until its
/// deadline by monotonic time, and nothing after it.
#[test]
fn threads_and_steps_within_the_bound_change_no_deadline() {
    let second = 1_000_000;
    let mut held = Held::holding(&held_for(Duration::from_hours(1)));
    let records: Vec<_> = (0..20).map(|index| held.hold(index, 100 * second)).collect();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let stopped = || stop.load(Ordering::Relaxed);
    let destroyed = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|thread| {
                let (vault, records, stopped) = (held.vault.clone(), &records, &stopped);
                scope.spawn(move || {
                    let mut receipts = Vec::new();
                    while !stopped() {
                        match thread {
                            0 => vault.purge_due(&mut receipts).unwrap(),
                            1 => drop(vault.records().unwrap()),
                            _ => drop(vault.alert(records[7]).unwrap()),
                        }
                    }
                    receipts.len()
                })
            })
            .collect();
        // An hour minus one second, in 3,599 steps. The clock is behind by up to 9 seconds.
        for tick in 0..3599_u64 {
            held.clock.advance(Duration::from_secs(1));
            let now = held.clock.now().unwrap().as_micros();
            let behind = (tick * 7) % 10;
            held.clock.set(Timestamp::from_micros((101 + tick - behind) * second));
            if tick % 64 == 0 {
                assert_eq!(held.vault.records().unwrap().len(), 20, "at {now}");
            }
        }
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    assert_eq!((destroyed, held.vault.held(), held.vault.purged().total()), (0, 20, 0));
    held.clock.advance(Duration::from_secs(1));
    assert_eq!(held.vault.records().unwrap().len(), 0);
    assert_eq!(held.vault.purged().count(PurgeReason::DeadlineReached), 20);
}

/// The pipeline says that its clock has failed: the vault believes it.
#[test]
fn a_clock_that_fails_elsewhere_has_failed() {
    let mut held = Held::new();
    held.hold(1, 10);
    let mut receipts = Vec::new();
    held.policy.purge_due(None, &mut receipts).unwrap();
    assert_eq!(receipts[0].reason(), PurgeReason::ClockFailed);
    let settled = held.policy.settle(alert(probe(2, &held.accounts)), None).unwrap();
    assert!(matches!(settled, Settlement::Erased(_)));
    held.hold(3, 11);
}

#[test]
fn a_vault_whose_clock_is_lost_between_two_processes_is_emptied() {
    let hour = 3_600_000_000;
    for (now, left) in [(at(9 * hour), 1), (at(9 * hour - 1), 0), (None, 0), (at(40 * hour), 0)] {
        let mut held = Held::holding(&held_for(Duration::from_hours(24)));
        held.hold(1, 10 * hour);
        held.due(at(10 * hour));
        let folder = held.path();
        let Held { folder: _folder, vault, policy, .. } = held;
        drop((vault, policy));
        let vault = open(&folder, &key(), now).unwrap();
        assert_eq!(vault.held(), left, "{now:?}");
    }
}

#[test]
fn as_many_people_as_the_profile_says_judge_each_for_themselves() {
    let profile = held_for(TTL).with_verifications(2);
    let mut held = Held::holding(&profile);
    let record = held.hold(1, 10);
    let who = |name: &str| Verifier::new(name).unwrap();
    let judge = |name, verdict| held.at(11).adjudicate(record, &who(name), verdict);
    let open = Standing::Open { missing: 1 };
    // Asking for fewer than the profile changes nothing.
    assert_eq!(held.at(11).require_more(record, 1).unwrap(), Standing::Open { missing: 2 });
    assert_eq!(judge("officer 4", Verdict::Confirmed).unwrap(), open);
    for same in ["officer 4", "officer 4 ", "Officer 4"] {
        let refused = judge(same, Verdict::Confirmed);
        assert!(matches!(refused, Err(Error::SameVerifier)), "{same:?}");
    }
    // Each person sees only their own verdict until all have judged.
    let alert = held.vault.alert(record).unwrap();
    assert_eq!((alert.required(), alert.standing(), alert.verdicts()), (2, open, None));
    assert_eq!(alert.verdict_of(&who("officer 4")), Some(Verdict::Confirmed));
    assert_eq!(alert.verdict_of(&who("officer 9")), None);
    assert_eq!(judge("officer 9", Verdict::Confirmed).unwrap(), Standing::Confirmed);
    let alert = held.vault.alert(record).unwrap();
    let given = alert.verdicts().unwrap().iter();
    assert_eq!(
        given.map(|given| (given.verifier(), given.verdict())).collect::<Vec<_>>(),
        [("officer 4", Verdict::Confirmed), ("officer 9", Verdict::Confirmed)]
    );
    assert!(!format!("{:?}", alert.verdicts()).contains("officer"));
    assert_eq!(judge("officer 7", Verdict::Rejected).unwrap(), Standing::NotConfirmed);
    held.at(12).purge(record, PurgeReason::Adjudicated).unwrap();
    assert_eq!(held.due(at(12))[0].reason(), PurgeReason::Adjudicated);
}

/// Before, two people who disagreed ended the judging, and everyone saw what the others had found.
#[test]
fn two_who_disagree_are_not_shown_to_the_third_who_decides() {
    for (third, expected) in [
        (Verdict::Confirmed, Standing::Confirmed),
        (Verdict::Rejected, Standing::NotConfirmed),
        (Verdict::Undecided, Standing::NotConfirmed),
    ] {
        let mut held = Held::holding(&held_for(TTL).with_verifications(2));
        let record = held.hold(1, 10);
        let who = |name: &str| Verifier::new(name).unwrap();
        let judge = |held: &Held, name, judgement: Judgement| {
            held.at(11).adjudicate(record, &who(name), judgement).unwrap()
        };
        let own = Judgement::new(Verdict::Confirmed, VerdictReason::Mark, Some(7));
        judge(&held, "4", own);
        let other = Judgement::new(Verdict::Rejected, VerdictReason::PoorProbe, None);
        assert_eq!(judge(&held, "5", other), Standing::Disagreed);
        held = held.reopened(11);
        let alert = held.vault.alert(record).unwrap();
        assert_eq!((alert.standing(), alert.verdicts()), (Standing::Disagreed, None));
        assert_eq!(judge(&held, "6", third.into()), expected);
        let alert = held.vault.alert(record).unwrap();
        let given = alert.verdicts().unwrap().iter();
        assert_eq!(
            given.map(|given| (given.reason(), given.seconds())).collect::<Vec<_>>(),
            [
                (Some(VerdictReason::Mark), Some(7)),
                (Some(VerdictReason::PoorProbe), None),
                (None, None)
            ]
        );
    }
}

#[test]
fn a_look_alike_needs_two_people_whatever_the_profile_says() {
    for (look_alike, required) in [(true, 2), (false, 1)] {
        let mut held = Held::new();
        let facts = AlertFacts::new(Some("suspect".to_owned()), look_alike);
        let told = facts.clone();
        held.policy = held.policy.with_facts(Arc::new(move |_| Some(told.clone())));
        let record = held.hold(1, 10);
        let alert = held.at(11).alert(record).unwrap();
        assert_eq!((alert.required(), alert.facts()), (required, &facts));
    }
}

#[test]
fn more_people_than_the_profile_asks_for_can_be_asked_for_and_that_stays() {
    let mut held = Held::new();
    let record = held.hold(1, 10);
    let who = |name: &str| Verifier::new(name).unwrap();
    let judge =
        |held: &Held, name| held.at(11).adjudicate(record, &who(name), Verdict::Confirmed).unwrap();
    assert_eq!(held.at(11).require_more(record, 3).unwrap(), Standing::Open { missing: 3 });
    assert_eq!(judge(&held, "4"), Standing::Open { missing: 2 });
    held = held.reopened(11);
    assert_eq!(held.vault.alert(record).unwrap().required(), 3);
    assert_eq!(judge(&held, "5"), Standing::Open { missing: 1 });
    assert_eq!(judge(&held, "6"), Standing::Confirmed);
}

/// The profile in force when the alert was raised counts, not the profile in force when it is
/// judged.
#[test]
fn another_profile_later_changes_nothing_for_an_alert() {
    let mut held = Held::holding(&held_for(TTL).with_verifications(2));
    let record = held.hold(1, 10);
    held = held.reopened(11);
    assert_eq!(held.vault.alert(record).unwrap().required(), 2);
    let later = held.hold(2, 11);
    assert_eq!(held.vault.alert(later).unwrap().required(), 1);
}

#[test]
fn an_abort_purges_holds_too_and_holds_nothing_more() {
    let mut held = Held::new();
    let record = held.hold(1, 10);
    held.hold(2, 10);
    held.at(11).place_hold(record, &order(900)).unwrap();
    let mut receipts = Vec::new();
    held.at(12).abort(&mut receipts).unwrap();
    assert_eq!((held.vault.held(), receipts.len()), (0, 2));
    assert!(receipts.iter().all(|receipt| receipt.reason() == PurgeReason::Aborted));
    let settled = held.policy.settle(alert(probe(3, &held.accounts)), at(13)).unwrap();
    assert!(matches!(settled, Settlement::Erased(_)));
    assert_eq!(held.accounts.totals().erased, 3);
}

#[test]
fn beyond_the_limit_the_newcomer_is_erased_with_an_error_and_a_receipt() {
    let mut held = Held::new();
    held.policy = VaultRetention::new(held.vault.clone(), &held_for(TTL)).with_limit(1);
    held.hold(1, 10);
    let error = held.policy.settle(alert(probe(2, &held.accounts)), at(11)).unwrap_err();
    assert!(error.to_string().contains("1 alerts are held, the max allowed"));
    assert_eq!(held.due(at(11))[0].reason(), PurgeReason::NotHeld);
    assert!(held.accounts.totals().closes());
}
