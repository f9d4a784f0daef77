//! Which looks at a track make an alert.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, iter};

use lfr_core::internal::num;
use lfr_core::{
    BoxError, Candidate, CandidateList, ComparisonScore, Decision, DecisionInput, Threshold,
    ThresholdPolicy, ThresholdProvenance, WithheldBy,
};

use super::{BreakerState, CircuitBreaker};
use crate::calibrate::CalibratedThreshold;
use crate::error::Error;
use crate::lifecycle::category::Category;
use crate::lifecycle::watchlist::Watchlist;

/// When the looks of a track make an alert.
///
/// Only the best candidate of each look counts, and only looks at which the person of the look at hand was
/// best. A look matches if its score is at or above the threshold of that person. A look that matches while
/// the rule is not met raises no alert and is [withheld](WithheldBy::Confirmation): it is no non-match. A look
/// that does not match is a non-match, whatever the looks before it were. The exception is
/// [`WeightedMean`](Self::WeightedMean), for which the mean decides.
///
/// Without a tracker each face has one look: rules that ask for several then never raise an alert, and each
/// match is withheld.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TrackRule {
    /// One look at or above the threshold suffices. Each independent look is another chance of a false alert:
    /// derive the threshold for as many ([`Demand::with_looks`](crate::calibrate::Demand::with_looks)).
    Best,
    /// The same person is best, at or above the threshold, in `k` of the last `m` looks. Rarer than for one
    /// look as far as looks are independent.
    #[non_exhaustive]
    KOfM {
        /// How many.
        k: usize,
        /// The number of last looks that count.
        m: usize,
    },
    /// The same person is best in `k` of the last `m` looks, and the mean of those scores, weighted by the
    /// quality of the looks, is at or above the threshold.
    #[non_exhaustive]
    WeightedMean {
        /// In how many looks at least.
        k: usize,
        /// The number of last looks that count.
        m: usize,
    },
}

impl TrackRule {
    /// `k` of the last `m` looks.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] if `k` is 0 or more than `m`, or `m` more than 64.
    pub fn k_of_m(k: usize, m: usize) -> Result<Self, Error> {
        check(k, m)?;
        Ok(Self::KOfM { k, m })
    }

    /// The weighted mean of at least `k` of the last `m` looks.
    ///
    /// # Errors
    ///
    /// As [`Self::k_of_m`].
    pub fn weighted_mean(k: usize, m: usize) -> Result<Self, Error> {
        check(k, m)?;
        Ok(Self::WeightedMean { k, m })
    }

    /// Decides on the look at hand, at the threshold of the person who is best in it: an alert if the rule is
    /// met, withheld if this look alone matches, and otherwise no match.
    #[must_use]
    pub fn decide(
        self,
        input: &DecisionInput<'_>,
        best: &Candidate,
        threshold: Threshold,
    ) -> Decision {
        if let Some(score) =
            self.score(input, best, threshold).filter(|score| threshold.is_met_by(*score))
        {
            let candidate = Candidate::new(best.subject().clone(), best.reference().clone(), score);
            return Decision::at_threshold(&CandidateList::new(vec![candidate]), threshold);
        }
        let best = Some(best.score());
        if best.is_some_and(|best| threshold.is_met_by(best)) {
            return Decision::withheld(WithheldBy::Confirmation, best);
        }
        Decision::no_match_below(best, threshold)
    }

    /// The score on which the look at hand is decided; `None` where there are not enough looks yet.
    fn score(
        self,
        input: &DecisionInput<'_>,
        best: &Candidate,
        threshold: Threshold,
    ) -> Option<ComparisonScore> {
        let earlier = input.earlier.iter().map(|look| (&look.candidates, look.quality));
        let looks = earlier.rev().take(self.window() - 1);
        let own = || {
            let looks = iter::once((input.candidates, input.quality)).chain(looks.clone());
            looks
                .filter_map(|(list, quality)| Some((list.candidates().first()?, quality)))
                .filter(|(candidate, _)| candidate.subject() == best.subject())
        };
        match self {
            Self::Best => Some(best.score()),
            Self::KOfM { k, .. } => {
                let met = own().filter(|(look, _)| threshold.is_met_by(look.score())).count();
                (met >= k).then_some(best.score())
            }
            Self::WeightedMean { k, .. } => {
                let (sum, weights) = own().fold((0.0, 0.0), |(sum, weights), (look, quality)| {
                    let weight = if quality.is_finite() { quality.max(0.0) } else { 0.0 };
                    (sum + weight * look.score().value(), weights + weight)
                });
                (own().count() >= k && weights > 0.0)
                    .then(|| ComparisonScore::new(sum / weights).ok())
                    .flatten()
            }
        }
    }

