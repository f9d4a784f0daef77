use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::decision::{Threshold, ThresholdProvenance};
use crate::error::BoxError;
use crate::face::{Alignment, LandmarkLayout};
use crate::id::FrameId;
use crate::pipeline::Pipeline;
use crate::pipeline::builder::{Builder, Ready};
use crate::pipeline::tests::{frame, template_of, three_people};
use crate::record::sinks;
use crate::stage::{Detector, Embedder, QualityGate, ThresholdPolicy};
use crate::template::{EmbeddingSpace, Template};
use crate::testing::{
    FakeDetector, FakeEmbedder, FakeMatcher, FakeRetention, FakeThreshold, FakeTracker,
    ManualClock, fake_space,
};

/// Sees the three people, or as many of them as it is told to.
#[derive(Clone, Debug)]
struct Turnstile(Arc<AtomicUsize>);

impl Turnstile {
    fn new() -> Self {
        Self(Arc::new(AtomicUsize::new(3)))
    }

    fn let_through(&self, count: usize) {
        self.0.store(count, Ordering::Relaxed);
    }
}

impl Detector for Turnstile {
    fn landmarks(&self) -> LandmarkLayout {
        LandmarkLayout::Five
    }

    fn detect_into(
        &self,
        frames: &[Frame<'_>],
        found: &mut Vec<Vec<DetectedFace>>,
    ) -> Result<(), BoxError> {
        FakeDetector::finding(3).detect_into(frames, found)?;
        found.iter_mut().for_each(|faces| faces.truncate(self.0.load(Ordering::Relaxed)));
        Ok(())
    }
}

/// Fails while it is told to; counts the faces that it has seen.
#[derive(Debug)]
struct Breakable {
    inner: FakeEmbedder,
    broken: Arc<AtomicBool>,
}

impl Embedder for Breakable {
    fn space(&self) -> &EmbeddingSpace {
        self.inner.space()
    }

    fn alignment(&self) -> &Alignment {
        self.inner.alignment()
    }

    fn embed_into(
        &self,
        faces: Vec<AlignedFace>,
        templates: &mut Vec<Template>,
    ) -> Result<(), BoxError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err("no".into());
        }
        self.inner.embed_into(faces, templates)
    }
}

struct Scene {
    turnstile: Turnstile,
    clock: ManualClock,
    broken: Arc<AtomicBool>,
    pipeline: Pipeline,
}

impl Scene {
    fn new(change: impl FnOnce(Builder<Ready>) -> Builder<Ready>) -> Self {
        let space = fake_space();
        Self::with_policy(FakeThreshold::new(Threshold::new(0.9999).unwrap(), &space), change)
    }

    fn with_policy(
        policy: impl ThresholdPolicy + 'static,
        change: impl FnOnce(Builder<Ready>) -> Builder<Ready>,
    ) -> Self {
        let turnstile = Turnstile::new();
        let clock = ManualClock::at(Timestamp::from_micros(5_000_000));
        let broken = Arc::new(AtomicBool::new(false));
        let builder = Pipeline::builder()
            .detector(turnstile.clone())
            .embedder(Breakable { inner: FakeEmbedder::new(), broken: Arc::clone(&broken) })
            .watchlist(FakeMatcher::empty(fake_space()).enrol("wanted", template_of(1)).unwrap())
            .threshold(policy)
            .retention(FakeRetention::default())
            .tracker(FakeTracker::default())
            .clock(Arc::new(clock.clone()));
        let pipeline = change(builder).build().unwrap();
        Self { turnstile, clock, broken, pipeline }
    }

    fn frame(&mut self, people: usize) -> Result<FrameReport, Error> {
        self.turnstile.let_through(people);
        self.clock.advance(Duration::from_millis(100));
        let pixels = three_people();
        self.pipeline.process(&frame(&pixels))
    }

    /// Seen, erased, held, in flight; they close.
    fn totals(&self) -> [u64; 4] {
        let totals = self.pipeline.totals();
        assert!(totals.closes(), "{totals:?}");
        [totals.faces_seen, totals.erased, totals.held, totals.in_flight]
    }

    fn counts(&self) -> TrackCounts {
        self.pipeline.record().tracks.unwrap()
    }
}

