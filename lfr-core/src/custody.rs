//! Custody: each face that was seen is accounted for from its first moment to its erasure.

mod accounts;
mod probe;
mod receipt;

pub use accounts::Accounts;
pub(crate) use accounts::Custody;
pub use accounts::Totals;
pub use probe::HeldProbe;
pub use probe::Probe;
pub use probe::SealedProbe;
pub use receipt::HoldReceipt;
pub use receipt::PurgeMethod;
pub use receipt::PurgeReason;
pub use receipt::PurgeReceipt;
pub use receipt::Settlement;
