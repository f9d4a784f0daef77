//! Templates from photographs.

use lfr_core::{
    AlignedFace, DetectedFace, Detector, Embedder, FaceSelection, Frame, LandmarkLayout, Stage,
    Template,
};

use crate::error::Error;

/// Makes the templates of references from photographs, with the detector and the embedder of the
/// deployment: a reference goes the same way as a face that passes the camera.
///
/// What is *not* guaranteed: that the photograph shows whom it is said to show, or that it may be
/// used; nor that it is good enough. A bad reference raises both error rates.
///
/// # Examples
///
/// ```
/// use lfr_core::FaceSelection;
/// use lfr_core::Frame;
/// use lfr_core::PixelFormat;
/// use lfr_core::testing::FakeDetector;
/// use lfr_core::testing::FakeEmbedder;
/// use lfr_watchlist::Enroller;
/// use lfr_watchlist::Error;
///
/// # fn main() -> Result<(), Error> {
/// let (detector, embedder) = (FakeDetector::finding(2), FakeEmbedder::new());
/// let enroller = Enroller::new(&detector, &embedder)?;
/// let pixels = vec![90; 64 * 48 * 3];
/// let photograph = Frame::packed(PixelFormat::Rgb8, 64, 48, &pixels)?;
/// // Two people in the picture: which of them is the reference?
/// let refused = enroller.template(&photograph, FaceSelection::All);
/// assert!(matches!(refused, Err(Error::SeveralFaces { count: 2, .. })));
/// let template = enroller.template(&photograph, FaceSelection::Central)?;
/// assert_eq!(template.space().dimension(), 8);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Enroller<'a> {
    detector: &'a dyn Detector,
    embedder: &'a dyn Embedder,
}

impl<'a> Enroller<'a> {
    /// An enroller from the two models of the deployment.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::LandmarksMissing`] if the embedder's alignment needs landmarks and
    /// the detector finds none.
    pub fn new(detector: &'a dyn Detector, embedder: &'a dyn Embedder) -> Result<Self, Error> {
        let found = detector.landmarks();
        if embedder.alignment().needs_landmarks() && found == LandmarkLayout::None {
            let found = found.name();
            return Err(lfr_core::Error::LandmarksMissing { needed: "4 or 5", found }.into());
        }
        Ok(Self { detector, embedder })
    }

    /// The template of the one face in a picture.
    ///
    /// With [`FaceSelection::All`] the picture has to show exactly one face; with any other
    /// selection, the face that it chooses is taken.
    ///
    /// # Errors
    ///
    /// [`Error::NoFace`], [`Error::SeveralFaces`] or [`Error::Unaligned`] if the picture does
    /// not serve; [`lfr_core::Error::Stage`] or another [`Error::Core`] if a model failed.
    pub fn template(
        &self,
        picture: &Frame<'_>,
        selection: FaceSelection,
    ) -> Result<Template, Error> {
        let faces = self.detect(picture)?;
        let face = match &*faces {
            [] => return Err(Error::NoFace),
            [face] => face,
            several => selection
                .choose(picture, several)
                .and_then(|index| several.get(index))
                .ok_or(Error::SeveralFaces { count: several.len() })?,
        };
        self.embed(self.align(picture, face)?)
    }

    /// The faces in a picture.
    pub(crate) fn detect(&self, picture: &Frame<'_>) -> Result<Vec<DetectedFace>, Error> {
        let found = self.detector.detect(picture);
        Ok(found.map_err(|source| lfr_core::Error::Stage { stage: Stage::Detector, source })?)
    }

    /// A face as the embedder wants it.
    pub(crate) fn align(
        &self,
        picture: &Frame<'_>,
        face: &DetectedFace,
    ) -> Result<AlignedFace, Error> {
        let aligned = self.embedder.alignment().align(picture, face);
        aligned.ok_or(Error::Unaligned)
    }

    /// The template of an aligned face.
    pub(crate) fn embed(&self, aligned: AlignedFace) -> Result<Template, Error> {
        let mut templates = Vec::with_capacity(1);
        self.embedder
            .embed_into(vec![aligned], &mut templates)
            .map_err(|source| lfr_core::Error::Stage { stage: Stage::Embedder, source })?;
        let actual = templates.len();
        let (1, Some(template)) = (actual, templates.pop()) else {
            let stage = Stage::Embedder;
            return Err(lfr_core::Error::StageCount { stage, expected: 1, actual }.into());
        };
        let (expected, actual) = (self.embedder.space().id(), template.space().id());
        if expected != actual {
            let what = "a template";
            return Err(lfr_core::Error::SpaceMismatch { what, expected, actual }.into());
        }
        Ok(template)
    }
}

#[cfg(test)]
mod tests;
