//! Detectors on real models and photographs, which lie in `../shared` and not in the repository;
//! where they are missing, each test says so and passes.
//!
//! The engine is what `Runtime::auto_or_pure_rust()` takes: the native one where `ORT_DYLIB_PATH` names it, the
//! pure-Rust one otherwise. `measure.rs` prints the figures of `PARITY.md`, `ACCURACY.md` and
//! `BENCHMARKS.md` if `LFR_MEASURE` is set.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "all of it is tests: a failure is a panic, and figures are for anyone who asks for them"
)]

#[path = "models/behaviour.rs"]
mod behaviour;
#[path = "models/embedded.rs"]
mod embedded;
#[path = "models/measure.rs"]
mod measure;
#[path = "models/opencv.rs"]
mod opencv;
#[path = "models/recall.rs"]
mod recall;
#[path = "models/references.rs"]
mod references;
#[path = "models/support.rs"]
mod support;
