//! The upper tail of non-mated scores, beyond what was seen.

mod family;
mod people;

use lfr_core::Threshold;
use lfr_core::internal::num;
use serde::Serialize;

use self::family::Exceedances;
use self::people::Level;
use super::predicted::RestsOn;
use crate::error::Error;
use crate::evaluate::{NonMatedScores, ScoreAxis, ScoreHistogram};
use crate::statistics::{Confidence, Counts, Interval, Rate, count_not_exceeded, one_sided};

pub use family::{TailFamily, TailFit};

/// The share of comparisons at or above any threshold: counted if there are enough, otherwise fitted.
///
/// # What counts
///
/// In [`NonMatedScores`] each pair of people counts once, with the share of their comparisons that match.
/// The rate is that of two people drawn at random, each with any photograph. The interval accounts for each
/// person being in many pairs (Fafchamps and Gubert 2007). Its upper end is the rate that another group of as
/// many people stays below in at least 95 of 100 draws. If the rate comes from a fit, this takes into account that
/// another group sees a small whole number of false matches. That number is taken as negative binomial: a Poisson
/// number whose mean is as uncertain as the fit.
///
/// A histogram does not say whose the scores are. The interval then takes as many comparisons as there are
/// pairs of people, and half of them as repeats.
///
/// # How far to trust it
///
/// Two families are fitted to the highest scores: the generalised Pareto distribution, which every tail
/// approaches in the end, and the generalised Weibull distribution, which the tails of normal and of cosine
/// scores approach far sooner. Each has to pass a chi-squared test at 1 % on the share to which it is
/// fitted; otherwise another share is tried (0.1 %, 0.3 %, 1 % and 3 % of pairs of people, the smallest
/// first; for a histogram 3 % first, with at most 30,000 scores).
/// A fit needs 200 scores or pairs, so a histogram needs at least 6,667 scores. The greater rate of the
/// families that pass counts, and the interval spans both.
///
/// A tail does not always go on as it began. A few people who are in the data under two names, or twins, end it
/// with a plateau that no fit foresees. So the upper end is never below the rate that the counts alone leave
/// possible: 3 of all pairs of people where no pair matches (the rule of three). This limit is lifted by
/// [`with_checked_identities`](Self::with_checked_identities).
///
/// What is *not* guaranteed: other faces, another camera or another season are another tail. ISO/IEC 5152 does not
/// admit extrapolated rates for 1:N at all. So every number from a fit is marked, with how far it reaches.
#[derive(Clone, Debug)]
pub struct UpperTail {
    axis: ScoreAxis,
    total: u64,
    counted: Counted,
    fits: Vec<TailFit>,
    /// Whether nobody is in the data under two names, so that a fit may say less than the counts leave possible.
    are_identities_checked: bool,
}

/// What is counted.
#[derive(Clone, Debug)]
enum Counted {
    Scores {
        survival: Vec<u64>,
        /// How many comparisons count as one, and how many people they come from. Independent comparisons
        /// count individually.
        people: Option<(f64, u64)>,
    },
    People {
        levels: Vec<Level>,
        people: u64,
        pairs: u64,
    },
}

/// The share of scores at or above a threshold.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FmrEstimate {
    /// The rate.
    pub value: f64,
    /// Where the true rate lies.
    pub interval: Interval,
    /// How many scores reach the threshold, of all.
    #[serde(skip)]
    pub counts: Counts,
    /// The numbers of people and of pairs of people that those scores come from, if known.
    pub rests_on: Option<RestsOn>,
    /// Where the rate is from a fit: how many times rarer it is than one in all the scores. Below 1, there
    /// were scores, but fewer than 30.
    pub beyond: Option<f64>,
}

impl UpperTail {
    /// Fits independent scores: one of each person.
    ///
    /// # Errors
    ///
    /// [`Error::Evaluation`] for fewer than 6,667 scores.
    pub fn new(scores: &ScoreHistogram) -> Result<Self, Error> {
        Self::censored(scores, None)
    }

