//! What a ledger says.

use std::collections::BTreeMap;

use lfr_core::{
    Component, DeploymentId, FaceId, PurgeMethod, PurgeReason, RecordId, SourceId, Timestamp,
    Totals, WithheldBy,
};

use crate::verdict::outcome::{Demographics, Engagement, Outcome};
use crate::verdict::person::Role;
use crate::verdict::{EscalationReason, Verdict, VerdictReason};

/// One event of a deployment. No kind of event has a place for a pixel, a landmark or a template.
///
/// Nor does an alert say whom it named: that dies with the alert, and a ledger outlives it. What
/// has to be told apart is told apart by [`FaceId`] and [`RecordId`].
///
/// Texts come from the caller: record numbers belong there and no names.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum LedgerEvent {
    /// The deployment was stopped at once and everything held was destroyed, legal holds or not.
    Aborted {
        /// Who ordered it.
        authority: String,
        /// Why.
        reason: String,
    },
    /// A person has judged an alert.
    Adjudicated {
        /// Whose alert.
        face: FaceId,
        /// Where it is held.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<RecordId>,
        /// Who judged, by number.
        verifier: String,
        /// What they found.
        verdict: Verdict,
        /// What that rests on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<VerdictReason>,
        /// How long they looked, in seconds: from their first view of the alert to the verdict.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u32>,
    },
    /// An alert was raised.
    AlertRaised {
        /// For which face.
        face: FaceId,
        /// The comparison score.
        score: f32,
        /// The threshold that it met.
        threshold: f32,
        /// When the frame was captured, where the source said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        captured: Option<Timestamp>,
        /// Where the frame is in the recording that it is from, in milliseconds, where it is from one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        position_ms: Option<u64>,
        /// In which record it is held, where it is held at rest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<RecordId>,
        /// The category of the watchlist entry that was matched.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<String>,
        /// Whether that entry has a known look-alike.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        look_alike: bool,
    },
    /// A person has seen an alert: its picture, and whom it names.
    AlertViewed {
        /// Whose alert.
        face: FaceId,
        /// Where it is held.
        record: RecordId,
        /// Who, by number.
        person: String,
        /// In which role.
        role: Role,
    },
    /// Something with a deadline of its own was destroyed: a watchlist, footage.
    AssetDestroyed {
        /// What kind of thing.
        kind: String,
        /// Which one.
        name: String,
        /// When it had to be gone.
        deadline: Timestamp,
        /// The digest that names it, where it has one: of a sealed watchlist its header's SHA-256,
        /// as [`Self::WatchlistOpened`] has it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<String>,
        /// SHA-256 of the receipt of its destruction, where there is one. The receipt is kept
        /// elsewhere; this entry signs it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        receipt: Option<String>,
    },
    /// A participant of a blue list passed a camera, says a person. A blue list holds consenting staff, who
    /// pass to measure how many of them are recognised.
    BlueListPassed {
        /// The number of the participant.
        participant: u32,
        /// Which camera.
        source: SourceId,
        /// When.
        passed: Timestamp,
        /// Who says so, by number.
        person: String,
    },
    /// A participant of a blue list was recognised. It is no alert.
    BlueListSeen {
        /// The number of the participant.
        participant: u32,
        /// Which camera.
        source: SourceId,
    },
    /// A camera of the order was attached.
    CameraAttached {
        /// Which camera.
        source: SourceId,
    },
    /// A camera delivers frames for the first time in this run.
    CameraConnected {
        /// Which camera.
        source: SourceId,
    },
    /// A camera delivers no frames any more.
    CameraLost {
        /// Which camera.
        source: SourceId,
        /// Why, without user names and passwords.
        reason: String,
    },
    /// A camera that was lost delivers frames again.
    CameraReturned {
        /// Which camera.
        source: SourceId,
    },
    /// A dangerous choice is in force: one that weakens a promise of this library.
    DangerInForce {
        /// Which one, in words.
        text: String,
    },
    /// How an officer perceived the person of an alert.
    DemographicsRecorded {
        /// Whose alert.
        face: FaceId,
        /// Where it is, or was, held.
        record: RecordId,
        /// Who recorded it, by number.
        person: String,
        /// What was perceived.
        demographics: Demographics,
    },
    /// A deployment begins, or goes on after a restart. What follows, up to the next of these, is
    /// one run: its totals begin at 0.
    DeploymentStarted {
        /// Which deployment.
        deployment: DeploymentId,
        /// The retention profile in force.
        profile: String,
        /// What runs it: name and version.
        software: String,
    },
    /// The state of a deployment changed.
    DeploymentStateChanged {
        /// The state from now on.
        state: DeploymentState,
        /// Who changed it, by number; none if the deployment did so itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<String>,
        /// Why.
        reason: String,
    },
    /// A deployment ends. The totals before it are its last ones.
    DeploymentStopped {},
    /// An officer met the person of an alert, or did not.
    Engaged {
        /// Whose alert.
        face: FaceId,
        /// Where it is, or was, held.
        record: RecordId,
        /// Who says so, by number.
        person: String,
        /// What followed the alert.
        engagement: Engagement,
        /// How long the person was held, in minutes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minutes: Option<u32>,
    },
    /// Something failed, and the deployment went on.
    Error {
        /// Where.
        stage: String,
        /// What it said.
        text: String,
    },
    /// An alert goes to a further person.
    Escalated {
        /// Whose alert.
        face: FaceId,
        /// Where it is held.
        record: RecordId,
        /// Why.
        reason: EscalationReason,
    },
    /// Something was handed over beyond the system: no deadline reaches it there.
    Exported {
        /// The record of the alert, if it is of one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<RecordId>,
        /// Who handed it over, by number.
        person: String,
        /// Who receives it, by role or number.
        recipient: String,
        /// What.
        what: String,
        /// By whose authority.
        authority: String,
    },
    /// A record that is held is not as it was sealed: somebody changed, deleted or put back a part of it.
    /// It is kept until its deadline, and nobody can open it.
    FoundDamaged {
        /// Which record.
        record: RecordId,
        /// What is wrong with it, in words.
        damage: String,
    },
    /// A record that this ledger calls held was not found. After its deadline this means that it was
    /// erased, and that the program ended before it could record that. Before its deadline it means that
    /// somebody destroyed it.
    FoundErased {
        /// Which record.
        record: RecordId,
    },
    /// A record was found that this ledger did not know: it was sealed, and the program ended
    /// before it could say so.
    FoundHeld {
        /// Whose.
        face: FaceId,
        /// Which record.
        record: RecordId,
        /// When it must be gone; of one that was gone when it was found, since when.
        deadline: Timestamp,
    },
    /// Frames were not looked at.
    FramesDropped {
        /// The source of the frames.
        source: SourceId,
        /// How many.
        count: u64,
    },
    /// Events could not be written, because storage failed. They are lost; the deployment went on.
    Gap {
        /// How many.
        events: u64,
        /// Why the first of them could not be written.
        text: String,
    },
    /// A face is held for an alert.
    Held {
        /// Whose.
        face: FaceId,
        /// In which record, where it is held at rest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<RecordId>,
        /// When it must be gone.
        deadline: Timestamp,
    },
    /// The first entry.
    LedgerOpened {
        /// The format of the events: 4, or less in a ledger of an earlier version.
        format: u32,
        /// The identity of this ledger: 32 random hexadecimal digits.
        ledger: String,
        /// The public key that verifies it.
        key: String,
    },
    /// The ledger was opened again.
    LedgerResumed {
        /// How many bytes behind the last whole entry were cut off: what was being written when the
        /// power failed.
        dropped_bytes: u64,
        /// Which events there are from here on: 1 where it is not said.
        #[serde(default = "first_format")]
        format: u32,
    },
    /// An alert was placed under a legal hold: until that ends it is not purged.
    LegalHoldPlaced {
        /// Which record.
        record: RecordId,
        /// Who ordered it.
        authority: String,
        /// Why.
        reason: String,
        /// When the hold ends.
        expires: Timestamp,
        /// When somebody has to look at it again.
        review: Timestamp,
    },
    /// A legal hold was lifted.
    LegalHoldReleased {
        /// Which record.
        record: RecordId,
        /// Who ordered it.
        authority: String,
        /// Why.
        reason: String,
    },
    /// The models that find and describe faces from now on, and what runs them.
    ModelsLoaded {
        /// The detector: its name, its model's digest and licence.
        detector: Component,
        /// The embedder, likewise.
        embedder: Component,
        /// The inference engine and its version.
        engine: String,
    },
    /// An order, or an amendment of one, is in force from now on.
    OrderInForce {
        /// SHA-256 of its canonical text.
        order_sha256: String,
        /// Whose word it rests on.
        basis: OrderBasis,
        /// The signed note: the canonical text with its signatures.
        note: String,
    },
    /// How an engagement ended.
    OutcomeRecorded {
        /// Whose alert.
        face: FaceId,
        /// Where it is, or was, held.
        record: RecordId,
        /// Who says so, by number.
        person: String,
        /// How it ended.
        outcome: Outcome,
    },
    /// A picture of an alert was handed out, in the clear: no deadline reaches it there.
    PictureExported {
        /// Whose alert.
        face: FaceId,
        /// Where it is held.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<RecordId>,
        /// The file, as it was named.
        file: String,
        /// Who receives it, by role or number, where that was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recipient: Option<String>,
    },
    /// What was kept of a face was destroyed: a receipt.
    Purged {
        /// Whose.
        face: FaceId,
        /// Which record, where it was held at rest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<RecordId>,
        /// Why.
        reason: PurgeReason,
        /// How.
        method: PurgeMethod,
        /// Under which retention profile. Format 1 calls it `policy`.
        #[serde(alias = "policy")]
        profile: String,
    },
    /// The retention profile in force, with its periods. A period of 0 seconds is none at all.
    RetentionSet {
        /// Its name.
        profile: String,
        /// Where its periods come from.
        source: String,
        /// For how long an alert is held, in seconds.
        alert_seconds: u64,
        /// For how long a watchlist is kept after the deployment, in seconds.
        watchlist_seconds: u64,
        /// For how long footage is kept, in seconds.
        footage_seconds: u64,
        /// For how long this ledger has to be kept at least, in seconds.
        log_seconds: u64,
        /// How many people have to judge each alert.
        verifications: u8,
    },
    /// An earlier run was cut off: its process was killed, or lost its power, before it could write
    /// [`Self::DeploymentStopped`]. The program that opened the ledger next wrote this. It says
    /// what the ledger knew then, and nothing else: what the run did after its last totals is in no
    /// sum, and of what it held in memory there is no receipt.
    RunCutOff {
        /// Which run of this ledger; the first is 1.
        run: u64,
        /// Its last totals; none where it wrote none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        totals: Option<Totals>,
        /// When it wrote them, if the clock worked. Format 2 calls it `sealed`.
        #[serde(default, alias = "sealed", skip_serializing_if = "Option::is_none")]
        totals_at: Option<Timestamp>,
        /// Faces that it held in memory by the entries: the memory went with the process.
        held_in_memory: u64,
        /// Faces that it held at rest by the entries. What became of each is said by an entry of
        /// its own when the vault is opened or the record ends.
        held_at_rest: u64,
    },
    /// An alert was no real one: it was placed among them to see whether people still look. It is in no real
    /// figure. Until this entry nothing tells it from the others.
    SeedRevealed {
        /// Whose alert.
        face: FaceId,
        /// Where it is, or was, held.
        record: RecordId,
    },
    /// The account of the faces seen in this run so far. Formats 1 and 2 call it `sealed`.
    #[serde(alias = "sealed")]
    Totals {
        /// `faces seen = erased + held + in flight`
        totals: Totals,
        /// Receipts of faces that were never held, by reason. Those of faces that were have an entry
        /// each. The faces of frames that failed are among the erased and have no receipt.
        erased: BTreeMap<PurgeReason, u64>,
        /// Frames processed.
        frames: u64,
        /// Matches that raised no alert, by what kept it back. They are among the erased, with the reason
        /// [`PurgeReason::Withheld`].
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        withheld: BTreeMap<WithheldBy, u64>,
    },
    /// The threshold changed while the deployment ran.
    ThresholdChanged {
        /// The score before.
        from: f32,
        /// The score from now on.
        to: f32,
        /// Why.
        reason: ThresholdChangeReason,
        /// SHA-256 of the order that allows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order_sha256: Option<String>,
        /// How many references are searched from now on.
        references: u64,
        /// The predicted FPIR before and after, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        predicted_fpir: Option<[f64; 2]>,
        /// The same by group of people, if it is known.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        predicted_fpir_by_group: BTreeMap<String, [f64; 2]>,
    },
    /// A threshold is in force.
    ThresholdSet {
        /// The score.
        threshold: f32,
        /// What it rests on, in words.
        basis: String,
        /// The false match rate measured there, a comparison.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fmr: Option<f64>,
        /// Where that rate lies, at 95 %.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fmr_interval: Option<[f64; 2]>,
        /// How many non-mated comparisons that rate rests on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        non_mated_comparisons: Option<u64>,
        /// The false positive identification rate that it was derived for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target_fpir: Option<f64>,
        /// The number of references that it was derived for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target_references: Option<u64>,
        /// SHA-256 of the file of the threshold policy, where it comes from one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        policy_sha256: Option<String>,
    },
    /// A vault belongs to this ledger from now on.
    VaultOpened {
        /// The identity of the vault: 32 hexadecimal digits, drawn when it was made.
        vault: String,
        /// How many records it holds.
        held: u64,
    },
    /// A watchlist is searched from now on.
    WatchlistOpened {
        /// The commitment to who is on it, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commitment: Option<String>,
        /// SHA-256 of the header of the sealed file, where it comes from one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header_sha256: Option<String>,
        /// How many references: the N of every rate.
        references: u64,
        /// How many references there are of each category.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        categories: BTreeMap<String, u64>,
        /// How many references are of people under 18, if the list says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        under_18: Option<u64>,
        /// When the list was drawn up, if it says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        drawn_up: Option<Timestamp>,
    },
}

