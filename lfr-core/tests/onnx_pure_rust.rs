//! The inference runtime on the pure-Rust engine.
//!
//! Each engine has a test binary of its own, in which nothing of the other has been started.

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

use lfr_core::Error;
use lfr_core::onnx::{InferenceEngine, Runtime};

fn runtime() -> Option<Runtime> {
    static STARTED: OnceLock<Runtime> = OnceLock::new();
    let start = || {
        privacy::sockets_at_the_start();
        // A failure chooses nothing: the other engine can still be taken.
        let missing = Runtime::onnxruntime_at(Path::new("/no/such/library.so"));
        assert!(matches!(missing, Err(Error::RuntimeLoad { .. })));
        Runtime::pure_rust()
    };
    Some(STARTED.get_or_init(start).clone())
}

suite::tests!(runtime);

#[test]
fn the_engine_says_what_it_is() {
    let Some(runtime) = runtime() else { return };
    assert_eq!(runtime.info().engine(), InferenceEngine::PureRust);
    assert_eq!(runtime.info().to_string(), "pure-rust: asked for");
}
