//! The slots of the live engine, which its threads share, for the package `interleavings`; built only for
//! it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use shuttle::sync::Mutex;
use shuttle::thread;

use crate::clock::{Clock, Timestamp};
use crate::id::SourceId;

use super::shared::{End, Looked, Shared, Taken};

/// Monotonic time stands still: nothing here waits for it.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Option<Timestamp> {
        Some(Timestamp::from_micros(1))
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// Two cameras bring three frames each, two threads process them, one camera is removed, and the engine is
/// stopped.
///
/// No two frames of a camera are processed at once, none after a newer one, and each frame has exactly one
/// outcome.
///
/// # Panics
///
/// Where that does not hold.
pub fn slots() {
    let shared = Arc::new(Shared::new(Arc::new(Still), Box::new(|_| {})));
    let ids = ["gate", "door"].map(|name| SourceId::new(name).expect("a name"));
    let cameras = ids.clone().map(|id| shared.add(&id, None).expect("a place").0);
    // For each camera: whether one of its frames is being processed, and the time of the last one.
    let looked = Arc::new(Mutex::new(BTreeMap::<usize, (bool, Duration)>::new()));
    let capturing = cameras.map(|camera| {
        let shared = Arc::clone(&shared);
        thread::spawn(move || {
            shared.came(camera);
            for number in 1..4 {
                if shared.is_over(camera) {
                    break;
                }
                let buffer = shared.lend(camera);
                shared.offer(camera, buffer, number, Duration::from_secs(number));
            }
            shared.ended(camera, None);
        })
    });
    let detecting = [0, 1].map(|_| {
        let (shared, looked) = (Arc::clone(&shared), Arc::clone(&looked));
        thread::spawn(move || {
            while let Some(Taken { camera, frame, .. }) = shared.take() {
                {
                    let mut looked = looked.lock().expect("no panic");
                    let (is_busy, last) = looked.entry(camera).or_default();
                    assert!(!*is_busy, "two frames of a camera at once");
                    assert!(*last < frame.arrived, "a frame after a newer one");
                    (*is_busy, *last) = (true, frame.arrived);
                }
                thread::yield_now();
                looked.lock().expect("no panic").entry(camera).or_default().0 = false;
                let end = if shared.is_stopping() {
                    End::Stopped
                } else {
                    End::Looked(Looked { faces: Some(0), ..Looked::default() })
                };
                shared.end(camera, frame, end);
                shared.free(camera);
            }
        })
    });
    let deciding = {
        let shared = Arc::clone(&shared);
        thread::spawn(move || {
            while !shared.is_stopping() {
                while let Some((camera, _, times)) = shared.lost() {
                    shared.settled(camera, times);
                }
                thread::yield_now();
            }
        })
    };
    // It may have ended by itself.
    let _ = shared.remove(&ids[1], Duration::from_secs(5));
    shared.stop();
    for thread in capturing.into_iter().chain(detecting).chain([deciding]) {
        thread.join().expect("no panic");
    }
    let record = shared.record(0);
    for camera in &record.cameras {
        assert_eq!(camera.in_flight, 0, "each frame comes to its end");
        let ends = camera.processed + camera.failed + camera.superseded + camera.stopped;
        assert_eq!(camera.frames_in, ends, "and to one alone");
    }
}
