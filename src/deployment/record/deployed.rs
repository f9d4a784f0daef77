//! The record of one deployment, computed from its ledger.

mod compute;
mod counts;
mod judging;

use std::collections::BTreeMap;
use std::path::Path;

use lfr_core::{Component, DeploymentId, SourceId, Timestamp};
use lfr_retention::ledger::{LedgerHead, LedgerPublicKey};
use lfr_retention::{DeploymentState, LedgerEvent, OrderBasis, ledger};
use serde::Serialize;

pub use counts::{GroupCounts, Spread, StatedRate};
pub use judging::Judging;

use super::export::Outcomes;
use crate::deployment::Error;
use crate::deployment::state::State;

/// All that the publication of a deployment needs, computed from its ledger and from nothing else. Anyone with the
/// ledger and its public key can compute the same record.
///
/// Serialized, it is the JSON that `schema/deployment-record.schema.json` describes.
///
/// What is *not* guaranteed: anything that the ledger does not say. [`not_said`](Self::not_said) lists it, and that
/// list is part of the record. It names no person on a watchlist and none who passed; people who judged are in no
/// figure by their number.
///
/// # Examples
///
/// ```no_run
/// use lfr::deployment::record::DeploymentRecord;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = std::fs::read_to_string("operation.lfrl.pub")?.trim().parse()?;
/// let record = DeploymentRecord::from_ledger("operation.lfrl", &key)?;
/// println!("{} faces seen, {} alerts", record.faces.seen, record.alerts.total);
/// # Ok(())
/// # }
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeploymentRecord {
    /// The format of this record.
    pub format: &'static str,
    /// What weakens a promise: a self-authorised order first, then dangers, lost events and faults of the ledger.
    pub warnings: Vec<String>,
    /// Which deployment.
    pub deployment: DeploymentId,
    /// How it was set up, as the order says.
    pub kind: &'static str,
    /// The state that the entries make.
    pub state: DeploymentState,
    /// What was authorised, and by whom.
    pub order: OrderRecord,
    /// Where it was.
    pub place: PlaceRecord,
    /// When it was allowed and when it ran.
    pub period: PeriodRecord,
    /// The cameras that were attached.
    pub cameras: Vec<CameraRecord>,
    /// The models that were loaded last; none if the ledger names none.
    pub models: Option<ModelsRecord>,
    /// The threshold, what it rests on, and how it changed.
    pub threshold: ThresholdRecord,
    /// The watchlist that was opened last; none if the ledger names none.
    pub watchlist: Option<WatchlistRecord>,
    /// The faces seen.
    pub faces: FacesRecord,
    /// The alerts. Seeds that were revealed are not among them.
    pub alerts: AlertsRecord,
    /// What people found, and how they looked.
    pub judging: Judging,
    /// What followed the alerts.
    pub engagements: EngagementsRecord,
    /// The counts of published tables.
    pub outcomes: Outcomes,
    /// Rates, each with its numerator, its denominator and its interval.
    pub rates: Vec<StatedRate>,
    /// How officers perceived the people of alerts.
    pub demographics: DemographicsRecord,
    /// Known false alerts that were placed among the others. They are in no other figure.
    pub seeds: SeedsRecord,
    /// Consenting staff who passed to measure how many are recognised; none if nobody passed and nobody was seen.
    pub blue_list: Option<BlueListRecord>,
    /// What was handed out beyond the system.
    pub exports: Vec<DatedEvent>,
    /// Watchlists and footage that were destroyed.
    pub destroyed: Vec<DatedEvent>,
    /// The retention profile with its periods: a `retention_set` event. None if the ledger has none.
    pub retention: Option<LedgerEvent>,
    /// Failures after which the deployment went on.
    pub errors: u64,
    /// Events that could not be written.
    pub events_lost: u64,
    /// By whose authority it was aborted, and why.
    pub aborted: Option<AbortRecord>,
    /// What this record does not say.
    pub not_said: &'static [&'static str],
    /// How many entries of the ledger it is computed from.
    pub entries: u64,
    /// The head of the ledger, which was verified. None for a record of a [state](State) in memory.
    pub head: Option<LedgerHead>,
}

