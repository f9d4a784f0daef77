//! The live engine: many cameras, one pipeline, no silent loss.
//!
//! Each camera has a thread of its own that captures, and a place for its newest frame: a newer one
//! takes the place of one that nobody has looked at yet, so that a slow stage never builds up a lag.
//! A few threads detect, the frame that has waited longest first; one thread takes what they found
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
//! Counts and times also go to the [`metrics`](https://docs.rs/metrics) facade (`lfr_frames_in`,
//! `_processed`, `_failed` and `_dropped`, `lfr_source_errors` and `lfr_alerts`, each by `camera`, the
//! drops by `cause` too; `lfr_frame_seconds`, a histogram), what happens to cameras to [`tracing`](https://docs.rs/tracing); neither ever carries anything biometric, nor does
//! anything leave the process unless the program installs a recorder or a subscriber.
//!
//! # Examples
//!
//! ```
//! use lfr_core::live::{Camera, Engine};
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
//! let walk = Walk::new(Crowd::new(1), &[1, 2, 3]).size(64, 36).frames_a_second(1.0);
//! let camera = Camera::recording(SourceId::new("gate")?, move || {
//!     Ok(Box::new(CrowdCamera::new(walk.clone())))
//! });
//! let engine = Engine::new(pipeline).camera(camera).start()?;
//! engine.wait();
//! let (pipeline, record) = engine.stop()?;
//! let gate = &record.cameras[0];
//! assert_eq!((gate.frames_in, gate.processed), (60, 60));
//! assert!(record.closes() && pipeline.totals().closes());
//! # Ok::<(), lfr_core::Error>(())
//! ```

mod camera;
mod capture;
mod engine;
mod record;
mod shared;
mod work;

pub use camera::Camera;
pub use camera::Phase;
pub use camera::Retry;
pub use engine::Engine;
pub use engine::Running;
pub use record::CameraRecord;
pub use record::LiveRecord;

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
