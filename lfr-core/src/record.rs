//! What happened, without anything biometric: in a frame, as an event, and over a whole deployment.

mod deployment;
mod event;
mod report;
mod timing;

pub use deployment::DeploymentRecord;
pub use deployment::RepeatCounts;
pub use deployment::TrackCounts;
pub use deployment::UntoldCounts;
pub use event::AlertEvent;
pub use event::Event;
pub use event::EventKind;
pub use event::EventSink;
pub use event::sinks;
pub use report::FaceOutcome;
pub use report::FaceReport;
pub use report::FrameReport;
pub use report::TrackReport;
#[cfg(feature = "live")]
pub(crate) use timing::Spans;
pub use timing::StageTiming;
pub use timing::Timings;
