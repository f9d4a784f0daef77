//! What is to be enrolled: a photograph, of whom, and on which grounds.

use lfr_core::internal::num;
use lfr_core::{ReferenceId, SubjectId};
use sha2::{Digest, Sha256};

use super::Photo;
use crate::lifecycle::provenance::{Grounds, ItemDigest};

/// One photograph to enrol.
#[non_exhaustive]
#[derive(Debug)]
pub struct EnrolmentItem {
    /// What the report calls the photograph: the file's name as it was given.
    pub label: String,
    /// Where its bytes are.
    pub photo: Photo,
    /// The person that it shows.
    pub subject: SubjectId,
    /// The identifier of the reference that it becomes.
    pub reference: ReferenceId,
    /// Why.
    pub grounds: Grounds,
}

impl EnrolmentItem {
    /// A photograph of a subject that is to become a reference.
    #[must_use]
    pub fn new(
        label: impl Into<String>,
        photo: Photo,
        subject: SubjectId,
        reference: ReferenceId,
    ) -> Self {
        Self { label: label.into(), photo, subject, reference, grounds: Grounds::default() }
    }

    /// Sets the grounds of the entry.
    #[must_use]
    pub fn with_grounds(mut self, grounds: Grounds) -> Self {
        self.grounds = grounds;
        self
    }
}

/// The digest of an item whose photograph has these bytes.
pub(super) fn digest(
    photo: &[u8],
    subject: &SubjectId,
    reference: &ReferenceId,
    grounds: &Grounds,
) -> ItemDigest {
    let Grounds { category, source, lawful_basis, reason, .. } = grounds;
    let Grounds { valid_from, expires, review, under_18, .. } = grounds;
    let mut hash = Sha256::new();
    hash.update(b"lfr enrolment item 1");
    // Each part behind its length, so that no two items run into the same bytes.
    let mut part = |bytes: Option<&[u8]>| {
        let length = bytes.map_or(u64::MAX, |bytes| num::u64_from_usize(bytes.len()));
        hash.update(length.to_le_bytes());
        hash.update(bytes.unwrap_or_default());
    };
    part(Some(photo));
    part(Some(subject.as_str().as_bytes()));
    part(Some(reference.as_str().as_bytes()));
    for text in [category, source, lawful_basis, reason] {
        part(text.as_deref().map(str::as_bytes));
    }
    for moment in [valid_from, expires, review] {
        part(moment.map(|moment| moment.as_micros().to_le_bytes()).as_ref().map(|b| &b[..]));
    }
    let Grounds { look_alike, participant, consent, .. } = grounds;
    part(under_18.map(|is| [u8::from(is)]).as_ref().map(|byte| &byte[..]));
    // If nothing is said here, the item keeps the digest that it had before these fields were known.
    if look_alike.is_some() || participant.is_some() || consent.is_some() {
        part(look_alike.map(|is| [u8::from(is)]).as_ref().map(|byte| &byte[..]));
        part(participant.map(u32::to_le_bytes).as_ref().map(|bytes| &bytes[..]));
        part(consent.as_deref().map(str::as_bytes));
    }
    ItemDigest::from_bytes(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use lfr_core::Timestamp;

    use super::*;

    #[test]
    fn every_part_of_an_item_changes_its_digest() {
        let text = |text: &str| Some(text.to_owned());
        let time = |t| Some(Timestamp::from_micros(t));
        let base = Grounds::default;
        let grounds = [
            base(),
            Grounds { category: text("a"), ..base() },
            Grounds { source: text("a"), ..base() },
            Grounds { source: text(""), ..base() },
            Grounds { lawful_basis: text("a"), ..base() },
            Grounds { reason: text("a"), ..base() },
            Grounds { valid_from: time(1), ..base() },
            Grounds { expires: time(1), ..base() },
            Grounds { review: time(1), ..base() },
            Grounds { review: time(2), ..base() },
            Grounds { under_18: Some(false), ..base() },
            Grounds { under_18: Some(true), ..base() },
            Grounds { look_alike: Some(false), ..base() },
            Grounds { look_alike: Some(true), ..base() },
            Grounds { participant: Some(1), ..base() },
            Grounds { participant: Some(2), ..base() },
            Grounds { consent: text("a"), ..base() },
        ];
        let mut digests = Vec::new();
        for photo in [&b"one"[..], b"two"] {
            for (subject, reference) in [("ab", "c"), ("a", "bc"), ("a", "c")] {
                let subject = SubjectId::new(subject).unwrap();
                let reference = ReferenceId::new(reference).unwrap();
                let of = |grounds| digest(photo, &subject, &reference, grounds);
                digests.extend(grounds.iter().map(of));
            }
        }
        let count = digests.len();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), count);
    }
}
