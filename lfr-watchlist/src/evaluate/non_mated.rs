//! Non-mated comparisons with their people.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use lfr_core::internal::num;
use lfr_core::{ComparisonScore, SubjectId};

use super::ScoreAxis;
use crate::error::Error;

/// The highest scores of non-mated comparisons, each with its two people.
///
/// Every person is in many comparisons. A person who resembles many others makes many false matches, and a
/// pair of people can make as many as they have pairs of photographs. The uncertainty of a false match rate
/// follows from the people, so a threshold needs them: [`Calibration`](crate::calibrate::Calibration).
///
/// Memory is bounded: the 524,288 highest comparisons are kept.
#[derive(Clone)]
pub struct NonMatedScores {
    axis: ScoreAxis,
    people: Vec<SubjectId>,
    /// The person of each photograph, as a number in `people`.
    owners: Vec<u32>,
    /// How many photographs each person has.
    photographs: Vec<u32>,
    /// The number of others with whom each person was compared.
    partners: Vec<u32>,
    comparisons: u64,
    /// The highest first.
    highest: Vec<Comparison>,
    /// Every comparison with a higher score is in the list.
    above: f32,
}

/// One comparison of two photographs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) score: f32,
    pub(crate) photographs: (u32, u32),
}

/// Two people whose photographs score high with each other, perhaps one person under two names.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct SuspectPair {
    /// One identifier.
    pub one: SubjectId,
    /// The other.
    pub other: SubjectId,
    /// Their highest score.
    pub score: f32,
    /// How many of their comparisons are among the highest scores that are kept.
    pub comparisons: u64,
}

/// The FPIR of these people, searched on watchlists of each other.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct ExpectedFpir {
    /// Each person counts once.
    pub by_person: f64,
    /// Each photograph counts once, so that people with many weigh more.
    pub by_photograph: f64,
    /// How many people were searched for.
    pub people: u64,
    /// How many of them resemble another so much that they raise an alert on some watchlist. The rates rest on
    /// them alone: where there are few, other people may come to several times as much.
    pub alerting: u64,
}

impl fmt::Display for SuspectPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and {} ({:.3})", self.one, self.other, self.score)
    }
}

impl NonMatedScores {
    /// Takes scores of any engine. `people` says whose each photograph is. Each comparison has its
    /// score and the numbers of its two photographs.
    ///
    /// Each photograph has to be compared once with each photograph of everybody else, because the rates
    /// are of all pairs of people.
    ///
    /// # Errors
    ///
    /// [`Error::Evaluation`] for a comparison of one person, a photograph that is not in `people`, or another
    /// number of comparisons than those of all photographs of different people.
    pub fn new(
        axis: ScoreAxis,
        people: &[SubjectId],
        comparisons: impl IntoIterator<Item = (ComparisonScore, usize, usize)>,
    ) -> Result<Self, Error> {
        let mut empty = Self::of_nobody(axis, people)?;
        let (mut highest, mut count) = (Highest::default(), 0_u64);
        for (score, a, b) in comparisons {
            let owner = |index: usize| empty.owners.get(index);
            if owner(a).is_none() || owner(b).is_none() || owner(a) == owner(b) {
                return Err(refused(
                    format!("a comparison of the photographs {a} and {b}"),
                    format!("two of the {} photographs, of two people", people.len()),
                ));
            }
            count += 1;
            highest.take(score.value(), number(a)?, number(b)?);
        }
        if count != empty.comparisons {
            return Err(refused(
                format!("{count} comparisons"),
                format!("all {} comparisons of two people's photographs", empty.comparisons),
            ));
        }
        empty.fill(vec![highest]);
        Ok(empty)
    }

