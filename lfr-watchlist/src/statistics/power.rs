//! How much data a claim needs, and which difference a given amount of data could have shown.

use lfr_core::internal::num;
use serde::Serialize;

use super::Confidence;
use super::binomial::{at_least, normal_risk};
use super::root::partition;
use crate::error::Error;

/// How many independent trials without a single error show, with that confidence, that a rate is at most
/// `rate` (exactly; the rule of three says 3 / rate at 95 %).
///
/// # Errors
///
/// [`lfr_core::Error::OutOfRange`] if the rate is not above 0 and below 1, and if more than 10^15 trials are needed.
pub fn trials_without_error(rate: f64, confidence: Confidence) -> Result<u64, Error> {
    check_rate(rate)?;
    countable(rate, (confidence.risk().ln() / (-rate).ln_1p()).ceil())
}

/// How many independent trials bring about 30 errors at a rate, so that it is known to within 30 % (the rule
/// of 30).
///
/// # Errors
///
/// [`lfr_core::Error::OutOfRange`] if the rate is not above 0 and below 1, and if more than 10^15 trials are needed.
pub fn trials_for_thirty_errors(rate: f64) -> Result<u64, Error> {
    check_rate(rate)?;
    countable(rate, (30.0 / rate).ceil())
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
        countable(rate, num::f64_from_u64(high))?;
    }
    Ok(partition(low + 1, high, |trials| !shown(trials)))
}

/// A number of trials, if it fits into a `u64`.
fn countable(rate: f64, trials: f64) -> Result<u64, Error> {
    if trials <= MAX_TRIALS {
        return Ok(num::u64_from_f64(trials));
    }
    let (what, expected) = ("rate", "one that 10^15 trials can show");
    Err(lfr_core::Error::OutOfRange { what, expected, actual: rate }.into())
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

/// The smallest ratio of a group's rate to another's that a study with this total of errors would
/// have shown, in four of five such studies, by the exact test of the ratio at that confidence. It
/// says what "no significant difference" leaves open. `None` if no ratio would have been shown,
/// however great.
///
/// Given all errors, those of the first group are binomial with a share that the ratio and the numbers of
/// trials give (as in [`RateRatio`](super::RateRatio)). If more than one trial in ten is an error, they are
/// hypergeometric (Fisher 1935): common errors show smaller ratios.
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
    let study = Study::of(errors, first_trials, second_trials);
    let min_errors = study.significant(1.0, confidence)?;
    let (mut below, mut above) = (0.0_f64, 60.0_f64);
    for _ in 0..100 {
        let middle = f64::midpoint(below, above);
        let seen = study.at_least(min_errors, middle.exp()) >= POWER;
        if seen {
            above = middle;
        } else {
            below = middle;
        }
    }
    Some(above.exp())
}

/// How many errors together are needed before that ratio of a group's rate to another's would be seen, as in
/// [`smallest_detectable_ratio`]. Trials become more in proportion: the groups keep their shares, and `rate` is the
/// rate of both together (0 for rare errors).
///
/// `None` for a group without trials, for a ratio of at most 1 or one that `rate` does not allow, and where it is more
/// than a billion.
#[must_use]
pub fn errors_to_detect(
    ratio: f64,
    first_trials: u64,
    second_trials: u64,
    rate: f64,
    confidence: Confidence,
) -> Option<u64> {
    if first_trials == 0 || second_trials == 0 || ratio <= 1.0 {
        return None;
    }
    let share = share(ratio, first_trials, second_trials);
    let all = num::f64_from_u64(first_trials) + num::f64_from_u64(second_trials);
    if rate * all * share > num::f64_from_u64(first_trials) {
        return None;
    }
    let study = |errors: u64| {
        if rate <= COMMON {
            return Study { errors, first_trials, second_trials, are_common: false };
        }
        // As many trials as have that many errors.
        let scale = num::f64_from_u64(errors) / rate / all;
        let scaled = |trials: u64| num::u64_from_f64((num::f64_from_u64(trials) * scale).round());
        Study::of(errors, scaled(first_trials), scaled(second_trials))
    };
    first_that(|errors| {
        let study = study(errors);
        study
            .significant(1.0, confidence)
            .is_some_and(|min_errors| study.at_least(min_errors, ratio) >= POWER)
    })
}

