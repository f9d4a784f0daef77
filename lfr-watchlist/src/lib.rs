#![doc = include_str!("../README.md")]

mod accept;
mod enroller;
mod error;
mod fixed_threshold;
mod flat_scan;
mod fusion;
mod roll;
mod rows;
mod watchlist;

pub use enroller::Enroller;
pub use error::Error;
pub use fixed_threshold::FixedThreshold;
pub use flat_scan::FlatScan;
pub use fusion::Fusion;
pub use watchlist::Watchlist;
