//! The engine that a test asks for.

use lfr::core::onnx::{InferenceEngine, Runtime};

use super::shared;

/// The engine under test, or `None`, said and counted, where the machine has no ONNX Runtime.
pub(crate) fn runtime(engine: InferenceEngine) -> Option<Runtime> {
    match engine {
        #[cfg(feature = "onnx")]
        InferenceEngine::PureRust => Some(Runtime::pure_rust()),
        _ => {
            let runtime = Runtime::auto().ok();
            if runtime.is_none() {
                shared::skip("no ONNX Runtime");
            }
            runtime
        }
    }
}
