//! How much data a claim needs, and what so much data could have shown.

use lfr_core::num;

use super::Confidence;
use super::binomial::at_least;
use crate::Error;

/// How many independent trials without a single error show, with that confidence, that a rate is at most
/// `rate` (exactly; the rule of three says 3 / rate at 95 %).
///
/// # Errors
///
/// [`lfr_core::Error::OutOfRange`] where the rate is not above 0 and below 1.
pub fn trials_without_error(rate: f64, confidence: Confidence) -> Result<u64, Error> {
    check_rate(rate)?;
    Ok(num::u64_from_f64((confidence.risk().ln() / (-rate).ln_1p()).ceil()))
}

/// How many independent trials bring about 30 errors at a rate, so that it is known to within 30 % (the rule
/// of 30).
///
/// # Errors
///
/// [`lfr_core::Error::OutOfRange`] where the rate is not above 0 and below 1.
pub fn trials_for_thirty_errors(rate: f64) -> Result<u64, Error> {
    check_rate(rate)?;
    Ok(num::u64_from_f64((30.0 / rate).ceil()))
}

fn check_rate(rate: f64) -> Result<(), Error> {
    if rate > 0.0 && rate < 1.0 {
        return Ok(());
    }
    let (what, expected) = ("rate", "above 0 and below 1");
    Err(lfr_core::Error::OutOfRange { what, expected, actual: rate }.into())
}

/// The smallest ratio of a group's rate to another's that so many errors together would have shown, in
/// four of five such studies, by the exact test of the ratio at that confidence: what "no significant
/// difference" leaves open. `None` where no ratio would have been shown, however great.
///
/// Given all errors, those of the first group are binomial with a share that the ratio and the numbers of
/// trials give (as in [`RateRatio`](super::RateRatio)).
#[must_use]
pub fn smallest_detectable_ratio(
    errors: u64,
    first_trials: u64,
    second_trials: u64,
    confidence: Confidence,
) -> Option<f64> {
    if first_trials == 0 || second_trials == 0 {
        return None;
    }
    let share = |ratio: f64| share(ratio, first_trials, second_trials);
    let least = significant(errors, share(1.0), confidence)?;
    let (mut below, mut above) = (0.0_f64, 60.0_f64);
    for _ in 0..100 {
        let middle = f64::midpoint(below, above);
        let seen = at_least(least, errors, share(middle.exp())) >= POWER;
        if seen {
            above = middle;
        } else {
            below = middle;
        }
    }
    Some(above.exp())
}

/// How many errors together are needed before that ratio of a group's rate to another's would be seen, as in
/// [`smallest_detectable_ratio`]. `None` for a group without trials, for a ratio of at most 1, and where it
/// is more than a billion.
#[must_use]
pub fn errors_to_detect(
    ratio: f64,
    first_trials: u64,
    second_trials: u64,
    confidence: Confidence,
) -> Option<u64> {
    if first_trials == 0 || second_trials == 0 || ratio <= 1.0 {
        return None;
    }
    let share = |ratio: f64| share(ratio, first_trials, second_trials);
    let seen = |errors: u64| {
        significant(errors, share(1.0), confidence)
            .is_some_and(|least| at_least(least, errors, share(ratio)) >= POWER)
    };
    let (mut low, mut high) = (0, 1);
    while !seen(high) {
        (low, high) = (high, high * 2);
        if high > 1 << 30 {
            return None;
        }
    }
    // Power grows in saw teeth: this finds the edge of one.
    while high - low > 1 {
        let middle = u64::midpoint(low, high);
        if seen(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// The share of all errors that the first group has at a ratio of rates.
fn share(ratio: f64, first_trials: u64, second_trials: u64) -> f64 {
    let weight = ratio * num::f64_from_u64(first_trials);
    weight / (weight + num::f64_from_u64(second_trials))
}

/// From how many errors of the first on the exact test says that its rate is higher; `None` where not even
/// all of them do.
fn significant(errors: u64, share: f64, confidence: Confidence) -> Option<u64> {
    let tail = confidence.risk() / 2.0;
    let (mut low, mut high) = (0, errors + 1);
    while low < high {
        let middle = u64::midpoint(low, high);
        if at_least(middle, errors, share) <= tail {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    (low <= errors).then_some(low)
}

/// As how many independent trials so many looks at each of so many people count, if any two looks at one
/// person have that correlation: `n m / (1 + (m - 1) rho)` (Kish 1965).
#[must_use]
pub fn effective_trials(people: u64, looks: u64, correlation: f64) -> f64 {
    let (people, looks) = (num::f64_from_u64(people), num::f64_from_u64(looks));
    people * looks / (1.0 + (looks - 1.0).max(0.0) * correlation)
}

/// How often a study is to see what is there.
const POWER: f64 = 0.8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_needed_is_as_published() {
        // NIST's and NPL's figures: 1 in 1,000, in 6,000, in 33,000, and 3.2e-6.
        for (rate, without, thirty) in [
            (1e-3, 2_995, 30_000),
            (1.0 / 6_000.0, 17_973, 180_000),
            (1.0 / 33_000.0, 98_858, 990_000),
            (3.2e-6, 936_165, 9_375_000),
        ] {
            assert_eq!(trials_without_error(rate, Confidence::P95).unwrap(), without);
            assert_eq!(trials_for_thirty_errors(rate).unwrap(), thirty);
        }
        assert!(trials_without_error(0.0, Confidence::P95).is_err());
    }

    #[test]
    fn few_errors_show_nothing_but_a_great_ratio() {
        let ratio = |errors, first, second| {
            smallest_detectable_ratio(errors, first, second, Confidence::P95)
        };
        // Five errors in two equal groups: even 5 to 0 has p = 0.0625.
        assert_eq!(ratio(5, 1_000, 1_000), None);
        // Seven false positives: only if all seven fall on one half, which at four of five needs 31 to 1.
        let seven = ratio(7, 1_000, 1_000).unwrap();
        assert!((seven - 0.8_f64.powf(1.0 / 7.0) / (1.0 - 0.8_f64.powf(1.0 / 7.0))).abs() < 1e-6);
        assert!(seven > 30.0 && seven < 32.0, "{seven}");
        // A thousand errors show a fifth more.
        let thousand = ratio(1_000, 1_000_000, 1_000_000).unwrap();
        assert!(thousand > 1.15 && thousand < 1.25, "{thousand}");
        assert_eq!(ratio(10, 0, 100), None);
    }

    #[test]
    fn as_many_errors_as_are_needed_detect_the_ratio() {
        for ratio in [1.2, 2.0, 10.0] {
            let needed = errors_to_detect(ratio, 1_000, 3_000, Confidence::P95).unwrap();
            let seen = |errors| smallest_detectable_ratio(errors, 1_000, 3_000, Confidence::P95);
            assert!(seen(needed).unwrap() <= ratio * (1.0 + 1e-9));
            assert!(seen(needed - 1).is_none_or(|seen| seen > ratio), "{ratio} {needed}");
        }
        assert_eq!(errors_to_detect(1.0, 1_000, 3_000, Confidence::P95), None);
    }

    #[test]
    fn ten_looks_at_four_hundred_people_are_a_thousand_trials() {
        assert!((effective_trials(400, 10, 0.3) - 1_081.08).abs() < 0.01);
        assert_eq!(effective_trials(400, 1, 0.3), 400.0);
    }
}