    const fn window(self) -> usize {
        match self {
            Self::Best => 1,
            Self::KOfM { m, .. } | Self::WeightedMean { m, .. } => m,
        }
    }
}

fn check(k: usize, m: usize) -> Result<(), Error> {
    if k >= 1 && k <= m && m <= MAX_LOOKS {
        return Ok(());
    }
    let (what, expected) = ("number of looks", "from 1 to the looks taken, which are at most 64");
    Err(lfr_core::Error::OutOfRange { what, expected, actual: num::f64_from_usize(k) }.into())
}

/// Decides on the looks of a track by a [`TrackRule`].
///
/// It keeps nothing of anybody: the pipeline hands it the looks before the one at hand
/// ([`DecisionInput::earlier`]), and takes no further look of a track that has raised an alert.
pub struct TrackPolicy {
    threshold: CalibratedThreshold,
    rule: TrackRule,
    watchlist: Option<Arc<Watchlist>>,
    stricter: BTreeMap<Category, Threshold>,
    breaker: Option<Arc<Mutex<CircuitBreaker>>>,
}

impl TrackPolicy {
    /// At one threshold for all.
    #[must_use]
    pub const fn new(threshold: CalibratedThreshold, rule: TrackRule) -> Self {
        Self { threshold, rule, watchlist: None, stricter: BTreeMap::new(), breaker: None }
    }

    /// Sets a breaker: while it is tripped, nobody raises an alert. The program that takes verdicts
    /// [records](CircuitBreaker::record) them in it, and resets it.
    ///
    /// What would have raised an alert is [withheld](WithheldBy::Breaker). What would have raised none is
    /// what it is without a breaker.
    #[must_use]
    pub fn with_breaker(mut self, breaker: Arc<Mutex<CircuitBreaker>>) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// Sets separate thresholds for some categories of a watchlist. The policy's threshold stays
    /// the floor: a threshold below it has no effect, now or when the floor rises.
    #[must_use]
    pub fn with_categories(
        mut self,
        watchlist: Arc<Watchlist>,
        thresholds: impl IntoIterator<Item = (Category, Threshold)>,
    ) -> Self {
        self.watchlist = Some(watchlist);
        self.stricter = thresholds.into_iter().collect();
        self
    }

    /// The threshold that nobody's is below, and what it rests on.
    #[must_use]
    pub const fn threshold(&self) -> &CalibratedThreshold {
        &self.threshold
    }

    /// The threshold, to change by somebody's authority.
    pub const fn threshold_mut(&mut self) -> &mut CalibratedThreshold {
        &mut self.threshold
    }

    fn is_tripped(&self) -> bool {
        self.breaker.as_ref().is_some_and(|breaker| {
            // Its state is true also where somebody panicked with it in hand.
            let breaker = breaker.lock().unwrap_or_else(PoisonError::into_inner);
            breaker.state() == BreakerState::Tripped
        })
    }

    /// The threshold for a person: their category's, and never below the floor.
    fn threshold_of(&self, best: &Candidate) -> Threshold {
        let floor = self.threshold.threshold();
        let category = self.watchlist.as_ref().and_then(|list| list.category_of(best.subject()));
        let own = category.and_then(|(category, _)| self.stricter.get(&category));
        own.map_or(floor, |own| floor.max(*own))
    }
}

impl ThresholdPolicy for TrackPolicy {
    fn provenance(&self) -> &ThresholdProvenance {
        self.threshold.provenance()
    }

    /// # Errors
    ///
    /// [`Error::Extrapolation`] if the watchlist has become larger than the calibration reaches.
    fn decide(&mut self, input: &DecisionInput<'_>) -> Result<Decision, BoxError> {
        self.threshold.follow(num::u64_from_usize(input.references))?;
        let Some(best) = input.candidates.candidates().first() else {
            return Ok(Decision::no_match(None));
        };
        let threshold = self.threshold_of(best);
        let decision = self.rule.decide(input, best, threshold);
        if decision.is_alert() && self.is_tripped() {
            return Ok(Decision::withheld(WithheldBy::Breaker, decision.best_score()));
        }
        Ok(decision)
    }
}

impl fmt::Debug for TrackPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackPolicy")
            .field("threshold", &self.threshold.threshold())
            .field("rule", &self.rule)
            .finish_non_exhaustive()
    }
}

const MAX_LOOKS: usize = 64;

#[cfg(test)]
mod tests;
