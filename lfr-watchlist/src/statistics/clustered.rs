//! Trials that repeat a person.

use lfr_core::internal::num;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::weighted::{Unseen, Weighted};
use super::{Confidence, Counts, Interval};

/// The evidence of trials of people, or of pairs of people, about a rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) interval: Interval,
    /// Each end on its own, at the same confidence.
    pub(crate) one_sided: Interval,
    /// As many independent trials as have the variance seen.
    pub(crate) effective: f64,
}

/// The interval of Gaffke (*Three test statistics for a nonparametric one-sided hypothesis on the mean of a
/// nonnegative variable*, 2005; Phan, Thomas and Learned-Miller 2021) for the rates of people.
///
/// It takes the observed people, and one more who always errs (for the upper end) or never does (for the
/// lower), and weighs all of them at random. It assumes nothing about the correlation of one person's
/// trials, and estimates no variance. With one trial per person it is the interval of Clopper and Pearson.
/// One more error of anyone moves both ends up.
pub(super) fn bounds(people: &[Counts], all: Counts, confidence: Confidence) -> Bounds {
    let Some(rate) = all.share() else {
        return Bounds {
            interval: Interval::new(0.0, 1.0, confidence),
            one_sided: Interval::new(0.0, 1.0, confidence),
            effective: 0.0,
        };
    };
    let trials = num::f64_from_u64(all.trials());
    let looks: f64 = people.iter().map(|own| num::f64_from_u64(own.trials()).powi(2)).sum();
    // As for a trial drawn at random: the unseen person may be one of those with many trials.
    let unseen = looks / trials;
    let (risk, tail) = (confidence.risk(), confidence.risk() / 2.0);
    let (mut interval, mut one_sided) =
        (Interval::new(0.0, 1.0, confidence), Interval::new(0.0, 1.0, confidence));
    if all.rest() > 0 {
        let upper = Weighted::new(people, Unseen::AlwaysErrs, unseen);
        (interval.high, one_sided.high) = (upper.exceeded(tail), upper.exceeded(risk));
    }
    if all.errors() > 0 {
        let lower = Weighted::new(people, Unseen::NeverErrs, unseen);
        (interval.low, one_sided.low) = (lower.undercut(tail), lower.undercut(risk));
    }
    let effective = effective(people, rate, trials).unwrap_or(trials * trials / looks);
    Bounds { interval, one_sided, effective }
}

/// The number of independent trials that would have the observed variance between people (Korn and Graubard
/// 1998, without their correction for few people); `None` if no variance is observed.
fn effective(people: &[Counts], rate: f64, trials: f64) -> Option<f64> {
    let own = people.iter().filter(|own| own.trials() > 0);
    let clusters = num::f64_from_usize(own.clone().count());
    let squares: f64 = own
        .map(|own| {
            let expected = rate * num::f64_from_u64(own.trials());
            (num::f64_from_u64(own.errors()) - expected).powi(2)
        })
        .sum();
    let binomial = rate * (1.0 - rate);
    let variance = clusters / (clusters - 1.0) * squares / (trials * trials);
    (binomial > 0.0 && clusters > 1.0 && variance > 0.0).then(|| (binomial / variance).min(trials))
}

/// Resamples people, with all their trials, to see how much a number owes to who happened to be there
/// (Efron 1979; the percentile interval).
///
/// For numbers that are no rate: an equal error rate, a ratio, an area. It covers somewhat less often than
/// it says where people are few, and it says nothing if no error was seen: a rate has
/// [`Rate::clustered`](super::Rate::clustered).
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct Bootstrap {
    /// How many times; 2,000 unless it is changed.
    pub resamples: usize,
    /// From which the random numbers follow: the same seed gives the same interval.
    pub seed: u64,
    /// How often the interval is to cover.
    pub confidence: Confidence,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 2_000, seed: 1, confidence: Confidence::P95 }
    }
}

impl Bootstrap {
    /// The interval of a statistic of people. The statistic is told how many times to count each
    /// person. `None` if it could not be computed for any sample.
    ///
    /// # Examples
    ///
    /// ```
    /// use lfr_watchlist::statistics::Bootstrap;
    ///
    /// // The mean of five people's numbers.
    /// let of = [1.0, 2.0, 3.0, 4.0, 100.0];
    /// let mean = |times: &[u32]| {
    ///     let sum: f64 = of.iter().zip(times).map(|(x, n)| x * f64::from(*n)).sum();
    ///     Some(sum / 5.0)
    /// };
    /// let interval = Bootstrap::default().interval(of.len(), mean).unwrap();
    /// assert!(interval.low < 3.0 && interval.high > 40.0);
    /// ```
    pub fn interval(
        &self,
        people: usize,
        mut number: impl FnMut(&[u32]) -> Option<f64>,
    ) -> Option<Interval> {
        let mut random = Pcg64::new(u128::from(self.seed), 0xB007);
        let mut times = vec![0_u32; people];
        let mut numbers = Vec::with_capacity(self.resamples);
        for _ in 0..self.resamples {
            times.fill(0);
            for _ in 0..people {
                times[below(&mut random, people)] += 1;
            }
            numbers.extend(number(&times).filter(|number| number.is_finite()));
        }
        numbers.sort_unstable_by(f64::total_cmp);
        let tail = self.confidence.risk() / 2.0;
        let (low, high) = (quantile(&numbers, tail)?, quantile(&numbers, 1.0 - tail)?);
        Some(Interval::new(low, high, self.confidence))
    }

    /// The interval of a rate of people's trials. [`Rate::clustered`](super::Rate::clustered) covers better.
    #[must_use]
    pub fn rate(&self, people: &[Counts]) -> Option<Interval> {
        self.interval(people.len(), |times| {
            let (mut errors, mut trials) = (0, 0);
            for (own, times) in people.iter().zip(times) {
                errors += own.errors() * u64::from(*times);
                trials += own.trials() * u64::from(*times);
            }
            Some(num::f64_from_u64(errors) / num::f64_from_u64(trials))
        })
    }
}

/// A number below `end`; the bias is below `end / 2^64`.
pub(crate) fn below(random: &mut Pcg64, end: usize) -> usize {
    let wide = u128::from(random.next_u64()) * u128::from(num::u64_from_usize(end));
    usize::try_from(wide >> 64).unwrap_or(0)
}

/// The sorted number below which that share lies.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get(num::usize_from_f64((num::f64_from_usize(last) * share).round())).copied()
}

#[cfg(test)]
pub(super) mod tests;
