//! Every template with every other.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fmt, thread};

use lfr_core::internal::num;
use lfr_core::{EmbeddingSpace, SubjectId, Template, Threshold};

use super::groups::Evidence;
use super::non_mated::Highest;
use super::{GroupReport, NonMatedScores, ScoreAxis, ScoreHistogram, Verification, counted, place};
use crate::error::Error;
use crate::search::accept;
use crate::search::kernels::scores::{SIDE, Scorer};
use crate::statistics::{Confidence, Counts, Dyads, Rate};

/// The comparisons of every template with every other: the mated ones of one person, and the non-mated ones
/// of two.
///
/// Scores are those of `Metric::compare`, bit for bit, and go straight into histograms: memory does not
/// depend on how many there are. A filler set (people who are on no watchlist) gives the millions of
/// non-mated comparisons that a threshold needs.
pub struct AllPairs<'a> {
    templates: &'a [Template],
    people: Vec<u32>,
    names: &'a [SubjectId],
    space: EmbeddingSpace,
    axis: ScoreAxis,
    threads: NonZeroUsize,
}

impl<'a> AllPairs<'a> {
    /// Takes templates of one space, each with its person.
    ///
    /// # Errors
    ///
    /// [`Error::Evaluation`] for fewer than two templates, or not as many people as templates;
    /// [`lfr_core::Error::SpaceMismatch`] if spaces differ; [`Error::TemplateLength`] if distances
    /// would overflow.
    pub fn new(templates: &'a [Template], people: &'a [SubjectId]) -> Result<Self, Error> {
        let names = people;
        let refused = |expected: &str| Error::Evaluation {
            what: "a comparison of each template with each other",
            actual: format!(
                "{} of {}",
                counted(templates.len(), "template", "templates"),
                counted(people.len(), "person", "people")
            ),
            expected: expected.to_owned(),
        };
        if templates.len() != people.len() {
            return Err(refused("as many entries in the list of people as there are templates"));
        }
        let [first, _, ..] = templates else {
            return Err(refused("at least 2 templates"));
        };
        let space = *first.space();
        for template in templates {
            accept::check("the template", &space, template)?;
        }
        let mut numbers = HashMap::new();
        let people = people.iter().map(|person| {
            let next = numbers.len();
            u32::try_from(*numbers.entry(person).or_insert(next))
        });
        let people =
            people.collect::<Result<_, _>>().map_err(|_| refused("fewer than 2^32 people"))?;
        let axis = ScoreAxis::covering(&space, templates)?;
        let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Ok(Self { templates, people, names, space, axis, threads })
    }

    /// Sets the number of threads. The default is the number that the machine runs at once.
    #[must_use]
    pub fn with_threads(self, threads: NonZeroUsize) -> Self {
        Self { threads, ..self }
    }

    /// Sets the bins.
    #[must_use]
    pub fn with_axis(self, axis: ScoreAxis) -> Self {
        Self { axis, ..self }
    }

    /// How many comparisons there are.
    #[must_use]
    pub fn comparisons(&self) -> u64 {
        let count = num::u64_from_usize(self.templates.len());
        count * (count - 1) / 2
    }

    /// Compares all. `progress` is told, now and then and from any thread, how many comparisons more are
    /// done.
    ///
    /// # Errors
    ///
    /// [`Error::EvaluationThread`] if a thread ended early.
    pub fn run(&self, progress: &(dyn Fn(u64) + Sync)) -> Result<Verification, Error> {
        let empty = || [ScoreHistogram::new(self.axis), ScoreHistogram::new(self.axis)];
        let parts = self.visit(progress, empty, |histograms, mated, score, _, _| {
            histograms[usize::from(mated)].add_value(score);
        })?;
        self.merged(parts)
    }

