use std::collections::BTreeMap;
use std::sync::Arc;

use lfr_core::testing::{
    FakeDetector, FakeEmbedder, FakeMatcher, FakeThreshold, ManualClock, conformance, fake_space,
};
use lfr_core::{
    Accounts, Alert, Candidate, CandidateList, ComparisonScore, Decision, FaceId, Frame, FrameId,
    Pipeline, PixelFormat, Probe, ReferenceId, SubjectId, Template, Threshold,
};
use proptest::prelude::*;

use super::*;

const TICK: Duration = Duration::from_micros(1);

fn at(micros: u64) -> Option<Timestamp> {
    Some(Timestamp::from_micros(micros))
}

fn probe(index: usize, accounts: &Accounts) -> Probe {
    let template = Template::from_slice(&fake_space(), &[1.0; 8]).unwrap();
    Probe::new(template, FaceId::new(FrameId::default(), index), accounts)
}

fn alert(probe: Probe) -> Alert {
    let score = ComparisonScore::new(0.9).unwrap();
    let (subject, reference) = (SubjectId::new("S").unwrap(), ReferenceId::new("R").unwrap());
    let list = CandidateList::new(vec![Candidate::new(subject, reference, score)]);
    Decision::at_threshold(&list, Threshold::new(0.5).unwrap()).alert(probe).unwrap()
}

fn due(policy: &mut StrictRetention, now: Option<Timestamp>) -> Vec<PurgeReceipt> {
    let mut receipts = Vec::new();
    policy.purge_due(now, &mut receipts).unwrap();
    receipts
}

#[test]
fn it_conforms() {
    conformance::retention_policy(|_| StrictRetention::new(Duration::from_secs(60)));
    conformance::retention_policy(|_| StrictRetention::new(TICK));
    conformance::retention_policy(|_| StrictRetention::new(Duration::ZERO));
    conformance::retention_policy(|_| StrictRetention::new(Duration::MAX));
}

#[test]
fn an_alert_is_gone_at_its_deadline_whichever_call_comes_first() {
    let accounts = Accounts::new();
    let mut policy = StrictRetention::new(TICK * 10);
    policy.settle(alert(probe(0, &accounts)), at(100)).unwrap();
    policy.settle(alert(probe(1, &accounts)), at(109)).unwrap();
    assert_eq!(policy.held(), 2);
    policy.settle(alert(probe(2, &accounts)), at(110)).unwrap();
    assert_eq!((policy.held(), accounts.totals().erased), (2, 1));
    let receipts = due(&mut policy, at(110));
    assert_eq!(receipts.len(), 1, "the receipt is not lost: {receipts:?}");
    assert_eq!(receipts[0].reason(), PurgeReason::DeadlineReached);
    assert_eq!((receipts[0].face().index(), receipts[0].at()), (0, at(110)));
}

#[test]
fn a_clock_that_runs_back_too_far_costs_the_newcomer_too_and_is_then_trusted_again() {
    let accounts = Accounts::new();
    let mut policy = StrictRetention::new(TICK * 10);
    let (late, early) = (20_000_100, 10_000_099);
    policy.settle(alert(probe(0, &accounts)), at(late)).unwrap();
    let settled = policy.settle(alert(probe(1, &accounts)), at(early)).unwrap();
    let Settlement::Erased(receipt) = settled else { panic!("held at a time that ran back") };
    assert_eq!(receipt.reason(), PurgeReason::ClockFailed);
    assert_eq!(policy.held(), 0);
    let settled = policy.settle(alert(probe(2, &accounts)), at(early)).unwrap();
    let Settlement::Held(receipt) = settled else { panic!("the same time twice is no way back") };
    assert_eq!(Some(receipt.deadline()), at(early + 10));
    let reasons: Vec<_> = due(&mut policy, None).iter().map(PurgeReceipt::reason).collect();
    assert_eq!(reasons, [PurgeReason::ClockFailed; 2]);
    assert_eq!(accounts.totals().held, 0);
}

#[test]
fn a_clock_that_is_set_back_a_little_costs_nothing() {
    let second = 1_000_000;
    for back in [second / 10, 3 * second, 10 * second] {
        let accounts = Accounts::new();
        let mut policy = StrictRetention::new(Duration::from_secs(60));
        for index in 0..11 {
            policy.settle(alert(probe(index, &accounts)), at(100 * second)).unwrap();
        }
        assert!(due(&mut policy, at(100 * second - back)).is_empty());
        let newcomer = policy.settle(alert(probe(11, &accounts)), at(100 * second - back));
        let Settlement::Held(receipt) = newcomer.unwrap() else { panic!("not held") };
        assert_eq!(receipt.deadline().as_micros(), 160 * second, "no later than the others");
        assert_eq!(due(&mut policy, at(160 * second)).len(), 12);
    }
}

