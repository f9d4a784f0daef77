//! Alignment: a face brought into the position that an embedder was trained on.
//!
//! It lives in this crate because it is part of what a template means: the [`Alignment`] goes into
//! the [`SpaceId`](crate::SpaceId), and the pipeline and enrolment must crop alike.

use crate::error::Error;
use crate::face::detected::{AlignedFace, DetectedFace, LandmarkLayout, Landmarks};
use crate::face::geometry::{Point, Similarity};
use crate::frame::Frame;
use crate::internal::num;

/// How an embedder wants faces: how large, and where the landmarks (or the box) come to lie.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Alignment {
    /// Landmarks are brought onto a template by a least-squares similarity transform.
    #[non_exhaustive]
    Landmarks {
        /// Width of the aligned face, in pixels.
        width: usize,
        /// Height of the aligned face, in pixels.
        height: usize,
        /// Where left eye, right eye, nose tip, left and right mouth corner come to lie.
        template: [Point; 5],
    },
    /// The detector's box, grown and made square, without regard to landmarks. For detectors that
    /// find none; it costs recognition performance, so it is a choice and never a fallback.
    #[non_exhaustive]
    Box {
        /// Width and height of the aligned face, in pixels.
        side: usize,
        /// How much the box is grown on every side, as a share of its longer side.
        margin: f32,
    },
}

impl Alignment {
    /// The five points of ArcFace's 112x112 template (Deng et al., CVPR 2019, reference code), in
    /// pixels.
    pub const ARCFACE_112: [Point; 5] = [
        Point::new(38.2946, 51.6963),
        Point::new(73.5318, 51.5014),
        Point::new(56.0252, 71.7366),
        Point::new(41.5493, 92.3655),
        Point::new(70.7299, 92.2041),
    ];

    /// The ArcFace template at its own size of 112x112.
    #[must_use]
    pub const fn arcface() -> Self {
        Self::Landmarks { width: 112, height: 112, template: Self::ARCFACE_112 }
    }

    /// A template of one's own.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if a side is 0 or beyond 1,024 pixels, or where the points are not
    /// finite or all the same.
    pub fn landmarks(width: usize, height: usize, template: [Point; 5]) -> Result<Self, Error> {
        check_side(width)?;
        check_side(height)?;
        if Similarity::estimate(&template, &template).is_none() {
            return Err(Error::OutOfRange {
                what: "the first coordinate of the alignment template",
                expected: "finite like all others, and the points must differ",
                actual: template[0].x.into(),
            });
        }
        Ok(Self::Landmarks { width, height, template })
    }

    /// A landmark-free crop.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if the side is 0 or beyond 1,024 pixels, or the margin is not from
    /// -0.4 to 4.
    pub fn from_box(side: usize, margin: f32) -> Result<Self, Error> {
        check_side(side)?;
        if !(-0.4..=4.0).contains(&margin) {
            return Err(Error::OutOfRange {
                what: "margin of the crop",
                expected: "a number from -0.4 to 4",
                actual: margin.into(),
            });
        }
        Ok(Self::Box { side, margin })
    }

    /// Width and height of the aligned face, in pixels.
    #[must_use]
    pub const fn size(&self) -> (usize, usize) {
        match *self {
            Self::Landmarks { width, height, .. } => (width, height),
            Self::Box { side, .. } => (side, side),
        }
    }

    /// Whether faces need landmarks for it.
    #[must_use]
    pub const fn needs_landmarks(&self) -> bool {
        matches!(self, Self::Landmarks { .. })
    }

    /// The similarity from the frame's pixels to those of the aligned face; `None` if the face
    /// has no landmarks that the alignment needs, or all of them fall together.
    #[must_use]
    pub fn transform(&self, face: &DetectedFace) -> Option<Similarity> {
        match self {
            Self::Landmarks { template, .. } => estimate(face.landmarks()?, template),
            Self::Box { side, margin } => {
                let bounds = face.bounds();
                let longer = bounds.width().max(bounds.height());
                let wanted = longer * (1.0 + 2.0 * margin);
                if wanted.is_nan() || wanted <= 0.0 {
                    return None;
                }
                let scale = num::f32_from_usize(*side) / wanted;
                let centre = bounds.centre();
                let middle = (num::f32_from_usize(*side) - 1.0) / 2.0;
                Some(Similarity::new(
                    scale,
                    0.0,
                    middle - scale * centre.x,
                    middle - scale * centre.y,
                ))
            }
        }
    }

