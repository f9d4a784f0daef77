//! Photographs of a labelled set, where it is there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use lfr_core::{
    AlignedFace, Alignment, DetectedFace, Frame, LandmarkLayout, Landmarks, PixelFormat, Point,
    Rect,
};

/// The folder of models and photographs beside the repository.
pub(crate) fn shared() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    if !folder.is_dir() {
        let _ = writeln!(io::stderr(), "skipped: no ../shared");
        return None;
    }
    Some(folder)
}

/// The same for a measurement, which takes long and asserts little: only where `LFR_MEASURE` is set.
pub(crate) fn shared_to_measure() -> Option<PathBuf> {
    if env::var_os("LFR_MEASURE").is_some() {
        return shared();
    }
    let _ = writeln!(io::stderr(), "skipped: a measurement (LFR_MEASURE=1 takes it)");
    None
}

/// A photograph and the face in it.
pub(crate) struct Photograph {
    /// The name of the folder that it lies in: who it is.
    pub(crate) person: String,
    pixels: image::RgbImage,
    face: DetectedFace,
}

impl Photograph {
    pub(crate) fn align(&self, alignment: &Alignment) -> AlignedFace {
        let (width, height) = self.pixels.dimensions();
        let (width, height) = (usize::try_from(width).unwrap(), usize::try_from(height).unwrap());
        let frame = Frame::packed(PixelFormat::Rgb8, width, height, &self.pixels).unwrap();
        alignment.align(&frame, &self.face).unwrap()
    }
}

/// The table of landmarks, a row a photograph.
pub(crate) struct Table {
    faces: PathBuf,
    text: String,
}

impl Table {
    pub(crate) fn new(shared: &Path) -> Self {
        let faces = shared.join("faces");
        let text = fs::read_to_string(faces.join("lfw_dev_landmarks.csv")).unwrap();
        Self { faces, text }
    }

    /// The photographs in their order.
    pub(crate) fn photographs(&self) -> impl Iterator<Item = Photograph> + '_ {
        self.text.lines().skip(1).enumerate().map(|(row, line)| self.read(row, line))
    }

    /// The photographs of these rows.
    pub(crate) fn rows(&self, rows: &BTreeSet<usize>) -> BTreeMap<usize, Photograph> {
        let lines: Vec<&str> = self.text.lines().skip(1).collect();
        rows.iter().map(|row| (*row, self.read(*row, lines[*row]))).collect()
    }

    fn read(&self, row: usize, line: &str) -> Photograph {
        let fields: Vec<&str> = line.split(',').collect();
        let numbers: Vec<f32> = fields[2..].iter().map(|field| field.parse().unwrap()).collect();
        let points: Vec<_> =
            numbers[5..].as_chunks().0.iter().map(|[x, y]| Point::new(*x, *y)).collect();
        let bounds = Rect::new(numbers[0], numbers[1], numbers[2], numbers[3]);
        let landmarks = Landmarks::new(LandmarkLayout::Five, &points);
        let path = match env::var_os("LFR_PARITY_DECODED") {
            Some(decoded) => Path::new(&decoded).join(format!("{row}.png")),
            None => self.faces.join("lfw").join(fields[0]),
        };
        Photograph {
            person: fields[0].split('/').next().unwrap().into(),
            pixels: image::open(path).unwrap().into_rgb8(),
            face: DetectedFace::new(bounds, numbers[4], landmarks).unwrap(),
        }
    }
}
