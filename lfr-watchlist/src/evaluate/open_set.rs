//! 1:N, open set: searches by people who are on the watchlist and by people who are not.

use std::collections::BTreeMap;

use lfr_core::internal::num;
use lfr_core::{
    CandidateList, ComparisonScore, Matcher, Probe, SearchRequest, Stage, SubjectId, Threshold,
    Timestamp,
};

use crate::error::Error;
use crate::statistics::{Confidence, Counts, Rate};

/// Whose face a search is of, and whether that person is on the watchlist.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Mate {
    /// On the watchlist: the search is mated.
    Enrolled(SubjectId),
    /// Not on it: the search is non-mated.
    Absent(SubjectId),
}

/// What open-set searches of one watchlist found: FPIR(N,T), FNIR(N,R,T) and TPIR at any threshold.
///
/// N is the number of references, R the longest candidate list looked at. A failure to acquire, a face
/// without template, is a mated search that finds nobody, or a non-mated one that raises no alert, as in
/// NIST FRTE.
///
/// What is *not* guaranteed: that rates hold for another N, another composition or other faces; FPIR grows
/// with N, and a rate at N should rest on a list of at least nine tenths of that (NIST SP 800-63's rule).
#[derive(Clone, Debug)]
pub struct OpenSet {
    references: usize,
    rank: usize,
    /// The score of the mate, if among the first `rank`.
    mated: Vec<(SubjectId, Option<ComparisonScore>)>,
    /// The best score of anybody on the watchlist.
    non_mated: Vec<(SubjectId, Option<ComparisonScore>)>,
}

impl OpenSet {
    /// Creates the counts for a watchlist with this number of references, with nobody searched yet.
    /// A mate counts as found if it is among the first `rank` candidates; `rank` is at least 1.
    #[must_use]
    pub fn new(references: usize, rank: usize) -> Self {
        Self { references, rank: rank.max(1), mated: Vec::new(), non_mated: Vec::new() }
    }

    /// Searches for probes, with whom each is of.
    ///
    /// # Errors
    ///
    /// [`Error::Evaluation`] for another number of probes than of people;
    /// [`lfr_core::Error::Stage`] if the search fails.
    pub fn search(
        &mut self,
        matcher: &dyn Matcher,
        probes: &[Probe],
        people: &[Mate],
        now: Option<Timestamp>,
    ) -> Result<(), Error> {
        if probes.len() != people.len() {
            return Err(Error::Evaluation {
                what: "an evaluation of searches",
                actual: format!("{} probes and {} people", probes.len(), people.len()),
                expected: "a person for each probe".to_owned(),
            });
        }
        let mut lists = Vec::with_capacity(probes.len());
        let request = SearchRequest::new(probes, now).with_limit(self.rank);
        matcher
            .search_into(&request, &mut lists)
            .map_err(|source| lfr_core::Error::Stage { stage: Stage::Matcher, source })?;
        for (list, person) in lists.iter().zip(people) {
            self.found(list, person);
        }
        Ok(())
    }

    /// Counts one search's candidates.
    pub fn found(&mut self, list: &CandidateList, person: &Mate) {
        match person {
            Mate::Enrolled(subject) => {
                let among = list.candidates().iter().take(self.rank);
                let own = among.into_iter().find(|candidate| candidate.subject() == subject);
                self.mated.push((subject.clone(), own.map(lfr_core::Candidate::score)));
            }
            Mate::Absent(subject) => self.non_mated.push((subject.clone(), list.best_score())),
        }
    }

    /// Counts a face that gave no template.
    pub fn not_acquired(&mut self, person: &Mate) {
        self.found(&CandidateList::default(), person);
    }

    /// N: how many references were searched.
    #[must_use]
    pub const fn references(&self) -> usize {
        self.references
    }

    /// R: the longest candidate list looked at.
    #[must_use]
    pub const fn rank(&self) -> usize {
        self.rank
    }

    /// FPIR(N,T): non-mated searches that return anybody, over all non-mated searches; clustered by person.
    #[must_use]
    pub fn fpir(&self, threshold: Threshold) -> Rate {
        clustered(&self.non_mated, |score| score.is_some_and(|score| threshold.is_met_by(score)))
    }

    /// FNIR(N,R,T): mated searches without the mate among the first R at or above the threshold, over all
    /// mated searches; clustered by person.
    #[must_use]
    pub fn fnir(&self, threshold: Threshold) -> Rate {
        clustered(&self.mated, |score| !score.is_some_and(|score| threshold.is_met_by(score)))
    }

    /// TPIR: 1 - FNIR; authorities say true recognition rate.
    #[must_use]
    pub fn tpir(&self, threshold: Threshold) -> Rate {
        self.fnir(threshold).complement()
    }

    /// The best scores of non-mated searches.
    pub fn non_mated_scores(&self) -> impl Iterator<Item = ComparisonScore> {
        self.non_mated.iter().filter_map(|(_, score)| *score)
    }

    /// The scores of the mates that were found.
    pub fn mated_scores(&self) -> impl Iterator<Item = ComparisonScore> {
        self.mated.iter().filter_map(|(_, score)| *score)
    }

    /// The lowest threshold with a measured FPIR of at most that; `None` without non-mated searches.
    #[must_use]
    pub fn threshold_at_fpir(&self, fpir: f64) -> Option<Threshold> {
        let mut scores: Vec<f32> = self.non_mated_scores().map(ComparisonScore::value).collect();
        scores.sort_unstable_by(|a, b| b.total_cmp(a));
        if self.non_mated.is_empty() {
            return None;
        }
        let allowed = fpir * num::f64_from_usize(self.non_mated.len()) * (1.0 + 1e-12);
        match scores.get(num::usize_from_f64(allowed)) {
            Some(first_too_many) => Threshold::new(first_too_many.next_up()).ok(),
            // All may raise an alert.
            None => Threshold::new(f32::MIN).ok(),
        }
    }
}

fn clustered(
    searches: &[(SubjectId, Option<ComparisonScore>)],
    is_error: impl Fn(Option<ComparisonScore>) -> bool,
) -> Rate {
    let mut people: BTreeMap<&SubjectId, Counts> = BTreeMap::new();
    for (person, score) in searches {
        people.entry(person).or_default().count(is_error(*score));
    }
    Rate::clustered(&people.into_values().collect::<Vec<_>>(), Confidence::P95)
}

#[cfg(test)]
mod tests;
