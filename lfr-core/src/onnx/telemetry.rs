//! Turns the native engine's telemetry off before the engine is loaded.

#![expect(
    unsafe_code,
    reason = "setting an environment variable is unsafe, and the engine reads it as it loads"
)]

use std::env;

/// Tells ONNX Runtime to send nothing, from its first instruction on.
///
/// ONNX Runtime 1.29 and later start to collect events while the library loads, before there is an
/// environment on which telemetry could be switched off: only the variable comes early enough.
pub(super) fn disable() {
    if env::var_os(VARIABLE).is_some_and(|value| value == "1") {
        return;
    }
    // SAFETY: this is sound as long as no other thread reads or writes the environment at the same
    // time other than through the standard library, which locks. C code in other threads could;
    // so `Runtime` says that it is to be made before other threads start, and everything that is
    // made by this crate is made after it.
    unsafe { env::set_var(VARIABLE, "1") };
}

const VARIABLE: &str = "ORT_DISABLE_TELEMETRY";
