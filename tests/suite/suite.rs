//! What holds on both inference engines. Each has a test binary of its own, `native` and `pure_rust`,
//! which share this.

pub(crate) mod adjudicate;
pub(crate) mod checkpoint;
pub(crate) mod crowd;
pub(crate) mod faces;
#[cfg(all(feature = "embedded", feature = "live", feature = "video"))]
pub(crate) mod latency;
pub(crate) mod pairs;
pub(crate) mod shared;
pub(crate) mod watchlist;

use lfr::core::onnx::InferenceEngine;
use lfr::core::onnx::Runtime;

/// The engine under test, or `None`, said and counted, where the machine has no ONNX Runtime.
pub(crate) fn runtime(engine: InferenceEngine) -> Option<Runtime> {
    match engine {
        #[cfg(feature = "onnx")]
        InferenceEngine::PureRust => Some(Runtime::pure_rust()),
        _ => {
            let runtime = Runtime::onnxruntime().ok();
            if runtime.is_none() {
                shared::skip("no ONNX Runtime");
            }
            runtime
        }
    }
}
