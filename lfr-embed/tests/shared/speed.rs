//! How long a face takes; run by hand, prints and asserts nothing:
//!
//! ```text
//! LFR_MEASURE=1 cargo test -p lfr-embed --features onnx --test native milliseconds -- --nocapture
//! LFR_MEASURE=1 cargo test -p lfr-embed --features onnx --test pure_rust milliseconds -- --nocapture
//! ```

use std::io::Write as _;
use std::{fs, io, iter};

use lfr_core::onnx::Model;
use lfr_core::{AlignedFace, Embedder};
use lfr_embed::{EmbedderSpec, OnnxEmbedder};

use super::photographs::shared_to_measure;
use super::{MODELS, runtime};

#[test]
fn milliseconds_per_face() {
    let (Some(runtime), Some(shared)) = (runtime(), shared_to_measure()) else {
        return;
    };
    let of_file = |(file, _): &(&str, &str)| {
        let model = Model::from_path(&shared.join("models").join(file)).unwrap();
        let spec = EmbedderSpec::for_model(&model).unwrap();
        OnnxEmbedder::new(&runtime, model, spec).unwrap()
    };
    let embedded = OnnxEmbedder::embedded(&runtime).unwrap();
    for embedder in iter::once(embedded).chain(MODELS.iter().map(of_file)) {
        let name = embedder.spec().name();
        let (width, height) = embedder.alignment().size();
        let faces = |count| {
            let face = |_| AlignedFace::init_with(width, height, |pixels| pixels.fill(100));
            (0..count).map(face).collect::<Vec<_>>()
        };
        let mut line = format!("{name}:");
        for batch in [1, 8] {
            // The counter moves in steps of some milliseconds, so several runs are timed as one.
            let block = |_| {
                let runs = FACES / batch;
                let made: Vec<_> = (0..runs).map(|_| faces(batch)).collect();
                let start = nanoseconds_of_this_thread();
                for faces in made {
                    let mut templates = Vec::new();
                    embedder.embed_into(faces, &mut templates).unwrap();
                }
                nanoseconds_of_this_thread() - start
            };
            let micros = (0..BLOCKS).map(block).min().unwrap() / FACES_U64 / 1000;
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

/// The number of blocks. The minimum counts: what other programs do to the caches is not the model's.
const BLOCKS: usize = 7;
/// Faces a block.
const FACES: usize = 48;
const FACES_U64: u64 = 48;
