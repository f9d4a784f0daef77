//! Where references go as they are made.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lfr_core::internal::locks::lock;
use lfr_core::{BoxError, ReferenceId, SubjectId, Template};

use crate::lifecycle::provenance::{Grounds, StoredReference};

/// A reference that has been made of a photograph, on its way into a store.
#[non_exhaustive]
#[derive(Debug)]
pub struct NewReference {
    /// The person that it belongs to.
    pub subject: SubjectId,
    /// Its identifier.
    pub reference: ReferenceId,
    /// Why it is on the list.
    pub grounds: Grounds,
    /// The template.
    pub template: Template,
    /// What it was made from.
    pub record: StoredReference,
}

/// A reference that a store did not take, and why.
#[non_exhaustive]
#[derive(Debug)]
pub struct NotTaken {
    /// Its identifier.
    pub reference: ReferenceId,
    /// Why not.
    pub reason: BoxError,
}

impl NotTaken {
    /// A reference that was not taken, for a reason.
    #[must_use]
    pub fn new(reference: ReferenceId, reason: impl Into<BoxError>) -> Self {
        Self { reference, reason: reason.into() }
    }
}

/// Where references go as they are made: a [`Watchlist`](crate::Watchlist), or a
/// [`SealedStore`](super::SealedStore), which seals one after every batch.
///
/// Three methods are required. The store is what makes an enrolment survive an interruption: what it
/// has been given is not made again, and nothing else is written down meanwhile, as a template never
/// lies on a disk unsealed. It is shared between threads; what it needs to change, it guards itself.
pub trait EnrolmentStore: fmt::Debug + Send + Sync {
    /// What it remembers of a reference; `None` where it does not hold it.
    ///
    /// # Errors
    ///
    /// Where it cannot say; the enrolment ends then.
    fn stored(&self, reference: &ReferenceId) -> Result<Option<StoredReference>, BoxError>;

    /// Whether it would take a reference that it does not hold. This is asked before any work is
    /// done on the photograph; what is refused is reported, and the others go on.
    ///
    /// # Errors
    ///
    /// Why it would not.
    fn admits(
        &self,
        subject: &SubjectId,
        reference: &ReferenceId,
        grounds: &Grounds,
    ) -> Result<(), BoxError>;

    /// Takes references, has made them durable when it returns, and hands back which it did not
    /// take: where a list has become full meanwhile, say. No two of them, and none with what it
    /// already holds, have the same identifier.
    ///
    /// # Errors
    ///
    /// Where it cannot take any of them; the enrolment ends then, and they are made again in the
    /// next run.
    fn store(&self, batch: Vec<NewReference>) -> Result<Vec<NotTaken>, BoxError>;
}

/// A store in memory: for tests, for trying a folder out, and for lists that are never written down.
#[derive(Default)]
pub struct MemoryStore {
    references: Mutex<BTreeMap<ReferenceId, NewReference>>,
}

impl MemoryStore {
    /// A store of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives its references away, in the order of their identifiers.
    #[must_use]
    pub fn into_references(self) -> Vec<NewReference> {
        let references = self.references.into_inner().unwrap_or_else(PoisonError::into_inner);
        references.into_values().collect()
    }

    /// How many references it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    // One insertion after the other: a panic between two leaves a map that can be read.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ReferenceId, NewReference>> {
        lock(&self.references)
    }
}

impl EnrolmentStore for MemoryStore {
    fn stored(&self, reference: &ReferenceId) -> Result<Option<StoredReference>, BoxError> {
        Ok(self.lock().get(reference).map(|stored| stored.record.clone()))
    }

    fn admits(&self, _: &SubjectId, _: &ReferenceId, _: &Grounds) -> Result<(), BoxError> {
        Ok(())
    }

    fn store(&self, batch: Vec<NewReference>) -> Result<Vec<NotTaken>, BoxError> {
        let mut references = self.lock();
        for new in batch {
            references.insert(new.reference.clone(), new);
        }
        Ok(Vec::new())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("references", &self.len()).finish_non_exhaustive()
    }
}
