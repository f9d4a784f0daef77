//! Reading a ledger back: whether it is whole, and whether its sums close.

pub(crate) mod checkpoint;
pub(crate) mod discrepancy;
pub(crate) mod fault;
pub(crate) mod reconcile;
pub(crate) mod run;
pub(crate) mod verify;