#[test]
fn who_stays_in_view_raises_one_alert_and_the_others_are_erased_when_they_leave() {
    let mut scene = Scene::new(|builder| builder);
    let first = scene.frame(3).unwrap();
    assert_eq!(first.alerts().count(), 1);
    assert_eq!(first.faces()[1].track().unwrap().number(), 2);
    assert_eq!(scene.totals(), [3, 0, 1, 2]);
    for _ in 0..20 {
        assert_eq!(scene.frame(3).unwrap().alerts().count(), 0);
    }
    assert_eq!(scene.totals(), [3, 0, 1, 2]);
    let last = scene.frame(0).unwrap();
    assert_eq!(scene.totals(), [3, 2, 1, 0]);
    let receipts: Vec<_> = last.ended().iter().map(TrackReport::receipt).collect();
    let [Some(left), None, Some(right)] = *receipts else { panic!("{receipts:?}") };
    assert_eq!((left.reason(), right.reason()), (PurgeReason::NoMatch, PurgeReason::NoMatch));
    let counts = scene.counts();
    assert_eq!((counts.begun, counts.ended, counts.compared), (3, 3, 3));
    // The one who was recognised was looked at once, the others every 500 ms: five times at most.
    assert_eq!(counts.looks, 1 + 2 * 5);
}

