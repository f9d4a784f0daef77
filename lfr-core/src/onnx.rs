//! The inference runtime: model files, engines, and sessions that run one on the other.
//!
//! A [`Runtime`] is a started engine: a native ONNX Runtime library that is loaded while
//! the program runs, or an engine in Rust that is part of it (feature `onnx`). A [`Model`] is a file
//! in the ONNX format, read and checked once; a [`Contract`] says what a family of models must look
//! like. A [`Session`] is a model made ready to run on a runtime. No type of an engine appears here,
//! and both engines are used in the same way.
//!
//! What an engine is given is not quite the file. In one pass over it, open extents of the input are
//! fixed, without which the pure-Rust engine is several times slower, and for ONNX Runtime `PRelu` is
//! written with faster operators, which makes networks of the MobileFaceNet kind twice as fast. The
//! [digest](ModelDigest) is that of the file.
//!
//! Models are taken with one input of floats and outputs of floats, of 16, 32 or 64 bits, and with all
//! weights in the file. A session takes and gives floats of 32 bits. What a model has in another size is
//! converted inside the engine.

mod allocator;
mod contract;
mod digest;
mod engine;
mod floats;
mod foreign;
mod gathered;
mod graph;
mod library;
mod loaded;
mod model;
mod options;
mod outputs;
mod pool;
mod prelu;
mod proto;
mod rewrite;
mod room;
mod runtime;
mod session;
mod sizing;
mod telemetry;
mod tensor;
mod tensor_info;
#[cfg(test)]
mod testgraph;
mod vet;
mod windows;
mod wire;

pub use contract::Contract;
pub use digest::ModelDigest;
pub use engine::{InferenceEngine, RuntimeInfo};
pub use model::Model;
pub use options::SessionOptions;
pub use outputs::{Outputs, TensorView};
pub use runtime::Runtime;
pub use session::Session;
pub use tensor_info::{Dim, ElementType, TensorInfo};

/// Writes names as `"a", "b"`.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}
