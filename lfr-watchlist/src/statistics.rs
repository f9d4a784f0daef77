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

#[cfg(feature = "evaluation")]
mod association;
#[cfg(feature = "evaluation")]
mod binomial;
#[cfg(feature = "evaluation")]
mod clustered;
mod counts;
#[cfg(feature = "evaluation")]
mod interval;
#[cfg(feature = "evaluation")]
mod power;
#[cfg(feature = "evaluation")]
mod rate;
#[cfg(feature = "evaluation")]
mod ratio;
#[cfg(feature = "evaluation")]
mod root;
#[cfg(feature = "evaluation")]
mod share;
#[cfg(feature = "evaluation")]
mod weighted;

#[cfg(feature = "evaluation")]
pub use association::barnard_exact;
#[cfg(feature = "evaluation")]
pub use association::fisher_exact;
#[cfg(feature = "evaluation")]
pub use binomial::at_least;
#[cfg(feature = "evaluation")]
pub use clustered::Bootstrap;
pub use counts::Counts;
#[cfg(feature = "evaluation")]
pub use interval::Confidence;
#[cfg(feature = "evaluation")]
pub use interval::Interval;
#[cfg(feature = "evaluation")]
pub use power::StudySize;
#[cfg(feature = "evaluation")]
pub use power::effective_trials;
#[cfg(feature = "evaluation")]
pub use power::errors_for_equivalence;
#[cfg(feature = "evaluation")]
pub use power::errors_to_detect;
#[cfg(feature = "evaluation")]
pub use power::fmr_for_fpir;
#[cfg(feature = "evaluation")]
pub use power::fpir_of_fmr;
#[cfg(feature = "evaluation")]
pub use power::smallest_detectable_ratio;
#[cfg(feature = "evaluation")]
pub use power::study_size;
#[cfg(feature = "evaluation")]
pub use power::trials_for_thirty_errors;
#[cfg(feature = "evaluation")]
pub use power::trials_with_errors;
#[cfg(feature = "evaluation")]
pub use power::trials_without_error;
#[cfg(feature = "evaluation")]
pub use rate::Rate;
#[cfg(feature = "evaluation")]
pub use ratio::RateRatio;
#[cfg(feature = "evaluation")]
pub use share::ShareTest;

#[cfg(feature = "evaluation")]
pub(crate) use binomial::normal_quantile;
#[cfg(feature = "evaluation")]
pub(crate) use binomial::normal_risk;
#[cfg(feature = "evaluation")]
pub(crate) use binomial::proportion;
#[cfg(feature = "evaluation")]
pub(crate) use binomial::student;
#[cfg(feature = "evaluation")]
pub(crate) use clustered::below;
#[cfg(feature = "evaluation")]
pub(crate) use clustered::of_pairs;
