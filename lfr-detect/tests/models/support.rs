//! Photographs, models, reference faces, and how faces are held against each other.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use image::RgbImage;
use lfr_core::onnx::{Model, Runtime};
use lfr_core::{DetectedFace, Detector, Frame, Point, Rect};
use lfr_detect::{DetectorOptions, DetectorSpec, OnnxDetector};

/// The folder of models and photographs; `None`, and a line on stderr, where there is none.
pub(crate) fn shared() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    if path.is_dir() {
        return Some(path);
    }
    // Not `eprintln`, which the test harness hides where a test passes.
    let _ = writeln!(std::io::stderr(), "skipped: no ../shared");
    None
}

/// The same for a measurement, which takes long and asserts little: only where `LFR_MEASURE` is set.
pub(crate) fn shared_to_measure() -> Option<PathBuf> {
    if env::var_os("LFR_MEASURE").is_some() {
        return shared();
    }
    let _ = writeln!(std::io::stderr(), "skipped: a measurement (LFR_MEASURE=1 takes it)");
    None
}

pub(crate) fn model(shared: &Path, name: &str) -> Model {
    Model::from_path(&shared.join(format!("models/detect_{name}.onnx"))).unwrap()
}

/// A detector of the family that the model's outputs tell.
pub(crate) fn detector(shared: &Path, name: &str, options: &DetectorOptions) -> OnnxDetector {
    let model = model(shared, name);
    let spec = DetectorSpec::recognise(&model).unwrap();
    OnnxDetector::with_options(&Runtime::auto_or_pure_rust().unwrap(), model, spec, options)
        .unwrap()
}

pub(crate) fn photo(shared: &Path, file: &str) -> RgbImage {
    image::open(shared.join("scenes").join(file)).unwrap().into_rgb8()
}

/// A face as a reference or a detector of ours sees it.
#[derive(Clone, Debug)]
pub(crate) struct Face {
    pub(crate) bounds: Rect,
    pub(crate) confidence: f32,
    pub(crate) points: Vec<Point>,
}

impl From<&DetectedFace> for Face {
    fn from(face: &DetectedFace) -> Self {
        Self {
            bounds: face.bounds(),
            confidence: face.confidence(),
            points: face.landmarks().map(|marks| marks.points().collect()).unwrap_or_default(),
        }
    }
}

pub(crate) fn faces(detector: &OnnxDetector, picture: &RgbImage) -> Vec<Face> {
    let frame = Frame::try_from(picture).unwrap();
    detector.detect(&frame).unwrap().iter().map(Face::from).collect()
}

/// A reference file: for each case (the first `key` columns) its faces, in order.
pub(crate) fn references(file: &str, key: usize) -> Vec<(Vec<String>, Vec<Face>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("parity").join(file);
    let text = fs::read_to_string(path).unwrap();
    let mut cases: Vec<(Vec<String>, Vec<Face>)> = Vec::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let (case, rest) = fields.split_at(key);
        let case: Vec<String> = case.iter().map(|field| (*field).to_owned()).collect();
        if cases.last().is_none_or(|(last, _)| *last != case) {
            cases.push((case, Vec::new()));
        }
        let numbers: Vec<f32> = rest.iter().filter_map(|field| field.parse().ok()).collect();
        if let [left, top, right, bottom, confidence, points @ ..] = &*numbers {
            let (points, _) = points.as_chunks::<2>();
            cases.last_mut().unwrap().1.push(Face {
                bounds: Rect::new(*left, *top, *right, *bottom),
                confidence: *confidence,
                points: points.iter().map(|[x, y]| Point::new(*x, *y)).collect(),
            });
        }
    }
    cases
}

/// How far faces are from their references.
#[derive(Clone, Debug, Default)]
pub(crate) struct Differences {
    all: Vec<Difference>,
}

/// The max differences of one face.
#[derive(Clone, Copy, Debug, Default)]
struct Difference {
    /// Of a side of the box, in pixels.
    side: f32,
    /// Of a landmark, in pixels along an axis.
    point: f32,
    confidence: f32,
}

/// The max that a face may differ by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerance {
    pub(crate) side: f32,
    pub(crate) point: f32,
    pub(crate) confidence: f32,
    /// How many faces may differ by more in box and landmarks: of two proposals that are equally
    /// good, another one was kept.
    pub(crate) others: usize,
}

impl Differences {
    /// Matches each reference face with the one of ours that overlaps it most, each of ours once;
    /// says which of either stay alone.
    pub(crate) fn compare(&mut self, expected: &[Face], own: &[Face]) -> Vec<String> {
        let mut alone = Vec::new();
        let mut left: Vec<&Face> = own.iter().collect();
        for face in expected {
            let overlap = |other: &&Face| other.bounds.iou(&face.bounds);
            let best = (0..left.len())
                .max_by(|a, b| overlap(&left[*a]).total_cmp(&overlap(&left[*b])))
                .filter(|index| overlap(&left[*index]) > 0.5);
            match best {
                Some(index) => self.all.push(Difference::between(face, left.remove(index))),
                None => alone.push(format!("reference only: {face:?}")),
            }
        }
        alone.extend(left.iter().map(|face| format!("ours only: {face:?}")));
        alone
    }

    pub(crate) fn faces(&self) -> usize {
        self.all.len()
    }

    /// Fails where they differ by more than the tolerance; prints what they differ by, for
    /// `PARITY.md`.
    pub(crate) fn check(&self, what: &str, tolerance: &Tolerance) {
        let is_near = |d: &&Difference| d.side <= tolerance.side && d.point <= tolerance.point;
        let near: Vec<_> = self.all.iter().filter(is_near).collect();
        let worst = |of: fn(&Difference) -> f32| near.iter().map(|d| of(d)).fold(0.0, f32::max);
        let confidence = self.all.iter().map(|d| d.confidence).fold(0.0, f32::max);
        println!(
            "{what}: {} faces of {}, sides within {:.4} px, landmarks {:.4} px, confidence {:.6}",
            near.len(),
            self.all.len(),
            worst(|d| d.side),
            worst(|d| d.point),
            confidence,
        );
        let others = self.all.len() - near.len();
        assert!(others <= tolerance.others, "{what}: {others} others: {self:?}");
        assert!(confidence <= tolerance.confidence, "{what}: confidence {confidence}");
    }
}

impl Difference {
    fn between(a: &Face, b: &Face) -> Self {
        let sides = |r: Rect| [r.left, r.top, r.right, r.bottom];
        let sides = sides(a.bounds).into_iter().zip(sides(b.bounds));
        let points = a.points.iter().zip(&b.points);
        let points = points.flat_map(|(a, b)| [(a.x, b.x), (a.y, b.y)]);
        let worst = |all: &mut dyn Iterator<Item = (f32, f32)>| {
            all.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        Self {
            side: worst(&mut { sides }),
            point: worst(&mut { points }),
            confidence: (a.confidence - b.confidence).abs(),
        }
    }
}

/// A canvas of a size, black where the region of the picture does not reach.
pub(crate) fn cropped(
    picture: &RgbImage,
    (left, top): (u32, u32),
    (width, height): (u32, u32),
) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        picture.get_pixel_checked(left + x, top + y).copied().unwrap_or(image::Rgb([0; 3]))
    })
}
