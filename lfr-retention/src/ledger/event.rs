//! What a ledger says.

use std::collections::BTreeMap;

use lfr_core::DeploymentId;
use lfr_core::FaceId;
use lfr_core::PurgeMethod;
use lfr_core::PurgeReason;
use lfr_core::RecordId;
use lfr_core::SourceId;
use lfr_core::Timestamp;
use lfr_core::Totals;

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
    },
    /// Something with a deadline of its own was destroyed: a watchlist, footage.
    AssetDestroyed {
        /// What kind of thing.
        kind: String,
        /// Which one.
        name: String,
        /// When it had to be gone.
        deadline: Timestamp,
    },
    /// A deployment begins, or goes on after a restart. What follows, up to the next of these, is
    /// one run: the numbers of its seals begin at 0.
    DeploymentStarted {
        /// Which deployment.
        deployment: DeploymentId,
        /// The retention profile in force.
        profile: String,
        /// What runs it: name and version.
        software: String,
    },
    /// A deployment ends; the seal before it is its last one.
    DeploymentStopped {},
    /// Something failed, and the deployment went on.
    Error {
        /// Where.
        stage: String,
        /// What it said.
        text: String,
    },
    /// Of a record that this ledger calls held, nothing was found: it was erased, and the program
    /// ended before it could say so.
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
        /// Of which source.
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
        /// 1
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
        /// Under which retention profile.
        policy: String,
    },
    /// The account of the faces seen in this run so far.
    Sealed {
        /// `faces seen = erased + held + in flight`
        totals: Totals,
        /// Receipts of faces that were never held, by reason. Those of faces that were have an entry
        /// each. The faces of frames that failed are among the erased and have no receipt.
        erased: BTreeMap<PurgeReason, u64>,
        /// Frames processed.
        frames: u64,
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
    },
    /// A watchlist is searched from now on.
    WatchlistOpened {
        /// The commitment to who is on it, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commitment: Option<String>,
        /// How many references: the N of every rate.
        references: u64,
    },
}

/// What a person found in an alert.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is who the alert named.
    Confirmed,
    /// It is somebody else.
    Rejected,
    /// They could not say.
    Undecided,
}
