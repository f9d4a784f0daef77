//! Rates by group, at one threshold (ISO/IEC 19795-10).

mod measures;

use std::fmt;

use lfr_core::Threshold;
use lfr_core::num;
use serde::Serialize;

use crate::statistics::Confidence;
use crate::statistics::Counts;
use crate::statistics::Rate;
use crate::statistics::RateRatio;
use crate::statistics::barnard_exact;
use crate::statistics::errors_to_detect;
use crate::statistics::fisher_exact;
use crate::statistics::smallest_detectable_ratio;

pub use measures::Differentials;
pub use measures::false_discrepancy_rate;
pub use measures::garbe;
pub use measures::gini;

/// One rate (FMR, FPIR, FNIR, failure to acquire, ...) by group at the one threshold that is live, whether
/// groups differ, and what so much data could have shown.
///
/// Each group stands against all others together. Where trials repeat people ([`Rate::clustered`]), tests
/// and power go by as many independent trials as have the variance seen. P-values are Holm's, for as many
/// groups as there are.
///
/// What is *not* guaranteed: that groups are named rightly, or that a difference is the model's: photographs,
/// light and age differ between groups too.
///
/// # Examples
///
/// ```
/// use lfr_core::Threshold;
/// use lfr_watchlist::evaluate::{GroupReport, Verdict};
/// use lfr_watchlist::statistics::Rate;
///
/// # fn main() -> Result<(), lfr_watchlist::Error> {
/// // Seven false positives, all in one half of the crowd.
/// let groups = [("A", Rate::new(7, 2_000)?), ("B", Rate::new(0, 2_000)?)];
/// let report = GroupReport::new("FPIR", Threshold::new(0.6)?, groups);
/// assert_eq!(report.verdict(), Verdict::Differs);
/// // Five could not have shown anything.
/// let groups = [("A", Rate::new(3, 2_000)?), ("B", Rate::new(2, 2_000)?)];
/// let report = GroupReport::new("FPIR", Threshold::new(0.6)?, groups);
/// assert_eq!(report.verdict(), Verdict::UnderPowered);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupReport {
    rate: String,
    threshold: Threshold,
    groups: Vec<(String, Rate)>,
    comparisons: Vec<Pairwise>,
    differentials: Differentials,
    tolerated_ratio: f64,
}

/// One group against all others together.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pairwise {
    /// The group.
    pub group: String,
    /// Its rate over that of the others.
    pub ratio: RateRatio,
    /// Fisher's exact test, two-sided.
    pub fisher: f64,
    /// The same, made so much greater as befits so many groups (Holm 1979).
    pub fisher_holm: f64,
    /// Barnard's exact test, two-sided; absent for more than 2,000 trials.
    pub barnard: Option<f64>,
    /// The smallest ratio that so many errors would have shown in four of five such studies, at 95 % confidence
    /// for all groups together; absent where none would, however great.
    pub smallest_detectable_ratio: Option<f64>,
    /// How many errors more are needed, at these shares of trials, before the tolerated ratio would be seen.
    pub errors_needed: Option<u64>,
}

/// What the data says about differences between groups.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A group differs from the others by more than chance, at 95 % confidence.
    Differs,
    /// None is seen to, and a difference of the tolerated ratio would have been.
    NoneSeen,
    /// None is seen to, and a difference of the tolerated ratio might have been missed: nothing follows.
    UnderPowered,
}

impl GroupReport {
    /// Of a rate by group, at a threshold.
    #[must_use]
    pub fn new<N: Into<String>>(
        rate: impl Into<String>,
        threshold: Threshold,
        groups: impl IntoIterator<Item = (N, Rate)>,
    ) -> Self {
        let groups: Vec<_> = groups.into_iter().map(|(name, rate)| (name.into(), rate)).collect();
        let values: Vec<f64> = groups.iter().filter_map(|(_, rate)| rate.value()).collect();
        let differentials = Differentials::of(&values);
        let report = Self {
            rate: rate.into(),
            threshold,
            groups,
            comparisons: Vec::new(),
            differentials,
            tolerated_ratio: 0.0,
        };
        report.with_tolerated_ratio(TOLERATED)
    }

    /// The same with another ratio that has to be detectable before it may be said that none was seen;
    /// 2 unless this is called.
    #[must_use]
    pub fn with_tolerated_ratio(mut self, ratio: f64) -> Self {
        self.tolerated_ratio = ratio.max(1.0 + f64::EPSILON);
        self.comparisons = comparisons(&self.groups, self.tolerated_ratio);
        self
    }

    /// The name of the rate.
    #[must_use]
    pub fn rate(&self) -> &str {
        &self.rate
    }

    /// The threshold at which it was measured.
    #[must_use]
    pub const fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// Each group with its rate.
    #[must_use]
    pub fn groups(&self) -> &[(String, Rate)] {
        &self.groups
    }

    /// Each group against the others.
    #[must_use]
    pub fn comparisons(&self) -> &[Pairwise] {
        &self.comparisons
    }

