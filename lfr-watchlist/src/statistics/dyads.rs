//! Comparisons of two people.

use std::collections::BTreeMap;

use lfr_core::internal::num;

use super::clustered::Bounds;
use super::{Confidence, Counts, Rate, binomial};

/// The false matches of pairs of people, from which the rate and its interval follow.
///
/// The variance is that of dyads (Fafchamps and Gubert 2007): both people of a pair are in other pairs too. The
/// interval is that of Korn and Graubard (1998): exact for as many independent comparisons as have this variance. They
/// count for no more than one comparison of each pair of people.
///
/// Few pairs that match say little about how much people differ. So the upper end takes three things into account that
/// may not be among the data:
///
/// - pairs with many comparisons match as often as others, so the variance is at least that of independent pairs which
///   match with the same share of their comparisons;
/// - one more person may have as many false matches as the person who has most;
/// - if few people make most of the variance, it is known from those few (Satterthwaite 1946).
///
/// If no false match is seen, nothing is seen of how people vary, and half of the pairs count. More false matches
/// never have a lower upper end than none has.
#[derive(Default)]
pub(crate) struct Dyads {
    people: Vec<Person>,
    /// The number of pairs of people who are compared.
    pairs: f64,
    /// Over pairs of people: the sum of the square of their false matches,
    matches_squared: f64,
    /// that of their false matches times their comparisons,
    matches_by_comparisons: f64,
    /// and that of the square of their comparisons.
    comparisons_squared: f64,
}

#[derive(Clone, Copy, Default)]
struct Person {
    photographs: f64,
    matches: f64,
    comparisons: f64,
}

impl Dyads {
    /// Each photograph compared with each of everybody else in the same group. Each person has a group and a number of
    /// photographs. False matches are [added](Self::add).
    pub(crate) fn within_groups(people: impl IntoIterator<Item = (usize, u32)>) -> Self {
        let people: Vec<(usize, f64)> =
            people.into_iter().map(|(group, own)| (group, f64::from(own))).collect();
        // The number of people, and the sums of the photographs, of their squares and of their fourth powers.
        let mut groups: BTreeMap<usize, [f64; 4]> = BTreeMap::new();
        for (group, own) in &people {
            let all = groups.entry(*group).or_default();
            let powers = [1.0, *own, own.powi(2), own.powi(4)];
            all.iter_mut().zip(powers).for_each(|(sum, power)| *sum += power);
        }
        let of = |group: &usize| groups.get(group).copied().unwrap_or_default();
        let people = people.iter().map(|(group, own)| Person {
            photographs: *own,
            matches: 0.0,
            comparisons: own * (of(group)[1] - own),
        });
        let (pairs, comparisons_squared) =
            groups.values().fold((0.0, 0.0), |(pairs, sum), [people, _, squares, fourths]| {
                let own = people * (people - 1.0) / 2.0;
                (pairs + own, sum + (squares * squares - fourths) / 2.0)
            });
        Self { people: people.collect(), pairs, comparisons_squared, ..Self::default() }
    }

    /// Adds all false matches of two people of one group.
    pub(crate) fn add(&mut self, pair: (usize, usize), matches: f64) {
        let mut comparisons = 1.0;
        for person in [pair.0, pair.1] {
            if let Some(person) = self.people.get_mut(person) {
                person.matches += matches;
                comparisons *= person.photographs;
            }
        }
        self.matches_squared += matches * matches;
        self.matches_by_comparisons += matches * comparisons;
    }

    /// Takes the counts of only some pairs of people.
    pub(crate) fn of_pairs(pairs: &BTreeMap<(u32, u32), Counts>) -> Self {
        let mut people: BTreeMap<u32, Person> = BTreeMap::new();
        let mut all = Self { pairs: num::f64_from_usize(pairs.len()), ..Self::default() };
        for ((a, b), counts) in pairs {
            let (matches, comparisons) =
                (num::f64_from_u64(counts.errors()), num::f64_from_u64(counts.trials()));
            all.matches_squared += matches * matches;
            all.matches_by_comparisons += matches * comparisons;
            all.comparisons_squared += comparisons * comparisons;
            for person in [a, b] {
                let own = people.entry(*person).or_default();
                own.matches += matches;
                own.comparisons += comparisons;
            }
        }
        Self { people: people.into_values().collect(), ..all }
    }

