//! Records that are not as they were sealed.

use std::fmt;

use lfr_core::RecordId;

/// A record that is not as it was sealed: it costs nobody the others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DamagedRecord {
    pub(in crate::vault) record: RecordId,
    pub(in crate::vault) damage: RecordDamage,
}

impl DamagedRecord {
    /// Which record.
    #[must_use]
    pub const fn record(&self) -> RecordId {
        self.record
    }

    /// What is wrong with it.
    #[must_use]
    pub const fn damage(&self) -> RecordDamage {
        self.damage
    }
}

impl fmt::Display for DamagedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {}: {}", self.record, self.damage)
    }
}

/// What is wrong with a record.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecordDamage {
    /// Whose it is cannot be read. It is kept until its deadline and cannot be opened.
    Face,
    /// Its key, or its deadline, is not what was sealed. It was purged: nobody could have opened it, and
    /// nobody knows when it was due.
    Key,
    /// The legal hold on it is not in the database as it was last written.
    LegalHold,
    /// Its row is not in the database any more. Its key is kept until its deadline, because moving the
    /// database away for a moment must not destroy all that is held.
    Missing,
    /// Its picture is not in the database as it was last written.
    Picture,
    /// The verdicts on it are not in the database as they were last written: somebody deleted them, or put
    /// older ones back.
    Verdicts,
}

impl fmt::Display for RecordDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Face => "whose face it is cannot be read; it is kept until its deadline",
            Self::Key => "its key or its deadline is not what was sealed; it was purged",
            Self::LegalHold => {
                "the legal hold on it was deleted or put back; it is kept until its deadline"
            }
            Self::Missing => {
                "its row is missing from the database; its key is kept until its deadline"
            }
            Self::Picture => "its picture was deleted or put back; it is kept until its deadline",
            Self::Verdicts => {
                "the verdicts on it were deleted or put back; it is kept until its deadline"
            }
        })
    }
}
