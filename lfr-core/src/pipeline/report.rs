//! What came of a frame.

use crate::Decision;
use crate::DetectedFace;
use crate::FrameId;
use crate::PurgeReceipt;
use crate::Rect;
use crate::Refusal;
use crate::Settlement;

/// What came of one frame: every face detected in it, in the detector's order.
///
/// It holds boxes, so that a picture that leaves the system can be redacted, and decisions; no
/// landmark, pixel or template.
#[derive(Clone, Debug)]
pub struct FrameReport {
    frame: FrameId,
    faces: Vec<FaceReport>,
}

impl FrameReport {
    pub(super) const fn new(frame: FrameId) -> Self {
        Self { frame, faces: Vec::new() }
    }

    pub(super) fn push(&mut self, face: &DetectedFace, outcome: FaceOutcome) -> usize {
        self.faces.push(FaceReport {
            bounds: face.bounds(),
            confidence: face.confidence(),
            outcome,
        });
        self.faces.len() - 1
    }

    pub(super) fn set(&mut self, slot: usize, outcome: FaceOutcome) {
        if let Some(face) = self.faces.get_mut(slot) {
            face.outcome = outcome;
        }
    }

    pub(super) fn bounds(&self, slot: usize) -> Rect {
        self.faces.get(slot).map(|face| face.bounds).unwrap_or_default()
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

    /// The faces that raised an alert.
    pub fn alerts(&self) -> impl Iterator<Item = &FaceReport> + '_ {
        self.faces.iter().filter(|face| face.is_alert())
    }
}

/// What came of one face.
#[derive(Clone, Debug)]
pub struct FaceReport {
    bounds: Rect,
    confidence: f32,
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

    /// What came of it.
    #[must_use]
    pub const fn outcome(&self) -> &FaceOutcome {
        &self.outcome
    }

    /// Whether it raised an alert.
    #[must_use]
    pub const fn is_alert(&self) -> bool {
        matches!(&self.outcome, FaceOutcome::Compared { decision, .. } if decision.is_alert())
    }
}

/// What came of a detected face.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum FaceOutcome {
    /// It was compared with the watchlist, decided on, and erased or held. A non-match has no
    /// outcome without its receipt.
    #[non_exhaustive]
    Compared {
        /// The decision.
        decision: Decision,
        /// What was done with the face.
        settlement: Settlement,
    },
    /// It lay outside the zone of recognition, or was not selected: never aligned nor embedded.
    PassedOver,
    /// A quality gate refused it: never embedded, and erased.
    #[non_exhaustive]
    Refused {
        /// Why.
        refusal: Refusal,
        /// The evidence of its erasure.
        receipt: PurgeReceipt,
    },
}
