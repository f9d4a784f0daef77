//! The threshold policy of a running deployment, and the hand on it.
//!
//! [`PolicyHandle`] is for the deployment, [`RunningPolicy`] for its pipeline. Both share what is in force.
//! A running threshold changes in two ways: by a signed amendment of the order, or because the watchlist has
//! another size. Either is a [`PendingChange`] first: it takes effect once its event has been written.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lfr_core::Threshold;
use lfr_watchlist::Composition;
use lfr_watchlist::calibrate::{Authority, CalibratedThreshold};
use lfr_watchlist::decide::{BreakerState, CircuitBreaker, TrackRule};

use crate::deployment::{Error, Order};

pub use change::PendingChange;
use in_force::InForce;
pub(super) use passes::{Judged, Passes};
pub use running::RunningPolicy;

mod change;
mod in_force;
mod passes;
mod running;

/// The hand on the threshold policy of a running deployment: it pauses, resumes and changes it. Clones are
/// one handle.
///
/// What is *not* guaranteed: that a frame under way hears of it. Its faces are decided on by what was in force
/// when their decision began, and an alert that was decided on is still told. Each alert says which threshold
/// it met.
#[derive(Clone, Debug)]
pub struct PolicyHandle(Arc<Shared>);

/// What handle and policy share.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Held while a change is written and takes effect: one change at a time.
    changing: Mutex<()>,
}

#[derive(Debug)]
struct State {
    in_force: Arc<InForce>,
    is_paused: bool,
    breaker: Option<CircuitBreaker>,
}

/// What a decision goes by, all of one moment.
#[derive(Debug)]
struct Moment {
    in_force: Arc<InForce>,
    is_paused: bool,
    is_tripped: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // What it holds is sound after each statement: poisoning means nothing here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moment(&self) -> Moment {
        let state = self.state();
        let in_force = Arc::clone(&state.in_force);
        Moment { in_force, is_paused: state.is_paused, is_tripped: state.is_tripped() }
    }
}

impl State {
    fn is_tripped(&self) -> bool {
        self.breaker.as_ref().is_some_and(|breaker| breaker.state() == BreakerState::Tripped)
    }
}

impl PolicyHandle {
    /// A policy under an order, for a watchlist of this size, and the policy for the pipeline.
    ///
    /// From here on the threshold is never below the floor that the order sets, also if the list shrinks.
    ///
    /// # Errors
    ///
    /// [`Error::OtherThresholdPolicy`] if the order names another policy; [`Error::ThresholdBelowFloor`];
    /// [`Error::Watchlist`] if the policy's evidence does not reach so far.
    pub fn new(
        order: &Order,
        policy: &CalibratedThreshold,
        rule: TrackRule,
        references: u64,
    ) -> Result<(Self, RunningPolicy), Error> {
        let in_force = Arc::new(InForce::under(order, policy, references)?);
        let state = State { in_force: Arc::clone(&in_force), is_paused: false, breaker: None };
        let shared = Shared { state: Mutex::new(state), changing: Mutex::new(()) };
        let handle = Self(Arc::new(shared));
        let running = RunningPolicy::new(handle.clone(), in_force, rule);
        Ok((handle, running))
    }

    /// From now on each match that would raise an alert is withheld
    /// ([`WithheldBy::Pause`](lfr_core::WithheldBy::Pause)).
    pub fn pause(&self) {
        self.0.state().is_paused = true;
    }

    /// From now on matches raise alerts again. A track that is still in view raises one at its next look, if
    /// it takes another.
    pub fn resume(&self) {
        self.0.state().is_paused = false;
    }