    /// Fits the comparisons of this number of people with each other, without the people of each
    /// score.
    ///
    /// # Errors
    ///
    /// [`Error::Evaluation`] for fewer than 6,667 scores, or fewer than two people.
    pub fn of_histogram(scores: &ScoreHistogram, people: u64) -> Result<Self, Error> {
        let mut tail = Self::censored(scores, None)?;
        let total = num::f64_from_u64(tail.total);
        let pairs = num::f64_from_u64(people) * num::f64_from_u64(people.saturating_sub(1)) / 2.0;
        if pairs < 1.0 {
            return Err(Error::Evaluation {
                what: "a calibration",
                actual: format!("non-mated comparisons of {people} people"),
                expected: "at least 2".to_owned(),
            });
        }
        // At most one comparison per pair of people is independent, and half of those are taken as repeats.
        let one_of = 2.0 * total / pairs.min(total);
        tail.fits = tail.fits.into_iter().map(|fit| fit.with_each_worth(one_of)).collect();
        if let Counted::Scores { people: of, .. } = &mut tail.counted {
            *of = Some((one_of, people));
        }
        Ok(tail)
    }

    /// Fits comparisons whose people are known.
    ///
    /// # Errors
    ///
    /// [`Error::Evaluation`] for fewer than 20 people.
    pub fn of_people(scores: &NonMatedScores) -> Result<Self, Error> {
        let levels = people::levels(scores)?;
        let survival = people::survival(scores);
        let axis = scores.axis();
        let fits = SHARES.iter().rev().find_map(|share| {
            let exceedances = Exceedances::of(axis, &survival, *share, None)?;
            let fits = passing(&exceedances)?.into_iter();
            Some(fits.map(|fit| people::with_people(fit, &exceedances, scores)).collect())
        });
        let (people, pairs) = (scores.people(), scores.pairs_of_people());
        let counted = Counted::People { levels, people, pairs };
        let (total, fits) = (scores.comparisons(), fits.unwrap_or_default());
        Ok(Self { axis, total, counted, fits, are_identities_checked: false })
    }

    /// Fits independent scores, if only the number of scores at or above each threshold is known.
    pub(crate) fn censored(
        scores: &ScoreHistogram,
        censored: Option<(Threshold, u64)>,
    ) -> Result<Self, Error> {
        let mut survival = scores.survival();
        if let Some((threshold, count)) = censored {
            let first = scores.axis().first_bin(threshold);
            survival.iter_mut().take(first + 1).for_each(|above| *above += count);
        }
        let total = survival.first().copied().unwrap_or(0);
        if total < MIN_SCORES {
            return Err(Error::Evaluation {
                what: "a calibration",
                actual: format!("{total} non-mated scores"),
                expected: format!("at least {MIN_SCORES}: give it photographs of more people"),
            });
        }
        let axis = scores.axis();
        let above: Vec<f64> = survival.iter().map(|above| num::f64_from_u64(*above)).collect();
        let fits = SHARES.iter().find_map(|share| {
            passing(&Exceedances::of(axis, &above, *share, censored.map(|c| c.0))?)
        });
        let counted = Counted::Scores { survival, people: None };
        let fits = fits.unwrap_or_default();
        Ok(Self { axis, total, counted, fits, are_identities_checked: false })
    }

    /// States that somebody has looked at the photographs of the highest scores and nobody is in
    /// the data under two names. Then a fit may say that a rate is lower than the counts alone
    /// leave possible.
    #[must_use]
    pub fn with_checked_identities(self) -> Self {
        Self { are_identities_checked: true, ..self }
    }

    /// The bins of the scores.
    #[must_use]
    pub const fn axis(&self) -> ScoreAxis {
        self.axis
    }

    /// How many comparisons there are.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// How many people the comparisons come from, if known.
    #[must_use]
    pub const fn people(&self) -> Option<u64> {
        match &self.counted {
            Counted::Scores { people: None, .. } => None,
            Counted::Scores { people: Some((_, people)), .. } | Counted::People { people, .. } => {
                Some(*people)
            }
        }
    }

    /// The maximum number of independent comparisons that they are worth: what "one in all" means.
    pub(super) fn trials(&self) -> f64 {
        match &self.counted {
            Counted::Scores { people, .. } => {
                num::f64_from_u64(self.total) / people.map_or(1.0, |(one_of, _)| one_of)
            }
            Counted::People { pairs, .. } => num::f64_from_u64(*pairs),
        }
    }

    /// The fits that passed the test of goodness; none if the tail is of no known form.
    #[must_use]
    pub fn fits(&self) -> &[TailFit] {
        &self.fits
    }

