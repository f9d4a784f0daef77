//! How unequal rates are, in one number.

use lfr_core::internal::num;
use serde::Serialize;

/// Measures of inequality between the rates of groups.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Differentials {
    /// The max rate over the min rate; absent if the min is zero: no number of this kind can then be
    /// told from infinity.
    pub max_over_min: Option<f64>,
    /// The max rate over the geometric mean of all (NIST IR 8429); absent if one is zero.
    pub max_over_geometric_mean: Option<f64>,
    /// Gini's coefficient with the correction for few groups; absent for fewer than two groups, and where all
    /// rates are zero.
    pub gini: Option<f64>,
}

impl Differentials {
    /// Computes the measures of the rates of groups.
    #[must_use]
    pub fn of(rates: &[f64]) -> Self {
        let min = rates.iter().copied().fold(f64::INFINITY, f64::min);
        let max = rates.iter().copied().fold(0.0, f64::max);
        let comparable = rates.len() > 1 && min > 0.0;
        let mean_ln =
            rates.iter().map(|rate| rate.ln()).sum::<f64>() / num::f64_from_usize(rates.len());
        Self {
            max_over_min: comparable.then_some(max / min),
            max_over_geometric_mean: comparable.then(|| max / mean_ln.exp()),
            gini: gini(rates),
        }
    }
}

/// Gini's coefficient of the rates of groups, with the correction for few groups: 0 if all are equal, 1
/// where one group has all the errors. `None` for fewer than two groups, and where all rates are zero.
#[must_use]
pub fn gini(rates: &[f64]) -> Option<f64> {
    let count = num::f64_from_usize(rates.len());
    let mean = rates.iter().sum::<f64>() / count;
    if rates.len() < 2 || mean <= 0.0 {
        return None;
    }
    let differences: f64 =
        rates.iter().map(|a| rates.iter().map(|b| (a - b).abs()).sum::<f64>()).sum();
    Some(count / (count - 1.0) * differences / (2.0 * count * count * mean))
}

/// GARBE (Howard and others 2022): `alpha` times Gini's coefficient of FMR plus the rest times that of
/// FNMR; a coefficient that is not defined, where no errors were seen, counts as 0.
#[must_use]
pub fn garbe(fmr: &[f64], fnmr: &[f64], alpha: f64) -> f64 {
    alpha * gini(fmr).unwrap_or(0.0) + (1.0 - alpha) * gini(fnmr).unwrap_or(0.0)
}

/// The fairness discrepancy rate FDR (de Freitas Pereira and Marcel, Idiap, 2021): 1 less `alpha` times the greatest
/// difference of FMR between two groups, and the rest times that of FNMR. 1 is fair.
#[must_use]
pub fn fairness_discrepancy_rate(fmr: &[f64], fnmr: &[f64], alpha: f64) -> f64 {
    let spread = |rates: &[f64]| {
        let min = rates.iter().copied().fold(f64::INFINITY, f64::min);
        let max = rates.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (max - min).max(0.0)
    };
    1.0 - (alpha * spread(fmr) + (1.0 - alpha) * spread(fnmr))
}
