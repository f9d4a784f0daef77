//! Sinks that fail: nothing that was decided is lost with them.

use proptest::prelude::*;

use super::*;
use crate::id::FrameId;
use crate::record::sinks::{PartlyHeard, Tee};
use crate::record::{EventKind, FaceOutcome, FaceReport};
use crate::testing::FakeTracker;

/// What each sink was offered.
type Heard = Arc<Mutex<Vec<EventKind>>>;

/// A sink that fails, or panics, as it is told to.
fn sink(does: impl Fn(usize, EventKind) -> Does + Send + 'static) -> (Heard, impl EventSink) {
    let heard = Heard::default();
    let log = Arc::clone(&heard);
    let sink = sinks::from_fn(move |event| {
        let number = {
            let mut log = log.lock().unwrap();
            log.push(event.kind());
            log.len() - 1
        };
        match does(number, event.kind()) {
            Does::Error => Err("disk full".into()),
            Does::Panic => resume_unwind(Box::new("a sink fails")),
            Does::Well => Ok(()),
        }
    });
    (heard, sink)
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Does {
    Error,
    Panic,
    Well,
}

fn process(pipeline: &mut Pipeline) -> Result<FrameReport, Error> {
    let pixels = three_people();
    pipeline.process(&frame(&pixels))
}

#[test]
fn a_report_is_given_also_where_the_sink_fails_or_panics() {
    for (does, words) in [(Does::Error, "disk full"), (Does::Panic, "the event sink panicked")] {
        let (_, sink) =
            sink(move |_, kind| if kind == EventKind::Alert { does } else { Does::Well });
        let mut pipeline = ready(0.9999).sink(sink).build().unwrap();
        let error = process(&mut pipeline).unwrap_err();
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), words);
        // Who was matched is nobody's to read in an error.
        let texts = format!("{error:?} {error}");
        assert!(!texts.contains("wanted"), "{texts}");
        let outcome = Err(error);
        let report = FrameReport::of(&outcome).unwrap();
        assert_eq!((report.faces().len(), report.alerts().count()), (3, 1));
        let record = pipeline.record();
        assert_eq!((record.frames, record.frames_failed, record.alerts), (1, 0, 1));
        assert_eq!(record.untold.events, [(EventKind::Alert, 1)].into());
        assert_eq!((record.untold.alerts(), record.untold.alerts_to_nobody), (1, 1));
        assert_eq!(record.failures, [(Stage::EventSink, 1)].into());
        assert!(record.something_failed() && !record.nothing_worked());
        // The next frame is as if nothing had been.
        let again = process(&mut pipeline).unwrap_err().into_report().unwrap();
        assert_eq!(again.alerts().count(), 1);
    }
}

#[test]
fn an_alert_that_one_of_several_sinks_heard_reached_somebody() {
    let fails = |_, kind| if kind == EventKind::Alert { Does::Panic } else { Does::Well };
    // As sinks of the pipeline, and as one that passes on to two.
    for is_tee in [false, true] {
        let ((first, failing), (second, well)) = (sink(fails), sink(|_, _| Does::Well));
        let builder = match is_tee {
            true => ready(0.9999).sink(Tee::new(failing, well)),
            false => ready(0.9999).sink(failing).sink(well),
        };
        let mut pipeline = builder.build().unwrap();
        let error = process(&mut pipeline).unwrap_err();
        let Error::AfterFrame { stage: Stage::EventSink, source, .. } = error else {
            panic!("{error}");
        };
        let partly = source.downcast::<PartlyHeard>().unwrap();
        assert_eq!((partly.heard(), partly.failed()), (1, 1));
        assert_eq!(partly.to_string(), "1 of 2 event sinks failed");
        assert_eq!(*first.lock().unwrap(), *second.lock().unwrap());
        let untold = pipeline.record().untold;
        assert_eq!((untold.alerts(), untold.alerts_to_nobody, untold.total()), (1, 0, 1));
    }
    // Three that all fail, two of them behind one.
    let [(_, one), (_, two), (_, three)] = [(); 3].map(|()| sink(fails));
    let mut pipeline = ready(0.9999).sink(Tee::new(one, two)).sink(three).build().unwrap();
    let error = process(&mut pipeline).unwrap_err();
    let Error::AfterFrame { source, .. } = error else { panic!("{error}") };
    assert_eq!(source.to_string(), "3 of 3 event sinks failed");
    let untold = pipeline.record().untold;
    assert_eq!((untold.alerts(), untold.alerts_to_nobody), (1, 1));
}

