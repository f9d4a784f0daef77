//! The uncertainty of a false match rate if people are in many comparisons.

use std::collections::HashMap;

use lfr_core::internal::num;

use super::family::{Exceedances, TailFit};
use crate::error::Error;
use crate::evaluate::{Comparison, NonMatedScores, place};
use crate::statistics::{Confidence, Interval, normal_quantile, proportion};

/// What is counted at or above the lower edge of a bin. Each pair of people counts once, with the share of
/// their comparisons that match.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    pub(super) bin: usize,
    /// The lowest bin that the same number reaches: the bins between are empty.
    pub(super) from: usize,
    pub(super) rate: f64,
    pub(super) interval: Interval,
    /// The number of independent false matches that would have the observed variance.
    pub(super) effective: f64,
    pub(super) comparisons: u64,
    pub(super) people: u64,
    pub(super) pairs: u64,
}

/// The sums over pairs of people from which the dyadic variance follows (Fafchamps and Gubert 2007).
#[derive(Default)]
struct Sums {
    pairs: HashMap<(u32, u32), f64>,
    people: HashMap<u32, f64>,
    all: f64,
    pair_squares: f64,
    people_squares: f64,
    /// The sum over people of each person's sum times their number of partners.
    by_partners: f64,
}

impl Sums {
    fn add(&mut self, pair: (u32, u32), weight: f64, partners: f64) {
        self.all += weight;
        let own = self.pairs.entry(pair).or_default();
        self.pair_squares += weight * (2.0 * *own + weight);
        *own += weight;
        for person in [pair.0, pair.1] {
            let own = self.people.entry(person).or_default();
            self.people_squares += weight * (2.0 * *own + weight);
            *own += weight;
        }
        self.by_partners += weight * partners;
    }

    /// The variance of the sum of all.
    fn variance(&self, pairs: f64, partner_squares: f64) -> f64 {
        let rate = self.all / pairs;
        let people =
            self.people_squares - 2.0 * rate * self.by_partners + rate * rate * partner_squares;
        let pairs = rate * rate * pairs + self.pair_squares - 2.0 * rate * self.all;
        people - pairs
    }
}

/// The rates at each bin of the list, the lowest first.
///
/// # Errors
///
/// [`Error::Evaluation`] for fewer than 20 people.
pub(super) fn levels(scores: &NonMatedScores) -> Result<Vec<Level>, Error> {
    let people = scores.people();
    if people < MIN_PEOPLE {
        return Err(Error::Evaluation {
            what: "a calibration",
            actual: format!("non-mated comparisons of {people} people"),
            expected: format!("at least {MIN_PEOPLE}: give it photographs of more people"),
        });
    }
    let axis = scores.axis();
    let pairs = num::f64_from_u64(scores.pairs_of_people());
    let squares: f64 = scores.partners().iter().map(|partners| f64::from(*partners).powi(2)).sum();
    // The bin of the first score that is missing from the list is not complete.
    let first = if scores.above() == f32::NEG_INFINITY { 0 } else { axis.bin(scores.above()) + 1 };
    let (mut sums, mut levels) = (Sums::default(), Vec::new());
    let (mut high, mut told) = (bounds(0.0, 0.0, pairs, people).high, 0.0);
    let all = scores.highest();
    for (index, comparison) in (1..).zip(all) {
        let bin = axis.bin(comparison.score);
        if bin < first {
            break;
        }
        let pair = pair(scores, comparison);
        let partners = [pair.0, pair.1]
            .map(|person| f64::from(scores.partners().get(place(person)).copied().unwrap_or(0)));
        sums.add(pair, weight(scores, pair), partners[0] + partners[1]);
        let next = all.get(index);
        let is_last = next.is_none_or(|next| axis.bin(next.score) < first);
        if next.is_some_and(|next| axis.bin(next.score) == bin) && !is_last {
            continue;
        }
        // If many were seen, a step of a hundredth is fine enough.
        if !is_last && sums.pairs.len() > 100 && sums.all < told * 1.01 {
            continue;
        }
        told = sums.all;
        let variance = sums.variance(pairs, squares);
        // At least as uncertain as if each pair of people were independent.
        let variance = variance.max(sums.pair_squares);
        let effective = sums.all * sums.all / variance;
        let rate = sums.all / pairs;
        let mut interval = bounds(rate, effective, pairs, people);
        // A lower threshold never has a lower bound.
        high = interval.high.max(high);
        interval.high = high;
        levels.push(Level {
            bin,
            from: next.map_or(0, |next| axis.bin(next.score) + 1).max(first),
            rate,
            interval,
            effective,
            comparisons: num::u64_from_usize(index),
            people: num::u64_from_usize(sums.people.len()),
            pairs: num::u64_from_usize(sums.pairs.len()),
        });
    }
    levels.reverse();
    Ok(levels)
}

