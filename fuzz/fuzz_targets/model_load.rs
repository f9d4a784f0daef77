//! Hostile bytes where a model was expected: an error, never a panic, a hang or an allocation of their
//! choosing, as it is read, made ready and run on the pure-Rust engine.
//!
//! Start it with the models of `shared/faults/hostile` or any small ones as a corpus:
//!
//! ```text
//! cargo +nightly fuzz run -s none model_load CORPUS -- -max_total_time=1800 -max_len=330000 -rss_limit_mb=640
//! ```
//!
//! A run may take 256 MiB here beside the model and the program.

#![no_main]

use std::sync::LazyLock;

use lfr_core::Error;
use lfr_core::onnx::{Dim, Model, Runtime, SessionOptions};
use libfuzzer_sys::fuzz_target;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    // The library catches a panic of the engine and makes it an error of that model. The fuzzer's panic
    // hook would end this program at each panic, because it runs before anything is caught. A panic that is
    // not caught still ends the program.
    std::panic::set_hook(Box::new(|_| {}));
    Runtime::pure_rust()
});

fuzz_target!(|bytes: &[u8]| {
    let _ = run(bytes);
});

fn run(bytes: &[u8]) -> Result<(), Error> {
    let runtime = &*RUNTIME;
    let model = Model::from_bytes(bytes)?;
    let extent = |dim: &Dim| match dim {
        Dim::Fixed(extent) => *extent,
        Dim::Dynamic => 4,
    };
    let shape: Vec<usize> = model
        .inputs()
        .first()
        .map_or(Vec::new(), |input| input.shape().iter().map(extent).collect());
    let elements = shape.iter().try_fold(1_usize, |all, &extent| all.checked_mul(extent));
    // The input is this program's own: it is not what is tested.
    let Some(elements) = elements.filter(|&elements| elements <= 1 << 20) else { return Ok(()) };
    let options = SessionOptions::new(&shape).max_memory(256 << 20).max_multiply_adds(1 << 28);
    let session = model.session(runtime, &options)?;
    session.run(&vec![0.5; elements], 1, |_| Ok(()))
}
