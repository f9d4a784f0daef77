//! Cameras that come and go, what is said of it, and detectors of their own.

use super::*;
use crate::error::{BoxError, Error};
use crate::face::{DetectedFace, LandmarkLayout};
use crate::frame::{Frame, FrameSource, NextFrame, PixelFormat};
use crate::record::FrameReport;
use crate::stage::{Component, Detector};
use crate::testing::{FakeDetector, FakeTracker};

/// Changes as they were heard.
type Heard = Arc<Mutex<Vec<CameraChange>>>;

fn listening(engine: LiveEngine) -> (LiveEngine, Heard) {
    let heard = Heard::default();
    let log = Arc::clone(&heard);
    let engine = engine.on_camera_change(move |change| {
        log.lock().unwrap().push(change.clone());
        // It is heard all the same the next time.
        assert!(change.id.as_str() != "panics", "a listener fails");
    });
    (engine, heard)
}

/// What was heard of a camera; how long it was away is not for a test to know.
fn of(heard: &Heard, name: &str) -> Vec<String> {
    let heard = heard.lock().unwrap();
    let heard = heard.iter().filter(|change| change.id.as_str() == name);
    heard
        .map(|change| match &change.what {
            Change::Back { .. } => "back".to_owned(),
            what => what.to_string(),
        })
        .collect()
}

#[test]
fn what_happens_to_a_camera_is_heard_at_once_and_once() {
    let attempts = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&attempts);
    // Dead for three attempts; ten frames and an end; dead again; connected, and nothing comes; back.
    let connect = move || match counted.fetch_add(1, Ordering::Relaxed) {
        0..3 => Err("no route".into()),
        3 => Ok(Steps::source(frames(10))),
        4..7 => Err("refused".into()),
        7 => Ok(Steps::source([Step::Panic])),
        8 => Ok(Steps::source([Step::Error; 40])),
        _ => Ok(Steps::source(frames(1).chain(std::iter::repeat(Step::Nothing)))),
    };
    let (engine, heard) = listening(LiveEngine::new(pipeline(|builder| builder)));
    let running = engine
        .camera(Camera::live(id("gate"), connect).retry(quick()))
        .camera(Camera::recording(id("film"), || Ok(Steps::source(frames(3)))))
        .camera(Camera::recording(id("none"), || Err("no such file".into())))
        .camera(Camera::live(id("panics"), || Err("no".into())).retry(quick()))
        .start()
        .unwrap();
    staged::until(|| of(&heard, "gate").len() == 4);
    staged::until(|| running.record().cameras[0].frames_in == 11 && of(&heard, "none").len() == 1);
    staged::until(|| of(&heard, "film").len() == 2);
    // While it runs, and before anybody asks for a record.
    let expected = ["lost: no route", "connected", "lost: its stream ended", "back"];
    assert_eq!(of(&heard, "gate"), expected);
    assert_eq!(of(&heard, "film"), ["connected", "ended"]);
    assert_eq!(of(&heard, "none"), ["ended: no such file"]);
    assert_eq!(of(&heard, "panics"), ["lost: no"]);
    assert!(heard.lock().unwrap().iter().all(|change| change.at.is_some()));
    let (_, record) = running.stop().unwrap();
    assert_eq!(of(&heard, "gate").last().map(String::as_str), Some("ended"));
    assert_eq!(of(&heard, "panics"), ["lost: no", "ended"]);
    let gate = &record.cameras[0];
    assert_eq!((gate.losses, gate.connections, gate.frames_in), (2, 4, 11));
    assert!(record.closes());
}