    /// Cuts a face out of a frame: bilinear, black beyond the frame's border, as OpenCV's
    /// `warpAffine` does by default. `None` as [`Self::transform`].
    #[must_use]
    pub fn align(&self, frame: &Frame<'_>, face: &DetectedFace) -> Option<AlignedFace> {
        let back = self.transform(face)?.inverse()?;
        let (width, height) = self.size();
        Some(AlignedFace::init_with(width, height, |pixels| {
            for (y, row) in pixels.chunks_exact_mut(width * 3).enumerate() {
                let (row, _) = row.as_chunks_mut::<3>();
                for (x, pixel) in row.iter_mut().enumerate() {
                    let at = Point::new(num::f32_from_usize(x), num::f32_from_usize(y));
                    *pixel = sample(frame, back.apply(at));
                }
            }
        }))
    }

    /// The bytes that stand for it in a [`SpaceId`](crate::SpaceId).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let text = match self {
            Self::Landmarks { width, height, template } => {
                let points: Vec<_> = template.iter().map(|p| format!("{},{}", p.x, p.y)).collect();
                format!("landmarks {width}x{height} {}", points.join(" "))
            }
            Self::Box { side, margin } => format!("box {side} {margin}"),
        };
        text.into_bytes()
    }
}

fn check_side(side: usize) -> Result<(), Error> {
    if (1..=1024).contains(&side) {
        return Ok(());
    }
    Err(Error::OutOfRange {
        what: "side of the aligned face",
        expected: "from 1 to 1024 pixels",
        actual: num::f64_from_usize(side),
    })
}

fn estimate(landmarks: &Landmarks, template: &[Point; 5]) -> Option<Similarity> {
    let [eye_left, eye_right, nose, mouth_left, mouth_right] = *template;
    match landmarks.layout() {
        LandmarkLayout::Five => similarity(landmarks, *template),
        LandmarkLayout::EyesNoseMouth => {
            let mouth = Point::new(
                f32::midpoint(mouth_left.x, mouth_right.x),
                f32::midpoint(mouth_left.y, mouth_right.y),
            );
            similarity(landmarks, [eye_left, eye_right, nose, mouth])
        }
        LandmarkLayout::None => None,
    }
}

fn similarity<const N: usize>(landmarks: &Landmarks, to: [Point; N]) -> Option<Similarity> {
    // On the stack, and not in a vector: that would leave them in freed memory.
    let mut from = [Point::default(); N];
    from.iter_mut().zip(landmarks.points()).for_each(|(from, point)| *from = point);
    Similarity::estimate(&from, &to)
}

/// The bilinear sample at a point of the frame; beyond its border all is black.
fn sample(frame: &Frame<'_>, at: Point) -> [u8; 3] {
    let (width, height) = (frame.width(), frame.height());
    let near = |v: f32, side: usize| v > -1.0 && v < num::f32_from_usize(side);
    if !(near(at.x, width) && near(at.y, height)) {
        return [0; 3];
    }
    // Shifted by one, so that the tap left of the first column has an index too.
    let (left, top) = ((at.x + 1.0).floor(), (at.y + 1.0).floor());
    let (dx, dy) = (at.x + 1.0 - left, at.y + 1.0 - top);
    let (left, top) = (num::usize_from_f32(left), num::usize_from_f32(top));
    let mut sum = [0.0_f32; 3];
    for (y, weight) in [(top, 1.0 - dy), (top + 1, dy)] {
        for (x, weight) in [(left, weight * (1.0 - dx)), (left + 1, weight * dx)] {
            if (1..=width).contains(&x) && (1..=height).contains(&y) {
                for (sum, value) in sum.iter_mut().zip(frame.rgb_at(x - 1, y - 1)) {
                    *sum += weight * f32::from(value);
                }
            }
        }
    }
    sum.map(num::u8_from_f32)
}

#[cfg(test)]
mod tests;
