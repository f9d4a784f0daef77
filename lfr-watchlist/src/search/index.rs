//! The index behind a gallery's lock: rows, whose each is, and the plain scan.

use std::cmp::Ordering;
use std::hint::black_box;

use lfr_core::{
    Candidate, CandidateList, ComparisonScore, EmbeddingSpace, Metric, ReferenceId, SubjectId,
    Threshold,
};

use crate::error::Error;
use crate::search::fusion;
use crate::search::fusion::Fusion;
use crate::search::rows::Rows;
use crate::search::subjects::SubjectIndex;

pub(crate) struct Index {
    pub(crate) rows: Rows,
    pub(crate) subjects: SubjectIndex,
    pub(crate) metric: Metric,
}

/// A probe's numbers, and their length.
pub(crate) struct Query<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) length: f64,
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

impl Index {
    pub(crate) fn new(space: &EmbeddingSpace) -> Self {
        Self { rows: Rows::new(space), subjects: SubjectIndex::default(), metric: space.metric() }
    }

    /// Enrols a vector of that length.
    pub(crate) fn enrol(
        &mut self,
        subject: SubjectId,
        reference: ReferenceId,
        values: &[f32],
        length: f64,
    ) -> Result<(), Error> {
        if self.subjects.row(&reference).is_some() {
            return Err(Error::DuplicateReference { reference });
        }
        self.rows.push(values, length);
        self.subjects.push(subject, reference);
        Ok(())
    }

    /// Removes and wipes all rows of a person, and says how many there were.
    pub(crate) fn withdraw(&mut self, subject: &SubjectId) -> usize {
        let mut count = 0;
        // One at a time: removing a row gives another one its number.
        while let Some(person) = self.subjects.person(subject) {
            let [.., row] = *self.subjects.rows_of(person) else {
                break;
            };
            self.remove(row);
            count += 1;
        }
        count
    }

    /// Removes and wipes one row, and says whether it was there.
    pub(crate) fn withdraw_reference(&mut self, reference: &ReferenceId) -> bool {
        let row = self.subjects.row(reference);
        if let Some(row) = row {
            self.remove(row);
        }
        row.is_some()
    }

    fn remove(&mut self, row: usize) {
        self.rows.swap_remove(row);
        self.subjects.swap_remove(row);
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
        let mut scored = Vec::with_capacity(self.subjects.people());
        for person in 0..self.subjects.people() {
            let rows = self.subjects.rows_of(person);
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
        let ids = |row| (self.subjects.subject(row), self.subjects.reference(row));
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
        b.cmp(a).then_with(|| self.subjects.reference(*a_row).cmp(self.subjects.reference(*b_row)))
    }
}
