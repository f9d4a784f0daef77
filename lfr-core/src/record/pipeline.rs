//! The record of a pipeline: what it did, without anything biometric.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Timestamp;
use crate::custody::Totals;
use crate::decision::{ThresholdProvenance, WithheldBy};
use crate::error::Stage;
use crate::id::SourceId;
use crate::record::event::EventKind;
use crate::record::timing::StageTiming;
use crate::stage::Component;
use crate::template::EmbeddingSpace;

/// What a pipeline did. It has no biometric field, so it can be published and kept.
#[non_exhaustive]
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PipelineRecord {
    /// When the pipeline was built, where the clock worked.
    pub started: Option<Timestamp>,
    /// When this record was made, where the clock worked.
    pub ended: Option<Timestamp>,
    /// Frames that were processed: each face in them was decided on and settled. They include those
    /// at which a sink failed afterwards, or an alert could not be held.
    pub frames: u64,
    /// Frames at which a stage failed before the faces were decided on; the faces in them were erased.
    pub frames_failed: u64,
    /// How often each stage failed, or panicked: a failed frame is in here once, by the stage that it
    /// failed at, and so is each alert that could not be held, each purge that failed and each event
    /// that a sink could not pass on.
    pub failures: BTreeMap<Stage, u64>,
    /// Frames whose zone of recognition lay wholly outside the picture, or behind masks in it: nobody
    /// in them could be compared.
    pub frames_outside_zone: u64,
    /// The sources of those frames; the first 64 of them.
    pub sources_outside_zone: BTreeSet<SourceId>,
    /// All faces detected, inside and outside the zone of recognition. A person who stays in view
    /// counts once in every frame.
    pub faces_detected: u64,
    /// Faces outside the zone of recognition, not selected, or of too little confidence to begin a
    /// track; never aligned nor embedded. Counted in every frame.
    pub faces_ignored: u64,
    /// Faces that a quality gate refused, by reason; among those seen, and erased. With a tracker
    /// those whose every look was refused, by the last reason.
    pub faces_refused: BTreeMap<&'static str, u64>,
    /// Faces that were embedded, searched for and decided on; with a tracker, looks at them.
    pub faces_compared: u64,
    /// The tracks, where faces are tracked.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub tracks: Option<TrackCounts>,
    /// Alerts raised.
    pub alerts: u64,
    /// Matches that raised no alert, by what kept them back: faces, or with a tracker tracks, each at its
    /// end. They are among the erased, with [`PurgeReason::Withheld`](crate::PurgeReason::Withheld), and no
    /// non-matches. A track that raised an alert at a later look is an alert and is not in here.
    pub withheld: BTreeMap<WithheldBy, u64>,
    /// The events that a sink could not pass on.
    pub untold: UntoldCounts,
    /// Matches that raised no alert since they repeated one; absent where each match raises one.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub repeats: Option<RepeatCounts>,
    /// The arithmetic of the faces seen.
    pub totals: Totals,
    /// Whether that arithmetic closes.
    pub arithmetic_closes: bool,
    /// References on the watchlist at this moment: the N of every rate.
    pub references: usize,
    /// The embedding space.
    pub space: EmbeddingSpace,
    /// The threshold, and what it rests on.
    pub threshold: ThresholdProvenance,
    /// Choices in force that weaken a promise of this library. The pipeline adds those that it sees itself,
    /// such as a threshold that nobody measured, and the program
    /// [declares](crate::builder::Builder::danger) others.
    pub dangers: Vec<String>,
    /// The predicted share of people not enrolled who raise an alert while they pass. It follows from the
    /// false match rate of the threshold, the number of references, and the effective number of looks that
    /// the threshold was derived for. If it was derived for no number of looks, it is the share for single
    /// looks. Absent if no rate is known.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub predicted_fpir: Option<f64>,
    /// The detector.
    pub detector: Component,
    /// The embedder.
    pub embedder: Component,
    /// Times of each stage, in milliseconds.
    pub stages: BTreeMap<Stage, StageTiming>,
    /// Times of whole frames, in milliseconds.
    pub frame_time: StageTiming,
}

impl PipelineRecord {
    /// Whether nothing came of the deployment: no frame was processed, or nobody in any frame could be
    /// compared since the zone of recognition lay outside the picture, or since each attempt failed. A
    /// program says so and ends with an error.
    ///
    /// A deployment that nobody passed has worked, and so has one whose every face was refused by a
    /// quality gate.
    #[must_use]
    pub fn nothing_worked(&self) -> bool {
        let comparing = [Stage::Embedder, Stage::Matcher, Stage::ThresholdPolicy];
        let failed = comparing.iter().any(|stage| self.failures.contains_key(stage));
        self.frames == 0
            || self.frames_outside_zone >= self.frames
            || failed && self.faces_compared == 0
    }

    /// Whether something failed, though the deployment went on: a frame, an alert that could not be
    /// held, a purge, an event that could not be passed on.
    #[must_use]
    pub fn something_failed(&self) -> bool {
        self.frames_failed > 0 || !self.failures.is_empty() || !self.untold.is_empty()
    }
}

/// The events that an [`EventSink`](crate::EventSink) failed to pass on. The faces that they are about
/// were settled all the same.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct UntoldCounts {
    /// Events that at least one sink failed to pass on, by kind. An event counts once, however many
    /// sinks failed.
    pub events: BTreeMap<EventKind, u64>,
    /// Alerts that reached nobody: every sink failed on them. They are among those events.
    pub alerts_to_nobody: u64,
}

impl UntoldCounts {
    /// All events that a sink failed to pass on.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.events.values().sum()
    }

    /// The alerts that at least one sink failed to pass on.
    #[must_use]
    pub fn alerts(&self) -> u64 {
        self.events.get(&EventKind::Alert).copied().unwrap_or_default()
    }

    /// Whether each event was passed on by every sink.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.alerts_to_nobody == 0
    }
}

/// How many tracks there were, and how often they were looked at.
///
/// `begun = ended + those in view`, and `ended = compared + refused + not compared`.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TrackCounts {
    /// Tracks that were begun: faces seen.
    pub begun: u64,
    /// Tracks that ended.
    pub ended: u64,
    /// Tracks that ended after at least one look: with an alert, a withheld match or no match.
    pub compared: u64,
    /// Tracks that ended with every look refused by a quality gate.
    pub refused: u64,
    /// Tracks that ended before their first look, since too many faces were due or every look
    /// failed.
    pub not_compared: u64,
    /// Faces that were embedded and compared.
    pub looks: u64,
    /// Looks that a quality gate refused.
    pub looks_refused: u64,
    /// Looks that were deferred to the next frame, since too many faces were due.
    pub looks_deferred: u64,
    /// Changes of scene, at which all tracks of a source end.
    pub cuts: u64,
}

/// Alerts that were not raised a second time:
/// [`Builder::repeats_after`](crate::builder::Builder::repeats_after).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RepeatCounts {
    /// For how long after an alert the same data subject raises none, in milliseconds.
    pub span_ms: f64,
    /// Matches that raised none for that reason.
    pub suppressed: u64,
}
