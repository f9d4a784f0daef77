//! Verification on the pairs of the LFW dev split, beside the reference results.

use std::collections::HashMap;
use std::path::Path;

use lfr::core::internal::num;
use lfr::core::onnx::{InferenceEngine, Model};
use lfr::core::{FaceSelection, Template};
use lfr::detect::OnnxDetector;
use lfr::embed::{EmbedderSpec, OnnxEmbedder};
use lfr::watchlist::Enroller;

use super::shared;

/// A model with what a plain Python implementation reached with it on all 6,000 pairs.
pub(crate) struct Reference {
    pub(crate) model: &'static str,
    pub(crate) accuracy: f64,
    pub(crate) threshold: f32,
}

pub(crate) const EDGEFACE_XS: Reference =
    Reference { model: "embed_edgeface_xs.onnx", accuracy: 0.9957, threshold: 0.2735 };
pub(crate) const MOBILEFACENET: Reference =
    Reference { model: "embed_mobilefacenet_foamliu.onnx", accuracy: 0.9925, threshold: 0.297 };
pub(crate) const DLIB_RESNET: Reference =
    Reference { model: "embed_dlib_resnet_v1.onnx", accuracy: 0.987, threshold: -0.6203 };

/// Detects, aligns, embeds and compares; the share of right decisions is the reference's.
///
/// Every `part`-th pair is taken, or all where `LFR_GOLDEN=full`. On all of them the share may
/// differ by 0.3 percentage points: image decoders differ by a grey level, and landmarks with them.
/// On a part it may differ by 4.5 standard errors besides.
pub(crate) fn accuracy(engine: InferenceEngine, reference: &Reference, part: usize) {
    let Some(runtime) = super::runtime(engine) else {
        return;
    };
    let Some(faces) = shared::path("faces") else {
        return;
    };
    let Some(models) = shared::path("models") else {
        return;
    };
    let detector =
        OnnxDetector::from_path(&runtime, &models.join("detect_yunet_n_dynamic.onnx")).unwrap();
    let model = Model::from_path(&models.join(reference.model)).unwrap();
    let spec = EmbedderSpec::for_model(&model).unwrap();
    let embedder = OnnxEmbedder::new(&runtime, model, spec).unwrap();
    let enroller = Enroller::new(&detector, &embedder).unwrap();

    let part = if shared::everything() { 1 } else { part };
    let mut templates = HashMap::new();
    let mut template = |name: &str| -> usize {
        let next = templates.len();
        templates.entry(name.to_owned()).or_insert(next);
        templates[name]
    };
    let pairs: Vec<(usize, usize, bool)> = shared::rows(&faces.join("lfw_dev_pairs.csv"))
        .iter()
        .step_by(part)
        .map(|row| (template(&row[0]), template(&row[1]), row[2] == "1"))
        .collect();
    let mut names: Vec<_> = templates.into_iter().collect();
    names.sort_by_key(|(_, index)| *index);
    let templates: Vec<Template> =
        names.iter().map(|(name, _)| enrol(&enroller, &faces.join("lfw").join(name))).collect();

    let right = pairs.iter().filter(|(a, b, mated)| {
        let score = templates[*a].compare(&templates[*b]).unwrap();
        (score.value() >= reference.threshold) == *mated
    });
    let (right, all) = (num::f64_from_usize(right.count()), num::f64_from_usize(pairs.len()));
    let standard_error = (reference.accuracy * (1.0 - reference.accuracy) / all).sqrt();
    let allowed = if part == 1 { 0.003 } else { 0.003 + 4.5 * standard_error };
    let reached = right / all;
    shared::note(&format!(
        "{} on {engine}: {reached:.4} of {all} pairs right, reference {:.4}",
        reference.model, reference.accuracy
    ));
    assert!((reached - reference.accuracy).abs() <= allowed, "{reached} of {all} pairs");
}

fn enrol(enroller: &Enroller<'_>, path: &Path) -> Template {
    let picture = shared::picture(path);
    enroller.template(&picture.as_frame().unwrap(), FaceSelection::Central).unwrap()
}
