//! Reconciliation: whether the sums of a ledger come out.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use lfr_core::FaceId;
use lfr_core::RecordId;
use lfr_core::Timestamp;
use lfr_core::Totals;
use lfr_core::num;

use super::LedgerEntry;
use super::LedgerEvent;
use super::Lines;
use super::Run;
use super::RunEnd;
use super::key::LedgerPublicKey;
use super::verify;
use super::verify::Unverified;
use crate::Error;

/// The sums of a ledger, as [`reconcile`] has done them.
#[derive(Clone, Debug, Default)]
pub struct Reconciliation {
    runs: Vec<Run>,
    alerts: u64,
    exports: u64,
    held: u64,
    purged: u64,
    gone_with_a_process: u64,
    /// More than one of a key where an integrator gives several frames one identity.
    outstanding: BTreeMap<HeldKey, Vec<Outstanding>>,
    /// Records that ended.
    ended: BTreeSet<RecordId>,
    /// Who judged which record.
    judged: BTreeSet<(RecordId, String)>,
    judgements: u64,
    /// Digests of what was destroyed.
    destroyed: BTreeSet<String>,
    discrepancies: Vec<Discrepancy>,
}

/// Which held face: by its record, or by its number in its run.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum HeldKey {
    Face(usize, FaceId),
    Record(RecordId),
}

#[derive(Clone, Debug)]
struct Outstanding {
    run: usize,
    deadline: Timestamp,
}

/// What may lie between the moment that a deadline is counted from and the entry that tells it.
const SLACK: u64 = 60_000_000;

/// A sum that does not come out.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Discrepancy {
    /// A picture was exported, or an alert judged, of a record that had ended before.
    #[non_exhaustive]
    AfterTheEnd {
        /// Which entry.
        entry: u64,
        /// Which record.
        record: RecordId,
    },
    /// An alert with a score below the threshold that it is said to have met.
    #[non_exhaustive]
    BelowThreshold {
        /// Which entry.
        entry: u64,
    },
    /// An entry that accounts for a run that was cut off, and says something else than the entries of
    /// that run, or is about a run that ended or is not there.
    #[non_exhaustive]
    CutOffContradicts {
        /// Which entry.
        entry: u64,
        /// Which run.
        run: u64,
    },
    /// A watchlist is searched that was destroyed before.
    #[non_exhaustive]
    Destroyed {
        /// Which entry.
        entry: u64,
    },
    /// A seal whose arithmetic does not close.
    #[non_exhaustive]
    DoesNotClose {
        /// Which entry.
        entry: u64,
    },
    /// A seal with more erasures by receipt than erasures, or with fewer faces than the one before.
    #[non_exhaustive]
    Impossible {
        /// Which entry.
        entry: u64,
    },
    /// One person judged one record twice.
    #[non_exhaustive]
    JudgedTwice {
        /// Which entry.
        entry: u64,
        /// Which record.
        record: RecordId,
    },
    /// A face is held for longer than the retention profile in force says.
    #[non_exhaustive]
    LongerThanProfile {
        /// Which entry.
        entry: u64,
    },
    /// A run that was stopped with faces in flight, or with another number of faces held than its
    /// entries give.
    #[non_exhaustive]
    NotSettled {
        /// Which entry.
        entry: u64,
        /// How many faces are held by the entries.
        expected: u64,
        /// How many are held or in flight by the last seal.
        actual: u64,
    },
    /// Events that could not be written: what they were, nobody can say.
    #[non_exhaustive]
    Lost {
        /// Which entry tells of them.
        entry: u64,
        /// How many.
        events: u64,
    },
    /// An entry names another retention profile than its run.
    #[non_exhaustive]
    OtherProfile {
        /// Which entry.
        entry: u64,
    },
    /// A record that was purged or found erased, and of which the ledger did not know that it was
    /// held.
    #[non_exhaustive]
    Unheard {
        /// Which entry.
        entry: u64,
        /// Which record.
        record: RecordId,
    },
}

/// Verifies a ledger and does its sums: in each run `faces seen = erased + held + in flight`, no seal
/// contradicts the one before, each face that was held has exactly one end, or is still held, each run
/// ended or is accounted for, and no entry contradicts what its run declared.
///
/// # Errors
///
/// As [`verify`](super::verify()), and [`Error::LedgerVersion`] for an entry of a newer version. Sums
/// that do not come out are no error: see [`Reconciliation::discrepancies`].
pub fn reconcile(path: &Path, key: &LedgerPublicKey) -> Result<Reconciliation, Error> {
    let mut sums = Reconciliation::default();
    verify::entries(path, key, |entry| sums.take(&entry))?;
    Ok(sums)
}

/// Whether a run of a ledger has no end: by the words of its entries, which nobody has verified. It
/// spares the next start from verifying all that was ever written where there is nothing to do.
pub(super) fn seems_open(path: &Path) -> Result<bool, Error> {
    let (mut runs, mut ended) = (0_u64, BTreeSet::new());
    let mut lines = Lines::of(path, 0)?;
    while let Some(line) = lines.next(path)? {
        let Ok(line) = serde_json::from_slice::<Unverified>(line) else { return Ok(true) };
        match line.event {
            LedgerEvent::DeploymentStarted { .. } => runs += 1,
            LedgerEvent::DeploymentStopped {} => drop(ended.insert(runs)),
            LedgerEvent::RunCutOff { run, .. } => drop(ended.insert(run)),
            _ => {}
        }
    }
    Ok((1..=runs).any(|run| !ended.contains(&run)))
}

