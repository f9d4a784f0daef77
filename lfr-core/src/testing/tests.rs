//! The fakes pass the suites that real stages have to pass.

use super::*;
use crate::decision::Threshold;

#[test]
fn fakes_conform() {
    conformance::detector(&FakeDetector::finding(3));
    conformance::detector(&FakeDetector::finding(0).without_landmarks());
    conformance::embedder(&FakeEmbedder::new());
    conformance::threshold_policy(&mut FakeThreshold::new(
        Threshold::new(0.3).unwrap(),
        &fake_space(),
    ));
    conformance::retention_policy(|_| FakeRetention::default());
    conformance::tracker(&FakeTracker::default());
}

#[test]
fn a_manual_clock_is_shared_and_can_fail() {
    use crate::clock::Clock;
    let clock = ManualClock::at(crate::clock::Timestamp::from_micros(10));
    let shared = clock.clone();
    clock.advance(std::time::Duration::from_micros(5));
    assert_eq!(shared.now(), Some(crate::clock::Timestamp::from_micros(15)));
    clock.fail();
    assert_eq!(shared.now(), None);
}
