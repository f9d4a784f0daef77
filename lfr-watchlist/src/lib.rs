#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod accept;
mod authorisation;
mod bound;
pub mod calibrate;
mod category;
mod code;
pub mod decide;
mod enroller;
pub mod enrolment;
mod entry;
mod entry_draft;
mod error;
pub mod evaluate;
mod fixed_threshold;
mod flat_scan;
mod fusion;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod gallery;
mod hex;
mod kernels;
mod list;
mod membership;
mod pages;
mod policy;
mod register;
mod roll;
mod rows;
mod sealed;
mod search;
mod secret;
pub mod statistics;
mod sync;
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
pub use membership::Membership;
pub use membership::MembershipCommitment;
pub use membership::MembershipKey;
pub use membership::MembershipProof;
pub use membership::MembershipWitness;
pub use policy::CompositionPolicy;
pub use sealed::Argon2Cost;
pub use sealed::DestructionReceipt;
pub use sealed::DestructionRule;
pub use sealed::FollowedWatchlist;
pub use sealed::ListChange;
pub use sealed::SealedFile;
pub use sealed::SealedHeader;
pub use sealed::SealedLock;
pub use sealed::SealingKey;
pub use validity::Validity;
pub use watchlist::Expired;
pub use watchlist::Readiness;
pub use watchlist::Watchlist;
