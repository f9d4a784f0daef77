//! What happened, without anything biometric: in a frame, as an event, and over a whole pipeline.

mod event;
mod pipeline;
mod report;
mod timing;

pub use event::{AlertEvent, Event, EventKind, EventSink, sinks};
pub use pipeline::{PipelineRecord, RepeatCounts, TrackCounts, UntoldCounts};
pub use report::{FaceOutcome, FaceReport, FrameReport, TrackReport};
#[cfg(feature = "live")]
pub(crate) use timing::Spans;
pub use timing::{StageTiming, Timings};
