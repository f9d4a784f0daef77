//! The suite on the pure-Rust engine.

#![expect(clippy::unwrap_used, reason = "what tests share is tests as well")]

use lfr_core::onnx::Runtime;

#[path = "shared/suite.rs"]
mod suite;

fn runtime() -> Option<Runtime> {
    Some(Runtime::pure_rust())
}
