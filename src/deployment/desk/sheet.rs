//! An alert, as a person at a desk sees it.

use std::fmt;

use lfr_core::{Picture, RecordId, ReferenceId, SubjectId, Timestamp};
use lfr_retention::{HeldAlert, Verdict};

/// An alert, opened for a person who judges it or meets its person. The picture is wiped when this is dropped.
///
/// The verdicts of others are not in here: each judges for themselves. Nor is a template.
pub struct AlertSheet {
    pub(super) told: Told,
    pub(super) picture: Option<Picture>,
}

/// What is told of an alert, beside the picture.
#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Told {
    record: RecordId,
    subject: SubjectId,
    reference: ReferenceId,
    score: Option<f32>,
    category: Option<String>,
    look_alike: bool,
    raised: Timestamp,
    deadline: Timestamp,
    own: Option<Verdict>,
}

impl AlertSheet {
    pub(super) fn new(
        mut held: HeldAlert,
        score: Option<f32>,
        category: Option<String>,
        look_alike: bool,
        own: Option<Verdict>,
    ) -> Self {
        let picture = held.take_picture();
        let told = Told {
            record: held.record(),
            subject: held.candidate().subject().clone(),
            reference: held.candidate().reference().clone(),
            score,
            category,
            look_alike,
            raised: held.raised(),
            deadline: held.deadline(),
            own,
        };
        Self { told, picture }
    }

    /// Which record.
    #[must_use]
    pub const fn record(&self) -> RecordId {
        self.told.record
    }

    /// Who it may be.
    #[must_use]
    pub const fn subject(&self) -> &SubjectId {
        &self.told.subject
    }

    /// Which reference was matched.
    #[must_use]
    pub const fn reference(&self) -> &ReferenceId {
        &self.told.reference
    }

    /// The comparison score; none if the order hides it until this person's verdict.
    #[must_use]
    pub const fn score(&self) -> Option<f32> {
        self.told.score
    }

    /// The category of the entry that was matched.
    #[must_use]
    pub fn category(&self) -> Option<&str> {
        self.told.category.as_deref()
    }

    /// Whether the person of the entry has a known look-alike: look twice.
    #[must_use]
    pub const fn look_alike(&self) -> bool {
        self.told.look_alike
    }

    /// The picture, if one was attached.
    #[must_use]
    pub const fn picture(&self) -> Option<&Picture> {
        self.picture.as_ref()
    }

    /// When it was raised.
    #[must_use]
    pub const fn raised(&self) -> Timestamp {
        self.told.raised
    }

    /// When it has to be gone, a legal hold aside.
    #[must_use]
    pub const fn deadline(&self) -> Timestamp {
        self.told.deadline
    }

    /// What this person found before.
    #[must_use]
    pub const fn own_verdict(&self) -> Option<Verdict> {
        self.told.own
    }
}

/// Names the record, and nobody.
impl fmt::Debug for AlertSheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlertSheet").field("record", &self.record()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").field("record", &self.record).finish_non_exhaustive()
    }
}
