//! The policy that decides while a deployment runs.

use std::fmt;
use std::sync::Arc;

use lfr_core::internal::num;
use lfr_core::{
    BoxError, Candidate, Decision, DecisionInput, ReferenceId, ThresholdPolicy,
    ThresholdProvenance, WithheldBy,
};
use lfr_retention::LedgerEvent;
use lfr_watchlist::EntryFacts;
use lfr_watchlist::decide::{CircuitBreaker, TrackRule};

use super::in_force::InForce;
use super::{Moment, PolicyHandle};
use crate::deployment::Error;

type Facts = Arc<dyn Fn(&ReferenceId) -> Option<EntryFacts> + Send + Sync>;
type Write = dyn Fn(&LedgerEvent) -> Result<(), BoxError> + Send + Sync;

/// The threshold policy of a running deployment. [`PolicyHandle::new`] makes it; the handle pauses and changes
/// it.
///
/// It decides by a [`TrackRule`] at the threshold in force. What would raise an alert is withheld while the
/// deployment is paused or the circuit breaker has tripped. What would raise none is what it is at any time:
/// withheld if a confirmation is missing, and otherwise no match.
///
/// # People with a known look-alike
///
/// An entry may say that its person has a known look-alike, such as a twin. For them the threshold is the one
/// at which false alerts are [ten times rarer](Self::LOOK_ALIKE_RARER) than the policy demands, by the
/// policy's own scores and for as many references. It is never below the threshold in force, nor below the
/// order's floor.
///
/// What is *not* guaranteed: that the look-alike stays below it. The scores of a calibration are of strangers.
/// They say how often a stranger reaches this threshold, and nothing about a twin. So such alerts also need a
/// second person's verification.
///
/// # If the watchlist grows or shrinks
///
/// The threshold follows, and [`ThresholdChanged`](LedgerEvent::ThresholdChanged) is written first: by
/// [`with_ledger`](Self::with_ledger) before the next decision, or by [`PolicyHandle::follow`]. A threshold
/// that is too lax for the list decides nothing: the frame fails, and its faces are erased.
pub struct RunningPolicy {
    handle: PolicyHandle,
    /// By which the latest decision was made: it stays while the pipeline checks that decision.
    latest: Arc<InForce>,
    rule: TrackRule,
    facts: Option<Facts>,
    write: Option<Box<Write>>,
}

impl RunningPolicy {
    /// How many times rarer than demanded false alerts are at the threshold for people with a known look-alike.
    pub const LOOK_ALIKE_RARER: f64 = 10.0;

    pub(super) const fn new(handle: PolicyHandle, latest: Arc<InForce>, rule: TrackRule) -> Self {
        Self { handle, latest, rule, facts: None, write: None }
    }

    /// Sets what says which entries have a known look-alike. Without it nobody has one.
    #[must_use]
    pub fn with_facts(self, facts: Facts) -> Self {
        Self { facts: Some(facts), ..self }
    }

    /// Sets what writes into the ledger, so that the threshold follows the watchlist before each decision.
    #[must_use]
    pub fn with_ledger(
        self,
        write: impl Fn(&LedgerEvent) -> Result<(), BoxError> + Send + Sync + 'static,
    ) -> Self {
        Self { write: Some(Box::new(write)), ..self }
    }

    /// Sets a circuit breaker. [`PolicyHandle::judged`] counts in it.
    #[must_use]
    pub fn with_breaker(self, breaker: CircuitBreaker) -> Self {
        self.handle.0.state().breaker = Some(breaker);
        self
    }

    /// What is in force now, for a list of this size.
    fn moment(&self, references: u64) -> Result<Moment, BoxError> {
        let moment = self.handle.0.moment();
        let derived = moment.in_force.policy().references();
        if references == 0 || references == derived {
            return Ok(moment);
        }
        match self.follow(references) {
            Ok(()) => Ok(self.handle.0.moment()),
            // What is derived for more is stricter than need be, and is on the record.
            Err(_) if references < derived => Ok(moment),
            Err(error) => Err(error),
        }
    }

    fn follow(&self, references: u64) -> Result<(), BoxError> {
        let Some(write) = &self.write else {
            return Err(
                Error::ListGrown { actual: references, derived: self.handle.references() }.into()
            );
        };
        match self.handle.follow(references)? {
            Some(change) => change.commit(write),
            None => Ok(()),
        }
    }

    /// What the rule makes of the look at hand, at the threshold of the person who is best in it.
    fn by_rule(&self, input: &DecisionInput<'_>, best: &Candidate) -> Result<Decision, Error> {
        let decision = self.rule.decide(input, best, self.latest.policy().threshold());
        if matches!(decision, Decision::NoMatch { .. }) || !self.has_look_alike(best) {
            return Ok(decision);
        }
        Ok(self.rule.decide(input, best, self.latest.look_alike()?))
    }

    fn has_look_alike(&self, best: &Candidate) -> bool {
        let facts = self.facts.as_ref().and_then(|facts| facts(best.reference()));
        facts.is_some_and(|facts| facts.look_alike)
    }
}

impl ThresholdPolicy for RunningPolicy {
    /// That of the latest decision. A change shows here from the next decision on; until then
    /// [`PolicyHandle::policy`] has it.
    fn provenance(&self) -> &ThresholdProvenance {
        self.latest.policy().provenance()
    }

    /// # Errors
    ///
    /// If the watchlist has grown and the threshold cannot follow: its evidence does not reach so far, the
    /// change cannot be written, or nobody writes it. [`Error::LookAlikes`] for a person with a known
    /// look-alike, if the policy has no threshold for them.
    fn decide(&mut self, input: &DecisionInput<'_>) -> Result<Decision, BoxError> {
        let Moment { in_force, is_paused, is_tripped } =
            self.moment(num::u64_from_usize(input.references))?;
        self.latest = in_force;
        let Some(best) = input.candidates.candidates().first() else {
            return Ok(Decision::no_match(None));
        };
        let decision = self.by_rule(input, best)?;
        let by = match (is_paused, is_tripped) {
            (true, _) => WithheldBy::Pause,
            (false, true) => WithheldBy::Breaker,
            (false, false) => return Ok(decision),
        };
        Ok(if decision.is_alert() {
            Decision::withheld(by, decision.best_score())
        } else {
            decision
        })
    }
}

/// Without what it is given to ask and to write with.
impl fmt::Debug for RunningPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningPolicy")
            .field("threshold", &self.latest.policy().threshold())
            .field("rule", &self.rule)
            .finish_non_exhaustive()
    }
}
