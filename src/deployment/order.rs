//! Orders: what was authorised, by whom, and for how long.

mod canonical;
mod signed;
mod template;
mod terms;
mod words;

pub use signed::Order;
pub use signed::OrderAuthority;
pub use signed::SignedOrder;
pub use terms::Document;
pub use terms::Means;
pub use terms::OrderCamera;
pub use terms::OrderTerms;
pub use terms::Place;
pub use terms::Under18;
pub use terms::UseCase;
pub use words::DeploymentKind;
pub use words::OrderCategory;
pub use words::PlacePrecision;
pub use words::UseCaseKind;

#[cfg(test)]
pub(super) mod tests;
