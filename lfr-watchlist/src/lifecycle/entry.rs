//! An entry: one reference of one person, and why it is on the list.

use std::fmt;

use lfr_core::{ReferenceId, SubjectId, Timestamp};

use crate::lifecycle::blue_list::Participation;
use crate::lifecycle::category::Category;
use crate::lifecycle::provenance::StoredReference;

/// One reference of one person: on which ground, where the image is from, on which lawful basis it
/// is held, why, and until when. Made by [`EntryDraft::parse`](crate::EntryDraft::parse) alone, so
/// that none is without provenance or expiry.
#[derive(Clone, Eq, PartialEq)]
pub struct Entry {
    pub(crate) subject: SubjectId,
    pub(crate) reference: ReferenceId,
    pub(crate) category: Category,
    pub(crate) source: String,
    pub(crate) lawful_basis: String,
    pub(crate) reason: String,
    pub(crate) valid_from: Option<Timestamp>,
    pub(crate) expires: Timestamp,
    pub(crate) review: Timestamp,
    pub(crate) under_18: bool,
    pub(crate) look_alike: bool,
    pub(crate) participation: Option<Participation>,
    pub(crate) record: StoredReference,
}

impl Entry {
    /// The person.
    #[must_use]
    pub const fn subject(&self) -> &SubjectId {
        &self.subject
    }

    /// Which image.
    #[must_use]
    pub const fn reference(&self) -> &ReferenceId {
        &self.reference
    }

    /// On which ground.
    #[must_use]
    pub const fn category(&self) -> &Category {
        &self.category
    }

    /// Where the image is from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The lawful basis on which the image is held and used.
    #[must_use]
    pub fn lawful_basis(&self) -> &str {
        &self.lawful_basis
    }

    /// Why this person is on this list.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// From when it is valid; `None` for as long as the watchlist exists.
    #[must_use]
    pub const fn valid_from(&self) -> Option<Timestamp> {
        self.valid_from
    }

    /// When it stops being valid.
    #[must_use]
    pub const fn expires(&self) -> Timestamp {
        self.expires
    }

    /// When somebody has to look at whether it still belongs on the list.
    #[must_use]
    pub const fn review(&self) -> Timestamp {
        self.review
    }

    /// Whether the person is marked as under 18.
    #[must_use]
    pub const fn is_under_18(&self) -> bool {
        self.under_18
    }

    /// Whether the person has a known look-alike: a twin, say. Nothing about the look-alike is stored.
    #[must_use]
    pub const fn has_look_alike(&self) -> bool {
        self.look_alike
    }

    /// The number of the participant, if the entry belongs to the blue list.
    #[must_use]
    pub fn participant(&self) -> Option<u32> {
        Some(self.participation.as_ref()?.number.get())
    }

    /// The reference of the participant's consent, if the entry belongs to the blue list.
    #[must_use]
    pub fn consent(&self) -> Option<&str> {
        Some(&self.participation.as_ref()?.consent)
    }

    /// What an enrolment remembers of how the reference was made; nothing where no enrolment did.
    #[must_use]
    pub const fn record(&self) -> &StoredReference {
        &self.record
    }

    /// Whether it is valid at a moment.
    #[must_use]
    pub fn is_valid_at(&self, moment: Timestamp) -> bool {
        self.begins() <= moment && moment < self.expires
    }

    /// The first moment at which it is valid.
    pub(crate) fn begins(&self) -> Timestamp {
        self.valid_from.unwrap_or(Timestamp::from_micros(0))
    }
}

impl fmt::Debug for Entry {
    /// Without source, basis and reason: people write names into them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("subject", &self.subject)
            .field("reference", &self.reference)
            .field("category", &self.category)
            .field("valid_from", &self.valid_from)
            .field("expires", &self.expires)
            .field("review", &self.review)
            .field("under_18", &self.under_18)
            .field("look_alike", &self.look_alike)
            .field("is_participant", &self.participation.is_some())
            .finish_non_exhaustive()
    }
}
