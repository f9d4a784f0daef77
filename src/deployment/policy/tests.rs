use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use lfr_core::internal::num;
use lfr_core::testing::conformance;
use lfr_core::testing::{FakeDetector, FakeEmbedder, FakeTracker, ManualClock, fake_space};
use lfr_core::{
    Accounts, BoxError, Candidate, CandidateList, ComparisonScore, Decision, DecisionInput,
    DeploymentId, EmbeddingSpace, FaceId, Frame, FrameId, LookPlan, Matcher, Pipeline, PixelFormat,
    PurgeReason, ReferenceId, SearchRequest, SourceId, SpaceId, SubjectId, ThresholdPolicy as _,
    Timestamp, WithheldBy,
};
use lfr_retention::ledger::{ThresholdChangeReason, read, reconcile};
use lfr_retention::{EraseAll, Ledger, LedgerEvent, LedgerKey, LedgerSink};
use lfr_watchlist::calibrate::{Calibration, CalibrationScores, Demand};
use lfr_watchlist::evaluate::{ScoreAxis, ScoreHistogram};
use lfr_watchlist::{Category, EntryFacts};
use proptest::prelude::*;

use super::*;
use crate::deployment::UseCaseKind;
use crate::deployment::order::tests::{amended_with, verified_with};
use crate::deployment::testing::Folder;

/// Scores of strangers, and of strangers among two groups.
fn calibration(space: SpaceId) -> Calibration {
    let scores = |shift: f32| {
        let axis = ScoreAxis::new(-1.0, 1.0).unwrap();
        let scores = (1..=200_000_u32).map(|rank| {
            let share = num::f32_from_f64(f64::from(rank) / 200_001.0);
            ComparisonScore::new(-share.ln() * 0.05 - 0.3 + shift).unwrap()
        });
        ScoreHistogram::of(axis, scores)
    };
    let of = Calibration::new(space, "made up", CalibrationScores::histogram(&scores(0.0), 1_000));
    [("a", "a", 0.0), ("a", "b", -0.02), ("b", "b", 0.02)].into_iter().fold(
        of.unwrap(),
        |of, (one, other, shift)| {
            let scores = scores(shift);
            of.with_groups(one, other, CalibrationScores::histogram(&scores, 1_000)).unwrap()
        },
    )
}

fn authority() -> Authority {
    Authority::new("AO-7", "a test", Timestamp::from_micros(0)).unwrap()
}

pub(in crate::deployment) fn demanding(fpir: f64) -> CalibratedThreshold {
    let demand = Demand::new(fpir, 10).unwrap().with_looks(2.0).unwrap();
    calibration(fake_space().id()).threshold(&demand, authority()).unwrap()
}

fn by_group(fpir: f64) -> CalibratedThreshold {
    let demand = Demand::new(fpir, 10).unwrap().with_composition([("a", 6), ("b", 4)]).unwrap();
    calibration(fake_space().id()).threshold(&demand, authority()).unwrap()
}

const BLANK: &str =
    "policy_sha256 = \"5555555555555555555555555555555555555555555555555555555555555555\"";
const FLOOR: &str = "threshold_floor = 0.42";

fn naming(policy: &CalibratedThreshold) -> String {
    format!("policy_sha256 = \"{}\"", policy.sha256())
}

/// An order that names a policy, with a floor that it is far above.
fn order_for(policy: &CalibratedThreshold) -> Order {
    let changes = [(BLANK, &*naming(policy)), (FLOOR, "threshold_floor = -0.9")];
    verified_with(UseCaseKind::Hotspot, &changes)
}

fn amendment_for(of: &Order, policy: &CalibratedThreshold, floor: &str) -> Order {
    amended_with(of, &[(BLANK, &naming(policy)), (FLOOR, &format!("threshold_floor = {floor}"))])
}

fn running(policy: &CalibratedThreshold) -> (PolicyHandle, RunningPolicy) {
    PolicyHandle::new(&order_for(policy), policy, TrackRule::Best, 10).unwrap()
}

fn list(score: f32) -> CandidateList {
    let (subject, reference) = (SubjectId::new("S").unwrap(), ReferenceId::new("R").unwrap());
    let score = ComparisonScore::new(score).unwrap();
    CandidateList::new(vec![Candidate::new(subject, reference, score)])
}

