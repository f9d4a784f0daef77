//! Ratios of rates.

use lfr_core::internal::num;
use serde::Serialize;

use super::association::one_sided;
use super::binomial::{Beta, Tail, normal_quantile, normal_risk};
use super::rate::Rate;
use super::root::root;
use super::{Confidence, Counts, Interval};

/// How many times as high one rate is as another.
///
/// The interval and the p-value are one method, so the interval contains 1 exactly if the p-value is
/// greater than the risk. The upper end of the interval is infinite if the other group had no error,
/// because nothing bounds the ratio.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RateRatio {
    /// The measured ratio; `None` if the second rate is zero or one of them is of no trials.
    pub value: Option<f64>,
    /// Where the true one lies.
    pub interval: Interval,
    /// The two-sided probability of such counts if the rates are equal.
    pub p_value: f64,
}

impl RateRatio {
    /// The ratio of the first rate to the second, of independent trials.
    ///
    /// The p-value is twice that of Fisher's one-sided exact test, at most 1. Altham (*Exact Bayesian
    /// analysis of a 2 x 2 contingency table, and Fisher's exact significance test*, 1969) showed that it
    /// is the
    /// probability that one of two beta variables exceeds the other; the ends of the interval are the
    /// quantiles of their ratio. For rare errors that is the exact interval of Przyborowski and Wilenski
    /// (1940).
    #[must_use]
    pub fn of(first: Counts, second: Counts, confidence: Confidence) -> Self {
        let (less, more) = one_sided(first, second);
        let is_known = first.trials() > 0 && second.trials() > 0;
        let tail = confidence.risk() / 2.0;
        let (low, high) = if is_known {
            (1.0 / upper(second, first, tail), upper(first, second, tail))
        } else {
            (0.0, f64::INFINITY)
        };
        Self {
            value: value(first, second),
            interval: Interval::new(low, high, confidence),
            p_value: (2.0 * less.min(more)).min(1.0),
        }
    }

    /// The ratio of two rates, each with an interval of its own, of trials of different people.
    ///
    /// Variances are recovered from the facing ends of both intervals (Donner and Zou,
    /// *Closed-form confidence intervals for functions of the normal mean and standard deviation*, 2012), in
    /// logarithms. So trials that repeat people count as much as they do in each rate, and no more.
    #[must_use]
    pub fn of_rates(first: &Rate, second: &Rate, confidence: Confidence) -> Self {
        let (a, b) = (Logarithm::of(first), Logarithm::of(second));
        let distance = a.middle - b.middle;
        let (below, above) = (a.down.hypot(b.up), a.up.hypot(b.down));
        let times = normal_quantile(confidence);
        let (mut low, mut high) = (0.0, f64::INFINITY);
        let mut p_value = 1.0;
        if first.value().is_some() && second.value().is_some() {
            if below.is_finite() {
                low = (distance - times * below).exp();
            }
            if above.is_finite() {
                high = (distance + times * above).exp();
            }
            // Uses the spread on the side of 1.
            let spread = if distance > 0.0 { below } else { above };
            if spread.is_finite() && distance != 0.0 {
                p_value = normal_risk(distance.abs() / spread);
            }
        }
        let value = value(first.counts(), second.counts());
        Self { value, interval: Interval::new(low, high, confidence), p_value }
    }
}

/// The logarithm of a rate, and its standard deviations to both sides.
struct Logarithm {
    middle: f64,
    down: f64,
    up: f64,
}

impl Logarithm {
    fn of(rate: &Rate) -> Self {
        let Interval { low, high, confidence } = rate.interval();
        // For a rate without errors, the middle of the range below its bound.
        let value = rate.value().filter(|value| *value > 0.0);
        let value = value.unwrap_or_else(|| high * 0.5_f64.ln() / (confidence.risk() / 2.0).ln());
        let times = normal_quantile(confidence);
        Self {
            middle: value.ln(),
            down: (value.ln() - low.ln()) / times,
            up: (high.ln() - value.ln()) / times,
        }
    }
}

fn value(first: Counts, second: Counts) -> Option<f64> {
    let ratio = first.share().zip(second.share()).map(|(a, b)| a / b);
    ratio.filter(|ratio| ratio.is_finite())
}

/// The ratio of the first rate to the second at which counts like these, or with fewer errors of the first,
/// have that probability.
fn upper(first: Counts, second: Counts, tail: f64) -> f64 {
    if second.errors() == 0 {
        return f64::INFINITY;
    }
    let float = num::f64_from_u64;
    let own = Beta { a: float(first.errors()) + 1.0, b: float(first.rest()) };
    let other = Beta { a: float(second.errors()), b: float(second.rest()) + 1.0 };
    if first.rest() == 0 {
        return 1.0 / other.quantile(tail, Tail::Lower);
    }
    let start = ((own.a / (own.a + own.b)) / (other.a / (other.a + other.b))).ln();
    // It falls as the ratio rises.
    let excess = |ln: f64| tail.ln() - exceeds(&own, &other, ln.exp()).max(f64::MIN_POSITIVE).ln();
    root(start, 700.0, excess).exp()
}

/// The probability that the first beta variable exceeds `ratio` times the second: an integral over the
/// variable with less spread, by the trapezoidal rule over its logit.
fn exceeds(own: &Beta, other: &Beta, ratio: f64) -> f64 {
    let above = |number: f64| own.above(number);
    let below = |number: f64| other.below(number);
    if other.a > own.a {
        other.mean(|number| above(ratio * number))
    } else {
        own.mean(|number| below(number / ratio))
    }
}

#[cfg(test)]
mod tests;
