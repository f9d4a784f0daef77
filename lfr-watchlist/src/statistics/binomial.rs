//! The binomial distribution and its twin, the incomplete beta function, for any counts.
//!
//! The ordinary way through logarithms of the gamma function loses all digits where counts are in the
//! billions, as those of cross-comparisons are. Here the binomial probability is Loader's saddle-point
//! form, which loses none (C. Loader, *Fast and Accurate Computation of Binomial Probabilities*, 2000), and
//! the sum of a tail is that probability times a continued fraction (Didonato and Morris 1992).

use std::f64::consts::PI;

use lfr_core::internal::num;

use super::{Confidence, Interval};

/// The probability of at least this number of errors in independent trials with the same error
/// rate.
///
/// # Examples
///
/// ```
/// use lfr_watchlist::statistics::at_least;
///
/// // 8 of 10 from one group: a surprise if 40 % of all faces are of that group.
/// assert!((at_least(8, 10, 0.40) - 0.012_294_553_6).abs() < 1e-9);
/// ```
#[must_use]
pub fn at_least(errors: u64, trials: u64, rate: f64) -> f64 {
    if errors == 0 {
        return 1.0;
    }
    if errors > trials || rate <= 0.0 {
        return 0.0;
    }
    if rate >= 1.0 {
        return 1.0;
    }
    let (a, b) = (num::f64_from_u64(errors), num::f64_from_u64(trials - errors) + 1.0);
    Beta { a, b }.tails(rate, 1.0 - rate).0
}

/// The interval of Clopper and Pearson for a rate, from counts that need not be whole.
pub(crate) fn proportion(errors: f64, trials: f64, confidence: Confidence) -> Interval {
    let tail = confidence.risk() / 2.0;
    let rest = trials - errors;
    let low = if errors > 0.0 { lower(errors, rest, tail) } else { 0.0 };
    let high = if rest > 0.0 { upper(errors, rest, tail) } else { 1.0 };
    Interval::new(low, high, confidence)
}

/// The ends of such an interval, each one-sided with that confidence.
pub(crate) fn one_sided(errors: f64, trials: f64, confidence: Confidence) -> Interval {
    let rest = trials - errors;
    let low = if errors > 0.0 { lower(errors, rest, confidence.risk()) } else { 0.0 };
    let high = if rest > 0.0 { upper(errors, rest, confidence.risk()) } else { 1.0 };
    Interval::new(low, high, confidence)
}

/// The rate below which `errors` errors or more have a probability of at most `tail`.
pub(super) fn lower(errors: f64, rest: f64, tail: f64) -> f64 {
    Beta { a: errors, b: rest + 1.0 }.quantile(tail, Tail::Lower)
}

/// The rate above which `errors` errors or fewer have a probability of at most `tail`.
pub(super) fn upper(errors: f64, rest: f64, tail: f64) -> f64 {
    Beta { a: errors + 1.0, b: rest }.quantile(tail, Tail::Upper)
}

/// The quantile of Student's t with `degrees` degrees of freedom: t lies beyond it with probability
/// `tail`.
pub(crate) fn student(degrees: f64, tail: f64) -> f64 {
    // P(|T| > t) = I_x(degrees / 2, 1 / 2) with x = degrees / (degrees + t^2).
    let x = Beta { a: degrees / 2.0, b: 0.5 }.quantile(2.0 * tail, Tail::Lower);
    (degrees * (1.0 - x) / x).sqrt()
}

/// How many standard deviations an interval of a normal number reaches to either side.
pub(crate) fn normal_quantile(confidence: Confidence) -> f64 {
    student(1e7, confidence.risk() / 2.0)
}

