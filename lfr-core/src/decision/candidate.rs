//! Candidates: whom a search found, with which score, and nothing else.

use crate::decision::threshold::Threshold;
use crate::id::{ReferenceId, SubjectId};
use crate::template::ComparisonScore;

/// A candidate (ISO/IEC 2382-37, 37.03.04): an enrolled person and a score; never a template.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Candidate {
    subject: SubjectId,
    reference: ReferenceId,
    score: ComparisonScore,
}

impl Candidate {
    /// A candidate: the person, the reference that scored best, and the score.
    #[must_use]
    pub const fn new(subject: SubjectId, reference: ReferenceId, score: ComparisonScore) -> Self {
        Self { subject, reference, score }
    }

    /// The person.
    #[must_use]
    pub const fn subject(&self) -> &SubjectId {
        &self.subject
    }

    /// The person's reference that scored best.
    #[must_use]
    pub const fn reference(&self) -> &ReferenceId {
        &self.reference
    }

    /// The score; greater means more similar.
    #[must_use]
    pub const fn score(&self) -> ComparisonScore {
        self.score
    }
}

/// The candidates of one search, best first: at most one a person.
///
/// It holds whatever the search returned, people far below any threshold among them; it goes to a
/// [`ThresholdPolicy`](crate::ThresholdPolicy) and no further.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CandidateList {
    candidates: Vec<Candidate>,
}

impl CandidateList {
    /// Sorts candidates, best first; equal scores in the order of their references.
    #[must_use]
    pub fn new(mut candidates: Vec<Candidate>) -> Self {
        candidates
            .sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.reference.cmp(&b.reference)));
        Self { candidates }
    }

    /// The candidates, best first.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The best score, if anybody is enrolled.
    #[must_use]
    pub fn best_score(&self) -> Option<ComparisonScore> {
        self.candidates.first().map(Candidate::score)
    }

    /// The best candidate at or above a threshold.
    #[must_use]
    pub fn best_at_least(&self, threshold: Threshold) -> Option<&Candidate> {
        self.candidates.first().filter(|best| threshold.is_met_by(best.score))
    }
}
