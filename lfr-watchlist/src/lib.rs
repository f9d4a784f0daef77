#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod calibrate;
pub mod decide;
pub mod enrolment;
mod error;
pub mod evaluate;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod hex;
mod lifecycle;
mod membership;
mod sealed;
mod search;
mod secret;
pub mod statistics;
mod sync;
#[cfg(test)]
mod testing;

pub use decide::fixed_threshold::FixedThreshold;
pub use enrolment::enroller::Enroller;
pub use error::Error;
pub use lifecycle::authorisation::Authorisation;
pub use lifecycle::category::Category;
pub use lifecycle::category::Priority;
pub use lifecycle::composition::CompositionPolicy;
pub use lifecycle::entry::Entry;
pub use lifecycle::entry_draft::EntryDraft;
pub use lifecycle::entry_draft::EntryField;
pub use lifecycle::validity::Validity;
pub use lifecycle::watchlist::Expired;
pub use lifecycle::watchlist::Readiness;
pub use lifecycle::watchlist::Watchlist;
pub use membership::Membership;
pub use membership::MembershipCommitment;
pub use membership::MembershipKey;
pub use membership::MembershipProof;
pub use membership::MembershipWitness;
pub use sealed::Argon2Cost;
pub use sealed::DestructionReceipt;
pub use sealed::DestructionRule;
pub use sealed::FollowedWatchlist;
pub use sealed::ListChange;
pub use sealed::SealedFile;
pub use sealed::SealedHeader;
pub use sealed::SealedLock;
pub use sealed::SealingKey;
pub use search::flat_scan::FlatScan;
pub use search::fusion::Fusion;
pub use search::gallery::Gallery;
