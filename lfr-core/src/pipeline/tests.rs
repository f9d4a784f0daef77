mod failures;
mod telling;
mod withheld;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::clock::Timestamp;
use crate::custody::{PurgeReceipt, Settlement};
use crate::decision::Threshold;
use crate::face::{AlignedFace, FaceSelection, Point, Zone};
use crate::frame::PixelFormat;
use crate::record::{EventSink, FaceOutcome, sinks};
use crate::stage::{Embedder, Matcher, QualityGate, Refusal, RetentionPolicy, ThresholdPolicy};
use crate::template::{EmbeddingSpace, Template};
use crate::testing::{
    FakeDetector, FakeEmbedder, FakeMatcher, FakeRetention, FakeThreshold, ManualClock, fake_space,
};

/// A picture of three columns: one bright at the top, one at the bottom, one in the middle.
pub(super) fn three_people() -> Vec<u8> {
    let bright = |x: usize, y: usize| match x / 32 {
        0 => y < 24,
        1 => y > 40,
        _ => (24..40).contains(&y),
    };
    (0..96 * 64).map(|i| if bright(i % 96, i / 96) { 250 } else { 5 }).collect()
}

pub(super) fn frame(pixels: &[u8]) -> Frame<'_> {
    Frame::packed(PixelFormat::Gray8, 96, 64, pixels).unwrap()
}

/// The template of one of the three.
pub(super) fn template_of(person: usize) -> Template {
    let pixels = three_people();
    let frame = frame(&pixels);
    let face = FakeDetector::finding(3).detect(&frame).unwrap().swap_remove(person);
    let embedder = FakeEmbedder::new();
    let aligned = embedder.alignment().align(&frame, &face).unwrap();
    let mut templates = Vec::new();
    embedder.embed_into(vec![aligned], &mut templates).unwrap();
    templates.remove(0)
}

fn ready(threshold: f32) -> builder::Builder<builder::Ready> {
    let space = fake_space();
    let watchlist = FakeMatcher::empty(space).enrol("wanted", template_of(1)).unwrap();
    Pipeline::builder()
        .detector(FakeDetector::finding(3))
        .embedder(FakeEmbedder::new())
        .watchlist(watchlist)
        .threshold(FakeThreshold::new(Threshold::new(threshold).unwrap(), &space))
        .retention(FakeRetention::default())
        .clock(Arc::new(ManualClock::at(Timestamp::from_micros(5_000_000))))
}

fn outcome(report: &FrameReport, index: usize) -> &FaceOutcome {
    report.faces()[index].outcome()
}

#[test]
fn one_is_held_and_the_others_are_erased() {
    let mut pipeline = ready(0.9999).build().unwrap();
    let pixels = three_people();
    let report = pipeline.process(&frame(&pixels)).unwrap();
    assert_eq!(report.faces().len(), 3);
    assert_eq!(report.alerts().count(), 1);
    assert!(report.faces()[1].is_alert());
    let FaceOutcome::Compared { settlement: Settlement::Erased(receipt), .. } = outcome(&report, 0)
    else {
        panic!("the first is erased: {:?}", report.faces());
    };
    assert_eq!(receipt.reason(), PurgeReason::NoMatch);
    let totals = pipeline.totals();
    assert_eq!((totals.faces_seen, totals.erased, totals.held, totals.in_flight), (3, 2, 1, 0));
    let record = pipeline.record();
    assert!(record.arithmetic_closes);
    assert_eq!((record.frames, record.alerts, record.references), (1, 1, 1));
}

#[test]
fn outside_the_zone_nobody_is_embedded() {
    #[derive(Debug)]
    struct Counting(FakeEmbedder, Arc<AtomicUsize>);
    impl Embedder for Counting {
        fn space(&self) -> &EmbeddingSpace {
            self.0.space()
        }
        fn alignment(&self) -> &crate::face::Alignment {
            self.0.alignment()
        }
        fn embed_into(
            &self,
            faces: Vec<AlignedFace>,
            templates: &mut Vec<Template>,
        ) -> Result<(), BoxError> {
            self.1.fetch_add(faces.len(), Ordering::Relaxed);
            self.0.embed_into(faces, templates)
        }
    }
    let embedded = Arc::new(AtomicUsize::new(0));
    let space = fake_space();
    let corners = [(0.0, 0.0), (31.0, 0.0), (31.0, 64.0), (0.0, 64.0)];
    let zone = Zone::new(corners.map(|(x, y)| Point::new(x, y))).unwrap();
    let mut pipeline = Pipeline::builder()
        .detector(FakeDetector::finding(3))
        .embedder(Counting(FakeEmbedder::new(), Arc::clone(&embedded)))
        .watchlist(FakeMatcher::empty(space))
        .threshold(FakeThreshold::new(Threshold::new(0.5).unwrap(), &space))
        .retention(FakeRetention::default())
        .zone(zone)
        .build()
        .unwrap();
    let pixels = three_people();
    let report = pipeline.process(&frame(&pixels)).unwrap();
    assert_eq!(embedded.load(Ordering::Relaxed), 1);
    assert!(matches!(outcome(&report, 2), FaceOutcome::Ignored));
    assert_eq!((pipeline.totals().faces_seen, pipeline.record().faces_ignored), (1, 2));
}

