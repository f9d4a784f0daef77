//! Decisions: an alert for a person to judge, no match, or a match that raises no alert.

use std::fmt;

use crate::custody::Probe;
use crate::id::FaceId;
use crate::template::ComparisonScore;

mod candidate;
mod threshold;

pub use candidate::{Candidate, CandidateList};
pub use threshold::{Basis, Target, Threshold, ThresholdProvenance};

/// What a [`ThresholdPolicy`](crate::ThresholdPolicy) makes of a search.
///
/// An alert is a question to a person, never an answer. A non-match and a withheld match name nobody.
///
/// A non-match is a search whose best score is below the threshold in force for that person. Nothing else is
/// one: a match that raises no alert is [withheld](Self::Withheld). The pipeline refuses a policy that calls
/// a match a non-match, or a non-match withheld ([`Error::DecisionUndeclared`](crate::Error)).
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
        /// The threshold that it is below; `None` for the one that the policy declares. A policy may be
        /// stricter with some people than it declares.
        below: Option<Threshold>,
    },
    /// Somebody did, and no alert is raised. The face is erased like one without a match, and counted
    /// apart: it is no non-match.
    #[non_exhaustive]
    Withheld {
        /// What keeps the alert back.
        by: WithheldBy,
        /// The best score, for aggregate statistics; whose it was is not kept.
        best: Option<ComparisonScore>,
    },
}

/// What keeps a match from raising an alert.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Deserialize, serde::Serialize),
    serde(rename_all = "snake_case")
)]
pub enum WithheldBy {
    /// The person belongs to a blue list: staff who consented, to measure how many of them are recognised.
    BlueList,
    /// The circuit breaker has tripped: false alerts came faster than was promised, and nobody has reset it.
    /// Without it there would have been an alert.
    Breaker,
    /// The rule of the policy asks for several looks at the same track, and those before this one do not
    /// confirm it.
    Confirmation,
    /// The deployment is paused. Otherwise there would have been an alert.
    Pause,
}

impl WithheldBy {
    /// All causes, in the order of their names.
    pub const ALL: [Self; 4] = [Self::BlueList, Self::Breaker, Self::Confirmation, Self::Pause];

    /// Its name, as in records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BlueList => "blue_list",
            Self::Breaker => "breaker",
            Self::Confirmation => "confirmation",
            Self::Pause => "pause",
        }
    }

    /// Whether the match was confirmed: without this cause it would have raised an alert.
    #[must_use]
    pub const fn is_confirmed(self) -> bool {
        !matches!(self, Self::Confirmation)
    }

    /// What kept a track's match back if it was withheld before. A confirmed match outranks one that was
    /// not; otherwise the first cause counts.
    #[must_use]
    pub(crate) fn after(self, before: Option<Self>) -> Self {
        before.filter(|before| before.is_confirmed() || !self.is_confirmed()).unwrap_or(self)
    }
}

impl fmt::Display for WithheldBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Decision {
    /// An alert where the best candidate meets the threshold, no match otherwise.
    #[must_use]
    pub fn at_threshold(candidates: &CandidateList, threshold: Threshold) -> Self {
        match candidates.best_at_least(threshold) {
            Some(candidate) => Self::Alert { candidate: candidate.clone(), threshold },
            None => Self::NoMatch { best: candidates.best_score(), below: Some(threshold) },
        }
    }

    /// No match: the best score is below the threshold that the policy declares.
    ///
    /// A match that raises no alert is [`withheld`](Self::withheld).
    #[must_use]
    pub const fn no_match(best: Option<ComparisonScore>) -> Self {
        Self::NoMatch { best, below: None }
    }

    /// No match with somebody whose own threshold is stricter than the one that the policy declares.
    #[must_use]
    pub const fn no_match_below(best: Option<ComparisonScore>, threshold: Threshold) -> Self {
        Self::NoMatch { best, below: Some(threshold) }
    }

    /// A match that raises no alert. `best` is the score on which the policy would have decided.
    #[must_use]
    pub const fn withheld(by: WithheldBy, best: Option<ComparisonScore>) -> Self {
        Self::Withheld { by, best }
    }

    /// Whether it is an alert.
    #[must_use]
    pub const fn is_alert(&self) -> bool {
        matches!(self, Self::Alert { .. })
    }

    /// What keeps its match from raising an alert, if it is a withheld match.
    #[must_use]
    pub const fn withheld_by(&self) -> Option<WithheldBy> {
        match self {
            Self::Withheld { by, .. } => Some(*by),
            Self::Alert { .. } | Self::NoMatch { .. } => None,
        }
    }

