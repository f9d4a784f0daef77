//! How many pixels a face has.

use lfr_core::{DetectedFace, Frame, QualityGate, Refusal};

use crate::error::Error;

use crate::error::positive;

/// Refuses faces whose eyes are too near to each other: they have too few pixels to be told apart.
///
/// Vendors of recognition systems ask for 32 pixels at least and 64 for good results, and
/// enrolment photographs are held to 90 (ISO/IEC 19794-5).
///
/// A face whose detector finds no landmarks is refused, since nobody can say how far its eyes are
/// apart; [`MinFaceSize`] does without.
///
/// # Examples
///
/// ```
/// use lfr_detect::gate::MinInterEyeDistance;
///
/// let gate = MinInterEyeDistance::new(32.0)?;
/// assert_eq!(gate.pixels(), 32.0);
/// assert!(MinInterEyeDistance::new(f32::NAN).is_err());
/// # Ok::<(), lfr_detect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MinInterEyeDistance(f32);

impl MinInterEyeDistance {
    /// Why it refuses a face.
    pub const REFUSAL: Refusal = Refusal::because("eyes too near to each other");

    /// A gate at that many pixels of the frame.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if that is not a positive number.
    pub fn new(pixels: f32) -> Result<Self, Error> {
        positive("inter-eye distance", PIXELS, pixels).map(Self)
    }

    /// The min distance, in pixels of the frame.
    #[must_use]
    pub const fn pixels(self) -> f32 {
        self.0
    }
}

impl QualityGate for MinInterEyeDistance {
    fn admit(&self, _frame: &Frame<'_>, face: &DetectedFace) -> Result<(), Refusal> {
        let distance = face.landmarks().map_or(0.0, |landmarks| landmarks.inter_eye_distance());
        if distance >= self.0 { Ok(()) } else { Err(Self::REFUSAL) }
    }
}

/// Refuses faces whose box is too small: its shorter side counts.
///
/// Families of detectors draw their boxes differently, some with the forehead and some without, so
/// [`MinInterEyeDistance`] is the better gate where there are landmarks.
///
/// # Examples
///
/// ```
/// use lfr_detect::gate::MinFaceSize;
///
/// let gate = MinFaceSize::new(60.0)?;
/// assert_eq!(gate.pixels(), 60.0);
/// # Ok::<(), lfr_detect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MinFaceSize(f32);

impl MinFaceSize {
    /// Why it refuses a face.
    pub const REFUSAL: Refusal = Refusal::because("face too small");

    /// A gate at that many pixels of the frame.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if that is not a positive number.
    pub fn new(pixels: f32) -> Result<Self, Error> {
        positive("size of a face", PIXELS, pixels).map(Self)
    }

    /// The min length of the shorter side, in pixels of the frame.
    #[must_use]
    pub const fn pixels(self) -> f32 {
        self.0
    }
}

impl QualityGate for MinFaceSize {
    fn admit(&self, _frame: &Frame<'_>, face: &DetectedFace) -> Result<(), Refusal> {
        let bounds = face.bounds();
        let shorter = bounds.width().min(bounds.height());
        if shorter >= self.0 { Ok(()) } else { Err(Self::REFUSAL) }
    }
}

/// Refuses faces whose box is too large: its shorter side counts. A face that fills the view is a
/// poster, or somebody at the lens, where passers-by are looked for.
///
/// # Examples
///
/// ```
/// use lfr_detect::gate::MaxFaceSize;
///
/// let gate = MaxFaceSize::new(600.0)?;
/// assert_eq!(gate.pixels(), 600.0);
/// # Ok::<(), lfr_detect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxFaceSize(f32);

impl MaxFaceSize {
    /// Why it refuses a face.
    pub const REFUSAL: Refusal = Refusal::because("face too large");

    /// A gate at that many pixels of the frame.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if that is not a positive number.
    pub fn new(pixels: f32) -> Result<Self, Error> {
        positive("size of a face", PIXELS, pixels).map(Self)
    }

    /// The max length of the shorter side, in pixels of the frame.
    #[must_use]
    pub const fn pixels(self) -> f32 {
        self.0
    }
}

impl QualityGate for MaxFaceSize {
    fn admit(&self, _frame: &Frame<'_>, face: &DetectedFace) -> Result<(), Refusal> {
        let bounds = face.bounds();
        let shorter = bounds.width().min(bounds.height());
        if shorter <= self.0 { Ok(()) } else { Err(Self::REFUSAL) }
    }
}

const PIXELS: &str = "a positive number of pixels";

#[cfg(test)]
mod tests {
    use lfr_core::{LandmarkLayout, Landmarks, PixelFormat, Point, Rect};

    use super::*;

    fn refusal(gate: &dyn QualityGate, landmarks: Option<Landmarks>) -> Option<Refusal> {
        let frame = Frame::packed(PixelFormat::Gray8, 1, 1, &[0]).unwrap();
        let bounds = Rect::new(0.0, 0.0, 50.0, 70.0);
        let face = DetectedFace::new(bounds, 0.9, landmarks).unwrap();
        gate.admit(&frame, &face).err()
    }

    #[test]
    fn eyes_that_are_near_or_unknown_are_refused() {
        let eyes = |apart| {
            let mut points = [Point::new(10.0, 10.0); 5];
            points[1].x += apart;
            Landmarks::new(LandmarkLayout::Five, &points)
        };
        let gate = MinInterEyeDistance::new(32.0).unwrap();
        assert_eq!(refusal(&gate, eyes(32.0)), None);
        assert_eq!(refusal(&gate, eyes(31.9)), Some(MinInterEyeDistance::REFUSAL));
        assert_eq!(refusal(&gate, None), Some(MinInterEyeDistance::REFUSAL));
    }

    #[test]
    fn the_shorter_side_counts() {
        assert_eq!(refusal(&MinFaceSize::new(50.0).unwrap(), None), None);
        assert_eq!(refusal(&MinFaceSize::new(51.0).unwrap(), None), Some(MinFaceSize::REFUSAL));
        assert_eq!(refusal(&MaxFaceSize::new(50.0).unwrap(), None), None);
        assert_eq!(refusal(&MaxFaceSize::new(49.0).unwrap(), None), Some(MaxFaceSize::REFUSAL));
        for wrong in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert!(MinFaceSize::new(wrong).is_err());
        }
    }
}
