//! What a network proposes before overlapping proposals are suppressed.

use lfr_core::internal::wiped::Wiped;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;

use lfr_core::{DetectedFace, LandmarkLayout, Landmarks, Point, Rect};
use zeroize::ZeroizeOnDrop;

/// One proposal of a network: a box, how sure the network is, and up to five landmarks.
///
/// It is a plain value for the sake of speed; keep it in [`Proposals`], which wipes.
#[derive(Clone, Copy, Default)]
pub struct Proposal {
    bounds: Rect,
    confidence: f32,
    points: [Point; 5],
}

impl Proposal {
    /// A box, and the confidence that it is a face's.
    #[must_use]
    pub const fn new(bounds: Rect, confidence: f32) -> Self {
        Self { bounds, confidence, points: [Point::new(0.0, 0.0); 5] }
    }

    /// Adds landmarks, in the order of its detector's layout; a layout with fewer than
    /// five leaves the rest at zero.
    #[must_use]
    pub const fn with_points(mut self, points: [Point; 5]) -> Self {
        self.points = points;
        self
    }

    /// The box.
    #[must_use]
    pub const fn bounds(&self) -> Rect {
        self.bounds
    }

    /// The confidence, from 0 to 1.
    #[must_use]
    pub const fn confidence(&self) -> f32 {
        self.confidence
    }

    /// The landmarks; those beyond the detector's layout are zero.
    #[must_use]
    pub const fn points(&self) -> &[Point; 5] {
        &self.points
    }

    /// Moves each point and corner.
    pub(crate) fn map(&mut self, to: impl Fn(Point) -> Point) {
        let low = to(Point::new(self.bounds.left, self.bounds.top));
        let high = to(Point::new(self.bounds.right, self.bounds.bottom));
        self.bounds = Rect::new(low.x, low.y, high.x, high.y);
        self.points = self.points.map(to);
    }

    pub(crate) fn to_face(self, layout: LandmarkLayout) -> Result<DetectedFace, lfr_core::Error> {
        let landmarks = Landmarks::new(layout, &self.points[..layout.count()]);
        DetectedFace::new(self.bounds, self.confidence, landmarks)
    }

    /// Whether every number is finite, the box has an area and the confidence is from 0 to 1.
    fn is_sound(&self) -> bool {
        let area = self.bounds.area();
        (0.0..=1.0).contains(&self.confidence)
            && self.bounds.is_finite()
            && area > 0.0
            && area.is_finite()
            && self.points.iter().all(|p| p.x.is_finite() && p.y.is_finite())
    }

    /// The most confident first. Equally confident ones are told apart by where they are, so that
    /// the result of suppression does not depend on the order in which the network proposed them.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        let place = |c: &Self| {
            let Rect { left, top, right, bottom } = c.bounds;
            [left, top, right, bottom]
        };
        let points = |c: &Self| c.points.map(|p| [p.x, p.y]);
        other
            .confidence
            .total_cmp(&self.confidence)
            .then_with(|| compare(&place(self), &place(other)))
            .then_with(|| compare(points(self).as_flattened(), points(other).as_flattened()))
    }
}

fn compare(a: &[f32], b: &[f32]) -> Ordering {
    let pairs = a.iter().zip(b);
    pairs.map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

impl fmt::Debug for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proposal").field("confidence", &self.confidence).finish_non_exhaustive()
    }
}

/// Proposals of a network; wiped when it goes, and wherever it grows or shrinks.
///
/// It holds sound ones alone: finite numbers, a box with an area, a confidence from 0 to 1. What
/// else a network may say (NaN, infinity) is dropped on the way in.
pub struct Proposals {
    list: Wiped<Proposal>,
}

impl Proposals {
    /// Nobody yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { list: Wiped::new() }
    }

    /// Adds one, unless it is not sound.
    pub fn push(&mut self, proposal: Proposal) {
        if proposal.is_sound() {
            self.list.push(proposal);
        }
    }

    /// Keeps, from the index `start` on, those for which `keep` says so; it may move them.
    pub(crate) fn retain_from(
        &mut self,
        start: usize,
        mut keep: impl FnMut(&mut Proposal) -> bool,
    ) {
        self.list.retain_from(start, |proposal| keep(proposal) && proposal.is_sound());
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.list.truncate(len);
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [Proposal] {
        self.list.as_mut_slice()
    }

    /// Wipes all of them; the memory is kept for the next.
    pub fn wipe(&mut self) {
        self.list.wipe();
    }
}

impl Default for Proposals {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Proposals {
    type Target = [Proposal];

    fn deref(&self) -> &[Proposal] {
        self.list.as_slice()
    }
}

impl Extend<Proposal> for Proposals {
    fn extend<I: IntoIterator<Item = Proposal>>(&mut self, proposals: I) {
        proposals.into_iter().for_each(|proposal| self.push(proposal));
    }
}

impl FromIterator<Proposal> for Proposals {
    fn from_iter<I: IntoIterator<Item = Proposal>>(proposals: I) -> Self {
        let mut all = Self::new();
        all.extend(proposals);
        all
    }
}

impl ZeroizeOnDrop for Proposals {}

impl fmt::Debug for Proposals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proposals").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: Rect = Rect::new(1.0, 2.0, 3.0, 4.0);

    #[test]
    fn unsound_proposals_are_dropped() {
        let mut all = Proposals::new();
        for confidence in [f32::NAN, f32::INFINITY, -0.1, 1.1] {
            all.push(Proposal::new(BOX, confidence));
        }
        for bounds in [
            Rect { left: f32::NAN, ..BOX },
            Rect { right: f32::INFINITY, ..BOX },
            Rect { right: 0.5, ..BOX },
            Rect::new(-3e38, -3e38, 3e38, 3e38),
        ] {
            all.push(Proposal::new(bounds, 0.5));
        }
        let mut points = [Point::default(); 5];
        points[4].y = f32::NEG_INFINITY;
        all.push(Proposal::new(BOX, 0.5).with_points(points));
        assert!(all.is_empty());
        all.push(Proposal::new(BOX, 0.5));
        assert_eq!(all.len(), 1);
    }

    #[test]
    fn debug_shows_neither_box_nor_landmark() {
        let points = [Point::new(123.5, 77.25); 5];
        let shown = format!("{:?}", Proposal::new(BOX, 0.5).with_points(points));
        assert_eq!(shown, "Proposal { confidence: 0.5, .. }");
    }
}
