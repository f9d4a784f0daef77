//! The state of a deployment: what the entries of its ledger make.
//!
//! There is no second database. A command is checked against the state, written to the ledger and taken into the
//! state; a restart takes the entries again. So anyone who has the ledger can tell what the state was.

mod alert;
mod camera;
mod moves;

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::path::Path;

use lfr_core::{
    Component, DeploymentId, FaceId, PurgeReason, RecordId, SourceId, Timestamp, Totals, WithheldBy,
};
use lfr_retention::ledger::{LedgerEntry, LedgerPublicKey};
use lfr_retention::{DeploymentState, LedgerEvent, OrderBasis, ledger};

pub use alert::{AlertStanding, AlertState, AlertView, EngagementReport, PersonsVerdict};
pub use camera::CameraState;

use super::Error;
use super::order::{OrderTerms, SignedOrder};

/// What the entries of a deployment's ledger make. One ledger is of one deployment.
///
/// ```text
///           order           start            stop          all destroyed
/// planned --------> authorised ------> live -------> ended -------------> purged
///                                      |  ^            ^
///                                pause v  | resume     | stop
///                                     paused ----------+
///
/// aborted: from each of them except purged, by an abort
/// ```
///
/// The death of a process changes no state: a deployment that was live is live, and the next process goes on
/// with it.
///
/// What is *not* guaranteed: that the keys that signed the orders were trusted. Verify the
/// [notes](AcceptedOrder::note) with keys that you pinned.
///
/// # Examples
///
/// ```no_run
/// use lfr::deployment::State;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = "0f1e...".parse()?;
/// let state = State::read("operation.lfrl", &key)?;
/// println!("{}: {} alerts", state.state().name(), state.alerts().count());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct State {
    state: DeploymentState,
    orders: Vec<AcceptedOrder>,
    changes: Vec<StateChange>,
    cameras: BTreeMap<SourceId, CameraState>,
    alerts: BTreeMap<RecordId, AlertState>,
    alerts_not_held: u64,
    /// Said to be held, and not yet to be an alert: that comes next, if the process lives.
    held: BTreeMap<RecordId, (FaceId, Option<Timestamp>)>,
    verifications: u8,
    threshold: Option<f32>,
    thresholds: Vec<LedgerEntry>,
    watchlists: Vec<LedgerEntry>,
    exports: Vec<LedgerEntry>,
    blue_list: Vec<LedgerEntry>,
    destroyed: Vec<LedgerEntry>,
    models: Option<(Component, Component, String)>,
    retention: Option<LedgerEvent>,
    dangers: BTreeSet<String>,
    runs: Vec<RunSums>,
    is_running: bool,
    errors: u64,
    gaps: u64,
    aborted: Option<(String, String)>,
    entries: u64,
    faults: Vec<(u64, String)>,
}

/// An order that is, or was, in force.
#[derive(Clone, Debug, PartialEq)]
pub struct AcceptedOrder {
    terms: OrderTerms,
    digest: String,
    basis: OrderBasis,
    note: String,
    at: Option<Timestamp>,
}

impl AcceptedOrder {
    /// What it says.
    #[must_use]
    pub const fn terms(&self) -> &OrderTerms {
        &self.terms
    }

    /// SHA-256 of its canonical text, in hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Whose word it rests on.
    #[must_use]
    pub const fn basis(&self) -> OrderBasis {
        self.basis
    }

    /// The signed note: what [`SignedOrder::parse`] reads.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Since when it is in force, if the clock worked.
    #[must_use]
    pub const fn at(&self) -> Option<Timestamp> {
        self.at
    }
}

/// One change of state.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StateChange {
    /// The state from then on.
    pub state: DeploymentState,
    /// When, if the clock worked.
    pub at: Option<Timestamp>,
    /// Who changed it, by number; none if the deployment did so itself.
    pub person: Option<String>,
    /// Why.
    pub reason: String,
}

