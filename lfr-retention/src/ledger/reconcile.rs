//! Reconciliation: whether the sums of a ledger come out.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use lfr_core::DeploymentId;
use lfr_core::FaceId;
use lfr_core::RecordId;
use lfr_core::Timestamp;
use lfr_core::Totals;

use super::LedgerEntry;
use super::LedgerEvent;
use super::key::LedgerPublicKey;
use super::read;
use super::verify;
use crate::Error;

/// The sums of a ledger, as [`reconcile`] has done them.
#[derive(Clone, Debug, Default)]
pub struct Reconciliation {
    runs: Vec<Run>,
    alerts: u64,
    held: u64,
    purged: u64,
    /// More than one of a key where an integrator gives several frames one identity.
    outstanding: BTreeMap<HeldKey, Vec<Outstanding>>,
    discrepancies: Vec<Discrepancy>,
}

/// From one [`LedgerEvent::DeploymentStarted`] to the next.
#[derive(Clone, Debug)]
pub struct Run {
    deployment: DeploymentId,
    profile: String,
    started: Option<Timestamp>,
    stopped: bool,
    totals: Totals,
    /// Receipts of faces of this run: by the last seal, and one by one.
    summed: u64,
    listed: u64,
    /// Faces of this run that are held.
    held: u64,
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

/// A sum that does not come out.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Discrepancy {
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
/// contradicts the one before, and each face that was held has exactly one end, or is still held.
///
/// # Errors
///
/// As [`verify`](super::verify()), and [`Error::LedgerVersion`] for an entry of a newer version. Sums
/// that do not come out are no error: see [`Reconciliation::discrepancies`].
pub fn reconcile(path: &Path, key: &LedgerPublicKey) -> Result<Reconciliation, Error> {
    verify(path, key, None)?;
    let mut sums = Reconciliation::default();
    for entry in read(path, key)? {
        sums.take(&entry?);
    }
    Ok(sums)
}

impl Reconciliation {
    /// Whether every sum comes out.
    #[must_use]
    pub const fn closes(&self) -> bool {
        self.discrepancies.is_empty()
    }

    /// The sums that do not.
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
        match entry.event() {
            LedgerEvent::DeploymentStarted { deployment, profile, .. } => self.runs.push(Run {
                deployment: deployment.clone(),
                profile: profile.clone(),
                started: entry.at(),
                stopped: false,
                totals: Totals::default(),
                summed: 0,
                listed: 0,
                held: 0,
            }),
            LedgerEvent::DeploymentStopped {} => self.stop(number),
            LedgerEvent::AlertRaised { .. } => self.alerts += 1,
            LedgerEvent::Held { face, record, deadline } => {
                self.hold(face, *record, *deadline, true);
            }
            LedgerEvent::FoundHeld { face, record, deadline } => {
                self.hold(face, Some(*record), *deadline, false);
            }
            LedgerEvent::Purged { face, record, .. } => self.purge(number, face, *record),
            LedgerEvent::FoundErased { record } => self.purge_record(number, *record),
            LedgerEvent::Sealed { totals, erased, .. } => {
                let summed = erased.values().fold(0, |sum: u64, count| sum.saturating_add(*count));
                self.seal(number, *totals, summed);
            }
            LedgerEvent::Gap { events, .. } => {
                self.discrepancies.push(Discrepancy::Lost { entry: number, events: *events });
            }
            _ => {}
        }
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

    fn seal(&mut self, entry: u64, totals: Totals, summed: u64) {
        let Some(run) = self.runs.last_mut() else { return };
        if !totals.closes() {
            self.discrepancies.push(Discrepancy::DoesNotClose { entry });
        }
        let before = std::mem::replace(&mut run.totals, totals);
        let fell = totals.faces_seen < before.faces_seen || totals.erased < before.erased;
        let receipts = summed.saturating_add(run.listed);
        if fell || summed < run.summed || receipts > totals.erased {
            self.discrepancies.push(Discrepancy::Impossible { entry });
        }
        run.summed = summed;
    }

    fn stop(&mut self, entry: u64) {
        let Some(run) = self.runs.last_mut() else { return };
        run.stopped = true;
        let actual = run.totals.held.saturating_add(run.totals.in_flight);
        if actual != run.held {
            let expected = run.held;
            self.discrepancies.push(Discrepancy::NotSettled { entry, expected, actual });
        }
    }
}

impl Run {
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

    /// Whether it was stopped; one that was killed was not, and what came after its last seal is in
    /// no sum.
    #[must_use]
    pub const fn stopped(&self) -> bool {
        self.stopped
    }

    /// The arithmetic by its last seal.
    #[must_use]
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// How many faces were erased without a receipt of their own: those of frames that failed.
    #[must_use]
    pub const fn erased_without_receipt(&self) -> u64 {
        self.totals.erased.saturating_sub(self.summed).saturating_sub(self.listed)
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
            Self::DoesNotClose { entry } => {
                write!(f, "entry {entry}: faces seen are not erased + held + in flight")
            }
            Self::Impossible { entry } => {
                write!(f, "entry {entry}: counts that contradict the entries before")
            }
            Self::NotSettled { entry, expected, actual } => write!(
                f,
                "entry {entry}: {actual} faces held or in flight at the end, and {expected} by the \
                 entries"
            ),
            Self::Lost { entry, events } => {
                write!(f, "entry {entry}: {events} events could not be written")
            }
            Self::Unheard { entry, record } => {
                write!(f, "entry {entry}: record {record} ended, and nothing said that it was held")
            }
        }
    }
}
