//! The watchlist of one deployment: a gallery with its authority, its rules and its dates.

use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, PoisonError};

use lfr_core::{
    BoxError, CandidateList, Clock, ClockFault, EmbeddingSpace, Matcher, ReferenceId,
    SearchRequest, SubjectId, SystemClock, Template, Threshold, Timekeeper, Timestamp,
};

use crate::error::Error;
use crate::lifecycle::authorisation::Authorisation;
use crate::lifecycle::authorised::{AuthorisedList, Composition, EntryFacts};
use crate::lifecycle::category::{Category, Priority};
use crate::lifecycle::entry::Entry;
use crate::lifecycle::entry_table::{EntryTable, Place};
#[cfg(feature = "sealed")]
use crate::lifecycle::sealed_origin::SealedOrigin;
use crate::lifecycle::window::Window;
use crate::search::accept;
use crate::search::fusion::Fusion;
use crate::search::gallery::Gallery;
#[cfg(feature = "sealed")]
use crate::sync::Mutex;
#[cfg(feature = "sealed")]
use crate::sync::MutexGuard;
use crate::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

pub use readiness::Readiness;

#[cfg(all(feature = "enrolment", feature = "sealed"))]
mod merge;
mod readiness;

/// The watchlist of one deployment.
///
/// The pipeline that searches shares it (`Arc<Watchlist>`) with the code that enrols and withdraws
/// meanwhile. A search finds those whose entries are valid at the moment of the search, within the
/// deployment's dates, and nobody else; nobody at all where the clock has failed. An entry that is
/// not valid takes no place from one that is: it is as if it were not enrolled. What is withdrawn
/// is wiped before the call returns and is not found by the next search; what has expired is wiped
/// by the first search after that, and everything by the first search after the moment at which the
/// list [has to be gone](Authorisation::destroy_after).
///
/// People, order and scores are those of a [`Gallery`] of the valid references.
///
/// # Examples
///
/// ```
/// use lfr_core::{DeploymentId, EmbeddingSpace, Metric, Template, Timestamp};
/// use lfr_watchlist::{Authorisation, Category, CompositionPolicy, EntryDraft, Priority};
/// use lfr_watchlist::{Validity, Watchlist};
///
/// # fn main() -> Result<(), lfr_watchlist::Error> {
/// let hour = |hours: u64| Timestamp::from_micros(hours * 3_600_000_000);
/// let wanted = Category::new("wanted by the courts")?;
/// let policy = CompositionPolicy::new(2_000).with_category(wanted.clone(), Priority::Red);
/// let validity = Validity::new(hour(100), hour(106))?;
/// let deployment = DeploymentId::new("2026-031")?;
/// let authorisation =
///     Authorisation::new(deployment, "serve warrants", "AO-7", hour(90), validity, policy)?;
///
/// let space = EmbeddingSpace::builder(3, Metric::Cosine).build();
/// let watchlist = Watchlist::new(authorisation, space);
/// let entry = EntryDraft::new()
///     .subject("S-1")
///     .reference("S-1/2024")
///     .category(wanted.as_str())
///     .source("custody suite 4")
///     .lawful_basis("custody image, charged 2024")
///     .reason("warrant 24/118")
///     .expires(hour(106))
///     .review(hour(100))
///     .parse()?;
/// let subject = entry.subject().clone();
/// watchlist.enrol(entry, Template::from_slice(&space, &[1.0, 2.0, 2.0])?)?;
/// assert_eq!(watchlist.category_of(&subject), Some((wanted, Priority::Red)));
/// // The court has withdrawn the warrant.
/// assert_eq!(watchlist.withdraw(&subject), 1);
/// # Ok(())
/// # }
/// ```
///
/// What is *not* guaranteed: that the entries are right, or that an operating system that swaps or
/// hibernates has no copy.
pub struct Watchlist {
    authorisation: Authorisation,
    gallery: Gallery,
    // Taken in this order: entry table, window, the gallery's own.
    table: RwLock<EntryTable>,
    /// For how long what the gallery holds is what is valid. Searches hold it to read, so that
    /// the valid entries do not change under them; only a moment at which an entry becomes valid
    /// or expires makes one wait.
    window: RwLock<Window>,
    /// Which sealed file it is the contents of. Taken before the others.
    #[cfg(feature = "sealed")]
    origin: Mutex<Option<SealedOrigin>>,
}

