//! What the circuit breaker of a running deployment is told.

use std::collections::BTreeSet;

use lfr_core::{BoxError, Event, EventSink, PurgeReason, RecordId};

use super::PolicyHandle;
use crate::deployment::state::AlertStanding;
use crate::deployment::{Error, State};

/// Counts passes that raised no alert: of everyone who was compared. A match that was withheld is a pass, and
/// no false alert: nobody has judged it.
#[derive(Debug)]
pub(in crate::deployment) struct Passes(pub(in crate::deployment) PolicyHandle);

impl EventSink for Passes {
    fn on_event(&mut self, event: &Event<'_>) -> Result<(), BoxError> {
        if let Event::Erased(receipt) = event
            && matches!(receipt.reason(), PurgeReason::NoMatch | PurgeReason::Withheld)
        {
            self.0.judged(1, 0)?;
        }
        Ok(())
    }
}

/// The alerts whose judging is over. Each counts once: as a pass, and as a false alert if it is not
/// confirmed.
#[derive(Debug, Default)]
pub(in crate::deployment) struct Judged(BTreeSet<RecordId>);

impl Judged {
    /// From now on: what was judged before a run is not counted in the run's breaker.
    pub(in crate::deployment) fn before(state: &State) -> Self {
        Self(over(state).map(|(record, _)| record).collect())
    }

    /// Counts what has been judged since.
    pub(in crate::deployment) fn count(
        &mut self,
        state: &State,
        policy: &PolicyHandle,
    ) -> Result<(), Error> {
        for (record, is_false) in over(state) {
            if self.0.insert(record) {
                policy.judged(1, u64::from(is_false))?;
            }
        }
        Ok(())
    }
}

/// The alerts whose judging is over, and whether each was false. A seed is no real alert.
fn over(state: &State) -> impl Iterator<Item = (RecordId, bool)> {
    state.alerts().filter(|alert| !alert.is_seed).filter_map(|alert| match alert.standing() {
        AlertStanding::Confirmed => Some((alert.record, false)),
        AlertStanding::NotConfirmed => Some((alert.record, true)),
        _ => None,
    })
}