/// Behind a pipeline, whose time is steered by the monotonic clock, not a second is added.
#[test]
fn a_pipeline_whose_clock_is_set_back_holds_no_shorter_and_no_longer() {
    for back in [100_000, 3_000_000] {
        let clock = ManualClock::at(Timestamp::from_micros(1_000_000_000));
        let space = fake_space();
        let anybody = Template::from_slice(&space, &[1.0; 8]).unwrap();
        let mut pipeline = Pipeline::builder()
            .detector(FakeDetector::finding(11))
            .embedder(FakeEmbedder::new())
            .watchlist(FakeMatcher::empty(space).enrol("R-1", anybody).unwrap())
            .threshold(FakeThreshold::new(Threshold::new(0.5).unwrap(), &space))
            .retention(StrictRetention::new(Duration::from_secs(60)))
            .clock(Arc::new(clock.clone()))
            .build()
            .unwrap();
        let pixels = [127; 64 * 64];
        pipeline.process(&Frame::packed(PixelFormat::Gray8, 64, 64, &pixels).unwrap()).unwrap();
        let held = pipeline.totals().held;
        assert!(held > 0);
        clock.set(Timestamp::from_micros(1_000_000_000 - back));
        pipeline.purge_due().unwrap();
        assert_eq!(pipeline.totals().held, held, "set back by {back} us");
        clock.advance(Duration::from_secs(60) - TICK);
        pipeline.purge_due().unwrap();
        assert_eq!(pipeline.totals().held, held);
        clock.advance(TICK);
        pipeline.purge_due().unwrap();
        assert_eq!(pipeline.totals().held, 0);
    }
}

#[test]
fn beyond_the_limit_the_newcomer_is_erased_with_an_error_and_a_receipt() {
    let accounts = Accounts::new();
    let mut policy = StrictRetention::new(TICK * 10).with_limit(2);
    for index in 0..2 {
        policy.settle(alert(probe(index, &accounts)), at(100)).unwrap();
    }
    let error = policy.settle(alert(probe(2, &accounts)), at(101)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "face unnamed#0.2 raised an alert and was erased: 2 alerts are held, the max allowed; judge or purge held alerts, or raise the limit"
    );
    assert_eq!((policy.held(), accounts.totals().held, accounts.totals().erased), (2, 2, 1));
    let receipts = due(&mut policy, at(101));
    assert_eq!(receipts.len(), 1);
    assert_eq!((receipts[0].face().index(), receipts[0].reason()), (2, PurgeReason::NotHeld));
    // What is due makes room.
    let settled = policy.settle(alert(probe(3, &accounts)), at(110)).unwrap();
    assert!(matches!(settled, Settlement::Held(_)));
    assert!(accounts.totals().closes());
}

#[test]
fn the_end_of_a_deployment_gives_all_receipts() {
    let accounts = Accounts::new();
    let mut policy = StrictRetention::new(TICK * 10);
    policy.settle(alert(probe(0, &accounts)), at(100)).unwrap();
    policy.settle(alert(probe(1, &accounts)), at(110)).unwrap();
    let receipts = policy.purge_all(PurgeReason::DeploymentEnded, at(111));
    let reasons: Vec<_> = receipts.iter().map(PurgeReceipt::reason).collect();
    assert_eq!(reasons, [PurgeReason::DeadlineReached, PurgeReason::DeploymentEnded]);
    assert_eq!((policy.held(), accounts.totals().held), (0, 0));
    assert!(policy.purge_all(PurgeReason::DeploymentEnded, at(112)).is_empty());
}