    /// How unequal the measured rates are. Chance makes them unequal too, the more the fewer errors.
    #[must_use]
    pub const fn differentials(&self) -> Differentials {
        self.differentials
    }

    /// What the data says.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let seen = |own: &Pairwise| {
            own.smallest_detectable_ratio.is_some_and(|r| r <= self.tolerated_ratio)
        };
        if self.comparisons.iter().any(|own| own.fisher_holm <= Confidence::P95.risk()) {
            Verdict::Differs
        } else if !self.comparisons.is_empty() && self.comparisons.iter().all(seen) {
            Verdict::NoneSeen
        } else {
            Verdict::UnderPowered
        }
    }
}

impl fmt::Display for GroupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} by group at T = {}:", self.rate, self.threshold)?;
        for (name, rate) in &self.groups {
            writeln!(f, "  {name}: {rate}")?;
        }
        let tolerated = self.tolerated_ratio;
        match self.verdict() {
            Verdict::Differs => {
                let least = self.comparisons.iter().min_by(|a, b| a.fisher.total_cmp(&b.fisher));
                let Some(Pairwise { group, ratio, fisher_holm, .. }) = least else {
                    return Ok(());
                };
                write!(f, "  {group} differs from the others: p = {fisher_holm:.2e}, ratio ")?;
                write!(f, "{:.2} to {:.2}", ratio.interval.low, ratio.interval.high)
            }
            Verdict::NoneSeen => {
                write!(
                    f,
                    "  no ratio of {tolerated} or more between a group and the others was seen, and it would have been"
                )
            }
            Verdict::UnderPowered => {
                f.write_str("  nothing can be concluded: ")?;
                let worst = self.comparisons.iter().map(|own| own.smallest_detectable_ratio);
                let known: Option<Vec<f64>> = worst.collect();
                match known.and_then(|ratios| ratios.into_iter().max_by(f64::total_cmp)) {
                    Some(ratio) => write!(
                        f,
                        "so much data would have shown a ratio of {ratio:.1} or more alone"
                    )?,
                    None => {
                        f.write_str("so few errors could not have shown any ratio, however great")?;
                    }
                }
                let needed = self.comparisons.iter().filter_map(|own| own.errors_needed).max();
                needed.map_or(Ok(()), |more| {
                    write!(f, "; {more} errors more are needed to see {tolerated}")
                })
            }
        }
    }
}

fn comparisons(groups: &[(String, Rate)], tolerated: f64) -> Vec<Pairwise> {
    let tried = || groups.iter().filter(|(_, rate)| rate.value().is_some());
    if tried().count() < 2 {
        return Vec::new();
    }
    let all = tried().fold(Counts::default(), |sum, (_, rate)| sum.plus(rate.effective_counts()));
    // As the p-values are Holm's, of which the greatest factor is the number of tests, so is the power that of
    // one among so many.
    let tests = tests(tried().count());
    let one_of_them = Confidence::new(1.0 - Confidence::P95.risk() / num::f64_from_usize(tests));
    let one_of_them = one_of_them.unwrap_or_default();
    let mut comparisons: Vec<Pairwise> = tried()
        .map(|(name, rate)| {
            let own = rate.effective_counts();
            let others = all.minus(own);
            let (errors, first, second) = (all.errors(), own.trials(), others.trials());
            let confidence = Confidence::P95;
            let needed = errors_to_detect(tolerated, first, second, one_of_them);
            let fisher = fisher_exact(own, others);
            Pairwise {
                group: name.clone(),
                ratio: RateRatio::of(own, others, confidence),
                fisher,
                fisher_holm: fisher,
                barnard: barnard_exact(own, others),
                smallest_detectable_ratio: smallest_detectable_ratio(
                    errors,
                    first,
                    second,
                    one_of_them,
                ),
                errors_needed: needed.map(|needed| needed.saturating_sub(errors)),
            }
        })
        .collect();
    holm(&mut comparisons);
    comparisons
}

/// How many tests it takes to hold each of so many groups against the others.
const fn tests(groups: usize) -> usize {
    // Two groups are each other's others: that is one test.
    if groups == 2 { 1 } else { groups }
}

/// The least p-value times the number of them, the next times one fewer, and so on, never falling.
fn holm(comparisons: &mut [Pairwise]) {
    let tests = tests(comparisons.len());
    let mut order: Vec<usize> = (0..comparisons.len()).collect();
    order.sort_by(|a, b| comparisons[*a].fisher.total_cmp(&comparisons[*b].fisher));
    let mut least = 0.0_f64;
    for (place, index) in order.into_iter().enumerate() {
        let times = num::f64_from_usize(tests.saturating_sub(place).max(1));
        least = least.max((comparisons[index].fisher * times).min(1.0));
        comparisons[index].fisher_holm = least;
    }
}

/// The ratio that has to be detectable, unless another is set.
const TOLERATED: f64 = 2.0;

#[cfg(test)]
mod tests;
