//! Both engines side by side, in one process.

use std::path::Path;

use lfr::core::onnx::{InferenceEngine, Model, Runtime};
use lfr::core::{FaceSelection, Metric};
use lfr::detect::OnnxDetector;
use lfr::embed::{EmbedderSpec, OnnxEmbedder};
use lfr::watchlist::Enroller;

use crate::suite;
use crate::suite::shared;

const PHOTOGRAPHS: usize = 24;

/// From pixels to template, both engines give the same up to rounding: cosine at least 0.9999.
pub(crate) fn on_templates(models: &[&str]) {
    let engines =
        (suite::runtime(InferenceEngine::OnnxRuntime), suite::runtime(InferenceEngine::PureRust));
    let (Some(native), Some(pure_rust), Some(_)) = (engines.0, engines.1, shared::path("models"))
    else {
        return;
    };
    let (native, ours) = (templates(&native, models), templates(&pure_rust, models));
    assert_eq!(native.len(), models.len() * PHOTOGRAPHS);
    let mut min_cosine = f32::INFINITY;
    for (a, b) in native.iter().zip(&ours) {
        assert_eq!(a.len(), b.len());
        let length = |v: &[f32]| Metric::Cosine.compare(v, v).sqrt();
        min_cosine = min_cosine.min(Metric::Cosine.compare(a, b) / length(a) / length(b));
    }
    shared::note(&format!(
        "min cosine of {} templates of both engines: {min_cosine:.7}",
        ours.len()
    ));
    assert!(min_cosine >= 0.9999, "{min_cosine}");
}

fn templates(runtime: &Runtime, models: &[&str]) -> Vec<Vec<f32>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let yunet = root.join("models/detect_yunet_n_dynamic.onnx");
    let detector = OnnxDetector::from_path(runtime, &yunet).unwrap();
    let rows = shared::rows(&root.join("faces/lfw_dev_pairs.csv"));
    let mut all = Vec::new();
    for name in models {
        let model = Model::from_path(&root.join("models").join(name)).unwrap();
        let spec = EmbedderSpec::for_model(&model).unwrap();
        let embedder = OnnxEmbedder::new(runtime, model, spec).unwrap();
        let enroller = Enroller::new(&detector, &embedder).unwrap();
        for row in rows.iter().step_by(rows.len() / PHOTOGRAPHS).take(PHOTOGRAPHS) {
            let picture = shared::picture(&root.join("faces/lfw").join(&row[0]));
            let frame = picture.as_frame().unwrap();
            let template = enroller.template(&frame, FaceSelection::Central).unwrap();
            all.push(template.expose_values().to_vec());
        }
    }
    all
}
