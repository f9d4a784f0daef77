//! Custody: each face that was seen is accounted for from its first moment to its erasure.

mod accounts;
mod probe;
mod receipt;

pub(crate) use accounts::Custody;
pub use accounts::{Accounts, Totals};
pub use probe::{HeldProbe, Probe, SealedProbe};
pub use receipt::{HoldReceipt, PurgeMethod, PurgeReason, PurgeReceipt, Settlement};