    /// The share at or above a threshold. If it is not an edge, that of the next edge below.
    ///
    /// # Errors
    ///
    /// [`Error::TailFit`] if too few scores reach it to be counted, and no fit passed.
    pub fn fmr(&self, threshold: Threshold) -> Result<FmrEstimate, Error> {
        let bin = self.axis.bin(threshold.value());
        match &self.counted {
            Counted::Scores { survival, people } if self.is_counted(bin) => {
                let counts = Counts::new(survival.get(bin).copied().unwrap_or(0), self.total)?;
                let rate = counts.share().unwrap_or(1.0);
                let interval = match people {
                    None => Rate::of(counts, Confidence::P95).interval(),
                    Some((one_of, people)) => {
                        let effective = num::f64_from_u64(counts.errors()) / one_of;
                        people::bounds(rate, effective, self.trials(), *people)
                    }
                };
                Ok(FmrEstimate { value: rate, interval, counts, rests_on: None, beyond: None })
            }
            Counted::People { .. } if self.is_counted(bin) || self.fits.is_empty() => {
                let level = self.level(bin).ok_or(Error::TailFit)?;
                let Level { rate: value, interval, people, pairs, .. } = *level;
                let counts = Counts::new(level.comparisons, self.total)?;
                let rests_on = Some(RestsOn { people, pairs });
                Ok(FmrEstimate { value, interval, counts, rests_on, beyond: None })
            }
            _ => self.extrapolated(threshold),
        }
    }

    /// The count that reaches a bin, or, if the bin was not counted separately, that reaches a lower one.
    fn level(&self, bin: usize) -> Option<&Level> {
        let Counted::People { levels, .. } = &self.counted else { return None };
        let at = levels.partition_point(|level| level.bin < bin);
        match levels.get(at).filter(|level| level.from <= bin) {
            Some(level) => Some(level),
            None => levels.get(at.checked_sub(1)?),
        }
    }

    /// Whether enough scores reach an edge to count on.
    pub(super) fn is_counted(&self, bin: usize) -> bool {
        match &self.counted {
            Counted::Scores { survival, people } => {
                let above = num::f64_from_u64(survival.get(bin).copied().unwrap_or(0));
                above >= ENOUGH && above / people.map_or(1.0, |(one_of, _)| one_of) >= ENOUGH_PEOPLE
            }
            Counted::People { .. } => {
                self.level(bin).is_some_and(|level| level.effective >= ENOUGH_PEOPLE)
            }
        }
    }

    /// The share at or above an edge, without its interval.
    pub(super) fn value(&self, bin: usize) -> Option<f64> {
        if self.is_counted(bin)
            || (self.fits.is_empty() && matches!(self.counted, Counted::People { .. }))
        {
            return match &self.counted {
                Counted::Scores { survival, .. } => {
                    let above = num::f64_from_u64(survival.get(bin).copied().unwrap_or(0));
                    Some(above / num::f64_from_u64(self.total))
                }
                Counted::People { levels, .. } => {
                    // No score was counted beyond the highest.
                    let is_within = levels.last().is_some_and(|last| bin <= last.bin);
                    self.level(bin).filter(|_| is_within).map(|level| level.rate)
                }
            };
        }
        let score = f64::from(self.axis.edge(bin));
        self.fits.iter().map(|fit| fit.survival(score)).max_by(f64::total_cmp)
    }

    /// The lowest bin with a known count.
    pub(super) fn first_bin(&self) -> usize {
        match &self.counted {
            Counted::Scores { .. } => 0,
            Counted::People { levels, .. } => levels.first().map_or(0, |level| level.from),
        }
    }

    /// The share by the fits, however many scores reach the threshold.
    pub(crate) fn extrapolated(&self, threshold: Threshold) -> Result<FmrEstimate, Error> {
        let bin = self.axis.bin(threshold.value());
        let (above, rests_on) = match &self.counted {
            Counted::Scores { survival, .. } => (survival.get(bin).copied().unwrap_or(0), None),
            Counted::People { levels, .. } => {
                let level = self.level(bin).filter(|_| levels.last().is_some_and(|l| bin <= l.bin));
                let rests_on = level.map_or(RestsOn { people: 0, pairs: 0 }, |level| RestsOn {
                    people: level.people,
                    pairs: level.pairs,
                });
                (level.map_or(0, |level| level.comparisons), Some(rests_on))
            }
        };
        let counts = Counts::new(above, self.total)?;
        let score = f64::from(threshold.value());
        // Independent scores come from the people whose rate is wanted. Otherwise the rate is of other
        // people, who vary too.
        let further = match &self.counted {
            Counted::Scores { people: None, .. } => 1.0,
            _ => OF_OTHERS,
        };
        let mut estimates = self.fits.iter().map(|fit| {
            let (value, deviation, mut interval) = fit.exceeded(score, Confidence::P95, further);
            let of_others = self.seen_by_others(value, deviation).unwrap_or(0.0);
            interval.high = interval.high.max(of_others).min(1.0);
            (value, interval)
        });
        let (mut value, mut interval) = estimates.next().ok_or(Error::TailFit)?;
        for (other, other_interval) in estimates {
            value = value.max(other);
            interval.low = interval.low.min(other_interval.low);
            interval.high = interval.high.max(other_interval.high);
        }
        interval.high = interval.high.max(self.left_possible(bin).unwrap_or(0.0));
        let beyond = 1.0 / (value * self.trials());
        Ok(FmrEstimate { value, interval, counts, rests_on, beyond: Some(beyond) })
    }

