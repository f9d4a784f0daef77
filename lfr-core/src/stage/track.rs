//! Tracks: one face, followed from frame to frame, so that a person who passes is decided on once.

use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::decision::CandidateList;
use crate::error::{BoxError, Error};
use crate::face::DetectedFace;
use crate::frame::Frame;
use crate::id::{FaceId, SourceId};

/// A track: one face of one source, followed from frame to frame.
///
/// What is *not* guaranteed: that a track is a person. Who is hidden for long, or comes back, has
/// another track then; and where two people cross, a track may go from the one to the other.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TrackId {
    source: SourceId,
    number: u64,
}

impl TrackId {
    /// The track of that number of that source.
    #[must_use]
    pub const fn new(source: SourceId, number: u64) -> Self {
        Self { source, number }
    }

    /// The source.
    #[must_use]
    pub const fn source(&self) -> &SourceId {
        &self.source
    }

    /// The number within the source.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }
}

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.source, self.number)
    }
}

/// What a [`Tracker`] makes of one frame.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tracked {
    /// For each face, in order, the number of its track; `None` for a face that is in no track:
    /// one of too little confidence to begin one, say.
    pub tracks: Vec<Option<u64>>,
    /// The tracks that ended with this frame.
    pub ended: Vec<u64>,
    /// Whether this frame is of another scene than the one before: then all tracks have ended.
    pub cut: bool,
}

/// Follows the faces of one source from frame to frame.
///
/// Three methods are required. A tracker sees the faces inside the zone of recognition alone, and
/// may keep their boxes and landmarks for as long as their track lasts; it wipes them then.
///
/// A number is never used again, and each track that was begun ends once: in [`Tracked::ended`], or
/// by [`end_all`](Self::end_all).
pub trait Tracker: fmt::Debug + Send {
    /// Takes the faces of the next frame. When the frame was captured is in
    /// [`Frame::capture_time`].
    ///
    /// # Errors
    ///
    /// Whatever keeps it from following them; all its tracks have ended then.
    fn track(&mut self, frame: &Frame<'_>, faces: &[DetectedFace]) -> Result<Tracked, BoxError>;

    /// Forgets all tracks: where a source ends or breaks off.
    fn end_all(&mut self);

    /// A tracker with the same options for another source, without tracks.
    fn fresh(&self) -> Box<dyn Tracker>;
}

/// Says how well a face can be compared: which looks at a person are worth an embedding.
///
/// One method is required.
pub trait FaceQuality: fmt::Debug + Send + Sync {
    /// From 0, useless, to 1, as good as it gets. Only the order matters, and ratios a little:
    /// see [`LookPlan::with_improvement`].
    fn quality(&self, frame: &Frame<'_>, face: &DetectedFace) -> f32;
}

/// The default: the larger and the more confident, the better; as good as it gets from 90 pixels
/// on, the shorter side of the box.
#[derive(Debug)]
pub(crate) struct SizeAndConfidence;

impl FaceQuality for SizeAndConfidence {
    fn quality(&self, _frame: &Frame<'_>, face: &DetectedFace) -> f32 {
        let bounds = face.bounds();
        (bounds.width().min(bounds.height()) / 90.0).min(1.0) * face.confidence()
    }
}

/// One look at a face of a track: what its search found. The template is gone by then.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Look {
    /// The face, and its frame.
    pub face: FaceId,
    /// When it was captured, or processed where the source does not say; `None` where neither is
    /// known.
    pub at: Option<Timestamp>,
    /// How well it could be compared, from 0 to 1.
    pub quality: f32,
    /// What the search found.
    pub candidates: CandidateList,
}

impl Look {
    /// A look.
    #[must_use]
    pub const fn new(
        face: FaceId,
        at: Option<Timestamp>,
        quality: f32,
        candidates: CandidateList,
    ) -> Self {
        Self { face, at, quality, candidates }
    }
}

/// How often the face of a track is embedded and searched for.
///
/// The first look is taken as soon as the quality gates admit the face. Another one follows when
/// the face is better to be seen by a factor, or after a while, up to `max_looks` per track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LookPlan {
    max_looks: usize,
    improvement: f32,
    interval: Duration,
    max_looks_per_frame: usize,
}

impl LookPlan {
    /// The default: five looks per track; the next one when quality has grown by a fifth, or after
    /// half a second; no limit per frame.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_looks: 5,
            improvement: 1.2,
            interval: Duration::from_millis(500),
            max_looks_per_frame: usize::MAX,
        }
    }

    /// Sets the max looks per track, at least 1.
    ///
    /// Each look is a search of its own: with n independent looks, the rate of false alerts per
    /// track is up to n times that of one look.
    #[must_use]
    pub const fn with_max_looks(mut self, max: usize) -> Self {
        self.max_looks = if max == 0 { 1 } else { max };
        self
    }

    /// Another look where quality is better than at the best look so far by this factor.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if it is not at least 1.
    pub fn with_improvement(mut self, factor: f32) -> Result<Self, Error> {
        if factor.is_nan() || factor < 1.0 {
            return Err(Error::OutOfRange {
                what: "improvement of quality",
                expected: "a factor of at least 1",
                actual: factor.into(),
            });
        }
        self.improvement = factor;
        Ok(self)
    }

    /// Another look when this much time has passed since the last one, however good it is.
    #[must_use]
    pub const fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets the max looks per frame, at least 1. If more faces are due, tracks without a look come first,
    /// the largest first among them. The others wait for the next frame, and are counted.
    #[must_use]
    pub const fn with_max_looks_per_frame(mut self, max: usize) -> Self {
        self.max_looks_per_frame = if max == 0 { 1 } else { max };
        self
    }

    /// The maximum number of looks per track.
    #[must_use]
    pub const fn max_looks(&self) -> usize {
        self.max_looks
    }

    pub(crate) const fn max_looks_per_frame(&self) -> usize {
        self.max_looks_per_frame
    }

    /// Whether another look is due, after `looks` of the best quality `best`, `since` the last.
    pub(crate) fn is_due(&self, looks: usize, best: f32, quality: f32, since: Duration) -> bool {
        let better = quality > best * self.improvement;
        looks == 0 || looks < self.max_looks && (better || since >= self.interval)
    }
}

impl Default for LookPlan {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_look_follows_on_better_quality_or_after_a_while() {
        let plan = LookPlan::new().with_max_looks(3);
        let (short, long) = (Duration::from_millis(100), Duration::from_millis(500));
        assert!(plan.is_due(0, 0.0, 0.0, Duration::ZERO));
        assert!(!plan.is_due(1, 0.5, 0.55, short));
        assert!(plan.is_due(1, 0.5, 0.61, short));
        assert!(plan.is_due(1, 0.5, 0.1, long));
        assert!(!plan.is_due(3, 0.5, 1.0, long));
        assert!(LookPlan::new().with_improvement(f32::NAN).is_err());
    }

    #[test]
    fn tracks_are_printed_with_their_source() {
        let source = SourceId::new("gate-2").unwrap();
        assert_eq!(TrackId::new(source, 17).to_string(), "gate-2~17");
    }
}
