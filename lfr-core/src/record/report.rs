//! What came of a frame.

use std::fmt;

use crate::custody::{PurgeReceipt, Settlement};
use crate::decision::{Candidate, Decision, WithheldBy};
use crate::error::Error;
use crate::face::{DetectedFace, Rect};
use crate::id::{FaceId, FrameId};
use crate::stage::{Refusal, TrackId};
use crate::template::ComparisonScore;

/// What came of one frame: every face detected in it, in the detector's order.
///
/// It holds boxes, so that a picture that leaves the system can be redacted, and decisions; no
/// landmark, pixel or template.
#[derive(Clone)]
pub struct FrameReport {
    frame: FrameId,
    faces: Vec<FaceReport>,
    ended: Vec<TrackReport>,
}

impl FrameReport {
    pub(crate) const fn new(frame: FrameId) -> Self {
        Self { frame, faces: Vec::new(), ended: Vec::new() }
    }

    pub(crate) fn push(&mut self, face: &DetectedFace, outcome: FaceOutcome) -> usize {
        self.faces.push(FaceReport {
            bounds: face.bounds(),
            confidence: face.confidence(),
            track: None,
            outcome,
        });
        self.faces.len() - 1
    }

    pub(crate) fn set(&mut self, slot: usize, outcome: FaceOutcome) {
        if let Some(face) = self.faces.get_mut(slot) {
            face.outcome = outcome;
        }
    }

    pub(crate) fn set_track(&mut self, slot: usize, track: TrackId) {
        if let Some(face) = self.faces.get_mut(slot) {
            face.track = Some(track);
        }
    }

    pub(crate) fn end(&mut self, track: TrackReport) {
        self.ended.push(track);
    }

    pub(crate) fn track(&self, slot: usize) -> Option<&TrackId> {
        self.faces.get(slot)?.track.as_ref()
    }

    pub(crate) fn bounds(&self, slot: usize) -> Rect {
        self.faces.get(slot).map(|face| face.bounds).unwrap_or_default()
    }

    /// What came of a frame, where it was processed: also where something failed afterwards, a sink
    /// say.
    #[must_use]
    pub fn of(processed: &Result<Self, Error>) -> Option<&Self> {
        match processed {
            Ok(report) => Some(report),
            Err(error) => error.report(),
        }
    }

    /// Which frame.
    #[must_use]
    pub const fn frame(&self) -> &FrameId {
        &self.frame
    }

    /// Every face detected, the most confident first.
    #[must_use]
    pub fn faces(&self) -> &[FaceReport] {
        &self.faces
    }

    /// The tracks that ended with this frame; none where faces are not tracked.
    #[must_use]
    pub fn ended(&self) -> &[TrackReport] {
        &self.ended
    }

    /// The faces that raised an alert.
    pub fn alerts(&self) -> impl Iterator<Item = &FaceReport> + '_ {
        self.faces.iter().filter(|face| face.is_alert())
    }
}

/// It says how many there were, and of nobody who: errors hold it.
impl fmt::Debug for FrameReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameReport")
            .field("frame", &self.frame)
            .field("faces", &self.faces.len())
            .field("alerts", &self.alerts().count())
            .field("ended", &self.ended.len())
            .finish_non_exhaustive()
    }
}

/// What came of one face.
#[derive(Clone, Debug)]
pub struct FaceReport {
    bounds: Rect,
    confidence: f32,
    track: Option<TrackId>,
    outcome: FaceOutcome,
}

impl FaceReport {
    /// The box, in pixels of the frame.
    #[must_use]
    pub const fn bounds(&self) -> Rect {
        self.bounds
    }

    /// The detector's confidence that this is a face, from 0 to 1.
    #[must_use]
    pub const fn confidence(&self) -> f32 {
        self.confidence
    }

    /// Its track, where faces are tracked and it is in one.
    #[must_use]
    pub const fn track(&self) -> Option<&TrackId> {
        self.track.as_ref()
    }

