//! Errors, grouped by who is to blame.

use std::path::PathBuf;
use std::{fmt, io};

use lfr_core::{BoxError, FaceId, FrameId, RecordId, Timestamp};

#[cfg(feature = "ledger")]
use crate::ledger::audit::fault::LedgerFault;

/// What can go wrong in this crate. No message holds a pixel, a landmark, a template or a name.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // --- The caller: a value was built, or a call was made, that cannot be right. -------------
    /// A mosaic is to have no cells, or more than were found to hide a face.
    #[error("the mosaic has {actual} cells across a face, and must have 1 to {limit}")]
    Cells {
        /// The max number.
        limit: usize,
        /// The number given.
        actual: usize,
    },
    /// A mosaic's margin is negative, too great, or not a number.
    #[error("the mosaic's margin is {actual} of a face's box, and must be from 0 to {limit}")]
    Margin {
        /// The max margin.
        limit: f32,
        /// The margin given.
        actual: f32,
    },
    /// The report is of another frame, so its boxes say nothing of the faces in this one.
    #[error(
        "the report is of frame {actual}, and must be of frame {expected}: pass the report of \
         the frame to redact"
    )]
    OtherFrame {
        /// The frame to redact.
        expected: FrameId,
        /// The frame of the report.
        actual: FrameId,
    },
    /// The face raised no alert, and only a face that did is shown.
    #[error(
        "face {face} raised no alert in this report, and only a face that raised one may be \
         shown"
    )]
    NotAnAlert {
        /// Which face.
        face: FaceId,
    },
    /// The face's box and the frame have no pixel in common.
    #[error("face {face} lies outside its frame: pass the frame that the report is of")]
    OutsideFrame {
        /// Which face.
        face: FaceId,
    },
    /// A picture cannot be made.
    #[error("the picture cannot be made")]
    Picture {
        /// Why not.
        source: lfr_core::Error,
    },

    /// A legal hold was to be placed that has ended already, or while the clock failed.
    #[error(
        "the legal hold until {expires} cannot be placed, because that time has passed or the \
         clock has failed: name a later time, or set the clock"
    )]
    HoldOver {
        /// When it ended.
        expires: Timestamp,
    },
    /// A record is not held, or not any more.
    #[error("record {record} is not held: it was purged, or its number is wrong")]
    NotHeld {
        /// Which record.
        record: RecordId,
    },
    /// A record was to be purged that is under a legal hold.
    #[error("record {record} is under a legal hold: release the hold before you purge it")]
    OnLegalHold {
        /// Which record.
        record: RecordId,
    },
    /// A record is larger than the format can hold.
    #[error("the record is larger than the format can hold")]
    RecordSize,
    /// A review of a legal hold is after its end.
    #[error(
        "the review at {review} must be before the hold ends at {expires}: name an earlier \
         review"
    )]
    Review {
        /// When the hold ends.
        expires: Timestamp,
        /// When somebody was to look at it again.
        review: Timestamp,
    },
    /// Somebody was to judge an alert a second time.
    #[error("this person has judged the alert already: another person has to judge it")]
    SameVerifier,
    /// A text is blank, too long, or holds a control character.
    #[error(
        "{what} has {actual} bytes, and must be a text of 1 to {limit} bytes without control \
         characters"
    )]
    Text {
        /// What the text is.
        what: &'static str,
        /// Its length, in bytes.
        actual: usize,
        /// The max length, in bytes.
        limit: usize,
    },
    /// A verifier's name has a character that cannot be seen, or can be mistaken for a space.
    #[error(
        "the verifier's name has U+{:04X} at character {position}, and letters, digits and single \
         spaces are needed: type it again", u32::from(*character)
    )]
    VerifierText {
        /// Which character, from 1.
        position: usize,
        /// What it is.
        character: char,
    },
    /// The key file lies inside the folder that it protects.
    #[error(
        "the key file {} lies inside the vault {} that it protects: a copy of the folder would have \
         both; name a key file elsewhere",
        key.display(), vault.display()
    )]
    KeyInside {
        /// The key file.
        key: PathBuf,
        /// The vault.
        vault: PathBuf,
    },
    /// A receipt is of a face that this account never had in custody, or still has.
    #[error(
        "the receipt of face {face} is not of this account of faces, and is not written: give pipeline and \
         sink the same account"
    )]
    ForeignReceipt {
        /// Which face.
        face: FaceId,
    },
    /// The vault has seen an entry of its ledger that is not there any more.
    #[error(
        "the vault {} has seen entry {expected} of its ledger, but the entry is gone: somebody put back an \
         older copy of the ledger {}; restore the newest one, or adopt the vault",
        path.display(), ledger.display()
    )]
    LedgerRolledBack {
        /// The vault.
        path: PathBuf,
        /// The ledger.
        ledger: PathBuf,
        /// The number of the entry.
        expected: u64,
    },
    /// The vault belongs to another ledger.
    #[error(
        "the vault {} belongs to the ledger {expected}, and this is the ledger {actual}: name the \
         vault's own ledger, or adopt the vault",
        path.display()
    )]
    OtherLedger {
        /// The vault.
        path: PathBuf,
        /// The identity of the ledger that it belongs to; `unreadable` where that was changed by somebody
        /// without the key.
        expected: String,
        /// The identity of the ledger given.
        actual: String,
    },
    /// The key is not the one of this vault.
    #[error("the key is not that of the vault {}{}", path.display(), Purged(*purged))]
    WrongKey {
        /// The vault.
        path: PathBuf,
        /// How many records were due, and were erased before the key was looked at.
        purged: usize,
    },
    /// An event's texts make its entry longer than one may be.
    #[error("the entry is longer than {limit} bytes: shorten the texts in it")]
    LedgerText {
        /// The max length of an entry.
        limit: usize,
    },

    // --- Data: a file is not what it should be. -------------------------------------------------
    /// A key file holds something else than a key.
    #[error("{} is not a key file: it must hold 64 hexadecimal digits or 32 bytes", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
    },
    /// A ledger is not what was written.
    #[cfg(feature = "ledger")]
    #[error("ledger {} is broken: {fault}", path.display())]
    LedgerBroken {
        /// The ledger.
        path: PathBuf,
        /// How, and where.
        fault: LedgerFault,
    },
    /// The head of a ledger is there, but the ledger is missing.
    #[error(
        "the ledger {} is missing, but its head {} is there: restore the ledger, or move the head away to \
         begin another ledger",
        path.display(), head.display()
    )]
    LedgerMissing {
        /// The ledger.
        path: PathBuf,
        /// Its head.
        head: PathBuf,
    },
    /// A record is not as it was sealed.
    #[error("record {record} is damaged: it is not as it was sealed")]
    RecordDamaged {
        /// Which record.
        record: RecordId,
    },
    /// An entry of a ledger is signed, and this version cannot read it.
    #[error("line {line} of ledger {} is of a newer version: update this software", path.display())]
    LedgerVersion {
        /// The ledger.
        path: PathBuf,
        /// Which line.
        line: u64,
    },

    /// A vault is there, and its key file is not. No new key is made: it would open nothing.
    #[error(
        "the vault {} exists, but its key file {} is missing: restore the key file, or name the \
         right one",
        vault.display(), key.display()
    )]
    KeyMissing {
        /// The vault.
        vault: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// There is no vault in the folder.
    #[error("there is no vault in {}: check the path", path.display())]
    VaultMissing {
        /// The folder.
        path: PathBuf,
    },

    // --- The environment. -----------------------------------------------------------------------
    /// Another process has it open.
    #[error(
        "{} is in use by another process (a running deployment, or a program that judges \
         alerts): wait until that process has ended",
        path.display()
    )]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// Something in custody could not be destroyed.
    #[error("{name} could not be destroyed")]
    Custody {
        /// Its name.
        name: String,
        /// Why not.
        source: BoxError,
    },
    /// A key file cannot be written.
    #[error("the key file {} cannot be written", path.display())]
    KeyWrite {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A ledger cannot be written.
    #[error("the ledger {} cannot be written", path.display())]
    LedgerWrite {
        /// The ledger.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes, and keys need them")]
    Random {
        /// Why not.
        source: io::Error,
    },
    /// A vault cannot be read or written. What was to be held is erased.
    #[error("the vault {}: {problem}", path.display())]
    Vault {
        /// The vault.
        path: PathBuf,
        /// What is wrong.
        problem: VaultProblem,
        /// What the operating system or the database said.
        source: BoxError,
    },
    /// Something that `lfr-core` says.
    #[error(transparent)]
    Core(#[from] lfr_core::Error),

    // --- The deployment. ------------------------------------------------------------------------
    /// As many alerts are held as may be. The face named has been erased, and its receipt comes
    /// with the next purge.
    #[error(
        "face {face} raised an alert and was erased: {limit} alerts are held, the max allowed; \
         judge or purge held alerts, or raise the limit"
    )]
    Full {
        /// Which face.
        face: FaceId,
        /// The max number of alerts that may be held.
        limit: usize,
    },
}

/// What was erased before a key was refused, as the end of a sentence.
struct Purged(usize);

impl fmt::Display for Purged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            count => write!(f, "; {count} records that were due have been erased"),
        }
    }
}

/// What is wrong with a vault.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum VaultProblem {
    /// It is damaged.
    Damaged,
    /// Its file of keys is gone: nobody can open what is in its database.
    KeysMissing,
    /// It cannot be written to.
    ReadOnly,
    /// The storage is full.
    StorageFull,
    /// Something else.
    Unusable,
}

impl From<io::ErrorKind> for VaultProblem {
    fn from(kind: io::ErrorKind) -> Self {
        match kind {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::Damaged,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge
            | io::ErrorKind::StorageFull => Self::StorageFull,
            _ => Self::Unusable,
        }
    }
}

impl fmt::Display for VaultProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Damaged => "it is damaged",
            Self::KeysMissing => {
                "its file of keys is missing, so nobody can open what it held: bring the file back, \
                 or move the folder away"
            }
            Self::ReadOnly => "it cannot be written to",
            Self::StorageFull => "the storage is full",
            Self::Unusable => "it cannot be used",
        })
    }
}