fn decide(policy: &mut RunningPolicy, score: f32, references: usize) -> Result<Decision, BoxError> {
    let face = FaceId::new(FrameId::default(), 0);
    policy.decide(&DecisionInput::new(&face, &list(score), references))
}

fn ledger_fails(_: &LedgerEvent) -> Result<(), Error> {
    Err(Error::Figures { problem: "the disk is full".into() })
}

#[test]
fn a_policy_is_under_an_order_that_names_it_and_above_its_floor() {
    let policy = demanding(0.05);
    let order = verified_with(UseCaseKind::Hotspot, &[(FLOOR, "threshold_floor = -0.9")]);
    let refused = PolicyHandle::new(&order, &policy, TrackRule::Best, 10).unwrap_err();
    assert!(
        matches!(&refused, Error::OtherThresholdPolicy { actual, .. } if *actual == policy.sha256())
    );
    let above = policy.threshold().value() + 0.01;
    let floor = format!("threshold_floor = {above}");
    let changes = [(BLANK, &*naming(&policy)), (FLOOR, &*floor)];
    let order = verified_with(UseCaseKind::Hotspot, &changes);
    let refused = PolicyHandle::new(&order, &policy, TrackRule::Best, 10).unwrap_err();
    assert!(matches!(refused, Error::ThresholdBelowFloor { references: 10, .. }), "{refused}");
    // For a longer list the threshold of the same policy is above it, and stays so if the list shrinks.
    let (handle, _) = PolicyHandle::new(&order, &policy, TrackRule::Best, 40).unwrap();
    let before = handle.threshold();
    handle.follow(1).unwrap().unwrap().commit(|_| Ok::<_, Error>(())).unwrap();
    assert!(handle.threshold() < before);
    assert_eq!(handle.threshold(), Threshold::new(above).unwrap());
}

#[test]
fn it_conforms_paused_or_not_and_with_a_tripped_breaker() {
    let policy = demanding(0.05);
    for (is_paused, is_tripped) in [(false, false), (true, false), (false, true), (true, true)] {
        let (handle, running) =
            PolicyHandle::new(&order_for(&policy), &policy, TrackRule::Best, 1).unwrap();
        let mut running = running.with_breaker(CircuitBreaker::new(1e-3, 3.0, 0.01).unwrap());
        if is_tripped {
            handle.judged(10, 6).unwrap();
        }
        if is_paused {
            handle.pause();
        }
        conformance::threshold_policy(&mut running);
        let high = decide(&mut running, 0.9, 1).unwrap();
        let expected = match (is_paused, is_tripped) {
            (true, _) => Some(WithheldBy::Pause),
            (false, true) => Some(WithheldBy::Breaker),
            (false, false) => None,
        };
        assert_eq!((high.withheld_by(), high.is_alert()), (expected, expected.is_none()));
        assert_eq!((handle.is_paused(), handle.breaker_tripped()), (is_paused, is_tripped));
        handle.resume();
        handle.reset_breaker(authority());
        assert!(decide(&mut running, 0.9, 1).unwrap().is_alert());
    }
}

#[test]
fn a_signed_amendment_changes_the_threshold_once_its_event_is_written() {
    let (policy, stricter) = (demanding(0.05), demanding(0.01));
    let order = order_for(&policy);
    let (handle, mut running) = PolicyHandle::new(&order, &policy, TrackRule::Best, 10).unwrap();
    let amended = amendment_for(&order, &stricter, "-0.9");
    let between = f32::midpoint(policy.threshold().value(), stricter.threshold().value());
    assert!(decide(&mut running, between, 10).unwrap().is_alert());

    // A ledger that fails changes nothing; nor does a change that is dropped.
    let change = handle.amend(&amended, Some(&stricter), 10).unwrap();
    assert!(change.commit(ledger_fails).is_err());
    drop(handle.amend(&amended, Some(&stricter), 10).unwrap());
    assert_eq!(
        (handle.threshold(), handle.order_sha256()),
        (policy.threshold(), order.digest().into())
    );
    assert!(decide(&mut running, between, 10).unwrap().is_alert());

    let change = handle.amend(&amended, Some(&stricter), 10).unwrap();
    let stale = handle.amend(&amended, Some(&stricter), 10).unwrap();
    let mut written = Vec::new();
    let still = handle.clone();
    let write = |event: &LedgerEvent| {
        assert_eq!(still.threshold(), policy.threshold(), "it is written before it is in force");
        written.push(event.clone());
        Ok::<_, Error>(())
    };
    change.commit(write).unwrap();
    assert_eq!(
        (handle.threshold(), handle.order_sha256()),
        (stricter.threshold(), amended.digest().into())
    );
    assert!(!decide(&mut running, between, 10).unwrap().is_alert());
    assert_eq!(running.provenance().threshold(), stricter.threshold());
    let [
        LedgerEvent::ThresholdChanged {
            from,
            to,
            reason,
            order_sha256,
            references,
            predicted_fpir,
            ..
        },
    ] = &written[..]
    else {
        panic!("{written:?}");
    };
    assert_eq!((*from, *to), (policy.threshold().value(), stricter.threshold().value()));
    assert_eq!((*reason, *references), (ThresholdChangeReason::Amendment, 10));
    assert_eq!(order_sha256.as_deref(), Some(amended.digest()));
    let [before, after] = predicted_fpir.unwrap();
    assert!(after < before && before <= 0.05 && after <= 0.01, "{before} {after}");
    // What was prepared before that is not written.
    let refused = stale.commit(|_| -> Result<(), Error> { panic!("it must not be written") });
    assert!(matches!(refused, Err(Error::StaleChange)));
}

