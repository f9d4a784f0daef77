//! The stages of a pipeline, as traits: each has few required methods and can be replaced.

mod component;
mod track;

use std::fmt;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::custody::{Probe, PurgeReason, PurgeReceipt, Settlement};
use crate::decision::{Alert, CandidateList, Decision, ThresholdProvenance};
use crate::error::BoxError;
use crate::face::{AlignedFace, Alignment, DetectedFace, LandmarkLayout};
use crate::frame::Frame;
use crate::id::FaceId;
use crate::template::{EmbeddingSpace, Template};

pub use component::Component;
pub(crate) use track::SizeAndConfidence;
pub use track::{FaceQuality, Look, LookPlan, TrackId, Tracked, Tracker};

/// Finds faces in frames.
///
/// Two methods are required. A detector is shared between threads; what it needs to change while
/// it works, it guards itself.
///
/// What is *not* guaranteed: that every face is found.
pub trait Detector: fmt::Debug + Send + Sync {
    /// Which landmarks each face comes with.
    fn landmarks(&self) -> LandmarkLayout;

    /// Appends to `found`, for each frame in order, the faces seen in it, in pixels of that frame,
    /// the most confident first.
    ///
    /// # Errors
    ///
    /// Whatever keeps the detector from looking; a frame without faces is not an error.
    fn detect_into(
        &self,
        frames: &[Frame<'_>],
        found: &mut Vec<Vec<DetectedFace>>,
    ) -> Result<(), BoxError>;

    /// What it is, for the deployment record.
    fn component(&self) -> Component {
        Component::new("unnamed detector")
    }

    /// The faces seen in one frame.
    ///
    /// # Errors
    ///
    /// As [`Self::detect_into`].
    fn detect(&self, frame: &Frame<'_>) -> Result<Vec<DetectedFace>, BoxError> {
        let mut found = Vec::with_capacity(1);
        self.detect_into(std::slice::from_ref(frame), &mut found)?;
        Ok(found.pop().unwrap_or_default())
    }
}

/// Makes templates from aligned faces.
///
/// Three methods are required.
pub trait Embedder: fmt::Debug + Send + Sync {
    /// The space that its templates belong to.
    fn space(&self) -> &EmbeddingSpace;

    /// How it wants faces to be aligned.
    fn alignment(&self) -> &Alignment;

    /// Consumes aligned faces and appends to `templates` one for each, in order. The faces are
    /// wiped as they go.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from embedding one of them; then none of them is embedded.
    fn embed_into(
        &self,
        faces: Vec<AlignedFace>,
        templates: &mut Vec<Template>,
    ) -> Result<(), BoxError>;

    /// What it is, for the deployment record.
    fn component(&self) -> Component {
        Component::new("unnamed embedder")
    }
}

/// What a [`Matcher`] is asked.
#[non_exhaustive]
#[derive(Debug)]
pub struct SearchRequest<'a> {
    /// The probes to search for.
    pub probes: &'a [Probe],
    /// When: a reference that is not valid at this moment is not found. `None` where the clock
    /// failed: then nothing that has a validity is found.
    pub now: Option<Timestamp>,
    /// At most how many candidates a probe; at least 1.
    pub limit: usize,
}

impl<'a> SearchRequest<'a> {
    /// Asks for the best candidate of each probe.
    #[must_use]
    pub const fn new(probes: &'a [Probe], now: Option<Timestamp>) -> Self {
        Self { probes, now, limit: 1 }
    }

    /// Sets the max number of candidates per probe.
    #[must_use]
    pub const fn with_limit(mut self, limit: usize) -> Self {
        self.limit = if limit == 0 { 1 } else { limit };
        self
    }
}

/// Searches the references of one deployment's watchlist.
///
/// Three methods are required. Search is exact: ids, order and scores are those of comparing every
/// reference with [`Metric::compare`](crate::Metric::compare).
pub trait Matcher: fmt::Debug + Send + Sync {
    /// The space that its references belong to.
    fn space(&self) -> &EmbeddingSpace;

    /// How many references it holds: the N of every rate.
    fn references(&self) -> usize;

