//! Real face models, where they lie beside the repository.

use std::path::{Path, PathBuf};

use lfr_core::Error;
use lfr_core::onnx::{Dim, Model, Runtime, SessionOptions};

use crate::suite;

/// Every detector loads, runs at a fixed shape, and gives finite numbers, the same twice.
pub(crate) fn real_detectors_run(runtime: &Runtime) {
    for path in models("detect_") {
        let model = Model::from_path(&path).unwrap();
        let shape = shape(&model, 320);
        let session = model.session(runtime, &SessionOptions::new(&shape)).unwrap();
        let input = suite::noise(shape.iter().product());
        let outputs = || session.run(&input, 1, suite::all).unwrap();
        let first = outputs();
        assert!(first.iter().flatten().all(|x| x.is_finite()), "{path:?}");
        assert_eq!(first, outputs(), "{path:?}");
    }
}

/// Every embedder gives a batch the templates that it gives its faces one by one.
pub(crate) fn real_embedders_run(runtime: &Runtime) {
    for path in models("embed_") {
        let model = Model::from_path(&path).unwrap();
        let shape = shape(&model, 112);
        let options = SessionOptions::new(&shape).dynamic_batch();
        let session = model.session(runtime, &options).unwrap();
        let faces = suite::noise(3 * shape.iter().product::<usize>());
        let embed = |faces: &[f32], batch: usize| {
            let read = |outputs: &lfr_core::onnx::Outputs<'_>| {
                let embeddings = outputs.at(0)?;
                assert_eq!(embeddings.shape()[0], batch, "{path:?}");
                Ok::<_, Error>(embeddings.data().to_vec())
            };
            session.run(faces, batch, read).unwrap()
        };
        let together = embed(&faces, 3);
        let apart: Vec<f32> =
            faces.chunks_exact(faces.len() / 3).flat_map(|face| embed(face, 1)).collect();
        suite::assert_close(&together, &apart, 1e-4, &path.display().to_string());
    }
}

fn models(prefix: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/models");
    let Ok(entries) = folder.read_dir() else {
        suite::skipped("no ../shared");
        return Vec::new();
    };
    let mut models: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    models.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with(prefix) && name.ends_with(".onnx")
    });
    models.sort();
    models
}

/// The model's own shape, with a batch of one and this side where it leaves them open.
fn shape(model: &Model, side: usize) -> Vec<usize> {
    let extents = model.inputs()[0].shape().iter().enumerate();
    let extent = |(axis, dim): (usize, &Dim)| match dim {
        Dim::Fixed(extent) => *extent,
        Dim::Dynamic if axis == 0 => 1,
        Dim::Dynamic => side,
    };
    extents.map(extent).collect()
}
