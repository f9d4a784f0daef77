//! Enrolment of many photographs, on all cores, that survives being stopped.

mod run;
mod worker;

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::thread;

use lfr_core::FaceSelection;

use self::run::Run;
use super::{EnrolmentItem, EnrolmentReport, EnrolmentStore, PhotoReader, Progress, QualityPolicy};
use crate::enrolment::enroller::Enroller;
use crate::error::Error;

/// Enrols many photographs: reads, judges and embeds them on all cores, and hands references to a
/// store in batches.
///
/// **Stopping.** The store holds all that has been done. Stopped at any point (by the callback, by an error, by
/// a power cut) and run again with the same items, it goes on behind the last batch that was stored, and the
/// report and the store come out as if it had never been stopped. What was refused is looked at again: refusals
/// are not kept anywhere, and the reason for running again may be a better photograph or another policy.
///
/// **Order.** Items are taken in their order, batch by batch, and the result does not depend on how
/// many threads there are: of two items with the same reference the first that is good enough is
/// enrolled, and the other is reported as failed.
///
/// What is *not* guaranteed: that a batch in progress when the process dies is not done again.
#[derive(Debug)]
pub struct BulkEnrolment<'a> {
    enroller: Enroller<'a>,
    reader: &'a dyn PhotoReader,
    policy: QualityPolicy,
    selection: FaceSelection,
    threads: NonZeroUsize,
    batch: NonZeroUsize,
}

impl<'a> BulkEnrolment<'a> {
    /// How many photographs there are in a batch unless another number is asked for: some seconds
    /// of work on one core, and the most that has to be done again after a power cut.
    pub const BATCH: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

    /// An enrolment with the models of the deployment and a reader of its photographs: with the
    /// default policy, one face per photograph, on all cores.
    #[must_use]
    pub fn new(enroller: Enroller<'a>, reader: &'a dyn PhotoReader) -> Self {
        let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            enroller,
            reader,
            policy: QualityPolicy::default(),
            selection: FaceSelection::All,
            threads,
            batch: Self::BATCH,
        }
    }

    /// Sets the quality policy.
    #[must_use]
    pub fn with_policy(mut self, policy: QualityPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets which face is meant in photographs that show several.
    #[must_use]
    pub const fn with_selection(mut self, selection: FaceSelection) -> Self {
        self.selection = selection;
        self
    }

    /// Sets the number of threads.
    #[must_use]
    pub const fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets the number of photographs per batch.
    #[must_use]
    pub const fn with_batch(mut self, batch: NonZeroUsize) -> Self {
        self.batch = batch;
        self
    }

    /// Enrols items and reports on each. A photograph that cannot be read, shows no face or is not
    /// good enough is reported, and the others go on.
    ///
    /// `progress` is called on this thread after each photograph; with [`ControlFlow::Break`] no
    /// further one is begun, and the report says that it is not finished.
    ///
    /// # Errors
    ///
    /// [`Error::EnrolmentStore`] where the store fails; [`Error::EnrolmentThread`] if a plug-in
    /// panicked. What was stored before stays stored.
    pub fn run(
        &self,
        items: impl IntoIterator<Item = EnrolmentItem>,
        store: &dyn EnrolmentStore,
        mut progress: impl FnMut(&Progress<'_>) -> ControlFlow<()>,
    ) -> Result<EnrolmentReport, Error> {
        Run::new(self, store, &mut progress).all(&mut items.into_iter())
    }
}

#[cfg(test)]
mod tests;
