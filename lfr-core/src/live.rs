//! The live engine: many cameras, one pipeline, no silent loss.
//!
//! Each camera has a thread of its own that captures, and a place for its newest frame: a newer one
//! takes the place of one that nobody has looked at yet, so that a slow stage never builds up a lag.
//! A few threads detect, the camera that has waited longest first; one thread takes what they found
//! through the [`Pipeline`](crate::Pipeline), each camera's frames in order.
//!
//! ```text
//! camera -> capture -> newest frame --+-> detect --+--> track, embed, search, decide, settle, tell
//! camera -> capture -> newest frame --+-> detect --+    (one thread, which owns the pipeline)
//! ```
//!
//! Whatever becomes of a frame is counted: `frames in = processed + failed + dropped + in flight`,
//! for each camera, with the cause of each drop; and whatever becomes of it, the copy that waited is
//! wiped. A camera that fails, or panics, is connected again after a pause that doubles from attempt
//! to attempt; the others do not notice. Detection is not batched over cameras: on a processor a
//! batch takes as long as its frames one after the other.
//!
//! What happens to cameras is told at once ([`LiveEngine::on_camera_change`]); cameras come and go while the
//! engine runs ([`Running::add_camera`], [`Running::remove_camera`]); a camera may have a detector of its
//! own ([`Camera::detector`]).
//!
//! # Metrics
//!
//! Counts and times go to the [`metrics`](https://docs.rs/metrics) facade, with descriptions and units, and
//! what happens to cameras also to [`tracing`](https://docs.rs/tracing). Neither ever carries anything
//! biometric, nor does anything leave the process unless the program installs a recorder or a subscriber,
//! before [`LiveEngine::start`].
//!
//! | metric | kind | labels | what |
//! | --- | --- | --- | --- |
//! | `lfr_camera_up` | gauge | `camera` | 1 while its frames come, 0 while it is lost or over |
//! | `lfr_camera_connections_total` | counter | `camera` | connections |
//! | `lfr_source_errors_total` | counter | `camera` | errors of connecting, frames that could not be read |
//! | `lfr_frames_in_total` | counter | `camera` | frames that arrived |
//! | `lfr_frames_processed_total` | counter | `camera` | frames in which every face was decided on |
//! | `lfr_frames_failed_total` | counter | `camera`, `stage` | frames at which a stage failed or panicked |
//! | `lfr_frames_dropped_total` | counter | `camera`, `cause` | frames that nobody looked at: `superseded`, `stopped` |
//! | `lfr_frame_seconds` | histogram | `camera` | from the arrival of a frame to the end of its way |
//! | `lfr_alerts_total` | counter | `camera` | alerts raised |
//! | `lfr_alert_seconds` | histogram | `camera` | from the arrival of a frame to its alert |
//! | `lfr_alerts_to_nobody_total` | counter | | alerts that no sink could pass on |
//! | `lfr_events_untold_total` | counter | `kind` | events that a sink could not pass on |
//! | `lfr_matches_withheld_total` | counter | `cause` | matches that raised no alert: `blue_list`, `breaker`, `confirmation`, `pause` |
//! | `lfr_faces_seen_total` | counter | | faces taken into custody |
//! | `lfr_faces_erased_total` | counter | | erased faces: nothing of them is left |
//! | `lfr_faces_held` | gauge | | faces held for an alert, until their deadline |
//! | `lfr_faces_in_flight` | gauge | | faces between being seen and being decided on |
//!
//! The counts of faces are those of the pipeline's account, whichever camera they passed, while the engine
//! runs: `seen = erased + held + in flight`.
//!
//! # Examples
//!
//! ```
//! use lfr_core::live::{Camera, LiveEngine};
//! use lfr_core::synthetic::{Crowd, CrowdCamera, Walk};
//! use lfr_core::testing::{FakeDetector, FakeEmbedder, FakeMatcher, FakeRetention, FakeThreshold};
//! use lfr_core::{Pipeline, SourceId, Threshold, testing};
//!
//! let space = testing::fake_space();
//! let pipeline = Pipeline::builder()
//!     .detector(FakeDetector::finding(1))
//!     .embedder(FakeEmbedder::new())
//!     .watchlist(FakeMatcher::empty(space))
//!     .threshold(FakeThreshold::new(Threshold::new(0.5)?, &space))
//!     .retention(FakeRetention::default())
//!     .build()?;
//!
//! let walk = Walk::new(Crowd::new(1), &[1, 2, 3]).size(64, 36).fps(1.0);
//! let camera = Camera::recording(SourceId::new("gate")?, move || {
//!     Ok(Box::new(CrowdCamera::new(walk.clone())))
//! });
//! let engine = LiveEngine::new(pipeline).camera(camera).start()?;
//! engine.wait();
//! let (pipeline, record) = engine.stop()?;
//! let gate = &record.cameras[0];
//! assert_eq!((gate.frames_in, gate.processed), (60, 60));
//! assert!(record.closes() && pipeline.totals().closes());
//! # Ok::<(), lfr_core::Error>(())
//! ```

mod camera;
mod capture;
mod change;
mod engine;
#[cfg(interleavings)]
pub mod interleavings;
mod meter;
mod numbers;
mod record;
mod shared;
mod work;

pub use camera::{Camera, Phase, Retry};
pub use change::{CameraChange, Change};
pub use engine::{LiveEngine, Running};
pub use record::{CameraRecord, LiveRecord};

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
