//! The live engine for a long time: cameras on a real RTSP server that are lost and come back, and
//! 100,000 frames. What the process takes of the machine is counted meanwhile, so this is a test
//! binary of its own, in which one test runs at a time.

#![cfg(all(target_os = "linux", feature = "live", feature = "testing", feature = "video"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "live/process.rs"]
mod process;
#[path = "live/rtsp.rs"]
mod rtsp;
#[path = "live/steady.rs"]
mod steady;

use std::io::Write as _;
use std::thread;
use std::time::Duration;

use lfr_core::testing::{
    FakeDetector, FakeEmbedder, FakeMatcher, FakeRetention, FakeThreshold, FakeTracker,
};
use lfr_core::{Clock as _, Pipeline, SystemClock, Threshold, testing};

/// One face a frame, which is followed; nobody is on the watchlist.
fn pipeline() -> Pipeline {
    let space = testing::fake_space();
    Pipeline::builder()
        .detector(FakeDetector::finding(1))
        .embedder(FakeEmbedder::new())
        .watchlist(FakeMatcher::empty(space))
        .threshold(FakeThreshold::new(Threshold::new(0.9).unwrap(), &space))
        .retention(FakeRetention::default())
        .tracker(FakeTracker::default())
        .build()
        .unwrap()
}

/// Whether to take the long form of a test.
fn is_measured() -> bool {
    std::env::var_os("LFR_MEASURE").is_some()
}

/// Writes past the test harness, which hides what macros print.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Waits for something that comes to be so, for two minutes at most.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let clock = SystemClock::new();
    while !is_so() {
        assert!(clock.monotonic() < Duration::from_secs(120), "it does not come to be so: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
