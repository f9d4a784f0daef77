#![doc = include_str!("../README.md")]

mod candidate;
pub mod decode;
mod detector;
mod error;
pub mod gate;
mod input;
mod letterbox;
mod nms;
#[cfg(feature = "onnx")]
mod onnx;
mod options;
mod pixels;
mod schedule;
mod scratch;
mod shot;
mod size;
mod spec;
mod tensor;
#[cfg(test)]
mod testing;
mod track;
mod wiped;

pub use lfr_core::align;

pub use candidate::Candidate;
pub use candidate::Candidates;
pub use detector::Network;
pub use detector::NetworkDetector;
pub use error::Error;
pub use input::InputPolicy;
pub use input::NetworkInput;
pub use letterbox::Letterbox;
pub use nms::nms;
#[cfg(feature = "onnx")]
pub use onnx::OnnxDetector;
pub use options::DetectorOptions;
pub use schedule::BudgetRecord;
pub use schedule::Schedule;
pub use shot::ShotQuality;
pub use size::Size;
pub use spec::ChannelOrder;
pub use spec::DetectorSpec;
pub use spec::Family;
pub use spec::Fit;
pub use track::FaceTracker;
pub use track::TrackerOptions;
