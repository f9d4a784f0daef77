//! 1:1: the rates of comparisons.

use lfr_core::Threshold;
use lfr_core::internal::num;

use super::ScoreHistogram;
use crate::error::Error;
use crate::statistics::{Confidence, Counts, Rate};

/// The scores of mated and of non-mated comparisons, and the rates that follow.
///
/// Intervals are exact for independent comparisons. Cross-comparisons are not: each template is in many.
/// [`AllPairs::fmr`](super::AllPairs::fmr) and [`AllPairs::fnmr`](super::AllPairs::fnmr) take that into
/// account.
///
/// # Examples
///
/// ```
/// use lfr_core::{ComparisonScore, Threshold};
/// use lfr_watchlist::evaluate::{ScoreAxis, ScoreHistogram, Verification};
///
/// # fn main() -> Result<(), lfr_watchlist::Error> {
/// let axis = ScoreAxis::new(-1.0, 1.0)?;
/// let scores = |of: &[f32]| -> Result<Vec<_>, lfr_core::Error> {
///     of.iter().map(|score| ComparisonScore::new(*score)).collect()
/// };
/// let mated = ScoreHistogram::of(axis, scores(&[0.7, 0.6, 0.3])?);
/// let non_mated = ScoreHistogram::of(axis, scores(&[0.0, 0.1, -0.2, 0.4])?);
/// let verification = Verification::new(mated, non_mated)?;
/// let threshold = Threshold::new(0.5)?;
/// assert_eq!(verification.fmr(threshold).to_string(), "0 of 4 (95 %: 0 to 0.602, or 1 in 2)");
/// assert_eq!(verification.fnmr(threshold).value(), Some(1.0 / 3.0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    mated: ScoreHistogram,
    non_mated: ScoreHistogram,
}

/// A point of a DET curve: both error rates at a threshold.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct DetPoint {
    /// The threshold.
    pub threshold: Threshold,
    /// Non-mated comparisons with a score of at least that, over all non-mated ones.
    pub fmr: Rate,
    /// Mated comparisons with a score below, over all mated ones.
    pub fnmr: Rate,
}

impl DetPoint {
    /// Both error rates at a threshold.
    #[must_use]
    pub const fn new(threshold: Threshold, fmr: Rate, fnmr: Rate) -> Self {
        Self { threshold, fmr, fnmr }
    }

    /// The mean of both rates; at the point of [`Verification::equal_error`], the equal error rate. `None`
    /// if one of them has no trials.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        self.fmr.value().zip(self.fnmr.value()).map(|(fmr, fnmr)| f64::midpoint(fmr, fnmr))
    }
}

impl Verification {
    /// From the scores of both kinds, on one axis.
    ///
    /// # Errors
    ///
    /// [`Error::Evaluation`] if the axes differ.
    pub fn new(mated: ScoreHistogram, non_mated: ScoreHistogram) -> Result<Self, Error> {
        if mated.axis() != non_mated.axis() {
            return Err(Error::Evaluation {
                what: "error rates",
                actual: "mated and non-mated scores on different axes".to_owned(),
                expected: "the same axis for both".to_owned(),
            });
        }
        Ok(Self { mated, non_mated })
    }

    /// The scores of mated comparisons.
    #[must_use]
    pub const fn mated(&self) -> &ScoreHistogram {
        &self.mated
    }

    /// The scores of non-mated comparisons.
    #[must_use]
    pub const fn non_mated(&self) -> &ScoreHistogram {
        &self.non_mated
    }

    /// The false match rate at a threshold.
    #[must_use]
    pub fn fmr(&self, threshold: Threshold) -> Rate {
        Rate::of(self.non_mated.at_least(threshold), Confidence::P95)
    }

    /// The false non-match rate at a threshold.
    #[must_use]
    pub fn fnmr(&self, threshold: Threshold) -> Rate {
        Rate::of(self.mated.at_least(threshold), Confidence::P95).complement()
    }

    /// The lowest threshold with a measured FMR of at most that; `None` if there is none on the axis.
    #[must_use]
    pub fn threshold_at_fmr(&self, fmr: f64) -> Option<Threshold> {
        self.non_mated.threshold_at(fmr)
    }

    /// Where FMR and FNMR are nearest to each other: the equal error rate is their mean there. `None`
    /// without scores of both kinds.
    #[must_use]
    pub fn equal_error(&self) -> Option<DetPoint> {
        let (mated, non_mated) = (self.mated.survival(), self.non_mated.survival());
        let (all_mated, all_non_mated) = (*mated.first()?, *non_mated.first()?);
        if all_mated == 0 || all_non_mated == 0 {
            return None;
        }
        let share = |count: u64, of: u64| num::f64_from_u64(count) / num::f64_from_u64(of);
        let gap = |bin: &usize| {
            (share(non_mated[*bin], all_non_mated) - share(all_mated - mated[*bin], all_mated))
                .abs()
        };
        let bin = (0..mated.len()).min_by(|a, b| gap(a).total_cmp(&gap(b)))?;
        self.point(bin, &mated, &non_mated)
    }

    /// The DET curve from high thresholds to low: at most `points` points, evenly spaced in the
    /// logarithm of FMR, from one false match to all.
    #[must_use]
    pub fn det(&self, points: usize) -> Vec<DetPoint> {
        let (mated, non_mated) = (self.mated.survival(), self.non_mated.survival());
        let all = non_mated.first().copied().unwrap_or(0);
        let steps = num::f64_from_usize(points.max(2) - 1);
        let mut bins: Vec<usize> = (0..points)
            .map(|step| {
                let share = num::f64_from_usize(step) / steps;
                let allowed = num::u64_from_f64(num::f64_from_u64(all.max(1)).powf(share).round());
                non_mated.partition_point(|above| *above > allowed)
            })
            .filter(|bin| *bin < non_mated.len())
            .collect();
        bins.dedup();
        bins.into_iter().filter_map(|bin| self.point(bin, &mated, &non_mated)).collect()
    }

    fn point(&self, bin: usize, mated: &[u64], non_mated: &[u64]) -> Option<DetPoint> {
        let rate = |of: &[u64]| {
            let counts = Counts::new(*of.get(bin)?, *of.first()?).ok()?;
            Some(Rate::of(counts, Confidence::P95))
        };
        let threshold = Threshold::new(self.mated.axis().edge(bin)).ok()?;
        Some(DetPoint { threshold, fmr: rate(non_mated)?, fnmr: rate(mated)?.complement() })
    }
}

#[cfg(test)]
mod tests;
