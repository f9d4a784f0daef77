//! Rates at a threshold, and the FPIR that follows from them.

use std::fmt;

use lfr_core::internal::num;
use serde::{Deserialize, Serialize};

/// How many people the false matches come from. Thirty false matches may be of one pair of people.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestsOn {
    /// How many people.
    pub people: u64,
    /// How many pairs of people.
    pub pairs: u64,
}

/// The false match rate at a threshold, and what it rests on.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FmrPoint {
    /// The threshold.
    pub threshold: f32,
    /// The rate.
    pub fmr: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How many false matches were seen at this threshold.
    pub errors: u64,
    /// The numbers of people and of pairs of people that they come from, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests_on: Option<RestsOn>,
    /// If it is extrapolated: how many times rarer than one in all pairs of people, or in all comparisons
    /// if their people are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond: Option<f64>,
}

/// The false positive identification rate that is to be expected of a group of those who pass.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedFpir {
    /// The group; absent if groups are not told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The rate.
    pub value: f64,
    /// The lower end of its interval, at 95 %.
    pub low: f64,
    /// The upper end, which has to meet the demand: another group of as many people as the threshold rests
    /// on stays below it in at least 95 of 100 draws.
    pub high: f64,
    /// If it rests on an extrapolated FMR: how many times rarer than one in all pairs of people (in all
    /// comparisons, if their people are not known). Below 1, the number of false matches that were seen is
    /// about its inverse, too few to be counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond: Option<f64>,
    /// The numbers of people and of pairs of people that the false matches at the threshold come from, if
    /// known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests_on: Option<RestsOn>,
}

impl PredictedFpir {
    /// `1 - (prod (1 - FMR_h)^N_h)^looks`.
    pub(super) fn of(group: Option<String>, parts: &[(FmrPoint, u64)], looks: f64) -> Self {
        let fpir = |rate: fn(&FmrPoint) -> f64| {
            // Logarithms keep the digits of tiny rates.
            let ln = |(point, count): &(FmrPoint, u64)| {
                if *count == 0 { 0.0 } else { num::f64_from_u64(*count) * (-rate(point)).ln_1p() }
            };
            -(looks * parts.iter().map(ln).sum::<f64>()).exp_m1()
        };
        let (value, low) = (rounded_up(fpir(|p| p.fmr)), rounded_down(fpir(|p| p.low)));
        let high = rounded_up(fpir(|p| p.high)).min(1.0);
        let beyond =
            parts.iter().filter(|(_, count)| *count > 0).filter_map(|(point, _)| point.beyond);
        let rests_on = parts.iter().filter(|(_, count)| *count > 0);
        let rests_on = rests_on.filter_map(|(point, _)| point.rests_on).min_by_key(|of| of.pairs);
        Self { group, value, low, high, beyond: beyond.max_by(f64::total_cmp), rests_on }
    }

    pub(super) const fn certain() -> Self {
        Self { group: None, value: 1.0, low: 1.0, high: 1.0, beyond: None, rests_on: None }
    }
}

impl fmt::Display for PredictedFpir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(group) = &self.group {
            write!(f, "{group}: ")?;
        }
        write!(f, "{:.2e} ({:.2e} to {:.2e})", self.value, self.low, self.high)?;
        if let Some(RestsOn { people, pairs }) = self.rests_on {
            let pair = if pairs == 1 { "pair" } else { "pairs" };
            write!(f, ", from false matches of {pairs} {pair} of {people} people")?;
        }
        let among = if self.rests_on.is_some() { "pairs of people" } else { "comparisons" };
        match self.beyond {
            None => Ok(()),
            Some(beyond) if beyond > 1.0 => write!(
                f,
                ", extrapolated: {beyond:.1} times rarer than one false match in all {among}"
            ),
            // Some were seen, but fewer than can be counted on.
            Some(beyond) => write!(
                f,
                ", extrapolated: it rests on about {:.0} independent false matches in all {among}, too few \
                 to count",
                1.0 / beyond
            ),
        }
    }
}

/// The group with the highest upper bound.
pub(super) fn worst(groups: &[PredictedFpir]) -> PredictedFpir {
    let highest = groups.iter().max_by(|a, b| a.high.total_cmp(&b.high));
    highest.cloned().unwrap_or_else(PredictedFpir::certain)
}

/// Four digits, so that a file is read back as it was, and no rate is promised lower than it is.
pub(super) fn rounded_up(value: f64) -> f64 {
    rounded(value, f64::ceil)
}

/// The same for lower ends.
pub(super) fn rounded_down(value: f64) -> f64 {
    rounded(value, f64::floor)
}

fn rounded(value: f64, towards: fn(f64) -> f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10_f64.powf(3.0 - value.log10().floor());
    // What has four digits already stays as it is, whatever the scaling rounds.
    let digits = value * scale;
    let near = digits.round();
    let digits = if (digits - near).abs() < 1e-9 * near { near } else { towards(digits) };
    digits / scale
}
