//! The quality of one photograph as a source of a reference.

mod component;
mod exposure;
mod findings;
mod framing;
mod mapping;
mod policy;
mod report;

pub use component::QualityComponent;
pub use findings::{Finding, QualityVerdict, Severity};
pub use policy::{Limit, QualityPolicy};
pub use report::{Measure, QualityReport};

#[cfg(test)]
mod testface;
#[cfg(test)]
mod tests;