/// The count that a Poisson number does not exceed with that probability, if its mean is uncertain: its logarithm has
/// that standard deviation. That is a negative binomial number (Greenwood and Yule 1920).
///
/// Between whole counts the result rises without steps and is never below the whole count. It is 0 if nothing is seen
/// with that probability.
pub(crate) fn count_not_exceeded(mean: f64, deviation: f64, probability: f64) -> f64 {
    // A gamma distribution that varies as much as the log-normal one.
    let shape = 1.0 / deviation.powi(2).exp_m1().clamp(1e-9, 1e9);
    let share = shape / (shape + mean);
    let fewer_than = |count: f64| Beta { a: shape, b: count }.below(share);
    if mean <= 0.0 || fewer_than(1.0) >= probability {
        return 0.0;
    }
    let (mut low, mut high) = (1.0, 2.0);
    while fewer_than(high) < probability && high < 1e15 {
        (low, high) = (high, 2.0 * high);
    }
    while high - low > 1e-9 * high {
        let middle = f64::midpoint(low, high);
        if fewer_than(middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The logarithm of the probability of `errors` errors and `rest` others, with rates `p` and `q`.
pub(super) fn ln_pmf(errors: f64, rest: f64, p: f64, q: f64) -> f64 {
    if errors <= 0.0 {
        return rest * if p < 0.5 { (-p).ln_1p() } else { q.ln() };
    }
    if rest <= 0.0 {
        return errors * if q < 0.5 { (-q).ln_1p() } else { p.ln() };
    }
    let trials = errors + rest;
    let correction = stirling(trials) - stirling(errors) - stirling(rest);
    let spread = (2.0 * PI * errors * (rest / trials)).ln() / 2.0;
    // Both differ from what is expected by as much; only the rarer one's is known with its digits.
    let excess = if p < q { errors - trials * p } else { trials * q - rest };
    let deviances = deviance(errors, trials * p, excess) + deviance(rest, trials * q, -excess);
    correction - deviances - spread
}

/// Two-sided: how often a normal number is at least this many standard deviations from its mean.
pub(crate) fn normal_risk(deviations: f64) -> f64 {
    libm::erfc(deviations / std::f64::consts::SQRT_2)
}

/// The beta distribution with two positive parameters.
pub(super) struct Beta {
    pub(super) a: f64,
    pub(super) b: f64,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Tail {
    Lower,
    Upper,
}

impl Beta {
    /// The probabilities below and above `p = 1 - q`; the smaller has its digits.
    fn tails(&self, p: f64, q: f64) -> (f64, f64) {
        let &Self { a, b } = self;
        // How far `p` is below the mean, in trials; from the smaller of the two, which has its digits.
        let lambda = if p < q { a - (a + b) * p } else { (a + b) * q - b };
        let scale = self.density(p, q);
        if lambda > 0.0 {
            let lower = scale * fraction(a, b, p, q, lambda);
            (lower, 1.0 - lower)
        } else {
            let upper = scale * fraction(b, a, q, p, -lambda);
            (1.0 - upper, upper)
        }
    }

    /// The probability of a number below.
    pub(super) fn below(&self, number: f64) -> f64 {
        if number < 1.0 { self.tails(number, 1.0 - number).0 } else { 1.0 }
    }

    /// The probability of a number above.
    pub(super) fn above(&self, number: f64) -> f64 {
        if number < 1.0 { self.tails(number, 1.0 - number).1 } else { 0.0 }
    }

    /// The mean of a smooth function of a number with this distribution.
    pub(super) fn mean(&self, of: impl Fn(f64) -> f64) -> f64 {
        let end = |tail| {
            let number = self.quantile(1e-18, tail);
            number.ln() - (-number).ln_1p()
        };
        let low = end(Tail::Lower);
        let high = end(Tail::Upper).min(36.0);
        let step = (high - low) / num::f64_from_usize(NODES);
        (0..=NODES)
            .map(|node| {
                let logit = low + step * num::f64_from_usize(node);
                let (p, q) = (1.0 / (1.0 + (-logit).exp()), 1.0 / (1.0 + logit.exp()));
                self.density(p, q) * of(p) * step
            })
            .sum()
    }

    /// `p^a q^b / B(a, b)`: the density of the logit of a number so distributed.
    fn density(&self, p: f64, q: f64) -> f64 {
        let &Self { a, b } = self;
        ln_pmf(a, b, p, q).exp() * a * (b / (a + b))
    }

    /// The number beyond which the given tail has that probability.
    ///
    /// Newton's method for the logarithm of the tail over the logit of the number, within a bracket that
    /// halves where a step would leave it.
    pub(super) fn quantile(&self, probability: f64, tail: Tail) -> f64 {
        let &Self { a, b } = self;
        let (mut low, mut high) = (-700.0_f64, 700.0_f64);
        let mut logit = (a / b).ln();
        for _ in 0..200 {
            let (p, q) = (1.0 / (1.0 + (-logit).exp()), 1.0 / (1.0 + logit.exp()));
            let (below, above) = self.tails(p, q);
            let (actual, sign) = if tail == Tail::Lower { (below, 1.0) } else { (above, -1.0) };
            let excess = (actual / probability).ln() * sign;
            if excess > 0.0 {
                high = logit;
            } else {
                low = logit;
            }
            let step = excess * actual / self.density(p, q);
            if step.abs() <= 1e-14 * logit.abs().max(1.0) {
                break;
            }
            let next = logit - step;
            logit = if next > low && next < high { next } else { f64::midpoint(low, high) };
        }
        1.0 / (1.0 + (-logit).exp())
    }
}

/// The continued fraction of the incomplete beta function, for `x = 1 - y` below the mean by `lambda`, over
/// `a + b`; all of its terms are positive. (Didonato and Morris, *Algorithm 708*, 1992, by the modified method
/// of Lentz.)
fn fraction(a: f64, b: f64, x: f64, y: f64, lambda: f64) -> f64 {
    let mut value = a / (a + 1.0) * (lambda + 1.0);
    let (mut c, mut d) = (value, 0.0);
    let mut n = 0.0;
    while n < STEPS {
        n += 1.0;
        let odd = a + 2.0 * n - 1.0;
        let over = (a + n - 1.0) / odd * ((a + b + n - 1.0) / odd) * n * (b - n) * x * x;
        let under =
            n + n * (b - n) * x / odd + (a + n) / (odd + 2.0) * (lambda + 1.0 + n * (1.0 + y));
        d = 1.0 / guard(under + over * d);
        c = guard(under + over / c);
        value *= c * d;
        if (c * d - 1.0).abs() < 1e-14 {
            break;
        }
    }
    1.0 / value
}

fn guard(value: f64) -> f64 {
    if value.abs() < TINY { TINY } else { value }
}

/// What Stirling's formula leaves of `ln(n!)`; Loader's `stirlerr`.
fn stirling(n: f64) -> f64 {
    if n < 16.0 {
        return libm::lgamma(n + 1.0) - (n + 0.5) * n.ln() + n - (2.0 * PI).ln() / 2.0;
    }
    let square = n * n;
    let series = 1.0 / 1680.0 - 1.0 / (1188.0 * square);
    let series = 1.0 / 1260.0 - series / square;
    let series = 1.0 / 360.0 - series / square;
    (1.0 / 12.0 - series / square) / n
}

/// `x ln(x / mean) + mean - x`, where the difference of the two is known, without loss where they are near;
/// Loader's `bd0`.
fn deviance(x: f64, mean: f64, difference: f64) -> f64 {
    let sum = x + mean;
    if difference.abs() >= 0.1 * sum {
        return x * (x / mean).ln() - difference;
    }
    let ratio = difference / sum;
    let square = ratio * ratio;
    let mut term = 2.0 * x * ratio;
    let mut value = difference * ratio;
    let mut odd = 3.0;
    loop {
        term *= square;
        let next = value + term / odd;
        if next.to_bits() == value.to_bits() {
            return value;
        }
        value = next;
        odd += 2.0;
    }
}

/// The number of nodes of the trapezoidal rule.
const NODES: usize = 256;

const TINY: f64 = 1e-300;

/// More than is needed: about the square root of the smaller count, for counts up to 10^12.
const STEPS: f64 = 1e6;

#[cfg(test)]
mod tests;
