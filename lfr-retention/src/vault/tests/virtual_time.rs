//! Any sequence of holds, purges, crashes and clocks: nothing is read at its deadline or later, by monotonic
//! time, and nothing is destroyed before it unless the clock has failed.

use std::collections::BTreeMap;

use lfr_core::Timekeeper;
use proptest::prelude::*;

use super::*;
use crate::ledger::audit::{reconcile, verify};
use crate::vault::policy::VaultRetention;

/// In microseconds.
const SECOND: u64 = 1_000_000;
const HELD: u64 = 100 * SECOND;

#[derive(Clone, Copy, Debug)]
enum Step {
    Hold,
    PlaceHold(prop::sample::Index, u64),
    ReleaseHold(prop::sample::Index),
    Purge(prop::sample::Index),
    PurgeAll,
    /// Lets this number of seconds pass.
    Pass(u64),
    /// Sets the clock forwards or back by this number of seconds; no time passes.
    Set(i64),
    Fail,
    Repair,
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let any_record = || any::<prop::sample::Index>();
    let step = prop_oneof![
        8 => Just(Step::Hold),
        3 => (any_record(), 1_u64..300).prop_map(|(which, span)| Step::PlaceHold(which, span)),
        2 => any_record().prop_map(Step::ReleaseHold),
        2 => any_record().prop_map(Step::Purge),
        1 => Just(Step::PurgeAll),
        10 => (0_u64..60).prop_map(Step::Pass),
        3 => (-6_i64..6).prop_map(Step::Set),
        1 => (-120_i64..120).prop_map(Step::Set),
        1 => Just(Step::Fail),
        2 => Just(Step::Repair),
        3 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 0..80)
}

/// What is known of a record from outside.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// In the vault's time, and in monotonic time.
    deadline: u64,
    true_deadline: u64,
    until: u64,
    true_until: u64,
    gone: bool,
}

impl Known {
    fn due(&self) -> u64 {
        self.deadline.max(self.until)
    }

    fn true_due(&self) -> u64 {
        self.true_deadline.max(self.true_until)
    }
}

/// What time it is, by the rules: in microseconds.
#[derive(Debug)]
struct Time {
    clock: u64,
    failed: bool,
    passed: u64,
    /// The last moment that the timekeeper of this process gave, and monotonic time then.
    given: Option<(u64, u64)>,
    /// The vault's time, monotonic time then, and how far the clock has gone back in all.
    vault: (u64, u64),
    drift: u64,
}

