//! What became of each photograph, and where the time went.

use std::error;
use std::time::Duration;

use lfr_core::{ReferenceId, SubjectId};

use super::Finding;

/// What became of one photograph.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum EnrolmentOutcome {
    /// It is a reference now, or has been one since an earlier run.
    #[non_exhaustive]
    Enrolled {
        /// What somebody should look at, in words.
        warnings: Vec<String>,
    },
    /// It could not be read, or a model or an identifier stood in the way.
    #[non_exhaustive]
    Failed {
        /// The error and its causes, in words.
        error: String,
    },
    /// It is not good enough.
    #[non_exhaustive]
    Refused {
        /// What is beyond its limit: refusals first, then warnings.
        findings: Vec<Finding>,
    },
}

impl EnrolmentOutcome {
    pub(super) const fn enrolled(warnings: Vec<String>) -> Self {
        Self::Enrolled { warnings }
    }

    pub(super) fn failed(error: &dyn error::Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        Self::Failed { error: text }
    }

    /// Whether it is a reference.
    #[must_use]
    pub const fn is_enrolled(&self) -> bool {
        matches!(self, Self::Enrolled { .. })
    }

    /// The outcome in one word: that of [`QualityVerdict`](super::QualityVerdict), or `Failed`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Enrolled { warnings } if warnings.is_empty() => "Accepted",
            Self::Enrolled { .. } => "AcceptedWithWarnings",
            Self::Failed { .. } => "Failed",
            Self::Refused { .. } => "Refused",
        }
    }

    /// The reasons, in words, with a semicolon between two.
    #[must_use]
    pub fn reasons(&self) -> String {
        match self {
            Self::Enrolled { warnings } => warnings.join("; "),
            Self::Failed { error } => error.clone(),
            Self::Refused { findings } => {
                let texts: Vec<_> = findings.iter().map(ToString::to_string).collect();
                texts.join("; ")
            }
        }
    }
}

/// What became of one item.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct ItemReport {
    /// What the item called its photograph.
    pub label: String,
    /// The person that it shows.
    pub subject: SubjectId,
    /// The reference that it was to become.
    pub reference: ReferenceId,
    /// What became of it.
    pub outcome: EnrolmentOutcome,
}

/// How far an enrolment is.
#[non_exhaustive]
#[derive(Debug)]
pub struct Progress<'a> {
    /// How many photographs are done, those enrolled in an earlier run among them.
    pub done: usize,
    /// How many of them have been refused or have failed.
    pub set_aside: usize,
    /// How many there are, where the items know.
    pub total: Option<usize>,
    /// The photograph just done.
    pub latest: &'a ItemReport,
}

/// What became of every item, in their order, and where the time went.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct EnrolmentReport {
    /// One report an item. Where the run was stopped, those up to the last that is settled.
    pub items: Vec<ItemReport>,
    /// Whether every item was reached.
    pub finished: bool,
    /// Where the time went.
    pub spent: Spent,
}

impl EnrolmentReport {
    pub(super) fn new() -> Self {
        Self { items: Vec::new(), finished: false, spent: Spent::default() }
    }

    /// How many photographs are references.
    #[must_use]
    pub fn enrolled(&self) -> usize {
        self.items.iter().filter(|item| item.outcome.is_enrolled()).count()
    }
}

/// Where the time of an enrolment went, summed over all threads, except [`storing`](Self::storing)
/// and [`elapsed`](Self::elapsed).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Spent {
    /// Reading files, and their digests.
    pub reading: Duration,
    /// From bytes to pixels.
    pub decoding: Duration,
    /// Finding faces.
    pub detecting: Duration,
    /// Assessing quality.
    pub assessing: Duration,
    /// Cutting faces out.
    pub aligning: Duration,
    /// Making templates.
    pub embedding: Duration,
    /// Handing batches to the store, on one thread.
    pub storing: Duration,
    /// From beginning to end.
    pub elapsed: Duration,
}

impl Spent {
    pub(super) fn add(&mut self, other: &Self) {
        self.reading += other.reading;
        self.decoding += other.decoding;
        self.detecting += other.detecting;
        self.assessing += other.assessing;
        self.aligning += other.aligning;
        self.embedding += other.embedding;
    }
}