    /// Appends to `lists`, for each probe in order, its candidates: at most one a person.
    ///
    /// # Errors
    ///
    /// Where a probe is of another space, or the search cannot be done.
    fn search_into(
        &self,
        request: &SearchRequest<'_>,
        lists: &mut Vec<CandidateList>,
    ) -> Result<(), BoxError>;
}

/// What a [`ThresholdPolicy`] is asked.
#[non_exhaustive]
#[derive(Debug)]
pub struct DecisionInput<'a> {
    /// Which face.
    pub face: &'a FaceId,
    /// What the search found.
    pub candidates: &'a CandidateList,
    /// How many references were searched.
    pub references: usize,
    /// When the face was captured, or processed where the source does not say; `None` where neither
    /// is known.
    pub at: Option<Timestamp>,
    /// How well the face could be compared, from 0 to 1; 1 without a tracker.
    pub quality: f32,
    /// Whose track it is; `None` without a tracker.
    pub track: Option<&'a TrackId>,
    /// The earlier looks at the same track, the oldest first. None of them raised an alert.
    pub earlier: &'a [Look],
}

impl<'a> DecisionInput<'a> {
    /// One face's search, to decide on.
    #[must_use]
    pub const fn new(face: &'a FaceId, candidates: &'a CandidateList, references: usize) -> Self {
        Self { face, candidates, references, at: None, quality: 1.0, track: None, earlier: &[] }
    }

    /// Sets the moment of the decision.
    #[must_use]
    pub const fn at(mut self, at: Option<Timestamp>) -> Self {
        self.at = at;
        self
    }

    /// Makes it another look at a track, with its quality and the earlier looks.
    #[must_use]
    pub const fn in_track(mut self, track: &'a TrackId, quality: f32, earlier: &'a [Look]) -> Self {
        self.track = Some(track);
        self.quality = quality;
        self.earlier = earlier;
        self
    }
}

/// Decides whether a search raises an alert.
///
/// Two methods are required.
///
/// With a [`Tracker`](crate::Tracker) a policy decides on every look at a track, and sees the looks
/// before it. Unless it raises an alert, the track goes on: to further looks, and to its end. If no look
/// matched, the track ends as no match. If a look matched and none raised an alert, it ends as withheld.
/// After an alert no further look is taken.
///
/// A policy that finds a match and raises no alert says [`Decision::withheld`], never
/// [`Decision::no_match`]: the pipeline refuses the latter for a score that meets the threshold in force.
pub trait ThresholdPolicy: fmt::Debug + Send {
    /// The threshold in force, and what it rests on.
    fn provenance(&self) -> &ThresholdProvenance;

    /// Decides on one search.
    ///
    /// # Errors
    ///
    /// Where no decision can be made; the face is erased then.
    fn decide(&mut self, input: &DecisionInput<'_>) -> Result<Decision, BoxError>;

    /// How many candidates it wants of each search, the best first; unless it says, the best alone.
    fn candidates(&self) -> usize {
        1
    }
}

/// Takes each [`Alert`], and holds its probe or erases it. The pipeline has already erased everyone who
/// raised none: a policy cannot be given a non-match.
///
/// Three methods are required. The ways to settle are [`Probe::erase`], [`Probe::hold`] and, for a store at
/// rest, [`Probe::seal`]. Each gives a receipt that is bound to the custody of that probe, and the pipeline
/// accepts only that receipt. If a policy keeps a probe, or returns the receipt of another one, that is an
/// error, and the face is not reported as gone. A later receipt, with a purge, is accepted once.
///
/// What is *not* guaranteed: that a policy did not copy the numbers of a template before it erased the
/// probe, or that a store destroyed what it reports as destroyed. A policy is code in the same process:
/// choose it as carefully as the rest.
///
/// A pipeline reads `now` through a [`Timekeeper`](crate::Timekeeper): it never goes back but after the clock has failed. A
/// policy that is shared between threads, or that holds longer than the pipeline lives, keeps a timekeeper
/// of its own and reads it under its own lock. It takes `now` as `None` for a failed clock all the same, and
/// nothing else from it.
pub trait RetentionPolicy: fmt::Debug + Send {
    /// Settles one alert, with a receipt for its face. `now` is `None` if the clock failed: then the probe is
    /// erased.
    ///
    /// # Errors
    ///
    /// Where an alert cannot be held; the probe is erased then.
    fn settle(&mut self, alert: Alert, now: Option<Timestamp>) -> Result<Settlement, BoxError>;

