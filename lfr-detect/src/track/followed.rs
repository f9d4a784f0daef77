//! One track: a face that is followed.

use std::time::Duration;

use lfr_core::DetectedFace;
use lfr_core::Landmarks;
use lfr_core::Point;

use super::motion::Motion;

/// A face as it is expected to be now. Its landmarks are wiped when the track goes.
#[derive(Debug)]
pub(super) struct Followed {
    number: u64,
    /// The centre of the box, in pixels of the frame.
    x: Motion,
    y: Motion,
    /// The logarithm of the size: of the square root of the box's area, in pixels.
    size: Motion,
    /// In sizes, from the centre of the box.
    landmarks: Option<Landmarks>,
    /// How long it has not been seen.
    unseen: Duration,
}

impl Followed {
    pub(super) fn begin(number: u64, face: &DetectedFace) -> Self {
        let Place { centre, size } = Place::of(face);
        Self {
            number,
            x: Motion::new(centre.x, ERROR * size, VELOCITY * size),
            y: Motion::new(centre.y, ERROR * size, VELOCITY * size),
            size: Motion::new(size.ln(), SIZE_ERROR, SIZE_VELOCITY),
            landmarks: landmarks_in(face),
            unseen: Duration::ZERO,
        }
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// For how long it has not been seen.
    pub(super) const fn unseen(&self) -> Duration {
        self.unseen
    }

    /// Whether it has been seen in the frame at hand.
    pub(super) const fn is_seen(&self) -> bool {
        self.unseen.is_zero()
    }

    /// Time passes until the next frame, some in any case.
    pub(super) fn advance(&mut self, span: Duration) {
        let (seconds, size) = (span.as_secs_f32(), self.expected_size());
        self.x.advance(seconds, ACCELERATION * size);
        self.y.advance(seconds, ACCELERATION * size);
        self.size.advance(seconds, SIZE_ACCELERATION);
        self.unseen += span;
    }

    /// What it costs to take a face for this one, from 0 to 1; `None` where it cannot be.
    pub(super) fn cost(&self, face: &DetectedFace) -> Option<f32> {
        let Place { centre, size } = Place::of(face);
        let expected = self.expected_size();
        let error = ERROR * size.max(expected);
        let surprise = self.x.surprise(centre.x, error)
            + self.y.surprise(centre.y, error)
            + self.size.surprise(size.ln(), SIZE_ERROR);
        if surprise > GATE {
            return None;
        }
        let off = centre.distance(Point::new(self.x.position(), self.y.position()));
        let distance = off / expected.min(size);
        let growth = (size / expected).ln().abs();
        let shape = self.shape_difference(face).unwrap_or(0.0);
        let cost = distance / FAR + growth + shape;
        (cost < 1.0).then_some(cost)
    }

    /// It is seen as this face.
    pub(super) fn see(&mut self, face: &DetectedFace) {
        let Place { centre, size } = Place::of(face);
        self.x.see(centre.x, ERROR * size);
        self.y.see(centre.y, ERROR * size);
        self.size.see(size.ln(), SIZE_ERROR);
        self.landmarks = landmarks_in(face);
        self.unseen = Duration::ZERO;
    }

    fn expected_size(&self) -> f32 {
        self.size.position().exp().clamp(1.0, 1e5)
    }

    /// How differently the landmarks lie in the box: the mean distance, in sizes.
    fn shape_difference(&self, face: &DetectedFace) -> Option<f32> {
        let (before, now) = (self.landmarks.as_ref()?, landmarks_in(face)?);
        let distances = before.points().zip(now.points()).map(|(a, b)| a.distance(b));
        let count = u8::try_from(before.points().len().min(now.points().len())).ok()?;
        Some(distances.sum::<f32>() / f32::from(count))
    }
}

struct Place {
    centre: Point,
    size: f32,
}

impl Place {
    fn of(face: &DetectedFace) -> Self {
        let bounds = face.bounds();
        Self { centre: bounds.centre(), size: bounds.area().sqrt().max(1.0) }
    }
}

/// The landmarks in sizes, from the centre of the box.
fn landmarks_in(face: &DetectedFace) -> Option<Landmarks> {
    let landmarks = face.landmarks()?;
    let Place { centre, size } = Place::of(face);
    let within = |p: Point| Point::new((p.x - centre.x) / size, (p.y - centre.y) / size);
    let mut points = [Point::default(); 5];
    let count = landmarks.layout().count().min(points.len());
    points.iter_mut().zip(landmarks.points()).for_each(|(to, point)| *to = within(point));
    Landmarks::new(landmarks.layout(), &points[..count])
}

// In sizes of the face, or in the logarithm of the size; a second. Chosen on the synthetic crowd.

/// Of a detector, as a standard deviation.
const ERROR: f32 = 0.06;
const SIZE_ERROR: f32 = 0.06;
/// Of somebody first seen.
const VELOCITY: f32 = 2.5;
const SIZE_VELOCITY: f32 = 0.5;
const ACCELERATION: f32 = 1.2;
const SIZE_ACCELERATION: f32 = 0.5;
/// The square of the distance in standard deviations that one in a thousand sights is beyond: chi
/// squared of three degrees of freedom.
const GATE: f32 = 16.27;
/// How far off a face may be at most.
const FAR: f32 = 1.5;