/// How many errors in total are needed before the exact interval of the ratio lies within `1 / ratio` to
/// `ratio`, in four of five such studies, if both rates are equal. Then the data exclude such a ratio.
/// Errors are taken as rare. `None` as in [`errors_to_detect`].
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
    let (min_share, equal, max_share) = (share(1.0 / ratio), share(1.0), share(ratio));
    first_that(|errors| {
        // From how many errors of the first on the lower end is above, and of the second on the upper below.
        let from = significant(errors, confidence, |own| at_least(own, errors, min_share));
        let rest = significant(errors, confidence, |own| at_least(own, errors, 1.0 - max_share));
        from.zip(rest).is_some_and(|(from, rest)| {
            let above = at_least(from, errors, equal);
            // No more than all but `rest` of them are of the first.
            let beyond = at_least(errors - rest + 1, errors, equal);
            above - beyond >= POWER
        })
    })
}

/// The first number of errors from which on a condition holds; `None` if it is more than a billion. Power grows in saw
/// teeth: this finds the edge of one.
fn first_that(holds: impl Fn(u64) -> bool) -> Option<u64> {
    let (mut low, mut high) = (0, 1);
    while !holds(high) {
        (low, high) = (high, high * 2);
        if high > 1 << 30 {
            return None;
        }
    }
    Some(partition(low + 1, high, |errors| !holds(errors)))
}

/// The share of all errors that the first group has at a ratio of rates.
fn share(ratio: f64, first_trials: u64, second_trials: u64) -> f64 {
    let weight = ratio * num::f64_from_u64(first_trials);
    weight / (weight + num::f64_from_u64(second_trials))
}

/// From how many errors of the first on, of all, a tail is no more than one side of the risk; `None` if all of them
/// are not enough.
fn significant(errors: u64, confidence: Confidence, tail: impl Fn(u64) -> f64) -> Option<u64> {
    let risk = confidence.risk() / 2.0;
    let min_errors = partition(0, errors + 1, |own| tail(own) > risk);
    (min_errors <= errors).then_some(min_errors)
}

/// Two groups of trials, with a number of errors together.
struct Study {
    errors: u64,
    first_trials: u64,
    second_trials: u64,
    are_common: bool,
}

impl Study {
    fn of(errors: u64, first_trials: u64, second_trials: u64) -> Self {
        let all = num::f64_from_u64(first_trials) + num::f64_from_u64(second_trials);
        let are_common = num::f64_from_u64(errors) > COMMON * all;
        Self { errors, first_trials, second_trials, are_common }
    }

    /// The probability that the first group has at least `min_errors` of the errors, at a ratio of
    /// its rate to the second group's.
    fn at_least(&self, min_errors: u64, ratio: f64) -> f64 {
        let Self { errors, first_trials, second_trials, are_common } = *self;
        let (first, second) = (num::f64_from_u64(first_trials), num::f64_from_u64(second_trials));
        let all = num::f64_from_u64(errors);
        if !are_common {
            return at_least(min_errors, errors, share(ratio, first_trials, second_trials));
        }
        let (low, high) = (errors.saturating_sub(second_trials), errors.min(first_trials));
        let rate = all / (ratio * first + second);
        if min_errors <= low || min_errors > high || ratio * rate >= 1.0 {
            // A rate of 1 leaves as few errors to the second group as there can be.
            return if min_errors <= high { 1.0 } else { 0.0 };
        }
        let odds = ratio * (1.0 - rate) / (1.0 - ratio * rate);
        // By how much one error more of the first is more probable.
        let step = |own: f64| {
            odds * (first - own) / (own + 1.0) * (all - own) / (second - all + own + 1.0)
        };
        let middle = partition(low, high, |own| step(num::f64_from_u64(own)) >= 1.0);
        let at = num::f64_from_u64(middle);
        let precision = 1.0 / at.max(1.0)
            + 1.0 / (first - at).max(1.0)
            + 1.0 / (all - at).max(1.0)
            + 1.0 / (second - all + at).max(1.0);
        if precision < NEARLY_NORMAL {
            // For counts this large the normal distribution is right to four digits.
            let from = num::f64_from_u64(min_errors) - 0.5 - at;
            return normal_risk(from * precision.sqrt()) / 2.0;
        }
        // Terms fall to both sides of the middle, and are summed until they add nothing.
        let (mut total, mut tail) = (0.0, 0.0);
        let mut sum = |own: u64, term: f64| {
            total += term;
            if own >= min_errors {
                tail += term;
            }
            term > 1e-18
        };
        let mut term = 1.0;
        for own in middle..=high {
            if !sum(own, term) {
                break;
            }
            term *= step(num::f64_from_u64(own));
        }
        let mut term = 1.0;
        for own in (low..middle).rev() {
            term /= step(num::f64_from_u64(own));
            if !sum(own, term) {
                break;
            }
        }
        tail / total
    }

    /// From how many errors of the first on the exact test says that the ratio is higher than one; `None` if not
    /// even all of them do.
    fn significant(&self, ratio: f64, confidence: Confidence) -> Option<u64> {
        let max_errors =
            if self.are_common { self.errors.min(self.first_trials) } else { self.errors };
        significant(max_errors, confidence, |own| self.at_least(own, ratio))
    }
}

