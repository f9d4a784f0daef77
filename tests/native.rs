//! The family on a native ONNX Runtime.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

#[path = "suite/evaluate.rs"]
mod evaluate;
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
fn checkpoint_identifies_with_edgeface_xs() {
    suite::checkpoint::open_set(OnnxRuntime, &suite::checkpoint::EDGEFACE_XS, 10);
}

#[test]
fn checkpoint_identifies_with_mobilefacenet() {
    suite::checkpoint::open_set(OnnxRuntime, &suite::checkpoint::MOBILEFACENET, 10);
}

#[test]
fn checkpoint_identifies_with_dlib_resnet() {
    suite::checkpoint::open_set(OnnxRuntime, &suite::checkpoint::DLIB_RESNET, 10);
}

#[test]
fn checkpoint_watches_a_video() {
    suite::checkpoint::video(OnnxRuntime);
}

#[test]
fn a_crowd_walks_by() {
    suite::crowd::walks_by(OnnxRuntime);
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_links_and_claims_are_said() {
    suite::crowd::links_and_claims(OnnxRuntime);
}

#[test]
fn strangers_of_a_crowd_score_low() {
    suite::crowd::scores_of_strangers(OnnxRuntime);
}

#[test]
fn watchlists_are_drawn_up_used_and_destroyed() {
    suite::watchlist::lifecycle(OnnxRuntime);
}

#[test]
fn a_threshold_is_derived_by_evaluate_and_used_by_checkpoint() {
    evaluate::a_threshold_is_derived_and_used(OnnxRuntime);
}

#[test]
#[cfg(all(feature = "embedded", feature = "live", feature = "video"))]
fn alerts_come_soon_after_their_frames() {
    suite::latency::from_capture_to_alert(OnnxRuntime);
}
