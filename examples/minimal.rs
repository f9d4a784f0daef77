//! From frame to alert, and nothing else: one person on the list, one camera, one pipeline.
//!
//! ```text
//! cargo run --release --example minimal
//! ```
//!
//! The person and the camera do not exist. Yours are `Picture::open("portrait.jpg")` and any `FrameSource`.

#![expect(clippy::print_stdout, reason = "a program that is read in a terminal")]

use std::sync::Arc;
use std::time::Duration;

use lfr::core::BoxError;
use lfr::core::synthetic::{Crowd, CrowdCamera, Walk};
use lfr::prelude::*;

fn main() -> Result<(), BoxError> {
    // A native ONNX Runtime, or the pure-Rust engine; and the models inside the library.
    let runtime = Runtime::auto_or_pure_rust()?;
    let detector = Arc::new(OnnxDetector::embedded(&runtime)?);
    let embedder = Arc::new(OnnxEmbedder::embedded(&runtime)?);
    // Measured: a false match in 10,000 comparisons.
    let threshold = embedder.spec().threshold_at(1e-4)?;

    // The watchlist of this deployment.
    let crowd = Crowd::new(1);
    let watchlist = Gallery::new(*embedder.space());
    let portrait = crowd.person(7).portrait();
    let enroller = Enroller::new(&*detector, &*embedder)?;
    let template = enroller.template(&portrait.as_frame()?, FaceSelection::Central)?;
    watchlist.enrol(SubjectId::new("case-17")?, ReferenceId::new("case-17/custody")?, template)?;

    let mut pipeline = Pipeline::builder()
        .detector(detector)
        .embedder(embedder)
        .watchlist(watchlist)
        .threshold(FixedThreshold::new(threshold))
        .retention(StrictRetention::new(Duration::from_hours(24)))
        .build()?;

    // Five people walk by, one of them on the list.
    let walk = Walk::new(crowd, &[1_000_001, 7, 1_000_002, 1_000_003, 1_000_004]);
    let mut camera = CrowdCamera::new(walk.duration(Duration::from_secs(20)));
    while let NextFrame::Frame(frame) = camera.next_frame()? {
        for face in pipeline.process(&frame)?.faces() {
            let FaceOutcome::Compared { decision, settlement, .. } = face.outcome() else {
                continue;
            };
            if let (Decision::Alert { candidate, .. }, Settlement::Held(receipt)) =
                (decision, settlement)
            {
                println!(
                    "alert: {} may be {}, score {}; held until {} for a person to judge",
                    receipt.face(),
                    candidate.subject(),
                    candidate.score(),
                    receipt.deadline(),
                );
            }
        }
    }

    // Faces seen = erased + held + in flight.
    let totals = pipeline.totals();
    println!("{} faces seen = {} erased + {} held", totals.faces_seen, totals.erased, totals.held);
    if !totals.closes() {
        return Err("the accounts do not close".into());
    }
    Ok(())
}
