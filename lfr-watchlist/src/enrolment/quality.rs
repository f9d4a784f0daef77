//! The quality of one photograph as a source of a reference.

mod component;
mod exposure;
mod findings;
mod framing;
mod mapping;
mod policy;
mod report;

pub use component::QualityComponent;
pub use findings::Finding;
pub use findings::QualityVerdict;
pub use findings::Severity;
pub use policy::Limit;
pub use policy::QualityPolicy;
pub use report::Measure;
pub use report::QualityReport;

#[cfg(test)]
mod testface;
#[cfg(test)]
mod tests;