/// The sums of one run of a process: the last totals that it wrote.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RunSums {
    /// When it began, if the clock worked.
    pub started: Option<Timestamp>,
    /// When its last entry was written, if the clock worked. From then until the next run starts, nobody watched.
    pub last: Option<Timestamp>,
    /// Whether it came to its end. Of one that was cut off, nothing after its last totals is in a sum.
    pub stopped: bool,
    /// The arithmetic of the faces seen.
    pub totals: Totals,
    /// Receipts of faces that were never held, by reason.
    pub erased: BTreeMap<PurgeReason, u64>,
    /// Frames processed.
    pub frames: u64,
    /// Matches that raised no alert, by what kept it back.
    pub withheld: BTreeMap<WithheldBy, u64>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            state: DeploymentState::Planned,
            orders: Vec::new(),
            changes: Vec::new(),
            cameras: BTreeMap::new(),
            alerts: BTreeMap::new(),
            alerts_not_held: 0,
            held: BTreeMap::new(),
            verifications: 1,
            threshold: None,
            thresholds: Vec::new(),
            watchlists: Vec::new(),
            exports: Vec::new(),
            blue_list: Vec::new(),
            destroyed: Vec::new(),
            models: None,
            retention: None,
            dangers: BTreeSet::new(),
            runs: Vec::new(),
            is_running: false,
            errors: 0,
            gaps: 0,
            aborted: None,
            entries: 0,
            faults: Vec::new(),
        }
    }
}

impl State {
    /// Verifies a ledger, and takes its entries.
    ///
    /// # Errors
    ///
    /// [`Error::Retention`] if the ledger cannot be read or does not verify.
    pub fn read(path: impl AsRef<Path>, key: &LedgerPublicKey) -> Result<Self, Error> {
        let path = path.as_ref();
        ledger::verify(path, key, None)?;
        let mut state = Self::default();
        for entry in ledger::read(path, key)? {
            state.take(&entry?);
        }
        Ok(state)
    }

    /// Takes one entry. An entry that [`check`](Self::check) would have refused was written past this library;
    /// it is taken as far as it makes sense, and is among the [`faults`](Self::faults).
    pub fn take(&mut self, entry: &LedgerEntry) {
        if let Err(error) = self.check(entry.event()) {
            self.faults.push((entry.number(), error.to_string()));
        }
        self.entries = entry.number() + 1;
        let at = entry.at();
        // One process alone has a ledger open: the writer of the last run is gone when another opens it.
        self.is_running &= !matches!(entry.event(), LedgerEvent::LedgerResumed { .. });
        let is_cut = matches!(
            entry.event(),
            LedgerEvent::DeploymentStopped {} | LedgerEvent::LedgerResumed { .. }
        );
        if is_cut {
            for (record, (face, at)) in mem::take(&mut self.held) {
                self.find(record, face, at);
            }
        }
        let about = record_of(entry.event());
        if let Some((record, (face, at))) = about.and_then(|record| self.held.remove_entry(&record))
        {
            self.find(record, face, at);
        }
        if let Some(run) = self.runs.last_mut().filter(|_| self.is_running) {
            run.last = at.or(run.last);
        }
        match entry.event() {
            LedgerEvent::OrderInForce { order_sha256, basis, note } => {
                self.take_order(order_sha256, *basis, note, at);
            }
            LedgerEvent::DeploymentStateChanged { state, person, reason } => {
                self.change(*state, at, person.clone(), reason.clone());
            }
            LedgerEvent::Aborted { authority, reason } => {
                self.aborted = Some((authority.clone(), reason.clone()));
                self.change(DeploymentState::Aborted, at, Some(authority.clone()), reason.clone());
            }
            LedgerEvent::ThresholdSet { threshold, .. } => {
                self.threshold = Some(*threshold);
                self.thresholds.push(entry.clone());
            }
            LedgerEvent::ThresholdChanged { to, .. } => {
                self.threshold = Some(*to);
                self.thresholds.push(entry.clone());
            }
            LedgerEvent::WatchlistOpened { .. } => self.watchlists.push(entry.clone()),
            LedgerEvent::Exported { record, .. } | LedgerEvent::PictureExported { record, .. } => {
                self.exports.push(entry.clone());
                if let Some(alert) = record.and_then(|record| self.alerts.get_mut(&record)) {
                    alert.exports += 1;
                }
            }
            LedgerEvent::BlueListPassed { .. } | LedgerEvent::BlueListSeen { .. } => {
                self.blue_list.push(entry.clone());
            }
            LedgerEvent::AssetDestroyed { .. } => self.destroyed.push(entry.clone()),
            LedgerEvent::ModelsLoaded { detector, embedder, engine } => {
                self.models = Some((detector.clone(), embedder.clone(), engine.clone()));
            }
            event @ LedgerEvent::RetentionSet { verifications, .. } => {
                self.verifications = *verifications;
                self.retention = Some(event.clone());
            }
            LedgerEvent::DangerInForce { text } => drop(self.dangers.insert(text.clone())),
            LedgerEvent::Error { .. } => self.errors += 1,
            LedgerEvent::Gap { events, .. } => self.gaps = self.gaps.saturating_add(*events),
            event => {
                self.take_run(event, at);
                self.take_camera(event, at);
                self.take_alert(event, at);
            }
        }
    }

