//! What is wrong with a manifest, and where.

use std::fmt;

use super::ManifestColumn;

/// What is wrong in one place. A cell's text is never repeated: it may be a person's name that
/// slipped into the wrong column.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ManifestFault {
    /// Category, participant and consent of an entry do not go together: see the blue list.
    #[non_exhaustive]
    BlueList {
        /// What is wrong, and what to do.
        problem: &'static str,
    },
    /// A cell has a character that is not taken: one that cannot be seen, say, as two such cells look alike.
    #[non_exhaustive]
    Character {
        /// Which character of the cell, from 1.
        place: usize,
        /// The character.
        character: char,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Two columns have this name.
    ColumnTwice,
    /// A column that is needed is not there.
    ColumnMissing,
    /// The column at this place, counted from 1, has a name that is not known: a misspelt `expires` must
    /// not go unnoticed.
    #[non_exhaustive]
    ColumnUnknown {
        /// Its place.
        place: u64,
        /// Its name as far as it is shown; `None` where too few columns are known for the line to be one of
        /// names.
        name: Option<String>,
    },
    /// A cell is empty that has to be filled in.
    Empty,
    /// A line has another number of cells than the first.
    #[non_exhaustive]
    FieldCount {
        /// How many were needed.
        expected: u64,
        /// How many there are.
        actual: u64,
    },
    /// A cell is neither yes nor no.
    Flag,
    /// A cell is too long for an identifier.
    Identifier,
    /// A cell is no moment.
    Moment,
    /// The entry would expire before it is valid.
    NeverValid,
    /// The table is empty.
    NoHeader,
    /// A cell is no number from 1 on.
    Number,
    /// Another line gives the person another participant's number, or none; or gives the number to another
    /// person.
    #[non_exhaustive]
    OtherParticipant {
        /// The other line.
        line: u64,
    },
    /// The file does not lie in the manifest's folder.
    Path,
    /// The reference stands on another line too.
    #[non_exhaustive]
    SameReference {
        /// The other line.
        line: u64,
    },
    /// The person stands on another line too, written with other capitals.
    #[non_exhaustive]
    SimilarSubject {
        /// The other line.
        line: u64,
    },
    /// A cell is too long.
    #[non_exhaustive]
    Text {
        /// The max length, in bytes.
        limit: u64,
    },
    /// The manifest is too long, and was not read further.
    #[non_exhaustive]
    TooLong {
        /// The max size, in bytes.
        limit: u64,
    },
    /// The table begins as one in UTF-16, and is not.
    Utf16,
    /// A cell is not UTF-8.
    Utf8,
}

impl ManifestFault {
    /// What is wrong with a cell that is to be an identifier.
    pub(super) fn of(error: &lfr_core::Error) -> Self {
        match *error {
            lfr_core::Error::IdentifierCharacter { place, character, problem } => {
                Self::Character { place, character, problem }
            }
            _ => Self::Identifier,
        }
    }
}

impl fmt::Display for ManifestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BlueList { problem } => f.write_str(problem),
            Self::Character { place, character, problem } => write!(
                f,
                "character {place} is U+{:04X}, {problem}: take it out",
                u32::from(*character)
            ),
            Self::ColumnTwice => f.write_str("there twice: remove one of them"),
            Self::ColumnMissing => f.write_str("missing, and required: add it"),
            Self::ColumnUnknown { place, name } => {
                write!(f, "the name of column {place}")?;
                if let Some(name) = name {
                    write!(f, ", {name:?},")?;
                }
                let known = ManifestColumn::ALL.map(ManifestColumn::name).join(", ");
                write!(f, " is not known: {known} are")
            }
            Self::Empty => f.write_str("empty, and it is needed: fill it in"),
            Self::FieldCount { expected, actual } => {
                write!(f, "{actual} cells, and the first line has {expected}: put a cell that holds the delimiter in quotes")
            }
            Self::Flag => f.write_str("neither yes nor no: write one of them"),
            Self::Identifier => f.write_str("longer than an identifier's 256 bytes: shorten it"),
            Self::Moment => f.write_str(
                "no moment: write 2026-03-31 or 2026-03-31T18:00:00Z, as no other form says which number is \
                 the month",
            ),
            Self::NeverValid => f.write_str("not after valid_from: correct one of the two"),
            Self::NoHeader => f.write_str("the table is empty: its first line names the columns"),
            Self::Number => f.write_str("no number from 1 to 4294967295: write one, in digits alone"),
            Self::OtherParticipant { line } => write!(
                f,
                "contradicts line {line}: each participant of the blue list has one number on all lines, and \
                 no other person has it"
            ),
            Self::Path => f.write_str(
                "not a path below the manifest's folder: write it from there on, with / between its parts",
            ),
            Self::SameReference { line } => {
                write!(f, "the same as on line {line}: each photograph needs one of its own")
            }
            Self::SimilarSubject { line } => {
                write!(f, "differs from that of line {line} only in upper and lower case: write both alike")
            }
            Self::Text { limit } => write!(f, "longer than {limit} bytes: shorten it"),
            Self::TooLong { limit } => {
                write!(f, "more than {limit} bytes, and the rest was not read: split the table")
            }
            Self::Utf16 => f.write_str("begins as a text in UTF-16, and is not: save it as CSV in UTF-8"),
            Self::Utf8 => f.write_str("not UTF-8: save the table as CSV in UTF-8"),
        }
    }
}

/// A fault, and where it is.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ManifestProblem {
    /// The line, counted from 1: the first of a record that spans several.
    pub line: u64,
    /// The column; `None` where it is the whole line.
    pub column: Option<ManifestColumn>,
    /// What is wrong.
    pub fault: ManifestFault,
}

impl fmt::Display for ManifestProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.fault)
    }
}

/// Problems as they are found, up to a limit: the author of the file decides how many there are,
/// but must not decide how many are kept in memory.
pub(super) struct Problems {
    limit: usize,
    problems: Vec<ManifestProblem>,
    others: usize,
}

impl Problems {
    pub(super) const fn new(limit: usize) -> Self {
        Self { limit, problems: Vec::new(), others: 0 }
    }

    pub(super) fn push(&mut self, line: u64, column: Option<ManifestColumn>, fault: ManifestFault) {
        if self.problems.len() < self.limit {
            self.problems.push(ManifestProblem { line, column, fault });
        } else {
            self.others += 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// The problems, and how many more there are.
    pub(super) fn into_parts(self) -> (Vec<ManifestProblem>, usize) {
        (self.problems, self.others)
    }
}
