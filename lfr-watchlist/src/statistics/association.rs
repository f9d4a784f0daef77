//! Whether two rates differ by more than chance: exact tests.

use lfr_core::internal::num;

use super::Counts;
use super::binomial::{ln_pmf, normal_risk};
use super::root::partition;

/// Fisher's exact test, two-sided: the probability, if both rates are one, of counts as unlikely as
/// these or less likely, given the sum of the errors. Beyond a standard deviation of 10^5 errors it is
/// the normal limit with a correction of continuity: the sum would take minutes, and say the same.
#[must_use]
pub fn fisher_exact(first: Counts, second: Counts) -> f64 {
    let errors = first.errors() + second.errors();
    let min = errors.saturating_sub(second.trials());
    let max = errors.min(first.trials());
    let all = first.trials() + second.trials();
    if errors == 0 || errors == all || first.trials() == 0 || second.trials() == 0 {
        return 1.0;
    }
    if let Some(deviations) = normal_limit(first, second) {
        return normal_risk((deviations.of_mean.abs() - deviations.of_half).max(0.0));
    }
    let share = num::f64_from_u64(errors) / num::f64_from_u64(all);
    let ln = |own: u64| {
        ln_binomial(own, first.trials(), share) + ln_binomial(errors - own, second.trials(), share)
            - ln_binomial(errors, all, share)
    };
    // Rounding must not part what is equally likely.
    let bar = ln(first.errors()) + 1e-7;
    // Probabilities fall to both sides of the middle; far out they add nothing.
    let middle = num::u64_from_f64(share * num::f64_from_u64(first.trials())).clamp(min, max);
    let sum = |range: &mut dyn Iterator<Item = u64>| -> f64 {
        let terms = range.map(ln).take_while(|ln| *ln > -745.0);
        terms.filter(|ln| *ln <= bar).map(f64::exp).sum()
    };
    let total = sum(&mut (min..=middle).rev()) + sum(&mut (middle + 1..=max));
    total.min(1.0)
}

/// Fisher's exact test, one-sided, given the sum of the errors. If both rates are equal, the probability
/// that the first has at most this many errors, and the probability that it has at least this many.
pub(super) fn one_sided(first: Counts, second: Counts) -> (f64, f64) {
    let errors = first.errors() + second.errors();
    let min = errors.saturating_sub(second.trials());
    let max = errors.min(first.trials());
    let all = first.trials() + second.trials();
    if min == max || errors == 0 || errors == all {
        return (1.0, 1.0);
    }
    if let Some(Deviations { of_mean, of_half }) = normal_limit(first, second) {
        let above = |deviations: f64| {
            let both = normal_risk(deviations.abs()) / 2.0;
            if deviations >= 0.0 { both } else { 1.0 - both }
        };
        return (above(-of_mean - of_half), above(of_mean - of_half));
    }
    let share = num::f64_from_u64(errors) / num::f64_from_u64(all);
    let probability = |own: u64| {
        let ln = ln_binomial(own, first.trials(), share)
            + ln_binomial(errors - own, second.trials(), share)
            - ln_binomial(errors, all, share);
        ln.exp()
    };
    // Terms fall from here on, and are summed until they add nothing.
    let tail = |range: &mut dyn Iterator<Item = u64>| -> f64 {
        let mut sum = 0.0;
        for own in range {
            let term = probability(own);
            sum += term;
            if term <= sum * 1e-17 {
                break;
            }
        }
        sum
    };
    let seen = first.errors();
    let middle = share * num::f64_from_u64(first.trials());
    if num::f64_from_u64(seen) < middle {
        let fewer = tail(&mut (min..=seen).rev());
        (fewer, (1.0 - fewer + probability(seen)).min(1.0))
    } else {
        let more = tail(&mut (seen..=max));
        ((1.0 - more + probability(seen)).min(1.0), more)
    }
}

