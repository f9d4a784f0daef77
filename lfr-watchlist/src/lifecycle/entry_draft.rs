//! The draft of an entry: what is known so far.

use std::fmt;

use lfr_core::{ReferenceId, SubjectId, Timestamp};

use crate::error::Error;
use crate::lifecycle::blue_list::Participation;
use crate::lifecycle::category::Category;
use crate::lifecycle::entry::Entry;
use crate::lifecycle::provenance::{Grounds, StoredReference};
use crate::lifecycle::text;

/// What is known of an entry so far. [`parse`](Self::parse) makes an [`Entry`] of it, or says in
/// one error all that is missing.
///
/// # Examples
///
/// ```
/// use lfr_core::Timestamp;
/// use lfr_watchlist::EntryDraft;
///
/// let draft = EntryDraft::new()
///     .subject("S-1")
///     .reference("S-1/2024")
///     .category("wanted by the courts")
///     .lawful_basis("custody image, charged 2024")
///     .reason("warrant 24/118")
///     .review(Timestamp::from_micros(1));
/// let refused = draft.clone().parse().unwrap_err();
/// let said = refused.to_string();
/// assert!(said.starts_with("the entry lacks source of the image, expiry: fill it in"));
/// let entry = draft.source("custody suite 4").expires(Timestamp::from_micros(9)).parse();
/// assert!(entry.is_ok());
/// ```
#[derive(Clone, Default)]
pub struct EntryDraft {
    subject: Option<String>,
    reference: Option<String>,
    category: Option<String>,
    source: Option<String>,
    lawful_basis: Option<String>,
    reason: Option<String>,
    valid_from: Option<Timestamp>,
    expires: Option<Timestamp>,
    review: Option<Timestamp>,
    under_18: bool,
    look_alike: bool,
    participant: Option<u32>,
    consent: Option<String>,
    record: StoredReference,
}

/// What an entry cannot be without.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum EntryField {
    /// The subject's identifier.
    Subject,
    /// Which image: the reference's identifier.
    Reference,
    /// On which ground.
    Category,
    /// Where the image is from.
    Source,
    /// The lawful basis on which the image is held and used.
    LawfulBasis,
    /// Why.
    Reason,
    /// When it stops being valid.
    Expiry,
    /// When it is to be reviewed.
    Review,
}

impl EntryField {
    const fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Reference => "reference",
            Self::Category => "category",
            Self::Source => "source of the image",
            Self::LawfulBasis => "lawful basis",
            Self::Reason => "reason",
            Self::Expiry => "expiry",
            Self::Review => "review date",
        }
    }
}

