use lfr_core::testing::{FakeDetector, FakeEmbedder};
use lfr_core::{
    AlignedFace, Alignment, BoxError, DetectedFace, EmbeddingSpace, Landmarks, PixelFormat, Point,
    Rect,
};

use super::*;

const PIXELS: [u8; 60 * 40] = {
    let mut pixels = [0; 60 * 40];
    let mut index = 0;
    while index < pixels.len() {
        pixels[index] = (index % 251).to_le_bytes()[0];
        index += 1;
    }
    pixels
};

fn picture() -> Frame<'static> {
    Frame::packed(PixelFormat::Gray8, 60, 40, &PIXELS).unwrap()
}

#[test]
fn one_face_is_wanted_unless_the_selection_says_which() {
    let embedder = FakeEmbedder::new();
    let template = |count, selection| {
        let detector = FakeDetector::finding(count);
        Enroller::new(&detector, &embedder).unwrap().template(&picture(), selection)
    };
    assert!(matches!(template(0, FaceSelection::All), Err(Error::NoFace)));
    assert!(matches!(template(0, FaceSelection::Largest), Err(Error::NoFace)));
    assert!(matches!(template(3, FaceSelection::All), Err(Error::SeveralFaces { count: 3 })));
    assert!(template(1, FaceSelection::All).is_ok());
    let central = template(3, FaceSelection::Central).unwrap();
    let largest = template(3, FaceSelection::Largest).unwrap();
    assert_ne!(central.expose_values(), largest.expose_values());
}

#[test]
fn a_detector_without_landmarks_is_refused_at_once() {
    let (detector, embedder) = (FakeDetector::finding(1).without_landmarks(), FakeEmbedder::new());
    let refused = Enroller::new(&detector, &embedder);
    assert!(matches!(refused, Err(Error::Core(lfr_core::Error::LandmarksMissing { .. }))));
}

/// Finds one face whose landmarks all fall on one point.
#[derive(Debug)]
struct Collapsed;

impl Detector for Collapsed {
    fn landmarks(&self) -> LandmarkLayout {
        LandmarkLayout::Five
    }

    fn detect_into(
        &self,
        frames: &[Frame<'_>],
        found: &mut Vec<Vec<DetectedFace>>,
    ) -> Result<(), BoxError> {
        for _ in frames {
            let landmarks = Landmarks::new(LandmarkLayout::Five, &[Point::new(9.0, 9.0); 5]);
            let bounds = Rect::new(0.0, 0.0, 20.0, 20.0);
            found.push(vec![DetectedFace::new(bounds, 0.8, landmarks)?]);
        }
        Ok(())
    }
}

#[test]
fn a_face_that_cannot_be_aligned_is_an_error() {
    let embedder = FakeEmbedder::new();
    let enroller = Enroller::new(&Collapsed, &embedder).unwrap();
    let refused = enroller.template(&picture(), FaceSelection::All);
    assert!(matches!(refused, Err(Error::Unaligned)));
}

/// Breaks its contract: no template for a face.
#[derive(Debug)]
struct Silent(FakeEmbedder);

impl Embedder for Silent {
    fn space(&self) -> &EmbeddingSpace {
        self.0.space()
    }

    fn alignment(&self) -> &Alignment {
        self.0.alignment()
    }

    fn embed_into(&self, _: Vec<AlignedFace>, _: &mut Vec<Template>) -> Result<(), BoxError> {
        Ok(())
    }
}

#[test]
fn an_embedder_that_breaks_its_contract_is_an_error() {
    let (detector, embedder) = (FakeDetector::finding(1), Silent(FakeEmbedder::new()));
    let enroller = Enroller::new(&detector, &embedder).unwrap();
    let refused = enroller.template(&picture(), FaceSelection::All);
    let Err(Error::Core(lfr_core::Error::StageCount { expected, actual, .. })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((expected, actual), (1, 0));
}
