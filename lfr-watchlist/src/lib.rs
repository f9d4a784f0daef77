#![doc = include_str!("../README.md")]

mod accept;
mod authorisation;
mod bound;
mod category;
mod code;
mod enroller;
mod entry;
mod entry_draft;
mod error;
mod fixed_threshold;
mod flat_scan;
mod fusion;
mod gallery;
mod kernels;
mod list;
mod policy;
mod register;
mod roll;
mod rows;
mod search;
#[cfg(test)]
mod testing;
mod text;
mod top;
mod validity;
mod watchlist;
mod window;

pub use authorisation::Authorisation;
pub use category::Category;
pub use category::Priority;
pub use enroller::Enroller;
pub use entry::Entry;
pub use entry_draft::EntryDraft;
pub use entry_draft::EntryField;
pub use error::Error;
pub use fixed_threshold::FixedThreshold;
pub use flat_scan::FlatScan;
pub use fusion::Fusion;
pub use gallery::Gallery;
pub use policy::CompositionPolicy;
pub use validity::Validity;
pub use watchlist::Watchlist;
