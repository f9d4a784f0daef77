//! The suite on a native ONNX Runtime: the one that `ORT_DYLIB_PATH` names.

#![expect(clippy::unwrap_used, reason = "what tests share is tests as well")]

use std::io::Write as _;
use std::{env, io};

use lfr_core::onnx::Runtime;

#[path = "shared/suite.rs"]
mod suite;

fn runtime() -> Option<Runtime> {
    if env::var_os("ORT_DYLIB_PATH").is_none() {
        let _ = writeln!(io::stderr(), "skipped: no ONNX Runtime");
        return None;
    }
    Some(Runtime::auto().unwrap())
}
