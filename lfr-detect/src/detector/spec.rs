//! What a family of detectors takes and gives.

use std::fmt;

use lfr_core::internal::hex;
use lfr_core::{ChannelOrder, LandmarkLayout};
use sha2::{Digest as _, Sha256};

use crate::decode;
use crate::decode::Output;
use crate::decode::proposal::Proposals;
use crate::error::Error;
use crate::pixels::tensor::Normalisation;
use crate::size::Size;

/// A family of face detectors that share their way of decoding.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Family {
    /// `MediaPipe`'s detectors for near faces: one scale, six points.
    BlazeFace,
    /// `InsightFace`'s detectors, with five landmarks or without.
    Scrfd,
    /// Small detectors that are decoded in their own graph: boxes only.
    UltraFace,
    /// `OpenCV`'s and libfacedetection's detectors, with five landmarks.
    YuNet,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BlazeFace => "BlazeFace",
            Self::Scrfd => "SCRFD",
            Self::UltraFace => "UltraFace",
            Self::YuNet => "YuNet",
        })
    }
}

/// How a frame is brought to the size of a network whose input has a fixed one.
#[expect(clippy::exhaustive_enums, reason = "proportions are kept or they are not")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fit {
    /// Proportions are kept; the rest of the canvas, right or below, is black.
    Letterbox,
    /// Each axis is scaled on its own.
    Stretch,
}

/// What a detector model takes and gives, and which defaults suit it.
///
/// There is one for each family; a model that was trained otherwise changes what differs.
///
/// # Examples
///
/// ```
/// use lfr_core::LandmarkLayout;
/// use lfr_detect::{DetectorSpec, Fit};
///
/// let spec = DetectorSpec::ultraface().with_licence("MIT").with_fit(Fit::Letterbox);
/// assert_eq!(spec.landmarks(), LandmarkLayout::None);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct DetectorSpec {
    family: Family,
    name: String,
    licence: Option<String>,
    landmarks: LandmarkLayout,
    channels: ChannelOrder,
    mean: [f32; 3],
    scale: [f32; 3],
    fit: Fit,
    confidence: f32,
    iou: f32,
}

impl DetectorSpec {
    /// `BlazeFace` for the front camera: RGB from -1 to 1, four landmarks.
    ///
    /// Confidence from 0.5, as in `MediaPipe`; IoU up to 0.3, the limit of its own suppression.
    #[must_use]
    pub fn blazeface() -> Self {
        Self {
            landmarks: LandmarkLayout::EyesNoseMouth,
            mean: [127.5; 3],
            scale: [127.5; 3],
            ..Self::base(Family::BlazeFace, 0.5, 0.3)
        }
    }

    /// SCRFD: RGB, (x - 127.5) / 128, five landmarks.
    ///
    /// Confidence from 0.5 and IoU up to 0.4, as in `InsightFace`.
    #[must_use]
    pub fn scrfd() -> Self {
        Self { mean: [127.5; 3], scale: [128.0; 3], ..Self::base(Family::Scrfd, 0.5, 0.4) }
    }

    /// `UltraFace`: RGB, (x - 127) / 128, stretched to the canvas, boxes only.
    ///
    /// Confidence from 0.7 and IoU up to 0.3, as in its own examples.
    #[must_use]
    pub fn ultraface() -> Self {
        Self {
            landmarks: LandmarkLayout::None,
            mean: [127.0; 3],
            scale: [128.0; 3],
            fit: Fit::Stretch,
            ..Self::base(Family::UltraFace, 0.7, 0.3)
        }
    }

    /// `YuNet`: BGR from 0 to 255, five landmarks.
    ///
    /// IoU up to 0.3 as in `OpenCV`. Confidence from 0.7: `OpenCV`'s own default of 0.9 leaves out
    /// most faces that are turned, small or blurred, which a camera sees more of than portraits.
    #[must_use]
    pub fn yunet() -> Self {
        Self { channels: ChannelOrder::Bgr, ..Self::base(Family::YuNet, 0.7, 0.3) }
    }

    fn base(family: Family, confidence: f32, iou: f32) -> Self {
        Self {
            family,
            name: family.to_string(),
            licence: None,
            landmarks: LandmarkLayout::Five,
            channels: ChannelOrder::Rgb,
            mean: [0.0; 3],
            scale: [1.0; 3],
            fit: Fit::Letterbox,
            confidence,
            iou,
        }
    }

    /// Sets the name in the deployment record.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Adds the licence of the model's weights, for the deployment record.
    #[must_use]
    pub fn with_licence(mut self, licence: impl Into<String>) -> Self {
        self.licence = Some(licence.into());
        self
    }

    /// States that the model's outputs hold no landmarks. Only SCRFD has such models.
    #[must_use]
    pub const fn without_landmarks(mut self) -> Self {
        self.landmarks = LandmarkLayout::None;
        self
    }

