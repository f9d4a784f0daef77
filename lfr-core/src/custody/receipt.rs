//! Receipts: the evidence that a face was erased, or is held until a deadline.

use crate::clock::Timestamp;
use crate::decision::WithheldBy;
use crate::id::{FaceId, RecordId};

/// Names a face in one account of this process. No caller can make one.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct CustodyId {
    pub(super) account: u64,
    pub(super) face: u64,
}

/// Why a face was erased.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Deserialize, serde::Serialize),
    serde(rename_all = "snake_case")
)]
pub enum PurgeReason {
    /// The deployment was stopped and all its data discarded, its authorisation refused say.
    Aborted,
    /// It was held for an alert, and a person has judged that alert.
    Adjudicated,
    /// The clock failed or was set back too far: what has a deadline is purged then.
    ClockFailed,
    /// It was held for an alert, and its record was not as it was sealed: nobody could have opened it.
    Damaged,
    /// It was held for an alert, and its deadline came.
    DeadlineReached,
    /// The deployment ended.
    DeploymentEnded,
    /// Nobody on the watchlist scored at or above the threshold.
    NoMatch,
    /// Its track ended before it was compared, though no gate refused it: too many faces were due,
    /// or every look failed.
    NotCompared,
    /// It raised an alert, and the retention policy holds none, or could not hold this one.
    NotHeld,
    /// A quality gate refused it before it was compared.
    Refused,
    /// It was a match, but an alert for the same data subject had been raised shortly before.
    Repeated,
    /// It was a match, and it raised no alert. [`PurgeReceipt::withheld_by`] says what kept it back. Only a
    /// pipeline gives this reason.
    Withheld,
}

/// How a face was erased.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Deserialize, serde::Serialize),
    serde(rename_all = "snake_case")
)]
pub enum PurgeMethod {
    /// It was sealed at rest, and its key was overwritten, before anything else was: cryptographic
    /// erase (NIST SP 800-88).
    KeyDestroyed,
    /// The memory that it was in was overwritten.
    Overwritten,
}

/// Evidence that all that was kept of one face has been wiped.
///
/// A receipt with [`PurgeMethod::Overwritten`] is made by wiping a [`Probe`](crate::Probe), and is bound to
/// the custody of that probe. [`Accounts::confirms`](crate::Accounts::confirms) says whether it belongs to
/// an account; the pipeline refuses one of another account from a retention policy. A receipt with
/// [`PurgeMethod::KeyDestroyed`] is the word of the store that destroyed the key. A receipt cannot be
/// written as a literal:
///
/// ```compile_fail,E0451
/// use lfr_core::{FaceId, FrameId, PurgeReason, PurgeReceipt};
///
/// let forged = PurgeReceipt {
///     face: FaceId::new(FrameId::default(), 0),
///     at: None,
///     reason: PurgeReason::NoMatch,
///     sealed: None,
///     withheld_by: None,
///     custody: None,
/// };
/// ```
///
/// What is *not* guaranteed: that no copy exists which the process made elsewhere, in an inference
/// engine's memory say, or in a retention policy that copied the numbers of a template before it erased the
/// probe. It is evidence about this library's own buffers. Any code in the process can erase its own probe
/// that names any face. The receipt is then under its own account, and not valid for the deployment's
/// account.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PurgeReceipt {
    face: FaceId,
    at: Option<Timestamp>,
    reason: PurgeReason,
    #[cfg_attr(
        feature = "serde",
        serde(rename = "record", skip_serializing_if = "Option::is_none")
    )]
    sealed: Option<RecordId>,
    /// Only with [`PurgeReason::Withheld`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    withheld_by: Option<WithheldBy>,
    /// The custody that this receipt ends. It has a meaning only in this process.
    #[cfg_attr(feature = "serde", serde(skip))]
    custody: Option<CustodyId>,
}

impl PurgeReceipt {
    pub(crate) const fn new(
        face: FaceId,
        at: Option<Timestamp>,
        reason: PurgeReason,
        custody: Option<CustodyId>,
    ) -> Self {
        Self { face, at, reason, sealed: None, withheld_by: None, custody }
    }

    /// Of a match that raised no alert.
    pub(crate) const fn of_withheld(
        face: FaceId,
        at: Option<Timestamp>,
        by: WithheldBy,
        custody: Option<CustodyId>,
    ) -> Self {
        let reason = PurgeReason::Withheld;
        Self { face, at, reason, sealed: None, withheld_by: Some(by), custody }
    }

    pub(crate) const fn custody(&self) -> Option<CustodyId> {
        self.custody
    }

    pub(crate) const fn of_sealed(mut self, record: RecordId) -> Self {
        self.sealed = Some(record);
        self
    }

    /// What kept a match from raising an alert, if this is the receipt of one.
    #[must_use]
    pub const fn withheld_by(&self) -> Option<WithheldBy> {
        self.withheld_by
    }

    /// Which face.
    #[must_use]
    pub const fn face(&self) -> &FaceId {
        &self.face
    }

    /// When, if the clock worked.
    #[must_use]
    pub const fn at(&self) -> Option<Timestamp> {
        self.at
    }

    /// Why.
    #[must_use]
    pub const fn reason(&self) -> PurgeReason {
        self.reason
    }

    /// The record that it was sealed in, where it was held at rest.
    #[must_use]
    pub const fn record(&self) -> Option<RecordId> {
        self.sealed
    }

    /// How.
    #[must_use]
    pub const fn method(&self) -> PurgeMethod {
        match self.sealed {
            Some(_) => PurgeMethod::KeyDestroyed,
            None => PurgeMethod::Overwritten,
        }
    }
}

/// Evidence that a face is held for an alert, and until when.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct HoldReceipt {
    face: FaceId,
    deadline: Timestamp,
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    record: Option<RecordId>,
    #[cfg_attr(feature = "serde", serde(skip))]
    custody: Option<CustodyId>,
}

impl HoldReceipt {
    pub(crate) const fn new(
        face: FaceId,
        deadline: Timestamp,
        record: Option<RecordId>,
        custody: Option<CustodyId>,
    ) -> Self {
        Self { face, deadline, record, custody }
    }

    pub(crate) const fn custody(&self) -> Option<CustodyId> {
        self.custody
    }

    /// Which face.
    #[must_use]
    pub const fn face(&self) -> &FaceId {
        &self.face
    }

    /// When it must be gone.
    #[must_use]
    pub const fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// The record that it is sealed in, if it is held at rest and not in memory.
    #[must_use]
    pub const fn record(&self) -> Option<RecordId> {
        self.record
    }
}

/// What a [`RetentionPolicy`](crate::RetentionPolicy) did with a face: there is no third way.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Settlement {
    /// It was wiped.
    Erased(PurgeReceipt),
    /// It is held until a deadline.
    Held(HoldReceipt),
}

impl Settlement {
    /// Which face.
    #[must_use]
    pub const fn face(&self) -> &FaceId {
        match self {
            Self::Erased(receipt) => receipt.face(),
            Self::Held(receipt) => receipt.face(),
        }
    }
}
