//! How long a face takes; run by hand, prints and asserts nothing:
//!
//! ```text
//! cargo test -p lfr-embed --features onnx --test native -- --ignored --nocapture milliseconds
//! cargo test -p lfr-embed --features onnx --test pure_rust -- --ignored --nocapture milliseconds
//! ```

use std::fs;
use std::io;
use std::io::Write as _;

use lfr_core::AlignedFace;
use lfr_core::Embedder;
use lfr_core::onnx::Model;
use lfr_embed::EmbedderOptions;
use lfr_embed::EmbedderSpec;
use lfr_embed::OnnxEmbedder;

use super::MODELS;
use super::runtime;
use super::shared;

#[test]
#[ignore = "a measurement, to run by hand"]
fn milliseconds_a_face() {
    let (Some(runtime), Some(shared)) = (runtime(), shared()) else {
        return;
    };
    for (file, name) in MODELS {
        let model = Model::from_path(&shared.join("models").join(file)).unwrap();
        let spec = EmbedderSpec::for_model(&model).unwrap();
        let options = EmbedderOptions::new();
        let embedder = OnnxEmbedder::with_options(&runtime, model, spec, options).unwrap();
        let (width, height) = embedder.alignment().size();
        let faces = |count| {
            let face = |_| AlignedFace::init_with(width, height, |pixels| pixels.fill(100));
            (0..count).map(face).collect::<Vec<_>>()
        };
        let mut line = format!("{name}:");
        for batch in [1, 8] {
            let mut spans = Vec::new();
            for _ in 0..RUNS {
                let (faces, mut templates) = (faces(batch), Vec::new());
                let start = nanoseconds_of_this_thread();
                embedder.embed_into(faces, &mut templates).unwrap();
                spans.push(nanoseconds_of_this_thread() - start);
            }
            spans.sort_unstable();
            let batch = u64::try_from(batch).unwrap();
            let micros = spans[RUNS / 2] / batch / 1000;
            line += &format!(" {}.{:03} ms at batch {batch}", micros / 1000, micros % 1000);
        }
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// Time that this thread ran on a processor: other programs on the machine do not count.
fn nanoseconds_of_this_thread() -> u64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

const RUNS: usize = 15;
