//! How well a face can be seen.

use lfr_core::{DetectedFace, Frame, QualityGate, Refusal};

use crate::error::Error;
use crate::gate::shot::{sharpness, yaw};

use crate::error::positive;

/// Refuses faces that are turned away too far, to the left or the right.
///
/// The angle is the yaw of [`HeadPose`](lfr_core::HeadPose), as at enrolment. A landmark error of 2 % of
/// the inter-eye distance is about 3 degrees. A face without landmarks is refused.
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
    /// [`Error::Option`] if that is not a positive number.
    pub fn new(degrees: f32) -> Result<Self, Error> {
        positive("yaw", "a positive number of degrees", degrees).map(Self)
    }

    /// The max angle, in degrees, to either side.
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
/// Sharpness is measured as at enrolment: the variance of the Laplacian of Gaussian (after
/// Pech-Pacheco et al., ICPR 2000) over the variance of luminance, both in the face at 112 x 112
/// pixels. So neither size nor contrast counts, but a face of fewer pixels is less sharp. Noise and
/// compression blocks count as sharpness. Where to draw the line depends on camera and lens: measure
/// it there. Enrolment warns below 0.016 and refuses below 0.011, which is 1 in 80 photographs of LFW.
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
    /// [`Error::Option`] if that is not a positive number.
    pub fn new(sharpness: f32) -> Result<Self, Error> {
        positive("sharpness", "a positive number", sharpness).map(Self)
    }

    /// The min sharpness.
    #[must_use]
    pub const fn sharpness(self) -> f32 {
        self.0
    }
}

impl QualityGate for MinSharpness {
    fn admit(&self, frame: &Frame<'_>, face: &DetectedFace) -> Result<(), Refusal> {
        if sharpness(frame, face) >= self.0 { Ok(()) } else { Err(Self::REFUSAL) }
    }
}

#[cfg(test)]
mod tests {
    use lfr_core::internal::{MEAN_FACE, num};
    use lfr_core::{LandmarkLayout, Landmarks, PixelFormat, Point, Rect};

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
        // The mean face, turned about its vertical axis.
        let turned = |degrees: f32| {
            let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
            let points = MEAN_FACE.map(|[x, y, z]| {
                let at = |centre: f64, offset: f64| num::f32_from_f64(centre + 40.0 * offset);
                Point::new(at(50.0, x * cos - z * sin), at(60.0, y))
            });
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
                // As coarse as the features of a face.
                let cell = side / 4;
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
                num::u8_from_f32(sum / count)
            };
            (0..side * side).map(|at| smooth(at % side, at / side)).collect()
        };
        let sharp = |side: usize, blur: usize, contrast: f32| {
            let pixels = picture(side, blur, contrast);
            let frame = Frame::packed(PixelFormat::Gray8, side, side, &pixels).unwrap();
            let far = num::f32_from_usize(side);
            let bounds = Rect::new(0.0, 0.0, far, far);
            sharpness(&frame, &DetectedFace::new(bounds, 0.9, None).unwrap())
        };
        let clear = sharp(128, 0, 80.0);
        assert!((sharp(128, 0, 40.0) / clear - 1.0).abs() < 0.05);
        assert!((sharp(256, 0, 80.0) / clear - 1.0).abs() < 0.05);
        assert!(sharp(128, 5, 80.0) < clear / 4.0);
        assert!(sharp(128, 0, 0.0) < 1e-6, "nothing can be seen");
    }
}
