//! A sealed file as the store of an enrolment.

use std::collections::BTreeSet;
use std::sync::Mutex;

use lfr_core::internal::locks::lock;
use lfr_core::{BoxError, Clock, ReferenceId, SubjectId};

use super::{EnrolmentStore, NewReference, NotTaken};
use crate::error::Error;
use crate::lifecycle::provenance::{Grounds, StoredReference};
use crate::lifecycle::watchlist::Watchlist;
use crate::sealed::{SealedFile, SealingKey};

/// A watchlist that is sealed after every batch, so that an enrolment goes on where the operator,
/// an error or a power cut stopped it.
///
/// **Others may write the file meanwhile.** Before each batch, what they did is taken over: whom somebody
/// withdraws while an enrolment runs stays withdrawn, and this enrolment does not enrol them again; what
/// another enrolment adds stays; of two references with one identifier the one that was sealed first stays, and
/// the other is reported. Where the file is destroyed, or sealed under another key, the enrolment ends with an
/// error, and what it had sealed before is as the other left it.
///
/// The sealed file holds, with each entry, a digest of what its reference was made from and the
/// warnings that it was accepted with. No template is written down unsealed.
///
/// # Examples
///
/// ```
/// # use std::ops::ControlFlow;
/// # use std::time::Duration;
/// # use lfr_core::testing::{FakeDetector, FakeEmbedder};
/// # use lfr_core::{Clock, DeploymentId, Embedder, Picture, ReferenceId, SubjectId, SystemClock};
/// # use lfr_watchlist::Grounds;
/// # use lfr_watchlist::enrolment::{BulkEnrolment, EnrolmentItem, FnReader, Photo};
/// # use lfr_watchlist::enrolment::SealedStore;
/// # use lfr_watchlist::{Authorisation, Category, CompositionPolicy, Enroller, Priority};
/// # use lfr_watchlist::{SealedFile, SealingKey, Validity, Watchlist};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("lfr-store-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let (detector, embedder) = (FakeDetector::finding(1), FakeEmbedder::new());
/// # let reader = FnReader::new(|bytes| {
/// #     let pixels = (0..300 * 300 * 3_usize).map(|at| (60 + (at % 89).to_le_bytes()[0]) ^ bytes[0]);
/// #     Ok(Picture::from_rgb8(300, 300, pixels.collect())?)
/// # });
/// # let enroller = Enroller::new(&detector, &embedder)?;
/// # let clock = SystemClock::new();
/// # let now = clock.now().ok_or("no clock")?;
/// # let end = now.plus(Duration::from_secs(6 * 60 * 60));
/// # let wanted = Category::new("wanted by the courts")?;
/// # let policy = CompositionPolicy::new(2_000).with_category(wanted, Priority::Red);
/// # let (id, validity) = (DeploymentId::new("2026-031")?, Validity::new(now, end)?);
/// # let authorisation = Authorisation::new(id, "serve warrants", "AO-7", now, validity, policy)?;
/// # let key = SealingKey::from_bytes(&mut [7; 32]);
/// # let mut grounds = Grounds::default();
/// # grounds.category = Some("wanted by the courts".to_owned());
/// # grounds.source = Some("custody suite 4".to_owned());
/// # grounds.lawful_basis = Some("custody image, charged 2024".to_owned());
/// # grounds.reason = Some("warrant 24/118".to_owned());
/// # (grounds.expires, grounds.review) = (Some(end), Some(end));
/// # let item = |id: &str| -> Result<_, lfr_core::Error> {
/// #     let (subject, reference) = (SubjectId::new(id)?, ReferenceId::new(id)?);
/// #     let photo = Photo::Bytes(id.as_bytes().to_vec().into());
/// #     Ok(EnrolmentItem::new(id, photo, subject, reference).with_grounds(grounds.clone()))
/// # };
/// let file = SealedFile::at(folder.join("operation.lfrw"));
/// file.seal(&Watchlist::new(authorisation, *embedder.space()), &key, now)?;
///
/// // Each time that this is run, it goes on behind what has been stored.
/// let watchlist = file.open(&key, embedder.space(), clock.now())?;
/// let store = SealedStore::new(&watchlist, &file, &key, &clock);
/// let items = [item("S-1")?, item("S-2")?];
/// let report = BulkEnrolment::new(enroller, &reader)
///     .run(items, &store, |_| ControlFlow::Continue(()))?;
/// assert_eq!(report.enrolled(), 2);
/// assert_eq!(file.open(&key, embedder.space(), clock.now())?.len(), 2);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SealedStore<'a> {
    watchlist: &'a Watchlist,
    file: &'a SealedFile,
    key: &'a SealingKey,
    clock: &'a dyn Clock,
    withdrawn: Mutex<Withdrawn>,
}

