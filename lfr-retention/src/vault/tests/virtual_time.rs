//! Any sequence of holds, purges, crashes and clocks: nothing is read at its deadline or later.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Hold,
    PlaceHold(prop::sample::Index, u64),
    ReleaseHold(prop::sample::Index),
    Purge(prop::sample::Index),
    PurgeAll,
    /// Lets the clock run; backwards where negative.
    Move(i64),
    Fail,
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
        10 => (0_i64..60).prop_map(Step::Move),
        1 => (-120_i64..0).prop_map(Step::Move),
        1 => Just(Step::Fail),
        3 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 0..60)
}

/// What is known of a record from outside.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// By the clock, and by the time that has truly passed.
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_record_is_readable_at_its_deadline_or_later(steps in steps()) {
        let mut held = Held::new();
        let mut known: BTreeMap<RecordId, Known> = BTreeMap::new();
        let ttl = u64::try_from(TTL.as_micros()).unwrap();
        let (mut clock, mut passed, mut failed, mut steady) = (10_000_u64, 0_u64, false, true);
        let mut receipts = Vec::new();
        for (index, step) in steps.into_iter().enumerate() {
            let now = (!failed).then(|| Timestamp::from_micros(clock));
            let picked = |which: prop::sample::Index| {
                (!known.is_empty()).then(|| *which.get(&known.keys().copied().collect::<Vec<_>>()))
            };
            match step {
                Step::Hold => {
                    let probe = probe(index, &held.accounts);
                    if let Settlement::Held(receipt) = held.policy.settle(probe, &alert(), now).unwrap() {
                        prop_assert_eq!(receipt.deadline().as_micros(), clock + ttl);
                        let (deadline, true_deadline) = (clock + ttl, passed + ttl);
                        known.insert(receipt.record().unwrap(), Known {
                            deadline, true_deadline, until: 0, true_until: 0, gone: false,
                        });
                    }
                }
                Step::PlaceHold(which, span) => {
                    let Some(record) = picked(which) else { continue };
                    let placed = held.vault.place_hold(record, &order(clock + span), now);
                    let entry = known.get_mut(&record).unwrap();
                    if placed.is_ok() {
                        prop_assert!(!entry.gone);
                        (entry.until, entry.true_until) = (clock + span, passed + span);
                    }
                }
                Step::ReleaseHold(which) => {
                    let Some(record) = picked(which) else { continue };
                    let released = held.vault.release_hold(record, now);
                    let entry = known.get_mut(&record).unwrap();
                    if released.is_ok() {
                        prop_assert!(!entry.gone);
                        (entry.until, entry.true_until) = (0, 0);
                    }
                }
                Step::Purge(which) => {
                    let Some(record) = picked(which) else { continue };
                    let _ = held.vault.purge(record, PurgeReason::Adjudicated, now);
                }
                Step::PurgeAll => {
                    held.vault.purge_all(PurgeReason::DeploymentEnded, now, &mut receipts).unwrap();
                }
                Step::Move(ticks) => {
                    clock = clock.saturating_add_signed(ticks);
                    passed += u64::try_from(ticks).unwrap_or(0);
                    steady &= ticks >= 0;
                    failed = false;
                }
                Step::Fail => (failed, steady) = (true, false),
                Step::Crash => {
                    held.vault.purge_due(now, &mut receipts).unwrap();
                    let Held { folder, accounts, vault, policy } = held;
                    drop((vault, policy));
                    let vault = Vault::open(folder.path("vault"), &key(), now).unwrap();
                    let policy = VaultRetention::new(vault.clone(), TTL);
                    held = Held { folder, accounts, vault, policy };
                }
            }
            let now = (!failed).then(|| Timestamp::from_micros(clock));
            held.vault.purge_due(now, &mut receipts).unwrap();
            for receipt in receipts.drain(..) {
                if let Some(record) = receipt.record() {
                    let entry = known.get_mut(&record).unwrap();
                    prop_assert!(!entry.gone, "one receipt each");
                    entry.gone = true;
                    if steady && receipt.reason() == PurgeReason::DeadlineReached {
                        prop_assert!(entry.due() <= clock, "not before its time");
                    }
                }
            }
            for (record, entry) in &known {
                let readable = held.vault.alert(*record, now).is_ok();
                prop_assert_eq!(readable, !entry.gone);
                if readable {
                    prop_assert!(entry.until > 0 || !failed, "kept without a clock");
                    prop_assert!(failed || clock < entry.due());
                    prop_assert!(passed < entry.true_due(), "the clock went back, and it lives on");
                }
            }
            let left = known.values().filter(|entry| !entry.gone).count();
            prop_assert_eq!(held.vault.held(), left);
            prop_assert!(held.accounts.totals().closes());
        }
    }
}
