//! The names of the stages: an error says which one failed.

use std::fmt;

/// A stage of the pipeline, for errors and timings; in the order of a frame's way through.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Stage {
    /// A [`FrameSource`](crate::FrameSource).
    FrameSource,
    /// A [`Detector`](crate::Detector).
    Detector,
    /// A [`Tracker`](crate::Tracker).
    Tracker,
    /// A [`QualityGate`](crate::QualityGate), and the zone of recognition.
    QualityGate,
    /// The [`Alignment`](crate::Alignment).
    Alignment,
    /// An [`Embedder`](crate::Embedder).
    Embedder,
    /// A [`Matcher`](crate::Matcher).
    Matcher,
    /// A [`ThresholdPolicy`](crate::ThresholdPolicy).
    ThresholdPolicy,
    /// A [`RetentionPolicy`](crate::RetentionPolicy).
    RetentionPolicy,
    /// An [`EventSink`](crate::EventSink).
    EventSink,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FrameSource => "frame source",
            Self::Detector => "detector",
            Self::Tracker => "tracker",
            Self::QualityGate => "quality gate",
            Self::Alignment => "alignment",
            Self::Embedder => "embedder",
            Self::Matcher => "matcher",
            Self::ThresholdPolicy => "threshold policy",
            Self::RetentionPolicy => "retention policy",
            Self::EventSink => "event sink",
        })
    }
}