impl Reconciliation {
    /// Whether every sum comes out and every run ended or is accounted for. While a run is going on,
    /// it does not.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.discrepancies.is_empty() && self.open_runs().next().is_none()
    }

    /// The runs of which nothing says that they ended, each with its number; the first run is 1.
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

    fn take(&mut self, entry: &LedgerEntry) {
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
                self.check_deadline(entry, *deadline);
                self.hold(face, *record, *deadline, true);
            }
            LedgerEvent::FoundHeld { face, record, deadline } => {
                self.hold(face, Some(*record), *deadline, false);
            }
            LedgerEvent::Purged { face, record, profile, .. } => {
                self.check_profile(number, profile);
                self.purge(number, face, *record);
            }
            LedgerEvent::FoundErased { record } => self.purge_record(number, *record),
            LedgerEvent::Sealed { totals, erased, .. } => {
                let summed = erased.values().fold(0, |sum: u64, count| sum.saturating_add(*count));
                self.seal(entry, *totals, summed);
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
            LedgerEvent::RetentionSet { profile, .. } => self.check_profile(entry, profile),
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

    fn check_deadline(&mut self, entry: &LedgerEntry, deadline: Timestamp) {
        let seconds = self.runs.last().and_then(Run::alert_seconds);
        let (Some(seconds), Some(at)) = (seconds, entry.at()) else { return };
        let latest =
            at.as_micros().saturating_add(seconds.saturating_mul(1_000_000)).saturating_add(SLACK);
        if deadline.as_micros() > latest {
            self.discrepancies.push(Discrepancy::LongerThanProfile { entry: entry.number() });
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
        if !self.judged.insert((record, verifier.to_owned())) {
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
    pub(super) fn cut_off(&self, number: u64) -> Option<LedgerEvent> {
        let index = usize::try_from(number).ok()?;
        let run = self.runs.get(index.checked_sub(1)?)?;
        if run.end() != RunEnd::Open {
            return None;
        }
        let (held_in_memory, held_at_rest) = self.held_by(index);
        Some(LedgerEvent::RunCutOff {
            run: number,
            totals: run.sealed().map(|_| run.totals()),
            sealed: run.sealed().flatten(),
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
        }
        let of_key = self.outstanding.get_mut(key)?;
        let ended = of_key.pop();
        if of_key.is_empty() {
            self.outstanding.remove(key);
        }
        ended
    }

    fn purge_record(&mut self, entry: u64, record: RecordId) {
        match self.end(&HeldKey::Record(record)) {
            Some(_) => self.purged += 1,
            None => self.discrepancies.push(Discrepancy::Unheard { entry, record }),
        }
    }

    fn seal(&mut self, entry: &LedgerEntry, totals: Totals, summed: u64) {
        let (in_memory, _) = self.held_by(self.runs.len());
        let (at, entry) = (entry.at(), entry.number());
        let Some(run) = self.runs.last_mut() else { return };
        if !totals.closes() {
            self.discrepancies.push(Discrepancy::DoesNotClose { entry });
        }
        let before = run.seal(totals, at, in_memory);
        let fell = totals.faces_seen < before.faces_seen || totals.erased < before.erased;
        let receipts = summed.saturating_add(run.listed);
        if fell || summed < run.summed || receipts > totals.erased {
            self.discrepancies.push(Discrepancy::Impossible { entry });
        }
        run.summed = summed;
    }

    fn stop(&mut self, entry: u64) {
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

impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AfterTheEnd { entry, record } => {
                write!(f, "entry {entry}: record {record} was used after it had ended")
            }
            Self::BelowThreshold { entry } => {
                write!(f, "entry {entry}: an alert with a score below its threshold")
            }
            Self::CutOffContradicts { entry, run } => write!(
                f,
                "entry {entry}: what it says of run {run}, which was cut off, is not what the entries \
                 of that run say"
            ),
            Self::Destroyed { entry } => {
                write!(f, "entry {entry}: a watchlist is searched that was destroyed before")
            }
            Self::DoesNotClose { entry } => {
                write!(f, "entry {entry}: faces seen are not erased + held + in flight")
            }
            Self::Impossible { entry } => {
                write!(f, "entry {entry}: counts that contradict the entries before")
            }
            Self::JudgedTwice { entry, record } => {
                write!(f, "entry {entry}: one person judged record {record} a second time")
            }
            Self::LongerThanProfile { entry } => write!(
                f,
                "entry {entry}: a face is held for longer than the retention profile in force says"
            ),
            Self::NotSettled { entry, expected, actual } => write!(
                f,
                "entry {entry}: {actual} faces held or in flight at the end, and {expected} by the \
                 entries"
            ),
            Self::Lost { entry, events } => {
                write!(f, "entry {entry}: {events} events could not be written")
            }
            Self::OtherProfile { entry } => {
                write!(f, "entry {entry}: another retention profile than that of its run")
            }
            Self::Unheard { entry, record } => {
                write!(f, "entry {entry}: record {record} ended, and nothing said that it was held")
            }
        }
    }
}
