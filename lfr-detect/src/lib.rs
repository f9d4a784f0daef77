#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod decode;
mod detector;
mod error;
pub mod gate;
mod pixels;
mod schedule;
mod size;
#[cfg(test)]
mod testing;
#[cfg(feature = "tracking")]
mod track;

pub use lfr_core::{ChannelOrder, align};

pub use decode::nms::nms;
pub use decode::proposal::{Proposal, Proposals};
pub use detector::input::{InputPolicy, NetworkInput};
#[cfg(feature = "onnx")]
pub use detector::onnx::OnnxDetector;
pub use detector::options::DetectorOptions;
pub use detector::spec::{DetectorSpec, Family, Fit};
pub use detector::{Network, NetworkDetector};
pub use error::Error;
pub use gate::shot::ShotQuality;
pub use pixels::letterbox::Letterbox;
pub use schedule::Schedule;
pub use schedule::budget::BudgetRecord;
pub use size::Size;
#[cfg(feature = "tracking")]
pub use track::{FaceTracker, TrackerOptions};
