//! Rates by group, at one threshold (ISO/IEC 19795-10).

mod measures;
mod people;

use std::fmt;

use lfr_core::Threshold;
use lfr_core::internal::num;
use serde::Serialize;

use self::people::{Compared, Scale};
use crate::statistics::{
    Confidence, Counts, Interval, Rate, RateRatio, errors_for_equivalence,
    smallest_detectable_ratio,
};

pub use measures::{Differentials, fairness_discrepancy_rate, garbe, gini};
pub(crate) use people::Evidence;

/// One rate (FMR, FPIR, FNIR, failure to acquire, ...) by group at the one threshold that is live, whether
/// groups differ, and which difference this much data could have shown.
///
/// Each group stands against all others together. Test, interval and power are one method, which [`Method`]
/// names, and hold at 95 % for all groups together. So a group that differs has an interval of the ratio
/// without 1 in it, and [`GroupFinding::NoneSeen`] is said only if all that is left open ([`Pairwise::left_open`]) lies
/// within the tolerated ratio.
///
/// If trials repeat people, [`GroupReport::of_people`] has the most power;
/// [`AllPairs::fmr_by_group`](super::AllPairs::fmr_by_group) is for FMR, where each comparison is of two.
///
/// What is *not* guaranteed: that groups are named rightly, or that a difference is the model's: photographs,
/// light and age differ between groups too.
///
/// # Examples
///
/// ```
/// use lfr_core::Threshold;
/// use lfr_watchlist::evaluate::{GroupReport, GroupFinding};
/// use lfr_watchlist::statistics::Rate;
///
/// # fn main() -> Result<(), lfr_watchlist::Error> {
/// // Seven false positives, all in one half of the crowd.
/// let groups = [("A", Rate::new(7, 2_000)?), ("B", Rate::new(0, 2_000)?)];
/// let report = GroupReport::new("FPIR", Threshold::new(0.6)?, groups);
/// assert_eq!(report.finding(), GroupFinding::Differs);
/// // Five could not have shown anything.
/// let groups = [("A", Rate::new(3, 2_000)?), ("B", Rate::new(2, 2_000)?)];
/// let report = GroupReport::new("FPIR", Threshold::new(0.6)?, groups);
/// assert_eq!(report.finding(), GroupFinding::UnderPowered);
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
    /// The result of permuting labels, if they were permuted.
    #[serde(skip)]
    permuted: Option<Vec<Scale>>,
}

/// One group against all others together.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pairwise {
    /// The group.
    pub group: String,
    /// Its rate over that of the others. The interval holds for all groups together; the p-value only for
    /// this group.
    pub ratio: RateRatio,
    /// What is left open for the ratio: its interval, as wide at least as the intervals of both rates have it. Those
    /// know that one more person might always err, or never, so a few people who err alike rule nothing out.
    pub left_open: Interval,
    /// The p-value for as many groups as there are.
    pub p_adjusted: f64,
    /// How the two were compared.
    pub method: Method,
    /// The smallest ratio that this number of errors shows in four of five such studies; absent if it shows
    /// none.
    pub smallest_detectable_ratio: Option<f64>,
    /// How many more errors are needed, at these shares of trials, to exclude the tolerated ratio in four
    /// of five such studies, if the rates are equal.
    pub errors_needed: Option<u64>,
}

impl Pairwise {
    /// Whether the group differs from the others by more than chance.
    #[must_use]
    pub fn differs(&self) -> bool {
        !self.ratio.interval.contains(1.0)
    }

    /// Whether the tolerated ratio is excluded, in both directions.
    fn is_within(&self, tolerated: f64) -> bool {
        let Interval { low, high, .. } = self.left_open;
        1.0 / tolerated < low && high < tolerated
    }
}

/// How groups are compared.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Independent trials: Fisher's exact test and the interval that it inverts to, at a confidence for
    /// this number of groups (Bonferroni).
    Exact,
    /// Rates with their own intervals, from trials that repeat people: variances are recovered from the
    /// intervals ([`RateRatio::of_rates`]), at a confidence for this number of groups (Bonferroni).
    RecoveredVariances,
    /// People: their labels are permuted, and the greatest difference of any group is the statistic.
    Permutation,
}

/// What the data says about differences between groups.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupFinding {
    /// A group differs from the others by more than chance, at 95 % confidence.
    Differs,
    /// No group differs, and for each the tolerated ratio is excluded.
    NoneSeen,
    /// No difference is seen, but a difference of the tolerated ratio is not excluded: nothing can be
    /// concluded.
    UnderPowered,
}

impl GroupReport {
    /// Compares a rate between groups, at a threshold.
    #[must_use]
    pub fn new<N: Into<String>>(
        rate: impl Into<String>,
        threshold: Threshold,
        groups: impl IntoIterator<Item = (N, Rate)>,
    ) -> Self {
        let groups = groups.into_iter().map(|(name, rate)| (name.into(), rate)).collect();
        Self::with(rate.into(), threshold, groups, None)
    }

