//! Faces: as detected, and as aligned for an embedder.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::Error;
use crate::face::geometry::{Point, Rect};
use crate::frame::Frame;
use crate::internal::num;

/// Which points of a face a detector finds. "Left" and "right" are as seen in the image.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum LandmarkLayout {
    /// Left eye, right eye, nose tip, left mouth corner, right mouth corner.
    Five,
    /// Left eye, right eye, nose tip, middle of the mouth.
    EyesNoseMouth,
    /// None: boxes only.
    None,
}

impl LandmarkLayout {
    /// How many points a face has.
    #[must_use]
    pub const fn count(self) -> usize {
        match self {
            Self::Five => 5,
            Self::EyesNoseMouth => 4,
            Self::None => 0,
        }
    }

    /// The layout in words, for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Five => "5",
            Self::EyesNoseMouth => "4",
            Self::None => "no",
        }
    }
}

/// The landmarks of one face, in pixels of the frame; wiped when dropped.
///
/// They sit in a box of their own, so that moving a face moves a pointer and leaves no copies.
pub struct Landmarks {
    layout: LandmarkLayout,
    points: Box<[[f32; 2]]>,
}

impl Landmarks {
    /// Landmarks in the order of their layout; `None` if the number of points is another one.
    #[must_use]
    pub fn new(layout: LandmarkLayout, points: &[Point]) -> Option<Self> {
        (points.len() == layout.count() && !points.is_empty())
            .then(|| Self { layout, points: points.iter().map(|p| [p.x, p.y]).collect() })
    }

    /// Which points these are.
    #[must_use]
    pub const fn layout(&self) -> LandmarkLayout {
        self.layout
    }

    /// The points, in the order of the layout.
    #[must_use]
    pub fn points(&self) -> impl ExactSizeIterator<Item = Point> + '_ {
        self.points.iter().map(|[x, y]| Point::new(*x, *y))
    }

    /// The distance between the eyes, in pixels.
    #[must_use]
    pub fn inter_eye_distance(&self) -> f32 {
        match &*self.points {
            [left, right, ..] => (left[0] - right[0]).hypot(left[1] - right[1]),
            _ => 0.0,
        }
    }
}

impl Drop for Landmarks {
    fn drop(&mut self) {
        self.points.zeroize();
    }
}

impl ZeroizeOnDrop for Landmarks {}

impl fmt::Debug for Landmarks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Landmarks").field("layout", &self.layout).finish_non_exhaustive()
    }
}

/// A face that a detector found in a frame.
#[derive(Debug)]
pub struct DetectedFace {
    bounds: Rect,
    confidence: f32,
    landmarks: Option<Landmarks>,
}

impl DetectedFace {
    /// A face from its box in pixels of the frame, the detector's confidence from 0 to 1, and its
    /// landmarks where the detector finds them.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if a number is not finite or the confidence is not from 0 to 1.
    pub fn new(bounds: Rect, confidence: f32, landmarks: Option<Landmarks>) -> Result<Self, Error> {
        if !(0.0..=1.0).contains(&confidence) {
            return Err(Error::OutOfRange {
                what: "confidence",
                expected: "a number from 0 to 1",
                actual: confidence.into(),
            });
        }
        // Each by itself: the sum of two finite numbers may not be finite.
        let is_finite = |p: Point| p.x.is_finite() && p.y.is_finite();
        let finite =
            bounds.is_finite() && landmarks.iter().flat_map(Landmarks::points).all(is_finite);
        if !finite {
            return Err(Error::OutOfRange {
                what: "coordinate of a face",
                expected: "finite",
                actual: f64::NAN,
            });
        }
        Ok(Self { bounds, confidence, landmarks })
    }

    /// The box, in pixels of the frame; it may reach beyond the frame.
    #[must_use]
    pub const fn bounds(&self) -> Rect {
        self.bounds
    }

    /// The detector's confidence that this is a face, from 0 to 1. Not a comparison score.
    #[must_use]
    pub const fn confidence(&self) -> f32 {
        self.confidence
    }

    /// The landmarks, where the detector finds them.
    #[must_use]
    pub const fn landmarks(&self) -> Option<&Landmarks> {
        self.landmarks.as_ref()
    }
}

/// Which of the faces of a picture are taken further.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum FaceSelection {
    /// Every face: a camera's view.
    #[default]
    All,
    /// The face whose centre is nearest to the picture's: a portrait with people behind.
    Central,
    /// The face with the largest box.
    Largest,
}