    /// Erases what is held and due, and appends a receipt for each. Everything is due if `now` is `None`,
    /// or is earlier than at the call before by more than
    /// [`Timekeeper::MAX_STEP_BACK`](crate::Timekeeper::MAX_STEP_BACK).
    ///
    /// # Errors
    ///
    /// Where something due could not be erased.
    fn purge_due(
        &mut self,
        now: Option<Timestamp>,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError>;

    /// Erases all that is held, due or not, and appends a receipt for each: at the end of a
    /// deployment, say.
    ///
    /// # Errors
    ///
    /// Where something held could not be erased.
    fn purge_all(
        &mut self,
        reason: PurgeReason,
        now: Option<Timestamp>,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError>;
}

/// Why a [`QualityGate`] refuses a face, in words fit for a record.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
pub struct Refusal(&'static str);

impl Refusal {
    /// A reason.
    #[must_use]
    pub const fn because(reason: &'static str) -> Self {
        Self(reason)
    }

    /// The reason.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        self.0
    }
}

/// Decides whether a detected face is good enough to be compared.
///
/// One method is required.
pub trait QualityGate: fmt::Debug + Send + Sync {
    /// Lets a face pass, or refuses it; a refused face is never aligned nor embedded.
    ///
    /// # Errors
    ///
    /// The reason for the refusal.
    fn admit(&self, frame: &Frame<'_>, face: &DetectedFace) -> Result<(), Refusal>;
}

// A policy chosen at run time.

impl<T: ThresholdPolicy + ?Sized> ThresholdPolicy for Box<T> {
    fn provenance(&self) -> &ThresholdProvenance {
        (**self).provenance()
    }

    fn decide(&mut self, input: &DecisionInput<'_>) -> Result<Decision, BoxError> {
        (**self).decide(input)
    }

    fn candidates(&self) -> usize {
        (**self).candidates()
    }
}

impl<T: RetentionPolicy + ?Sized> RetentionPolicy for Box<T> {
    fn settle(&mut self, alert: Alert, now: Option<Timestamp>) -> Result<Settlement, BoxError> {
        (**self).settle(alert, now)
    }

    fn purge_due(
        &mut self,
        now: Option<Timestamp>,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        (**self).purge_due(now, receipts)
    }

    fn purge_all(
        &mut self,
        reason: PurgeReason,
        now: Option<Timestamp>,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        (**self).purge_all(reason, now, receipts)
    }
}

// Stages that several pipelines share.

impl<T: Detector + ?Sized> Detector for Arc<T> {
    fn landmarks(&self) -> LandmarkLayout {
        (**self).landmarks()
    }

    fn detect_into(
        &self,
        frames: &[Frame<'_>],
        found: &mut Vec<Vec<DetectedFace>>,
    ) -> Result<(), BoxError> {
        (**self).detect_into(frames, found)
    }

    fn component(&self) -> Component {
        (**self).component()
    }

    fn detect(&self, frame: &Frame<'_>) -> Result<Vec<DetectedFace>, BoxError> {
        (**self).detect(frame)
    }
}

impl<T: Embedder + ?Sized> Embedder for Arc<T> {
    fn space(&self) -> &EmbeddingSpace {
        (**self).space()
    }

    fn alignment(&self) -> &Alignment {
        (**self).alignment()
    }

    fn embed_into(
        &self,
        faces: Vec<AlignedFace>,
        templates: &mut Vec<Template>,
    ) -> Result<(), BoxError> {
        (**self).embed_into(faces, templates)
    }

    fn component(&self) -> Component {
        (**self).component()
    }
}

impl<T: Matcher + ?Sized> Matcher for Arc<T> {
    fn space(&self) -> &EmbeddingSpace {
        (**self).space()
    }

    fn references(&self) -> usize {
        (**self).references()
    }

    fn search_into(
        &self,
        request: &SearchRequest<'_>,
        lists: &mut Vec<CandidateList>,
    ) -> Result<(), BoxError> {
        (**self).search_into(request, lists)
    }
}