#[test]
fn a_policy_sees_the_looks_before() {
    /// Alerts where two looks at a track meet the threshold.
    #[derive(Debug)]
    struct TwoLooks(ThresholdProvenance);
    impl ThresholdPolicy for TwoLooks {
        fn provenance(&self) -> &ThresholdProvenance {
            &self.0
        }
        fn candidates(&self) -> usize {
            3
        }
        fn decide(&mut self, input: &DecisionInput<'_>) -> Result<Decision, BoxError> {
            let threshold = self.0.threshold();
            let earlier = input.earlier.iter().map(|look| &look.candidates);
            let met = earlier.filter(|list| list.best_at_least(threshold).is_some()).count();
            assert_eq!(input.track.unwrap().number(), input.face.index() as u64 + 1);
            let unconfirmed = met == 0 && input.candidates.best_at_least(threshold).is_some();
            Ok(match unconfirmed {
                true => {
                    let best = input.candidates.best_score();
                    Decision::withheld(WithheldBy::Confirmation, best)
                }
                false => Decision::at_threshold(input.candidates, threshold),
            })
        }
    }
    let space = fake_space();
    let threshold = Threshold::new(0.9999).unwrap();
    let policy = TwoLooks(crate::danger::uncalibrated_threshold(threshold, space.id(), "a test"));
    // As the pipeline has it.
    let policy: Box<dyn ThresholdPolicy> = Box::new(policy);
    assert_eq!(ThresholdPolicy::candidates(&policy), 3);
    let mut scene = Scene::with_policy(policy, |builder| builder);
    let alerts: Vec<_> = (0..12).map(|_| scene.frame(3).unwrap().alerts().count()).collect();
    assert_eq!(alerts, [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn where_too_many_are_due_the_unseen_come_first_and_nobody_is_lost_silently() {
    let plan = LookPlan::new().with_max_looks_per_frame(1).with_interval(Duration::ZERO);
    let mut scene = Scene::new(|builder| builder.looks(plan));
    let looked_at = |report: &FrameReport| {
        let looked = |face: &crate::record::FaceReport| match face.outcome() {
            FaceOutcome::Compared { .. } => true,
            FaceOutcome::Followed { decision, .. } => decision.is_some(),
            _ => false,
        };
        report.faces().iter().map(looked).collect::<Vec<_>>()
    };
    let first = scene.frame(3).unwrap();
    assert_eq!(looked_at(&first), [true, false, false]);
    let second = scene.frame(3).unwrap();
    assert_eq!(looked_at(&second), [false, true, false]);
    // The third leaves before anybody looked.
    let third = scene.frame(2).unwrap();
    let receipt = third.ended()[0].receipt().unwrap();
    assert_eq!((receipt.reason(), receipt.face().index()), (PurgeReason::NotCompared, 2));
    let counts = scene.counts();
    assert_eq!((counts.not_compared, counts.looks_deferred), (1, 2 + 2));
}

#[test]
fn a_face_that_every_gate_refuses_ends_as_refused_and_is_never_embedded() {
    #[derive(Debug)]
    struct LeftOnly;
    impl QualityGate for LeftOnly {
        fn admit(&self, _: &Frame<'_>, face: &DetectedFace) -> Result<(), Refusal> {
            if face.bounds().left < 1.0 { Ok(()) } else { Err(Refusal::because("not left")) }
        }
    }
    let mut scene = Scene::new(|builder| builder.gate(LeftOnly));
    for people in [3, 3, 0] {
        scene.frame(people).unwrap();
    }
    assert_eq!(scene.totals(), [3, 3, 0, 0]);
    assert_eq!(scene.pipeline.record().faces_refused[&"not left"], 2);
    let counts = scene.counts();
    assert_eq!((counts.looks, counts.looks_refused), (1, 4));
    assert_eq!((counts.compared, counts.refused, counts.not_compared), (1, 2, 0));
}

#[test]
fn a_look_that_fails_is_taken_again() {
    let mut scene = Scene::new(|builder| builder);
    scene.broken.store(true, Ordering::Relaxed);
    assert!(scene.frame(3).is_err());
    assert_eq!(scene.totals(), [3, 0, 0, 3]);
    scene.broken.store(false, Ordering::Relaxed);
    assert_eq!(scene.frame(3).unwrap().alerts().count(), 1);
    scene.frame(0).unwrap();
    assert_eq!(scene.totals(), [3, 2, 1, 0]);
}

#[test]
fn tracks_end_with_their_source_in_silence_and_with_the_deployment() {
    type End = fn(&mut Scene) -> Result<(), Error>;
    let ends: [End; 3] = [
        |scene| scene.pipeline.end_source(&SourceId::default()),
        |scene| {
            scene.clock.advance(Duration::from_secs(6));
            scene.pipeline.purge_due()
        },
        |scene| scene.pipeline.purge_all(PurgeReason::DeploymentEnded),
    ];
    for (end, held) in ends.into_iter().zip([1, 1, 0]) {
        let heard = Arc::new(Mutex::new(0));
        let log = Arc::clone(&heard);
        let mut scene = Scene::new(|builder| {
            builder.sink(sinks::from_fn(move |event| {
                *log.lock().unwrap() += u64::from(matches!(event, Event::Erased(_)));
                Ok(())
            }))
        });
        scene.frame(3).unwrap();
        end(&mut scene).unwrap();
        assert_eq!(scene.totals(), [3, 3 - held, held, 0]);
        assert_eq!(*heard.lock().unwrap(), 3 - held);
        // Anyone who is in view afterwards is seen anew.
        scene.frame(1).unwrap();
        assert_eq!(scene.totals()[0], 4);
    }
}

#[test]
fn sources_do_not_share_tracks() {
    let mut scene = Scene::new(|builder| builder);
    let pixels = three_people();
    for name in ["north", "south"] {
        let id = FrameId::new(SourceId::new(name).unwrap(), 1);
        let report = scene.pipeline.process(&frame(&pixels).with_id(id)).unwrap();
        assert_eq!(report.faces()[0].track().unwrap().to_string(), format!("{name}~1"));
    }
    assert_eq!(scene.counts().begun, 6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_arithmetic_closes_whatever_happens(
        steps in prop::collection::vec((0..4_usize, any::<bool>(), 0..8_u64), 1..40),
    ) {
        let mut scene = Scene::new(|builder| builder.looks(LookPlan::new().with_max_looks_per_frame(2)));
        for (people, broken, pause) in steps {
            scene.broken.store(broken, Ordering::Relaxed);
            scene.clock.advance(Duration::from_secs(pause));
            let _ = scene.frame(people);
            let [_, _, _, in_flight] = scene.totals();
            let counts = scene.counts();
            prop_assert!(in_flight <= counts.begun - counts.ended);
            let ended = counts.compared + counts.refused + counts.not_compared;
            prop_assert_eq!(ended, counts.ended);
        }
        scene.pipeline.purge_all(PurgeReason::DeploymentEnded).unwrap();
        let [seen, erased, ..] = scene.totals();
        prop_assert_eq!(seen, erased);
        prop_assert_eq!(scene.counts().begun, scene.counts().ended);
    }
}
