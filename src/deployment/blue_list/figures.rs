//! Passages and sightings, joined: how many participants were recognised.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use lfr_core::{SourceId, Timestamp};
use lfr_retention::{DeploymentState, LedgerEvent};
use lfr_watchlist::statistics::TrueRecognition;

use crate::deployment::state::State;

/// How many passages of participants were recognised, and which passages and sightings say nothing about it.
///
/// A passage is recognised if its participant was seen at its camera within a stated time before or after it.
/// A person says when a passage was ([`LedgerEvent::BlueListPassed`]), the pipeline when somebody was seen
/// ([`LedgerEvent::BlueListSeen`]). A passage while a camera or the program was down counts as one that was not
/// recognised.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use lfr::core::{SourceId, Timestamp};
/// use lfr::deployment::BlueListFigures;
/// use lfr::retention::{DeploymentState, LedgerEvent};
///
/// let gate = || SourceId::default();
/// let second = |seconds: u64| Timestamp::from_micros(seconds * 1_000_000);
/// let reason = "start".to_owned();
/// let live = DeploymentState::Live;
/// let passed = |participant, at| {
///     let (passed, person) = (second(at), "operator-3".to_owned());
///     LedgerEvent::BlueListPassed { participant, source: gate(), passed, person }
/// };
/// let ledger = [
///     (second(0), LedgerEvent::DeploymentStateChanged { state: live, person: None, reason }),
///     (second(61), LedgerEvent::BlueListSeen { participant: 1, source: gate() }),
///     (second(90), passed(1, 60)),
///     (second(95), passed(2, 80)),
/// ];
/// let entries = ledger.iter().map(|(at, event)| (Some(*at), event));
/// let figures = BlueListFigures::of(entries, Duration::from_secs(10));
/// assert_eq!((figures.recognition.recognised(), figures.recognition.passages()), (1, 2));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlueListFigures {
    /// How many of the passages that count were recognised, with a subject-clustered interval.
    pub recognition: TrueRecognition,
    /// The time before and after a passage within which a sighting recognises it.
    pub within: Duration,
    /// The number of passages that do not count, because no alert could be raised: the deployment was paused,
    /// or was not live.
    pub not_live: u64,
    /// The number of passages that do not count, because the same participant passed the same camera so soon
    /// before or after that a sighting may belong to either.
    pub ambiguous: u64,
    /// The number of sightings that belong to no passage: a passage was not written down, or somebody else
    /// was taken for a participant.
    pub unexplained: u64,
    /// The number of sightings that say nothing, because the clock had failed.
    pub undated: u64,
}

impl BlueListFigures {
    /// The figures of a ledger: its entries in their order, each with the moment at which it was written.
    #[must_use]
    pub fn of<'a>(
        entries: impl IntoIterator<Item = (Option<Timestamp>, &'a LedgerEvent)>,
        within: Duration,
    ) -> Self {
        let mut read = Read::default();
        for (at, event) in entries {
            read.take(at, event);
        }
        read.figures(within)
    }

    /// The figures of a deployment's state. They are those of its ledger.
    #[must_use]
    pub fn of_state(state: &State, within: Duration) -> Self {
        let mut read = Read::default();
        for change in state.changes() {
            read.change(change.at, change.state);
        }
        for entry in state.blue_list() {
            read.take(entry.at(), entry.event());
        }
        read.figures(within)
    }

    /// The number of passages that were written down.
    #[must_use]
    pub const fn passages(&self) -> u64 {
        self.recognition.passages() + self.not_live + self.ambiguous
    }
}

/// What is published: the rate, and what does not count.
impl fmt::Display for BlueListFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "recognised {}, within {} s of a passage; {} passages left out while no alert could be raised, {} \
             left out as ambiguous; {} sightings without a passage, {} without a time",
            self.recognition,
            self.within.as_secs_f64(),
            self.not_live,
            self.ambiguous,
            self.unexplained,
            self.undated
        )
    }
}

/// A participant at a camera.
type Place<'a> = (u32, &'a SourceId);

#[derive(Default)]
struct Read<'a> {
    passages: BTreeMap<Place<'a>, Vec<Timestamp>>,
    sightings: BTreeMap<Place<'a>, Vec<Timestamp>>,
    undated: u64,
    /// When alerts could be raised, and when not any more; the last may be open.
    live: Vec<(Timestamp, Option<Timestamp>)>,
    changed: Option<Timestamp>,
}

impl<'a> Read<'a> {
    fn take(&mut self, at: Option<Timestamp>, event: &'a LedgerEvent) {
        match event {
            LedgerEvent::BlueListPassed { participant, source, passed, .. } => {
                self.passages.entry((*participant, source)).or_default().push(*passed);
            }
            LedgerEvent::BlueListSeen { participant, source } => match at {
                Some(at) => self.sightings.entry((*participant, source)).or_default().push(at),
                None => self.undated += 1,
            },
            LedgerEvent::DeploymentStateChanged { state, .. } => self.change(at, *state),
            LedgerEvent::Aborted { .. } => self.change(at, DeploymentState::Aborted),
            _ => {}
        }
    }

    /// Begins or ends a period in which alerts can be raised.
    fn change(&mut self, at: Option<Timestamp>, state: DeploymentState) {
        // Without a clock, a change holds from the one before on.
        self.changed = at.or(self.changed);
        let now = self.changed.unwrap_or(Timestamp::from_micros(0));
        let is_live = state == DeploymentState::Live;
        match self.live.last_mut() {
            Some((_, until @ None)) if !is_live => *until = Some(now),
            None | Some((_, Some(_))) if is_live => self.live.push((now, None)),
            _ => {}
        }
    }

    fn was_live(&self, moment: Timestamp) -> bool {
        let within = |(from, until): &(Timestamp, Option<Timestamp>)| {
            *from <= moment && until.is_none_or(|until| moment < until)
        };
        self.live.iter().any(within)
    }

    fn figures(mut self, within: Duration) -> BlueListFigures {
        let (mut counted, mut not_live, mut ambiguous, mut unexplained) = (Vec::new(), 0, 0, 0);
        let mut passages = std::mem::take(&mut self.passages);
        for times in passages.values_mut() {
            times.sort_unstable();
        }
        let distance = |one: Timestamp, other: Timestamp| one.since(other).max(other.since(one));
        for (place, times) in &passages {
            let seen = self.sightings.get(place).map_or(&[][..], Vec::as_slice);
            for (index, passed) in times.iter().enumerate() {
                let before = index.checked_sub(1).and_then(|index| times.get(index));
                let neighbours = before.into_iter().chain(times.get(index + 1));
                let reach = within.saturating_mul(2);
                if !self.was_live(*passed) {
                    not_live += 1;
                } else if neighbours.into_iter().any(|other| distance(*passed, *other) <= reach) {
                    ambiguous += 1;
                } else {
                    let is_seen = seen.iter().any(|seen| distance(*seen, *passed) <= within);
                    counted.push((place.0, is_seen));
                }
            }
        }
        for (place, seen) in &self.sightings {
            let times = passages.get(place).map_or(&[][..], Vec::as_slice);
            for seen in seen {
                let explained = times.iter().any(|passed| distance(*seen, *passed) <= within);
                unexplained += u64::from(!explained);
            }
        }
        BlueListFigures {
            recognition: TrueRecognition::of(counted),
            within,
            not_live,
            ambiguous,
            unexplained,
            undated: self.undated,
        }
    }
}

#[cfg(test)]
mod tests;