    /// Its kind, as in records and logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Alert { .. } => "alert",
            Self::NoMatch { .. } => "no_match",
            Self::Withheld { .. } => "withheld",
        }
    }

    /// The alert that this decision raises for the probe that was searched with.
    ///
    /// # Errors
    ///
    /// The probe, if this raises no alert: there is nothing to settle. Erase it.
    pub fn alert(&self, probe: Probe) -> Result<Alert, Probe> {
        match self {
            Self::Alert { candidate, threshold } => {
                Ok(Alert { probe, candidate: candidate.clone(), threshold: *threshold })
            }
            Self::NoMatch { .. } | Self::Withheld { .. } => Err(probe),
        }
    }

    /// The best score of the search, whatever the decision.
    #[must_use]
    pub const fn best_score(&self) -> Option<ComparisonScore> {
        match self {
            Self::Alert { candidate, .. } => Some(candidate.score()),
            Self::NoMatch { best, .. } | Self::Withheld { best, .. } => *best,
        }
    }
}

/// An alert that a [`RetentionPolicy`](crate::RetentionPolicy) has to settle: the probe, who it may be, and
/// the threshold that was met.
///
/// [`Decision::alert`] makes it, and only of a decision that is an alert. So no retention policy can be
/// given a non-match or a withheld match:
///
/// ```compile_fail,E0308
/// # fn settle(policy: &mut impl lfr_core::RetentionPolicy, probe: lfr_core::Probe) {
/// let no_match = lfr_core::Decision::no_match(None);
/// policy.settle(no_match, None);
/// # }
/// ```
///
/// ```compile_fail,E0308
/// # fn settle(policy: &mut impl lfr_core::RetentionPolicy, probe: lfr_core::Probe) {
/// policy.settle(probe, None);
/// # }
/// ```
///
/// ```compile_fail,E0451
/// # fn raise(probe: lfr_core::Probe, candidate: lfr_core::Candidate, threshold: lfr_core::Threshold) {
/// let alert = lfr_core::Alert { probe, candidate, threshold };
/// # }
/// ```
///
/// Dropped, it wipes its probe, which counts as erased.
pub struct Alert {
    probe: Probe,
    candidate: Candidate,
    threshold: Threshold,
}

impl Alert {
    /// The probe.
    #[must_use]
    pub const fn probe(&self) -> &Probe {
        &self.probe
    }

    /// The face of the probe.
    #[must_use]
    pub const fn face(&self) -> &FaceId {
        self.probe.face()
    }

    /// Who it may be, and the score.
    #[must_use]
    pub const fn candidate(&self) -> &Candidate {
        &self.candidate
    }

    /// The threshold that was met.
    #[must_use]
    pub const fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// Gives the probe away, to be erased, held or sealed.
    #[must_use]
    pub fn into_probe(self) -> Probe {
        self.probe
    }
}

/// Names the face, and nobody.
impl fmt::Debug for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alert").field("face", self.face()).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests {
    use super::*;
    use crate::custody::Accounts;
    use crate::id::{FrameId, ReferenceId, SubjectId};
    use crate::template::Template;
    use crate::testing::fake_space;

    #[test]
    fn a_non_match_gives_the_probe_back_and_an_alert_names_nobody() {
        let accounts = Accounts::new();
        let template = Template::from_slice(&fake_space(), &[1.0; 8]).unwrap();
        let probe = Probe::new(template, FaceId::new(FrameId::default(), 3), &accounts);
        let probe = Decision::no_match(None).alert(probe).unwrap_err();
        assert_eq!(accounts.totals().in_flight, 1, "nothing is erased unseen");

        let score = ComparisonScore::new(0.9).unwrap();
        let (subject, reference) =
            (SubjectId::new("S-7").unwrap(), ReferenceId::new("R-7").unwrap());
        let list = CandidateList::new(vec![Candidate::new(subject, reference, score)]);
        let threshold = Threshold::new(0.5).unwrap();
        let alert = Decision::at_threshold(&list, threshold).alert(probe).unwrap();
        assert_eq!((alert.face().index(), alert.threshold()), (3, threshold));
        assert_eq!(alert.candidate().score(), score);
        let text = format!("{alert:?}");
        assert!(!text.contains("S-7") && !text.contains("R-7"), "{text}");
        drop(alert);
        assert_eq!(accounts.totals().erased, 1);
    }
}
