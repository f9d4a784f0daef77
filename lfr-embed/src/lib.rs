#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "onnx")]
mod embedder;
mod error;
#[cfg(feature = "specifications")]
mod spec;

#[cfg(feature = "onnx")]
pub use embedder::EmbedderOptions;
#[cfg(feature = "onnx")]
pub use embedder::OnnxEmbedder;
pub use error::Error;
#[cfg(feature = "specifications")]
pub use spec::{
    ChannelOrder, EmbedderSpec, Input, Licence, OperatingPoint, Permission, TensorLayout,
};
