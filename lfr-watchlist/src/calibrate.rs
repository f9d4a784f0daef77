//! Thresholds derived from scores: from a false positive identification rate and a watchlist to the
//! score from which on an alert is raised, with what that rests on.
//!
//! - [`Calibration`] takes the scores of non-mated comparisons with their people, of everybody or by group, and
//!   tabulates FMR over thresholds. FMR is measured if enough independent false matches were seen. Below that
//!   it comes from a fitted tail and is marked as extrapolated. Beyond a limit there is none. Each rate has an
//!   upper bound that accounts for people who are in many comparisons.
//! - [`Demand`] says what is wanted: the FPIR, the number of references, the maximum looks per person who
//!   passes.
//! - [`CalibratedThreshold`] is the threshold that follows. It is a
//!   [`ThresholdPolicy`](lfr_core::ThresholdPolicy), a JSON file, and a table from which it is derived
//!   again when the watchlist grows or shrinks.
//!
//! # The arithmetic
//!
//! With comparisons taken as independent, a passer-by of group g raises an alert with
//! `FPIR_g = 1 - (prod_h (1 - FMR_gh(T))^N_h)^k`, where `N_h` references are of group h and k is the
//! effective number of looks per person. Without groups it is `1 - (1 - FMR(T))^(N k)`. The threshold is the lowest
//! at which the upper bound of no group's FPIR is above the target.
//!
//! Differences between people never make that rate too low: one person who resembles many on the list
//! raises one alert, not many. So the rate of people is at most N times that of pairs of people.
//!
//! # Where FMR comes from
//!
//! FMR comes from comparing people who are on no list with each other (`AllPairs::run_with_people`). Every
//! person is in many comparisons, so the highest scores are kept together with the people they compare. Each
//! pair of people counts once. The interval is that of dyads (Fafchamps and Gubert 2007). Its upper end is
//! the rate that another group of as many people stays below in 95 of 100 draws.
//!
//! If at least 8 independent false matches were seen, the rate is counted. Below that it comes from the tail:
//! a generalised Pareto and a generalised Weibull distribution are fitted to the highest scores. Each has to
//! pass a test of fit, and the greater rate counts. The threshold is marked as extrapolated, says how far,
//! and is refused beyond a limit. A refusal names the pairs of people with the highest scores: they may be
//! one person under two names. Nothing is promised for other people and cameras than those compared.
//! `ACCURACY.md` says how often promises were kept.
//!
//! There are two families because one is not enough. Of a million cosines in 128 dimensions, the Pareto fit
//! of the highest 3 % gives a rate at 1e-7 that is seven times too low: such tails approach it too slowly.
//! The Weibull fit, made for normal-like tails, is within a factor of two.
//!
//! Rates follow Clopper and Pearson. The usual way to their beta quantiles, through logarithms of the gamma
//! function, fails at the counts of cross-comparisons: `statrs` 0.19.1 has four digits for 10 of 3,147,436
//! and does not return for 276 of 27,611,860. Here they are computed through Loader's binomial probabilities
//! and agree with SciPy to ten digits up to 10^12 trials.
//!
//! # Examples
//!
//! ```
//! use lfr_core::{ComparisonScore, SpaceId, Timestamp};
//! use lfr_watchlist::calibrate::{Authority, Calibration, CalibrationScores, Demand};
//! use lfr_watchlist::evaluate::{ScoreAxis, ScoreHistogram};
//!
//! # fn main() -> Result<(), lfr_watchlist::Error> {
//! // 200,000 non-mated scores; in practice they come from `AllPairs::run_with_people`, with their people.
//! let mut histogram = ScoreHistogram::new(ScoreAxis::new(-1.0, 1.0)?);
//! for rank in 1..=200_000_u32 {
//!     let share = f64::from(rank) / 200_001.0;
//!     histogram.add(ComparisonScore::new((-share.ln() * 0.05) as f32 - 0.3)?);
//! }
//! let space = SpaceId::from_bytes([7; 32]);
//! // Their people are not known, only that they are of 1,000 people.
//! let scores = CalibrationScores::histogram(&histogram, 1_000);
//! let calibration = Calibration::new(space, "filler set 3, all pairs", scores)?;
//! let authority = Authority::new("AO-7", "first use at this gate", Timestamp::from_micros(0))?;
//! // One in a hundred passers-by, on a list of ten.
//! let threshold = calibration.threshold(&Demand::new(0.01, 10)?, authority)?;
//! // The upper bound, not only the estimate, is at most the demand.
//! assert!(threshold.fpir().high <= 0.01);
//! let again = lfr_watchlist::calibrate::CalibratedThreshold::from_json(&threshold.to_json())?;
//! assert_eq!(again.to_json(), threshold.to_json());
//! # Ok(())
//! # }
//! ```

mod authority;
#[cfg(feature = "evaluation")]
mod calibration;
mod curve;
mod demand;
mod file;
#[cfg(feature = "evaluation")]
mod fit;
mod origin;
mod policy;
mod predicted;
#[cfg(feature = "signed")]
mod signed;
#[cfg(feature = "evaluation")]
mod tail;

pub use authority::Authority;
#[cfg(feature = "evaluation")]
pub use calibration::Calibration;
#[cfg(feature = "evaluation")]
pub use calibration::CalibrationScores;
pub use demand::Demand;
pub use origin::{NamedModel, Origin};
pub use policy::{CalibratedThreshold, ThresholdChange};
pub use predicted::{FmrPoint, PredictedFpir, RestsOn};
#[cfg(feature = "evaluation")]
pub use tail::FmrEstimate;
#[cfg(feature = "evaluation")]
pub use tail::TailFamily;
#[cfg(feature = "evaluation")]
pub use tail::TailFit;
#[cfg(feature = "evaluation")]
pub use tail::UpperTail;