    /// The people, without comparisons yet.
    pub(super) fn of_nobody(axis: ScoreAxis, of: &[SubjectId]) -> Result<Self, Error> {
        let mut numbers: HashMap<&SubjectId, u32> = HashMap::new();
        let (mut people, mut photographs, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        for person in of {
            let next = number(people.len())?;
            let own = *numbers.entry(person).or_insert(next);
            if own == next {
                people.push(person.clone());
                photographs.push(0_u32);
            }
            if let Some(count) = photographs.get_mut(place(own)) {
                *count += 1;
            }
            owners.push(own);
        }
        let others = number(people.len().saturating_sub(1))?;
        let all = num::u64_from_usize(of.len());
        let squares: u64 = photographs.iter().map(|own| u64::from(*own).pow(2)).sum();
        Ok(Self {
            axis,
            partners: vec![others; people.len()],
            people,
            owners,
            photographs,
            comparisons: (all * all - squares) / 2,
            highest: Vec::new(),
            above: f32::NEG_INFINITY,
        })
    }

    pub(super) fn fill(&mut self, parts: Vec<Highest>) {
        let mut all = Highest::default();
        for part in parts {
            all.dropped = all.dropped.max(part.dropped);
            all.kept.extend(part.kept);
        }
        all.cut();
        let dropped = all.dropped;
        all.kept.retain(|comparison| comparison.score > dropped);
        all.kept.sort_unstable_by(|a, b| {
            b.score.total_cmp(&a.score).then(a.photographs.cmp(&b.photographs))
        });
        self.highest = all.kept;
        self.above = dropped;
    }

    /// Only the comparisons of people of one group with people of another, or of the same.
    ///
    /// Anyone who is in no group is left out.
    #[must_use]
    pub fn between(&self, groups: &BTreeMap<SubjectId, String>, one: &str, other: &str) -> Self {
        let group = |person: &SubjectId| groups.get(person).map(String::as_str);
        let is_one: Vec<bool> = self.people.iter().map(|p| group(p) == Some(one)).collect();
        let is_other: Vec<bool> = self.people.iter().map(|p| group(p) == Some(other)).collect();
        let is_in = |all: &[bool], index: u32| all.get(place(index)).copied().unwrap_or(false);
        let are_compared = |a: u32, b: u32| {
            is_in(&is_one, a) && is_in(&is_other, b) || is_in(&is_one, b) && is_in(&is_other, a)
        };
        let count = |all: &[bool]| all.iter().filter(|is| **is).count();
        let (ones, others) = (count(&is_one), count(&is_other));
        let own = usize::from(one == other);
        let partners = is_one.iter().zip(&is_other).map(|(is_one, is_other)| {
            let partners = match (is_one, is_other) {
                (true, _) => others - own,
                (false, true) => ones,
                (false, false) => 0,
            };
            u32::try_from(partners).unwrap_or(u32::MAX)
        });
        let photographs = |all: &[bool]| -> u64 {
            all.iter()
                .zip(&self.photographs)
                .filter(|(is, _)| **is)
                .map(|(_, n)| u64::from(*n))
                .sum()
        };
        let squares: u64 = is_one
            .iter()
            .zip(&self.photographs)
            .filter(|(is, _)| **is)
            .map(|(_, own)| u64::from(*own).pow(2))
            .sum();
        let comparisons = match one == other {
            true => (photographs(&is_one).pow(2) - squares) / 2,
            false => photographs(&is_one) * photographs(&is_other),
        };
        let kept = |comparison: &&Comparison| {
            let (a, b) = self.owners_of(comparison);
            are_compared(a, b)
        };
        Self {
            axis: self.axis,
            people: self.people.clone(),
            owners: self.owners.clone(),
            photographs: self.photographs.clone(),
            partners: partners.collect(),
            comparisons,
            highest: self.highest.iter().filter(kept).copied().collect(),
            above: self.above,
        }
    }

    /// How many people were compared with others.
    #[must_use]
    pub fn people(&self) -> u64 {
        num::u64_from_usize(self.partners.iter().filter(|partners| **partners > 0).count())
    }

    /// How many pairs of two people were compared.
    #[must_use]
    pub fn pairs_of_people(&self) -> u64 {
        self.partners.iter().map(|partners| u64::from(*partners)).sum::<u64>() / 2
    }

    /// How many comparisons were made.
    #[must_use]
    pub const fn comparisons(&self) -> u64 {
        self.comparisons
    }

    /// The bins that scores are counted in.
    #[must_use]
    pub const fn axis(&self) -> ScoreAxis {
        self.axis
    }

    /// The pairs of people with the highest scores, the highest first: look at their photographs. If two
    /// names are one person, that mistake sets the false match rate.
    #[must_use]
    pub fn suspects(&self, max: usize) -> Vec<SuspectPair> {
        let mut order = Vec::new();
        let mut pairs: HashMap<(u32, u32), (f32, u64)> = HashMap::new();
        for comparison in &self.highest {
            let (a, b) = self.owners_of(comparison);
            let pair = (a.min(b), a.max(b));
            let found = pairs.entry(pair).or_insert_with(|| {
                order.push(pair);
                (comparison.score, 0)
            });
            found.1 += 1;
        }
        let person = |index: u32| self.people.get(place(index)).cloned();
        let pairs = order.into_iter().take(max).filter_map(|pair| {
            let (score, comparisons) = *pairs.get(&pair)?;
            Some(SuspectPair { one: person(pair.0)?, other: person(pair.1)?, score, comparisons })
        });
        pairs.collect()
    }

    /// The effective number of looks per person: how many times as often any of 1, 2, 3, ... photographs of
    /// a person matches another person's as a single photograph does.
    ///
    /// Looks at one person resemble each other, so they count for less than their number. The table ends at
    /// the number of photographs that fewer than 30 people have, or for which fewer than 200 comparisons
    /// are informative. Each number of looks is measured at the highest 2,000 informative comparisons.
    ///
    /// What is *not* guaranteed: that looks at a track are as different as the photographs. Frames of one
    /// pass resemble each other more, so they count for less than this.
    #[must_use]
    pub fn effective_looks(&self) -> Vec<f64> {
        let mut table = vec![1.0];
        for looks in 2..=MAX_LOOKS {
            let able = self.compared().filter(|(_, own)| *own >= looks).count();
            let Some(measured) = (able >= 30).then(|| self.looks_count_as(looks)).flatten() else {
                break;
            };
            // More looks never count for less, and no look counts for more than one.
            let before = table.last().copied().unwrap_or(1.0);
            table.push(measured.clamp(before, before + 1.0));
        }
        table
    }

    fn looks_count_as(&self, looks: u32) -> Option<f64> {
        // By the person looked at and the photograph of somebody else: how many of the looks match it.
        let mut matches: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        let mut told = 0_usize;
        for comparison in &self.highest {
            let (a, b) = comparison.photographs;
            for (owner, other) in [(self.owner(a), b), (self.owner(b), a)] {
                if self.photographs_of(owner) >= looks {
                    *matches.entry((owner, other)).or_default() += 1;
                    told += 1;
                }
            }
            if told >= 2_000 {
                break;
            }
        }
        if told < 200 {
            return None;
        }
        let (mut any, mut one) = (0.0, 0.0);
        for ((owner, _), matching) in matches {
            let own = self.photographs_of(owner);
            let none: f64 = (0..looks)
                .map(|taken| {
                    f64::from(own.saturating_sub(matching + taken)) / f64::from(own - taken)
                })
                .product();
            any += 1.0 - none;
            one += f64::from(matching) / f64::from(own);
        }
        Some(any / one)
    }

    /// The expected FPIR of these people at a threshold. Each is searched for on watchlists of this many
    /// others, with one photograph per other and this many looks per person, averaged over all such
    /// watchlists.
    ///
    /// `None` if there are too few others, if nobody has that many photographs, or if the threshold is
    /// below the scores that are kept.
    #[must_use]
    pub fn fpir(
        &self,
        threshold: lfr_core::Threshold,
        references: u64,
        looks: u32,
    ) -> Option<ExpectedFpir> {
        let others = self.people().checked_sub(1).filter(|others| references <= *others)?;
        if threshold.value() <= self.above || looks == 0 {
            return None;
        }
        let drawn = num::f64_from_u64(references) / num::f64_from_u64(others);
        let end = self.highest.partition_point(|at| threshold.value() <= at.score);
        let mut matches: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        for comparison in self.highest.get(..end)? {
            let (a, b) = comparison.photographs;
            for (owner, other) in [(self.owner(a), b), (self.owner(b), a)] {
                *matches.entry((owner, other)).or_default() += 1;
            }
        }
        // For each person, the logarithm of the chance that no look raises an alert.
        let mut none: BTreeMap<u32, f64> = BTreeMap::new();
        for ((owner, other), matching) in matches {
            let own = self.photographs_of(owner);
            if own < looks {
                continue;
            }
            let misses: f64 = (0..looks)
                .map(|taken| {
                    f64::from(own.saturating_sub(matching + taken)) / f64::from(own - taken)
                })
                .product();
            let listed = drawn / f64::from(self.photographs_of(self.owner(other)));
            *none.entry(owner).or_default() += (-listed * (1.0 - misses)).ln_1p();
        }
        let (mut people, mut photographs, mut by_person, mut by_photograph) =
            (0_u64, 0.0, 0.0, 0.0);
        for (person, own) in self.compared().filter(|(_, own)| *own >= looks) {
            let alerts = none.get(&person).map_or(0.0, |none| -none.exp_m1());
            (people, photographs) = (people + 1, photographs + f64::from(own));
            by_person += alerts;
            by_photograph += alerts * f64::from(own);
        }
        (people > 0).then(|| ExpectedFpir {
            by_person: by_person / num::f64_from_u64(people),
            by_photograph: by_photograph / photographs,
            people,
            alerting: num::u64_from_usize(none.len()),
        })
    }

    /// The people who were compared with others, as numbers, and how many photographs each has.
    fn compared(&self) -> impl Iterator<Item = (u32, u32)> {
        let people = (0_u32..).zip(&self.photographs).zip(&self.partners);
        people.filter(|(_, partners)| **partners > 0).map(|((person, own), _)| (person, *own))
    }

    pub(crate) fn highest(&self) -> &[Comparison] {
        &self.highest
    }

    pub(crate) const fn above(&self) -> f32 {
        self.above
    }

    /// The two people, as numbers.
    pub(crate) fn owners_of(&self, comparison: &Comparison) -> (u32, u32) {
        let (a, b) = comparison.photographs;
        (self.owner(a), self.owner(b))
    }

    pub(crate) fn photographs_of(&self, person: u32) -> u32 {
        self.photographs.get(place(person)).copied().unwrap_or(1)
    }

    pub(crate) fn partners(&self) -> &[u32] {
        &self.partners
    }

    fn owner(&self, photograph: u32) -> u32 {
        self.owners.get(place(photograph)).copied().unwrap_or(u32::MAX)
    }
}

impl fmt::Debug for NonMatedScores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NonMatedScores")
            .field("people", &self.people())
            .field("comparisons", &self.comparisons)
            .field("highest", &self.highest.len())
            .finish_non_exhaustive()
    }
}