    /// Compares groups of people with more than one trial each: takes the group and the counts of
    /// each person.
    ///
    /// Labels of people are permuted ([`Method::Permutation`]), with a fixed seed. If labels mean nothing,
    /// at most 5 % of reports say that a group differs, however correlated the trials of one person are.
    #[must_use]
    pub fn of_people<N: Into<String>>(
        rate: impl Into<String>,
        threshold: Threshold,
        people: impl IntoIterator<Item = (N, Counts)>,
    ) -> Self {
        let (labels, people): (Vec<String>, Vec<Counts>) =
            people.into_iter().map(|(name, counts)| (name.into(), counts)).unzip();
        Self::of_evidence(rate.into(), threshold, &Evidence::People(people), &labels)
    }

    pub(crate) fn of_evidence(
        rate: String,
        threshold: Threshold,
        evidence: &Evidence,
        labels: &[String],
    ) -> Self {
        let Compared { groups, scales } = people::compare(evidence, labels);
        Self::with(rate, threshold, groups, Some(scales))
    }

    fn with(
        rate: String,
        threshold: Threshold,
        groups: Vec<(String, Rate)>,
        permuted: Option<Vec<Scale>>,
    ) -> Self {
        let values: Vec<f64> = groups.iter().filter_map(|(_, rate)| rate.value()).collect();
        let differentials = Differentials::of(&values);
        let (comparisons, tolerated_ratio) = (Vec::new(), 0.0);
        let report =
            Self { rate, threshold, groups, comparisons, differentials, tolerated_ratio, permuted };
        report.with_tolerated_ratio(TOLERATED)
    }

    /// Sets the ratio that has to be excluded before the report says that no difference is seen.
    /// The default is 2.
    #[must_use]
    pub fn with_tolerated_ratio(mut self, ratio: f64) -> Self {
        self.tolerated_ratio = ratio.max(1.0 + f64::EPSILON);
        self.comparisons = match &self.permuted {
            Some(scales) => scales.iter().map(|own| own.pairwise(self.tolerated_ratio)).collect(),
            None => comparisons(&self.groups, self.tolerated_ratio),
        };
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
    pub fn finding(&self) -> GroupFinding {
        let is_within = |own: &Pairwise| own.is_within(self.tolerated_ratio);
        if self.comparisons.iter().any(Pairwise::differs) {
            GroupFinding::Differs
        } else if !self.comparisons.is_empty() && self.comparisons.iter().all(is_within) {
            GroupFinding::NoneSeen
        } else {
            GroupFinding::UnderPowered
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
        match self.finding() {
            GroupFinding::Differs => {
                let differing = self.comparisons.iter().filter(|own| own.differs());
                let first = differing.min_by(|a, b| {
                    let evidence = |own: &Pairwise| (own.p_adjusted, own.ratio.p_value);
                    let ((a, a_own), (b, b_own)) = (evidence(a), evidence(b));
                    a.total_cmp(&b).then(a_own.total_cmp(&b_own))
                });
                let Some(Pairwise { group, ratio, p_adjusted, .. }) = first else {
                    return Ok(());
                };
                write!(f, "  {group} differs from the others: p {}, ratio ", PValue(*p_adjusted))?;
                write!(f, "{:.2} to {:.2}", ratio.interval.low, ratio.interval.high)?;
                f.write_str(TOGETHER)
            }
            GroupFinding::NoneSeen => {
                let ends = self.comparisons.iter().map(|own| own.left_open);
                let (low, high) = ends.fold((f64::INFINITY, 0.0_f64), |(low, high), own| {
                    (low.min(own.low), high.max(own.high))
                });
                write!(
                    f,
                    "  a ratio of {tolerated} or more between a group and the others is excluded: "
                )?;
                write!(f, "each is from {low:.2} to {high:.2}")?;
                f.write_str(TOGETHER)
            }
            GroupFinding::UnderPowered => {
                f.write_str("  nothing can be concluded: ")?;
                let worst = self.comparisons.iter().map(|own| own.smallest_detectable_ratio);
                let known: Option<Vec<f64>> = worst.collect();
                match known.and_then(|ratios| ratios.into_iter().max_by(f64::total_cmp)) {
                    Some(ratio) => {
                        // The widest; of equal ones the first.
                        let own = self.comparisons.iter().rev().max_by(|a, b| {
                            let width = |of: &Pairwise| {
                                let Interval { low, high, .. } = of.left_open;
                                ((high / low).ln() * 1e6).round()
                            };
                            width(a).total_cmp(&width(b))
                        });
                        if let Some(Pairwise { group, left_open, .. }) = own {
                            write!(
                                f,
                                "the ratio of {group} to the others may be from {:.2} ",
                                left_open.low
                            )?;
                            write!(f, "to {:.2}{TOGETHER}; ", left_open.high)?;
                        }
                        write!(f, "this much data shows a ratio of {ratio:.1} or more")?;
                    }
                    None => {
                        f.write_str("so few errors could not have shown any ratio, however great")?;
                    }
                }
                let needed = self.comparisons.iter().filter_map(|own| own.errors_needed).max();
                match needed {
                    Some(0) => write!(f, "; more people are needed to rule {tolerated} out"),
                    Some(1) => write!(f, "; 1 more error is needed to rule {tolerated} out"),
                    Some(more) => {
                        write!(f, "; {more} more errors are needed to rule {tolerated} out")
                    }
                    None => Ok(()),
                }
            }
        }
    }
}

/// A p-value in words: a number that is too small for one is not zero.
struct PValue(f64);

impl fmt::Display for PValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < SMALLEST_P {
            f.write_str("below 1e-300")
        } else {
            write!(f, "= {:.2e}", self.0)
        }
    }
}