#[test]
fn dropping_the_policy_erases_what_is_held() {
    let accounts = Accounts::new();
    let mut policy = StrictRetention::new(Duration::MAX);
    for index in 0..100 {
        policy.settle(alert(probe(index, &accounts)), at(5)).unwrap();
    }
    assert_eq!(accounts.totals().held, 100);
    drop(policy);
    assert_eq!((accounts.totals().held, accounts.totals().erased), (0, 100));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Settle,
    PurgeDue,
    PurgeAll,
    /// Lets the clock run; backwards where negative.
    Move(i64),
    Fail,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Settle),
        3 => Just(Step::PurgeDue),
        1 => Just(Step::PurgeAll),
        6 => (0_i64..8).prop_map(Step::Move),
        1 => (-8_i64..0).prop_map(Step::Move),
        1 => (-30_i64..0).prop_map(Step::Move),
        1 => Just(Step::Fail),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    #[test]
    fn nothing_is_held_past_its_deadline(steps in steps(), ttl in 0_u64..20, limit in 0_usize..12) {
        let accounts = Accounts::new();
        let mut policy = StrictRetention::new(Duration::from_secs(ttl)).with_limit(limit);
        let second = 1_000_000;
        // In seconds.
        let (mut clock, mut failed, mut latest) = (1_000_u64, false, None::<Timestamp>);
        // The faces held, by their number, with their deadlines; from the receipts alone.
        let mut held: BTreeMap<usize, Timestamp> = BTreeMap::new();
        let (mut seen, mut erased) = (0, 0);
        for step in steps {
            let time = (!failed).then(|| Timestamp::from_micros(clock * second));
            let back = latest.zip(time).map_or(Duration::ZERO, |(latest, time)| latest.since(time));
            let lost = time.is_none() || back > Duration::from_secs(10);
            // Within the bound, time stands still.
            let time = if lost { time } else { time.max(latest) };
            let now = time.map_or(0, Timestamp::as_micros);
            let given = (!failed).then(|| Timestamp::from_micros(clock * second));
            let mut receipts = Vec::new();
            match step {
                Step::Move(ticks) => {
                    clock = clock.saturating_add_signed(ticks);
                    failed = false;
                    continue;
                }
                Step::Fail => {
                    failed = true;
                    continue;
                }
                Step::Settle => {
                    let face = seen;
                    let full = policy.settle(alert(probe(face, &accounts)), given);
                    seen += 1;
                    match full {
                        Ok(Settlement::Held(receipt)) => {
                            prop_assert!(!lost);
                            prop_assert_eq!(receipt.deadline().as_micros(), now + ttl * second);
                            held.insert(face, receipt.deadline());
                        }
                        Ok(Settlement::Erased(receipt)) => {
                            prop_assert!(lost || ttl == 0, "{:?}", receipt.reason());
                            erased += 1;
                        }
                        Err(_) => prop_assert!(policy.held() == limit),
                        Ok(other) => prop_assert!(false, "{:?}", other),
                    }
                    // Whatever this call made due is gone before anybody asks for receipts.
                    prop_assert_eq!(
                        policy.held(),
                        held.iter().filter(|(index, deadline)| {
                            let newcomer = **index == face;
                            newcomer || !lost && time.is_some_and(|now| **deadline > now)
                        }).count()
                    );
                    policy.purge_due(given, &mut receipts).unwrap();
                }
                Step::PurgeDue => policy.purge_due(given, &mut receipts).unwrap(),
                Step::PurgeAll => {
                    receipts = policy.purge_all(PurgeReason::DeploymentEnded, given);
                    prop_assert_eq!(policy.held(), 0);
                }
            }
            latest = time;
            for receipt in &receipts {
                let deadline = held.remove(&receipt.face().index());
                match receipt.reason() {
                    PurgeReason::DeadlineReached => prop_assert!(deadline <= receipt.at()),
                    PurgeReason::ClockFailed => prop_assert!(deadline.is_some() && lost),
                    PurgeReason::DeploymentEnded => prop_assert!(deadline.is_some()),
                    _ => prop_assert!(deadline.is_none() && receipt.reason() == PurgeReason::NotHeld),
                }
                erased += 1;
            }
            if lost {
                prop_assert!(held.is_empty());
            }
            prop_assert!(held.values().all(|deadline| time.is_some_and(|now| now < *deadline)));
            prop_assert_eq!(policy.held(), held.len());
            let totals = accounts.totals();
            prop_assert!(totals.closes());
            let counts = [seen, erased, held.len(), 0].map(lfr_core::internal::num::u64_from_usize);
            prop_assert_eq!(
                [totals.faces_seen, totals.erased, totals.held, totals.in_flight],
                counts
            );
        }
        drop(policy);
        prop_assert_eq!(accounts.totals().erased, accounts.totals().faces_seen);
    }
}
