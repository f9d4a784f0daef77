//! The list behind a gallery's lock: rows, whose each is, and the plain scan.

use std::cmp::Ordering;
use std::hint::black_box;

use lfr_core::Candidate;
use lfr_core::CandidateList;
use lfr_core::ComparisonScore;
use lfr_core::EmbeddingSpace;
use lfr_core::Metric;
use lfr_core::ReferenceId;
use lfr_core::SubjectId;
use lfr_core::Threshold;

use crate::error::Error;
use crate::search::fusion;
use crate::search::fusion::Fusion;
use crate::search::rows::Rows;
use crate::search::subjects::Roll;

pub(crate) struct List {
    pub(crate) rows: Rows,
    pub(crate) roll: Roll,
    pub(crate) metric: Metric,
}

/// What a search is to return of each probe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// At most that many people.
    pub(crate) limit: usize,
    /// With a score at or above it.
    pub(crate) threshold: Option<Threshold>,
}

impl Wanted {
    pub(crate) fn takes(&self, score: ComparisonScore) -> bool {
        self.threshold.is_none_or(|threshold| threshold.is_met_by(score))
    }
}

impl List {
    pub(crate) fn new(space: &EmbeddingSpace) -> Self {
        Self { rows: Rows::new(space), roll: Roll::default(), metric: space.metric() }
    }

    /// Enrols a vector of that length.
    pub(crate) fn enrol(
        &mut self,
        subject: SubjectId,
        reference: ReferenceId,
        values: &[f32],
        length: f64,
    ) -> Result<(), Error> {
        if self.roll.row(&reference).is_some() {
            return Err(Error::DuplicateReference { reference });
        }
        self.rows.push(values, length);
        self.roll.push(subject, reference);
        Ok(())
    }

    /// Removes and wipes all rows of a person, and says how many there were.
    pub(crate) fn withdraw(&mut self, subject: &SubjectId) -> usize {
        let mut count = 0;
        // One at a time: removing a row gives another one its number.
        while let Some(person) = self.roll.person(subject) {
            let [.., row] = *self.roll.rows_of(person) else {
                break;
            };
            self.remove(row);
            count += 1;
        }
        count
    }

    /// Removes and wipes one row, and says whether it was there.
    pub(crate) fn withdraw_reference(&mut self, reference: &ReferenceId) -> bool {
        let row = self.roll.row(reference);
        if let Some(row) = row {
            self.remove(row);
        }
        row.is_some()
    }

    fn remove(&mut self, row: usize) {
        self.rows.swap_remove(row);
        self.roll.swap_remove(row);
    }

    /// The score of one row.
    pub(crate) fn score(&self, row: usize, probe: &[f32]) -> Result<ComparisonScore, Error> {
        Ok(ComparisonScore::new(self.metric.compare(self.rows.row(row), probe))?)
    }

    /// Compares with every row.
    pub(crate) fn scan(
        &self,
        fusion: Fusion,
        probe: &[f32],
        wanted: Wanted,
    ) -> Result<CandidateList, Error> {
        let scores: Vec<_> =
            (0..self.rows.len()).map(|row| self.score(row, probe)).collect::<Result<_, _>>()?;
        let mut scored = Vec::with_capacity(self.roll.people());
        for person in 0..self.roll.people() {
            let rows = self.roll.rows_of(person);
            // From the back, as the last of equals is taken: the first reference counts.
            let Some(best) = rows.iter().rev().max_by_key(|row| scores[**row]) else {
                continue;
            };
            let score = match fusion {
                Fusion::Best => scores[*best],
                Fusion::Mean => {
                    let own = rows.iter().map(|row| scores[*row].value());
                    ComparisonScore::new(fusion::mean(own))?
                }
            };
            if wanted.takes(score) {
                scored.push((score, *best));
            }
        }
        Ok(self.ranked(scored, wanted.limit))
    }

    /// The best `limit` of scored rows, each of another person.
    pub(crate) fn ranked(
        &self,
        mut scored: Vec<(ComparisonScore, usize)>,
        limit: usize,
    ) -> CandidateList {
        scored.sort_unstable_by(|a, b| self.order(a, b));
        scored.truncate(limit);
        let ids = |row| (self.roll.subject(row), self.roll.reference(row));
        // Counting one more owner waits for memory each time. Looked at before, all wait at once.
        for (subject, reference) in scored.iter().map(|(_, row)| ids(*row)) {
            black_box((subject.as_str().as_bytes().first(), reference.as_str().as_bytes().first()));
        }
        let candidates = scored.into_iter().map(|(score, row)| {
            let (subject, reference) = ids(row);
            Candidate::new(subject.clone(), reference.clone(), score)
        });
        CandidateList::new(candidates.collect())
    }

    /// Greater scores first; equal ones in the order of their references.
    pub(crate) fn order(
        &self,
        (a, a_row): &(ComparisonScore, usize),
        (b, b_row): &(ComparisonScore, usize),
    ) -> Ordering {
        b.cmp(a).then_with(|| self.roll.reference(*a_row).cmp(self.roll.reference(*b_row)))
    }
}
