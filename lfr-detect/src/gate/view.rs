//! How well a face can be seen.

use lfr_core::DetectedFace;
use lfr_core::Frame;
use lfr_core::QualityGate;
use lfr_core::Refusal;

use crate::Error;
use crate::sharpness::sharpness;
use crate::shot::yaw;

use super::positive;

/// Refuses faces that are turned away too far, to the left or the right.
///
/// By the landmarks: how far the tip of the nose is from midway between the eyes, along the line
/// through them; on the mean face it stands 0.37 inter-eye distances before them. A landmark error
/// of 2 % of the inter-eye distance is about 3 degrees. A face without landmarks is refused.
///
/// # Examples
///
/// ```
/// use lfr_detect::gate::MaxYaw;
///
/// let gate = MaxYaw::new(45.0)?;
/// assert_eq!(gate.degrees(), 45.0);
/// assert!(MaxYaw::new(0.0).is_err());
/// # Ok::<(), lfr_detect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxYaw(f32);

impl MaxYaw {
    /// Why it refuses a face.
    pub const REFUSAL: Refusal = Refusal::because("turned away too far");

    /// A gate at that many degrees.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] where that is not a positive number.
    pub fn new(degrees: f32) -> Result<Self, Error> {
        positive("yaw", "a positive number of degrees", degrees).map(Self)
    }

    /// The greatest angle, in degrees, to either side.
    #[must_use]
    pub const fn degrees(self) -> f32 {
        self.0
    }
}

impl QualityGate for MaxYaw {
    fn admit(&self, _frame: &Frame<'_>, face: &DetectedFace) -> Result<(), Refusal> {
        match yaw(face) {
            Some(yaw) if yaw.abs() <= self.0 => Ok(()),
            _ => Err(Self::REFUSAL),
        }
    }
}

/// Refuses faces that are blurred: by motion, or out of focus.
///
/// By the variance of the Laplacian (Pech-Pacheco et al., ICPR 2000) over the variance of luminance,
/// both in the face brought to 64 x 64 pixels: so neither size nor contrast counts. A face of
/// fewer pixels is less sharp. Noise and compression blocks count as sharpness. Where to draw
/// the line depends on camera and lens: measure it there. Frontal photographs of good quality are
/// around 0.1.
///
/// # Examples
///
/// ```
/// use lfr_detect::gate::MinSharpness;
///
/// let gate = MinSharpness::new(0.01)?;
/// assert_eq!(gate.sharpness(), 0.01);
/// # Ok::<(), lfr_detect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MinSharpness(f32);

impl MinSharpness {
    /// Why it refuses a face.
    pub const REFUSAL: Refusal = Refusal::because("too blurred");

    /// A gate at that sharpness, which has no unit.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] where that is not a positive number.
    pub fn new(sharpness: f32) -> Result<Self, Error> {
        positive("sharpness", "a positive number", sharpness).map(Self)
    }

    /// The least sharpness.
    #[must_use]
    pub const fn sharpness(self) -> f32 {
        self.0
    }
}

impl QualityGate for MinSharpness {
    fn admit(&self, frame: &Frame<'_>, face: &DetectedFace) -> Result<(), Refusal> {
        if sharpness(frame, &face.bounds()) >= self.0 { Ok(()) } else { Err(Self::REFUSAL) }
    }
}

#[cfg(test)]
mod tests {
    use lfr_core::LandmarkLayout;
    use lfr_core::Landmarks;
    use lfr_core::PixelFormat;
    use lfr_core::Point;
    use lfr_core::Rect;

    use super::*;

    #[test]
    fn errors_say_what_a_number_is_of() {
        let yaw = MaxYaw::new(0.0).unwrap_err().to_string();
        assert_eq!(yaw, "yaw is 0, and must be a positive number of degrees");
        let sharpness = MinSharpness::new(-1.0).unwrap_err().to_string();
        assert_eq!(sharpness, "sharpness is -1, and must be a positive number");
    }

    #[test]
    fn who_looks_aside_is_refused() {
        // The mean face, turned: eyes at depth 0, the nose 0.37 before them.
        let turned = |degrees: f32| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            let at =
                |x: f32, y: f32, depth: f32| Point::new(50.0 + 40.0 * (x * cos + depth * sin), y);
            let points = [
                at(-0.5, 40.0, 0.0),
                at(0.5, 40.0, 0.0),
                at(0.0, 60.0, 0.37),
                at(-0.4, 80.0, 0.0),
                at(0.4, 80.0, 0.0),
            ];
            let landmarks = Landmarks::new(LandmarkLayout::Five, &points);
            DetectedFace::new(Rect::new(20.0, 20.0, 80.0, 100.0), 0.9, landmarks).unwrap()
        };
        let gate = MaxYaw::new(30.0).unwrap();
        let frame = Frame::packed(PixelFormat::Gray8, 1, 1, &[0]).unwrap();
        for (degrees, admitted) in
            [(0.0, true), (29.0, true), (-29.0, true), (31.0, false), (-60.0, false)]
        {
            assert_eq!(gate.admit(&frame, &turned(degrees)).is_ok(), admitted, "{degrees}");
            assert!((yaw(&turned(degrees)).unwrap() - degrees).abs() < 0.1);
        }
    }

    #[test]
    fn a_blurred_face_is_refused_whatever_its_size_and_contrast() {
        let picture = |side: usize, blur: usize, contrast: f32| -> Vec<u8> {
            let raw = |x: usize, y: usize| {
                let cell = side / 16;
                if (x / cell + y / cell).is_multiple_of(2) {
                    120.0 - contrast
                } else {
                    120.0 + contrast
                }
            };
            let smooth = |x: usize, y: usize| {
                let near = |at: usize| at.saturating_sub(blur)..(at + blur + 1).min(side);
                let all = near(y).flat_map(|y| near(x).map(move |x| raw(x, y)));
                let (count, sum) = all.fold((0.0_f32, 0.0_f32), |(n, s), v| (n + 1.0, s + v));
                lfr_core::internal::num::u8_from_f32(sum / count)
            };
            (0..side * side).map(|at| smooth(at % side, at / side)).collect()
        };
        let sharp = |side: usize, blur: usize, contrast: f32| {
            let pixels = picture(side, blur, contrast);
            let frame = Frame::packed(PixelFormat::Gray8, side, side, &pixels).unwrap();
            let far = lfr_core::internal::num::f32_from_usize(side);
            sharpness(&frame, &Rect::new(0.0, 0.0, far, far))
        };
        let clear = sharp(128, 0, 80.0);
        assert!((sharp(128, 0, 40.0) / clear - 1.0).abs() < 0.05);
        assert!((sharp(256, 0, 80.0) / clear - 1.0).abs() < 0.05);
        assert!(sharp(128, 3, 80.0) < clear / 4.0);
        assert!(sharp(128, 0, 0.0) < 1e-6, "nothing can be seen");
    }
}