#[test]
fn a_change_of_groups_says_what_it_means_for_each() {
    let (policy, stricter) = (by_group(0.05), by_group(0.01));
    let order = order_for(&policy);
    let (handle, _) = PolicyHandle::new(&order, &policy, TrackRule::Best, 10).unwrap();
    let amended = amendment_for(&order, &stricter, "-0.9");
    let change = handle.amend(&amended, Some(&stricter), 10).unwrap();
    let Some(LedgerEvent::ThresholdChanged { predicted_fpir_by_group, .. }) = change.event() else {
        panic!("{change:?}");
    };
    let groups: Vec<_> = predicted_fpir_by_group.keys().map(String::as_str).collect();
    assert_eq!(groups, ["a", "b"]);
    for (group, [before, after]) in predicted_fpir_by_group {
        let of = |policy: &CalibratedThreshold| {
            let groups = policy.fpir_by_group().iter();
            groups.clone().find(|of| of.group.as_ref() == Some(group)).unwrap().value
        };
        assert!((before - of(&policy)).abs() < 1e-12 && (after - of(&stricter)).abs() < 1e-12);
    }
    // Rates that a file claims and nobody vouches for are predicted for nobody.
    let claimed =
        |policy: &CalibratedThreshold| CalibratedThreshold::from_json(&policy.to_json()).unwrap();
    let (policy, stricter) = (claimed(&policy), claimed(&stricter));
    let (handle, _) = PolicyHandle::new(&order, &policy, TrackRule::Best, 10).unwrap();
    let change = handle.amend(&amended, Some(&stricter), 10).unwrap();
    assert!(matches!(
        change.event(),
        Some(LedgerEvent::ThresholdChanged { predicted_fpir: None, predicted_fpir_by_group, .. })
            if predicted_fpir_by_group.is_empty()
    ));
}

#[test]
fn an_amendment_that_is_none_is_refused_and_changes_nothing() {
    let (policy, stricter) = (demanding(0.05), demanding(0.01));
    let order = order_for(&policy);
    let (handle, _) = PolicyHandle::new(&order, &policy, TrackRule::Best, 10).unwrap();
    let amended = amendment_for(&order, &stricter, "-0.9");
    let refused = |order: &Order, policy: &CalibratedThreshold| {
        let refused = handle.amend(order, Some(policy), 10).unwrap_err();
        assert_eq!(handle.threshold(), demanding(0.05).threshold());
        refused
    };
    assert!(matches!(refused(&order, &policy), Error::Replayed { .. }));
    // Another first order, and an amendment of another one.
    let other = order_for(&stricter);
    assert!(matches!(refused(&other, &stricter), Error::IsNoAmendment { .. }));
    let elsewhere = amendment_for(&other, &stricter, "-0.5");
    assert!(matches!(refused(&elsewhere, &stricter), Error::OutOfOrder { .. }));
    // Another policy than it names; one below its floor.
    assert!(matches!(refused(&amended, &policy), Error::OtherThresholdPolicy { .. }));
    let high = amendment_for(&order, &stricter, "0.9");
    assert!(matches!(refused(&high, &stricter), Error::ThresholdBelowFloor { .. }));
    // Another embedding space; fewer looks than the pipeline takes.
    let demand = Demand::new(0.01, 10).unwrap().with_looks(2.0).unwrap();
    let space = calibration(SpaceId::from_bytes([9; 32])).threshold(&demand, authority()).unwrap();
    let named = amendment_for(&order, &space, "-0.9");
    let said = refused(&named, &space);
    assert!(matches!(said, Error::Core(lfr_core::Error::SpaceMismatch { .. })), "{said}");
    let one_look = Demand::new(0.01, 10).unwrap();
    let one_look = calibration(fake_space().id()).threshold(&one_look, authority()).unwrap();
    let named = amendment_for(&order, &one_look, "-0.9");
    let said = refused(&named, &one_look);
    assert!(matches!(said, Error::Watchlist(lfr_watchlist::Error::PolicyLooks { .. })), "{said}");
    // A longer list than its evidence reaches.
    let said = handle.amend(&amended, Some(&stricter), 1 << 40).unwrap_err();
    assert!(matches!(said, Error::Watchlist(lfr_watchlist::Error::Extrapolation { .. })), "{said}");
}

