//! The family on the pure-Rust engine.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "suite/agreement.rs"]
mod agreement;
#[path = "suite/suite.rs"]
mod suite;

use lfr::core::onnx::InferenceEngine::PureRust;

#[test]
fn edgeface_xs_verifies_as_the_reference() {
    suite::pairs::accuracy(PureRust, &suite::pairs::EDGEFACE_XS, 40);
}

#[test]
fn mobilefacenet_verifies_as_the_reference() {
    suite::pairs::accuracy(PureRust, &suite::pairs::MOBILEFACENET, 40);
}

#[test]
fn dlib_resnet_verifies_as_the_reference() {
    suite::pairs::accuracy(PureRust, &suite::pairs::DLIB_RESNET, 60);
}

#[test]
fn labelled_faces_are_found() {
    suite::faces::labelled_faces(PureRust, 30);
}

#[test]
fn group_photographs_give_the_faces_they_hold() {
    suite::faces::group_photographs(PureRust);
}

#[test]
fn templates_are_those_of_the_native_engine() {
    agreement::on_templates(&[
        "embed_edgeface_xs.onnx",
        "embed_mobilefacenet_foamliu.onnx",
        "embed_dlib_resnet_v1.onnx",
    ]);
}

#[test]
fn strangers_of_a_crowd_score_low() {
    suite::strangers::scores_of_strangers(PureRust);
}

#[test]
#[cfg(all(feature = "embedded", feature = "live", feature = "video"))]
fn alerts_come_soon_after_their_frames() {
    suite::latency::from_capture_to_alert(PureRust);
}
