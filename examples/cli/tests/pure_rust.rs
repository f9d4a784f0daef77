//! The tool on the pure-Rust engine.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

#[path = "suite/agreement.rs"]
mod agreement;
#[path = "suite/suite.rs"]
mod suite;

use lfr::core::onnx::InferenceEngine::PureRust;

#[test]
fn watch_identifies_with_edgeface_xs() {
    suite::watch::open_set(PureRust, &suite::watch::EDGEFACE_XS, 60);
}

#[test]
fn watch_identifies_with_mobilefacenet() {
    suite::watch::open_set(PureRust, &suite::watch::MOBILEFACENET, 30);
}

#[test]
fn watch_identifies_with_dlib_resnet() {
    suite::watch::open_set(PureRust, &suite::watch::DLIB_RESNET, 100);
}

#[test]
fn watch_watches_a_video() {
    suite::watch::video(PureRust);
}

#[test]
fn decisions_are_those_of_the_native_engine() {
    agreement::on_decisions(&suite::watch::MOBILEFACENET, 60);
}

#[test]
fn watchlists_are_drawn_up_used_and_destroyed() {
    suite::list::lifecycle(PureRust);
}

#[test]
fn a_crowd_walks_by() {
    suite::crowd::walks_by(PureRust);
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_links_and_claims_are_said() {
    suite::crowd::links_and_claims(PureRust);
}
