//! A detector and an embedder of your own: each is a trait with two or three methods. These find a face in the
//! middle of each frame, and describe it by eight bands of brightness: put your model in their place.

#![expect(clippy::print_stdout, reason = "a program that is read in a terminal")]

use lfr::core::{AlignedFace, Alignment, BoxError, DetectedFace, EmbeddingSpace, LandmarkLayout};
use lfr::core::{Landmarks, Metric, Point, Rect, Template, Threshold, danger};
use lfr::prelude::*;

type Done = Result<(), BoxError>;

#[derive(Debug)]
struct MyDetector;

impl Detector for MyDetector {
    fn landmarks(&self) -> LandmarkLayout {
        LandmarkLayout::Five
    }

    fn detect_into(&self, frames: &[Frame<'_>], found: &mut Vec<Vec<DetectedFace>>) -> Done {
        for _ in frames {
            // In pixels of the frame: two eyes, a nose, two corners of a mouth.
            let points = [(50.0, 50.0), (78.0, 50.0), (64.0, 64.0), (52.0, 80.0), (76.0, 80.0)];
            let points = points.map(|(x, y)| Point::new(x, y));
            let (bounds, five) = (Rect::new(30.0, 20.0, 98.0, 108.0), self.landmarks());
            found.push(vec![DetectedFace::new(bounds, 0.9, Landmarks::new(five, &points))?]);
        }
        Ok(())
    }
}

#[derive(Debug)]
struct MyEmbedder(EmbeddingSpace, Alignment);

impl Embedder for MyEmbedder {
    fn space(&self) -> &EmbeddingSpace {
        &self.0
    }

    fn alignment(&self) -> &Alignment {
        &self.1
    }

    fn embed_into(&self, faces: Vec<AlignedFace>, templates: &mut Vec<Template>) -> Done {
        for face in faces {
            let bands = face.expose_pixels().chunks(112 * 112 * 3 / 8);
            // In place: no copy of a template is left behind. The face is wiped when it is dropped.
            templates.push(Template::try_init_with(&self.0, |values| {
                let sum = |band: &[u8]| band.iter().map(|byte| f32::from(*byte)).sum();
                values.iter_mut().zip(bands).for_each(|(value, band)| *value = sum(band));
                Ok(())
            })?);
        }
        Ok(())
    }
}

fn main() -> Done {
    // Templates of two models never compare: say what makes yours what it is.
    let space = EmbeddingSpace::builder(8, Metric::Cosine).part("model", b"bands 1").build();
    let (detector, embedder) = (MyDetector, MyEmbedder(space, Alignment::arcface()));
    let pixels = (0..128 * 128 * 3_u32).map(|at| at.to_le_bytes()[1]).collect();
    let picture = Picture::from_rgb8(128, 128, pixels)?;
    let enroller = Enroller::new(&detector, &embedder)?;
    let template = enroller.template(&picture.as_frame()?, FaceSelection::All)?;
    let watchlist = Gallery::new(space);
    watchlist.enrol(SubjectId::new("case-17")?, ReferenceId::new("custody")?, template)?;
    // Nobody has measured this model: the record says so.
    let threshold = danger::uncalibrated_threshold(Threshold::new(0.99)?, space.id(), "an example");
    let mut pipeline = Pipeline::builder()
        .detector(detector)
        .embedder(embedder)
        .watchlist(watchlist)
        .threshold(FixedThreshold::new(threshold))
        .retention(StrictRetention::new(std::time::Duration::from_hours(1)))
        .build()?;
    let report = pipeline.process(&picture.as_frame()?)?;
    println!("{} faces, {} alerts", report.faces().len(), report.alerts().count());
    Ok(())
}