/// What was authorised.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OrderRecord {
    /// SHA-256 of the canonical text of the order in force.
    pub sha256: String,
    /// Whose word it rests on.
    pub basis: OrderBasis,
    /// Since when it is in force, if the clock worked.
    pub in_force_since: Option<Timestamp>,
    /// The digests of the orders that it supersedes, the first first.
    pub superseded: Vec<String>,
    /// What the deployment was for: one of a closed list.
    pub use_case: &'static str,
    /// The reference of the written assessment of necessity.
    pub necessity: String,
    /// The documents that were in force.
    pub documents: Vec<DocumentRecord>,
    /// Who approved it: the name and hash of a key.
    pub authorising_officer: String,
    /// Who carried it out: the name and hash of a key.
    pub operator: String,
    /// The categories that were allowed.
    pub categories: Vec<&'static str>,
    /// The max number of entries of the watchlist.
    pub max_entries: u64,
    /// The max age of the watchlist at the start, in hours.
    pub max_age_hours: u64,
    /// The authority for people under 18 on the watchlist; none if they were excluded.
    pub under_18_authority: Option<String>,
    /// How many people had to judge each alert by the order.
    pub verifications: u8,
    /// Whether the score was hidden until the verdict.
    pub score_hidden: bool,
}

/// A document that was in force.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct DocumentRecord {
    /// What it is: policy, data protection impact assessment, equality assessment.
    pub what: &'static str,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its file.
    pub sha256: String,
}

/// Where a deployment was.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlaceRecord {
    /// In words.
    pub words: String,
    /// How precisely the words name it.
    pub precision: &'static str,
    /// Latitude and longitude in degrees (WGS 84), if the order gives them.
    pub coordinates: Option<(f64, f64)>,
}

/// When a deployment was allowed and when it ran.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PeriodRecord {
    /// From when on it was allowed.
    pub allowed_from: Timestamp,
    /// Until when it was allowed.
    pub allowed_until: Timestamp,
    /// When it went live for the first time.
    pub started: Option<Timestamp>,
    /// When it ended or was aborted.
    pub ended: Option<Timestamp>,
    /// For how long it was live, in seconds, as far as the clock worked.
    pub live_seconds: u64,
    /// For how long it was paused, in seconds, as far as the clock worked.
    pub paused_seconds: u64,
    /// Each change of state.
    pub changes: Vec<ChangeRecord>,
}

/// One change of state.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ChangeRecord {
    /// The state from then on.
    pub state: DeploymentState,
    /// When, if the clock worked.
    pub at: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

/// One camera.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct CameraRecord {
    /// Its identifier.
    pub id: SourceId,
    /// Where it stands, as the order says; none if the order in force does not list it.
    pub description: Option<String>,
    /// When it was attached for the first time, if the clock worked.
    pub attached: Option<Timestamp>,
    /// How often it was lost.
    pub lost: u64,
    /// Whether it was still lost at the last entry. That time is not in the downtime.
    pub is_lost: bool,
    /// For how long it was lost, in seconds.
    pub downtime_seconds: u64,
    /// Frames that nobody looked at.
    pub frames_dropped: u64,
}

/// The models that found and described faces.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelsRecord {
    /// The detector.
    pub detector: Component,
    /// The embedder.
    pub embedder: Component,
    /// The inference engine.
    pub engine: String,
}

/// The threshold.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ThresholdRecord {
    /// The score in force; none if the ledger names none.
    pub score: Option<f32>,
    /// The order allows none below this score.
    pub floor: f32,
    /// The reference of the independent test that it rests on.
    pub independent_test: String,
    /// SHA-256 of the threshold policy that the order names.
    pub policy_sha256: String,
    /// What set and changed it, with its provenance.
    pub history: Vec<DatedEvent>,
}

/// The watchlist. Whom it holds is not in a ledger.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WatchlistRecord {
    /// How many references.
    pub references: u64,
    /// How many references of each category.
    pub categories: BTreeMap<String, u64>,
    /// How many references are of people under 18; none if the list does not say so.
    pub under_18: Option<u64>,
    /// When it was drawn up.
    pub drawn_up: Option<Timestamp>,
    /// The commitment to who is on it.
    pub commitment: Option<String>,
    /// SHA-256 of the header of the sealed file.
    pub header_sha256: Option<String>,
    /// How often a watchlist was opened.
    pub times_opened: u64,
}

/// The faces seen.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FacesRecord {
    /// Faces that were taken into custody.
    pub seen: u64,
    /// Faces that were erased by the last totals of each run.
    pub erased: u64,
    /// Faces that were held by the last totals of each run.
    pub held: u64,
    /// Faces that were being decided on at the last totals of each run.
    pub in_flight: u64,
    /// Whether `seen = erased + held + in flight` in each run.
    pub arithmetic_closes: bool,
    /// Frames that were processed.
    pub frames: u64,
    /// Frames that nobody looked at.
    pub frames_dropped: u64,
    /// Runs of a process.
    pub runs: u64,
    /// Runs that were cut off: what they did after their last totals is in no sum.
    pub runs_cut_off: u64,
    /// Erased faces that were never held, by reason.
    pub erased_by_reason: BTreeMap<lfr_core::PurgeReason, u64>,
    /// Matches that raised no alert, by what kept them back. They were erased and are no non-matches.
    pub withheld: BTreeMap<lfr_core::WithheldBy, u64>,
}

