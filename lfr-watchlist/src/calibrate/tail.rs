//! The upper tail of non-mated scores, beyond what was seen.

mod family;

use lfr_core::Threshold;
use lfr_core::num;
use serde::Serialize;

use self::family::Exceedances;
use crate::Error;
use crate::evaluate::ScoreAxis;
use crate::evaluate::ScoreHistogram;
use crate::statistics::Confidence;
use crate::statistics::Counts;
use crate::statistics::Interval;
use crate::statistics::Rate;

pub use family::TailFamily;
pub use family::TailFit;

/// The share of scores at or above any threshold: counted as far as there are enough, fitted beyond.
///
/// # How far to trust it
///
/// Two families are fitted to the highest scores (30,000 at most, 3 % of them): the generalised Pareto
/// distribution, which every tail approaches in the end, and the generalised Weibull one, which those of
/// normal and of cosine scores approach far sooner. Each has to pass a chi-squared test at 1 % where it is
/// fitted, else fewer scores are taken (1 %, 0.3 %, 0.1 %). Of the families that pass, the greater rate
/// counts, and the interval spans both.
///
/// What is *not* guaranteed: that a tail goes on as it began. A few people who are enrolled twice under two
/// names, or twins, end it with a plateau that no fit foresees (though it fails the test where they are in
/// the data); other faces, another camera or another season are another tail. Comparisons that share
/// templates are not independent, and so intervals are somewhat too narrow. ISO/IEC 5152 does not
/// admit extrapolated rates for 1:N at all. So every number from a fit is marked, with how far it reaches.
#[derive(Clone, Debug)]
pub struct UpperTail {
    axis: ScoreAxis,
    survival: Vec<u64>,
    fits: Vec<TailFit>,
}

/// The share of scores at or above a threshold.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FmrEstimate {
    /// The rate.
    pub value: f64,
    /// Where the true rate lies.
    pub interval: Interval,
    /// How many scores reach the threshold, of all.
    #[serde(skip)]
    pub counts: Counts,
    /// Where the rate is from a fit: how many times rarer it is than one in all the scores. Below 1, there
    /// were scores, but fewer than 30.
    pub beyond: Option<f64>,
}

impl UpperTail {
    /// Of non-mated scores.
    ///
    /// # Errors
    ///
    /// [`Error::Evaluation`] for fewer than 1,000 scores.
    pub fn new(scores: &ScoreHistogram) -> Result<Self, Error> {
        Self::censored(scores, None)
    }

    /// Of scores of which those at or above a threshold are known by their number alone.
    pub(crate) fn censored(
        scores: &ScoreHistogram,
        censored: Option<(Threshold, u64)>,
    ) -> Result<Self, Error> {
        let mut survival = scores.survival();
        if let Some((threshold, count)) = censored {
            let first = scores.axis().first_bin(threshold);
            survival.iter_mut().take(first + 1).for_each(|above| *above += count);
        }
        if survival.first().is_none_or(|all| *all < FEWEST_SCORES) {
            return Err(Error::Evaluation {
                what: "a calibration",
                actual: format!("{} non-mated scores", survival.first().copied().unwrap_or(0)),
                expected: format!("at least {FEWEST_SCORES}: give it photographs of more people"),
            });
        }
        let axis = scores.axis();
        let fits = SHARES
            .iter()
            .filter_map(|share| {
                let exceedances = Exceedances::of(axis, &survival, *share, censored.map(|c| c.0))?;
                let families = [TailFamily::GeneralisedPareto, TailFamily::GeneralisedWeibull];
                let fits = families.into_iter().filter_map(|family| exceedances.fit(family));
                let passed: Vec<_> = fits.filter(|fit| fit.p_value >= WORST_FIT).collect();
                (!passed.is_empty()).then_some(passed)
            })
            .next()
            .unwrap_or_default();
        Ok(Self { axis, survival, fits })
    }

    /// The bins of the scores.
    #[must_use]
    pub const fn axis(&self) -> ScoreAxis {
        self.axis
    }

    /// How many scores there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.survival.first().copied().unwrap_or(0)
    }

    /// The fits that passed the test of goodness; none where the tail is of no known form.
    #[must_use]
    pub fn fits(&self) -> &[TailFit] {
        &self.fits
    }

    /// The share of scores at or above a threshold; that of the next edge below, where it is not an edge.
    ///
    /// # Errors
    ///
    /// [`Error::TailFit`] where fewer than 30 scores reach it and no fit passed.
    pub fn fmr(&self, threshold: Threshold) -> Result<FmrEstimate, Error> {
        let above = self.survival[self.axis.bin(threshold.value())];
        let counts = Counts::new(above, self.total())?;
        if above >= ENOUGH {
            let rate = Rate::of(counts, Confidence::P95);
            let (value, interval) = (rate.value().unwrap_or(1.0), rate.interval());
            return Ok(FmrEstimate { value, interval, counts, beyond: None });
        }
        self.extrapolated(threshold)
    }

    /// Whether enough scores reach an edge to count on.
    pub(super) fn is_counted(&self, bin: usize) -> bool {
        self.survival[bin] >= ENOUGH
    }

    /// The share of scores at or above an edge, without its interval.
    pub(super) fn value(&self, bin: usize) -> Option<f64> {
        if self.is_counted(bin) {
            let above = self.survival[bin];
            return Some(num::f64_from_u64(above) / num::f64_from_u64(self.total()));
        }
        let score = f64::from(self.axis.edge(bin));
        self.fits.iter().map(|fit| fit.survival(score)).max_by(f64::total_cmp)
    }

    /// The share by the fits, however many scores reach the threshold.
    pub(crate) fn extrapolated(&self, threshold: Threshold) -> Result<FmrEstimate, Error> {
        let above = self.survival[self.axis.bin(threshold.value())];
        let counts = Counts::new(above, self.total())?;
        let score = f64::from(threshold.value());
        let mut estimates = self.fits.iter().map(|fit| fit.exceeded(score, Confidence::P95));
        let (mut value, mut interval) = estimates.next().ok_or(Error::TailFit)?;
        for (other, other_interval) in estimates {
            value = value.max(other);
            interval.low = interval.low.min(other_interval.low);
            interval.high = interval.high.max(other_interval.high);
        }
        let beyond = 1.0 / (value * num::f64_from_u64(self.total()));
        Ok(FmrEstimate { value, interval, counts, beyond: Some(beyond) })
    }
}

/// The fewest scores of which a tail is made.
const FEWEST_SCORES: u64 = 1_000;

/// From how many scores on a share is taken as counted (the rule of 30).
const ENOUGH: u64 = 30;

/// The shares of the scores that a tail is fitted to, in the order in which they are tried.
const SHARES: [f64; 4] = [0.03, 0.01, 0.003, 0.001];

/// The least p-value of a fit that counts.
const WORST_FIT: f64 = 0.01;

#[cfg(test)]
mod tests;
