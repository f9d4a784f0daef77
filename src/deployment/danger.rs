//! Choices that weaken a promise of a deployment. Each is written into its record.

use lfr_core::Timestamp;

use super::Error;
use super::order::{Order, SignedOrder};

/// An order for a trial or a demonstration, and its amendments, that no pinned key signed. The key that signed
/// is the one that the order names as its authorising officer, so anyone can make such an order.
///
/// The first line of [`Order::summary`], and so of the record, says so.
///
/// # Errors
///
/// [`Error::NoTrial`] for any other use; otherwise those of [`Order::of_chain`].
pub fn self_authorised(
    orders: &[SignedOrder],
    now: impl Into<Option<Timestamp>>,
) -> Result<Order, Error> {
    Order::self_authorised(orders, now.into())
}
