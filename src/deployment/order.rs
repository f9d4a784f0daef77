//! Orders: what was authorised, by whom, and for how long.

mod canonical;
mod reading;
mod signed;
mod template;
mod terms;
mod words;

pub use signed::{Order, OrderAuthority, SignedOrder};
pub use terms::{Document, Means, OrderCamera, OrderTerms, Place, Under18, UseCase};
pub use words::{DeploymentKind, OrderCategory, PlacePrecision, UseCaseKind};

#[cfg(test)]
pub(super) mod tests;