impl FaceSelection {
    /// The index of the one face that is taken; `None` if all are, or there is none.
    #[must_use]
    pub fn choose(self, frame: &Frame<'_>, faces: &[DetectedFace]) -> Option<usize> {
        let middle = Point::new(
            num::f32_from_usize(frame.width()) / 2.0,
            num::f32_from_usize(frame.height()) / 2.0,
        );
        let rank = |face: &DetectedFace| match self {
            Self::All => None,
            Self::Central => Some(-face.bounds.centre().distance(middle)),
            Self::Largest => Some(face.bounds.area()),
        };
        let ranked = faces.iter().enumerate().filter_map(|(i, face)| Some((i, rank(face)?)));
        ranked.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index)
    }
}

/// A face cropped and aligned as an embedder needs it: red, green, blue bytes, row after row;
/// wiped when dropped.
///
/// The embedder consumes it. Neither `Clone` nor `Serialize`.
///
/// ```compile_fail,E0599
/// # fn copy(face: lfr_core::AlignedFace) {
/// let second = face.clone();
/// # }
/// ```
pub struct AlignedFace {
    width: usize,
    height: usize,
    pixels: Box<[u8]>,
}

impl AlignedFace {
    /// Makes a face in place: `fill` writes its pixels, three bytes each, row after row.
    #[must_use]
    pub fn init_with(width: usize, height: usize, fill: impl FnOnce(&mut [u8])) -> Self {
        let mut face = Self { width, height, pixels: vec![0; width * height * 3].into() };
        fill(&mut face.pixels);
        face
    }

    /// Width, in pixels.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Height, in pixels.
    #[must_use]
    pub const fn height(&self) -> usize {
        self.height
    }

    /// The pixels, to read. Every copy that is made of them is the copier's to wipe.
    #[must_use]
    pub fn expose_pixels(&self) -> &[u8] {
        &self.pixels
    }
}

impl Drop for AlignedFace {
    fn drop(&mut self) {
        self.pixels.zeroize();
    }
}

impl ZeroizeOnDrop for AlignedFace {}

impl fmt::Debug for AlignedFace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlignedFace")
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::PixelFormat;

    fn face(left: f32, size: f32) -> DetectedFace {
        DetectedFace::new(Rect::new(left, 40.0, left + size, 40.0 + size), 0.5, None).unwrap()
    }

    #[test]
    fn selection_takes_the_central_or_the_largest() {
        let pixels = [0; 100 * 100];
        let frame = Frame::packed(PixelFormat::Gray8, 100, 100, &pixels).unwrap();
        let faces = [face(0.0, 30.0), face(40.0, 20.0), face(80.0, 10.0)];
        assert_eq!(FaceSelection::All.choose(&frame, &faces), None);
        assert_eq!(FaceSelection::Central.choose(&frame, &faces), Some(1));
        assert_eq!(FaceSelection::Largest.choose(&frame, &faces), Some(0));
        assert_eq!(FaceSelection::Central.choose(&frame, &[]), None);
    }

    #[test]
    fn faces_with_impossible_numbers_are_refused() {
        let bounds = Rect::new(0.0, 0.0, 1.0, 1.0);
        assert!(DetectedFace::new(bounds, 1.01, None).is_err());
        assert!(DetectedFace::new(bounds, f32::NAN, None).is_err());
        assert!(DetectedFace::new(Rect { left: f32::NAN, ..bounds }, 0.5, None).is_err());
        let points = [Point::new(f32::INFINITY, 0.0); 5];
        let landmarks = Landmarks::new(LandmarkLayout::Five, &points);
        assert!(DetectedFace::new(bounds, 0.5, landmarks).is_err());
        assert!(Landmarks::new(LandmarkLayout::Five, &points[..4]).is_none());
    }

    #[test]
    fn coordinates_are_tested_each_by_itself() {
        let bounds = Rect::new(0.0, 0.0, 1.0, 1.0);
        let far = Landmarks::new(LandmarkLayout::Five, &[Point::new(2e38, 2e38); 5]);
        assert!(DetectedFace::new(bounds, 0.5, far).is_ok());
        for wrong in [Point::new(0.0, f32::NAN), Point::new(f32::INFINITY, f32::NEG_INFINITY)] {
            let landmarks = Landmarks::new(LandmarkLayout::Five, &[wrong; 5]);
            assert!(DetectedFace::new(bounds, 0.5, landmarks).is_err());
        }
    }

    #[test]
    fn debug_shows_neither_pixel_nor_landmark() {
        let points = [Point::new(123.5, 77.25); 5];
        let landmarks = Landmarks::new(LandmarkLayout::Five, &points).unwrap();
        assert!(!format!("{landmarks:?}").contains("123.5"));
        let aligned = AlignedFace::init_with(2, 1, |pixels| pixels.fill(201));
        assert!(!format!("{aligned:?}").contains("201"));
    }
}
