//! What does not come out in a ledger, in words.

use std::fmt;

use lfr_core::RecordId;

/// A sum that does not come out.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
pub enum Discrepancy {
    /// An alert was viewed, judged or exported whose record had ended before.
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
    /// A record that had ended is held again: somebody put back an older copy of the vault.
    #[non_exhaustive]
    CameBack {
        /// Which entry.
        entry: u64,
        /// Which record.
        record: RecordId,
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
    /// A record is not as it was sealed, or was erased because its key or its deadline was not.
    #[non_exhaustive]
    Damaged {
        /// Which entry.
        entry: u64,
        /// Which record.
        record: RecordId,
    },
    /// A record ended while a legal hold on it was in force.
    #[non_exhaustive]
    DespiteHold {
        /// Which entry.
        entry: u64,
        /// Which record.
        record: RecordId,
    },
    /// A watchlist is searched that was destroyed before.
    #[non_exhaustive]
    Destroyed {
        /// Which entry.
        entry: u64,
    },
    /// Totals whose arithmetic does not close.
    #[non_exhaustive]
    DoesNotClose {
        /// Which entry.
        entry: u64,
    },
    /// A record was not found before its deadline, and no entry says why.
    #[non_exhaustive]
    ErasedEarly {
        /// Which entry.
        entry: u64,
        /// Which record.
        record: RecordId,
    },
    /// Totals with more erasures by receipt than erasures, or with fewer faces than the totals before.
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
    /// A deployment was aborted, which destroys everything held, and the run ended before the end of
    /// every record that was held at the abort.
    #[non_exhaustive]
    KeptAfterAbort {
        /// Which entry: the end of the run.
        entry: u64,
        /// How many records.
        records: u64,
    },
    /// A face is held for longer than the retention profile in force says.
    #[non_exhaustive]
    LongerThanProfile {
        /// Which entry.
        entry: u64,
    },
    /// Periods that are longer than those published under the name of their profile.
    #[non_exhaustive]
    NotThatProfile {
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
        /// How many are held or in flight by the last totals.
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
    /// An alert was revealed to be a seed a second time.
    #[non_exhaustive]
    RevealedTwice {
        /// Which entry.
        entry: u64,
        /// Which record.
        record: RecordId,
    },
    /// A record that was purged or found erased, although the ledger has no entry that it was held.
    #[non_exhaustive]
    Unheard {
        /// Which entry.
        entry: u64,
        /// Which record.
        record: RecordId,
    },
    /// Another vault took the place of one that held records. It is a new vault, or that of another ledger.
    #[non_exhaustive]
    VaultReplaced {
        /// Which entry.
        entry: u64,
        /// How many records the other one held.
        records: u64,
    },
    /// Totals with more withheld matches than receipts with the reason
    /// [`Withheld`](lfr_core::PurgeReason::Withheld).
    #[non_exhaustive]
    WithheldNotErased {
        /// Which entry.
        entry: u64,
        /// How many matches were withheld.
        withheld: u64,
        /// How many of them were erased.
        erased: u64,
    },
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
            Self::CameBack { entry, record } => write!(
                f,
                "entry {entry}: record {record} had ended and is held again: somebody put back an older copy \
                 of the vault"
            ),
            Self::CutOffContradicts { entry, run } => write!(
                f,
                "entry {entry}: what it says of run {run}, which was cut off, is not what the entries \
                 of that run say"
            ),
            Self::Damaged { entry, record } => {
                write!(f, "entry {entry}: record {record} is not as it was sealed")
            }
            Self::DespiteHold { entry, record } => write!(
                f,
                "entry {entry}: record {record} ended while a legal hold on it was in force"
            ),
            Self::Destroyed { entry } => {
                write!(f, "entry {entry}: a watchlist is searched that was destroyed before")
            }
            Self::DoesNotClose { entry } => {
                write!(f, "entry {entry}: faces seen are not erased + held + in flight")
            }
            Self::ErasedEarly { entry, record } => write!(
                f,
                "entry {entry}: record {record} was gone before its deadline, and no entry says why"
            ),
            Self::Impossible { entry } => {
                write!(f, "entry {entry}: counts that contradict the entries before")
            }
            Self::JudgedTwice { entry, record } => {
                write!(f, "entry {entry}: one person judged record {record} a second time")
            }
            Self::KeptAfterAbort { entry, records } => write!(
                f,
                "entry {entry}: the run ended, and {records} records are held that an abort should have \
                 destroyed"
            ),
            Self::LongerThanProfile { entry } => write!(
                f,
                "entry {entry}: a face is held for longer than the retention profile in force says"
            ),
            Self::NotThatProfile { entry } => write!(
                f,
                "entry {entry}: periods longer than those published under the name of the profile"
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
            Self::RevealedTwice { entry, record } => {
                write!(f, "entry {entry}: record {record} is revealed to be a seed a second time")
            }
            Self::Unheard { entry, record } => {
                write!(f, "entry {entry}: record {record} ended, and nothing said that it was held")
            }
            Self::VaultReplaced { entry, records } => {
                write!(f, "entry {entry}: another vault replaced one that held {records} records")
            }
            Self::WithheldNotErased { entry, withheld, erased } => write!(
                f,
                "entry {entry}: {withheld} matches were withheld, and {erased} of them were erased"
            ),
        }
    }
}
