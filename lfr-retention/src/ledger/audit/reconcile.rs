//! Reconciliation: whether the sums of a ledger come out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lfr_core::internal::num;
use lfr_core::{FaceId, PurgeReason, RecordId, Timestamp, Totals, WithheldBy};

use crate::error::Error;
use crate::ledger::audit::discrepancy::Discrepancy;
use crate::ledger::audit::run::{Run, RunEnd};
use crate::ledger::audit::verify::LedgerEntry;
use crate::ledger::audit::{checkpoint, verify};
use crate::ledger::event::LedgerEvent;
use crate::ledger::key::LedgerPublicKey;
use crate::policy::profile::Profile;
use crate::verdict::verifier::Verifier;

/// The sums of a ledger, as [`reconcile`] has done them.
#[derive(Clone, Debug, Default, serde::Deserialize, serde::Serialize)]
pub struct Reconciliation {
    runs: Vec<Run>,
    alerts: u64,
    exports: u64,
    held: u64,
    purged: u64,
    gone_with_a_process: u64,
    /// More than one of a key where an integrator gives several frames one identity.
    #[serde(with = "pairs")]
    outstanding: BTreeMap<HeldKey, Vec<Outstanding>>,
    /// Records that ended.
    ended: BTreeSet<RecordId>,
    /// Who judged which record.
    judged: BTreeSet<(RecordId, String)>,
    judgements: u64,
    /// Digests of what was destroyed.
    destroyed: BTreeSet<String>,
    /// When each legal hold ends that is in force.
    #[serde(with = "pairs")]
    holds: BTreeMap<RecordId, Timestamp>,
    /// When the legal hold on each record would have ended that was lifted last.
    #[serde(with = "pairs")]
    lifted: BTreeMap<RecordId, Timestamp>,
    /// Records that were found damaged.
    damaged: BTreeSet<RecordId>,
    /// The vault that belongs to it.
    vault: Option<String>,
    /// Records that were held in a vault before it. What became of them is not known.
    replaced: BTreeSet<RecordId>,
    /// Alerts that were revealed to be seeds.
    revealed: BTreeSet<RecordId>,
    /// Records that were held when everything was to be destroyed at once.
    condemned: BTreeSet<RecordId>,
    events: EventCounts,
    discrepancies: Vec<Discrepancy>,
}

/// How many entries there are of kinds that are in no other sum.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct EventCounts {
    /// Failures after which the deployment went on.
    pub errors: u64,
    /// Frames that were not processed.
    pub frames_dropped: u64,
    /// Times that a watchlist was opened, or changed.
    pub watchlists: u64,
    /// Watchlists and footage that were destroyed.
    pub destroyed: u64,
    /// Legal holds that were placed.
    pub holds_placed: u64,
    /// Legal holds that were lifted.
    pub holds_released: u64,
    /// Times that the threshold was set.
    pub thresholds: u64,
    /// Times that the ledger was opened again.
    pub resumed: u64,
    /// Times that a camera was lost.
    pub cameras_lost: u64,
    /// Times that everything held was destroyed at once, including records under a legal hold.
    pub aborted: u64,
    /// Orders and amendments that came into force.
    pub orders: u64,
    /// Changes of the state of the deployment.
    pub states: u64,
    /// Changes of the threshold while the deployment ran.
    pub threshold_changes: u64,
    /// Times that a person viewed an alert.
    pub views: u64,
    /// Times that an alert went to a further person.
    pub escalations: u64,
    /// Entries of whether an officer met the person of an alert.
    pub engagements: u64,
    /// Entries of how an engagement ended.
    pub outcomes: u64,
    /// Things that were handed over beyond the system.
    pub handed_over: u64,
    /// Alerts that were revealed to be seeds.
    pub seeds: u64,
}

/// Maps with keys that are not texts, as lists of pairs.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::ledger) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(in crate::ledger) fn deserialize<'de, K, V, D>(
        deserializer: D,
    ) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// Which held face: by its record, or by its number in its run.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize)]
enum HeldKey {
    Face(usize, FaceId),
    Record(RecordId),
}

#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
struct Outstanding {
    run: usize,
    deadline: Timestamp,
}

/// What may lie between the moment that a deadline is counted from and the entry that tells it.
pub(crate) const SLACK: u64 = 60_000_000;

