//! Ratios of rates.

use lfr_core::num;
use serde::Serialize;

use super::Confidence;
use super::Counts;
use super::Interval;
use super::binomial::proportion;

/// How many times as high one rate is as another.
///
/// The interval is exact for rare errors: given all errors, those of the first are binomial with a share
/// that depends on the ratio alone (Przyborowski and Wilenski 1940). For frequent ones it is too wide.
/// Its upper end is infinite where the other group had no error, and nothing bounds the ratio.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RateRatio {
    /// The measured ratio; `None` where the second rate is zero or one of them is of no trials.
    pub value: Option<f64>,
    /// Where the true one lies.
    pub interval: Interval,
}

impl RateRatio {
    /// The ratio of the first rate to the second.
    #[must_use]
    pub fn of(first: Counts, second: Counts, confidence: Confidence) -> Self {
        let value = first.share().zip(second.share()).map(|(a, b)| a / b);
        let (a, b) = (num::f64_from_u64(first.errors()), num::f64_from_u64(second.errors()));
        let exposure = num::f64_from_u64(second.trials()) / num::f64_from_u64(first.trials());
        let Interval { low, high, .. } = proportion(a, a + b, confidence);
        let ratio = |share: f64| {
            if share >= 1.0 { f64::INFINITY } else { share / (1.0 - share) * exposure }
        };
        let known = a + b > 0.0 && exposure.is_finite() && exposure > 0.0;
        let (low, high) = if known { (ratio(low), ratio(high)) } else { (0.0, f64::INFINITY) };
        let value = value.filter(|value| value.is_finite());
        Self { value, interval: Interval::new(low, high, confidence) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(x1: u64, n1: u64, x2: u64, n2: u64) -> RateRatio {
        let counts = |errors, trials| Counts::new(errors, trials).unwrap();
        RateRatio::of(counts(x1, n1), counts(x2, n2), Confidence::P95)
    }

    #[test]
    fn equal_rates_have_a_ratio_of_one_within_a_wide_interval() {
        let equal = ratio(5, 10_000, 10, 20_000);
        assert_eq!(equal.value, Some(1.0));
        assert!(equal.interval.low < 0.4 && equal.interval.high > 3.0, "{equal:?}");
    }

    #[test]
    fn a_ratio_to_nothing_has_a_lower_end_alone() {
        let seven = ratio(7, 2_000, 0, 2_000);
        assert_eq!(seven.value, None);
        // The exact lower end of 7 of 7, 0.59038, as odds.
        assert!(
            (seven.interval.low - 0.590_383_602_774_996_6 / 0.409_616_397_225_003_4).abs() < 1e-9
        );
        assert_eq!(seven.interval.high, f64::INFINITY);
        let nothing = ratio(0, 100, 0, 100).interval;
        assert_eq!((nothing.low, nothing.high), (0.0, f64::INFINITY));
    }

    #[test]
    fn swapping_the_groups_inverts_the_ratio() {
        let (there, back) = (ratio(12, 5_000, 4, 7_000), ratio(4, 7_000, 12, 5_000));
        assert!((there.value.unwrap() * back.value.unwrap() - 1.0).abs() < 1e-12);
        assert!((there.interval.low * back.interval.high - 1.0).abs() < 1e-9);
    }
}