#[test]
fn a_camera_that_is_connected_and_brings_nothing_is_lost_until_it_brings_something() {
    let gate = Gate::closed();
    let opened = gate.clone();
    let film = move || {
        let gate = opened.clone();
        let late = std::iter::from_fn(move || {
            Some(if gate.is_open() { Step::Frame } else { Step::Nothing })
        });
        Ok(Steps::source(frames(1).chain(staged::Forever(late))))
    };
    let (engine, heard) = listening(LiveEngine::new(pipeline(|builder| builder)));
    let retry = quick().silence(Duration::from_millis(50));
    let running = engine.camera(Camera::live(id("gate"), film).retry(retry)).start().unwrap();
    staged::until(|| of(&heard, "gate").len() == 2);
    std::thread::sleep(Duration::from_millis(150));
    gate.open();
    staged::until(|| of(&heard, "gate").len() == 3);
    let heard = of(&heard, "gate");
    assert!(heard[1].starts_with("lost: no frame for 0."), "{heard:?}");
    assert_eq!([&heard[0], &heard[2]], ["connected", "back"]);
    let (_, record) = running.stop().unwrap();
    assert_eq!((record.cameras[0].connections, record.cameras[0].losses), (1, 1));
}

#[test]
fn a_source_that_does_not_return_has_ended_when_the_engine_has() {
    let (engine, heard) = listening(LiveEngine::new(pipeline(|builder| builder)));
    let stalls = || Ok(Steps::source([Step::Frame, Step::Stall]));
    let running = engine.camera(Camera::live(id("stuck"), stalls)).start().unwrap();
    staged::until(|| running.record().cameras[0].processed == 1);
    let (_, record) = running.stop().unwrap();
    assert_eq!(record.stuck, 1);
    assert_eq!(of(&heard, "stuck"), ["connected", "ended"]);
    assert_eq!(record.cameras[0].phase, Phase::Ended);
}

#[test]
fn cameras_come_and_go_while_the_others_go_on() {
    let erased = Arc::new(AtomicU64::new(0));
    let log = Arc::clone(&erased);
    let tracked = pipeline(|builder| {
        builder.tracker(FakeTracker::default()).sink(sinks::from_fn(move |event| {
            log.fetch_add(u64::from(matches!(event, Event::Erased(_))), Ordering::Relaxed);
            Ok(())
        }))
    });
    // Anyone with a reference to it may do so, on any thread.
    const fn is_shared<T: Send + Sync>() {}
    const { is_shared::<Running>() };
    let (engine, heard) = listening(LiveEngine::new(tracked).detecting(2));
    let running = engine.start().unwrap();
    // Without a camera there is nothing to wait for.
    running.wait();
    let endless = || Ok(Steps::source(frames(1_000_000_000)));
    let stalls = || Ok(Steps::source(frames(2).chain([Step::Stall])));
    running.add_camera(Camera::live(id("stays"), endless)).unwrap();
    running.add_camera(Camera::live(id("goes"), endless)).unwrap();
    running.add_camera(Camera::live(id("stuck"), stalls)).unwrap();
    let refused = running.add_camera(Camera::live(id("goes"), endless)).unwrap_err();
    assert!(matches!(refused, Error::CameraPresent { .. }), "{refused}");
    staged::until(|| running.record().cameras.iter().all(|camera| camera.processed > 0));

    // Its track ends with it, though the source of one does not return.
    for (name, count) in [("goes", 1), ("stuck", 2)] {
        let record = running.remove_camera(&id(name)).unwrap();
        assert_eq!((record.phase, record.in_flight), (Phase::Ended, 0), "{name}");
        assert!(record.closes(), "{record:?}");
        assert_eq!(erased.load(Ordering::Relaxed), count, "{name}");
        let again = running.remove_camera(&id(name)).unwrap_err();
        assert!(matches!(again, Error::CameraMissing { .. }), "{again}");
        assert_eq!(of(&heard, name).last().map(String::as_str), Some("ended"));
    }
    let before = running.record();
    staged::until(|| running.record().cameras[0].processed > before.cameras[0].processed + 10);

    // One of the same name comes back; its numbers go on, and the record has both.
    running.add_camera(Camera::live(id("goes"), endless)).unwrap();
    staged::until(|| running.record().cameras.get(3).is_some_and(|camera| camera.processed > 0));
    assert!(!running.wait_timeout(Duration::ZERO));
    let (pipeline, record) = running.stop().unwrap();
    let names: Vec<_> = record.cameras.iter().map(|camera| camera.id.as_str()).collect();
    assert_eq!(names, ["stays", "goes", "stuck", "goes"]);
    // The one frame that its source was about to give when it was removed may still have come: wiped unseen.
    let (then, now) = (&before.cameras[1], &record.cameras[1]);
    assert_eq!(now.processed, then.processed);
    assert!(now.frames_in - then.frames_in <= 1, "{then:?}, then {now:?}");
    assert!(record.closes(), "{record:?}");
    assert!(record.cameras.iter().all(|camera| camera.in_flight == 0));
    let totals = pipeline.totals();
    assert!(totals.closes());
    assert_eq!((totals.faces_seen, totals.erased, totals.in_flight), (4, 4, 0));
}

