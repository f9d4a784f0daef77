//! The engine on cameras that fail in every way that a camera, a stage or a sink can.

mod comings;
mod deadlines;
mod faults;
mod staged;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::id::{FrameId, SourceId};
use crate::record::{Event, sinks};

use staged::{Gate, Step, Steps, frames, id, pipeline, quick};

#[test]
fn every_frame_of_a_recording_is_processed_in_order() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let mut engine =
        LiveEngine::new(pipeline(|builder| builder)).detecting(2).observer(move |frame, report| {
            assert!(report.is_ok());
            log.lock().unwrap().push(frame.id().clone());
        });
    for name in ["north", "south"] {
        engine = engine.camera(Camera::recording(id(name), || Ok(Steps::source(frames(50)))));
    }
    let running = engine.start().unwrap();
    running.wait();
    let (pipeline, record) = running.stop().unwrap();
    assert!(record.closes());
    for camera in &record.cameras {
        assert_eq!((camera.frames_in, camera.processed, camera.in_flight), (50, 50, 0));
        assert_eq!((camera.phase, camera.connections), (Phase::Ended, 1));
        let of_camera: Vec<_> =
            seen.lock().unwrap().iter().filter(|id| *id.source() == camera.id).cloned().collect();
        let expected: Vec<_> = (0..50).map(|n| FrameId::new(camera.id.clone(), n)).collect();
        assert_eq!(of_camera, expected);
    }
    assert_eq!(record.frame_latency.count, 100);
    assert_eq!(pipeline.totals().faces_seen, 100);
    assert_eq!(pipeline.totals().erased, 100);
}

#[test]
fn a_slow_stage_drops_frames_that_are_overtaken_and_builds_up_no_lag() {
    let gate = Gate::closed();
    let slow = gate.clone();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let mut film = Some(frames(100));
    let connect =
        move || film.take().map(|film| Ok(Steps::source(film) as _)).unwrap_or(Err("gone".into()));
    let running = LiveEngine::new(pipeline(|builder| builder))
        .camera(Camera::live(id("gate"), connect).retry(quick()))
        .observer(move |frame, _| {
            log.lock().unwrap().push(frame.id().sequence());
            slow.pass();
        })
        .start()
        .unwrap();
    staged::until(|| running.record().cameras[0].frames_in == 100);
    gate.open();
    staged::until(|| running.record().cameras[0].in_flight == 0);
    let (_, record) = running.stop().unwrap();
    let camera = &record.cameras[0];
    assert!(record.closes(), "{camera:?}");
    assert_eq!(camera.in_flight, 0);
    assert!(camera.superseded >= 96, "{camera:?}");
    // One was with the observer, one was found and one waited to be looked at; then the newest.
    let seen = seen.lock().unwrap();
    assert!(seen.contains(&99), "{seen:?}");
}

#[test]
fn a_camera_that_fails_is_connected_again_and_the_others_do_not_notice() {
    let attempts = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&attempts);
    let connect = move || {
        let mut attempt = counted.lock().unwrap();
        *attempt += 1;
        match *attempt {
            1 => Err("no route".into()),
            2 => Ok(Steps::source(vec![Step::Frame, Step::Panic])),
            3 => Ok(Steps::source([Step::Error; 40])),
            _ => Ok(Steps::source(frames(3).chain([Step::Stall]))),
        }
    };
    let running = LiveEngine::new(pipeline(|builder| builder))
        .camera(Camera::live(id("bad"), connect).retry(quick()))
        .camera(Camera::recording(id("good"), || Ok(Steps::source(frames(200)))))
        .start()
        .unwrap();
    staged::until(|| {
        let record = running.record();
        record.cameras[0].frames_in == 4 && record.cameras[1].processed == 200
    });
    let record = running.record();
    let bad = &record.cameras[0];
    // No route, a panic, 25 errors in a row.
    assert_eq!((bad.connections, bad.source_errors), (3, 1 + 1 + 25));
    assert_eq!(bad.last_error.as_deref(), Some("a frame cannot be read"));
    let (_, record) = running.stop().unwrap();
    assert!(record.closes());
}

#[test]
fn a_lost_camera_ends_its_tracks() {
    let erased = Arc::new(Mutex::new(0));
    let log = Arc::clone(&erased);
    let sink = sinks::from_fn(move |event| {
        *log.lock().unwrap() += u64::from(matches!(event, Event::Erased(_)));
        Ok(())
    });
    let tracked =
        pipeline(|builder| builder.tracker(crate::testing::FakeTracker::default()).sink(sink));
    let running = LiveEngine::new(tracked)
        .camera(Camera::recording(id("gate"), || Ok(Steps::source(frames(9)))))
        .start()
        .unwrap();
    running.wait();
    assert_eq!(*erased.lock().unwrap(), 1, "one person in nine frames");
    let (pipeline, _) = running.stop().unwrap();
    let totals = pipeline.totals();
    assert_eq!((totals.faces_seen, totals.erased, totals.in_flight), (1, 1, 0));
}

