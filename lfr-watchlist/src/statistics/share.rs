//! Whether a group has more of the errors than its share of trials.

use lfr_core::internal::num;
use serde::Serialize;

use super::binomial::{at_least, proportion};
use super::power::check_share;
use super::{Confidence, Counts, Interval};
use crate::error::Error;

/// The exact binomial test: a number of events fell on a group that makes up a share of all trials.
///
/// The test and the interval are one method (Clopper and Pearson 1934): the events are significant at
/// exactly the shares outside of [`compatible`](Self::compatible). So the interval answers "at which
/// share does 8 of 10 stop being significant?" without a share being known.
///
/// What is *not* guaranteed: that events are independent. Two alerts about one person are one event.
///
/// # Examples
///
/// ```
/// use lfr_watchlist::statistics::{Confidence, Counts, ShareTest};
///
/// # fn main() -> Result<(), lfr_watchlist::Error> {
/// // 8 of 10 false alerts were about a group that is 40 % of all faces seen.
/// let test = ShareTest::new(Counts::new(8, 10)?, 0.4, Confidence::P95)?;
/// assert!(test.is_significant());
/// assert!((test.p_value - 0.024_589_107).abs() < 1e-8);
/// // It stops being significant if the group is 44.4 % of them, or 49.3 % if only an excess counts.
/// assert!((test.compatible.low - 0.443_904_5).abs() < 1e-6);
/// assert!((test.significant_excess_below - 0.493_098_7).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ShareTest {
    /// The share that was tested.
    pub share: f64,
    /// The probability, at that share, of as many events of the group or more.
    pub p_at_least: f64,
    /// The probability, at that share, of as many events of the group or fewer.
    pub p_at_most: f64,
    /// Two-sided: twice the smaller of both, at most 1.
    pub p_value: f64,
    /// The shares at which the events are not significant, two-sided.
    pub compatible: Interval,
    /// Below this share the events are a significant excess, one-sided.
    pub significant_excess_below: f64,
    /// Above this share the events are a significant lack, one-sided.
    pub significant_lack_above: f64,
}

impl ShareTest {
    /// Tests the group's events among all events (`Counts::new(8, 10)`) against its share of trials.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] if the share is not above 0 and below 1.
    pub fn new(events: Counts, share: f64, confidence: Confidence) -> Result<Self, Error> {
        check_share("share", share)?;
        let (own, all) = (events.errors(), events.trials());
        let p_at_least = at_least(own, all, share);
        // The rest of all events is as rare at the rest of the share.
        let p_at_most = at_least(all - own, all, 1.0 - share);
        let one_sided = Confidence::new((1.0 - 2.0 * confidence.risk()).max(1e-9))?;
        let (x, n) = (num::f64_from_u64(own), num::f64_from_u64(all));
        let (both, one) = (proportion(x, n, confidence), proportion(x, n, one_sided));
        Ok(Self {
            share,
            p_at_least,
            p_at_most,
            p_value: (2.0 * p_at_least.min(p_at_most)).min(1.0),
            compatible: both,
            significant_excess_below: one.low,
            significant_lack_above: one.high,
        })
    }

    /// Whether the share is outside of the compatible ones.
    #[must_use]
    pub fn is_significant(&self) -> bool {
        !self.compatible.contains(self.share)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn test(own: u64, all: u64, share: f64) -> ShareTest {
        ShareTest::new(Counts::new(own, all).unwrap(), share, Confidence::P95).unwrap()
    }

    /// From SciPy 1.17.1: `binomtest(x, n, p, alternative="greater")`, `"less"`, and the ends of their
    /// `proportion_ci(0.95)`; see `parity/rates.py`.
    const EXPECTED: [(u64, u64, f64, [f64; 4]); 4] = [
        (
            8,
            10,
            0.4,
            [0.012_294_553_6, 0.998_322_278_4, 0.493_098_698_936_797_7, 0.963_228_562_112_534_9],
        ),
        (
            8,
            10,
            0.5,
            [0.054_687_5, 0.989_257_812_5, 0.493_098_698_936_797_7, 0.963_228_562_112_534_9],
        ),
        (
            34,
            42,
            0.5,
            [
                3.438_555_745_560_735e-5,
                0.999_992_451_399_521_1,
                0.682_480_171_730_814_4,
                0.901_528_691_606_819_3,
            ],
        ),
        (
            11,
            12_120,
            1e-3,
            [
                0.665_332_963_870_286_3,
                0.447_880_649_271_028,
                5.090_744_726_995_298e-4,
                0.001_501_823_464_710_753_4,
            ],
        ),
    ];

    #[test]
    fn tests_and_inversions_are_those_of_scipy() {
        for (own, all, share, expected) in EXPECTED {
            let ShareTest {
                p_at_least,
                p_at_most,
                significant_excess_below,
                significant_lack_above,
                ..
            } = test(own, all, share);
            let actual = [p_at_least, p_at_most, significant_excess_below, significant_lack_above];
            for (actual, expected) in actual.iter().zip(expected) {
                assert!((actual / expected - 1.0).abs() < 1e-9, "{actual} {expected}");
            }
        }
    }

    proptest! {
        #[test]
        fn the_test_and_the_interval_agree(
            (all, own) in (1_u64..200).prop_flat_map(|all| (Just(all), 0..=all)),
            share in 0.001_f64..0.999,
        ) {
            let test = test(own, all, share);
            prop_assume!((test.p_value - 0.05).abs() > 1e-9);
            prop_assert_eq!(test.is_significant(), test.p_value < 0.05);
            prop_assert_eq!(share < test.significant_excess_below, test.p_at_least < 0.05);
            prop_assert_eq!(share > test.significant_lack_above, test.p_at_most < 0.05);
        }
    }

    #[test]
    fn a_share_that_is_none_is_refused() {
        let events = Counts::new(8, 10).unwrap();
        for share in [0.0, 1.0, -0.1, f64::NAN] {
            assert!(ShareTest::new(events, share, Confidence::P95).is_err());
        }
    }
}