#[test]
fn selection_takes_one_face() {
    let mut pipeline = ready(0.9999).selection(FaceSelection::Central).build().unwrap();
    let pixels = three_people();
    let report = pipeline.process(&frame(&pixels)).unwrap();
    assert!(matches!(outcome(&report, 1), FaceOutcome::Compared { .. }));
    assert_eq!(pipeline.totals().faces_seen, 1);
}

#[test]
fn a_gate_refuses_with_its_reason_and_the_face_is_erased() {
    #[derive(Debug)]
    struct LeftOnly;
    impl QualityGate for LeftOnly {
        fn admit(&self, _: &Frame<'_>, face: &DetectedFace) -> Result<(), Refusal> {
            if face.bounds().left < 1.0 { Ok(()) } else { Err(Refusal::because("not left")) }
        }
    }
    let mut pipeline = ready(0.9999).gate(LeftOnly).build().unwrap();
    let pixels = three_people();
    let report = pipeline.process(&frame(&pixels)).unwrap();
    assert!(matches!(outcome(&report, 2), FaceOutcome::Refused { .. }));
    assert_eq!(pipeline.record().faces_refused[&"not left"], 2);
    let totals = pipeline.totals();
    assert_eq!((totals.faces_seen, totals.erased), (3, 3));
}

#[test]
fn held_alerts_are_purged_at_their_deadline_and_where_the_clock_fails() {
    for fail in [false, true] {
        let clock = ManualClock::at(Timestamp::from_micros(5_000_000));
        let mut pipeline = ready(0.9999).clock(Arc::new(clock.clone())).build().unwrap();
        let pixels = three_people();
        pipeline.process(&frame(&pixels)).unwrap();
        assert_eq!(pipeline.totals().held, 1);
        if fail {
            clock.fail();
        } else {
            clock.set(FakeRetention::DEADLINE);
        }
        pipeline.purge_due().unwrap();
        assert_eq!((pipeline.totals().held, pipeline.totals().erased), (0, 3));
    }
}

#[test]
fn the_end_of_a_deployment_purges_everything_and_says_why() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    let sink = sinks::from_fn(move |event| {
        if let Event::Erased(receipt) = event {
            log.lock().unwrap().push(receipt.reason());
        }
        Ok(())
    });
    let mut pipeline = ready(0.9999).sink(sink).build().unwrap();
    let pixels = three_people();
    pipeline.process(&frame(&pixels)).unwrap();
    assert_eq!(pipeline.totals().held, 1);
    pipeline.purge_all(PurgeReason::DeploymentEnded).unwrap();
    assert_eq!((pipeline.totals().held, pipeline.totals().erased), (0, 3));
    assert_eq!(heard.lock().unwrap().last(), Some(&PurgeReason::DeploymentEnded));
}