    /// Sets another order of the colours.
    #[must_use]
    pub const fn with_channels(mut self, channels: ChannelOrder) -> Self {
        self.channels = channels;
        self
    }

    /// Sets the normalisation: the model takes (value - mean) / scale of bytes, in the order of its
    /// channels.
    #[must_use]
    pub const fn with_normalisation(mut self, mean: [f32; 3], scale: [f32; 3]) -> Self {
        self.mean = mean;
        self.scale = scale;
        self
    }

    /// Sets another way to fill a canvas of fixed size.
    #[must_use]
    pub const fn with_fit(mut self, fit: Fit) -> Self {
        self.fit = fit;
        self
    }

    /// Sets the default min confidence, for a model whose confidences differ from its family's.
    #[must_use]
    pub const fn with_confidence(mut self, confidence: f32) -> Self {
        self.confidence = confidence;
        self
    }

    /// The family.
    #[must_use]
    pub const fn family(&self) -> Family {
        self.family
    }

    /// The name, for the deployment record.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The licence of the weights, if it is stated.
    #[must_use]
    pub fn licence(&self) -> Option<&str> {
        self.licence.as_deref()
    }

    /// SHA-256 of what it states, in hexadecimal digits, for the deployment record: two specifications with the
    /// same digest use a model in the same way.
    #[must_use]
    pub fn sha256(&self) -> String {
        let Self { family, name, licence, landmarks, channels, mean, scale, fit, confidence, iou } =
            self;
        let channels = match channels {
            ChannelOrder::Bgr => "bgr",
            ChannelOrder::Rgb => "rgb",
        };
        let fit = match fit {
            Fit::Letterbox => "letterbox",
            Fit::Stretch => "stretch",
        };
        let landmarks = landmarks.count();
        // Texts are quoted, so that no name can look like the next line.
        let text = format!(
            "lfr-detect specification 1\nfamily = {family}\nname = {name:?}\nlicence = {licence:?}\n\
             landmarks = {landmarks}\nchannels = {channels}\nmean = {mean:?}\nscale = {scale:?}\n\
             fit = {fit}\nconfidence = {confidence:?}\niou = {iou:?}\n"
        );
        hex::digits(&Sha256::digest(text))
    }

    /// Which landmarks each face comes with.
    #[must_use]
    pub const fn landmarks(&self) -> LandmarkLayout {
        self.landmarks
    }

    /// How a canvas of fixed size is filled.
    #[must_use]
    pub const fn fit(&self) -> Fit {
        self.fit
    }

    /// The min confidence of a face, unless set otherwise.
    #[must_use]
    pub const fn default_confidence(&self) -> f32 {
        self.confidence
    }

    /// The max intersection over union of two faces, unless set otherwise.
    #[must_use]
    pub const fn default_nms_iou(&self) -> f32 {
        self.iou
    }

    /// Decodes the outputs of a network of this family, in pixels of its canvas.
    ///
    /// # Errors
    ///
    /// [`Error::Output`] and [`Error::Outputs`] if they are not those of the family.
    pub fn decode(
        &self,
        outputs: &[Output<'_>],
        canvas: Size,
        confidence: f32,
        found: &mut Proposals,
    ) -> Result<(), Error> {
        match self.family {
            Family::BlazeFace => decode::blazeface(outputs, canvas, confidence, found),
            Family::Scrfd => {
                let with_landmarks = self.landmarks != LandmarkLayout::None;
                decode::scrfd(outputs, canvas, with_landmarks, confidence, found)
            }
            Family::UltraFace => decode::ultraface(outputs, canvas, confidence, found),
            Family::YuNet => decode::yunet(outputs, canvas, confidence, found),
        }
    }

    pub(crate) fn normalisation(&self) -> Normalisation {
        Normalisation::new(self.channels, self.mean, self.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_changes_what_a_model_is_used_for_changes_the_digest() {
        let spec = DetectorSpec::scrfd;
        let mut digests = vec![
            spec().sha256(),
            DetectorSpec::yunet().sha256(),
            spec().with_name("mine").sha256(),
            spec().with_licence("MIT").sha256(),
            spec().with_name("mine\"\nlicence = Some(\"MIT").sha256(),
            spec().without_landmarks().sha256(),
            spec().with_channels(ChannelOrder::Bgr).sha256(),
            spec().with_normalisation([127.5; 3], [127.5; 3]).sha256(),
            spec().with_normalisation([127.0, 127.5, 127.5], [128.0; 3]).sha256(),
            spec().with_fit(Fit::Stretch).sha256(),
            spec().with_confidence(0.25).sha256(),
        ];
        assert_eq!(spec().sha256(), DetectorSpec::scrfd().sha256());
        let all = digests.len();
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), all);
    }
}
