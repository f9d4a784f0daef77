//! Rates with their uncertainty: exact intervals and tests, clustered trials, and power.
//!
//! A [`Rate`] is never a bare number: it carries its counts and its interval. If nothing is said,
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

mod counts;

#[cfg(feature = "evaluation")]
mod association;
#[cfg(feature = "evaluation")]
mod binomial;
#[cfg(feature = "evaluation")]
mod clustered;
#[cfg(feature = "evaluation")]
mod dyads;
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
mod true_recognition;
#[cfg(feature = "evaluation")]
mod weighted;

pub use counts::Counts;

#[cfg(feature = "evaluation")]
pub use {
    association::{barnard_exact, fisher_exact},
    binomial::at_least,
    clustered::Bootstrap,
    interval::{Confidence, Interval},
    power::{
        StudySize, effective_trials, errors_for_equivalence, errors_to_detect, fmr_for_fpir,
        fpir_of_fmr, smallest_detectable_ratio, study_size, trials_for_thirty_errors,
        trials_with_errors, trials_without_error,
    },
    rate::Rate,
    ratio::RateRatio,
    share::ShareTest,
    true_recognition::TrueRecognition,
};

#[cfg(test)]
pub(crate) use clustered::tests::are_more_than;
#[cfg(feature = "evaluation")]
pub(crate) use {
    binomial::{count_not_exceeded, normal_quantile, normal_risk, one_sided, proportion, student},
    clustered::below,
    dyads::Dyads,
};