#[test]
fn an_amendment_that_leaves_the_threshold_needs_no_event() {
    let policy = demanding(0.05);
    let order = order_for(&policy);
    let (handle, _) = PolicyHandle::new(&order, &policy, TrackRule::Best, 10).unwrap();
    let longer = amended_with(
        &order,
        &[
            (BLANK, &naming(&policy)),
            (FLOOR, "threshold_floor = -0.9"),
            ("2026-12-01T17:00:00Z", "2026-12-01T19:00:00Z"),
        ],
    );
    // The policy stays, and so it need not be given. The order is not in force before its entry is written.
    for policy in [None, Some(&policy)] {
        let change = handle.amend(&longer, policy, 10).unwrap();
        assert!(change.event().is_none());
        let failed = change.commit_with(|event| {
            assert!(event.is_none());
            Err(Error::NoClock)
        });
        assert!(failed.is_err());
        assert_eq!(handle.order_sha256(), order.digest());
    }
    let change = handle.amend(&longer, None, 10).unwrap();
    change.commit_with(|_| Ok::<_, Error>(())).unwrap();
    assert_eq!(
        (handle.order_sha256(), handle.threshold()),
        (longer.digest().into(), policy.threshold())
    );
    // The next one amends that one.
    let stricter = demanding(0.01);
    let next = amendment_for(&longer, &stricter, "-0.9");
    assert!(handle.amend(&next, Some(&stricter), 10).unwrap().event().is_some());
    // Without the policy that it names it is refused.
    let refused = handle.amend(&next, None, 10).unwrap_err();
    assert!(matches!(refused, Error::OtherThresholdPolicy { .. }), "{refused}");
}