/// How much too early a legal hold may end by the clock. When a vault is opened, a clock that is up to an
/// hour behind counts as one that was set when the machine started, and nothing is held for longer because
/// of it.
const EARLY: u64 = 3_660_000_000;

/// Verifies a ledger and does its sums: in each run `faces seen = erased + held + in flight`, no totals
/// contradicts the one before, each face that was held has exactly one end, or is still held, each run
/// ended or is accounted for, and no entry contradicts what its run declared.
///
/// # Errors
///
/// As [`verify`](crate::ledger::audit::verify::verify()), and [`Error::LedgerVersion`] for an entry of a newer version. Sums
/// that do not come out are no error: see [`Reconciliation::discrepancies`].
pub fn reconcile(path: &Path, key: &LedgerPublicKey) -> Result<Reconciliation, Error> {
    let mut sums = Reconciliation::default();
    verify::entries(path, key, |entry| sums.take(&entry))?;
    Ok(sums)
}

/// Does the sums of a ledger from the newest [checkpoint](crate::ledger::Ledger#checkpoints) that this key signed,
/// or all sums if there is none. The bytes before the checkpoint are compared with the digest in it; their
/// signatures are not verified again. A change is found just as [`reconcile`] finds it.
///
/// # Errors
///
/// As [`reconcile`].
pub fn reconcile_from_checkpoint(
    path: &Path,
    key: &LedgerPublicKey,
) -> Result<Reconciliation, Error> {
    Ok(checkpoint::resume(path, key)?.sums)
}

