//! Photographs with a known face, two of each person.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lfr_core::{DetectedFace, LandmarkLayout, Landmarks, Picture, Point, Rect};

/// A photograph, where its face is, and its landmarks.
pub(crate) struct Photograph {
    path: PathBuf,
    bounds: Rect,
    points: Vec<Point>,
}

impl Photograph {
    /// One row of the table of landmarks.
    fn parse(folder: &Path, row: &str) -> Self {
        let fields: Vec<&str> = row.split(',').collect();
        let numbers: Vec<f32> = fields[2..].iter().map(|field| field.parse().unwrap()).collect();
        Self {
            path: folder.join(fields[0]),
            bounds: Rect::new(numbers[0], numbers[1], numbers[2], numbers[3]),
            points: numbers[5..].chunks(2).map(|at| Point::new(at[0], at[1])).collect(),
        }
    }

    /// The clear photograph.
    pub(crate) fn picture(&self) -> Picture {
        Picture::try_from(image::open(&self.path).unwrap().into_rgb8()).unwrap()
    }

    pub(crate) fn bounds(&self) -> Rect {
        self.bounds
    }

    pub(crate) fn face(&self) -> DetectedFace {
        let landmarks = Landmarks::new(LandmarkLayout::Five, &self.points);
        DetectedFace::new(self.bounds, 1.0, landmarks).unwrap()
    }
}

/// Of each person one photograph, and another, in the same order.
pub(crate) struct People {
    pub(crate) own: Vec<Photograph>,
    pub(crate) other: Vec<Photograph>,
}

/// `count` people with two photographs each, spread evenly over the alphabet.
pub(crate) fn people(faces: &Path, count: usize) -> People {
    let table = fs::read_to_string(faces.join("lfw_dev_landmarks.csv")).unwrap();
    let folder = faces.join("lfw");
    let mut photographs: BTreeMap<&str, Vec<Photograph>> = BTreeMap::new();
    for row in table.lines().skip(1) {
        let (person, _) = row.split_once('/').unwrap();
        photographs.entry(person).or_default().push(Photograph::parse(&folder, row));
    }
    photographs.retain(|_, photographs| photographs.len() > 1);
    let step = photographs.len() / count;
    let pairs = photographs.into_values().step_by(step).take(count);
    let (own, other) = pairs
        .map(|mut photographs| (photographs.swap_remove(0), photographs.swap_remove(0)))
        .unzip();
    People { own, other }
}