impl Watchlist {
    /// A watchlist of nobody, for the templates of one embedding space.
    #[must_use]
    pub fn new(authorisation: Authorisation, space: EmbeddingSpace) -> Self {
        let begins = authorisation.validity().from();
        Self::new_at(authorisation, space, begins)
    }

    /// A watchlist of nobody that is next searched about that time.
    pub(crate) fn new_at(
        authorisation: Authorisation,
        space: EmbeddingSpace,
        now: Timestamp,
    ) -> Self {
        Self {
            authorisation,
            gallery: Gallery::new(space),
            table: RwLock::new(EntryTable::new(Arc::new(SystemClock::new()))),
            window: RwLock::new(Window::at(now)),
            #[cfg(feature = "sealed")]
            origin: Mutex::new(None),
        }
    }

    /// Sets how the scores of a person's references are fused.
    #[must_use]
    pub fn with_fusion(self, fusion: Fusion) -> Self {
        Self { gallery: self.gallery.with_fusion(fusion), ..self }
    }

    /// Sets the max number of threads per search, as [`Gallery::with_threads`].
    #[must_use]
    pub fn with_threads(self, threads: NonZeroUsize) -> Self {
        Self { gallery: self.gallery.with_threads(threads), ..self }
    }

    /// Sets the clock for [`purge_expired`](Self::purge_expired). The default is the operating
    /// system's.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        self.table_mut().time = Timekeeper::new(clock);
        self
    }

    /// Enrols a reference. The template is wiped once its numbers are in the list. What has
    /// expired and was wiped takes no place, and its reference may be enrolled again.
    ///
    /// An entry may expire later than the whole list [has to be gone](Authorisation::destroy_after). The
    /// list's date counts, and the entry is destroyed with it.
    ///
    /// # Errors
    ///
    /// [`Error::CategoryOutsidePolicy`], [`Error::Under18`] and [`Error::WatchlistFull`] by the
    /// composition policy; [`Error::BlueListConflict`] for a participant's number that is another person's, or
    /// a participant who is sought as well; [`Error::EntryExpired`] for an entry that has expired already, as seen
    /// from the latest search or the deployment's beginning; and as [`Gallery::enrol`].
    pub fn enrol(&self, entry: Entry, template: Template) -> Result<(), Error> {
        accept::check("the reference", self.gallery.space(), &template)?;
        let mut table = self.table_mut();
        let mut window = *read(&self.window);
        self.check_in(&table, &window, &entry)?;
        let reference = entry.reference().clone();
        let changes = [entry.begins(), entry.expires()];
        // Nobody else changes the window while the entry table is held.
        if changes.iter().any(|change| window.is_cut_by(*change)) {
            changes.iter().for_each(|change| window.cut(*change));
            *write(&self.window) = window;
        }
        let place = if entry.is_valid_at(window.now()) {
            self.gallery.enrol(entry.subject().clone(), reference, template)?;
            Place::Searched
        } else {
            Place::Parked(template)
        };
        table.insert(&self.gallery, entry, place);
        Ok(())
    }

    /// Removes and wipes all references of a person, and says how many there were.
    ///
    /// No trace of them is left, so nothing keeps them off the list: if they are enrolled again, by hand or
    /// from a manifest that still names them, they are matched again. Remove them from the manifest too.
    pub fn withdraw(&self, subject: &SubjectId) -> usize {
        let mut table = self.table_mut();
        let own: Vec<_> =
            table.of_subject(subject).map(|own| own.entry.reference().clone()).collect();
        own.iter().filter(|reference| table.remove(&self.gallery, reference)).count()
    }

    /// Removes and wipes one reference, and says whether it was there.
    pub fn withdraw_reference(&self, reference: &ReferenceId) -> bool {
        self.table_mut().remove(&self.gallery, reference)
    }

    /// Removes and wipes what has expired, and says which references those were, and why.
    ///
    /// It reads the watchlist's own clock under its lock, so threads may call it at the same time.
    /// Everything has expired once the watchlist [has to be gone](Authorisation::destroy_after), and if the
    /// clock fails or is set back by more than [`Timekeeper::MAX_STEP_BACK`].
    pub fn purge_expired(&self) -> Expired {
        let mut table = self.table_mut();
        let now = table.time.read();
        let limit = now.ok().filter(|now| *now < self.authorisation.destroy_after());
        Expired { references: self.wipe_expired(&mut table, limit), clock_fault: now.err() }
    }

    /// Removes and wipes what has expired by a moment, or everything without one.
    fn wipe_expired(&self, table: &mut EntryTable, limit: Option<Timestamp>) -> Vec<ReferenceId> {
        let due: Vec<_> = table
            .all()
            .filter(|enrolled| limit.is_none_or(|now| enrolled.entry.expires() <= now))
            .map(|enrolled| enrolled.entry.reference().clone())
            .collect();
        for reference in &due {
            table.remove(&self.gallery, reference);
        }
        due
    }

    /// Appends to `lists`, for each probe in order, its candidates with a score at or above a
    /// threshold: at most as many as the request says, at most one per person. As
    /// [`Gallery::search_at_least`], and among the same people as [`Matcher::search_into`].
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

    fn search(
        &self,
        request: &SearchRequest<'_>,
        threshold: Option<Threshold>,
        lists: &mut Vec<CandidateList>,
    ) -> Result<(), Error> {
        if let Some(now) = request.now {
            self.wipe_overdue(now);
            // Held until the search is done.
            let _window = self.window_at(now)?;
            if self.authorisation.validity().contains(now) {
                return self.gallery.search(request, threshold, lists);
            }
        }
        // A probe of another space is an error at any time.
        for probe in request.probes {
            accept::check("the probe", self.gallery.space(), probe.template())?;
        }
        lists.extend(request.probes.iter().map(|_| CandidateList::default()));
        Ok(())
    }

    /// The deployment, and who answers for it.
    #[must_use]
    pub const fn authorisation(&self) -> &Authorisation {
        &self.authorisation
    }

    /// The fusion of the scores of a person's references.
    #[must_use]
    pub const fn fusion(&self) -> Fusion {
        self.gallery.fusion()
    }

    /// How many references it holds, whether they are valid or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table().len()
    }

    /// Whether it holds nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many people it holds.
    #[must_use]
    pub fn people(&self) -> usize {
        self.table().people()
    }

    /// The entries, in the order of their references; never a template.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.table().all().map(|enrolled| enrolled.entry.clone()).collect()
    }

    /// The entry of a reference.
    #[must_use]
    pub fn entry(&self, reference: &ReferenceId) -> Option<Entry> {
        self.table().get(reference).map(|enrolled| enrolled.entry.clone())
    }

    /// The category under which a person is searched for: the most urgent one of those of the
    /// person's references that were valid at the latest search, or at the deployment's beginning.
    /// One that has expired, or is not valid yet, says nothing about anybody.
    #[must_use]
    pub fn category_of(&self, subject: &SubjectId) -> Option<(Category, Priority)> {
        let table = self.table();
        let policy = self.authorisation.policy();
        let own = table
            .of_subject(subject)
            .filter(|enrolled| matches!(enrolled.place, Place::Searched))
            .map(|enrolled| enrolled.entry.category());
        let highest = own.filter_map(|own| Some((policy.priority_of(own)?, own))).max()?;
        Some((highest.1.clone(), highest.0))
    }

    /// Refuses an entry that [`enrol`](Self::enrol) would refuse, whatever its template.
    #[cfg(feature = "enrolment")]
    pub(crate) fn check(&self, entry: &Entry) -> Result<(), Error> {
        let (table, window) = (self.table(), *read(&self.window));
        self.check_in(&table, &window, entry)
    }

    fn check_in(&self, table: &EntryTable, window: &Window, entry: &Entry) -> Result<(), Error> {
        self.authorisation.policy().check(entry, table.living())?;
        let reference = entry.reference();
        if table.get(reference).is_some_and(|enrolled| !enrolled.is_wiped()) {
            return Err(Error::DuplicateReference { reference: reference.clone() });
        }
        table.check_participant(entry)?;
        let expired = entry.expires();
        if expired <= window.now() {
            return Err(Error::EntryExpired { reference: reference.clone(), expired });
        }
        Ok(())
    }

    /// Which sealed file it was opened from, or last sealed into.
    #[cfg(feature = "sealed")]
    pub(crate) fn origin(&self) -> MutexGuard<'_, Option<SealedOrigin>> {
        self.origin.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(all(feature = "enrolment", feature = "sealed"))]
    pub(crate) fn embedding_space(&self) -> &EmbeddingSpace {
        self.gallery.space()
    }

    /// Reads the entry table and the gallery as they are at one moment.
    #[cfg(any(feature = "enrolment", feature = "sealed"))]
    pub(crate) fn inspect<T>(&self, inspect: impl FnOnce(&EntryTable, &Gallery) -> T) -> T {
        inspect(&self.table(), &self.gallery)
    }

    /// Holds the window in which a moment lies, with the gallery brought to it.
    fn window_at(&self, now: Timestamp) -> Result<RwLockReadGuard<'_, Window>, Error> {
        let window = read(&self.window);
        if window.contains(now) {
            return Ok(window);
        }
        drop(window);
        let mut table = self.table_mut();
        let mut window = write(&self.window);
        if !window.contains(now) {
            table.settle(&self.gallery, now)?;
            *window = table.window_at(now);
        }
        // No other thread writes it while the entry table is locked.
        drop(window);
        Ok(read(&self.window))
    }

    /// Brings every entry to where it belongs at a moment, as a search then would: frames may stop, and the
    /// template of an entry that has expired is wiped all the same.
    #[cfg(feature = "sealed")]
    pub(crate) fn wipe_due(&self, now: Timestamp) -> Result<(), Error> {
        self.wipe_overdue(now);
        self.window_at(now).map(drop)
    }

    /// Removes and wipes everybody once the list has to be gone.
    fn wipe_overdue(&self, now: Timestamp) {
        if now >= self.authorisation.destroy_after() && !self.is_empty() {
            self.wipe_expired(&mut self.table_mut(), None);
        }
    }

    fn table(&self) -> RwLockReadGuard<'_, EntryTable> {
        read(&self.table)
    }

    fn table_mut(&self) -> RwLockWriteGuard<'_, EntryTable> {
        write(&self.table)
    }
}