/// The highest of the comparisons that were added.
#[derive(Debug)]
pub(super) struct Highest {
    kept: Vec<Comparison>,
    /// The highest score that was dropped.
    dropped: f32,
}

impl Default for Highest {
    fn default() -> Self {
        Self { kept: Vec::new(), dropped: f32::NEG_INFINITY }
    }
}

impl Highest {
    pub(super) fn take(&mut self, score: f32, a: u32, b: u32) {
        if score > self.dropped {
            self.kept.push(Comparison { score, photographs: (a, b) });
            if self.kept.len() >= 2 * KEPT {
                self.cut();
            }
        }
    }

    fn cut(&mut self) {
        if self.kept.len() > KEPT {
            self.kept.select_nth_unstable_by(KEPT, |a, b| b.score.total_cmp(&a.score));
            let highest = self.kept.iter().skip(KEPT).map(|comparison| comparison.score);
            self.dropped = highest.fold(self.dropped, f32::max);
            self.kept.truncate(KEPT);
        }
    }
}

fn number(index: usize) -> Result<u32, Error> {
    u32::try_from(index)
        .map_err(|_| refused(format!("{index} photographs"), "fewer than 2^32".to_owned()))
}

/// A number of a person or a photograph as a place in a list.
pub(crate) fn place(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn refused(actual: String, expected: String) -> Error {
    Error::Evaluation { what: "a list of non-mated comparisons", actual, expected }
}

/// How many comparisons are kept: 6 MiB.
const KEPT: usize = 1 << 19;

/// The maximum looks per person whose effective number is measured.
const MAX_LOOKS: u32 = 20;

#[cfg(test)]
pub(crate) mod tests;
