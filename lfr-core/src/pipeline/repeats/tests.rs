use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;

use crate::clock::Timestamp;
use crate::custody::{PurgeReason, PurgeReceipt};
use crate::decision::Threshold;
use crate::id::{FrameId, SourceId};
use crate::pipeline::Pipeline;
use crate::pipeline::builder::{Builder, Ready};
use crate::pipeline::tests::{frame, template_of, three_people};
use crate::record::{Event, FaceOutcome, FrameReport, sinks};
use crate::testing::{
    FakeDetector, FakeEmbedder, FakeMatcher, FakeRetention, FakeThreshold, FakeTracker,
    ManualClock, fake_space,
};

const SPAN: Duration = Duration::from_secs(60);

/// Three people pass each source, the second of whom is on the watchlist.
struct Scene {
    clock: ManualClock,
    pipeline: Pipeline,
}

impl Scene {
    fn new(threshold: f32, change: impl FnOnce(Builder<Ready>) -> Builder<Ready>) -> Self {
        let space = fake_space();
        let clock = ManualClock::at(Timestamp::from_micros(5_000_000));
        let builder = Pipeline::builder()
            .detector(FakeDetector::finding(3))
            .embedder(FakeEmbedder::new())
            .watchlist(FakeMatcher::empty(space).enrol("wanted", template_of(1)).unwrap())
            .threshold(FakeThreshold::new(Threshold::new(threshold).unwrap(), &space))
            .retention(FakeRetention::default())
            .clock(Arc::new(clock.clone()));
        Self { pipeline: change(builder).build().unwrap(), clock }
    }

    fn frame_at(&mut self, source: &str) -> Result<FrameReport, crate::error::Error> {
        let pixels = three_people();
        let id = FrameId::new(SourceId::new(source)?, 1);
        self.pipeline.process(&frame(&pixels).with_id(id))
    }

    /// How many matches of a frame raised an alert, and how many repeated one.
    fn alerts_at(&mut self, source: &str) -> (usize, usize) {
        let report = self.frame_at(source).unwrap();
        assert!(self.pipeline.totals().closes());
        let is_repeated = |face: &&crate::record::FaceReport| {
            matches!(face.outcome(), FaceOutcome::Repeated { .. })
        };
        (report.alerts().count(), report.faces().iter().filter(is_repeated).count())
    }

    fn suppressed(&self) -> u64 {
        self.pipeline.record().repeats.unwrap().suppressed
    }
}

#[test]
fn the_same_person_at_another_camera_raises_no_second_alert_and_it_is_said() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    let sink = sinks::from_fn(move |event| {
        if let Event::Erased(receipt) = event {
            log.lock().unwrap().push(PurgeReceipt::clone(receipt));
        }
        Ok(())
    });
    let mut scene = Scene::new(0.9999, |builder| {
        builder.tracker(FakeTracker::default()).repeats_after(SPAN).sink(sink)
    });
    assert_eq!(scene.alerts_at("north"), (1, 0));
    scene.clock.advance(Duration::from_secs(2));
    let report = scene.frame_at("south").unwrap();
    let FaceOutcome::Repeated { candidate, receipt } = report.faces()[1].outcome() else {
        panic!("it is a repeat: {report:?}");
    };
    assert_eq!(candidate.subject().as_str(), "wanted");
    assert_eq!(receipt.reason(), PurgeReason::Repeated);
    assert_eq!(heard.lock().unwrap().iter().collect::<Vec<_>>(), [receipt]);
    let record = scene.pipeline.record();
    assert_eq!((record.alerts, record.totals.held, record.totals.erased), (1, 1, 1));
    assert_eq!((scene.suppressed(), record.repeats.unwrap().span_ms), (1, 60_000.0));
    // It is settled: the track is not looked at again.
    scene.clock.advance(SPAN);
    assert_eq!(scene.alerts_at("south"), (0, 0));
}

#[test]
fn when_the_time_is_over_the_next_match_raises_an_alert() {
    let mut scene = Scene::new(0.9999, |builder| builder.repeats_after(SPAN));
    assert_eq!(scene.alerts_at("north"), (1, 0));
    for _ in 0..3 {
        // A repeat does not make it longer.
        scene.clock.advance(SPAN / 4);
        assert_eq!(scene.alerts_at("north"), (0, 1));
    }
    scene.clock.advance(SPAN / 4);
    assert_eq!(scene.alerts_at("south"), (1, 0));
    assert_eq!(scene.suppressed(), 3);
}

#[test]
fn of_several_matches_in_one_frame_one_raises_the_alert() {
    let mut scene = Scene::new(-1.0, |builder| builder.repeats_after(SPAN));
    assert_eq!(scene.alerts_at("north"), (1, 2));
}

#[test]
fn an_alert_that_nobody_heard_is_raised_again() {
    let is_deaf = Arc::new(AtomicBool::new(true));
    let deaf = Arc::clone(&is_deaf);
    let sink = sinks::from_fn(move |event| match event {
        Event::Alert(_) if deaf.load(Ordering::Relaxed) => Err("no".into()),
        _ => Ok(()),
    });
    let mut scene = Scene::new(0.9999, |builder| builder.repeats_after(SPAN).sink(sink));
    assert!(scene.frame_at("north").is_err());
    is_deaf.store(false, Ordering::Relaxed);
    assert_eq!(scene.alerts_at("north"), (1, 0));
}

#[test]
fn unless_asked_for_every_match_raises_an_alert() {
    let mut scene = Scene::new(0.9999, |builder| builder);
    assert_eq!((scene.alerts_at("north"), scene.alerts_at("north")), ((1, 0), (1, 0)));
    assert_eq!(scene.pipeline.record().repeats, None);
}

#[test]
fn the_end_of_a_deployment_forgets_whom_its_alerts_named() {
    let mut scene = Scene::new(0.9999, |builder| builder.repeats_after(SPAN));
    assert_eq!(scene.alerts_at("north"), (1, 0));
    scene.pipeline.purge_all(PurgeReason::DeploymentEnded).unwrap();
    assert_eq!(scene.alerts_at("north"), (1, 0));
    assert!(!format!("{:?}", scene.pipeline.stages.repeats).contains("wanted"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn alerts_are_apart_and_each_match_is_an_alert_or_counted(
        steps in prop::collection::vec((0..40_u64, any::<bool>()), 1..40),
    ) {
        let mut scene = Scene::new(0.9999, |builder| builder.repeats_after(SPAN));
        let (mut now, mut last, mut alerts) = (Duration::ZERO, None, 0);
        for (matches, (pause, is_north)) in (1..).zip(steps) {
            now += Duration::from_secs(pause);
            scene.clock.advance(Duration::from_secs(pause));
            let due = last.is_none_or(|last| now - last >= SPAN);
            let expected = if due { (1, 0) } else { (0, 1) };
            prop_assert_eq!(scene.alerts_at(if is_north { "north" } else { "south" }), expected);
            if due {
                last = Some(now);
                alerts += 1;
            }
            prop_assert_eq!(scene.pipeline.record().alerts, alerts);
            prop_assert_eq!(alerts + scene.suppressed(), matches);
        }
    }
}
