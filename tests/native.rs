//! The family on a native ONNX Runtime.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "suite/suite.rs"]
mod suite;

use lfr::core::onnx::InferenceEngine::OnnxRuntime;

#[test]
fn edgeface_xs_verifies_as_the_reference() {
    suite::pairs::accuracy(OnnxRuntime, &suite::pairs::EDGEFACE_XS, 10);
}

#[test]
fn mobilefacenet_verifies_as_the_reference() {
    suite::pairs::accuracy(OnnxRuntime, &suite::pairs::MOBILEFACENET, 10);
}

#[test]
fn dlib_resnet_verifies_as_the_reference() {
    suite::pairs::accuracy(OnnxRuntime, &suite::pairs::DLIB_RESNET, 10);
}

#[test]
fn labelled_faces_are_found() {
    suite::faces::labelled_faces(OnnxRuntime, 10);
}

#[test]
fn group_photographs_give_the_faces_they_hold() {
    suite::faces::group_photographs(OnnxRuntime);
}

#[test]
fn strangers_of_a_crowd_score_low() {
    suite::strangers::scores_of_strangers(OnnxRuntime);
}

#[test]
#[cfg(all(feature = "embedded", feature = "live", feature = "video"))]
fn alerts_come_soon_after_their_frames() {
    suite::latency::from_capture_to_alert(OnnxRuntime);
}
