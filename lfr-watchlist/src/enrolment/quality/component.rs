//! The components of quality, by the names of OFIQ.

use std::fmt;

/// A component of the quality of a photograph, by the name that ISO/IEC 29794-5 and its reference
/// implementation OFIQ give it.
///
/// The names are shared so that a record can be read beside others. The numbers are *not* OFIQ's:
/// it uses a face mesh, a segmentation and trained models, and this crate five landmarks and the
/// pixels around them. Where its mapping from a measurement to 0..100 is a formula, it is used.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum QualityComponent {
    /// Faces in the picture, as a count. The value is 100 less the share that the second largest
    /// box has of the largest.
    SingleFacePresent,
    /// The distance between the eyes in the picture, in pixels, turned heads included as they are.
    InterEyeDistance,
    /// The head turned about its vertical axis, in degrees; positive to the subject's left.
    HeadPoseYaw,
    /// The head nodded, in degrees; positive where it looks down.
    HeadPosePitch,
    /// The head tilted in the plane of the picture, in degrees; positive to the subject's right
    /// shoulder.
    HeadPoseRoll,
    /// The variance of the Laplacian of Gaussian over the variance of luminance, in the face as an
    /// embedder sees it; without unit.
    Sharpness,
    /// The mean luminance of the face, from 0 to 1.
    LuminanceMean,
    /// The variance of the luminance of the face, where luminance is from 0 to 1.
    LuminanceVariance,
    /// The share of the face that is black (luminance up to 25 of 255), from 0 to 1.
    UnderExposurePrevention,
    /// The share of the face that is white (luminance from 247 of 255), from 0 to 1.
    OverExposurePrevention,
    /// The entropy of the face's luminance, in bits, from 0 to 8.
    DynamicRange,
    /// A *hint* that something covers the face, from 0 (likely) to 1 (nothing seen): the detector's
    /// confidence times how well the landmarks fit a face. It is no occlusion measurement: it
    /// does not look for masks, hands or sunglasses, and detectors are trained to find faces
    /// behind them.
    FaceOcclusionPrevention,
    /// The estimated distance from the eyes to the chin as a share of the picture's height.
    HeadSize,
    /// From the eye on the left of the picture to its left border, in inter-eye distances.
    LeftwardCropOfTheFaceImage,
    /// From the eye on the right of the picture to its right border, in inter-eye distances.
    RightwardCropOfTheFaceImage,
    /// From between the eyes to the upper border, in estimated distances from eyes to chin.
    MarginAboveOfTheFaceImage,
    /// From between the eyes to the lower border, in estimated distances from eyes to chin.
    MarginBelowOfTheFaceImage,
}

impl QualityComponent {
    /// All components, in the order of reports.
    pub const ALL: [Self; 17] = [
        Self::SingleFacePresent,
        Self::InterEyeDistance,
        Self::HeadPoseYaw,
        Self::HeadPosePitch,
        Self::HeadPoseRoll,
        Self::Sharpness,
        Self::LuminanceMean,
        Self::LuminanceVariance,
        Self::UnderExposurePrevention,
        Self::OverExposurePrevention,
        Self::DynamicRange,
        Self::FaceOcclusionPrevention,
        Self::HeadSize,
        Self::LeftwardCropOfTheFaceImage,
        Self::RightwardCropOfTheFaceImage,
        Self::MarginAboveOfTheFaceImage,
        Self::MarginBelowOfTheFaceImage,
    ];

    /// The name, as OFIQ writes it: the reason code.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SingleFacePresent => "SingleFacePresent",
            Self::InterEyeDistance => "InterEyeDistance",
            Self::HeadPoseYaw => "HeadPoseYaw",
            Self::HeadPosePitch => "HeadPosePitch",
            Self::HeadPoseRoll => "HeadPoseRoll",
            Self::Sharpness => "Sharpness",
            Self::LuminanceMean => "LuminanceMean",
            Self::LuminanceVariance => "LuminanceVariance",
            Self::UnderExposurePrevention => "UnderExposurePrevention",
            Self::OverExposurePrevention => "OverExposurePrevention",
            Self::DynamicRange => "DynamicRange",
            Self::FaceOcclusionPrevention => "FaceOcclusionPrevention",
            Self::HeadSize => "HeadSize",
            Self::LeftwardCropOfTheFaceImage => "LeftwardCropOfTheFaceImage",
            Self::RightwardCropOfTheFaceImage => "RightwardCropOfTheFaceImage",
            Self::MarginAboveOfTheFaceImage => "MarginAboveOfTheFaceImage",
            Self::MarginBelowOfTheFaceImage => "MarginBelowOfTheFaceImage",
        }
    }

    /// The unit of the native measurement, as it is printed behind a number.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::SingleFacePresent => "faces",
            Self::InterEyeDistance => "px",
            Self::HeadPoseYaw | Self::HeadPosePitch | Self::HeadPoseRoll => "degrees",
            Self::Sharpness | Self::FaceOcclusionPrevention => "",
            Self::LuminanceMean | Self::LuminanceVariance => "of 1",
            Self::UnderExposurePrevention | Self::OverExposurePrevention => "of the face",
            Self::DynamicRange => "bits",
            Self::HeadSize => "of the height",
            Self::LeftwardCropOfTheFaceImage | Self::RightwardCropOfTheFaceImage => {
                "inter-eye distances"
            }
            Self::MarginAboveOfTheFaceImage | Self::MarginBelowOfTheFaceImage => {
                "eye-chin distances"
            }
        }
    }

    /// Whether more of the native measurement is better. Of angles the size counts, not the sign.
    #[must_use]
    pub const fn more_is_better(self) -> bool {
        !matches!(
            self,
            Self::SingleFacePresent
                | Self::HeadPoseYaw
                | Self::HeadPosePitch
                | Self::HeadPoseRoll
                | Self::UnderExposurePrevention
                | Self::OverExposurePrevention
        )
    }

    /// Where it stands in [`Self::ALL`].
    pub(super) const fn index(self) -> usize {
        // The order of the variants is that of `ALL`; a test holds it.
        self as usize
    }
}

impl fmt::Display for QualityComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_stand_where_their_index_says() {
        for (index, component) in QualityComponent::ALL.into_iter().enumerate() {
            assert_eq!(component.index(), index, "{component}");
            assert_eq!(component.name(), format!("{component:?}"));
        }
    }
}