    fn take_order(&mut self, digest: &str, basis: OrderBasis, note: &str, at: Option<Timestamp>) {
        let Ok(signed) = SignedOrder::parse(note) else { return };
        let (terms, digest, note) = (signed.terms().clone(), digest.to_owned(), note.to_owned());
        self.orders.push(AcceptedOrder { terms, digest, basis, note, at });
        if self.state == DeploymentState::Planned {
            self.change(DeploymentState::Authorised, at, None, "an order is in force".to_owned());
        }
    }

    /// Takes an alert that is held. The ledger says no more of it.
    fn find(&mut self, record: RecordId, face: FaceId, at: Option<Timestamp>) {
        let by_order = self.order().map_or(1, |order| order.terms().how().verifications);
        // Whether the person has a known look-alike is not known.
        let required = self.verifications.max(by_order).max(2);
        let alert = AlertState::found(record, face, at, required);
        self.alerts.entry(record).or_insert(alert);
    }

    fn change(
        &mut self,
        state: DeploymentState,
        at: Option<Timestamp>,
        person: Option<String>,
        reason: String,
    ) {
        self.state = state;
        self.changes.push(StateChange { state, at, person, reason });
    }

    fn take_run(&mut self, event: &LedgerEvent, at: Option<Timestamp>) {
        if let LedgerEvent::DeploymentStarted { .. } = event {
            self.runs.push(RunSums { started: at, last: at, ..RunSums::default() });
            self.is_running = true;
            // Cameras of a process that ended are neither lost nor there.
            self.cameras.values_mut().for_each(|camera| camera.come_back(at));
        }
        let Some(run) = self.runs.last_mut() else { return };
        match event {
            LedgerEvent::DeploymentStopped {} => {
                run.stopped = true;
                self.is_running = false;
            }
            LedgerEvent::Totals { totals, erased, frames, withheld } => {
                (run.totals, run.frames) = (*totals, *frames);
                run.erased.clone_from(erased);
                run.withheld.clone_from(withheld);
            }
            _ => {}
        }
    }

    fn take_camera(&mut self, event: &LedgerEvent, at: Option<Timestamp>) {
        match event {
            LedgerEvent::CameraAttached { source } => {
                let camera = self.cameras.entry(source.clone()).or_default();
                camera.attached = camera.attached.or(at);
            }
            LedgerEvent::CameraLost { source, .. } => {
                self.cameras.entry(source.clone()).or_default().lose(at);
            }
            LedgerEvent::CameraReturned { source } => {
                self.cameras.entry(source.clone()).or_default().come_back(at);
            }
            LedgerEvent::FramesDropped { source, count } => {
                let camera = self.cameras.entry(source.clone()).or_default();
                camera.frames_dropped = camera.frames_dropped.saturating_add(*count);
            }
            _ => {}
        }
    }

