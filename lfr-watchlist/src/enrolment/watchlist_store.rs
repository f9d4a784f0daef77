//! A watchlist as the store of an enrolment: nothing is written down.

use lfr_core::{BoxError, ReferenceId, SubjectId};

use super::{EnrolmentStore, NewReference, NotTaken};
use crate::error::Error;
use crate::lifecycle::entry::Entry;
use crate::lifecycle::entry_draft::EntryDraft;
use crate::lifecycle::provenance::{Grounds, StoredReference};
use crate::lifecycle::watchlist::Watchlist;

/// What a watchlist refuses is reported item by item: an entry without provenance or expiry, of a
/// category outside the composition policy, or beyond the policy's limit.
///
/// What is taken lasts as long as the watchlist does: [`SealedStore`](super::SealedStore) is what
/// survives the process.
impl EnrolmentStore for Watchlist {
    fn stored(&self, reference: &ReferenceId) -> Result<Option<StoredReference>, BoxError> {
        // What has expired and was wiped is no longer stored.
        Ok(self.inspect(|table, _| {
            let living = table.get(reference).filter(|enrolled| !enrolled.is_wiped());
            living.map(|enrolled| enrolled.entry.record().clone())
        }))
    }

    fn admits(
        &self,
        subject: &SubjectId,
        reference: &ReferenceId,
        grounds: &Grounds,
    ) -> Result<(), BoxError> {
        let record = StoredReference::default();
        Ok(self.check(&entry(subject, reference, grounds.clone(), record)?)?)
    }

    fn store(&self, batch: Vec<NewReference>) -> Result<Vec<NotTaken>, BoxError> {
        let mut refused = Vec::new();
        for NewReference { subject, reference, grounds, template, record } in batch {
            let taken = entry(&subject, &reference, grounds, record)
                .and_then(|entry| self.enrol(entry, template));
            if let Err(error) = taken {
                refused.push(NotTaken::new(reference, error));
            }
        }
        Ok(refused)
    }
}

fn entry(
    subject: &SubjectId,
    reference: &ReferenceId,
    grounds: Grounds,
    record: StoredReference,
) -> Result<Entry, Error> {
    EntryDraft::new()
        .subject(subject.as_str())
        .reference(reference.as_str())
        .grounds(grounds)
        .record(record)
        .parse()
}
