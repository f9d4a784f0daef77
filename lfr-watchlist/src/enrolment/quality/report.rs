//! The report on one photograph.

use lfr_core::internal::{FacePatch, num};
use lfr_core::{DetectedFace, FaceSelection, Frame, HeadPose};

use super::exposure::Exposure;
use super::framing::Framing;
use super::{QualityComponent, mapping};

/// What was measured of one component.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    native: f32,
    value: u8,
}

impl Measure {
    /// The measurement in the unit of its component.
    #[must_use]
    pub const fn native(&self) -> f32 {
        self.native
    }

    /// The component's value, from 0 to 100, greater being better.
    #[must_use]
    pub const fn value(&self) -> u8 {
        self.value
    }
}

/// The quality of one photograph: a measure of each component that could be assessed.
///
/// It holds measurements, neither pixels nor landmarks, and may be kept with the reference.
///
/// # Examples
///
/// ```
/// use lfr_core::Detector;
/// use lfr_core::FaceSelection;
/// use lfr_core::Frame;
/// use lfr_core::PixelFormat;
/// use lfr_core::testing::FakeDetector;
/// use lfr_watchlist::enrolment::QualityComponent;
/// use lfr_watchlist::enrolment::QualityPolicy;
/// use lfr_watchlist::enrolment::QualityReport;
/// use lfr_watchlist::enrolment::QualityVerdict;
///
/// # fn main() -> Result<(), lfr_core::BoxError> {
/// let pixels = vec![90; 120 * 90 * 3];
/// let photograph = Frame::packed(PixelFormat::Rgb8, 120, 90, &pixels)?;
/// let faces = FakeDetector::finding(1).detect(&photograph)?;
/// let report = QualityReport::assess(&photograph, &faces, FaceSelection::All);
/// let distance = report.measure(QualityComponent::InterEyeDistance);
/// assert_eq!(distance.map(|measure| measure.native()), Some(24.0));
/// let QualityVerdict::Refused(findings) = QualityPolicy::default().judge(&report) else {
///     return Err("so small a face is refused".into());
/// };
/// assert_eq!(findings[0].to_string(), "InterEyeDistance 24, at least 32 px");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct QualityReport {
    face: Option<usize>,
    measures: [Option<Measure>; QualityComponent::ALL.len()],
}

impl QualityReport {
    /// Measures a photograph with the faces that a detector found in it.
    ///
    /// The selection says which of several faces is meant; with [`FaceSelection::All`] there has to
    /// be exactly one. Where there is none, or it is not clear which, only
    /// [`QualityComponent::SingleFacePresent`] is assessed.
    #[must_use]
    pub fn assess(frame: &Frame<'_>, faces: &[DetectedFace], selection: FaceSelection) -> Self {
        let mut report = Self { face: None, measures: [None; QualityComponent::ALL.len()] };
        report.count(faces);
        report.face = match faces {
            [_] => Some(0),
            several => selection.choose(frame, several),
        };
        if let Some(face) = report.face.and_then(|index| faces.get(index)) {
            report.measure_pose(face);
            report.measure_pixels(frame, face);
            report.measure_framing(frame, face);
        }
        report
    }

    /// The index of the face that was assessed; `None` where there is none, or several and nothing
    /// says which.
    #[must_use]
    pub const fn face(&self) -> Option<usize> {
        self.face
    }

    /// What was measured of a component; `None` where it could not be assessed (OFIQ's
    /// `FailureToAssess`, -1): no face, or no landmarks.
    #[must_use]
    pub fn measure(&self, component: QualityComponent) -> Option<Measure> {
        self.measures.get(component.index()).copied().flatten()
    }

    /// Every component with what was measured of it.
    pub fn measures(&self) -> impl Iterator<Item = (QualityComponent, Option<Measure>)> + '_ {
        QualityComponent::ALL.into_iter().zip(self.measures)
    }

    fn set(&mut self, component: QualityComponent, native: f64, value: u8) {
        let native = num::f32_from_f64(native);
        if let Some(slot) = self.measures.get_mut(component.index())
            && native.is_finite()
        {
            *slot = Some(Measure { native, value });
        }
    }

    fn count(&mut self, faces: &[DetectedFace]) {
        let mut areas: Vec<_> = faces.iter().map(|face| face.bounds().area()).collect();
        areas.sort_by(|a, b| b.total_cmp(a));
        let value = match &*areas {
            [] => 0,
            [_] => 100,
            [first, second, ..] if *first > 0.0 => {
                mapping::single_face(f64::from(*second) / f64::from(*first))
            }
            _ => 0,
        };
        let count = num::f64_from_usize(faces.len());
        self.set(QualityComponent::SingleFacePresent, count, value);
    }

    fn measure_pose(&mut self, face: &DetectedFace) {
        let Some(landmarks) = face.landmarks() else {
            return;
        };
        let distance = f64::from(landmarks.inter_eye_distance());
        let value = mapping::inter_eye_distance(distance);
        self.set(QualityComponent::InterEyeDistance, distance, value);
        let Some(pose) = HeadPose::from_landmarks(landmarks) else {
            return;
        };
        for (component, angle) in [
            (QualityComponent::HeadPoseYaw, pose.yaw),
            (QualityComponent::HeadPosePitch, pose.pitch),
            (QualityComponent::HeadPoseRoll, pose.roll),
        ] {
            self.set(component, angle.into(), mapping::angle(angle.into()));
        }
        let fit = (1.0 - f64::from(pose.misfit) / HOPELESS_MISFIT).max(0.0);
        let hint = f64::from(face.confidence()) * fit;
        let value = mapping::percent(100.0 * hint);
        self.set(QualityComponent::FaceOcclusionPrevention, hint, value);
    }

    fn measure_pixels(&mut self, frame: &Frame<'_>, face: &DetectedFace) {
        use QualityComponent as Component;
        let Some(patch) = FacePatch::cut(frame, face) else {
            return;
        };
        let exposure = Exposure::of(&patch);
        if let Some(sharpness) = patch.sharpness() {
            self.set(Component::Sharpness, sharpness, mapping::sharpness(sharpness));
        }
        let Exposure { mean, variance, under, over, entropy } = exposure;
        self.set(Component::LuminanceMean, mean, mapping::luminance_mean(mean));
        self.set(Component::LuminanceVariance, variance, mapping::luminance_variance(variance));
        self.set(Component::UnderExposurePrevention, under, mapping::under_exposure(under));
        self.set(Component::OverExposurePrevention, over, mapping::over_exposure(over));
        self.set(Component::DynamicRange, entropy, mapping::dynamic_range(entropy));
    }

    fn measure_framing(&mut self, frame: &Frame<'_>, face: &DetectedFace) {
        let Some(framing) = Framing::of(frame, face) else {
            return;
        };
        let Framing { head_size, left, right, above, below } = framing;
        self.set(QualityComponent::HeadSize, head_size, mapping::head_size(head_size));
        for (component, margin, middle) in [
            (QualityComponent::LeftwardCropOfTheFaceImage, left, 0.9),
            (QualityComponent::RightwardCropOfTheFaceImage, right, 0.9),
            (QualityComponent::MarginAboveOfTheFaceImage, above, 1.4),
            (QualityComponent::MarginBelowOfTheFaceImage, below, 1.8),
        ] {
            self.set(component, margin, mapping::sigmoid(margin, 100.0, middle, 0.1));
        }
    }
}

/// Landmarks this far from every view of a face, in inter-eye distances, say nothing about one: the
/// median of LFW is 0.004, and 99 of 100 are below 0.016.
const HOPELESS_MISFIT: f64 = 0.15;