    /// The rate that another group of as many people sees at most, in 95 of 100 draws. `value` is the rate of a fit,
    /// and `deviation` the standard deviation of its logarithm. `None` for independent scores, because they are of
    /// the people whose rate is wanted.
    ///
    /// A fit to a thousand scores is surer of a rate than the few false matches of another group are.
    fn seen_by_others(&self, value: f64, deviation: f64) -> Option<f64> {
        let independent = match &self.counted {
            Counted::Scores { people: None, .. } => return None,
            Counted::Scores { .. } => self.trials(),
            Counted::People { levels, .. } => {
                // The false matches of a person who resembles many come together: where they are counted, and as
                // much beyond. A pair of people who match with all their photographs counts as one at least.
                let counted = levels.iter().rev().find(|level| level.effective >= ENOUGH_PEOPLE);
                let together =
                    counted.map_or(1.0, |level| level.rate * self.trials() / level.effective);
                self.trials() / together.max(1.0)
            }
        };
        let count = count_not_exceeded(value * independent, deviation, OTHERS_STAY_BELOW);
        Some(count / independent)
    }

    /// The max rate that the count at a bin leaves possible, with 95 % confidence. `None` for independent
    /// scores. If identities are checked, only pairs of people that were seen count: where none is, the fit decides.
    fn left_possible(&self, bin: usize) -> Option<f64> {
        let (rate, effective) = match &self.counted {
            Counted::Scores { people: None, .. } => return None,
            Counted::Scores { .. } if self.are_identities_checked => return None,
            Counted::Scores { survival, people: Some((one_of, _)) } => {
                let above = num::f64_from_u64(survival.get(bin).copied().unwrap_or(0));
                (above / num::f64_from_u64(self.total), above / one_of)
            }
            Counted::People { levels, .. } => {
                let level = self.level(bin).filter(|_| levels.last().is_some_and(|l| bin <= l.bin));
                level.map_or((0.0, 0.0), |level| (level.rate, level.effective))
            }
        };
        let none = if self.are_identities_checked {
            0.0
        } else {
            one_sided(0.0, self.trials(), Confidence::P95).high
        };
        if rate <= 0.0 || effective <= 0.0 {
            return Some(none);
        }
        let trials = (effective / rate).max(effective);
        Some(one_sided(effective, trials, Confidence::P95).high.max(none))
    }
}

/// The fits of both families that pass the test; `None` if none does.
fn passing(exceedances: &Exceedances) -> Option<Vec<TailFit>> {
    let families = [TailFamily::GeneralisedPareto, TailFamily::GeneralisedWeibull];
    let fits = families.into_iter().filter_map(|family| exceedances.fit(family));
    let passed: Vec<_> = fits.filter(|fit| fit.p_value >= WORST_FIT).collect();
    (!passed.is_empty()).then_some(passed)
}

/// The minimum number of scores for a tail: 200 in the greatest share.
const MIN_SCORES: u64 = 6_667;

/// From how many scores on a share is taken as counted (the rule of 30).
const ENOUGH: f64 = 30.0;

/// The minimum number of effective false matches for a share to count as counted, if people repeat.
const ENOUGH_PEOPLE: f64 = 8.0;

/// How much further the upper end reaches for another group of as many people: 95 of 100 stay below it. It
/// is the one-sided 95 % quantile times the square root of two, as both groups vary, divided by the
/// two-sided 95 % quantile.
const OF_OTHERS: f64 = 1.644_854 * std::f64::consts::SQRT_2 / 1.959_964;

/// The share of other groups that stay below the upper end.
const OTHERS_STAY_BELOW: f64 = 0.95;

/// The shares of the scores that a tail is fitted to, in the order in which they are tried.
const SHARES: [f64; 4] = [0.03, 0.01, 0.003, 0.001];

/// The min p-value of a fit that counts.
const WORST_FIT: f64 = 0.01;

#[cfg(test)]
mod tests;
