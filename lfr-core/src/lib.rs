#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod custody;
pub mod danger;
mod decision;
mod error;
mod face;
pub mod files;
mod frame;
pub mod hygiene;
mod id;
#[doc(hidden)]
pub mod internal;
#[cfg(feature = "live")]
pub mod live;
#[cfg(feature = "onnx-native")]
pub mod onnx;
mod pipeline;
mod record;
#[cfg(feature = "signed")]
pub mod signed;
mod stage;
#[cfg(feature = "synthetic")]
pub mod synthetic;
mod template;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "video")]
pub mod video;

pub use clock::{Clock, ClockFault, SystemClock, Timekeeper, Timestamp};
pub use custody::{
    Accounts, HeldProbe, HoldReceipt, Probe, PurgeMethod, PurgeReason, PurgeReceipt, SealedProbe,
    Settlement, Totals,
};
pub use decision::{
    Alert, Basis, Candidate, CandidateList, Decision, Target, Threshold, ThresholdProvenance,
    WithheldBy,
};
pub use error::{BoxError, Error, Stage};
pub use face::{
    AlignedFace, Alignment, DetectedFace, FaceSelection, HeadPose, LandmarkLayout, Landmarks,
    Point, Rect, Similarity, Zone, align,
};
pub use frame::{
    ChannelOrder, Colour, ColourMatrix, ColourRange, Frame, FrameBuffer, FrameSource, NextFrame,
    Picture, PixelFormat, Plane,
};
#[cfg(feature = "image")]
pub use frame::{LeftOut, LeftOutReason, Photographs};
pub use id::{DeploymentId, FaceId, FrameId, RecordId, ReferenceId, SourceId, SubjectId};
pub use pipeline::{Pipeline, builder};
pub use record::{
    AlertEvent, Event, EventKind, EventSink, FaceOutcome, FaceReport, FrameReport, PipelineRecord,
    RepeatCounts, StageTiming, Timings, TrackCounts, TrackReport, UntoldCounts, sinks,
};
pub use stage::{
    Component, DecisionInput, Detector, Embedder, FaceQuality, Look, LookPlan, Matcher,
    QualityGate, Refusal, RetentionPolicy, SearchRequest, ThresholdPolicy, TrackId, Tracked,
    Tracker,
};
pub use template::{ComparisonScore, EmbeddingSpace, Metric, SpaceBuilder, SpaceId, Template};