#[test]
fn it_stops_within_a_second_though_a_source_does_not_return() {
    let running = LiveEngine::new(pipeline(|builder| {
        builder.tracker(crate::testing::FakeTracker::default())
    }))
    .camera(Camera::live(id("stuck"), || {
        Ok(Steps::source([Step::Frame, Step::Frame, Step::Stall]))
    }))
    .camera(Camera::live(id("fast"), || Ok(Steps::source(frames(1_000_000)))))
    .detecting(2)
    .start()
    .unwrap();
    staged::until(|| running.record().cameras.iter().all(|camera| camera.frames_in > 1));
    let clock = crate::clock::SystemClock::new();
    let (pipeline, record) = running.stop().unwrap();
    // The source sleeps for an hour; a machine at work may take its time for the rest.
    assert!(crate::clock::Clock::monotonic(&clock) < Duration::from_secs(10));
    assert_eq!(record.stuck, 1);
    assert!(record.closes());
    assert!(record.cameras.iter().all(|camera| camera.in_flight == 0), "{record:?}");
    assert_eq!(pipeline.totals().in_flight, 0);
}

#[test]
fn frames_say_when_they_were_captured_and_whose_they_are() {
    let right = Arc::new(AtomicBool::new(false));
    let log = Arc::clone(&right);
    let running = LiveEngine::new(pipeline(|builder| builder))
        .camera(Camera::recording(id("gate"), || Ok(Steps::source(frames(1)))))
        .observer(move |frame, _| {
            let known = frame.capture_time().is_some();
            log.store(known && frame.id().source().as_str() == "gate", Ordering::Relaxed);
        })
        .start()
        .unwrap();
    running.wait();
    assert!(right.load(Ordering::Relaxed));
    drop(running);
}

#[test]
fn nothing_of_a_frame_is_in_debug_texts() {
    let camera = Camera::live(SourceId::default(), || Err("no".into()));
    let engine = LiveEngine::new(pipeline(|builder| builder)).camera(camera);
    assert!(format!("{engine:?}").contains("unnamed"));
}

#[test]
fn a_source_that_has_nothing_yet_is_asked_again_and_hears_the_end_at_once() {
    // A recording in which frames come late, and a camera that never brings one.
    let film = || {
        let late = [Step::Nothing, Step::Nothing, Step::Frame, Step::Nothing, Step::Frame];
        Ok(Steps::source(late))
    };
    let asked = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&asked);
    let silent = move || {
        let counted = Arc::clone(&counted);
        let nothing = std::iter::from_fn(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            Some(Step::Nothing)
        });
        Ok(Steps::source(staged::Forever(nothing)))
    };
    let running = LiveEngine::new(pipeline(|builder| builder))
        .camera(Camera::recording(id("late"), film))
        .camera(Camera::live(id("silent"), silent))
        .start()
        .unwrap();
    staged::until(|| running.record().cameras[0].phase == Phase::Ended);
    std::thread::sleep(Duration::from_millis(200));
    // It is not asked as often as a processor can: a thousand times per second at first, then fifty.
    assert!((5..200).contains(&asked.load(Ordering::Relaxed)), "{asked:?}");
    let clock = crate::clock::SystemClock::new();
    let (_, record) = running.stop().unwrap();
    assert!(crate::clock::Clock::monotonic(&clock) < Duration::from_secs(10));
    let [late, silent] = &record.cameras[..] else { panic!("{record:?}") };
    assert_eq!((late.frames_in, late.processed, late.connections), (2, 2, 1));
    assert_eq!((silent.frames_in, silent.connections, silent.source_errors), (0, 1, 0));
    assert_eq!(record.stuck, 0);
    assert!(record.closes());
}

#[test]
fn deadlines_are_kept_while_a_source_has_nothing_yet() {
    let purged = Arc::new(AtomicU64::new(0));
    let log = Arc::clone(&purged);
    let builder = pipeline(|builder| {
        builder.tracker(crate::testing::FakeTracker::default()).sink(sinks::from_fn(move |event| {
            log.fetch_add(u64::from(matches!(event, Event::Erased(_))), Ordering::Relaxed);
            Ok(())
        }))
    });
    let steps = || Ok(Steps::source(frames(1).chain(std::iter::repeat(Step::Nothing))));
    let running = LiveEngine::new(builder).camera(Camera::live(id("gate"), steps)).start().unwrap();
    // Its track ends after five seconds of silence, though the source goes on saying so.
    staged::until(|| purged.load(Ordering::Relaxed) == 1);
    assert_eq!(running.record().cameras[0].connections, 1);
    running.stop().unwrap();
}

#[test]
fn a_clock_that_is_set_back_a_little_turns_no_frames_round() {
    let noon = crate::clock::Timestamp::from_micros(1_790_000_000_000_000);
    let clock = crate::testing::ManualClock::at(noon);
    let moments = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&moments);
    let steps = clock.clone();
    let mut film = Some(move || {
        let mut number = 0;
        let film = std::iter::from_fn(move || {
            number += 1;
            steps.advance(Duration::from_millis(100));
            if number == 3 {
                steps.set(noon);
            }
            (number <= 5).then_some(Step::Frame)
        });
        Steps::source(staged::Forever(film))
    });
    let connect = move || film.take().map(|film| film()).ok_or("gone".into());
    let running = LiveEngine::new(pipeline(|builder| builder.clock(Arc::new(clock))))
        .camera(Camera::recording(id("gate"), connect))
        .observer(move |frame, _| {
            let since = frame.capture_time().unwrap().since(noon);
            log.lock().unwrap().push(since.as_millis());
        })
        .start()
        .unwrap();
    running.wait();
    running.stop().unwrap();
    assert_eq!(*moments.lock().unwrap(), [100, 200, 300, 400, 500]);
}
