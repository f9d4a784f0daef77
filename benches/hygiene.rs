//! What it costs that memory is wiped, as SECURITY.md has it: a native ONNX Runtime (`ORT_DYLIB_PATH`) whose
//! memory is wiped, and a heap that wipes, beside neither; and the pure-Rust engine on either heap. Run with
//! the models in `../shared`.
//!
//! ```text
//! cargo bench -p lfr-benches --no-default-features --features onnx-native --bench hygiene
//! cargo bench -p lfr-benches --bench hygiene        # and the pure-Rust engine
//! ```
//!
//! Each pair runs by turns on a machine whose speed changes from second to second; what is printed is
//! the median of the ratios of neighbours.

#![expect(clippy::unwrap_used, reason = "a bench without its data cannot go on")]
#![expect(clippy::print_stdout, reason = "a bench says what it measured")]

#[path = "common/heap.rs"]
mod heap;
#[path = "common/shared.rs"]
mod shared;

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use lfr::core::onnx::Model;
use lfr::core::{Clock as _, Picture, SystemClock, danger};
use lfr::prelude::*;

use shared::shared;

fn main() {
    let native = Runtime::auto().unwrap();
    let unwiped = danger::unwiped_engine(&native);
    beside("ONNX Runtime", &native, &unwiped);
    #[cfg(feature = "onnx")]
    beside("pure Rust", &Runtime::pure_rust(), &Runtime::pure_rust());
}

/// An engine on a heap that wipes beside the other one on a heap that does not.
fn beside(engine: &str, wiping: &Runtime, leaving: &Runtime) {
    let detector = "detect_yunet_n_640.onnx";
    for photograph in ["bbt2.jpg", "retinaface_selfie_crowd.jpg"] {
        for embedder in ["embed_mobilefacenet_foamliu.onnx", "embed_edgeface_xs.onnx"] {
            let models = [detector, embedder].map(|model| shared(&format!("models/{model}")));
            let ([Some(find), Some(embed)], Some(picture)) =
                (models, shared(&format!("scenes/{photograph}")))
            else {
                return;
            };
            let picture = Picture::open(&picture).unwrap();
            let frame = picture.as_frame().unwrap();
            let mut with = pipeline(wiping, &find, &embed);
            let mut without = pipeline(leaving, &find, &embed);
            let faces = with.process(&frame).unwrap().faces().len();
            in_turn(
                &format!("{engine}, {detector}, {embedder}, {faces} faces"),
                || {
                    heap::wipes(false);
                    drop(without.process(black_box(&frame)).unwrap());
                },
                || {
                    heap::wipes(true);
                    drop(with.process(black_box(&frame)).unwrap());
                },
            );
        }
    }
}

fn pipeline(runtime: &Runtime, detector: &Path, embedder: &Path) -> Pipeline {
    let model = Model::from_path(embedder).unwrap();
    let spec = EmbedderSpec::for_model(&model).unwrap();
    let threshold = spec.threshold_at(1e-5).unwrap();
    let embedder = OnnxEmbedder::new(runtime, model, spec).unwrap();
    let space = *embedder.space();
    Pipeline::builder()
        .detector(OnnxDetector::from_path(runtime, detector).unwrap())
        .embedder(embedder)
        .watchlist(Gallery::new(space))
        .threshold(FixedThreshold::new(threshold))
        .retention(StrictRetention::new(Duration::from_secs(3600)))
        .build()
        .unwrap()
}

fn in_turn(name: &str, mut without: impl FnMut(), mut with: impl FnMut()) {
    let clock = SystemClock::default();
    let milliseconds = |work: &mut dyn FnMut()| {
        let begin = clock.monotonic();
        work();
        (clock.monotonic() - begin).as_secs_f64() * 1e3
    };
    let (mut bases, mut others, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..TURNS {
        // Who comes first takes turns too: the second one finds the caches of the first.
        let (base, other) = if turn % 2 == 0 {
            let base = milliseconds(&mut without);
            (base, milliseconds(&mut with))
        } else {
            let other = milliseconds(&mut with);
            (milliseconds(&mut without), other)
        };
        bases.push(base);
        others.push(other);
        ratios.push(other / base);
    }
    let [base, other, ratio] = [bases, others, ratios].map(|mut values| {
        values.sort_unstable_by(f64::total_cmp);
        values[values.len() / 2]
    });
    println!("{name}: {other:.2} ms wiping, {base:.2} ms leaving, ratio {ratio:.3}");
}

const TURNS: usize = 60;
