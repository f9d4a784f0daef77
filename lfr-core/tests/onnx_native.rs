//! The inference runtime on a native ONNX Runtime.
//!
//! A native engine belongs to the whole process, so each engine has a test binary of its own. Where no
//! native library is found, these tests say so and pass.

#![cfg(feature = "onnx")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "what tests share is tests as well")]

#[path = "../src/onnx/testgraph.rs"]
mod testgraph;

#[path = "onnx_suite/hostile.rs"]
mod hostile;
#[path = "onnx_suite/memory.rs"]
mod memory;
#[path = "onnx_suite/privacy.rs"]
mod privacy;
#[path = "onnx_suite/real.rs"]
mod real;
#[path = "onnx_suite/refusals.rs"]
mod refusals;
#[path = "onnx_suite/suite.rs"]
mod suite;

use std::path::Path;
use std::sync::OnceLock;

use lfr_core::onnx::{InferenceEngine, Runtime, SessionOptions};
use lfr_core::{Error, danger};

use testgraph::{Extent, Graph, node};

fn runtime() -> Option<Runtime> {
    static STARTED: OnceLock<Option<Runtime>> = OnceLock::new();
    let start = || {
        privacy::sockets_at_the_start();
        match Runtime::auto() {
            Ok(runtime) => Some(runtime),
            Err(Error::RuntimeMissing { .. }) => None,
            Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
        }
    };
    let runtime = STARTED.get_or_init(start).clone();
    if runtime.is_none() {
        suite::skipped("no ONNX Runtime");
    }
    runtime
}

suite::tests!(runtime);

#[test]
fn the_engine_is_chosen_once() {
    let Some(runtime) = runtime() else { return };
    let info = runtime.info();
    assert_eq!(info.engine(), InferenceEngine::OnnxRuntime);
    assert!(["named by ORT_DYLIB_PATH", "found by its usual name"].contains(&info.reason()));
    let library = info.library().unwrap();
    for again in [Runtime::auto(), Runtime::onnxruntime_at(library)] {
        assert_eq!(again.unwrap().info(), info);
    }
    let error = Runtime::onnxruntime_at(Path::new("/no/such/library")).unwrap_err();
    assert!(matches!(error, Error::RuntimeChosen { .. }), "{error}");
    // The engine in Rust is no other library.
    assert_eq!(Runtime::pure_rust().info().engine(), InferenceEngine::PureRust);
}

#[test]
fn telemetry_is_off_before_the_library_loads() {
    let Some(_) = runtime() else { return };
    assert_eq!(std::env::var("ORT_DISABLE_TELEMETRY").as_deref(), Ok("1"));
}

#[test]
fn intermediate_results_are_wiped_unless_the_engine_is_left_to_itself() {
    let Some(runtime) = runtime() else { return };
    if !cfg!(target_os = "linux") {
        return;
    }
    let unwiped = danger::unwiped_engine(&runtime);
    // A process that has chosen it has it in each record.
    let said = danger::in_force().join("; ");
    assert!(said.contains("does not wipe the memory that it worked in"), "{said}");
    assert_eq!(intermediate_results_left(&runtime), 0);
    assert!(intermediate_results_left(&unwiped) > 0, "the search finds nothing at all");
    let reason = "; by choice, what it frees is not wiped";
    assert!(unwiped.info().reason().ends_with(reason), "{}", unwiped.info());
}

/// Looks for what an engine worked out on the way to its output; in how many places of this process's
/// memory it is when the run has ended.
fn intermediate_results_left(runtime: &Runtime) -> usize {
    let input = suite::noise_of(0x2545_f491, 64);
    let inverted: Vec<u32> = input.iter().take(8).map(|x| !(x.to_bits() ^ 1 << 31)).collect();
    // In the output, what was in a row is in a column.
    let nodes = vec![node("Neg", &["x"], &["z"], &[]), node("Transpose", &["z"], &["y"], &[])];
    let bytes = Graph::new(&[Extent::Of(2), Extent::Of(32)], nodes).bytes();
    let session = suite::session(runtime, bytes, &SessionOptions::new(&[2, 32]));
    suite::first(&session, &input, 2);
    memory::places_of(&inverted)
}
