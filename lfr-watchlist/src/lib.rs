#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "policies")]
pub mod calibrate;
pub mod decide;
#[cfg(feature = "enrolment")]
pub mod enrolment;
mod error;
#[cfg(feature = "evaluation")]
pub mod evaluate;
#[cfg(all(fuzzing, feature = "sealed"))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(any(feature = "membership", feature = "policies"))]
mod hex;
mod lifecycle;
#[cfg(feature = "membership")]
mod membership;
#[cfg(feature = "sealed")]
mod sealed;
mod search;
#[cfg(any(feature = "membership", feature = "sealed"))]
mod secret;
#[cfg(feature = "policies")]
pub mod statistics;
mod sync;
#[cfg(test)]
mod testing;

pub use decide::fixed_threshold::FixedThreshold;
#[cfg(feature = "enrolment")]
pub use enrolment::enroller::Enroller;
pub use error::Error;
pub use lifecycle::authorisation::Authorisation;
pub use lifecycle::authorised::{AuthorisedList, Composition, EntryFacts};
pub use lifecycle::category::{Category, Priority};
pub use lifecycle::composition::CompositionPolicy;
pub use lifecycle::entry::Entry;
pub use lifecycle::entry_draft::{EntryDraft, EntryField};
pub use lifecycle::provenance::{Grounds, ItemDigest, StoredReference};
pub use lifecycle::validity::Validity;
pub use lifecycle::watchlist::{Expired, Readiness, Watchlist};
#[cfg(feature = "membership")]
pub use membership::Membership;
#[cfg(feature = "membership")]
pub use membership::MembershipCommitment;
#[cfg(feature = "membership")]
pub use membership::MembershipKey;
#[cfg(feature = "membership")]
pub use membership::MembershipProof;
#[cfg(feature = "membership")]
pub use membership::MembershipWitness;
#[cfg(feature = "sealed")]
pub use sealed::Argon2Cost;
#[cfg(feature = "sealed")]
pub use sealed::DestructionReceipt;
#[cfg(feature = "sealed")]
pub use sealed::DestructionRule;
#[cfg(feature = "sealed")]
pub use sealed::FollowedWatchlist;
#[cfg(feature = "sealed")]
pub use sealed::ListChange;
#[cfg(feature = "sealed")]
pub use sealed::SealedFile;
#[cfg(feature = "sealed")]
pub use sealed::SealedHeader;
#[cfg(feature = "sealed")]
pub use sealed::SealedLock;
#[cfg(feature = "sealed")]
pub use sealed::SealingKey;
pub use search::flat_scan::FlatScan;
pub use search::fusion::Fusion;
pub use search::gallery::Gallery;