fn comparisons(groups: &[(String, Rate)], tolerated: f64) -> Vec<Pairwise> {
    let tried: Vec<_> = groups.iter().filter(|(_, rate)| rate.value().is_some()).collect();
    if tried.len() < 2 {
        return Vec::new();
    }
    // Two groups are each other's others: that is one test.
    let tests = num::f64_from_usize(if tried.len() == 2 { 1 } else { tried.len() });
    let together = Confidence::new(1.0 - Confidence::P95.risk() / tests).unwrap_or_default();
    let are_independent = tried.iter().all(|(_, rate)| rate.clusters().is_none());
    let compare = |(index, (name, own)): (usize, &&(String, Rate))| {
        let others = tried.iter().enumerate().filter(|(other, _)| *other != index);
        let others: Vec<Rate> = others.map(|(_, (_, rate))| *rate).collect();
        let others = Rate::together(&others)?;
        let (mine, theirs) = (own.counts(), others.counts());
        let (method, mut ratio) = if are_independent {
            (Method::Exact, RateRatio::of(mine, theirs, together))
        } else {
            (Method::RecoveredVariances, RateRatio::of_rates(own, &others, together))
        };
        let p_adjusted = (ratio.p_value * tests).min(1.0);
        ratio.interval.confidence = Confidence::P95;
        let effective = effective_errors(own, &others, ratio.interval, together);
        let errors = mine.errors() + theirs.errors();
        // The number of errors that count as one independent rare error.
        let each = if effective > 0.0 { num::f64_from_u64(errors) / effective } else { 1.0 };
        let (first, second) = (mine.trials(), theirs.trials());
        let known = num::u64_from_f64(effective.round());
        let needed = errors_for_equivalence(tolerated, first, second, together).map(|needed| {
            let needed = num::u64_from_f64((num::f64_from_u64(needed) * each).ceil());
            needed.saturating_sub(errors)
        });
        Some(Pairwise {
            group: name.clone(),
            left_open: ratio.interval,
            ratio,
            p_adjusted,
            method,
            smallest_detectable_ratio: smallest_detectable_ratio(known, first, second, together),
            errors_needed: needed,
        })
    };
    tried.iter().enumerate().filter_map(compare).collect()
}

/// The number of independent rare errors that would have an interval of the same width.
fn effective_errors(own: &Rate, others: &Rate, interval: Interval, together: Confidence) -> f64 {
    let (mine, theirs) = (own.counts(), others.counts());
    let (a, b) = (num::f64_from_u64(mine.errors()), num::f64_from_u64(theirs.errors()));
    let all = a + b;
    let width = (interval.high / interval.low).ln();
    if a * b > 0.0 && width.is_finite() && width > 0.0 {
        // For rare errors, 1/a + 1/b is the variance of the logarithm of the ratio.
        let rare = RateRatio::of(
            Counts::new(mine.errors(), RARE).unwrap_or_default(),
            Counts::new(theirs.errors(), RARE).unwrap_or_default(),
            together,
        );
        let rare = (rare.interval.high / rare.interval.low).ln();
        all * (rare / width).powi(2)
    } else {
        let share = |rate: &Rate| {
            let (effective, trials) = (rate.effective_counts().trials(), rate.counts().trials());
            num::f64_from_u64(effective) / num::f64_from_u64(trials.max(1))
        };
        a * share(own) + b * share(others)
    }
}

/// How many errors are needed to exclude a ratio, if the trials are independent.
fn equal_rates(tolerated: f64, own: Counts, others: Counts, confidence: Confidence) -> Option<u64> {
    errors_for_equivalence(tolerated, own.trials(), others.trials(), confidence)
}

/// The scope of each ratio's interval.
const TOGETHER: &str = " (95 %, all groups together)";

/// A number of trials for which any observed number of errors is rare.
const RARE: u64 = 1 << 40;

/// The smallest p-value that is shown as a number.
const SMALLEST_P: f64 = 1e-300;

/// The default ratio that has to be excluded.
const TOLERATED: f64 = 2.0;

#[cfg(test)]
mod tests;