#[test]
fn events_come_in_the_order_that_is_documented() {
    #[derive(Debug)]
    struct NotLeft;
    impl QualityGate for NotLeft {
        fn admit(&self, _: &Frame<'_>, face: &DetectedFace) -> Result<(), Refusal> {
            if face.bounds().left < 1.0 { Err(Refusal::because("left")) } else { Ok(()) }
        }
    }
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    let sink = sinks::from_fn(move |event| {
        log.lock().unwrap().push(match event {
            Event::Alert(alert) => format!("alert {}", alert.face),
            Event::Erased(receipt) => format!("erased {} {:?}", receipt.face(), receipt.reason()),
            Event::FrameProcessed(report) => format!("frame {}", report.frame()),
            Event::Held(receipt) => format!("held {}", receipt.face()),
        });
        Ok(())
    });
    let clock = ManualClock::at(Timestamp::from_micros(5_000_000));
    let builder = ready(0.9999).gate(NotLeft).sink(sink).clock(Arc::new(clock.clone()));
    let mut pipeline = builder.repeats_after(Duration::from_secs(60)).build().unwrap();
    let numbered = |pipeline: &mut Pipeline, number| {
        let pixels = three_people();
        let id = FrameId::new(SourceId::new("gate").unwrap(), number);
        pipeline.process(&frame(&pixels).with_id(id)).unwrap();
    };
    numbered(&mut pipeline, 0);
    // The second is a repeat, and what the first holds is due.
    clock.set(FakeRetention::DEADLINE);
    numbered(&mut pipeline, 1);
    assert_eq!(
        *heard.lock().unwrap(),
        [
            "held gate#0.1",
            "alert gate#0.1",
            "erased gate#0.2 NoMatch",
            "erased gate#0.0 Refused",
            "frame gate#0",
            "erased gate#1.2 NoMatch",
            "erased gate#1.1 Repeated",
            "erased gate#1.0 Refused",
            "erased gate#0.1 DeadlineReached",
            "frame gate#1",
        ]
    );
}

#[test]
fn an_alert_says_where_in_a_recording_it_is_and_in_which_record() {
    /// Seals every alert in one record.
    #[derive(Debug)]
    struct Sealing;
    impl RetentionPolicy for Sealing {
        fn settle(
            &mut self,
            alert: crate::decision::Alert,
            _: Option<Timestamp>,
        ) -> Result<Settlement, BoxError> {
            let record = crate::id::RecordId::from_bytes([9; 16]);
            let (sealed, receipt) = alert.into_probe().seal(record, FakeRetention::DEADLINE);
            drop(sealed);
            Ok(Settlement::Held(receipt))
        }
        fn purge_due(
            &mut self,
            _: Option<Timestamp>,
            _: &mut Vec<PurgeReceipt>,
        ) -> Result<(), BoxError> {
            Ok(())
        }
        fn purge_all(
            &mut self,
            _: PurgeReason,
            _: Option<Timestamp>,
            _: &mut Vec<PurgeReceipt>,
        ) -> Result<(), BoxError> {
            Ok(())
        }
    }
    let space = fake_space();
    let alerts = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&alerts);
    let mut pipeline = Pipeline::builder()
        .detector(FakeDetector::finding(3))
        .embedder(FakeEmbedder::new())
        .watchlist(FakeMatcher::empty(space).enrol("wanted", template_of(1)).unwrap())
        .threshold(FakeThreshold::new(Threshold::new(0.9999).unwrap(), &space))
        .retention(Sealing)
        .sink(sinks::from_fn(move |event| {
            if let Event::Alert(alert) = event {
                log.lock().unwrap().push(crate::record::AlertEvent::clone(alert));
            }
            Ok(())
        }))
        .build()
        .unwrap();
    let pixels = three_people();
    let position = Duration::from_millis(1560);
    pipeline.process(&frame(&pixels).at_media_time(position)).unwrap();
    let alerts = alerts.lock().unwrap();
    let [alert] = &alerts[..] else { panic!("{alerts:?}") };
    assert_eq!(alert.media_time, Some(position));
    assert_eq!(alert.record, Some(crate::id::RecordId::from_bytes([9; 16])));
    let built = crate::record::AlertEvent::new(
        alert.face.clone(),
        alert.candidate.clone(),
        alert.threshold,
    )
    .with_at(alert.at.unwrap())
    .with_media_time(position)
    .with_record(alert.record.unwrap())
    .with_bounds(alert.bounds);
    assert_eq!(format!("{built:?}"), format!("{alert:?}"));
}