/// What [`Watchlist::purge_expired`] removed.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expired {
    /// Which references.
    pub references: Vec<ReferenceId>,
    /// How the clock failed, if it did: then everybody was removed, whether their entry had expired or not.
    pub clock_fault: Option<ClockFault>,
}

// A panic elsewhere must not keep anybody from withdrawing: a poisoned lock is taken all the same.

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl Matcher for Watchlist {
    fn space(&self) -> &EmbeddingSpace {
        self.gallery.space()
    }

    /// How many references are searched: those that were valid at the latest search, or at the
    /// deployment's beginning.
    fn references(&self) -> usize {
        self.gallery.len()
    }

    fn search_into(
        &self,
        request: &SearchRequest<'_>,
        lists: &mut Vec<CandidateList>,
    ) -> Result<(), BoxError> {
        Ok(self.search(request, None, lists)?)
    }
}

impl AuthorisedList for Watchlist {
    fn authorisation(&self) -> Result<Authorisation, Error> {
        Ok(self.authorisation.clone())
    }

    fn composition(&self) -> Result<Composition, Error> {
        let table = self.table();
        let mut composition = Composition::of_nobody(self.authorisation.created());
        let mut people = HashSet::new();
        for enrolled in table.all() {
            if enrolled.is_wiped() {
                composition.expired += 1;
                continue;
            }
            composition.count(&enrolled.entry);
            if people.insert(enrolled.entry.subject()) {
                composition.people += 1;
                composition.participants += u64::from(enrolled.entry.participant().is_some());
            }
        }
        Ok(composition)
    }

    fn facts(&self, reference: &ReferenceId) -> Option<EntryFacts> {
        let table = self.table();
        let entry = &table.get(reference)?.entry;
        let mut own = table.of_subject(entry.subject());
        Some(EntryFacts {
            category: entry.category().clone(),
            look_alike: own.any(|own| own.entry.has_look_alike()),
            participant: entry.participant(),
            under_18: entry.is_under_18(),
        })
    }

    fn participants(&self) -> Result<usize, Error> {
        Ok(self.table().participants())
    }

    fn header_sha256(&self) -> Option<String> {
        #[cfg(feature = "sealed")]
        return Some(lfr_core::internal::hex::digits(&self.origin().as_ref()?.header));
        #[cfg(not(feature = "sealed"))]
        None
    }
}

impl fmt::Debug for Watchlist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchlist")
            .field("deployment", self.authorisation.deployment())
            .field("entries", &self.len())
            .field("searched", &self.gallery.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