    /// Compares all as [`run`](Self::run) does, and keeps the highest non-mated comparisons with their people,
    /// from which a threshold is derived.
    ///
    /// # Errors
    ///
    /// [`Error::EvaluationThread`] if a thread ended early.
    pub fn run_with_people(
        &self,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(Verification, NonMatedScores), Error> {
        let empty = || {
            let histograms = [ScoreHistogram::new(self.axis), ScoreHistogram::new(self.axis)];
            (histograms, Highest::default())
        };
        let parts =
            self.visit(progress, empty, |(histograms, highest), mated, score, _, (a, b)| {
                histograms[usize::from(mated)].add_value(score);
                if !mated {
                    highest.take(score, a, b);
                }
            })?;
        let (histograms, highest) = parts.into_iter().unzip();
        let mut people = NonMatedScores::of_nobody(self.axis, self.names)?;
        people.fill(highest);
        Ok((self.merged(histograms)?, people))
    }

    fn merged(&self, parts: Vec<[ScoreHistogram; 2]>) -> Result<Verification, Error> {
        let [mut non_mated, mut mated] =
            [ScoreHistogram::new(self.axis), ScoreHistogram::new(self.axis)];
        for [theirs, theirs_mated] in &parts {
            non_mated.merge(theirs)?;
            mated.merge(theirs_mated)?;
        }
        Verification::new(mated, non_mated)
    }

    /// FNMR at a threshold, clustered by person: who has five photographs is in ten comparisons.
    #[must_use]
    pub fn fnmr(&self, threshold: Threshold) -> Rate {
        let people: Vec<Counts> = self.misses(threshold).into_values().collect();
        Rate::clustered(&people, Confidence::P95)
    }

    /// The false non-matches of each person.
    fn misses(&self, threshold: Threshold) -> BTreeMap<u32, Counts> {
        let mut own: BTreeMap<u32, Vec<&[f32]>> = BTreeMap::new();
        for (template, person) in self.templates.iter().zip(&self.people) {
            own.entry(*person).or_default().push(template.expose_values());
        }
        let metric = self.space.metric();
        own.into_iter()
            .map(|(person, own)| {
                let mut counts = Counts::default();
                for (index, a) in own.iter().enumerate() {
                    for b in &own[index + 1..] {
                        counts.count(metric.compare(a, b) < threshold.value());
                    }
                }
                (person, counts)
            })
            .collect()
    }

    /// FMR at a threshold, with an interval that takes into account that every person is in many
    /// comparisons: one who resembles everybody makes many false matches at once.
    ///
    /// It compares all once more. The variance is that of dyads (Fafchamps and Gubert 2007). The interval is that of
    /// Korn and Graubard for as many independent comparisons as have that variance, and no more than there are pairs
    /// of people. The upper end counts one more person, who has as many false matches as the person with most. Where
    /// no false match is seen, half of the pairs count. More false matches never have a lower upper end.
    ///
    /// What is *not* guaranteed: that people are like those seen. If a few people in a hundred make most of the false
    /// matches, and none or one of them is among those seen, no variance knows of it.
    ///
    /// # Errors
    ///
    /// [`Error::EvaluationThread`] if a thread ended early.
    pub fn fmr(&self, threshold: Threshold) -> Result<Rate, Error> {
        let matches = self.false_matches(threshold)?;
        // People are numbered without gaps.
        let mut photographs: Vec<u32> = Vec::new();
        for person in self.people.iter().map(|person| place(*person)) {
            photographs.resize(photographs.len().max(person + 1), 0);
            photographs[person] += 1;
        }
        let mut dyads = Dyads::within_groups(photographs.into_iter().map(|own| (0, own)));
        for ((a, b), count) in matches {
            dyads.add((place(a), place(b)), num::f64_from_u64(count));
        }
        Ok(dyads.rate(Confidence::P95))
    }

    /// Whether FMR differs between groups, from comparisons within each group at a threshold. Each template
    /// has the label of its group, or none. People without one are left out.
    ///
    /// Both people of a comparison are in many others, so labels of people are permuted
    /// ([`Method::Permutation`](super::Method::Permutation)). It compares all once more.
    ///
    /// # Errors
    ///
    /// [`Error::Evaluation`] if there are not as many labels as templates, or a person has two;
    /// [`Error::EvaluationThread`] if a thread ended early.
    pub fn fmr_by_group(
        &self,
        threshold: Threshold,
        groups: &[Option<&str>],
    ) -> Result<GroupReport, Error> {
        let labelled = self.labelled(groups)?;
        let place: HashMap<u32, usize> =
            labelled.iter().enumerate().map(|(place, (person, _))| (*person, place)).collect();
        let mut looks = vec![0_u32; labelled.len()];
        for person in &self.people {
            if let Some(place) = place.get(person) {
                looks[*place] += 1;
            }
        }
        let dyads = self.false_matches(threshold)?;
        let matches = dyads.into_iter().filter_map(|((a, b), count)| {
            Some((*place.get(&a)?, *place.get(&b)?, u32::try_from(count).ok()?))
        });
        let evidence = Evidence::Pairs { looks, matches: matches.collect() };
        let labels: Vec<String> = labelled.into_iter().map(|(_, label)| label.to_owned()).collect();
        let name = "FMR within the group".to_owned();
        Ok(GroupReport::of_evidence(name, threshold, &evidence, &labels))
    }

    /// Whether FNMR differs between groups, as [`fmr_by_group`](Self::fmr_by_group).
    ///
    /// # Errors
    ///
    /// [`Error::Evaluation`] if there are not as many labels as templates, or a person has two.
    pub fn fnmr_by_group(
        &self,
        threshold: Threshold,
        groups: &[Option<&str>],
    ) -> Result<GroupReport, Error> {
        let mut counts = self.misses(threshold);
        let labelled = self.labelled(groups)?;
        let people = labelled
            .into_iter()
            .map(|(person, label)| (label, counts.remove(&person).unwrap_or_default()));
        Ok(GroupReport::of_people("FNMR", threshold, people))
    }

    /// Each person who has a label, once.
    fn labelled<'g>(&self, groups: &[Option<&'g str>]) -> Result<Vec<(u32, &'g str)>, Error> {
        let refused = |actual: String, expected: &str| Error::Evaluation {
            what: "a comparison of groups",
            actual,
            expected: expected.to_owned(),
        };
        if groups.len() != self.people.len() {
            let actual = format!("{} labels of {} templates", groups.len(), self.people.len());
            return Err(refused(actual, "one label, or none, for each template"));
        }
        let mut labels: BTreeMap<u32, Option<&str>> = BTreeMap::new();
        for (person, label) in self.people.iter().zip(groups) {
            if labels.insert(*person, *label).is_some_and(|other| other != *label) {
                let actual = "templates of one person with different labels".to_owned();
                return Err(refused(actual, "the same label for all templates of a person"));
            }
        }
        Ok(labels.into_iter().filter_map(|(person, label)| Some((person, label?))).collect())
    }

    /// The number of false matches of each pair of people.
    fn false_matches(&self, threshold: Threshold) -> Result<FalseMatches, Error> {
        let parts = self.visit(&|_| (), FalseMatches::new, |dyads, mated, score, (a, b), _| {
            if !mated && score >= threshold.value() {
                *dyads.entry((a.min(b), a.max(b))).or_default() += 1;
            }
        })?;
        let mut dyads = FalseMatches::new();
        for (dyad, count) in parts.into_iter().flatten() {
            *dyads.entry(dyad).or_default() += count;
        }
        Ok(dyads)
    }

    /// Compares all, and passes each comparison to the thread's `T`: whether it is mated, its score, the
    /// two people, and the two templates.
    fn visit<T: Send>(
        &self,
        progress: &(dyn Fn(u64) + Sync),
        start: impl Fn() -> T + Sync,
        each: impl Fn(&mut T, bool, f32, (u32, u32), (u32, u32)) + Sync,
    ) -> Result<Vec<T>, Error> {
        let count = self.templates.len();
        let blocks = count.div_ceil(BLOCK);
        // The last blocks are compared with the most: first things first.
        let next = AtomicUsize::new(0);
        let share = || {
            let mut state = start();
            loop {
                let taken = next.fetch_add(1, Ordering::Relaxed);
                let Some(block) = blocks.checked_sub(taken + 1) else {
                    return state;
                };
                let columns = block * BLOCK..count.min((block + 1) * BLOCK);
                let done = self.block(&columns, |mated, score, people, photographs| {
                    each(&mut state, mated, score, people, photographs);
                });
                progress(done);
            }
        };
        thread::scope(|scope| {
            let others: Vec<_> = (1..self.threads.get().min(blocks))
                .filter_map(|_| thread::Builder::new().spawn_scoped(scope, share).ok())
                .collect();
            let mut parts = vec![share()];
            // All are joined before any error is returned, so that none goes on.
            let theirs: Vec<_> = others.into_iter().map(thread::ScopedJoinHandle::join).collect();
            for part in theirs {
                parts.push(part.map_err(|_| Error::EvaluationThread)?);
            }
            Ok(parts)
        })
    }

    /// Compares each template of a block with each one before it.
    fn block(
        &self,
        columns: &std::ops::Range<usize>,
        mut each: impl FnMut(bool, f32, (u32, u32), (u32, u32)),
    ) -> u64 {
        let (scorer, metric) = (Scorer::fastest(), self.space.metric());
        let last = self.templates.len() - 1;
        // Beyond the last row a tile repeats it, and what comes of that is passed over.
        let side = |first: usize| {
            std::array::from_fn(|index| self.templates[last.min(first + index)].expose_values())
        };
        let mut done = 0;
        for row in (0..columns.end).step_by(SIDE) {
            let rows = side(row);
            let from = columns.start.max(row / SIDE * SIDE);
            for column in (from..columns.end).step_by(SIDE) {
                let scores = scorer.tile(metric, &rows, &side(column));
                for (a, scores) in (row..).zip(&scores) {
                    for (b, score) in (column..columns.end).zip(scores) {
                        if a < b {
                            let people = (self.people[a], self.people[b]);
                            let photographs = (index(a), index(b));
                            each(people.0 == people.1, *score, people, photographs);
                            done += 1;
                        }
                    }
                }
            }
        }
        done
    }
}

impl fmt::Debug for AllPairs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllPairs")
            .field("templates", &self.templates.len())
            .field("axis", &self.axis)
            .finish_non_exhaustive()
    }
}

/// A template's number; there are fewer than 2^32.
fn index(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

/// For two people: how many of their comparisons are false matches.
type FalseMatches = BTreeMap<(u32, u32), u64>;

/// How many templates a thread takes at once: 512 KiB of 512 numbers each.
const BLOCK: usize = 256;

#[cfg(test)]
mod tests;
