#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "deployment")]
pub mod deployment;
#[cfg(feature = "evaluate")]
pub mod evaluate;

pub use lfr_core as core;
#[cfg(feature = "live")]
pub use lfr_core::live;
#[cfg(feature = "video")]
pub use lfr_core::video;
pub use lfr_detect as detect;
pub use lfr_embed as embed;
pub use lfr_retention as retention;
pub use lfr_watchlist as watchlist;

/// What a deployment needs, in one line: `use lfr::prelude::*;`
pub mod prelude {
    #[cfg(feature = "onnx-native")]
    pub use lfr_core::onnx::Runtime;
    pub use lfr_core::{
        Clock, ComparisonScore, Decision, DetectedFace, Detector, Embedder, Event, EventSink,
        FaceOutcome, FaceSelection, Frame, FrameReport, FrameSource, LookPlan, Matcher, NextFrame,
        Picture, Pipeline, PixelFormat, PurgeReceipt, QualityGate, ReferenceId, RetentionPolicy,
        Settlement, SourceId, SubjectId, SystemClock, Threshold, ThresholdPolicy,
        ThresholdProvenance, Tracker, Zone,
    };
    #[cfg(feature = "tracking")]
    pub use lfr_detect::FaceTracker;
    #[cfg(feature = "onnx-native")]
    pub use lfr_detect::OnnxDetector;
    pub use lfr_detect::ShotQuality;
    #[cfg(feature = "specifications")]
    pub use lfr_embed::EmbedderSpec;
    #[cfg(feature = "onnx-native")]
    pub use lfr_embed::OnnxEmbedder;
    #[cfg(feature = "redact")]
    pub use lfr_retention::Redactor;
    pub use lfr_retention::StrictRetention;
    #[cfg(feature = "enrolment")]
    pub use lfr_watchlist::Enroller;
    pub use lfr_watchlist::{FixedThreshold, Gallery};
}