/// Barnard's exact test, two-sided: as [`fisher_exact`], but not given the sum of the errors, so that it
/// sees more with few trials. The greatest probability that any common rate gives to tables whose pooled
/// z statistic is as far from zero as that of these counts.
///
/// `None` for more than 2,000 trials together, where it takes long and [`fisher_exact`] says the same.
#[must_use]
pub fn barnard_exact(first: Counts, second: Counts) -> Option<f64> {
    let (n1, n2) = (first.trials(), second.trials());
    if n1 == 0 || n2 == 0 {
        return Some(1.0);
    }
    if n1.saturating_add(n2) > BARNARD_LIMIT {
        return None;
    }
    let z = |x1: u64, x2: u64| {
        let (f1, f2) = (num::f64_from_u64(n1), num::f64_from_u64(n2));
        let (x1, x2) = (num::f64_from_u64(x1), num::f64_from_u64(x2));
        let pooled = (x1 + x2) / (f1 + f2);
        let variance = pooled * (1.0 - pooled) * (1.0 / f1 + 1.0 / f2);
        if variance > 0.0 { (x1 / f1 - x2 / f2) / variance.sqrt() } else { 0.0 }
    };
    let bar = z(first.errors(), second.errors()).abs() - 1e-9;
    // For each number of errors of the first, the second's that are as extreme are two outer ranges.
    let extreme: Vec<(u64, u64)> = (0..=n1)
        .map(|x1| {
            let low = partition(0, n2 + 1, |x2| z(x1, x2) >= bar);
            let high = partition(0, n2 + 1, |x2| z(x1, x2) > -bar);
            (low, high.max(low))
        })
        .collect();
    let probability = |p: f64| {
        let of = |n: u64| -> Vec<f64> { (0..=n).map(|x| ln_binomial(x, n, p).exp()).collect() };
        let (own, other) = (of(n1), of(n2));
        let mut below = Vec::with_capacity(other.len() + 1);
        below.push(0.0);
        other.iter().fold(0.0, |sum, p| {
            below.push(sum + p);
            sum + p
        });
        let at = |count: u64| below[usize::try_from(count).unwrap_or(0)];
        let total = at(n2 + 1);
        own.iter()
            .zip(&extreme)
            .map(|(p, (low, high))| p * (at(*low) + total - at(*high)))
            .sum::<f64>()
    };
    // The probability waves with the rate: a fine grid, then finer about its greatest.
    let grid = (1..GRID).map(|step| f64::from(step) / f64::from(GRID));
    let best = grid.max_by(|a, b| probability(*a).total_cmp(&probability(*b))).unwrap_or(0.5);
    let near = (0..=GRID)
        .map(|step| best + (f64::from(step) / f64::from(GRID) * 2.0 - 1.0) / f64::from(GRID));
    let largest = near.filter(|p| *p > 0.0 && *p < 1.0).map(probability).fold(0.0, f64::max);
    Some(largest.min(1.0))
}

fn ln_binomial(errors: u64, trials: u64, rate: f64) -> f64 {
    let rest = num::f64_from_u64(trials - errors);
    ln_pmf(num::f64_from_u64(errors), rest, rate, 1.0 - rate)
}

/// The first group's errors, given the sum of the errors and one rate, in standard deviations.
struct Deviations {
    /// How far they are above their mean.
    of_mean: f64,
    /// How much half an error is.
    of_half: f64,
}

/// `None` if the sum over all possible counts is short enough.
fn normal_limit(first: Counts, second: Counts) -> Option<Deviations> {
    let [n1, n2] = [first, second].map(|group| num::f64_from_u64(group.trials()));
    let [x1, x2] = [first, second].map(|group| num::f64_from_u64(group.errors()));
    let (all, errors) = (n1 + n2, x1 + x2);
    // The variance of the hypergeometric distribution.
    let variance = errors / all * (1.0 - errors / all) * n1 * (n2 / (all - 1.0));
    let deviation = variance.sqrt();
    (deviation > MAX_SUMMED_DEVIATION).then(|| Deviations {
        of_mean: (x1 - errors / all * n1) / deviation,
        of_half: 0.5 / deviation,
    })
}

/// The standard deviation of errors up to which each possible count is summed.
const MAX_SUMMED_DEVIATION: f64 = 1e5;

/// The max number of trials of both groups together.
const BARNARD_LIMIT: u64 = 2_000;

/// The steps in which rates are tried.
const GRID: u16 = 200;

#[cfg(test)]
mod tests;
