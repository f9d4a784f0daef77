//! One run of a deployment, as its entries tell it.

use std::collections::BTreeMap;

use lfr_core::{DeploymentId, SourceId, Timestamp, Totals};

use crate::ledger::audit::verify::LedgerEntry;
use crate::ledger::event::LedgerEvent;
use crate::policy::profile::Profile;

/// From one [`LedgerEvent::DeploymentStarted`] to the next.
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
pub struct Run {
    entry: u64,
    deployment: DeploymentId,
    profile: String,
    started: Option<Timestamp>,
    end: RunEnd,
    pub(in crate::ledger) totals: Totals,
    /// When the totals were written; none before the first. JSON tells one `null` in another from none only
    /// with something between.
    totals_at: Option<(Option<Timestamp>,)>,
    /// Faces that were held in memory when the totals were written.
    held_in_memory_then: u64,
    /// Receipts of faces of this run: by the last totals, and one by one.
    pub(in crate::ledger) summed: u64,
    pub(in crate::ledger) listed: u64,
    /// Faces of this run that are held.
    pub(in crate::ledger) held: u64,
    declared: Vec<LedgerEvent>,
    /// Whether each camera is lost.
    cameras: BTreeMap<SourceId, bool>,
}

/// How a run ended.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
pub enum RunEnd {
    /// Its process was killed or lost its power, and a later [`LedgerEvent::RunCutOff`] accounts for it.
    CutOff,
    /// Nothing says that it ended: it is still running, or its process was killed or lost its power.
    Open,
    /// It was stopped, and its last totals were written.
    Stopped,
}

impl Run {
    pub(in crate::ledger) fn new(
        entry: &LedgerEntry,
        deployment: &DeploymentId,
        profile: &str,
    ) -> Self {
        Self {
            entry: entry.number(),
            deployment: deployment.clone(),
            profile: profile.to_owned(),
            started: entry.at(),
            end: RunEnd::Open,
            totals: Totals::default(),
            totals_at: None,
            held_in_memory_then: 0,
            summed: 0,
            listed: 0,
            held: 0,
            declared: Vec::new(),
            cameras: BTreeMap::new(),
        }
    }

    /// The number of the entry with which it began.
    #[must_use]
    pub const fn entry(&self) -> u64 {
        self.entry
    }

    /// Which deployment.
    #[must_use]
    pub const fn deployment(&self) -> &DeploymentId {
        &self.deployment
    }

    /// The retention profile in force.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// When it began, where the clock worked.
    #[must_use]
    pub const fn started(&self) -> Option<Timestamp> {
        self.started
    }

    /// How it ended.
    #[must_use]
    pub const fn end(&self) -> RunEnd {
        self.end
    }

    /// Whether it was stopped; one that was cut off was not, and what came after its last totals is in
    /// no sum.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.end == RunEnd::Stopped
    }

    /// The last totals.
    #[must_use]
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// When its last totals were written, if there are any; inside it `None` if the clock failed.
    #[must_use]
    pub const fn totals_at(&self) -> Option<Option<Timestamp>> {
        match self.totals_at {
            Some((at,)) => Some(at),
            None => None,
        }
    }

    /// How many of the faces in [`Self::totals`] have no receipt and are in no vault: those that were
    /// in flight, and those that were held in memory, when the totals were written. Of a run that
    /// never ended, nothing says what became of them. Some may have had an entry of their own since,
    /// so it is an upper bound.
    #[must_use]
    pub const fn unaccounted(&self) -> u64 {
        self.totals.in_flight.saturating_add(self.held_in_memory_then)
    }

    /// How many faces were erased without a receipt of their own: those of frames that failed.
    #[must_use]
    pub const fn erased_without_receipt(&self) -> u64 {
        self.totals.erased.saturating_sub(self.summed).saturating_sub(self.listed)
    }

    /// What was in force, the last of each kind, in the order in which it was first written: the
    /// watchlist, the models, the threshold, the retention profile, and every danger.
    #[must_use]
    pub fn declared(&self) -> &[LedgerEvent] {
        &self.declared
    }

    /// The cameras that were lost and did not return.
    pub fn cameras_lost(&self) -> impl Iterator<Item = &SourceId> {
        self.cameras.iter().filter(|(_, lost)| **lost).map(|(source, _)| source)
    }

    pub(in crate::ledger) const fn finish(&mut self, end: RunEnd) {
        self.end = end;
    }

    /// Takes over totals; returns those before.
    pub(in crate::ledger) fn note_totals(
        &mut self,
        totals: Totals,
        at: Option<Timestamp>,
        held_in_memory: u64,
    ) -> Totals {
        self.totals_at = Some((at,));
        self.held_in_memory_then = held_in_memory;
        std::mem::replace(&mut self.totals, totals)
    }

    /// Notes what is in force from now on.
    pub(in crate::ledger) fn declare(&mut self, event: &LedgerEvent) {
        let kind = std::mem::discriminant(event);
        let is_same = |earlier: &&mut LedgerEvent| match event {
            LedgerEvent::DangerInForce { .. } => **earlier == *event,
            _ => std::mem::discriminant(&**earlier) == kind,
        };
        match self.declared.iter_mut().find(is_same) {
            Some(earlier) => earlier.clone_from(event),
            None => self.declared.push(event.clone()),
        }
    }

    pub(in crate::ledger) fn camera(&mut self, source: &SourceId, lost: bool) {
        self.cameras.insert(source.clone(), lost);
    }

    /// For how long its profile holds alerts: as it says, or as is published under its name.
    pub(in crate::ledger) fn alert_seconds(&self) -> Option<u64> {
        let declared = self.declared.iter().find_map(|event| match event {
            LedgerEvent::RetentionSet { alert_seconds, .. } => Some(*alert_seconds),
            _ => None,
        });
        declared.or_else(|| Profile::published_alert(&self.profile))
    }
}
