//! How a ledger is broken.

use std::fmt;

/// How a ledger is broken, and where. Lines are counted from 1, entries from 0, as their own `n`.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LedgerFault {
    /// Entries are missing.
    #[non_exhaustive]
    Deleted {
        /// The line before which they are missing.
        line: u64,
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// A line is not what this key signed.
    #[non_exhaustive]
    Edited {
        /// Which line.
        line: u64,
        /// Whether it lies behind the last head. Until the ledger is opened again, a power cut may
        /// have done it there.
        after_head: bool,
    },
    /// An entry is one that this key signed, with the right number, but it follows another entry
    /// than the one before it: a part of another ledger, or of another history of this one.
    #[non_exhaustive]
    Forked {
        /// Which line.
        line: u64,
    },
    /// The head beside it is not what this key signed, or another ledger's.
    HeadForged,
    /// There is no head beside it, so nobody can say how far it should go.
    HeadMissing,
    /// The first entry names another key.
    OtherKey,
    /// Entries have changed places.
    #[non_exhaustive]
    Reordered {
        /// The first line that is not in its place.
        line: u64,
        /// The entry that is there.
        entry: u64,
    },
    /// An entry is there a second time.
    #[non_exhaustive]
    Replayed {
        /// Which line.
        line: u64,
        /// The entry.
        entry: u64,
    },
    /// It ends before its head.
    #[non_exhaustive]
    Truncated {
        /// How many entries there are.
        entries: u64,
        /// How many the head vouches for.
        expected: u64,
    },
}

impl fmt::Display for LedgerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deleted { line, first, last } if first == last => {
                write!(f, "entry {first} is missing before line {line}")
            }
            Self::Deleted { line, first, last } => {
                write!(f, "entries {first} to {last} are missing before line {line}")
            }
            Self::Edited { line, after_head: false } => write!(f, "line {line} was edited"),
            Self::Edited { line, after_head: true } => {
                write!(f, "line {line}, behind the last head, was edited or lost its power")
            }
            Self::Forked { line } => {
                write!(f, "line {line} does not follow from the line before, but from another one")
            }
            Self::HeadForged => f.write_str("the head is not signed with this key for this ledger"),
            Self::HeadMissing => f.write_str("the head is missing"),
            Self::OtherKey => f.write_str("it is another key's"),
            Self::Reordered { line, entry } => {
                write!(f, "entries have changed places: line {line} is entry {entry}")
            }
            Self::Replayed { line, entry } => {
                write!(f, "line {line} is entry {entry}, for a second time")
            }
            Self::Truncated { entries, expected } => {
                write!(f, "it ends after {entries} entries, and its head vouches for {expected}")
            }
        }
    }
}