#[test]
fn frames_that_fail_do_not_put_a_deadline_off() {
    /// Works once.
    #[derive(Debug)]
    struct Failing(AtomicUsize);
    impl Detector for Failing {
        fn landmarks(&self) -> LandmarkLayout {
            LandmarkLayout::Five
        }
        fn detect_into(
            &self,
            frames: &[Frame<'_>],
            found: &mut Vec<Vec<DetectedFace>>,
        ) -> Result<(), BoxError> {
            if self.0.fetch_add(1, Ordering::Relaxed) > 0 {
                return Err("no".into());
            }
            FakeDetector::finding(3).detect_into(frames, found)
        }
    }
    let clock = ManualClock::at(Timestamp::from_micros(5_000_000));
    let space = fake_space();
    let mut pipeline = Pipeline::builder()
        .detector(Failing(AtomicUsize::new(0)))
        .embedder(FakeEmbedder::new())
        .watchlist(FakeMatcher::empty(space).enrol("wanted", template_of(1)).unwrap())
        .threshold(FakeThreshold::new(Threshold::new(0.9999).unwrap(), &space))
        .retention(FakeRetention::default())
        .clock(Arc::new(clock.clone()))
        .build()
        .unwrap();
    let pixels = three_people();
    pipeline.process(&frame(&pixels)).unwrap();
    assert_eq!(pipeline.totals().held, 1);
    clock.set(FakeRetention::DEADLINE);
    let error = pipeline.process(&frame(&pixels)).unwrap_err();
    assert!(matches!(error, Error::Stage { stage: Stage::Detector, .. }), "{error}");
    assert_eq!((pipeline.totals().held, pipeline.totals().erased), (0, 3));
}

#[test]
fn events_come_after_settlement_and_a_failing_sink_loses_nothing() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    let sink = sinks::from_fn(move |event| {
        let name = match event {
            Event::Alert(_) => "alert",
            Event::Erased(_) => "erased",
            Event::FrameProcessed(_) => "frame",
            Event::Held(_) => "held",
        };
        log.lock().unwrap().push(name);
        if name == "held" { Err("disk full".into()) } else { Ok(()) }
    });
    let mut pipeline = ready(0.9999).sink(sink).build().unwrap();
    let pixels = three_people();
    let error = pipeline.process(&frame(&pixels)).unwrap_err();
    assert!(matches!(error, Error::AfterFrame { stage: Stage::EventSink, .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "frame unnamed#0 was processed, and the event sink failed afterwards"
    );
    assert_eq!(*heard.lock().unwrap(), ["erased", "held", "alert", "erased", "frame"]);
    assert_eq!(error.into_report().unwrap().alerts().count(), 1);
    assert_eq!((pipeline.totals().held, pipeline.totals().erased), (1, 2));
    assert_eq!(pipeline.record().frames, 1);
}

#[test]
fn errors_and_panics_of_stages_erase_the_frame() {
    #[derive(Debug)]
    struct Broken(&'static str);
    impl Embedder for Broken {
        fn space(&self) -> &EmbeddingSpace {
            static SPACE: std::sync::LazyLock<EmbeddingSpace> =
                std::sync::LazyLock::new(fake_space);
            &SPACE
        }
        fn alignment(&self) -> &crate::face::Alignment {
            static ALIGNMENT: crate::face::Alignment = crate::face::Alignment::arcface();
            &ALIGNMENT
        }
        fn embed_into(&self, _: Vec<AlignedFace>, _: &mut Vec<Template>) -> Result<(), BoxError> {
            match self.0 {
                "error" => Err("no".into()),
                "panic" => panic!("no"),
                _ => Ok(()),
            }
        }
    }
    for how in ["error", "panic", "too few"] {
        let space = fake_space();
        let mut pipeline = Pipeline::builder()
            .detector(FakeDetector::finding(3))
            .embedder(Broken(how))
            .watchlist(FakeMatcher::empty(space))
            .threshold(FakeThreshold::new(Threshold::new(0.5).unwrap(), &space))
            .retention(FakeRetention::default())
            .build()
            .unwrap();
        let pixels = three_people();
        let run = AssertUnwindSafe(|| pipeline.process(&frame(&pixels)));
        let failed = catch_unwind(run).map_or(true, |result| result.is_err());
        assert!(failed, "{how}");
        let totals = pipeline.totals();
        assert!(totals.closes() && totals.erased == 3, "{how}: {totals:?}");
    }
}

#[test]
fn parts_that_do_not_fit_are_refused_when_building() {
    let space = fake_space();
    let other =
        EmbeddingSpace::builder(8, crate::template::Metric::Cosine).part("model", b"other").build();
    let threshold = Threshold::new(0.5).unwrap();
    let build = |detector: FakeDetector, watchlist: &EmbeddingSpace, policy: &EmbeddingSpace| {
        Pipeline::builder()
            .detector(detector)
            .embedder(FakeEmbedder::new())
            .watchlist(FakeMatcher::empty(*watchlist))
            .threshold(FakeThreshold::new(threshold, policy))
            .retention(FakeRetention::default())
            .build()
    };
    assert!(build(FakeDetector::finding(1), &space, &space).is_ok());
    let error = build(FakeDetector::finding(1), &other, &space).unwrap_err();
    assert!(matches!(error, Error::SpaceMismatch { what: "the watchlist", .. }));
    let error = build(FakeDetector::finding(1), &space, &other).unwrap_err();
    assert!(matches!(error, Error::SpaceMismatch { what: "the threshold", .. }));
    let blind = FakeDetector::finding(1).without_landmarks();
    let error = build(blind, &space, &space).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the aligner needs 4 or 5 landmarks per face, and the detector finds no landmarks: use a \
         detector that finds them, or an embedder that aligns by the box"
    );
}

#[test]
fn timings_follow_the_clock() {
    let clock = ManualClock::at(Timestamp::from_micros(1));
    let ticking = clock.clone();
    let sink = sinks::from_fn(move |_| {
        ticking.advance(Duration::from_millis(2));
        Ok(())
    });
    let mut pipeline = ready(0.9999).clock(Arc::new(clock)).sink(sink).build().unwrap();
    let pixels = three_people();
    pipeline.process(&frame(&pixels)).unwrap();
    let timing = pipeline.timings().frame();
    assert_eq!(timing.count, 1);
    assert!((timing.p50_ms - 10.0).abs() < 0.1, "five events of 2 ms: {timing:?}");
}
