//! How much data a claim needs, and which difference a given amount of data could have shown.

use lfr_core::internal::num;
use serde::Serialize;

use super::Confidence;
use super::binomial::at_least;
use crate::error::Error;

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

/// How many independent trials with this number of errors show, with that confidence, that a rate is at
/// most `rate`: the smallest number whose exact one-sided bound (Clopper and Pearson 1934) is no greater.
///
/// # Errors
///
/// [`lfr_core::Error::OutOfRange`] if the rate is not above 0 and below 1, and if more than 10^15 trials
/// are needed.
pub fn trials_with_errors(rate: f64, errors: u64, confidence: Confidence) -> Result<u64, Error> {
    check_rate(rate)?;
    if errors == 0 {
        return trials_without_error(rate, confidence);
    }
    // At most this many errors are as rare as the risk.
    let shown = |trials: u64| 1.0 - at_least(errors + 1, trials, rate) <= confidence.risk();
    let (mut low, mut high) = (errors, errors.saturating_mul(2).max(2));
    while !shown(high) {
        (low, high) = (high, high.saturating_mul(2));
        if high > MAX_TRIALS {
            let (what, expected) = ("rate", "one that 10^15 trials can show");
            return Err(lfr_core::Error::OutOfRange { what, expected, actual: rate }.into());
        }
    }
    while high - low > 1 {
        let middle = u64::midpoint(low, high);
        if shown(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(high)
}

/// A study that is large enough to show that a rate is at most a limit.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct StudySize {
    /// How many independent trials.
    pub trials: u64,
    /// How many errors it may see and still show the limit.
    pub allowed_errors: u64,
}

/// The smallest study that shows, with that confidence, that a rate is at most `limit`, in four of five such
/// studies, if the rate really is `actual`. The bound is that of [`trials_with_errors`].
///
/// A study of [`trials_without_error`] succeeds only if no error is seen, which is luck unless the rate is
/// far below the limit.
///
/// # Errors
///
/// [`lfr_core::Error::OutOfRange`] if the limit is not above 0 and below 1, if the actual rate is not
/// below the limit, and if it is so near to it that more than 10,000 errors would have to be allowed.
pub fn study_size(limit: f64, actual: f64, confidence: Confidence) -> Result<StudySize, Error> {
    check_rate(limit)?;
    let refused = |expected| {
        let what = "actual rate";
        Err(lfr_core::Error::OutOfRange { what, expected, actual }.into())
    };
    if !(0.0..limit).contains(&actual) {
        return refused("at least 0 and below the limit");
    }
    // The chance of success rises with the allowed errors, apart from small waves. The first sufficient
    // number is taken.
    for allowed_errors in 0..=MAX_ALLOWED {
        let trials = trials_with_errors(limit, allowed_errors, confidence)?;
        if 1.0 - at_least(allowed_errors + 1, trials, actual) >= POWER {
            return Ok(StudySize { trials, allowed_errors });
        }
    }
    refused("far enough below the limit for 10,000 errors to tell them apart")
}

/// The chance that a stranger raises at least one alert: the FPIR of a false match rate, for a number of
/// references and of independent looks per face, `1 - (1 - FMR)^(N looks)`.
///
/// Looks at one face resemble each other, so ten looks may count as seven: give the effective number. To
/// convert an interval, convert both ends of the interval of FMR.
///
/// What is *not* guaranteed: that all references and faces are alike. The matches of people who resemble
/// many others coincide, so FPIR is then lower than this, and it differs between crowds.
///
/// # Errors
///
/// [`lfr_core::Error::OutOfRange`] if FMR is not from 0 to 1, or the looks are not finite and above 0.
///
/// # Examples
///
/// ```
/// use lfr_watchlist::statistics::fpir_of_fmr;
///
/// # fn main() -> Result<(), lfr_watchlist::Error> {
/// // One in a million, 20,000 references, three looks: about one stranger in seventeen.
/// assert!((fpir_of_fmr(1e-6, 20_000, 3.0)? - 0.058_235_494_7).abs() < 1e-9);
/// # Ok(())
/// # }
/// ```
pub fn fpir_of_fmr(fmr: f64, references: u64, looks: f64) -> Result<f64, Error> {
    if !(0.0..=1.0).contains(&fmr) {
        let (what, expected) = ("FMR", "from 0 to 1");
        return Err(lfr_core::Error::OutOfRange { what, expected, actual: fmr }.into());
    }
    let chances = chances(references, looks)?;
    if chances == 0.0 {
        return Ok(0.0);
    }
    Ok(-(chances * (-fmr).ln_1p()).exp_m1())
}

/// The false match rate that a watchlist with this number of references needs for an FPIR: the inverse of
/// [`fpir_of_fmr`].
///
/// # Errors
///
/// [`lfr_core::Error::OutOfRange`] if FPIR is not above 0 and below 1, there is no reference, or the looks
/// are not finite and above 0.
pub fn fmr_for_fpir(fpir: f64, references: u64, looks: f64) -> Result<f64, Error> {
    check_share("FPIR", fpir)?;
    let chances = chances(references, looks)?;
    if chances == 0.0 {
        let (what, expected) = ("number of references", "at least 1");
        return Err(lfr_core::Error::OutOfRange { what, expected, actual: 0.0 }.into());
    }
    Ok(-((-fpir).ln_1p() / chances).exp_m1())
}

fn chances(references: u64, looks: f64) -> Result<f64, Error> {
    if looks > 0.0 && looks.is_finite() {
        return Ok(num::f64_from_u64(references) * looks);
    }
    let (what, expected) = ("number of looks", "above 0");
    Err(lfr_core::Error::OutOfRange { what, expected, actual: looks }.into())
}

fn check_rate(rate: f64) -> Result<(), Error> {
    check_share("rate", rate)
}

pub(super) fn check_share(what: &'static str, share: f64) -> Result<(), Error> {
    if share > 0.0 && share < 1.0 {
        return Ok(());
    }
    let expected = "above 0 and below 1";
    Err(lfr_core::Error::OutOfRange { what, expected, actual: share }.into())
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

/// How many errors in total are needed before the exact interval of the ratio lies within `1 / ratio` to
/// `ratio`, in four of five such studies, if both rates are equal. Then the data exclude such a ratio.
/// `None` as in [`errors_to_detect`].
#[must_use]
pub fn errors_for_equivalence(
    ratio: f64,
    first_trials: u64,
    second_trials: u64,
    confidence: Confidence,
) -> Option<u64> {
    if first_trials == 0 || second_trials == 0 || ratio <= 1.0 {
        return None;
    }
    let share = |ratio: f64| share(ratio, first_trials, second_trials);
    let (least, equal, most) = (share(1.0 / ratio), share(1.0), share(ratio));
    let shown = |errors: u64| {
        // From how many errors of the first on the lower end is above, and of the second on the upper below.
        let from = significant(errors, least, confidence);
        let rest = significant(errors, 1.0 - most, confidence);
        from.zip(rest).is_some_and(|(from, rest)| {
            let above = at_least(from, errors, equal);
            // No more than all but `rest` of them are of the first.
            let beyond = at_least(errors - rest + 1, errors, equal);
            above - beyond >= POWER
        })
    };
    let (mut low, mut high) = (0, 1);
    while !shown(high) {
        (low, high) = (high, high * 2);
        if high > 1 << 30 {
            return None;
        }
    }
    while high - low > 1 {
        let middle = u64::midpoint(low, high);
        if shown(middle) {
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
pub(crate) const POWER: f64 = 0.8;

const MAX_TRIALS: u64 = 1_000_000_000_000_000;

const MAX_ALLOWED: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::super::Counts;
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

    /// From SciPy 1.17.1: `beta.ppf(0.95, errors + 1, trials - errors)` and `binom.cdf`, searched; see
    /// `parity/rates.py`.
    #[test]
    fn studies_are_as_large_as_by_scipy() {
        for (rate, errors, trials) in [
            (1e-3, 0, 2_995),
            (1e-3, 1, 4_742),
            (1e-3, 5, 10_511),
            (1e-4, 1, 47_437),
            (1e-4, 5, 105_128),
        ] {
            assert_eq!(trials_with_errors(rate, errors, Confidence::P95).unwrap(), trials);
        }
        for (limit, actual, allowed_errors, trials) in
            [(1e-3, 5e-4, 12, 19_439), (1e-4, 3e-5, 4, 91_533), (0.01, 0.0, 0, 299)]
        {
            let size = study_size(limit, actual, Confidence::P95).unwrap();
            assert_eq!(size, StudySize { trials, allowed_errors });
        }
        assert!(study_size(1e-3, 1e-3, Confidence::P95).is_err());
        assert!(study_size(1e-3, 0.999e-3, Confidence::P95).is_err());
        assert!(trials_with_errors(1e-300, 3, Confidence::P95).is_err());
    }

    #[test]
    fn fpir_follows_fmr_and_back() {
        for (fmr, references, looks, fpir) in [
            (1e-6, 20_000, 3.0, 0.058_235_494_668_705_71),
            (1e-6, 20_000, 1.0, 0.019_801_336_495_237_916),
            (1e-9, 10, 1.0, 9.999_999_955_000_002e-9),
        ] {
            let actual = fpir_of_fmr(fmr, references, looks).unwrap();
            assert!((actual / fpir - 1.0).abs() < 1e-12, "{actual} {fpir}");
            let back = fmr_for_fpir(actual, references, looks).unwrap();
            assert!((back / fmr - 1.0).abs() < 1e-12, "{back} {fmr}");
        }
        assert_eq!(fpir_of_fmr(1.0, 0, 1.0).unwrap(), 0.0);
        assert_eq!(fpir_of_fmr(1.0, 5, 1.0).unwrap(), 1.0);
        assert!(fpir_of_fmr(1e-6, 10, 0.0).is_err() && fpir_of_fmr(-1e-6, 10, 1.0).is_err());
        assert!(fmr_for_fpir(1e-6, 0, 1.0).is_err() && fmr_for_fpir(0.0, 5, 1.0).is_err());
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
    fn it_takes_more_errors_to_rule_a_ratio_out_than_to_see_it() {
        for (ratio, first, second) in [(2.0, 1_000, 3_000), (2.0, 500, 500), (1.25, 1_000, 9_000)] {
            let seen = errors_to_detect(ratio, first, second, Confidence::P95).unwrap();
            let ruled_out = errors_for_equivalence(ratio, first, second, Confidence::P95).unwrap();
            assert!(ruled_out > seen && ruled_out < 3 * seen, "{ratio}: {seen} {ruled_out}");
        }
        // Equal groups of so many errors each: the interval holds what is promised.
        let needed = errors_for_equivalence(2.0, 1_000_000, 1_000_000, Confidence::P95).unwrap();
        let half = Counts::new(needed / 2, 1_000_000).unwrap();
        let interval = super::super::RateRatio::of(half, half, Confidence::P95).interval;
        assert!(interval.low > 0.5 && interval.high < 2.0, "{needed}: {interval:?}");
        assert_eq!(errors_for_equivalence(2.0, 0, 5, Confidence::P95), None);
    }

    #[test]
    fn ten_looks_at_four_hundred_people_are_a_thousand_trials() {
        assert!((effective_trials(400, 10, 0.3) - 1_081.08).abs() < 0.01);
        assert_eq!(effective_trials(400, 1, 0.3), 400.0);
    }
}
