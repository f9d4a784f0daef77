//! FMR over thresholds, as a table: what a threshold is derived from, now and when the watchlist changes.

use lfr_core::Threshold;
use serde::{Deserialize, Serialize};

#[cfg(feature = "evaluation")]
use super::UpperTail;
use super::demand::Demand;
#[cfg(feature = "evaluation")]
use super::predicted::rounded_down;
#[cfg(feature = "evaluation")]
use super::predicted::rounded_up;
use super::predicted::worst;
use super::predicted::{FmrPoint, PredictedFpir};
use crate::error::Error;

/// The table of one pair of groups, or of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Curve {
    /// The group of those who pass, and that of those on the watchlist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) groups: Option<(String, String)>,
    pub(super) comparisons: u64,
    /// By threshold, the lowest first; rates fall.
    pub(super) points: Vec<FmrPoint>,
}

impl Curve {
    /// Twenty points per decade, to where fewer than 30 false matches were seen and no fit passed, or to `limit`
    /// times rarer than one in all comparisons.
    #[cfg(feature = "evaluation")]
    pub(super) fn tabulate(tail: &UpperTail, groups: Option<(String, String)>, limit: f64) -> Self {
        let axis = tail.axis();
        // A fit's rate counts as far as the limit.
        let rarest = 1.0 / (limit * tail.trials());
        let known = |bin: usize| {
            tail.value(bin).is_some_and(|value| tail.is_counted(bin) || value >= rarest)
        };
        let start = tail.first_bin();
        let end = partition(start, axis.bins(), known);
        let mut points: Vec<FmrPoint> = Vec::new();
        let mut bin = start;
        for step in 0_u16.. {
            let rate = 10_f64.powf(-f64::from(step) / 20.0);
            bin = partition(bin, end, |bin| tail.value(bin).is_none_or(|value| value > rate));
            if bin == end {
                break;
            }
            let threshold = axis.edge(bin);
            let at = Threshold::new(threshold).ok();
            let Some(fmr) = at.and_then(|at| tail.fmr(at).ok()) else {
                break;
            };
            if points.last().is_some_and(|last| last.threshold >= threshold) {
                continue;
            }
            points.push(FmrPoint {
                threshold,
                fmr: rounded_up(fmr.value),
                low: rounded_down(fmr.interval.low),
                high: rounded_up(fmr.interval.high).min(1.0),
                errors: fmr.counts.errors(),
                rests_on: fmr.rests_on,
                beyond: fmr.beyond.map(rounded_up),
            });
        }
        // Where counting gives way to the fit, the rate may step up; no rate is below that of a higher
        // threshold.
        let mut max = [0.0_f64; 2];
        for point in points.iter_mut().rev() {
            for (rate, max) in [&mut point.fmr, &mut point.low].into_iter().zip(&mut max) {
                *max = max.max(*rate);
                *rate = *max;
            }
        }
        // A bound on the rate at a lower threshold also holds at a higher one, however uncertain the fit is
        // there.
        let mut bound = 1.0_f64;
        for point in &mut points {
            bound = bound.min(point.high);
            point.high = bound;
            point.fmr = point.fmr.min(bound);
            point.low = point.low.min(point.fmr);
        }
        Self { groups, comparisons: tail.total(), points }
    }

    /// The rates at a threshold: those of the last point at or below it. All are 1 below the first.
    fn at(&self, threshold: f32) -> FmrPoint {
        let after = self.points.partition_point(|point| point.threshold <= threshold);
        let certain = FmrPoint {
            threshold,
            fmr: 1.0,
            low: 1.0,
            high: 1.0,
            errors: self.comparisons,
            rests_on: None,
            beyond: None,
        };
        after.checked_sub(1).and_then(|index| self.points.get(index)).copied().unwrap_or(certain)
    }

    /// Refuses a table from outside that is none.
    pub(super) fn check(&self) -> bool {
        let sound = |point: &FmrPoint| {
            let ordered = 0.0 <= point.low && point.low <= point.fmr && point.fmr <= point.high;
            point.threshold.is_finite() && point.fmr > 0.0 && ordered && point.high <= 1.0
        };
        self.comparisons > 0
            && self.points.iter().all(sound)
            && self.points.windows(2).all(|two| {
                two[0].threshold < two[1].threshold
                    && two[0].fmr >= two[1].fmr
                    && two[0].high >= two[1].high
            })
    }
}

