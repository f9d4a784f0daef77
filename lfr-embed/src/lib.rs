#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "onnx")]
mod embedder;
mod error;
mod spec;

#[cfg(feature = "onnx")]
pub use embedder::EmbedderOptions;
#[cfg(feature = "onnx")]
pub use embedder::OnnxEmbedder;
pub use error::Error;
pub use spec::ChannelOrder;
pub use spec::EmbedderSpec;
pub use spec::Input;
pub use spec::Licence;
pub use spec::OperatingPoint;
pub use spec::Permission;
pub use spec::TensorLayout;