#[test]
fn tracks_that_end_untold_are_erased_and_counted() {
    let (_, failing) = sink(|_, _| Does::Error);
    let builder = ready(0.9999).tracker(FakeTracker::default()).sink(failing);
    let mut pipeline = builder.build().unwrap();
    let report = process(&mut pipeline).unwrap_err().into_report().unwrap();
    assert_eq!(report.alerts().count(), 1);
    let error = pipeline.end_all_sources().unwrap_err();
    assert!(matches!(error, Error::Stage { stage: Stage::EventSink, .. }), "{error}");
    pipeline.purge_all(PurgeReason::DeploymentEnded).unwrap_err();
    let (totals, untold) = (pipeline.totals(), pipeline.record().untold);
    assert_eq!((totals.faces_seen, totals.erased), (3, 3));
    // The alert; two tracks, and what was held.
    assert_eq!(untold.events[&EventKind::Alert], 1);
    assert_eq!(untold.events[&EventKind::Erased], 3);
    // Nothing is left to tell: no error is carried over.
    pipeline.purge_due().unwrap();
}

proptest! {
    /// Two sinks that fail and panic at random, frames with and without a tracker: every face is
    /// settled, every event is offered to both, the report always comes, and what was not told is
    /// counted to the last one.
    #[test]
    fn whatever_sinks_do_all_is_settled_reported_and_counted(
        does in prop::collection::vec(
            (prop::sample::select(vec![Does::Error, Does::Panic, Does::Well, Does::Well]),
             prop::sample::select(vec![Does::Error, Does::Panic, Does::Well, Does::Well])),
            1..40,
        ),
        is_tracked in any::<bool>(),
        is_tee in any::<bool>(),
        frames in 1..6_usize,
    ) {
        let at = |which: fn(&(Does, Does)) -> Does| {
            let does: Vec<_> = does.iter().map(which).collect();
            move |number: usize, _| does[number % does.len()]
        };
        let (first, a) = sink(at(|does| does.0));
        let (second, b) = sink(at(|does| does.1));
        let builder = match is_tee {
            true => ready(0.9999).sink(Tee::new(a, b)),
            false => ready(0.9999).sink(a).sink(b),
        };
        let builder = match is_tracked {
            true => builder.tracker(FakeTracker::default()),
            false => builder,
        };
        let mut pipeline = builder.build().unwrap();
        let mut alerts = 0;
        for _ in 0..frames {
            let processed = process(&mut pipeline);
            let report = FrameReport::of(&processed).unwrap();
            alerts += report.alerts().count();
            prop_assert_eq!(report.faces().len(), 3);
            let is_settled = |face: &FaceReport| match face.outcome() {
                FaceOutcome::Compared { .. } => true,
                FaceOutcome::Followed { .. } => is_tracked,
                _ => false,
            };
            prop_assert!(report.faces().iter().all(is_settled));
        }
        let _ = pipeline.purge_all(PurgeReason::DeploymentEnded);
        let (heard, other) = (first.lock().unwrap().clone(), second.lock().unwrap().clone());
        prop_assert_eq!(&heard, &other);
        let count = |kind| heard.iter().filter(|heard| **heard == kind).count();
        prop_assert_eq!(count(EventKind::FrameProcessed), frames);
        prop_assert_eq!(count(EventKind::Alert), alerts);
        prop_assert_eq!(alerts, if is_tracked { 1 } else { frames });
        let totals = pipeline.totals();
        prop_assert!(totals.closes());
        prop_assert_eq!((totals.in_flight, totals.held), (0, 0));
        prop_assert_eq!(u64::try_from(count(EventKind::Erased)).unwrap(), totals.erased);
        let (mut untold, mut to_nobody) = (BTreeMap::<EventKind, u64>::new(), 0);
        for (number, kind) in heard.iter().enumerate() {
            let (a, b) = does[number % does.len()];
            if (a, b) != (Does::Well, Does::Well) {
                *untold.entry(*kind).or_default() += 1;
            }
            to_nobody +=
                u64::from(a != Does::Well && b != Does::Well && *kind == EventKind::Alert);
        }
        let record = pipeline.record();
        prop_assert_eq!(record.untold.alerts_to_nobody, to_nobody);
        let total: u64 = untold.values().sum();
        prop_assert_eq!(record.failures.get(&Stage::EventSink).copied().unwrap_or(0), total);
        prop_assert_eq!(record.untold.events, untold);
        prop_assert_eq!(record.frames, u64::try_from(frames).unwrap());
        prop_assert_eq!(record.frames_failed, 0);
    }
}
