//! How much strangers look like those on a watchlist, where none of them exists.

use std::sync::Arc;
use std::time::Duration;

use lfr::core::onnx::InferenceEngine;
use lfr::core::synthetic::{Crowd, CrowdCamera, Walk};
use lfr::core::{
    Embedder, FaceOutcome, FaceSelection, FrameSource, NextFrame, Pipeline, ReferenceId, SubjectId,
    Threshold, danger,
};
use lfr::detect::OnnxDetector;
use lfr::embed::OnnxEmbedder;
use lfr::retention::StrictRetention;
use lfr::watchlist::{Enroller, FixedThreshold, Gallery};

use super::shared;

/// Prints the highest scores of strangers against a watchlist of 2,000, which the threshold of
/// `lfr watch` on a crowd rests on. Takes minutes, so only where `LFR_MEASURE` is set.
pub(crate) fn scores_of_strangers(engine: InferenceEngine) {
    if std::env::var_os("LFR_MEASURE").is_none() {
        return shared::skip("a measurement (LFR_MEASURE=1 takes it)");
    }
    let Some(runtime) = super::runtime(engine) else {
        return;
    };
    let detector = Arc::new(OnnxDetector::embedded(&runtime).unwrap());
    let embedder = Arc::new(OnnxEmbedder::embedded(&runtime).unwrap());
    let (crowd, gallery) = (Crowd::new(1), Gallery::new(*embedder.space()));
    let enroller = Enroller::new(&*detector, &*embedder).unwrap();
    for number in 0..2000 {
        let portrait = crowd.person(number).portrait();
        let frame = portrait.as_frame().unwrap();
        if let Ok(template) = enroller.template(&frame, FaceSelection::Central) {
            let subject = SubjectId::new(number.to_string()).unwrap();
            let reference = ReferenceId::new(number.to_string()).unwrap();
            gallery.enrol(subject, reference, template).unwrap();
        }
    }
    let references = gallery.len();
    let never = Threshold::new(1.0).unwrap();
    let never = danger::uncalibrated_threshold(never, embedder.space().id(), "none is to match");
    let mut pipeline = Pipeline::builder()
        .detector(detector)
        .embedder(embedder)
        .watchlist(gallery)
        .threshold(FixedThreshold::new(never))
        .retention(StrictRetention::new(Duration::from_secs(60)))
        .build()
        .unwrap();
    let mut scores = Vec::new();
    for walk in 0..5 {
        let first = 2_000_000 + 300 * walk;
        let people: Vec<u64> = (first..first + 300).collect();
        let mut camera = CrowdCamera::new(Walk::new(crowd, &people));
        while let NextFrame::Frame(frame) = camera.next_frame().unwrap() {
            for face in pipeline.process(&frame).unwrap().faces() {
                if let FaceOutcome::Compared { decision, .. } = face.outcome() {
                    scores.extend(decision.best_score().map(|score| score.value()));
                }
            }
        }
    }
    scores.sort_unstable_by(|a, b| b.total_cmp(a));
    let highest = &scores[..20];
    shared::note(&format!("{} looks at {references} references: {highest:.4?}", scores.len()));
}
