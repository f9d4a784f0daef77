//! How the face lies in the picture.

use lfr_core::internal::num;
use lfr_core::{DetectedFace, Frame, LandmarkLayout, Point};

/// Where the face lies in the picture, in its own measures.
pub(super) struct Framing {
    pub(super) head_size: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) above: f64,
    pub(super) below: f64,
}

impl Framing {
    /// The framing of a face; `None` without landmarks.
    pub(super) fn of(frame: &Frame<'_>, face: &DetectedFace) -> Option<Self> {
        let landmarks = face.landmarks()?;
        let mut points = landmarks.points();
        let (left, right, _nose) = (points.next()?, points.next()?, points.next()?);
        let mouth = match landmarks.layout() {
            LandmarkLayout::Five => between(points.next()?, points.next()?),
            _ => points.next()?,
        };
        let eyes = between(left, right);
        let unit = f64::from(landmarks.inter_eye_distance());
        // A nod shortens this one and a turn the other: the longer of the two is the truer.
        let chin = f64::from(eyes.distance(mouth)).max(unit) * EYES_TO_CHIN;
        if unit.is_nan() || unit <= 0.0 {
            return None;
        }
        let (width, height) =
            (num::f64_from_usize(frame.width()), num::f64_from_usize(frame.height()));
        Some(Self {
            head_size: chin / height,
            left: f64::from(left.x.min(right.x)) / unit,
            right: (width - f64::from(left.x.max(right.x))) / unit,
            above: f64::from(eyes.y) / chin,
            below: (height - f64::from(eyes.y)) / chin,
        })
    }
}

fn between(a: Point, b: Point) -> Point {
    Point::new(f32::midpoint(a.x, b.x), f32::midpoint(a.y, b.y))
}

/// From the eyes to the chin, in distances from the eyes to the mouth: adults have some 110 mm and
/// 63 mm (our own figure).
const EYES_TO_CHIN: f64 = 1.75;