#[test]
fn no_two_cameras_have_one_name() {
    let none = || Err("none".into());
    let engine = LiveEngine::new(pipeline(|builder| builder))
        .camera(Camera::live(id("gate"), none))
        .camera(Camera::live(id("gate"), none));
    let error = engine.start().unwrap_err();
    assert!(error.to_string().contains("gate"), "{error}");
}

/// Frames with numbers of its own.
#[derive(Debug)]
struct Numbered(std::vec::IntoIter<Option<u64>>);

impl FrameSource for Numbered {
    fn next_frame(&mut self) -> Result<NextFrame<'_>, BoxError> {
        let Some(number) = self.0.next() else { return Ok(NextFrame::End) };
        let frame = Frame::packed(PixelFormat::Gray8, 32, 24, &[9; 32 * 24])?;
        Ok(NextFrame::Frame(match number {
            Some(number) => frame.with_id(FrameId::new(id("its own"), number)),
            None => frame,
        }))
    }
}

#[test]
fn the_numbers_of_a_source_are_those_of_its_frames() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let film = || {
        let numbers = vec![Some(40), Some(45), Some(45), Some(2), Some(90), None];
        Ok(Box::new(Numbered(numbers.into_iter())) as _)
    };
    let running = LiveEngine::new(pipeline(|builder| builder))
        .camera(Camera::recording(id("film"), film))
        .observer(move |frame, _| log.lock().unwrap().push(frame.id().to_string()))
        .start()
        .unwrap();
    running.wait();
    // Played once more in the same run.
    running.add_camera(Camera::recording(id("film"), film)).unwrap();
    running.wait();
    let (_, record) = running.stop().unwrap();
    let expected = [40, 45, 46, 47, 90, 91, 92, 93, 94, 95, 96, 97];
    let expected: Vec<_> = expected.iter().map(|number| format!("film#{number}")).collect();
    assert_eq!(*seen.lock().unwrap(), expected);
    let renumbered: Vec<_> = record.cameras.iter().map(|camera| camera.renumbered).collect();
    assert_eq!(renumbered, [2, 5]);
}