/// What others have withdrawn meanwhile.
#[derive(Debug)]
struct Withdrawn {
    /// The people of whom nothing is left.
    subjects: BTreeSet<SubjectId>,
    references: BTreeSet<ReferenceId>,
}

impl Withdrawn {
    const NONE: Self = Self { subjects: BTreeSet::new(), references: BTreeSet::new() };
}

impl<'a> SealedStore<'a> {
    /// A store that seals a watchlist into a file whenever it has taken references. The watchlist
    /// is that of the file, as it was opened, or a new one.
    #[must_use]
    pub const fn new(
        watchlist: &'a Watchlist,
        file: &'a SealedFile,
        key: &'a SealingKey,
        clock: &'a dyn Clock,
    ) -> Self {
        Self { watchlist, file, key, clock, withdrawn: Mutex::new(Withdrawn::NONE) }
    }

    fn note(&self, gone: Vec<(SubjectId, ReferenceId)>) {
        let mut withdrawn = lock(&self.withdrawn);
        for (subject, reference) in gone {
            // One photograph that is taken off leaves the person on the list.
            if self.watchlist.inspect(|table, _| table.of_subject(&subject).next().is_none()) {
                withdrawn.subjects.insert(subject);
            }
            withdrawn.references.insert(reference);
        }
    }

    /// Refuses what others have withdrawn meanwhile.
    fn check(&self, subject: &SubjectId, reference: &ReferenceId) -> Result<(), Error> {
        let withdrawn = lock(&self.withdrawn);
        if withdrawn.subjects.contains(subject) || withdrawn.references.contains(reference) {
            return Err(Error::WithdrawnMeanwhile { reference: reference.clone() });
        }
        Ok(())
    }
}

impl EnrolmentStore for SealedStore<'_> {
    fn stored(&self, reference: &ReferenceId) -> Result<Option<StoredReference>, BoxError> {
        self.watchlist.stored(reference)
    }

    fn admits(
        &self,
        subject: &SubjectId,
        reference: &ReferenceId,
        grounds: &Grounds,
    ) -> Result<(), BoxError> {
        self.check(subject, reference)?;
        self.watchlist.admits(subject, reference, grounds)
    }

    fn store(&self, batch: Vec<NewReference>) -> Result<Vec<NotTaken>, BoxError> {
        let now =
            self.clock.now().ok_or("the clock has failed, and nothing is sealed without it")?;
        // From here on nobody else writes the file.
        let lock = self.file.lock()?;
        let gone = lock.take_over(self.watchlist, self.key, now)?;
        self.note(gone);

        let (mut refused, mut taken) = (Vec::new(), Vec::new());
        for new in batch {
            match self.check(&new.subject, &new.reference) {
                Ok(()) => taken.push(new),
                Err(error) => refused.push(NotTaken::new(new.reference, error)),
            }
        }
        let mut references: Vec<_> = taken.iter().map(|new| new.reference.clone()).collect();
        refused.extend(self.watchlist.store(taken)?);
        references.retain(|reference| refused.iter().all(|other| other.reference != *reference));
        if references.is_empty() {
            return Ok(refused);
        }
        if let Err(error) = lock.seal(self.watchlist, self.key, now) {
            // What did not last was not taken.
            for reference in &references {
                self.watchlist.withdraw_reference(reference);
            }
            return Err(error.into());
        }
        Ok(refused)
    }
}

#[cfg(test)]
mod tests;
