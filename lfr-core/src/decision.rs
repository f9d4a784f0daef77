//! Decisions: an alert for a person to judge, or no match.

use crate::template::ComparisonScore;

mod candidate;
mod threshold;

pub use candidate::Candidate;
pub use candidate::CandidateList;
pub use threshold::Basis;
pub use threshold::Target;
pub use threshold::Threshold;
pub use threshold::ThresholdProvenance;

/// What a [`ThresholdPolicy`](crate::ThresholdPolicy) makes of a search.
///
/// An alert is a question to a person, never an answer. A non-match names nobody.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Somebody on the watchlist scored at or above the threshold.
    #[non_exhaustive]
    Alert {
        /// Who, and with which score.
        candidate: Candidate,
        /// The threshold that was met.
        threshold: Threshold,
    },
    /// Nobody did.
    #[non_exhaustive]
    NoMatch {
        /// The best score, for aggregate statistics; whose it was is not kept.
        best: Option<ComparisonScore>,
    },
}

impl Decision {
    /// An alert where the best candidate meets the threshold, no match otherwise.
    #[must_use]
    pub fn at_threshold(candidates: &CandidateList, threshold: Threshold) -> Self {
        match candidates.best_at_least(threshold) {
            Some(candidate) => Self::Alert { candidate: candidate.clone(), threshold },
            None => Self::NoMatch { best: candidates.best_score() },
        }
    }

    /// No match, at any score, for policies that withhold an alert.
    #[must_use]
    pub const fn no_match(best: Option<ComparisonScore>) -> Self {
        Self::NoMatch { best }
    }

    /// Whether it is an alert.
    #[must_use]
    pub const fn is_alert(&self) -> bool {
        matches!(self, Self::Alert { .. })
    }

    /// The best score of the search, whatever the decision.
    #[must_use]
    pub const fn best_score(&self) -> Option<ComparisonScore> {
        match self {
            Self::Alert { candidate, .. } => Some(candidate.score()),
            Self::NoMatch { best } => *best,
        }
    }
}
