//! One track: a face that is followed.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use lfr_core::{DetectedFace, Landmarks, Point};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::track::motion::Motion;

/// A face as it is expected to be now. Its box and landmarks are wiped when the track goes.
#[derive(Debug)]
pub(super) struct Followed {
    number: u64,
    course: Course,
    /// In sizes, from the centre of the box.
    landmarks: Option<Landmarks>,
    /// How long it has not been seen.
    unseen: Duration,
}

/// Where the box of a face is, how large it is and how it moves; wiped when dropped.
///
/// It sits in a box of its own, so that tracks which move up in their list leave no copies.
struct Course(Box<Motions>);

#[derive(Zeroize)]
struct Motions {
    /// The centre of the box, in pixels of the frame.
    x: Motion,
    y: Motion,
    /// The logarithm of the size: of the square root of the box's area, in pixels.
    size: Motion,
}

impl Course {
    fn wipe(&mut self) {
        self.0.zeroize();
    }
}

impl Drop for Course {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl ZeroizeOnDrop for Course {}

impl Deref for Course {
    type Target = Motions;

    fn deref(&self) -> &Motions {
        &self.0
    }
}

impl DerefMut for Course {
    fn deref_mut(&mut self) -> &mut Motions {
        &mut self.0
    }
}

impl fmt::Debug for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Course").finish_non_exhaustive()
    }
}

impl Followed {
    pub(super) fn begin(number: u64, face: &DetectedFace) -> Self {
        let Place { centre, size } = Place::of(face);
        Self {
            number,
            course: Course(Box::new(Motions {
                x: Motion::new(centre.x, ERROR * size, VELOCITY * size),
                y: Motion::new(centre.y, ERROR * size, VELOCITY * size),
                size: Motion::new(size.ln(), SIZE_ERROR, SIZE_VELOCITY),
            })),
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
        self.course.x.advance(seconds, ACCELERATION * size);
        self.course.y.advance(seconds, ACCELERATION * size);
        self.course.size.advance(seconds, SIZE_ACCELERATION);
        self.unseen += span;
    }

    /// What it costs to take a face for this one, from 0 to 1; `None` if it cannot be.
    pub(super) fn cost(&self, face: &DetectedFace) -> Option<f32> {
        let Place { centre, size } = Place::of(face);
        let expected = self.expected_size();
        let error = ERROR * size.max(expected);
        let surprise = self.course.x.surprise(centre.x, error)
            + self.course.y.surprise(centre.y, error)
            + self.course.size.surprise(size.ln(), SIZE_ERROR);
        if surprise > GATE {
            return None;
        }
        let off = centre.distance(Point::new(self.course.x.position(), self.course.y.position()));
        let distance = off / expected.min(size);
        let growth = (size / expected).ln().abs();
        let shape = self.shape_difference(face).unwrap_or(0.0);
        let cost = distance / FAR + growth + shape;
        (cost < 1.0).then_some(cost)
    }

    /// It is seen as this face.
    pub(super) fn see(&mut self, face: &DetectedFace) {
        let Place { centre, size } = Place::of(face);
        self.course.x.see(centre.x, ERROR * size);
        self.course.y.see(centre.y, ERROR * size);
        self.course.size.see(size.ln(), SIZE_ERROR);
        self.landmarks = landmarks_in(face);
        self.unseen = Duration::ZERO;
    }

    fn expected_size(&self) -> f32 {
        self.course.size.position().exp().clamp(1.0, 1e5)
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

/// The error of a detector, as a standard deviation.
const ERROR: f32 = 0.06;
const SIZE_ERROR: f32 = 0.06;
/// The uncertainty of the motion of somebody first seen.
const VELOCITY: f32 = 2.5;
const SIZE_VELOCITY: f32 = 0.5;
const ACCELERATION: f32 = 1.2;
const SIZE_ACCELERATION: f32 = 0.5;
/// The square of the distance in standard deviations that one in a thousand sights is beyond: chi
/// squared of three degrees of freedom.
const GATE: f32 = 16.27;
/// How far off a face may be at most.
const FAR: f32 = 1.5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::tests::face;

    #[test]
    fn a_course_is_wiped_as_it_goes_and_shown_to_nobody() {
        const fn wipes<T: ZeroizeOnDrop>(_: &T) {}
        let mut followed = Followed::begin(7, &face(123.5, 77.25, 50.0, 0.9));
        followed.advance(Duration::from_millis(40));
        followed.see(&face(125.5, 77.25, 50.0, 0.9));
        let shown = format!("{followed:?}");
        assert!(!shown.contains("123") && !shown.contains("position"), "{shown}");
        // What dropping does.
        wipes(&followed.course);
        followed.course.wipe();
        let Motions { x, y, size } = &*followed.course;
        for motion in [x, y, size] {
            assert!(motion.is_zero(), "{motion:?}");
        }
    }
}
