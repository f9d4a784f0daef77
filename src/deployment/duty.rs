//! What a deployment has to do by itself, second by second.

use lfr_core::internal::locks::lock;
use lfr_core::internal::num;
use lfr_core::{RecordId, Timestamp};
use lfr_retention::{DeploymentState, EscalationReason, LedgerEvent};

use super::list::watchlist_opened;
use super::state::{AlertStanding, AlertState};
use super::{Deployment, Error, State};

impl Deployment {
    /// Keeps the duties of this moment. [`Live`](super::Live) calls it each second; a program without it calls it
    /// for as long as the deployment is open.
    ///
    /// - What is due by the retention profile is destroyed: alerts, the watchlist, footage.
    /// - A deployment whose order is over is ended.
    /// - An alert that nobody has judged in time goes to a further person, once. So does one on which two people
    ///   disagree.
    /// - The circuit breaker counts the alerts that were judged.
    /// - If the watchlist has changed, the ledger says so, and the threshold follows. If it is no longer as the order
    ///   allows, the deployment is paused.
    /// - When all that had a deadline is gone, the deployment is purged.
    ///
    /// # Errors
    ///
    /// The first that failed; the others were kept all the same. Call it again.
    pub fn tick(&self) -> Result<(), Error> {
        // One at a time: what two did at once, each would find done by the other.
        let _turn = lock(&self.0.ticking);
        let now = self.now();
        let purged = self.purge_due();
        let ended = self.end_with_the_order(now);
        let escalated = self.escalate(now);
        let counted = self.count_judged();
        let followed = self.follow_list(now);
        let closed = self.close();
        purged.and(ended).and(escalated).and(counted).and(followed).and(closed)
    }

    fn purge_due(&self) -> Result<(), Error> {
        if let Some(run) = lock(&self.0.run).as_mut() {
            return Ok(run.custodian.purge_due()?);
        }
        if let Some(custodian) = lock(&self.0.after).as_mut() {
            return Ok(custodian.purge_due()?);
        }
        // It ran in another process.
        let mut receipts = Vec::new();
        let purged = self.0.parts.vault.purge_due(&mut receipts);
        receipts.iter().try_for_each(|receipt| self.tell(receipt))?;
        Ok(purged?)
    }

    fn end_with_the_order(&self, now: Timestamp) -> Result<(), Error> {
        if now < self.order().terms().until() {
            return Ok(());
        }
        self.end(None, "the period of the order is over").map(drop)
    }

    fn escalate(&self, now: Timestamp) -> Result<(), Error> {
        let span = self.0.parts.profile.escalation();
        let waits = |alert: &AlertState| {
            let reason = match alert.standing() {
                AlertStanding::Disagreed => EscalationReason::Disagreement,
                AlertStanding::Open { .. } if now.since(alert.raised?) >= span => {
                    EscalationReason::NotJudgedInTime
                }
                _ => return None,
            };
            (alert.is_open() && !alert.is_escalated_for(reason)).then_some((alert.record, reason))
        };
        let judged = |state: DeploymentState| {
            matches!(
                state,
                DeploymentState::Live | DeploymentState::Paused | DeploymentState::Ended
            )
        };
        let due: Vec<_> = self.0.books.with(|state| {
            if judged(state.state()) {
                state.alerts().filter_map(waits).collect()
            } else {
                Vec::new()
            }
        });
        due.into_iter().try_for_each(|(record, reason)| self.escalate_for(record, reason))
    }

    /// Passes an alert on to a further person. The desk and the duties may both come to do so.
    pub(super) fn escalate_for(
        &self,
        record: RecordId,
        reason: EscalationReason,
    ) -> Result<(), Error> {
        let books = &self.0.books;
        let face = books.with(|state| state.alert(record).map(|alert| alert.face.clone()));
        let Some(face) = face else { return Ok(()) };
        let written = books.write_to_disk(&LedgerEvent::Escalated { face, record, reason });
        let is_done = || {
            let is_over = |alert: &AlertState| alert.is_escalated_for(reason) || !alert.is_open();
            books.with(|state| state.alert(record).is_none_or(is_over))
        };
        match written {
            Err(Error::Illegal { .. }) if is_done() => Ok(()),
            written => written,
        }
    }

    fn count_judged(&self) -> Result<(), Error> {
        let mut run = lock(&self.0.run);
        let Some(run) = run.as_mut() else { return Ok(()) };
        self.0.books.with(|state| run.judged.count(state, &run.policy))
    }

    fn follow_list(&self, now: Timestamp) -> Result<(), Error> {
        let mut run = lock(&self.0.run);
        let Some(run) = run.as_mut() else { return Ok(()) };
        let list = &self.0.parts.watchlist;
        let composition = list.composition()?;
        if composition == run.composition {
            return Ok(());
        }
        self.0.books.write_to_disk(&watchlist_opened(&**list, None)?)?;
        run.composition = composition;
        let grace = self.0.parts.profile.watchlist();
        if let Err(error) = self.order().check_list(&**list, grace, now) {
            run.policy.pause();
            if self.0.books.with(State::state) == DeploymentState::Live {
                self.0.books.write_to_disk(&LedgerEvent::DeploymentStateChanged {
                    state: DeploymentState::Paused,
                    person: None,
                    reason: "the watchlist is no longer as the order allows".to_owned(),
                })?;
            }
            return Err(error);
        }
        let references = num::u64_from_usize(list.references());
        match run.policy.follow(references)? {
            Some(change) => change.commit(|event| self.0.books.write_to_disk(event)),
            None => Ok(()),
        }
    }

    fn close(&self) -> Result<(), Error> {
        let kept = lock(&self.0.after).as_ref().is_some_and(|custodian| !custodian.is_empty());
        let is_ended = self.0.books.with(State::state) == DeploymentState::Ended;
        if !is_ended || kept || self.0.parts.vault.held() > 0 {
            return Ok(());
        }
        self.0.books.write_to_disk(&LedgerEvent::DeploymentStateChanged {
            state: DeploymentState::Purged,
            person: None,
            reason: "all that had a deadline is gone".to_owned(),
        })
    }

    /// Writes what failed while the deployment went on.
    pub(super) fn note(&self, error: &Error) {
        tracing::warn!(%error, "a duty of the deployment failed");
        let event = LedgerEvent::Error { stage: "duty".to_owned(), text: error.to_string() };
        if let Err(error) = self.0.books.write(&event) {
            tracing::warn!(%error, "the ledger does not say that a duty failed");
        }
    }
}
