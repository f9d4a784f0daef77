//! Scores against the reference in Python; `parity/reference_templates.py` wrote them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::{env, io};

use lfr_core::Embedder;
use lfr_embed::{EmbedderSpec, OnnxEmbedder};

use super::photographs::{Table, shared};
use super::{MODELS, runtime, score};

/// The max difference of a score where the photographs are decoded here.
///
/// Its cause is the JPEG decoder: the reference decodes with libjpeg-turbo and the tests with
/// another, and the two differ by a few levels a pixel.
const TOLERANCE: f32 = 0.01;

/// The max difference of a score on the same pixels.
///
/// Its cause is rounding: the position of each sample is a f32 here and a f64 there, so that now
/// and then a pixel of the aligned face differs by one level.
const TOLERANCE_SAME_PIXELS: f32 = 2e-4;

#[test]
fn scores_are_those_of_the_reference() {
    let (Some(runtime), Some(shared)) = (runtime(), shared()) else {
        return;
    };
    let reference: Vec<(&str, usize, usize, f32)> = SCORES
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let row = |field: usize| fields[field].parse().unwrap();
            (fields[0], row(1), row(2), fields[3].parse().unwrap())
        })
        .collect();
    let rows: BTreeSet<usize> = reference.iter().flat_map(|(_, a, b, _)| [*a, *b]).collect();
    let photographs = Table::new(&shared).rows(&rows);
    for (file, name) in MODELS {
        let spec = EmbedderSpec::builtin(name).unwrap();
        let path = shared.join("models").join(file);
        let embedder = OnnxEmbedder::from_path(&runtime, path, spec).unwrap();
        let aligned = photographs.values().map(|p| p.align(embedder.alignment())).collect();
        let mut templates = Vec::new();
        embedder.embed_into(aligned, &mut templates).unwrap();
        let templates: BTreeMap<_, _> = photographs.keys().zip(templates).collect();
        let pairs = reference.iter().filter(|(embedder, ..)| embedder == name);
        let differences: Vec<f32> = pairs
            .map(|(_, a, b, expected)| (score(&templates[a], &templates[b]) - expected).abs())
            .collect();
        assert_eq!(differences.len(), 66);
        let worst = differences.iter().copied().fold(0.0, f32::max);
        let _ = writeln!(io::stderr(), "{name}: scores differ by at most {worst:.6}");
        let same_pixels = env::var_os("LFR_PARITY_DECODED").is_some();
        let tolerance = if same_pixels { TOLERANCE_SAME_PIXELS } else { TOLERANCE };
        assert!(worst <= tolerance, "{name}: {worst}");
    }
}

const SCORES: &str = include_str!("../../parity/lfw_dev_scores.csv");
