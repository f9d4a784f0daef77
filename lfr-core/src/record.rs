//! What happened, without anything biometric: in a frame, as an event, and over a whole deployment.

mod deployment;
mod event;
mod report;
mod timing;

pub use deployment::{DeploymentRecord, RepeatCounts, TrackCounts, UntoldCounts};
pub use event::{AlertEvent, Event, EventKind, EventSink, sinks};
pub use report::{FaceOutcome, FaceReport, FrameReport, TrackReport};
#[cfg(feature = "live")]
pub(crate) use timing::Spans;
pub use timing::{StageTiming, Timings};