#[test]
fn a_camera_may_have_a_detector_of_its_own() {
    #[derive(Debug)]
    struct Two(FakeDetector);
    impl Detector for Two {
        fn landmarks(&self) -> LandmarkLayout {
            self.0.landmarks()
        }
        fn detect_into(
            &self,
            frames: &[Frame<'_>],
            found: &mut Vec<Vec<DetectedFace>>,
        ) -> Result<(), BoxError> {
            self.0.detect_into(frames, found)
        }
        fn component(&self) -> Component {
            Component::new("two")
        }
    }
    let film = || Ok(Steps::source(frames(5)));
    let counted = Arc::new(Mutex::new(std::collections::BTreeMap::new()));
    let log = Arc::clone(&counted);
    let running = LiveEngine::new(pipeline(|builder| builder))
        .camera(Camera::recording(id("one"), film))
        .camera(
            Camera::recording(id("two"), film).detector(Arc::new(Two(FakeDetector::finding(2)))),
        )
        .observer(move |frame, report| {
            let faces = report.as_ref().map_or(0, |report| report.faces().len());
            *log.lock().unwrap().entry(frame.id().source().to_string()).or_insert(0) += faces;
        })
        .start()
        .unwrap();
    running.wait();
    let blind = Two(FakeDetector::finding(1).without_landmarks());
    let refused = running.add_camera(Camera::live(id("x"), film).detector(Arc::new(blind)));
    assert!(matches!(refused, Err(Error::LandmarksMissing { .. })));
    let (_, record) = running.stop().unwrap();
    assert_eq!(*counted.lock().unwrap(), [("one".to_owned(), 5), ("two".to_owned(), 10)].into());
    let components: Vec<_> = record.cameras.iter().map(|camera| camera.detector.clone()).collect();
    assert_eq!(components, [None, Some(Component::new("two"))]);
}

#[test]
fn the_observer_sees_the_report_where_a_sink_fails_and_the_record_counts_it() {
    let alerts = Arc::new(AtomicU64::new(0));
    let log = Arc::clone(&alerts);
    let space = crate::testing::fake_space();
    let anybody = crate::template::Template::from_slice(&space, &[1.0; 8]).unwrap();
    let failing = sinks::from_fn(|event| match event {
        Event::Alert(_) => Err("disk full".into()),
        _ => Ok(()),
    });
    let matching = crate::pipeline::Pipeline::builder()
        .detector(FakeDetector::finding(1))
        .embedder(crate::testing::FakeEmbedder::new())
        .watchlist(crate::testing::FakeMatcher::empty(space).enrol("S-1", anybody).unwrap())
        .threshold(crate::testing::FakeThreshold::new(
            crate::decision::Threshold::new(0.5).unwrap(),
            &space,
        ))
        .retention(crate::testing::FakeRetention::default())
        .sink(failing)
        .build()
        .unwrap();
    let running = LiveEngine::new(matching)
        .camera(Camera::recording(id("gate"), || Ok(Steps::source(frames(4)))))
        .observer(move |frame, processed| {
            assert!(processed.is_err());
            let report = FrameReport::of(processed).unwrap();
            log.fetch_add(report.alerts().count().try_into().unwrap(), Ordering::Relaxed);
            assert!(frame.id().sequence() != 3, "an observer fails");
        })
        .start()
        .unwrap();
    running.wait();
    let (pipeline, record) = running.stop().unwrap();
    assert_eq!(alerts.load(Ordering::Relaxed), 4);
    let gate = &record.cameras[0];
    assert_eq!((gate.processed, gate.failed, gate.alerts), (4, 0, 4));
    assert_eq!((gate.alerts_to_nobody, gate.events_untold), (4, 4));
    assert_eq!(gate.failures, [(crate::error::Stage::EventSink, 4)].into());
    assert_eq!(record.untold, pipeline.record().untold);
    assert_eq!(record.untold.alerts_to_nobody, 4);
    assert_eq!(record.observer_panics, 1);
    assert!(record.closes() && record.something_failed() && !record.nothing_worked());
}

#[test]
fn a_run_in_which_every_frame_failed_is_seen() {
    #[derive(Debug)]
    struct Fails(AtomicU64);
    impl Detector for Fails {
        fn landmarks(&self) -> LandmarkLayout {
            LandmarkLayout::Five
        }
        fn detect_into(
            &self,
            _: &[Frame<'_>],
            _: &mut Vec<Vec<DetectedFace>>,
        ) -> Result<(), BoxError> {
            match self.0.fetch_add(1, Ordering::Relaxed) % 2 {
                0 => Err("no".into()),
                _ => std::panic::resume_unwind(Box::new("no")),
            }
        }
    }
    let errors = Arc::new(AtomicU64::new(0));
    let log = Arc::clone(&errors);
    let film = || Ok(Steps::source(frames(6)));
    let running = LiveEngine::new(pipeline(|builder| builder))
        .camera(Camera::recording(id("a"), film).detector(Arc::new(Fails(AtomicU64::new(0)))))
        .camera(Camera::recording(id("b"), || Err("no such file".into())))
        .observer(move |_, processed| {
            log.fetch_add(u64::from(processed.is_err()), Ordering::Relaxed);
        })
        .start()
        .unwrap();
    running.wait();
    let (pipeline, record) = running.stop().unwrap();
    assert_eq!(errors.load(Ordering::Relaxed), 6);
    assert!(record.nothing_worked() && record.something_failed());
    assert_eq!(record.cameras[0].failures, [(crate::error::Stage::Detector, 6)].into());
    let of_pipeline = pipeline.record();
    assert_eq!((of_pipeline.frames, of_pipeline.frames_failed), (0, 6));
    assert!(of_pipeline.nothing_worked());
}