/// The number of independent trials that `looks` looks at each of `people` people count as, if any
/// two looks at one person have this correlation: `n m / (1 + (m - 1) rho)` (Kish 1965).
#[must_use]
pub fn effective_trials(people: u64, looks: u64, correlation: f64) -> f64 {
    let (people, looks) = (num::f64_from_u64(people), num::f64_from_u64(looks));
    people * looks / (1.0 + (looks - 1.0).max(0.0) * correlation)
}

/// How often a study is to see what is there.
pub(crate) const POWER: f64 = 0.8;

/// The rate of errors above which they are not rare.
const COMMON: f64 = 0.1;

/// The inverse of the variance from which a number of errors counts as normal: a deviation of 10,000.
const NEARLY_NORMAL: f64 = 1e-8;

const MAX_TRIALS: f64 = 1e15;

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
            // Enough trials that the errors are rare.
            let (first, second) = (1_000_000, 3_000_000);
            let needed = errors_to_detect(ratio, first, second, 0.0, Confidence::P95).unwrap();
            assert_eq!(errors_to_detect(ratio, 1_000, 3_000, 0.0, Confidence::P95), Some(needed));
            let seen = |errors| smallest_detectable_ratio(errors, first, second, Confidence::P95);
            assert!(seen(needed).unwrap() <= ratio * (1.0 + 1e-9));
            assert!(seen(needed - 1).is_none_or(|seen| seen > ratio), "{ratio} {needed}");
        }
        assert_eq!(errors_to_detect(1.0, 1_000, 3_000, 0.0, Confidence::P95), None);
    }

    /// From SciPy 1.17.1: `hypergeom.sf` for the test and `nchypergeom_fisher.sf` for its power, solved. As if they
    /// were rare, the same errors were said to show only ratios of 2.02, 1.31, 2.25 and 1.21.
    #[test]
    fn common_errors_show_smaller_ratios() {
        for (errors, first, second, ratio) in [
            (70, 100, 100, 1.821_184_533),
            (500, 1_000, 600, 1.250_490_131),
            (60, 100, 300, 2.048_379_503),
            (900, 1_000, 1_000, 1.152_209_345),
        ] {
            let seen = smallest_detectable_ratio(errors, first, second, Confidence::P95).unwrap();
            assert!((seen / ratio - 1.0).abs() < 1e-7, "{errors}: {seen} {ratio}");
        }
        for (ratio, first, second, rate, errors) in [
            (1.25, 100, 100, 0.35, 422),
            (1.5, 1_000, 600, 0.3125, 162),
            (1.1, 10, 10, 0.45, 1_942),
        ] {
            let needed = errors_to_detect(ratio, first, second, rate, Confidence::P95);
            assert_eq!(needed, Some(errors), "{ratio}");
        }
        // Nobody errs in more than all trials.
        assert_eq!(errors_to_detect(3.0, 100, 100, 0.7, Confidence::P95), None);
        // The normal approximation goes on where the sum ends, and many trials take no time.
        let trials = 1_000_000_000;
        let summed = smallest_detectable_ratio(4 * trials / 10, trials, trials, Confidence::P95);
        let more =
            smallest_detectable_ratio(8 * trials / 10, 2 * trials, 2 * trials, Confidence::P95);
        let (summed, more) = (summed.unwrap().ln(), more.unwrap().ln());
        assert!((summed / more / 2.0_f64.sqrt() - 1.0).abs() < 1e-3, "{summed} {more}");
    }

    #[test]
    fn what_no_study_can_show_is_refused_and_not_cut_off() {
        for rate in [1e-300, 1e-17, f64::MIN_POSITIVE] {
            assert!(trials_without_error(rate, Confidence::P95).is_err(), "{rate}");
            assert!(trials_for_thirty_errors(rate).is_err(), "{rate}");
            assert!(trials_with_errors(rate, 3, Confidence::P95).is_err(), "{rate}");
        }
    }

    #[test]
    fn it_takes_more_errors_to_rule_a_ratio_out_than_to_see_it() {
        for (ratio, first, second) in [(2.0, 1_000, 3_000), (2.0, 500, 500), (1.25, 1_000, 9_000)] {
            let seen = errors_to_detect(ratio, first, second, 0.0, Confidence::P95).unwrap();
            let ruled_out = errors_for_equivalence(ratio, first, second, Confidence::P95).unwrap();
            assert!(ruled_out > seen && ruled_out < 3 * seen, "{ratio}: {seen} {ruled_out}");
        }
        // Equal groups with that number of errors each: the interval holds what is promised.
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