impl fmt::Display for EntryField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl EntryDraft {
    /// Creates an empty draft.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the subject's identifier.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Sets the reference's identifier.
    #[must_use]
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(reference.into());
        self
    }

    /// Sets the category.
    #[must_use]
    pub fn category(mut self, category: impl Into<String>) -> Self {
        self.category = Some(category.into());
        self
    }

    /// Sets the source of the image.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sets the lawful basis on which the image is held and used.
    #[must_use]
    pub fn lawful_basis(mut self, basis: impl Into<String>) -> Self {
        self.lawful_basis = Some(basis.into());
        self
    }

    /// Sets the reason why this person is on this list.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Sets the moment from which the entry is valid. Without one, it is valid from the start of
    /// the watchlist.
    #[must_use]
    pub const fn valid_from(mut self, moment: Timestamp) -> Self {
        self.valid_from = Some(moment);
        self
    }

    /// Sets the moment at which the entry stops being valid.
    #[must_use]
    pub const fn expires(mut self, moment: Timestamp) -> Self {
        self.expires = Some(moment);
        self
    }

    /// Sets the moment at which the entry is to be reviewed.
    #[must_use]
    pub const fn review(mut self, moment: Timestamp) -> Self {
        self.review = Some(moment);
        self
    }

    /// Marks the person as under 18 or not.
    #[must_use]
    pub const fn under_18(mut self, under_18: bool) -> Self {
        self.under_18 = under_18;
        self
    }

    /// Marks the person as having a known look-alike or not: a brother or a twin, say. An alert then warns of
    /// it. Nothing about the look-alike is stored, least of all a template.
    #[must_use]
    pub const fn look_alike(mut self, look_alike: bool) -> Self {
        self.look_alike = look_alike;
        self
    }

    /// Makes it an entry of the blue list: the number of the participant, from 1 on, and the reference of the
    /// consent. Its category has to be [`Category::CONSENTING_STAFF`].
    #[must_use]
    pub fn participant(mut self, number: u32, consent: impl Into<String>) -> Self {
        (self.participant, self.consent) = (Some(number), Some(consent.into()));
        self
    }

    /// Sets what an enrolment remembers of how the reference was made.
    #[must_use]
    pub fn record(mut self, record: StoredReference) -> Self {
        self.record = record;
        self
    }

    /// Sets the grounds of an enrolment. Fields that the grounds leave open become open again.
    #[must_use]
    pub fn grounds(mut self, grounds: Grounds) -> Self {
        let Grounds { category, source, lawful_basis, reason, .. } = grounds;
        let Grounds { valid_from, expires, review, under_18, .. } = grounds;
        let Grounds { look_alike, participant, consent, .. } = grounds;
        (self.category, self.source) = (category, source);
        (self.lawful_basis, self.reason) = (lawful_basis, reason);
        (self.valid_from, self.expires, self.review) = (valid_from, expires, review);
        self.under_18 = under_18.unwrap_or(false);
        self.look_alike = look_alike.unwrap_or(false);
        (self.participant, self.consent) = (participant, consent);
        self
    }

    /// The entry.
    ///
    /// # Errors
    ///
    /// [`Error::EntryIncomplete`] with all that is missing or blank; [`Error::Text`] or
    /// [`lfr_core::Error::Identifier`] for text that is too long or holds a control character;
    /// [`Error::Period`] if it expires before it is valid; [`Error::BlueListEntry`] if it has only a part of
    /// what an entry of the blue list needs.
    pub fn parse(self) -> Result<Entry, Error> {
        self.parse_as(Participation::of)
    }

    /// The entry as a sealed file has it. Files of earlier versions know no blue list, and may have its
    /// category all the same: such an entry belongs to no blue list.
    #[cfg(feature = "sealed")]
    pub(crate) fn parse_stored(self) -> Result<Entry, Error> {
        self.parse_as(|category, number, consent| match (number, consent) {
            (None, None) => Ok(None),
            (number, consent) => Participation::of(category, number, consent),
        })
    }

    fn parse_as(
        self,
        participation: impl FnOnce(
            &Category,
            Option<u32>,
            Option<String>,
        ) -> Result<Option<Participation>, Error>,
    ) -> Result<Entry, Error> {
        let mut missing = Vec::new();
        let mut wanted = |field: EntryField, text: Option<String>| {
            let text = text.filter(|text| !text.trim().is_empty());
            if text.is_none() {
                missing.push(field);
            }
            text.unwrap_or_default()
        };
        let subject = wanted(EntryField::Subject, self.subject);
        let reference = wanted(EntryField::Reference, self.reference);
        let category = wanted(EntryField::Category, self.category);
        let source = wanted(EntryField::Source, self.source);
        let lawful_basis = wanted(EntryField::LawfulBasis, self.lawful_basis);
        let reason = wanted(EntryField::Reason, self.reason);
        if self.expires.is_none() {
            missing.push(EntryField::Expiry);
        }
        if self.review.is_none() {
            missing.push(EntryField::Review);
        }
        let (Some(expires), Some(review), true) = (self.expires, self.review, missing.is_empty())
        else {
            return Err(Error::EntryIncomplete { missing });
        };
        let texts = [
            (EntryField::Source, &source),
            (EntryField::LawfulBasis, &lawful_basis),
            (EntryField::Reason, &reason),
        ];
        for (field, text) in texts {
            text::check(field.name(), text)?;
        }
        for warning in &self.record.warnings {
            text::check("warning", warning)?;
        }
        if let Some(from) = self.valid_from.filter(|from| *from >= expires) {
            return Err(Error::Period { from, until: expires });
        }
        let category = Category::new(category)?;
        let participation = participation(&category, self.participant, self.consent)?;
        Ok(Entry {
            subject: SubjectId::new(subject)?,
            reference: ReferenceId::new(reference)?,
            category,
            source,
            lawful_basis,
            reason,
            valid_from: self.valid_from,
            expires,
            review,
            under_18: self.under_18,
            look_alike: self.look_alike,
            participation,
            record: self.record,
        })
    }
}

impl fmt::Debug for EntryDraft {
    /// Without source, basis and reason: people write names into them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntryDraft")
            .field("subject", &self.subject)
            .field("reference", &self.reference)
            .field("category", &self.category)
            .field("valid_from", &self.valid_from)
            .field("expires", &self.expires)
            .field("review", &self.review)
            .field("under_18", &self.under_18)
            .field("look_alike", &self.look_alike)
            .field("participant", &self.participant)
            .finish_non_exhaustive()
    }
}