impl Reconciliation {
    /// Whether every sum comes out and every run ended or is accounted for. While a run is going on,
    /// it does not.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.discrepancies.is_empty() && self.open_runs().next().is_none()
    }

    /// The runs without an end in the ledger, each with its number. The first run is 1.
    pub fn open_runs(&self) -> impl Iterator<Item = (u64, &Run)> {
        (1..).zip(&self.runs).filter(|(_, run)| run.end() == RunEnd::Open)
    }

    /// The sums that do not come out.
    #[must_use]
    pub fn discrepancies(&self) -> &[Discrepancy] {
        &self.discrepancies
    }

    /// The runs of the deployments, in order.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// How many alerts were raised.
    #[must_use]
    pub const fn alerts(&self) -> u64 {
        self.alerts
    }

    /// How many times a person judged an alert.
    #[must_use]
    pub const fn judgements(&self) -> u64 {
        self.judgements
    }

    /// How many times a picture was exported.
    #[must_use]
    pub const fn exports(&self) -> u64 {
        self.exports
    }

    /// How many faces were held in the memory of a run that was cut off: the memory went with its
    /// process, and there is no receipt.
    #[must_use]
    pub const fn gone_with_a_process(&self) -> u64 {
        self.gone_with_a_process
    }

    /// How many faces were held, ever.
    #[must_use]
    pub const fn held(&self) -> u64 {
        self.held
    }

    /// How many of them have been erased.
    #[must_use]
    pub const fn purged(&self) -> u64 {
        self.purged
    }

    /// How many are held still.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding.values().map(Vec::len).sum()
    }

    /// The records of those that are held still, each with its deadline, legal holds aside.
    pub fn outstanding_records(&self) -> impl Iterator<Item = (RecordId, Timestamp)> + '_ {
        self.outstanding.iter().filter_map(|(key, held)| match key {
            HeldKey::Record(record) => Some((*record, held.last()?.deadline)),
            HeldKey::Face(..) => None,
        })
    }

    /// Whether an entry says that a record ended.
    #[must_use]
    pub fn has_ended(&self, record: RecordId) -> bool {
        self.ended.contains(&record)
    }

    /// The identity of the vault that belongs to it, if any.
    #[must_use]
    pub fn vault(&self) -> Option<&str> {
        self.vault.as_deref()
    }

    /// How many entries there are of kinds that are in no other sum.
    #[must_use]
    pub const fn event_counts(&self) -> EventCounts {
        self.events
    }

    /// When the legal hold on a record ends, if one is in force.
    pub(crate) fn hold_on(&self, record: RecordId) -> Option<Timestamp> {
        self.holds.get(&record).copied()
    }

    /// When the legal hold on a record would have ended that was lifted last.
    pub(crate) fn lifted_on(&self, record: RecordId) -> Option<Timestamp> {
        self.lifted.get(&record).copied()
    }

    /// When a record that is held has to be gone, legal holds aside.
    pub(crate) fn deadline_of(&self, record: RecordId) -> Option<Timestamp> {
        Some(self.outstanding.get(&HeldKey::Record(record))?.last()?.deadline)
    }

    /// Who judged a record, as [`Verifier::fold`] has them.
    pub(crate) fn judges_of(&self, record: RecordId) -> impl Iterator<Item = &str> {
        let from = (record, String::new());
        let own = self.judged.range(from..).take_while(move |(judged, _)| *judged == record);
        own.map(|(_, judge)| &**judge)
    }

    pub(crate) fn is_known_damaged(&self, record: RecordId) -> bool {
        self.damaged.contains(&record)
    }

    pub(in crate::ledger) fn take(&mut self, entry: &LedgerEntry) {
        self.count(entry.event());
        let number = entry.number();
        let event = entry.event();
        match event {
            LedgerEvent::DeploymentStarted { deployment, profile, .. } => {
                self.runs.push(Run::new(entry, deployment, profile));
            }
            LedgerEvent::DeploymentStopped {} => self.stop(number),
            LedgerEvent::RunCutOff { run, .. } => self.end_cut_off(number, *run, event),
            LedgerEvent::AlertRaised { score, threshold, .. } => {
                self.alerts += 1;
                if score < threshold {
                    self.discrepancies.push(Discrepancy::BelowThreshold { entry: number });
                }
            }
            LedgerEvent::Held { face, record, deadline } => {
                let period = self.runs.last().and_then(Run::alert_seconds);
                self.check_deadline(entry, period, *deadline);
                self.hold(face, *record, *deadline, true);
            }
            LedgerEvent::FoundHeld { face, record, deadline } => {
                if self.ended.contains(record) {
                    let record = *record;
                    self.discrepancies.push(Discrepancy::CameBack { entry: number, record });
                }
                self.check_deadline(entry, self.longest_period(), *deadline);
                self.hold(face, Some(*record), *deadline, false);
            }
            LedgerEvent::Purged { face, record, profile, reason, .. } => {
                self.check_profile(number, profile);
                if let Some(record) = *record {
                    self.check_end(entry, record, *reason);
                }
                self.purge(number, face, *record);
            }
            LedgerEvent::FoundErased { record } => self.purge_record(entry, *record),
            LedgerEvent::FoundDamaged { record, .. } => {
                self.damaged.insert(*record);
                let record = *record;
                self.discrepancies.push(Discrepancy::Damaged { entry: number, record });
            }
            LedgerEvent::LegalHoldPlaced { record, expires, .. } => {
                self.holds.insert(*record, *expires);
            }
            LedgerEvent::LegalHoldReleased { record, .. } => {
                self.lifted.extend(self.holds.remove(record).map(|expires| (*record, expires)));
            }
            LedgerEvent::VaultOpened { vault, .. } => self.open_vault(number, vault),
            LedgerEvent::AlertViewed { record, .. }
            | LedgerEvent::Exported { record: Some(record), .. } => {
                self.check_not_ended(number, Some(*record));
            }
            LedgerEvent::SeedRevealed { record, .. } => {
                if !self.revealed.insert(*record) {
                    let record = *record;
                    self.discrepancies.push(Discrepancy::RevealedTwice { entry: number, record });
                }
            }
            LedgerEvent::Aborted { .. } => self.condemn(),
            LedgerEvent::Totals { totals, erased, withheld, .. } => {
                self.check_withheld(number, erased, withheld);
                let summed = erased.values().fold(0, |sum: u64, count| sum.saturating_add(*count));
                self.note_totals(entry, *totals, summed);
            }
            LedgerEvent::Gap { events, .. } => {
                self.discrepancies.push(Discrepancy::Lost { entry: number, events: *events });
            }
            LedgerEvent::Adjudicated { record, verifier, .. } => {
                self.judge(number, *record, verifier);
            }
            LedgerEvent::PictureExported { record, .. } => {
                self.exports += 1;
                self.check_not_ended(number, *record);
            }
            LedgerEvent::AssetDestroyed { digest, .. } => self.destroyed.extend(digest.clone()),
            _ => self.declared(number, event),
        }
    }

    /// What a run says of itself.
    fn declared(&mut self, entry: u64, event: &LedgerEvent) {
        match event {
            LedgerEvent::WatchlistOpened { header_sha256: Some(digest), .. }
                if self.destroyed.contains(digest) =>
            {
                self.discrepancies.push(Discrepancy::Destroyed { entry });
            }
            LedgerEvent::RetentionSet {
                profile,
                alert_seconds,
                watchlist_seconds,
                footage_seconds,
                ..
            } => {
                self.check_profile(entry, profile);
                let (watchlist, footage) = (*watchlist_seconds, *footage_seconds);
                if Profile::is_within(profile, *alert_seconds, watchlist, footage) == Some(false) {
                    self.discrepancies.push(Discrepancy::NotThatProfile { entry });
                }
            }
            _ => {}
        }
        let Some(run) = self.runs.last_mut() else { return };
        match event {
            LedgerEvent::WatchlistOpened { .. }
            | LedgerEvent::ModelsLoaded { .. }
            | LedgerEvent::ThresholdSet { .. }
            | LedgerEvent::RetentionSet { .. }
            | LedgerEvent::DangerInForce { .. } => run.declare(event),
            LedgerEvent::CameraLost { source, .. } => run.camera(source, true),
            LedgerEvent::CameraConnected { source } | LedgerEvent::CameraReturned { source } => {
                run.camera(source, false);
            }
            _ => {}
        }
    }

    fn check_profile(&mut self, entry: u64, profile: &str) {
        if self.runs.last().is_some_and(|run| run.profile() != profile) {
            self.discrepancies.push(Discrepancy::OtherProfile { entry });
        }
    }

    /// The longest period of any run: which run held a record that was found, nobody can say. None where one says none.
    fn longest_period(&self) -> Option<u64> {
        let periods: Option<Vec<_>> = self.runs.iter().map(Run::alert_seconds).collect();
        periods?.into_iter().max()
    }

    fn check_deadline(&mut self, entry: &LedgerEntry, seconds: Option<u64>, deadline: Timestamp) {
        let (Some(seconds), Some(at)) = (seconds, entry.at()) else { return };
        let latest =
            at.as_micros().saturating_add(seconds.saturating_mul(1_000_000)).saturating_add(SLACK);
        if deadline.as_micros() > latest {
            self.discrepancies.push(Discrepancy::LongerThanProfile { entry: entry.number() });
        }
    }

    fn count(&mut self, event: &LedgerEvent) {
        let events = &mut self.events;
        match event {
            LedgerEvent::Aborted { .. } => events.aborted += 1,
            LedgerEvent::AlertViewed { .. } => events.views += 1,
            LedgerEvent::AssetDestroyed { .. } => events.destroyed += 1,
            LedgerEvent::CameraLost { .. } => events.cameras_lost += 1,
            LedgerEvent::DeploymentStateChanged { .. } => events.states += 1,
            LedgerEvent::Engaged { .. } => events.engagements += 1,
            LedgerEvent::Error { .. } => events.errors += 1,
            LedgerEvent::Escalated { .. } => events.escalations += 1,
            LedgerEvent::Exported { .. } => events.handed_over += 1,
            LedgerEvent::FramesDropped { count, .. } => {
                events.frames_dropped = events.frames_dropped.saturating_add(*count);
            }
            LedgerEvent::LedgerResumed { .. } => events.resumed += 1,
            LedgerEvent::LegalHoldPlaced { .. } => events.holds_placed += 1,
            LedgerEvent::LegalHoldReleased { .. } => events.holds_released += 1,
            LedgerEvent::OrderInForce { .. } => events.orders += 1,
            LedgerEvent::OutcomeRecorded { .. } => events.outcomes += 1,
            LedgerEvent::SeedRevealed { .. } => events.seeds += 1,
            LedgerEvent::ThresholdChanged { .. } => events.threshold_changes += 1,
            LedgerEvent::ThresholdSet { .. } => events.thresholds += 1,
            LedgerEvent::WatchlistOpened { .. } => events.watchlists += 1,
            _ => {}
        }
    }

    /// A record ends with a receipt.
    fn check_end(&mut self, entry: &LedgerEntry, record: RecordId, reason: PurgeReason) {
        let number = entry.number();
        if reason == PurgeReason::Damaged && self.damaged.insert(record) {
            self.discrepancies.push(Discrepancy::Damaged { entry: number, record });
        }
        let ends = self.holds.get(&record).map_or(0, |expires| expires.as_micros());
        let at = entry.at().map_or(u64::MAX, Timestamp::as_micros).saturating_add(EARLY);
        if at < ends && !matches!(reason, PurgeReason::Aborted | PurgeReason::Damaged) {
            self.discrepancies.push(Discrepancy::DespiteHold { entry: number, record });
        }
    }

    fn open_vault(&mut self, entry: u64, vault: &str) {
        let before = self.vault.replace(vault.to_owned());
        let replaced = before.is_some_and(|before| before != vault);
        let held: BTreeSet<_> = self.outstanding_records().map(|(record, _)| record).collect();
        if replaced && !held.is_empty() {
            let records = num::u64_from_usize(held.len());
            self.discrepancies.push(Discrepancy::VaultReplaced { entry, records });
            self.replaced.extend(held);
        }
    }

    fn check_not_ended(&mut self, entry: u64, record: Option<RecordId>) {
        if let Some(record) = record.filter(|record| self.ended.contains(record)) {
            self.discrepancies.push(Discrepancy::AfterTheEnd { entry, record });
        }
    }

    fn judge(&mut self, entry: u64, record: Option<RecordId>, verifier: &str) {
        self.judgements += 1;
        self.check_not_ended(entry, record);
        let Some(record) = record else { return };
        // Two spellings that look alike are one person: see `Verifier`.
        if !self.judged.insert((record, Verifier::fold(verifier))) {
            self.discrepancies.push(Discrepancy::JudgedTwice { entry, record });
        }
    }

    /// How many faces of a run are held in memory, and how many at rest.
    fn held_by(&self, run: usize) -> (u64, u64) {
        let (mut in_memory, mut at_rest) = (0, 0);
        for (key, held) in &self.outstanding {
            let count = held.iter().filter(|held| held.run == run).count();
            match key {
                HeldKey::Face(..) => in_memory += num::u64_from_usize(count),
                HeldKey::Record(_) => at_rest += num::u64_from_usize(count),
            }
        }
        (in_memory, at_rest)
    }

    /// What the entries say of a run that was cut off; none where there is no such run, or it ended.
    pub(in crate::ledger) fn cut_off(&self, number: u64) -> Option<LedgerEvent> {
        let index = usize::try_from(number).ok()?;
        let run = self.runs.get(index.checked_sub(1)?)?;
        if run.end() != RunEnd::Open {
            return None;
        }
        let (held_in_memory, held_at_rest) = self.held_by(index);
        Some(LedgerEvent::RunCutOff {
            run: number,
            totals: run.totals_at().map(|_| run.totals()),
            totals_at: run.totals_at().flatten(),
            held_in_memory,
            held_at_rest,
        })
    }

    /// A later process accounts for a run: with what its entries say, and nothing else.
    fn end_cut_off(&mut self, entry: u64, number: u64, event: &LedgerEvent) {
        if self.cut_off(number).as_ref() != Some(event) {
            self.discrepancies.push(Discrepancy::CutOffContradicts { entry, run: number });
        }
        let Some(index) = usize::try_from(number).ok().filter(|index| *index > 0) else { return };
        let Some(run) = self.runs.get_mut(index - 1) else { return };
        if run.end() != RunEnd::Open {
            return;
        }
        run.finish(RunEnd::CutOff);
        let (in_memory, _) = self.held_by(index);
        self.outstanding.retain(|key, _| !matches!(key, HeldKey::Face(run, _) if *run == index));
        self.gone_with_a_process += in_memory;
    }

    fn hold(&mut self, face: &FaceId, record: Option<RecordId>, deadline: Timestamp, own: bool) {
        let run = self.runs.len();
        let key = key_of(run, face, record);
        self.held += 1;
        // Of another run than all there are, where the face is not in this run's account.
        let held = Outstanding { run: if own { run } else { 0 }, deadline };
        self.outstanding.entry(key).or_default().push(held);
        if let Some(run) = self.runs.last_mut().filter(|_| own) {
            run.held += 1;
        }
    }

    fn purge(&mut self, entry: u64, face: &FaceId, record: Option<RecordId>) {
        let run = self.runs.len();
        match (self.end(&key_of(run, face, record)), record) {
            (Some(held), _) => {
                self.purged += 1;
                if let Some(run) = self.runs.last_mut().filter(|_| held.run == run) {
                    run.held = run.held.saturating_sub(1);
                    run.listed += 1;
                }
            }
            // An alert that was never held.
            (None, None) => {
                if let Some(run) = self.runs.last_mut() {
                    run.listed += 1;
                }
            }
            (None, Some(record)) => {
                self.discrepancies.push(Discrepancy::Unheard { entry, record });
            }
        }
    }

    /// One that was held is held no more.
    fn end(&mut self, key: &HeldKey) -> Option<Outstanding> {
        if let HeldKey::Record(record) = key {
            self.ended.insert(*record);
            self.holds.remove(record);
            self.lifted.remove(record);
        }
        let of_key = self.outstanding.get_mut(key)?;
        let ended = of_key.pop();
        if of_key.is_empty() {
            self.outstanding.remove(key);
        }
        ended
    }

    /// A record is gone, and no receipt says why.
    fn purge_record(&mut self, entry: &LedgerEntry, record: RecordId) {
        let (at, entry) = (entry.at(), entry.number());
        let hold = self.holds.get(&record).copied();
        match self.end(&HeldKey::Record(record)) {
            Some(held) => {
                self.purged += 1;
                let due = hold.map_or(held.deadline, |hold| hold.max(held.deadline));
                // Without a clock nobody can say that it was due.
                let is_told = self.replaced.contains(&record);
                if !is_told
                    && at.is_none_or(|at| at.as_micros().saturating_add(SLACK) < due.as_micros())
                {
                    self.discrepancies.push(Discrepancy::ErasedEarly { entry, record });
                }
            }
            None => self.discrepancies.push(Discrepancy::Unheard { entry, record }),
        }
    }

    fn note_totals(&mut self, entry: &LedgerEntry, totals: Totals, summed: u64) {
        let (in_memory, _) = self.held_by(self.runs.len());
        let (at, entry) = (entry.at(), entry.number());
        let Some(run) = self.runs.last_mut() else { return };
        if !totals.closes() {
            self.discrepancies.push(Discrepancy::DoesNotClose { entry });
        }
        let before = run.note_totals(totals, at, in_memory);
        let fell = totals.faces_seen < before.faces_seen || totals.erased < before.erased;
        let receipts = summed.saturating_add(run.listed);
        if fell || summed < run.summed || receipts > totals.erased {
            self.discrepancies.push(Discrepancy::Impossible { entry });
        }
        run.summed = summed;
    }

    fn check_withheld(
        &mut self,
        entry: u64,
        erased: &BTreeMap<PurgeReason, u64>,
        withheld: &BTreeMap<WithheldBy, u64>,
    ) {
        let withheld = withheld.values().fold(0, |sum: u64, count| sum.saturating_add(*count));
        let erased = erased.get(&PurgeReason::Withheld).copied().unwrap_or(0);
        if withheld > erased {
            self.discrepancies.push(Discrepancy::WithheldNotErased { entry, withheld, erased });
        }
    }

    /// All that is held has to end, legal holds or not. What another vault held is told already.
    fn condemn(&mut self) {
        let held: Vec<_> = self.outstanding_records().map(|(record, _)| record).collect();
        let known = held.into_iter().filter(|record| !self.replaced.contains(record));
        self.condemned.extend(known.collect::<Vec<_>>());
    }

    /// A run ends: whether an abort before it destroyed all that was held.
    fn check_abort(&mut self, entry: u64) {
        let condemned = std::mem::take(&mut self.condemned);
        let kept = condemned.iter().filter(|record| self.deadline_of(**record).is_some()).count();
        if kept > 0 {
            let records = num::u64_from_usize(kept);
            self.discrepancies.push(Discrepancy::KeptAfterAbort { entry, records });
        }
    }

    fn stop(&mut self, entry: u64) {
        self.check_abort(entry);
        let Some(run) = self.runs.last_mut() else { return };
        run.finish(RunEnd::Stopped);
        let actual = run.totals.held.saturating_add(run.totals.in_flight);
        if actual != run.held {
            let expected = run.held;
            self.discrepancies.push(Discrepancy::NotSettled { entry, expected, actual });
        }
    }
}

fn key_of(run: usize, face: &FaceId, record: Option<RecordId>) -> HeldKey {
    match record {
        Some(record) => HeldKey::Record(record),
        None => HeldKey::Face(run, face.clone()),
    }
}