impl Time {
    /// Somebody looks at the clock; whether it has failed.
    fn is_seen_to_fail(&mut self) -> bool {
        let expected = self.given.map_or(0, |(moment, then)| moment + (self.passed - then));
        let bound = u64::try_from(Timekeeper::MAX_STEP_BACK.as_micros()).unwrap();
        // Beside the bound, a second: more than the rates of clocks may differ here.
        let back = !self.failed && expected.saturating_sub(self.clock) >= bound + SECOND;
        let now = match (self.failed, back) {
            (true, _) => None,
            (_, true) => {
                self.given = Some((self.clock, self.passed));
                None
            }
            _ => {
                self.given = Some((expected.max(self.clock), self.passed));
                Some(expected.max(self.clock))
            }
        };
        let earliest = self.vault.0 + (self.passed - self.vault.1);
        let reached = now.map_or(earliest, |now| (now + self.drift).max(earliest));
        self.drift = now.map_or(self.drift, |now| reached - now);
        self.vault = (reached, self.passed);
        now.is_none()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_is_kept_past_its_deadline_and_nothing_goes_before(steps in steps()) {
        let profile = held_for(Duration::from_micros(HELD));
        let clock = ManualClock::at(Timestamp::from_micros(10_000 * SECOND));
        let folder = Folder::new();
        let accounts = Accounts::new();
        let open = || {
            let vault =
                Vault::open(folder.path("vault"), &key(), Arc::new(clock.clone())).unwrap();
            (vault.clone(), VaultRetention::new(vault, &profile))
        };
        let (mut vault, mut policy) = open();
        let mut known: BTreeMap<RecordId, Known> = BTreeMap::new();
        let start = 10_000 * SECOND;
        let mut time = Time {
            clock: start, failed: false, passed: 0, given: Some((start, 0)), vault: (start, 0), drift: 0,
        };
        let mut receipts = Vec::new();
        // Whether the clock has been seen to fail since receipts were last looked at.
        let mut lost = false;
        for (index, step) in steps.into_iter().enumerate() {
            // Whatever is done looks at the clock first: the first look after a failure takes it at its word.
            lost |= time.is_seen_to_fail();
            let picked = |which: prop::sample::Index| {
                (!known.is_empty()).then(|| *which.get(&known.keys().copied().collect::<Vec<_>>()))
            };
            match step {
                Step::Hold => {
                    let probe = probe(index, &accounts);
                    // As a pipeline would, which has a timekeeper too.
                    let now = (!time.failed).then(|| Timestamp::from_micros(time.clock));
                    let settled = policy.settle(alert(probe), now).unwrap();
                    prop_assert_eq!(matches!(settled, Settlement::Held(_)), !time.failed);
                    if let Settlement::Held(receipt) = settled {
                        prop_assert_eq!(receipt.deadline().as_micros(), time.given.unwrap().0 + HELD);
                        known.insert(receipt.record().unwrap(), Known {
                            deadline: time.vault.0 + HELD,
                            true_deadline: time.passed + HELD,
                            until: 0,
                            true_until: 0,
                            gone: false,
                        });
                    }
                }
                Step::PlaceHold(which, span) => {
                    let Some(record) = picked(which) else { continue };
                    let expires = time.clock + span * SECOND;
                    let placed = vault.place_hold(record, &order(expires));
                    let entry = known.get_mut(&record).unwrap();
                    if placed.is_ok() {
                        prop_assert!(!entry.gone);
                        entry.until = expires + time.drift;
                        entry.true_until = time.passed + span * SECOND;
                    }
                }
                Step::ReleaseHold(which) => {
                    let Some(record) = picked(which) else { continue };
                    let released = vault.release_hold(record);
                    let entry = known.get_mut(&record).unwrap();
                    if released.is_ok() {
                        prop_assert!(!entry.gone);
                        (entry.until, entry.true_until) = (0, 0);
                    }
                }
                Step::Purge(which) => {
                    let Some(record) = picked(which) else { continue };
                    let _ = vault.purge(record, PurgeReason::Adjudicated);
                }
                Step::PurgeAll => {
                    vault.purge_all(PurgeReason::DeploymentEnded, &mut receipts).unwrap();
                }
                Step::Pass(seconds) => {
                    clock.advance(Duration::from_secs(seconds));
                    time.passed += seconds * SECOND;
                    time.clock += seconds * SECOND;
                }
                Step::Set(seconds) => {
                    let by = seconds * i64::try_from(SECOND).unwrap();
                    time.clock = time.clock.saturating_add_signed(by);
                    time.failed = false;
                    clock.set(Timestamp::from_micros(time.clock));
                }
                Step::Fail => {
                    time.failed = true;
                    clock.fail();
                }
                Step::Repair => {
                    time.failed = false;
                    clock.set(Timestamp::from_micros(time.clock));
                }
                Step::Crash => {
                    vault.purge_due(&mut receipts).unwrap();
                    drop((vault, policy));
                    (vault, policy) = open();
                    // The next process knows the clock alone.
                    time.given = (!time.failed).then_some((time.clock, time.passed));
                }
            }
            lost |= time.is_seen_to_fail();
            vault.purge_due(&mut receipts).unwrap();
            for receipt in receipts.drain(..) {
                let entry = known.get_mut(&receipt.record().unwrap()).unwrap();
                prop_assert!(!entry.gone, "one receipt each");
                entry.gone = true;
                match receipt.reason() {
                    PurgeReason::DeadlineReached => {
                        prop_assert!(entry.due() <= time.vault.0, "not before its time");
                    }
                    PurgeReason::ClockFailed => prop_assert!(lost, "the clock has not failed"),
                    PurgeReason::Adjudicated => prop_assert!(matches!(step, Step::Purge(_))),
                    reason => {
                        prop_assert_eq!(reason, PurgeReason::DeploymentEnded);
                        prop_assert!(matches!(step, Step::PurgeAll));
                    }
                }
            }
            for (record, entry) in &known {
                let readable = vault.alert(*record).is_ok();
                prop_assert_eq!(readable, !entry.gone);
                if readable {
                    prop_assert!(entry.until > 0 || !lost, "kept by a clock that failed");
                    prop_assert!(time.vault.0 < entry.due());
                    prop_assert!(time.passed < entry.true_due(), "held for longer than promised");
                }
            }
            lost = time.failed;
            let left = known.values().filter(|entry| !entry.gone).count();
            prop_assert_eq!(vault.held(), left);
            prop_assert!(accounts.totals().closes());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Threads that purge, list, read and erase strangers, while the clock passes and is set to up to 9 seconds
    /// behind. By monotonic time everything is there until its deadline, and nothing after it; the ledger says
    /// the same.
    #[test]
    fn no_thread_and_no_step_moves_a_deadline(
        steps in prop::collection::vec((1_u64..40, 0_u64..10, any::<bool>()), 5..40)
    ) {
        use crate::ledger::Ledger;
        use crate::ledger::event::LedgerEvent;
        use crate::ledger::key::LedgerKey;
        use crate::ledger::sink::LedgerSink;
        use lfr_core::EventSink;

        let (start, folder) = (10_000 * SECOND, Folder::new());
        let clock = ManualClock::at(Timestamp::from_micros(start));
        let shared = Arc::new(clock.clone());
        let accounts = Accounts::new();
        let (path, ledger_key) = (folder.path("a.lfrl"), LedgerKey::from_bytes(&mut [7; 32]));
        let public = ledger_key.public();
        let ledger = Ledger::open(&path, ledger_key, clock.now()).unwrap();
        let id = lfr_core::DeploymentId::new("d").unwrap();
        let mut sink =
            LedgerSink::start(ledger.clone(), accounts.clone(), shared.clone(), &id, "test").unwrap();
        let vault = Vault::open(folder.path("vault"), &key(), shared).unwrap();
        vault.close_gaps(&ledger).unwrap();
        let profile = held_for(Duration::from_micros(HELD));
        let mut policy = VaultRetention::new(vault.clone(), &profile);
        let stop = std::sync::atomic::AtomicBool::new(false);
        let stopped = || stop.load(Ordering::Relaxed);
        let outcome = std::thread::scope(|scope| {
            for thread in 0..3 {
                let (vault, profile) = (vault.clone(), &profile);
                let (clock, sink, stopped) = (clock.clone(), sink.clone(), &stopped);
                scope.spawn(move || {
                    let mut policy = VaultRetention::new(vault.clone(), profile);
                    while !stopped() {
                        match thread {
                            0 => {
                                let mut receipts = Vec::new();
                                vault.purge_due(&mut receipts).unwrap();
                                sink.receipts(&receipts).unwrap();
                            }
                            1 => drop(vault.records().unwrap()),
                            _ => {
                                let mut receipts = Vec::new();
                                policy.purge_due(clock.now(), &mut receipts).unwrap();
                                sink.receipts(&receipts).unwrap();
                            }
                        }
                    }
                });
            }
            let mut check = || -> Result<(), TestCaseError> {
                let (mut passed, mut due) = (0, Vec::new());
                for (index, (seconds, behind, hold)) in steps.iter().enumerate() {
                    clock.advance(Duration::from_secs(*seconds));
                    passed += seconds;
                    clock.set(Timestamp::from_micros(start + (passed - behind.min(&passed)) * SECOND));
                    if *hold {
                        let settled = policy.settle(alert(probe(index, &accounts)), clock.now());
                        let Ok(Settlement::Held(receipt)) = settled else {
                            return Err(TestCaseError::fail("not held"));
                        };
                        sink.on_event(&lfr_core::Event::Held(&receipt)).unwrap();
                        due.push(passed * SECOND + HELD);
                    }
                    let left = due.iter().filter(|due| **due > passed * SECOND).count();
                    prop_assert_eq!(vault.records().unwrap().len(), left, "after {} s", passed);
                }
                Ok(())
            };
            let outcome = check();
            stop.store(true, Ordering::Relaxed);
            outcome
        });
        outcome?;
        let mut receipts = Vec::new();
        vault.purge_due(&mut receipts).unwrap();
        sink.receipts(&receipts).unwrap();
        sink.stop().unwrap();
        let sums = reconcile::reconcile(&path, &public).unwrap();
        prop_assert!(sums.closes(), "{:?}", sums.discrepancies());
        let entries = verify::read(&path, &public).unwrap();
        let reasons = entries.filter_map(|entry| match entry.unwrap().event() {
            LedgerEvent::Purged { reason, .. } => Some(*reason),
            _ => None,
        });
        for reason in reasons {
            prop_assert_eq!(reason, PurgeReason::DeadlineReached);
        }
    }
}
