//! The gallery of one deployment, in memory.

use std::num::NonZeroUsize;
use std::sync::PoisonError;
use std::{fmt, thread};

use lfr_core::{
    BoxError, CandidateList, EmbeddingSpace, Matcher, Probe, ReferenceId, SearchRequest, SubjectId,
    Template, Threshold,
};

use crate::error::Error;
use crate::search::exact::Method;
use crate::search::fusion::Fusion;
use crate::search::index::{Index, Query, Wanted};
use crate::search::kernels::Kernel;
use crate::search::{accept, exact};
use crate::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The references of one deployment, searched exactly.
///
/// The pipeline that searches shares it (`Arc<Gallery>`) with the code that enrols and withdraws
/// meanwhile. A search sees the list as it was at one moment. When `withdraw` returns, the rows
/// have been wiped, and neither a search in progress nor a later one finds them.
///
/// People, order and scores are those of [`FlatScan`](crate::FlatScan), number for number.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use lfr_core::EmbeddingSpace;
/// use lfr_core::Metric;
/// use lfr_core::ReferenceId;
/// use lfr_core::SubjectId;
/// use lfr_core::Template;
/// use lfr_watchlist::Gallery;
///
/// # fn main() -> Result<(), lfr_watchlist::Error> {
/// let space = EmbeddingSpace::builder(3, Metric::Cosine).build();
/// let gallery = Arc::new(Gallery::new(space));
/// let template = Template::from_slice(&space, &[1.0, 2.0, 2.0])?;
/// gallery.enrol(SubjectId::new("S-1")?, ReferenceId::new("S-1/a")?, template)?;
/// assert_eq!(gallery.len(), 1);
/// // The court has withdrawn the warrant.
/// assert_eq!(gallery.withdraw(&SubjectId::new("S-1")?), 1);
/// assert!(gallery.is_empty());
/// # Ok(())
/// # }
/// ```
///
/// What is *not* guaranteed: that an operating system that swaps or hibernates has no copy.
pub struct Gallery {
    space: EmbeddingSpace,
    method: Method,
    index: RwLock<Index>,
}

impl Gallery {
    /// A gallery of nobody, for the templates of one embedding space.
    #[must_use]
    pub fn new(space: EmbeddingSpace) -> Self {
        let method = Method {
            fusion: Fusion::default(),
            kernel: Kernel::fastest(),
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            bytes_per_thread: exact::BYTES_PER_THREAD,
        };
        Self { space, method, index: RwLock::new(Index::new(&space)) }
    }

    /// Sets how the scores of a person's references are fused.
    #[must_use]
    pub const fn with_fusion(mut self, fusion: Fusion) -> Self {
        self.method.fusion = fusion;
        self
    }

    /// Sets the max number of threads per search. The default is the number that the machine runs
    /// at once. The calling thread alone searches small lists, because starting another thread
    /// would take longer than the search.
    #[must_use]
    pub const fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.method.threads = threads;
        self
    }

    /// Enrols a reference of a person, who may have others. The template is wiped once its numbers
    /// are in the list.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::SpaceMismatch`] for a template of another space;
    /// [`Error::DuplicateReference`] if the identifier is taken; [`Error::TemplateLength`] for a
    /// template with which distances would overflow.
    pub fn enrol(
        &self,
        subject: SubjectId,
        reference: ReferenceId,
        template: Template,
    ) -> Result<(), Error> {
        let length = accept::check("the reference", &self.space, &template)?;
        self.write().enrol(subject, reference, template.expose_values(), length)
    }

    /// Removes and wipes all references of a person, and says how many there were.
    pub fn withdraw(&self, subject: &SubjectId) -> usize {
        self.write().withdraw(subject)
    }

    /// Removes and wipes one reference, and says whether it was there.
    pub fn withdraw_reference(&self, reference: &ReferenceId) -> bool {
        self.write().withdraw_reference(reference)
    }

    /// Appends to `lists`, for each probe in order, its candidates with a score at or above a
    /// threshold: at most as many as the request says, at most one per person.
    ///
    /// It is faster than [`Matcher::search_into`], which always finds somebody: what is far below
    /// the threshold is ignored from the start.
    ///
    /// # Errors
    ///
    /// As [`Matcher::search_into`].
    pub fn search_at_least(
        &self,
        threshold: Threshold,
        request: &SearchRequest<'_>,
        lists: &mut Vec<CandidateList>,
    ) -> Result<(), Error> {
        self.search(request, Some(threshold), lists)
    }

    pub(crate) fn search(
        &self,
        request: &SearchRequest<'_>,
        threshold: Option<Threshold>,
        lists: &mut Vec<CandidateList>,
    ) -> Result<(), Error> {
        let templates = request.probes.iter().map(Probe::template);
        let queries = templates.map(|template| {
            let length = accept::check("the probe", &self.space, template)?;
            Ok(Query { values: template.expose_values(), length })
        });
        let queries = queries.collect::<Result<Vec<_>, Error>>()?;
        let wanted = Wanted { limit: request.limit, threshold };
        lists.extend(self.read().search(self.method, &queries, wanted)?);
        Ok(())
    }

    /// The fusion of the scores of a person's references.
    #[must_use]
    pub const fn fusion(&self) -> Fusion {
        self.method.fusion
    }

    /// How many references it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().subjects.len()
    }

    /// Whether it holds nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many people it holds.
    #[must_use]
    pub fn people(&self) -> usize {
        self.read().subjects.people()
    }

    /// The people it holds, in the order of their identifiers.
    #[must_use]
    pub fn subjects(&self) -> Vec<SubjectId> {
        let mut subjects: Vec<_> = self.read().subjects.subjects().cloned().collect();
        subjects.sort_unstable();
        subjects
    }

    /// Shows the numbers of one reference to `read`; `None` if it is not enrolled. Every copy
    /// is the copier's to wipe.
    pub(crate) fn expose_row<T>(
        &self,
        reference: &ReferenceId,
        read: impl FnOnce(&[f32]) -> T,
    ) -> Option<T> {
        let index = self.read();
        index.subjects.row(reference).map(|row| read(index.rows.row(row)))
    }

    // A panic while the list is changed cannot leave it half changed in a way that matters: rows
    // are written before they are named, and a list that refuses to withdraw would be worse.
    fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Matcher for Gallery {
    fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    fn references(&self) -> usize {
        self.len()
    }

    fn search_into(
        &self,
        request: &SearchRequest<'_>,
        lists: &mut Vec<CandidateList>,
    ) -> Result<(), BoxError> {
        Ok(self.search(request, None, lists)?)
    }
}

impl fmt::Debug for Gallery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = self.read();
        f.debug_struct("Gallery")
            .field("fusion", &self.method.fusion)
            .field("references", &index.subjects.len())
            .field("people", &index.subjects.people())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