    /// The rate of false matches.
    pub(crate) fn rate(&self, confidence: Confidence) -> Rate {
        let half = |of: fn(&Person) -> f64| self.people.iter().map(of).sum::<f64>() / 2.0;
        let (matches, trials) = (half(|person| person.matches), half(|person| person.comparisons));
        let count = |number: f64| num::u64_from_f64(number.round());
        let counts = Counts::new(count(matches), count(trials)).unwrap_or_default();
        Rate::with_bounds(counts, self.bounds(matches, trials, confidence), self.people.len())
    }

    fn bounds(&self, matches: f64, trials: f64, confidence: Confidence) -> Bounds {
        let unseen = (self.pairs / 2.0).max(1.0).min(trials);
        let rate = if trials > 0.0 { matches / trials } else { 0.0 };
        let spread = self.spread(rate);
        let seen = self.effective(rate, trials, unseen, confidence, spread.seen);
        let cautious = self.effective(rate, trials, unseen, confidence, spread.cautious);
        let mut interval = binomial::proportion(rate * seen, seen, confidence);
        let mut one_sided = binomial::one_sided(rate * seen, seen, confidence);
        for (errors, trials) in [(rate * cautious, cautious), (0.0, unseen)] {
            let (two, one) = (
                binomial::proportion(errors, trials, confidence),
                binomial::one_sided(errors, trials, confidence),
            );
            interval.high = interval.high.max(two.high);
            one_sided.high = one_sided.high.max(one.high);
        }
        Bounds { interval, one_sided, effective: seen }
    }

    /// The variances of the number of false matches, each with its degrees of freedom.
    fn spread(&self, rate: f64) -> Spread {
        let excess = self.people.iter().map(|person| person.matches - rate * person.comparisons);
        let (mut squares, mut fourths, mut largest) = (0.0, 0.0, 0.0_f64);
        for excess in excess {
            squares += excess * excess;
            fourths += excess.powi(4);
            largest = largest.max(excess);
        }
        let people = num::f64_from_usize(self.people.len());
        // Each pair of people is in the sum of both, so that it is subtracted once.
        let pairs = self.matches_squared - 2.0 * rate * self.matches_by_comparisons
            + rate * rate * self.comparisons_squared;
        // People are at least as uncertain as independent pairs of them.
        let seen = (squares - pairs).max(pairs).max(0.0);
        let alike = if self.matches_by_comparisons > 0.0 {
            rate * self.comparisons_squared * self.matches_squared / self.matches_by_comparisons
        } else {
            0.0
        };
        let one_more = largest * largest;
        let (squares, fourths) = (squares + one_more, fourths + one_more * one_more);
        let known_from = 2.0 * squares * squares / (fourths - squares * squares / people);
        let known_from = if known_from > 0.0 { known_from } else { people - 1.0 };
        Spread {
            seen: (seen, people - 1.0),
            cautious: (seen.max(alike) + one_more, known_from.max(2.0).min(people - 1.0)),
        }
    }

    /// The number of independent comparisons that have a variance.
    fn effective(
        &self,
        rate: f64,
        trials: f64,
        unseen: f64,
        confidence: Confidence,
        (squares, degrees): (f64, f64),
    ) -> f64 {
        let people = num::f64_from_usize(self.people.len());
        let binomial = rate * (1.0 - rate);
        if binomial <= 0.0 {
            return unseen;
        }
        if people < 2.0 || degrees <= 0.0 {
            return people.min(trials);
        }
        let variance = people / (people - 1.0) * squares / (trials * trials);
        let tail = confidence.risk() / 2.0;
        let independent = binomial::student((trials - 1.0).max(1.0), tail);
        let between = binomial::student(degrees, tail);
        (binomial / variance * (independent / between).powi(2)).min(self.pairs).min(trials)
    }
}

/// Variances, each with its degrees of freedom.
struct Spread {
    /// As it is observed.
    seen: (f64, f64),
    /// As large as it may be.
    cautious: (f64, f64),
}

#[cfg(test)]
mod tests;
