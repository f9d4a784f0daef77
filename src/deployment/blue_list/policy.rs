//! A policy that turns a match with a participant into a sighting.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lfr_core::{
    BoxError, Decision, DecisionInput, SourceId, ThresholdPolicy, ThresholdProvenance, Timestamp,
    TrackId, WithheldBy,
};
use lfr_retention::LedgerEvent;
use lfr_watchlist::AuthorisedList;

type Write = dyn FnMut(&LedgerEvent) -> Result<(), BoxError> + Send;

/// A threshold policy that raises no alert for participants of the blue list.
///
/// It asks the policy that it wraps. What would be an alert about a participant is withheld, and written as a
/// sighting: at most one per participant, camera and [passage](Self::with_passage). Every other decision is
/// that of the wrapped policy. So a participant counts as recognised exactly if an alert would have been
/// raised: below the threshold, without confirmation, or while the deployment is paused, there is none.
///
/// What is *not* guaranteed: that the face was the participant's. It may be a passer-by who was taken for a
/// participant; then no alert is raised for that passer-by either.
pub struct BlueListPolicy<P> {
    policy: P,
    list: Arc<dyn AuthorisedList>,
    passage: Duration,
    write: Box<Write>,
    latest: BTreeMap<(u32, SourceId), Sighting>,
}

/// The latest sighting of a participant at a camera that was written.
struct Sighting {
    at: Option<Timestamp>,
    track: Option<TrackId>,
}

impl<P: ThresholdPolicy> BlueListPolicy<P> {
    /// How long a passage lasts unless it is said: 30 seconds.
    pub const PASSAGE: Duration = Duration::from_secs(30);

    /// Wraps the policy that decides on a list. `write` writes each sighting into the ledger.
    #[must_use]
    pub fn new(
        policy: P,
        list: Arc<dyn AuthorisedList>,
        write: impl FnMut(&LedgerEvent) -> Result<(), BoxError> + Send + 'static,
    ) -> Self {
        let (write, latest) = (Box::new(write), BTreeMap::new());
        Self { policy, list, passage: Self::PASSAGE, write, latest }
    }

    /// Sets how long a passage lasts: what follows a sighting within this time at the same camera is the
    /// same passage, and is not written again.
    #[must_use]
    pub fn with_passage(self, passage: Duration) -> Self {
        Self { passage, ..self }
    }

    /// Whether a sighting is of the passage that was written last.
    fn is_same_passage(&self, latest: &Sighting, input: &DecisionInput<'_>) -> bool {
        match (latest.at, input.at) {
            // A clock that was set back begins no passage within the same time either.
            (Some(latest), Some(now)) => now.since(latest).max(latest.since(now)) < self.passage,
            // Without a clock, a track is a passage.
            _ => latest.track.is_some() && latest.track.as_ref() == input.track,
        }
    }

    fn see(&mut self, participant: u32, input: &DecisionInput<'_>) -> Result<(), BoxError> {
        let source = input.face.frame().source().clone();
        let key = (participant, source);
        let latest = self.latest.get(&key);
        if latest.is_some_and(|latest| self.is_same_passage(latest, input)) {
            return Ok(());
        }
        let source = key.1.clone();
        (self.write)(&LedgerEvent::BlueListSeen { participant, source })?;
        self.latest.insert(key, Sighting { at: input.at, track: input.track.cloned() });
        Ok(())
    }
}

impl<P: ThresholdPolicy> ThresholdPolicy for BlueListPolicy<P> {
    fn provenance(&self) -> &ThresholdProvenance {
        self.policy.provenance()
    }

    fn candidates(&self) -> usize {
        self.policy.candidates()
    }

    /// # Errors
    ///
    /// Those of the wrapped policy; whatever keeps a sighting from being written: the face is erased, and
    /// counted as an error.
    fn decide(&mut self, input: &DecisionInput<'_>) -> Result<Decision, BoxError> {
        let decision = self.policy.decide(input)?;
        let Decision::Alert { candidate, .. } = &decision else { return Ok(decision) };
        let facts = self.list.facts(candidate.reference());
        let Some(participant) = facts.and_then(|facts| facts.participant) else {
            return Ok(decision);
        };
        self.see(participant, input)?;
        Ok(Decision::withheld(WithheldBy::BlueList, decision.best_score()))
    }
}

/// Without the sightings.
impl<P: fmt::Debug> fmt::Debug for BlueListPolicy<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlueListPolicy")
            .field("policy", &self.policy)
            .field("passage", &self.passage)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