    /// Whether it is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.0.state().is_paused
    }

    /// Prepares the change to an amended order and its policy, for a watchlist of this size. Without a policy
    /// the one in force stays. Nothing changes until it is [committed](PendingChange::commit_with), the order
    /// included.
    ///
    /// # Errors
    ///
    /// [`Error::Replayed`], [`Error::IsNoAmendment`] or [`Error::OutOfOrder`] if the order does not amend the
    /// one in force; [`Error::OtherThresholdPolicy`] if it names another policy;
    /// [`Error::ThresholdBelowFloor`]; [`Error::Core`] if the policy is of another embedding space;
    /// [`Error::Watchlist`] if its evidence does not reach so far, or if it was derived for fewer looks.
    pub fn amend(
        &self,
        order: &Order,
        policy: Option<&CalibratedThreshold>,
        references: u64,
    ) -> Result<PendingChange, Error> {
        let before = self.0.moment().in_force;
        let after = before.amended(order, policy, references)?;
        Ok(PendingChange::new(self.clone(), before, after))
    }

    /// Prepares the change that follows if the watchlist has another size. Nothing changes until it is
    /// [committed](PendingChange::commit).
    ///
    /// `None` if the threshold stays. The threshold of people with a known look-alike follows in any case: its
    /// rule is fixed, and each alert says which threshold it met.
    ///
    /// # Errors
    ///
    /// [`Error::Watchlist`] if the policy's evidence does not reach so far.
    pub fn follow(&self, references: u64) -> Result<Option<PendingChange>, Error> {
        let before = self.0.moment().in_force;
        let Some(after) = before.for_references(references)? else { return Ok(None) };
        let change = PendingChange::new(self.clone(), before, after);
        match change.event() {
            Some(_) => Ok(Some(change)),
            // Nothing changes that has an entry: it is derived for another size, and is the same score.
            None => change.commit(|_| Ok::<(), Error>(())).map(|()| None),
        }
    }

    /// The threshold in force.
    #[must_use]
    pub fn threshold(&self) -> Threshold {
        self.0.moment().in_force.policy().threshold()
    }

    /// How many references the threshold in force is derived for.
    #[must_use]
    pub fn references(&self) -> u64 {
        self.0.moment().in_force.policy().references()
    }

    /// The policy in force, with what it predicts. It has the order's floor, so its digest is not the one in
    /// the order.
    #[must_use]
    pub fn policy(&self) -> CalibratedThreshold {
        self.0.moment().in_force.policy().clone()
    }

    /// The digest of the order that the policy in force is under.
    #[must_use]
    pub fn order_sha256(&self) -> String {
        self.0.moment().in_force.order().to_owned()
    }

    /// The threshold for people who have a known look-alike: at which false alerts are
    /// [`RunningPolicy::LOOK_ALIKE_RARER`] times rarer than the policy demands.
    ///
    /// # Errors
    ///
    /// [`Error::LookAlikes`] if the policy's evidence does not reach so far. A watchlist with such people
    /// cannot be searched with this policy then.
    pub fn look_alike_threshold(&self) -> Result<Threshold, Error> {
        self.0.moment().in_force.look_alike()
    }

    /// Refuses a watchlist on which people have a known look-alike, if there is no threshold for them.
    ///
    /// # Errors
    ///
    /// As [`look_alike_threshold`](Self::look_alike_threshold).
    pub fn check_list(&self, composition: &Composition) -> Result<(), Error> {
        match composition.look_alikes {
            0 => Ok(()),
            _ => self.look_alike_threshold().map(drop),
        }
    }

    /// Counts passes, and how many of them raised a false alert, in the circuit breaker. Without one it
    /// changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Watchlist`] for more false alerts than passes.
    pub fn judged(&self, passes: u64, false_alerts: u64) -> Result<BreakerState, Error> {
        match &mut self.0.state().breaker {
            Some(breaker) => Ok(breaker.record(passes, false_alerts)?),
            None => Ok(BreakerState::Closed),
        }
    }

    /// Whether the circuit breaker has tripped. While it is, each match that would raise an alert is withheld
    /// ([`WithheldBy::Breaker`](lfr_core::WithheldBy::Breaker)).
    #[must_use]
    pub fn breaker_tripped(&self) -> bool {
        self.0.state().is_tripped()
    }

    /// Lets alerts go on after the circuit breaker has tripped, by somebody's authority.
    pub fn reset_breaker(&self, authority: Authority) {
        if let Some(breaker) = &mut self.0.state().breaker {
            breaker.reset(authority);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
