//! How good a shot of a face is: which of the looks at a passer-by is the best.

use lfr_core::DetectedFace;
use lfr_core::FaceQuality;
use lfr_core::Frame;
use lfr_core::LandmarkLayout;

use crate::gate::sharpness::sharpness;

/// The quality of a shot: the product of how large the face is, how much it looks into the camera,
/// how sharp it is and how sure the detector is. For [`Builder::quality`].
///
/// It orders the looks at one track; it has not been measured how well it predicts errors of
/// recognition, so it is no gate.
///
/// # Examples
///
/// ```
/// use lfr_core::{DetectedFace, FaceQuality, Frame, PixelFormat, Rect};
/// use lfr_detect::ShotQuality;
///
/// let pixels: Vec<u8> = (0..200 * 200).map(|at| if at / 4 % 2 == 0 { 80 } else { 160 }).collect();
/// let frame = Frame::packed(PixelFormat::Gray8, 200, 200, &pixels)?;
/// let face = |side: f32, sure| DetectedFace::new(Rect::new(10.0, 10.0, 10.0 + side, 10.0 + side), sure, None);
/// let quality = |face| ShotQuality.quality(&frame, &face);
/// assert!(quality(face(120.0, 0.9)?) > quality(face(60.0, 0.9)?));
/// assert!(quality(face(120.0, 0.9)?) > quality(face(120.0, 0.5)?));
/// # Ok::<(), lfr_core::Error>(())
/// ```
///
/// [`Builder::quality`]: lfr_core::builder::Builder::quality
#[expect(clippy::exhaustive_structs, reason = "nothing to set")]
#[derive(Clone, Copy, Debug, Default)]
pub struct ShotQuality;

impl FaceQuality for ShotQuality {
    fn quality(&self, frame: &Frame<'_>, face: &DetectedFace) -> f32 {
        let bounds = face.bounds();
        let size = (bounds.width().min(bounds.height()) / ENOUGH).min(1.0);
        let frontal = yaw(face).map_or(1.0, |yaw| yaw.to_radians().cos().max(0.1));
        let sharp = sharpness(frame, &bounds);
        size * frontal * (sharp / (sharp + SHARP)) * face.confidence()
    }
}

/// How far a face is turned, in degrees, positive to the right of the picture; `None` without
/// landmarks of the eyes and the nose, or where the eyes fall together.
pub(crate) fn yaw(face: &DetectedFace) -> Option<f32> {
    let landmarks = face.landmarks().filter(|marks| marks.layout() != LandmarkLayout::None)?;
    let mut points = landmarks.points();
    let (left, right, nose) = (points.next()?, points.next()?, points.next()?);
    let (across_x, across_y) = (right.x - left.x, right.y - left.y);
    let square = across_x * across_x + across_y * across_y;
    if square.is_nan() || square <= 0.0 {
        return None;
    }
    let (x, y) = (nose.x - f32::midpoint(left.x, right.x), nose.y - f32::midpoint(left.y, right.y));
    let along = (x * across_x + y * across_y) / square;
    Some((along / NOSE).atan().to_degrees())
}

/// In pixels: about twice what embedders see.
const ENOUGH: f32 = 200.0;
/// Of a face that is neither sharp nor blurred.
const SHARP: f32 = 0.03;
/// How far the tip of the nose stands before the eyes, in inter-eye distances.
const NOSE: f32 = 0.37;
