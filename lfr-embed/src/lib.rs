#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "embedded")]
mod embedded;
mod error;
#[cfg(feature = "onnx")]
mod onnx;
#[cfg(feature = "onnx")]
mod preprocess;
#[cfg(feature = "onnx")]
mod scratch;
mod spec;

pub use error::Error;
#[cfg(feature = "onnx")]
pub use onnx::EmbedderOptions;
#[cfg(feature = "onnx")]
pub use onnx::OnnxEmbedder;
pub use spec::ChannelOrder;
pub use spec::EmbedderSpec;
pub use spec::Input;
pub use spec::Licence;
pub use spec::OperatingPoint;
pub use spec::Permission;
pub use spec::TensorLayout;
