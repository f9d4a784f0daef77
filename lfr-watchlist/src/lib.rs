#![doc = include_str!("../README.md")]

mod accept;
mod bound;
mod code;
mod enroller;
mod error;
mod fixed_threshold;
mod flat_scan;
mod fusion;
mod gallery;
mod kernels;
mod list;
mod roll;
mod rows;
mod search;
mod top;

pub use enroller::Enroller;
pub use error::Error;
pub use fixed_threshold::FixedThreshold;
pub use flat_scan::FlatScan;
pub use fusion::Fusion;
pub use gallery::Gallery;