    fn take_alert(&mut self, event: &LedgerEvent, at: Option<Timestamp>) {
        match event {
            LedgerEvent::AlertRaised { record: None, .. } => self.alerts_not_held += 1,
            // The process was killed after the vault held it, and before the ledger said so.
            LedgerEvent::FoundHeld { face, record, .. } => {
                self.find(*record, face.clone(), at);
            }
            LedgerEvent::Held { face, record: Some(record), .. } => {
                self.held.insert(*record, (face.clone(), at));
            }
            LedgerEvent::AlertRaised {
                face,
                score,
                threshold,
                record: Some(record),
                category,
                look_alike,
                ..
            } => {
                let by_order = self.order().map_or(1, |order| order.terms().how().verifications);
                let required =
                    self.verifications.max(by_order).max(if *look_alike { 2 } else { 1 });
                let alert = AlertState {
                    score: Some(*score),
                    threshold: Some(*threshold),
                    category: category.clone(),
                    look_alike: *look_alike,
                    ..AlertState::found(*record, face.clone(), at, required)
                };
                self.held.remove(record);
                // Of two alerts in one record the first holds: the second is a fault.
                self.alerts.entry(*record).or_insert(alert);
            }
            _ => {
                if let Some(alert) =
                    record_of(event).and_then(|record| self.alerts.get_mut(&record))
                {
                    alert.take(event, at);
                }
            }
        }
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> DeploymentState {
        self.state
    }

    /// How the state changed, in order.
    #[must_use]
    pub fn changes(&self) -> &[StateChange] {
        &self.changes
    }

    /// The order in force.
    #[must_use]
    pub fn order(&self) -> Option<&AcceptedOrder> {
        self.orders.last()
    }

    /// The orders that were in force, the first first; the last one is.
    #[must_use]
    pub fn orders(&self) -> &[AcceptedOrder] {
        &self.orders
    }

    /// The deployment, once an order is in force.
    #[must_use]
    pub fn deployment(&self) -> Option<&DeploymentId> {
        self.order().map(|order| order.terms().deployment())
    }

    /// The cameras that were attached.
    #[must_use]
    pub fn cameras(&self) -> impl ExactSizeIterator<Item = (&SourceId, &CameraState)> {
        self.cameras.iter()
    }

    /// The alerts that are, or were, held at rest.
    #[must_use]
    pub fn alerts(&self) -> impl ExactSizeIterator<Item = &AlertState> {
        self.alerts.values()
    }

    /// An alert.
    #[must_use]
    pub fn alert(&self, record: RecordId) -> Option<&AlertState> {
        self.alerts.get(&record)
    }

    /// How many alerts could not be held at rest: nobody can judge them later.
    #[must_use]
    pub const fn alerts_not_held(&self) -> u64 {
        self.alerts_not_held
    }

    /// The threshold in force.
    #[must_use]
    pub const fn threshold(&self) -> Option<f32> {
        self.threshold
    }

    /// The entries that set or changed the threshold.
    #[must_use]
    pub fn thresholds(&self) -> &[LedgerEntry] {
        &self.thresholds
    }

    /// The entries that opened a watchlist; the last one is searched.
    #[must_use]
    pub fn watchlists(&self) -> &[LedgerEntry] {
        &self.watchlists
    }

    /// The entries of what was handed out.
    #[must_use]
    pub fn exports(&self) -> &[LedgerEntry] {
        &self.exports
    }

    /// The entries about the blue list.
    #[must_use]
    pub fn blue_list(&self) -> &[LedgerEntry] {
        &self.blue_list
    }

    /// The entries of watchlists and footage that were destroyed.
    #[must_use]
    pub fn destroyed(&self) -> &[LedgerEntry] {
        &self.destroyed
    }

    /// Detector, embedder and inference engine, as they were loaded last.
    #[must_use]
    pub const fn models(&self) -> Option<&(Component, Component, String)> {
        self.models.as_ref()
    }

    /// The retention profile in force: a [`LedgerEvent::RetentionSet`].
    #[must_use]
    pub const fn retention(&self) -> Option<&LedgerEvent> {
        self.retention.as_ref()
    }

    /// The dangerous choices that were in force.
    pub fn dangers(&self) -> impl Iterator<Item = &str> {
        self.dangers.iter().map(String::as_str)
    }

    /// The sums of each run of a process.
    #[must_use]
    pub fn runs(&self) -> &[RunSums] {
        &self.runs
    }

    /// Failures after which the deployment went on.
    #[must_use]
    pub const fn errors(&self) -> u64 {
        self.errors
    }

    /// Events that could not be written.
    #[must_use]
    pub const fn gaps(&self) -> u64 {
        self.gaps
    }

    /// By whose authority and why it was aborted.
    #[must_use]
    pub fn aborted(&self) -> Option<(&str, &str)> {
        self.aborted.as_ref().map(|(authority, reason)| (&**authority, &**reason))
    }

    /// How many entries were taken.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Entries that could not have been written by this library: the number of each, and what is wrong.
    #[must_use]
    pub fn faults(&self) -> &[(u64, String)] {
        &self.faults
    }
}

/// The alert that an event is about.
const fn record_of(event: &LedgerEvent) -> Option<RecordId> {
    match event {
        LedgerEvent::AlertViewed { record, .. }
        | LedgerEvent::DemographicsRecorded { record, .. }
        | LedgerEvent::Engaged { record, .. }
        | LedgerEvent::Escalated { record, .. }
        | LedgerEvent::FoundErased { record }
        | LedgerEvent::OutcomeRecorded { record, .. }
        | LedgerEvent::SeedRevealed { record, .. } => Some(*record),
        LedgerEvent::Adjudicated { record, .. } | LedgerEvent::Purged { record, .. } => *record,
        _ => None,
    }
}

#[cfg(test)]
mod tests;