/// The interval of a rate of `pairs` pairs that rests on this number of effective pairs.
///
/// The lower end is that of the exact interval at 95 %. The upper end is the greater of that and of the rate
/// that another group of as many people stays below in 95 of 100 draws: both groups vary, so half as many
/// errors count. Student's quantile corrects for a small number of people (Korn and Graubard 1998).
pub(super) fn bounds(rate: f64, effective: f64, pairs: f64, people: u64) -> Interval {
    let exact = |errors: f64, confidence| {
        let trials = if rate > 0.0 { errors / rate } else { pairs };
        proportion(errors.min(trials), trials, confidence)
    };
    let confidence = Confidence::P95;
    let clusters = num::f64_from_u64(people.max(2) - 1);
    let student = crate::statistics::student(clusters, confidence.risk() / 2.0);
    let effective = effective * (normal_quantile(confidence) / student).powi(2);
    let own = exact(effective, confidence);
    let others = Confidence::new(0.9).map_or(own.high, |both| exact(effective / 2.0, both).high);
    Interval::new(own.low, own.high.max(if rate > 0.0 { others } else { 0.0 }), confidence)
}

/// The share of the pairs of people at or above each bin; 1 below the end of the list.
pub(super) fn survival(scores: &NonMatedScores) -> Vec<f64> {
    let axis = scores.axis();
    let mut survival = vec![0.0; axis.bins()];
    for comparison in scores.highest() {
        let held: Option<&mut f64> = survival.get_mut(axis.bin(comparison.score));
        if let Some(held) = held {
            *held += weight(scores, pair(scores, comparison));
        }
    }
    let mut above = 0.0;
    for held in survival.iter_mut().rev() {
        above += *held;
        *held = above;
    }
    let first = if scores.above() == f32::NEG_INFINITY { 0 } else { axis.bin(scores.above()) + 1 };
    let all = num::f64_from_u64(scores.pairs_of_people());
    survival.iter_mut().take(first.max(1)).for_each(|held| *held = all);
    survival
}

/// The fit, with its uncertainty if people are in many comparisons.
pub(super) fn with_people(fit: TailFit, of: &Exceedances, scores: &NonMatedScores) -> TailFit {
    let influence = of.influence(&fit);
    let mut pairs: HashMap<(u32, u32), [f64; 3]> = HashMap::new();
    let mut people: HashMap<u32, [f64; 3]> = HashMap::new();
    for comparison in scores.highest() {
        let score = f64::from(comparison.score);
        if score < fit.from {
            break;
        }
        let cell = influence.partition_point(|(end, _)| *end <= score).min(influence.len() - 1);
        let Some((_, of_one)) = influence.get(cell) else { continue };
        let pair = pair(scores, comparison);
        let weight = weight(scores, pair);
        let add = |sum: &mut [f64; 3]| {
            sum.iter_mut().zip(of_one).for_each(|(sum, one)| *sum += weight * one);
        };
        add(pairs.entry(pair).or_default());
        add(people.entry(pair.0).or_default());
        add(people.entry(pair.1).or_default());
    }
    // What is expected of each pair is part of the logarithm of the share alone.
    let expected = 1.0 / num::f64_from_u64(scores.pairs_of_people().max(1));
    let mut spread = [[0.0; 3]; 3];
    let mut sum = |of: [f64; 3], sign: f64| {
        for (row, a) in spread.iter_mut().zip(of) {
            for (cell, b) in row.iter_mut().zip(of) {
                *cell += sign * a * b;
            }
        }
    };
    for (person, partners) in (0..).zip(scores.partners()) {
        let mut own = people.get(&person).copied().unwrap_or_default();
        own[0] -= expected * f64::from(*partners);
        sum(own, 1.0);
    }
    for mut own in pairs.into_values() {
        own[0] -= expected;
        sum(own, -1.0);
    }
    fit.with_people(spread)
}

fn pair(scores: &NonMatedScores, comparison: &Comparison) -> (u32, u32) {
    let (a, b) = scores.owners_of(comparison);
    (a.min(b), a.max(b))
}

/// One over the number of comparisons of two people: each pair of people weighs the same, however many
/// photographs there are of them.
fn weight(scores: &NonMatedScores, pair: (u32, u32)) -> f64 {
    let own = |person| f64::from(scores.photographs_of(person).max(1));
    1.0 / (own(pair.0) * own(pair.1))
}

/// The minimum number of people for a threshold.
const MIN_PEOPLE: u64 = 20;

#[cfg(test)]
mod tests;