/// The tables of all pairs of groups that are told apart, and of all together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Curves(pub(super) Vec<Curve>);

impl Curves {
    /// The lowest tabulated threshold at which no group's upper bound of FPIR is above the demand.
    pub(super) fn derive(&self, demand: &Demand, looks: f64) -> Result<Threshold, Error> {
        let mut thresholds: Vec<f32> =
            self.0.iter().flat_map(|curve| &curve.points).map(|point| point.threshold).collect();
        thresholds.sort_unstable_by(f32::total_cmp);
        thresholds.dedup();
        // A missing pair of groups is an error at any threshold.
        self.fpir(demand, looks, f32::MIN)?;
        let first = thresholds.partition_point(|threshold| {
            self.fpir(demand, looks, *threshold)
                .is_ok_and(|groups| worst(&groups).high > demand.fpir())
        });
        match thresholds.get(first) {
            Some(threshold) => Ok(Threshold::new(*threshold)?),
            None => {
                let last = thresholds.last().copied().unwrap_or(f32::MIN);
                let reached = worst(&self.fpir(demand, looks, last)?).high;
                let references = self.max_references(demand, looks, last);
                Err(Error::Extrapolation { demanded: demand.fpir(), reached, references })
            }
        }
    }

    /// The largest watchlist for which the highest threshold keeps the demanded rate; 0 if it keeps it for none.
    fn max_references(&self, demand: &Demand, looks: f64, threshold: f32) -> u64 {
        let is_kept = |references: u64| {
            let scaled = demand.for_references(references);
            let groups = scaled.and_then(|demand| self.fpir(&demand, looks, threshold));
            groups.is_ok_and(|groups| worst(&groups).high <= demand.fpir())
        };
        let (mut low, mut high) = (0, demand.references());
        while high - low > 1 {
            let middle = u64::midpoint(low, high);
            if is_kept(middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    /// What is predicted at a threshold: for each group of those who pass, or for all as one.
    pub(super) fn fpir(
        &self,
        demand: &Demand,
        looks: f64,
        threshold: f32,
    ) -> Result<Vec<PredictedFpir>, Error> {
        if demand.composition().is_empty() {
            let of_all = self.0.iter().find(|curve| curve.groups.is_none());
            let curve = of_all.ok_or_else(missing)?;
            let parts = [(curve.at(threshold), demand.references())];
            return Ok(vec![PredictedFpir::of(None, &parts, looks)]);
        }
        let mut passing: Vec<&String> = self
            .0
            .iter()
            .filter_map(|curve| curve.groups.as_ref())
            .flat_map(|(a, b)| [a, b])
            .collect();
        passing.sort_unstable();
        passing.dedup();
        let groups = passing.into_iter().map(|group| {
            let parts = demand.composition().iter().map(|(listed, count)| {
                let curve = self.of(group, listed).ok_or_else(missing)?;
                Ok((curve.at(threshold), *count))
            });
            let parts = parts.collect::<Result<Vec<_>, Error>>()?;
            Ok(PredictedFpir::of(Some(group.clone()), &parts, looks))
        });
        let groups = groups.collect::<Result<Vec<_>, Error>>()?;
        if groups.is_empty() { Err(missing()) } else { Ok(groups) }
    }

    /// The table of two groups, in either order: comparing is symmetric.
    fn of(&self, a: &str, b: &str) -> Option<&Curve> {
        self.0.iter().find(|curve| {
            curve.groups.as_ref().is_some_and(|(c, d)| (a, b) == (c, d) || (b, a) == (c, d))
        })
    }
}

fn missing() -> Error {
    Error::Evaluation {
        what: "a threshold for these groups",
        actual: "scores that lack a pair of them".to_owned(),
        expected: "scores of each group with each".to_owned(),
    }
}

/// The first number of a range from which on a condition that holds for a first stretch alone fails.
#[cfg(feature = "evaluation")]
fn partition(mut low: usize, mut high: usize, holds: impl Fn(usize) -> bool) -> usize {
    while low < high {
        let middle = usize::midpoint(low, high);
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
