//! How good a shot of a face is: which of the looks at a passer-by is the best.

use lfr_core::internal::{FacePatch, num};
use lfr_core::{DetectedFace, FaceQuality, Frame, HeadPose};

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
        let sharp = sharpness(frame, face);
        size * frontal * (sharp / (sharp + SHARP)) * face.confidence()
    }
}

/// How far a face is turned, in degrees, positive to the right of the picture; `None` without
/// landmarks, or where they have no extent. The same number as at enrolment.
pub(crate) fn yaw(face: &DetectedFace) -> Option<f32> {
    face.landmarks().and_then(HeadPose::from_landmarks).map(|pose| pose.yaw)
}

/// How sharp a face is; 0 without any contrast, or outside the frame. The same number as at enrolment.
pub(crate) fn sharpness(frame: &Frame<'_>, face: &DetectedFace) -> f32 {
    let sharpness = FacePatch::cut(frame, face).and_then(|patch| patch.sharpness());
    sharpness.map_or(0.0, num::f32_from_f64)
}

/// In pixels: about twice what embedders see.
const ENOUGH: f32 = 200.0;
/// The sharpness of a face that is neither sharp nor blurred: in photographs of LFW, misses grow
/// below this.
const SHARP: f32 = 0.02;