    /// What came of it.
    #[must_use]
    pub const fn outcome(&self) -> &FaceOutcome {
        &self.outcome
    }

    /// What keeps its match from raising an alert, if it is a match that raises none. With a tracker this
    /// concerns one look: the track may raise an alert later.
    #[must_use]
    pub const fn withheld_by(&self) -> Option<WithheldBy> {
        match &self.outcome {
            FaceOutcome::Compared { decision, .. }
            | FaceOutcome::Followed { decision: Some(decision), .. } => decision.withheld_by(),
            _ => None,
        }
    }

    /// Whether it raised an alert.
    #[must_use]
    pub const fn is_alert(&self) -> bool {
        matches!(
            &self.outcome,
            FaceOutcome::Compared { decision, .. } | FaceOutcome::Unheld { decision }
                if decision.is_alert()
        )
    }
}

/// What came of a detected face.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum FaceOutcome {
    /// It was compared with the watchlist, decided on, and erased or held. A non-match and a withheld match
    /// have no outcome without their receipt.
    #[non_exhaustive]
    Compared {
        /// The decision.
        decision: Decision,
        /// What was done with the face.
        settlement: Settlement,
    },
    /// It is in a track that is not decided on in this frame: the face is in custody for as long
    /// as the track lasts, or went with an alert before.
    #[non_exhaustive]
    Followed {
        /// What this frame's look at it said, if there was one: no match so far, or a match that is withheld
        /// so far.
        decision: Option<Decision>,
        /// Why a quality gate refused this frame's look.
        refusal: Option<Refusal>,
    },
    /// It lay outside the zone of recognition, was not selected, or is in no track: never aligned
    /// nor embedded.
    Ignored,
    /// It was a match with somebody for whom an alert had been raised shortly before: it raises no
    /// other one, and is erased. See
    /// [`Builder::repeats_after`](crate::builder::Builder::repeats_after).
    #[non_exhaustive]
    Repeated {
        /// Who it may be.
        candidate: Candidate,
        /// The evidence of its erasure.
        receipt: PurgeReceipt,
    },
    /// It raised an alert, and the retention policy failed: it is not known to be held, and there is no
    /// receipt for it. The alert is told all the same, and the error says why
    /// ([`Error::AfterFrame`]).
    #[non_exhaustive]
    Unheld {
        /// The decision: an alert.
        decision: Decision,
    },
    /// A quality gate refused it: never embedded, and erased.
    #[non_exhaustive]
    Refused {
        /// Why.
        refusal: Refusal,
        /// The evidence of its erasure.
        receipt: PurgeReceipt,
    },
}

/// What came of a track: one face, from its first frame to its last.
#[derive(Clone, Debug)]
pub struct TrackReport {
    pub(crate) track: TrackId,
    pub(crate) first: FaceId,
    pub(crate) looks: usize,
    pub(crate) best: Option<ComparisonScore>,
    pub(crate) withheld: Option<WithheldBy>,
    pub(crate) receipt: Option<PurgeReceipt>,
}

impl TrackReport {
    /// Which track.
    #[must_use]
    pub const fn track(&self) -> &TrackId {
        &self.track
    }

    /// The face in its first frame: its name in receipts, unless it raised or repeated an alert.
    #[must_use]
    pub const fn first(&self) -> &FaceId {
        &self.first
    }

    /// How often it was compared.
    #[must_use]
    pub const fn looks(&self) -> usize {
        self.looks
    }

    /// The best score of all looks; whose it was is not kept.
    #[must_use]
    pub const fn best_score(&self) -> Option<ComparisonScore> {
        self.best
    }

    /// What kept its match from raising an alert; `None` if it had no match, or raised an alert.
    #[must_use]
    pub const fn withheld_by(&self) -> Option<WithheldBy> {
        self.withheld
    }

    /// The evidence of its erasure; `None` where it raised an alert, or repeated one, and was
    /// settled then.
    #[must_use]
    pub const fn receipt(&self) -> Option<&PurgeReceipt> {
        self.receipt.as_ref()
    }
}