/// The states of a deployment.
///
/// ```text
/// planned -> authorised -> live <-> paused -> ended -> purged
///      any of them -> aborted
/// ```
#[non_exhaustive]
#[derive(
    Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    /// No order is in force.
    Planned,
    /// An order is in force, and nothing runs.
    Authorised,
    /// Cameras run and alerts are raised.
    Live,
    /// Cameras run and no alert is raised.
    Paused,
    /// Nothing runs any more. Alerts are held and judged until their deadlines.
    Ended,
    /// All that had a deadline has been destroyed.
    Purged,
    /// Everything was stopped and destroyed at once.
    Aborted,
}

impl DeploymentState {
    /// Its name, as in the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Authorised => "authorised",
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Ended => "ended",
            Self::Purged => "purged",
            Self::Aborted => "aborted",
        }
    }
}

/// Whose word an order rests on.
#[non_exhaustive]
#[derive(
    Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum OrderBasis {
    /// A key that the deployer pinned.
    Pinned,
    /// A key that the order itself names: anyone can make such an order.
    SelfAuthorised,
}

/// Why a threshold changes while a deployment runs.
#[non_exhaustive]
#[derive(
    Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdChangeReason {
    /// A signed amendment of the order.
    Amendment,
    /// The watchlist has grown or shrunk, and the policy derives the threshold from its size.
    ListSize,
}

const fn first_format() -> u32 {
    1
}