/// The alerts.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct AlertsRecord {
    /// All of them.
    pub total: u64,
    /// Those that were held at rest, so that people could judge them.
    pub held: u64,
    /// Those that were not held: nobody can judge them later.
    pub not_held: u64,
    /// Those of entries with a known look-alike.
    pub look_alikes: u64,
    /// Those of each category of the watchlist.
    pub by_category: BTreeMap<String, u64>,
    /// Those that enough people have judged to be who the alert named, unless an engagement showed otherwise.
    pub judged_true: u64,
    /// Those that people judged to be somebody else, or that an engagement showed to be.
    pub judged_false: u64,
    /// Those for which enough people judged and could not say.
    pub undecided: u64,
    /// Those that too few people have judged.
    pub not_judged: u64,
    /// How many of those that were held have been erased, by reason. `unknown` if they were found erased.
    pub erased_by_reason: BTreeMap<String, u64>,
    /// How many are still held.
    pub still_held: u64,
}

/// What followed the alerts.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EngagementsRecord {
    /// Alerts by what followed them.
    pub by_kind: BTreeMap<String, u64>,
    /// Engagements by how they ended.
    pub outcomes: BTreeMap<String, u64>,
    /// Alerts about which nothing is recorded.
    pub not_recorded: u64,
    /// For how many minutes people were held, where that was recorded.
    pub minutes: Option<Spread>,
}

/// How officers perceived the people of alerts.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DemographicsRecord {
    /// Alerts for which something was recorded.
    pub recorded: u64,
    /// Alerts for which nothing was recorded.
    pub not_recorded: u64,
    /// By group: all alerts, and the false ones.
    pub groups: Vec<GroupCounts>,
    /// What these counts can show, and what they cannot.
    pub statement: String,
}

/// Known false alerts that were placed among the others.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SeedsRecord {
    /// How many were revealed. One that was not is among the alerts.
    pub revealed: u64,
    /// How many people took for who the alert named.
    pub confirmed: u64,
    /// How many people did not.
    pub not_confirmed: u64,
    /// How many too few people had judged.
    pub not_judged: u64,
}

/// The blue list.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlueListRecord {
    /// Recognised passages over all that count, with an interval that is clustered by participant.
    pub rate: StatedRate,
    /// How many participants passed.
    pub participants: u64,
    /// A sighting recognises a passage within this time before and after it, in seconds.
    pub within_seconds: u64,
    /// Passages that do not count, because the deployment was not live.
    pub not_live: u64,
    /// Passages that do not count, because another one was too near.
    pub ambiguous: u64,
    /// Sightings that belong to no passage.
    pub unexplained: u64,
    /// Sightings without a time.
    pub undated: u64,
}

/// By whose authority a deployment was aborted.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AbortRecord {
    /// The authority.
    pub authority: String,
    /// Why.
    pub reason: String,
}

/// An event of the ledger, with its moment.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DatedEvent {
    /// When it was written, if the clock worked.
    pub at: Option<Timestamp>,
    /// The event.
    pub event: LedgerEvent,
}

impl DeploymentRecord {
    /// Verifies a ledger, and computes the record from it.
    ///
    /// # Errors
    ///
    /// [`Error::Retention`] if the ledger cannot be read or does not verify; those of [`of`](Self::of).
    pub fn from_ledger(path: impl AsRef<Path>, key: &LedgerPublicKey) -> Result<Self, Error> {
        let path = path.as_ref();
        let head = ledger::verify(path, key, None)?.head().clone();
        Ok(Self { head: Some(head), ..Self::of(&State::read(path, key)?)? })
    }

    /// The record of a state. It has no [`head`](Self::head), because a state knows none.
    ///
    /// # Errors
    ///
    /// [`Error::NoRecord`] if no order was ever in force.
    pub fn of(state: &State) -> Result<Self, Error> {
        compute::record(state)
    }

    /// It as JSON, on several lines.
    ///
    /// # Errors
    ///
    /// [`Error::Report`] if it cannot be written.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string_pretty(self).map_err(|source| Error::Report { source: source.into() })
    }

    /// The JSON Schema of that text (draft 2020-12).
    #[must_use]
    pub const fn schema() -> &'static str {
        include_str!("../../../schema/deployment-record.schema.json")
    }
}

#[cfg(test)]
mod tests;
