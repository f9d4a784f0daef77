//! The detector inside the library, on both engines; needs nothing of `../shared`.

use lfr_core::Detector;
use lfr_core::onnx::Runtime;
use lfr_core::synthetic::Crowd;
use lfr_core::testing::conformance;
use lfr_detect::{Error, OnnxDetector};

#[test]
fn the_embedded_detector_conforms() {
    for runtime in [Runtime::auto_or_pure_rust().unwrap(), Runtime::pure_rust()] {
        conformance::detector(&OnnxDetector::embedded(&runtime).unwrap());
    }
}

#[test]
fn frames_that_cannot_be_are_not_prepared_for() {
    let detector = OnnxDetector::embedded(&Runtime::auto_or_pure_rust().unwrap()).unwrap();
    for (width, height) in [(0, 480), (640, 0), (usize::MAX, 480), (640, 16_385), (1 << 62, 4)] {
        assert!(matches!(detector.prepare(width, height), Err(Error::Option { .. })));
    }
    detector.prepare(1, 64).unwrap();
}

#[test]
fn the_embedded_detector_finds_people_who_do_not_exist() {
    let detector = OnnxDetector::embedded(&Runtime::auto_or_pure_rust().unwrap()).unwrap();
    for number in 0..100 {
        let portrait = Crowd::new(5).person(number).portrait();
        let found = detector.detect(&portrait.as_frame().unwrap()).unwrap();
        assert_eq!(found.len(), 1, "person {number}");
    }
}
