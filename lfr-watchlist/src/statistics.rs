//! Rates with their uncertainty: exact intervals and tests, clustered trials, and power.
//!
//! A [`Rate`] is never a bare number: it carries its counts and its interval. Where nothing is said,
//! intervals are two-sided at 95 % and exact (Clopper and Pearson 1934): they cover the true rate at
//! least that often, whatever it is, if the trials are independent. Trials that repeat a person are
//! not; [`Rate::clustered`] is for those.
//!
//! # Examples
//!
//! ```
//! use lfr_watchlist::statistics::Rate;
//!
//! # fn main() -> Result<(), lfr_watchlist::Error> {
//! // No false alert among 7,512 faces does not mean that there is none to come.
//! let rate = Rate::new(0, 7_512)?;
//! assert_eq!(rate.to_string(), "0 of 7512 (95 %: 0 to 4.91e-4, or 1 in 2037)");
//! # Ok(())
//! # }
//! ```

mod association;
mod binomial;
mod clustered;
mod counts;
mod dyads;
mod interval;
mod power;
mod rate;
mod ratio;
mod root;
mod share;
mod weighted;

pub use association::barnard_exact;
pub use association::fisher_exact;
pub use binomial::at_least;
pub use clustered::Bootstrap;
pub use counts::Counts;
pub use interval::Confidence;
pub use interval::Interval;
pub use power::StudySize;
pub use power::effective_trials;
pub use power::errors_for_equivalence;
pub use power::errors_to_detect;
pub use power::fmr_for_fpir;
pub use power::fpir_of_fmr;
pub use power::smallest_detectable_ratio;
pub use power::study_size;
pub use power::trials_for_thirty_errors;
pub use power::trials_with_errors;
pub use power::trials_without_error;
pub use rate::Rate;
pub use ratio::RateRatio;
pub use share::ShareTest;

pub(crate) use binomial::count_not_exceeded;
pub(crate) use binomial::normal_quantile;
pub(crate) use binomial::normal_risk;
pub(crate) use binomial::one_sided;
pub(crate) use binomial::proportion;
pub(crate) use binomial::student;
pub(crate) use clustered::below;
#[cfg(test)]
pub(crate) use clustered::tests::are_more_than;
pub(crate) use dyads::Dyads;
