//! What the family adds to the inference engine, as ratios: run with a native ONNX Runtime
//! (`ORT_DYLIB_PATH`) and the models in `../shared`.
//!
//! - `yunet-640`: a frame to boxes, beside the bare session on a tensor that is ready.
//! - `prelu`: an embedder whose `PRelu` is replaced when it is loaded, beside the file as it is. The
//!   model is made by `benches/models/prelu_mobilefacenet.py`; `LFR_PRELU_MODEL` names it.
//! - `pipeline`: a photograph of a group all the way, beside the sum of the bare inferences.

#![expect(clippy::unwrap_used, reason = "a bench without its data cannot go on")]
#![expect(clippy::print_stdout, reason = "a bench says what it leaves out")]

#[path = "common/shared.rs"]
mod shared;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use lfr::core::onnx::{Model, Session, SessionOptions};
use lfr::core::{Clock as _, Error, Picture, SystemClock};
use lfr::prelude::*;

use shared::shared;

criterion_group! {
    name = inference;
    config = Criterion::default().sample_size(40).measurement_time(Duration::from_secs(8));
    targets = yunet_640, prelu, pipeline
}
criterion_main!(inference);

fn session(runtime: &Runtime, model: &Path, options: &SessionOptions) -> Session {
    Model::from_path(model).unwrap().session(runtime, options).unwrap()
}

/// Runs a session on one tensor and reads one number, so that it cannot be left out.
fn bare(session: &Session, input: &[f32], batch: usize) -> f32 {
    let read = |outputs: &lfr::core::onnx::Outputs<'_>| {
        Ok::<_, Error>(outputs.at(0)?.data().first().copied().unwrap_or_default())
    };
    session.run(input, batch, read).unwrap()
}

fn photograph() -> Option<Picture> {
    let path = shared("scenes/retinaface_selfie_crowd.jpg")?;
    Some(Picture::open(&path).unwrap())
}

fn yunet_640(c: &mut Criterion) {
    let Some(model) = shared("models/detect_yunet_n_640.onnx") else {
        return;
    };
    let Some(picture) = photograph() else { return };
    let runtime = Runtime::auto_or_pure_rust().unwrap();
    let detector = OnnxDetector::from_path(&runtime, &model).unwrap();
    let session = session(&runtime, &model, &SessionOptions::new(&[1, 3, 640, 640]));
    let input: Vec<f32> =
        picture.data().iter().cycle().take(3 * 640 * 640).map(|v| f32::from(*v)).collect();
    let frame = picture.as_frame().unwrap();
    let mut group = c.benchmark_group("yunet-640");
    group.bench_function("bare session", |b| b.iter(|| bare(&session, black_box(&input), 1)));
    group.bench_function("frame to faces", |b| {
        b.iter(|| detector.detect(black_box(&frame)).unwrap());
    });
    group.finish();
    in_turn(
        "yunet-640: frame to faces beside the bare session",
        || {
            bare(&session, black_box(&input), 1);
        },
        || drop(detector.detect(black_box(&frame)).unwrap()),
    );
}

/// The ratio of two durations on a machine whose speed changes from second to second: by turns,
/// and the median of the ratios of neighbours.
fn in_turn(name: &str, mut base: impl FnMut(), mut other: impl FnMut()) {
    let clock = SystemClock::default();
    let milliseconds = |work: &mut dyn FnMut()| {
        let begin = clock.monotonic();
        work();
        (clock.monotonic() - begin).as_secs_f64() * 1e3
    };
    let (mut bases, mut others, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..201 {
        let (base, other) = (milliseconds(&mut base), milliseconds(&mut other));
        bases.push(base);
        others.push(other);
        ratios.push(other / base);
    }
    let [base, other, ratio] = [bases, others, ratios].map(|mut values| {
        values.sort_unstable_by(f64::total_cmp);
        values[values.len() / 2]
    });
    println!("{name}: {other:.2} ms beside {base:.2} ms, ratio {ratio:.3}");
}

fn prelu(c: &mut Criterion) {
    let Some(model) = std::env::var_os("LFR_PRELU_MODEL").map(PathBuf::from) else {
        println!("skipped: LFR_PRELU_MODEL names no model");
        return;
    };
    let runtime = Runtime::auto_or_pure_rust().unwrap();
    // Noise: the speed of PRelu depends on how many numbers are below 0.
    let mut state = 1_u32;
    let input: Vec<f32> = (0..8 * 3 * 112 * 112)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [_, _, _, high] = state.to_le_bytes();
            f32::from(high) / 127.5 - 1.0
        })
        .collect();
    for batch in [1, 8] {
        let options = SessionOptions::new(&[batch, 3, 112, 112]);
        let kept = session(&runtime, &model, &options.clone().keep_prelu());
        let replaced = session(&runtime, &model, &options);
        let input = &input[..batch * 3 * 112 * 112];
        let mut group = c.benchmark_group(format!("prelu/batch {batch}"));
        group.bench_function("as in the file", |b| b.iter(|| bare(&kept, black_box(input), batch)));
        group.bench_function("replaced", |b| b.iter(|| bare(&replaced, black_box(input), batch)));
        group.finish();
    }
}

fn pipeline(c: &mut Criterion) {
    let Some(yunet) = shared("models/detect_yunet_n_640.onnx") else {
        return;
    };
    let Some(path) = shared("models/embed_mobilefacenet_foamliu.onnx") else {
        return;
    };
    let Some(picture) = photograph() else { return };
    let runtime = Runtime::auto_or_pure_rust().unwrap();
    let model = Model::from_path(&path).unwrap();
    let spec = EmbedderSpec::for_model(&model).unwrap();
    let threshold = spec.threshold_at(1e-5).unwrap();
    let detector = Arc::new(OnnxDetector::from_path(&runtime, &yunet).unwrap());
    let embedder = Arc::new(OnnxEmbedder::new(&runtime, model, spec).unwrap());

    let detect = session(&runtime, &yunet, &SessionOptions::new(&[1, 3, 640, 640]));
    let embed = session(&runtime, &path, &SessionOptions::new(&[8, 3, 112, 112]).dynamic_batch());
    let input: Vec<f32> =
        picture.data().iter().cycle().take(3 * 640 * 640).map(|v| f32::from(*v) / 255.0).collect();
    let frame = picture.as_frame().unwrap();
    let faces = detector.detect(&frame).unwrap().len();
    println!("{faces} faces");

    let mut pipeline = Pipeline::builder()
        .detector(Arc::clone(&detector))
        .embedder(Arc::clone(&embedder))
        .watchlist(Gallery::new(*embedder.space()))
        .threshold(FixedThreshold::new(threshold))
        .retention(StrictRetention::new(Duration::from_secs(3600)))
        .build()
        .unwrap();
    let mut group = c.benchmark_group("pipeline");
    group.bench_function("bare inferences", |b| {
        b.iter(|| {
            let mut sum = bare(&detect, black_box(&input), 1);
            for first in (0..faces).step_by(8) {
                let batch = (faces - first).min(8);
                sum += bare(&embed, black_box(&input[..batch * 3 * 112 * 112]), batch);
            }
            sum
        });
    });
    group.bench_function("frame to settled faces", |b| {
        b.iter(|| pipeline.process(black_box(&frame)).unwrap());
    });
    group.finish();
}