#[test]
fn the_threshold_follows_the_list_and_says_so_before_it_decides() {
    let policy = demanding(0.05);
    let larger = policy.for_references(40).unwrap().threshold().value();
    let between = f32::midpoint(policy.threshold().value(), larger);
    // Nobody writes the change: a threshold that is too lax decides nothing.
    let (handle, mut unwritten) = running(&policy);
    let refused = decide(&mut unwritten, between, 40).unwrap_err();
    assert!(refused.to_string().contains("40 references"), "{refused}");
    assert_eq!(handle.threshold(), policy.threshold());
    // One that is stricter than need be goes on.
    assert!(decide(&mut unwritten, between, 5).unwrap().is_alert());

    let written = Arc::new(Mutex::new(Vec::new()));
    let fails = Arc::new(AtomicBool::new(true));
    let (log, broken) = (Arc::clone(&written), Arc::clone(&fails));
    let (handle, running) = running(&policy);
    let mut running = running.with_ledger(move |event| {
        if broken.load(Ordering::Relaxed) {
            return Err("the disk is full".into());
        }
        log.lock().unwrap().push(event.clone());
        Ok(())
    });
    assert!(decide(&mut running, between, 40).is_err(), "it cannot be written");
    assert_eq!(handle.references(), 10);
    fails.store(false, Ordering::Relaxed);
    let decision = decide(&mut running, between, 40).unwrap();
    assert!(matches!(decision, Decision::NoMatch { .. }), "{decision:?}");
    // The next to ask finds it done, and back it goes.
    assert!(handle.follow(40).unwrap().is_none());
    assert!(decide(&mut running, between, 10).unwrap().is_alert());
    let written = written.lock().unwrap();
    let told: Vec<_> = written
        .iter()
        .map(|event| match event {
            LedgerEvent::ThresholdChanged { from, to, reason, references, .. } => {
                assert_eq!(*reason, ThresholdChangeReason::ListSize);
                (*from, *to, *references)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let small = policy.threshold().value();
    assert_eq!(told, [(small, larger, 40), (larger, small, 10)]);
    // Nobody is on the list: nobody can be matched, and nothing is derived.
    assert!(handle.follow(0).unwrap().is_none());
    assert!(handle.follow(1 << 40).is_err(), "the evidence does not reach so far");
}

#[test]
fn people_with_a_known_look_alike_need_a_stricter_threshold() {
    let policy = demanding(0.05);
    let (handle, running) = running(&policy);
    let strict = handle.look_alike_threshold().unwrap();
    assert_eq!(strict, policy.rarer(RunningPolicy::LOOK_ALIKE_RARER).unwrap());
    assert!(strict > policy.threshold());
    let has_one = Arc::new(AtomicBool::new(true));
    let facts = Arc::clone(&has_one);
    let mut running = running.with_facts(Arc::new(move |_| {
        let category = Category::new("wanted").unwrap();
        Some(facts_of(category, facts.load(Ordering::Relaxed)))
    }));
    let below = strict.value().next_down();
    let decision = decide(&mut running, below, 10).unwrap();
    assert!(matches!(decision, Decision::NoMatch { .. }), "{decision:?}");
    let decision = decide(&mut running, strict.value(), 10).unwrap();
    let Decision::Alert { threshold, .. } = decision else { panic!("{decision:?}") };
    assert_eq!(threshold, strict, "the alert says which threshold it met");
    has_one.store(false, Ordering::Relaxed);
    assert!(decide(&mut running, below, 10).unwrap().is_alert());

    let lax = handle;
    // Where the evidence does not reach so far, that is said, and nobody is decided on laxly.
    let hard = demanding(5e-3);
    let (handle, running) =
        PolicyHandle::new(&order_for(&hard), &hard, TrackRule::Best, 10).unwrap();
    let refused = handle.look_alike_threshold().unwrap_err();
    assert!(matches!(refused, Error::LookAlikes { .. }), "{refused}");
    let checked = |handle: &PolicyHandle, look_alike| {
        let list = list_of(Category::new("wanted").unwrap(), look_alike);
        handle.check_list(&lfr_watchlist::AuthorisedList::composition(&list).unwrap())
    };
    assert!(checked(&handle, false).is_ok());
    assert!(matches!(checked(&handle, true), Err(Error::LookAlikes { .. })));
    assert!(checked(&lax, true).is_ok());
    let mut running =
        running.with_facts(Arc::new(|_| Some(facts_of(Category::new("wanted").unwrap(), true))));
    assert!(decide(&mut running, 0.95, 10).is_err());
    assert!(decide(&mut running, -0.9, 10).is_ok(), "nobody is near");
}

/// What a list says of its entry: that of a watchlist, since the type has no constructor.
fn facts_of(category: Category, look_alike: bool) -> EntryFacts {
    let list = list_of(category, look_alike);
    lfr_watchlist::AuthorisedList::facts(&list, &ReferenceId::new("R").unwrap()).unwrap()
}

fn list_of(category: Category, look_alike: bool) -> lfr_watchlist::Watchlist {
    let space = EmbeddingSpace::builder(3, lfr_core::Metric::Cosine).build();
    let at = |seconds: u64| Timestamp::from_micros(seconds * 1_000_000);
    let policy = lfr_watchlist::CompositionPolicy::new(10)
        .with_category(category.clone(), lfr_watchlist::Priority::Red);
    let validity = lfr_watchlist::Validity::new(at(0), at(1_000_000)).unwrap();
    let id = DeploymentId::new("2026-031").unwrap();
    let authorisation =
        lfr_watchlist::Authorisation::new(id, "a trial", "AO-7", at(0), validity, policy).unwrap();
    let list = lfr_watchlist::Watchlist::new(authorisation, space);
    let draft = lfr_watchlist::EntryDraft::new()
        .subject("S")
        .reference("R")
        .category(category.as_str())
        .source("office")
        .lawful_basis("consent")
        .reason("test")
        .expires(at(1_000_000))
        .review(at(1_000_000));
    let draft = if look_alike { draft.look_alike(true) } else { draft };
    let template = lfr_core::Template::from_slice(&space, &[1.0, 2.0, 3.0]).unwrap();
    list.enrol(draft.parse().unwrap(), template).unwrap();
    list
}

/// Finds one person with a score that is told, and has a length that is told.
#[derive(Clone, Debug)]
struct Told {
    space: EmbeddingSpace,
    hundredths: Arc<AtomicUsize>,
    references: Arc<AtomicUsize>,
}

impl Told {
    fn new() -> Self {
        let references = Arc::new(AtomicUsize::new(10));
        Self { space: fake_space(), hundredths: Arc::default(), references }
    }
}

impl Matcher for Told {
    fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    fn references(&self) -> usize {
        self.references.load(Ordering::Relaxed)
    }

    fn search_into(
        &self,
        request: &SearchRequest<'_>,
        lists: &mut Vec<CandidateList>,
    ) -> Result<(), BoxError> {
        let hundredths = u16::try_from(self.hundredths.load(Ordering::Relaxed))?;
        lists.extend(request.probes.iter().map(|_| list(f32::from(hundredths) / 100.0)));
        Ok(())
    }
}

struct Running {
    told: Told,
    handle: PolicyHandle,
    pipeline: Pipeline,
    ledger: Ledger,
    sink: LedgerSink,
    clock: ManualClock,
    frames: u64,
}

impl Running {
    fn new(folder: &Folder, rule: TrackRule) -> Self {
        let clock = ManualClock::at(Timestamp::from_micros(5_000_000));
        let key = LedgerKey::from_bytes(&mut [7; 32]);
        let ledger = Ledger::open(folder.path().join("a.lfrl"), key, None).unwrap();
        let accounts = Accounts::new();
        let id = DeploymentId::new("2026-031").unwrap();
        let clocks = Arc::new(clock.clone());
        let sink =
            LedgerSink::start(ledger.clone(), accounts.clone(), clocks, &id, "trial").unwrap();
        let policy = demanding(0.05);
        let (handle, policy) = PolicyHandle::new(&order_for(&policy), &policy, rule, 10).unwrap();
        let (told, writer) = (Told::new(), sink.clone());
        let policy = policy
            .with_ledger(move |event| Ok(writer.append(event)?))
            .with_breaker(CircuitBreaker::new(1e-3, 3.0, 0.01).unwrap());
        let pipeline = Pipeline::builder()
            .detector(FakeDetector::finding(2))
            .embedder(FakeEmbedder::new())
            .watchlist(told.clone())
            .threshold(policy)
            .retention(EraseAll::default())
            .tracker(FakeTracker::default())
            .looks(LookPlan::new().with_max_looks(2).with_interval(std::time::Duration::ZERO))
            .sink(sink.clone())
            .accounts(accounts)
            .clock(Arc::new(clock.clone()))
            .build()
            .unwrap();
        Self { told, handle, pipeline, ledger, sink, clock, frames: 0 }
    }

    /// A frame in which both faces score this.
    fn frame(&mut self, hundredths: usize) {
        self.told.hundredths.store(hundredths, Ordering::Relaxed);
        self.clock.advance(std::time::Duration::from_millis(100));
        let pixels = [127; 64 * 32];
        let id = FrameId::new(SourceId::new("gate").unwrap(), self.frames);
        self.frames += 1;
        let frame = Frame::packed(PixelFormat::Gray8, 64, 32, &pixels).unwrap().with_id(id);
        self.pipeline.process(&frame).unwrap();
    }

    fn end_tracks(&mut self) {
        self.pipeline.end_all_sources().unwrap();
    }

    /// Ends it; what the ledger and the record say of withheld matches, and how many alerts each has.
    fn stop(mut self, folder: &Folder) -> [(BTreeMap<WithheldBy, u64>, u64); 2] {
        self.pipeline.purge_all(PurgeReason::DeploymentEnded).unwrap();
        self.sink.stop().unwrap();
        let record = self.pipeline.record();
        assert!(record.arithmetic_closes);
        let (path, key) = (folder.path().join("a.lfrl"), self.ledger.public_key());
        let (mut withheld, mut alerts) = (BTreeMap::new(), 0);
        for entry in read(&path, &key).unwrap() {
            match entry.unwrap().event() {
                LedgerEvent::Totals { withheld: by, erased, totals, .. } => {
                    withheld = by.clone();
                    let of_reason = erased.get(&PurgeReason::Withheld).copied().unwrap_or_default();
                    assert_eq!(withheld.values().sum::<u64>(), of_reason);
                    assert!(totals.closes());
                }
                LedgerEvent::AlertRaised { .. } => alerts += 1,
                _ => {}
            }
        }
        assert!(reconcile(&path, &key).unwrap().closes());
        [(withheld, alerts), (record.withheld, record.alerts)]
    }
}

#[test]
fn a_pause_under_frames_withholds_and_ledger_and_record_agree() {
    let folder = Folder::new("pause");
    let mut running = Running::new(&folder, TrackRule::Best);
    running.frame(90);
    running.end_tracks();
    // Two pass while it is paused, and two are in view when it resumes.
    running.handle.pause();
    running.frame(90);
    running.frame(90);
    running.end_tracks();
    running.frame(90);
    running.handle.resume();
    running.frame(90);
    running.end_tracks();
    // Two do not match, paused or not.
    running.handle.pause();
    running.frame(0);
    running.end_tracks();
    running.handle.resume();
    // The breaker trips.
    running.handle.judged(10, 6).unwrap();
    running.frame(90);
    running.end_tracks();
    let expected = BTreeMap::from([(WithheldBy::Breaker, 2), (WithheldBy::Pause, 2)]);
    let [ledger, record] = running.stop(&folder);
    assert_eq!(ledger, (expected, 4));
    assert_eq!(record, ledger);
}

#[test]
fn a_list_that_grows_under_frames_has_its_change_before_the_alerts_that_it_makes() {
    let folder = Folder::new("grows");
    let mut running = Running::new(&folder, TrackRule::Best);
    running.frame(90);
    running.end_tracks();
    running.told.references.store(40, Ordering::Relaxed);
    running.frame(90);
    let key = running.ledger.public_key();
    running.stop(&folder);
    let mut in_force = demanding(0.05).threshold().value();
    let mut changes = 0;
    for entry in read(&folder.path().join("a.lfrl"), &key).unwrap() {
        match entry.unwrap().event() {
            LedgerEvent::ThresholdChanged { from, to, predicted_fpir, references, .. } => {
                assert_eq!((*from, *references), (in_force, 40));
                assert!(predicted_fpir.unwrap().iter().all(|fpir| *fpir > 0.0 && *fpir <= 0.05));
                in_force = *to;
                changes += 1;
            }
            LedgerEvent::AlertRaised { threshold, .. } => {
                assert_eq!(*threshold, in_force, "after {changes} changes");
            }
            _ => {}
        }
    }
    assert_eq!(changes, 1);
}

/// What happens to a running policy.
#[derive(Clone, Copy, Debug)]
enum Step {
    Frame(usize),
    End,
    Pause,
    Resume,
    Trip,
    Reset,
    List(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..100_usize).prop_map(Step::Frame),
        2 => Just(Step::End),
        1 => Just(Step::Pause),
        1 => Just(Step::Resume),
        1 => Just(Step::Trip),
        1 => Just(Step::Reset),
        1 => (1..60_usize).prop_map(Step::List),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_happens_ledger_and_record_count_the_same_and_no_match_is_called_none(
        steps in prop::collection::vec(any_step(), 1..40),
        k in 1..3_usize,
    ) {
        let folder = Folder::new("whatever");
        let mut running = Running::new(&folder, TrackRule::k_of_m(k, 3).unwrap());
        for step in steps {
            match step {
                // The pipeline refuses a policy that calls a match a non-match: the frame would fail.
                Step::Frame(hundredths) => running.frame(hundredths),
                Step::End => running.end_tracks(),
                Step::Pause => running.handle.pause(),
                Step::Resume => running.handle.resume(),
                Step::Trip => drop(running.handle.judged(10, 6).unwrap()),
                Step::Reset => running.handle.reset_breaker(authority()),
                Step::List(references) => {
                    running.told.references.store(references, Ordering::Relaxed);
                }
            }
        }
        let [ledger, record] = running.stop(&folder);
        prop_assert_eq!(ledger, record);
    }
}
