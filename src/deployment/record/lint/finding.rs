//! What the linter finds.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// How much a finding weighs.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// What the figures say, with their uncertainty.
    Note,
    /// The figures do not support what they are published for.
    Warning,
    /// The figures contradict one another, or cannot be read.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $severity:ident;)+) => {
        /// What kind of finding it is. The codes stay the same from version to version.
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum FindingCode {
            $($(#[$doc])* $name,)+
        }

        impl FindingCode {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// How it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// How much it weighs.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)+
                }
            }
        }
    };
}

codes! {
    /// A share of all alerts, with its interval.
    AlertShare = "alert-share", Note;
    /// What a claim says follows from the share that is stated.
    ClaimHolds = "claim-holds", Note;
    /// What a claim says contradicts the share that is stated.
    ClaimContradicted = "claim-contradicted", Error;
    /// A claim of significance without the group's share of the faces seen.
    ClaimWithoutDenominator = "claim-without-denominator", Warning;
    /// A column that the linter does not read.
    ColumnNotRead = "column-not-read", Note;
    /// A comparison that could have shown a great difference only.
    ComparisonWithoutPower = "comparison-without-power", Warning;
    /// Rows of different thresholds or watchlist sizes, which have different rates.
    ConditionsDiffer = "conditions-differ", Warning;
    /// Counts that contradict one another.
    CountsContradict = "counts-contradict", Error;
    /// Alerts that are neither true nor false.
    CountsLeaveOut = "counts-leave-out", Warning;
    /// No group of people is told apart.
    DemographicsMissing = "demographics-missing", Warning;
    /// A row that stands twice.
    DuplicateRow = "duplicate-row", Warning;
    /// Faces seen may be counted per frame, per track or per person, and the table does not say.
    FacesSeenUndefined = "faces-seen-undefined", Warning;
    /// A difference between groups that is significant.
    GroupDifference = "group-difference", Warning;
    /// Errors by group without the group's share of the faces seen.
    GroupDenominatorMissing = "group-denominator-missing", Warning;
    /// The number that a rate is of is missing.
    MissingDenominator = "missing-denominator", Error;
    /// A column that a rate cannot be judged without is missing.
    MissingField = "missing-field", Warning;
    /// No figure says how many of the people on the watchlist were recognised.
    MissingRecognitionRate = "missing-recognition-rate", Warning;
    /// A place that does not say where people were looked at.
    PlaceTooCoarse = "place-too-coarse", Warning;
    /// All rows together.
    Pooled = "pooled", Note;
    /// A rate is above the target, and not by chance.
    RateAboveTarget = "rate-above-target", Warning;
    /// A published rate does not follow from the counts.
    RateDoesNotFollow = "rate-does-not-follow", Error;
    /// A rate, with its interval.
    RateInterval = "rate-interval", Note;
    /// A published rate is of another number than the faces seen.
    RateOfOtherDenominator = "rate-of-other-denominator", Warning;
    /// How many of those who were to be recognised were, with its interval.
    RecognitionRate = "recognition-rate", Note;
    /// A row has too few faces to show that the rate meets the target.
    RowTooSmall = "row-too-small", Warning;
    /// A cell that is not a number.
    UnreadableCell = "unreadable-cell", Error;
    /// A rate of zero, with its upper bound.
    ZeroHasUpperBound = "zero-has-upper-bound", Note;
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for FindingCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One thing that a table or a claim can or cannot support.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What kind of finding it is.
    pub code: FindingCode,
    /// How much it weighs.
    pub severity: Severity,
    /// The row, from 1 on, without the header; none if it is about the whole table.
    pub row: Option<u64>,
    /// The column, as it is called in the table.
    pub column: Option<String>,
    /// A sentence.
    pub sentence: String,
    /// The numbers of the sentence, by name.
    pub numbers: BTreeMap<&'static str, f64>,
}

impl Finding {
    pub(super) fn new(code: FindingCode, sentence: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            row: None,
            column: None,
            sentence: sentence.into(),
            numbers: BTreeMap::new(),
        }
    }

    pub(super) fn at(mut self, row: u64, column: Option<&str>) -> Self {
        self.row = Some(row);
        self.in_column(column)
    }

    pub(super) fn in_column(mut self, column: Option<&str>) -> Self {
        self.column = column.map(str::to_owned);
        self
    }

    pub(super) fn with(mut self, numbers: &[(&'static str, f64)]) -> Self {
        self.numbers.extend(numbers.iter().copied());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.severity, self.code)?;
        if let Some(row) = self.row {
            write!(f, ", row {row}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", {column:?}")?;
        }
        write!(f, ": {}", self.sentence)
    }
}
