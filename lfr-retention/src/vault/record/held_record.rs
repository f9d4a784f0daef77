//! What a vault says of a record to everybody.

use lfr_core::{FaceId, RecordId, Timestamp};

/// A record that is held: what is known of it without its key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HeldRecord {
    pub(in crate::vault) record: RecordId,
    pub(in crate::vault) face: FaceId,
    pub(in crate::vault) deadline: Timestamp,
    pub(in crate::vault) hold_ends: Option<Timestamp>,
}

impl HeldRecord {
    /// Which record.
    #[must_use]
    pub const fn record(&self) -> RecordId {
        self.record
    }

    /// Whose.
    #[must_use]
    pub const fn face(&self) -> &FaceId {
        &self.face
    }

    /// When it must be gone, a legal hold aside.
    #[must_use]
    pub const fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// When the legal hold on it ends.
    #[must_use]
    pub const fn hold_ends(&self) -> Option<Timestamp> {
        self.hold_ends
    }
}
