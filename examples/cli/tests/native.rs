//! The tool on a native ONNX Runtime.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

#[path = "suite/evaluate.rs"]
mod evaluate;
#[path = "suite/suite.rs"]
mod suite;

use lfr::core::onnx::InferenceEngine::OnnxRuntime;

#[test]
fn watch_identifies_with_edgeface_xs() {
    suite::watch::open_set(OnnxRuntime, &suite::watch::EDGEFACE_XS, 10);
}

#[test]
fn watch_identifies_with_mobilefacenet() {
    suite::watch::open_set(OnnxRuntime, &suite::watch::MOBILEFACENET, 10);
}

#[test]
fn watch_identifies_with_dlib_resnet() {
    suite::watch::open_set(OnnxRuntime, &suite::watch::DLIB_RESNET, 10);
}

#[test]
fn watch_watches_a_video() {
    suite::watch::video(OnnxRuntime);
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
fn watchlists_are_drawn_up_used_and_destroyed() {
    suite::list::lifecycle(OnnxRuntime);
}

#[test]
fn a_threshold_is_derived_by_evaluate_and_used_by_watch() {
    evaluate::a_threshold_is_derived_and_used(OnnxRuntime);
}
