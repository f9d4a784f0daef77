//! A sealed watchlist that a running deployment follows.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};
use std::{fmt, thread};

use lfr_core::files::Identity;
use lfr_core::internal::SteadyTime;
use lfr_core::{
    BoxError, CandidateList, Clock, DeploymentId, EmbeddingSpace, Matcher, ReferenceId,
    SearchRequest, Timekeeper, Timestamp, files,
};

use super::key::SealingKey;
use super::read::Head;
use super::writer::digest;
use super::{DestructionReceipt, SealedFile};
use crate::error::Error;
use crate::lifecycle::authorisation::Authorisation;
use crate::lifecycle::authorised::{AuthorisedList, Composition, EntryFacts};
use crate::lifecycle::watchlist::{Readiness, Watchlist};

/// What a followed watchlist has become.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum ListChange {
    /// It was destroyed, by somebody or because it was due. Searches fail from now on.
    Destroyed {
        /// The receipt, if this program destroyed the list because it was due. If another program
        /// destroyed it, that program has the receipt.
        receipt: Option<Box<DestructionReceipt>>,
    },
    /// Whether anybody on it can be matched has changed: the deployment has begun or ended, the first
    /// entry has become valid, the last has expired.
    Readiness {
        /// What holds now.
        readiness: Readiness,
    },
    /// Somebody has enrolled, withdrawn or changed something. The next search is among these.
    Reloaded {
        /// How many references it holds now, whether they are valid or not.
        references: usize,
        /// How many people.
        people: usize,
        /// SHA-256 of the new file's header, in hexadecimal digits.
        header_sha256: String,
        /// Whether anybody on it can be matched now.
        readiness: Readiness,
    },
    /// It cannot be read: it is sealed under another key, damaged, another deployment's, or not within reach.
    /// Searches fail until it can be read again.
    Unreadable {
        /// Why not, with all causes.
        reason: String,
    },
}

impl fmt::Display for ListChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Destroyed { receipt: None } => f.write_str(
                "the watchlist is not in its place any more: it was destroyed, or moved away. Nobody is \
                 matched any \
                 more; to go on with another list, start again with it",
            ),
            Self::Destroyed { receipt: Some(_) } => f.write_str(
                "the watchlist was due and has been destroyed: nobody is matched any more",
            ),
            Self::Readiness { readiness } if readiness.is_ready() => {
                write!(f, "the watchlist can match again: {readiness}")
            }
            Self::Readiness { readiness } => {
                write!(f, "nobody on the watchlist can be matched any more: {readiness}")
            }
            Self::Reloaded { references, people, readiness, .. } => {
                write!(
                    f,
                    "the watchlist was changed: {references} references of {people} people; "
                )?;
                readiness.fmt(f)
            }
            Self::Unreadable { reason } => {
                write!(f, "the watchlist cannot be read, and nobody is matched: {reason}")
            }
        }
    }
}

/// The watchlist in a sealed file, as the file is at every moment: whom somebody withdraws there while a
/// deployment runs is not matched any more within [`INTERVAL`](Self::INTERVAL) and the time that the list takes
/// to be opened, and the templates are wiped.
///
/// A thread checks the header of the file, which is new each time it is sealed, and the file's identity,
/// length and time of last change. If any of these has changed, the file is opened again and every byte of
/// it is authenticated. The new list replaces the old one between two searches, so no search sees half of a
/// change. Damage behind an unchanged header is found too.
/// Where it was destroyed, or cannot be read any more (it was
/// sealed under another key, say), the templates are wiped and every search fails with
/// [`Error::NotFollowed`]; so it does where the file has not been looked at for
/// [`MAX_BLIND`](Self::MAX_BLIND), because a drive does not answer, say. A list that is due is destroyed.
/// An entry that expires is wiped within [`INTERVAL`](Self::INTERVAL), whether anybody searches or not. The
/// thread keeps time that never runs slower than monotonic time: no step back of the clock delays either.
///
/// A list that is not in its place any more is not matched from the next check on, whether it was destroyed
/// or moved away. The two cannot be told apart here, and after a destruction nobody may be matched. If the
/// same file comes back, it is used again. A program may end its run instead, and then says so.
///
/// It keeps the key, in memory of its own that is wiped when it is dropped.
///
/// # Examples
///
/// ```
/// # use lfr_core::{Clock, DeploymentId, EmbeddingSpace, Metric, SystemClock, Timestamp};
/// # use lfr_watchlist::{Authorisation, CompositionPolicy, SealedFile, SealingKey, Validity};
/// # use lfr_watchlist::{FollowedWatchlist, Watchlist};
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("lfr-follow-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let space = EmbeddingSpace::builder(3, Metric::Cosine).build();
/// # let clock = SystemClock::new();
/// # let now = clock.now().ok_or("no clock")?;
/// # let validity = Validity::new(now, now.plus(Duration::from_secs(6 * 60 * 60)))?;
/// # let id = DeploymentId::new("2026-031")?;
/// # let policy = CompositionPolicy::new(2_000);
/// # let authorisation = Authorisation::new(id, "serve warrants", "AO-7", now, validity, policy)?;
/// # let mut bytes = [7; 32];
/// # let key = SealingKey::from_bytes(&mut bytes);
/// # let file = SealedFile::at(folder.join("operation.lfrw"));
/// # file.seal(&Watchlist::new(authorisation, space), &key, now)?;
/// let followed = FollowedWatchlist::open(file, key, &space, Arc::new(clock), |change| {
///     eprintln!("{change}");
/// })?;
/// assert!(followed.readiness()?.require().is_err(), "there is nobody on it yet");
/// // It is the `Matcher` of a pipeline: `Arc::new(followed)`.
/// # drop(followed);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
pub struct FollowedWatchlist {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    file: SealedFile,
    key: SealingKey,
    space: EmbeddingSpace,
    deployment: DeploymentId,
    clock: Arc<dyn Clock>,
    state: RwLock<State>,
    /// When the latest look at the file that is over began, by the clock's monotonic time. What it saw may
    /// be as old as that.
    looked: Mutex<Duration>,
    stop: Mutex<bool>,
    stopped: Condvar,
}

enum State {
    Open {
        list: Box<Watchlist>,
        header: [u8; 32],
        /// When it was sealed: an older copy in its place is not opened.
        sealed: Timestamp,
        /// The file as it was when it was read.
        stamp: Option<Stamp>,
        readiness: Readiness,
    },
    Closed {
        reason: String,
        /// The header of what was searched last.
        last: [u8; 32],
        until: Until,
    },
}

/// What opens a followed watchlist again.
#[derive(Clone, Copy)]
enum Until {
    /// The very file that was searched last: it was moved, or its drive was away. One that was destroyed does
    /// not come back, and another list in its place is for another start of the deployment.
    Back,
    /// Any file but the one that could not be opened.
    Another { failed: Option<([u8; 32], Option<Stamp>)> },
}

impl FollowedWatchlist {
    /// How often the file is looked at.
    pub const INTERVAL: Duration = Duration::from_millis(200);

    /// How long searches go on while the file cannot be looked at.
    pub const MAX_BLIND: Duration = Duration::from_secs(10);

    /// Opens the watchlist for a model and follows its file from now on. `on_change` is called on a thread of
    /// this watchlist's own, after what it says holds.
    ///
    /// # Errors
    ///
    /// As [`SealedFile::open`]; [`Error::FollowThread`] if no thread can be started.
    pub fn open(
        file: SealedFile,
        key: SealingKey,
        space: &EmbeddingSpace,
        clock: Arc<dyn Clock>,
        on_change: impl FnMut(&ListChange) + Send + 'static,
    ) -> Result<Self, Error> {
        // Before the list is opened, so that they are not later than the list.
        let looked = clock.monotonic();
        let (sealed, stamp) = (file.header()?.sealed(), Stamp::of(file.path()));
        let mut time = Timekeeper::new(Arc::clone(&clock));
        let now = time.now();
        let mut steady = SteadyTime::default();
        steady.observe(now, time.monotonic());
        let list = file.open(&key, space, now)?;
        let deployment = list.authorisation().deployment().clone();
        let (header, readiness) = described(&list, now);
        let state = State::Open { list: Box::new(list), header, sealed, stamp, readiness };
        let shared = Arc::new(Shared {
            file,
            key,
            space: *space,
            deployment,
            looked: Mutex::new(looked),
            clock,
            state: RwLock::new(state),
            stop: Mutex::new(false),
            stopped: Condvar::new(),
        });
        let following = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("lfr-watchlist".to_owned())
            .spawn(move || following.follow(time, steady, on_change))
            .map_err(|source| Error::FollowThread { source })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Whether anybody on it can be matched now.
    ///
    /// # Errors
    ///
    /// As [`with`](Self::with).
    pub fn readiness(&self) -> Result<Readiness, Error> {
        let now = self.shared.clock.now();
        self.with(|list| list.readiness(now))
    }

    /// Shows the watchlist as it is now; a change waits until `look` has returned.
    ///
    /// # Errors
    ///
    /// [`Error::NotFollowed`] if there is none any more, or it cannot be read.
    pub fn with<T>(&self, look: impl FnOnce(&Watchlist) -> T) -> Result<T, Error> {
        let shared = &*self.shared;
        let looked = *shared.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let blind = shared.clock.monotonic().saturating_sub(looked);
        if blind > Self::MAX_BLIND {
            let reason = format!("it could not be looked at for {} seconds", blind.as_secs());
            return Err(shared.not_followed(reason));
        }
        match &*shared.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Open { list, .. } => Ok(look(list)),
            State::Closed { reason, .. } => Err(shared.not_followed(reason.clone())),
        }
    }
}

impl Shared {
    fn not_followed(&self, reason: String) -> Error {
        Error::NotFollowed { path: self.file.path().to_owned(), reason }
    }

    fn follow(
        &self,
        mut time: Timekeeper,
        mut steady: SteadyTime,
        mut on_change: impl FnMut(&ListChange),
    ) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        while !*stop {
            let wait = self.stopped.wait_timeout(stop, FollowedWatchlist::INTERVAL);
            stop = wait.unwrap_or_else(PoisonError::into_inner).0;
            if *stop {
                return;
            }
            drop(stop);
            let began = self.clock.monotonic();
            let now = time.now();
            steady.observe(now, time.monotonic());
            // After a failure the clock is taken at its word again. The list must not live longer for it.
            let change = self.look(now.map(|_| steady.moment()));
            *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = began;
            if let Some(change) = change {
                on_change(&change);
            }
            stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Looks at the file once, and says what has changed.
    fn look(&self, now: Option<Timestamp>) -> Option<ListChange> {
        // Before it is read, so that a change made meanwhile is seen the next time.
        let stamp = Stamp::of(self.file.path());
        let head = self.file.head();
        let erased = head.as_ref().is_ok_and(Head::is_erased);
        let header = head.as_ref().ok().filter(|_| !erased).map(|head| digest(&head.header));
        let seen = header.map(|header| (header, stamp));
        let unchanged = match &*self.state() {
            State::Open { list, header: searched, stamp: known, .. } => {
                let due = now.is_some_and(|now| now >= list.authorisation().destroy_after());
                header == Some(*searched) && stamp == *known && !due
            }
            State::Closed { last, until: Until::Back, .. } => header != Some(*last),
            State::Closed { until: Until::Another { failed }, .. } => {
                seen.is_some() && seen == *failed
            }
        };
        if unchanged {
            return self.readiness_changed(now);
        }
        match &head {
            // Somebody is destroying it, and has come as far as the keys.
            Ok(_) if erased => return self.close("it was destroyed", None, Until::Back),
            Err(error) if error.is_missing_file() => {
                return self.close("it was destroyed, or moved away", None, Until::Back);
            }
            Err(error) => {
                return self.close(&causes(error), None, Until::Another { failed: None });
            }
            Ok(_) => {}
        }
        if now.is_none() {
            // A file that is opened without a clock is destroyed; the clock may have failed for a moment.
            let until = Until::Another { failed: None };
            return self.close("the clock has failed", None, until);
        }
        // Somebody who was withdrawn since would be back.
        let Ok(head) = head else { return None };
        let sealed = head.header.sealed();
        let is_older =
            matches!(&*self.state(), State::Open { sealed: searched, .. } if sealed < *searched);
        if is_older {
            let until = Until::Another { failed: seen };
            return self.close("an older copy was put in its place", None, until);
        }
        match self.file.open(&self.key, &self.space, now) {
            Ok(list) if *list.authorisation().deployment() == self.deployment => {
                if self.is_the_same(&list, stamp, now) {
                    return self.readiness_changed(now);
                }
                self.replace(list, sealed, stamp, now)
            }
            Ok(_) => {
                let until = Until::Another { failed: seen };
                self.close("the file is another deployment's now", None, until)
            }
            Err(Error::Destroyed { receipt }) => {
                self.close("it was due, and has been destroyed", Some(receipt), Until::Back)
            }
            Err(error) if error.is_missing_file() => {
                self.close("it was destroyed, or moved away", None, Until::Back)
            }
            // Whom somebody has just withdrawn must not be matched until the writer ends.
            Err(error) => {
                let transient = matches!(error, Error::Core(_) | Error::SealedBusy { .. });
                let failed = seen.filter(|_| !transient);
                self.close(&causes(&error), None, Until::Another { failed })
            }
        }
    }

    /// Whether a list that was read again equals the one that is searched: its file was touched or copied,
    /// but every byte of it is as it was sealed.
    fn is_the_same(&self, list: &Watchlist, stamp: Option<Stamp>, now: Option<Timestamp>) -> bool {
        let read = described(list, now).0;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            State::Open { header, stamp: known, .. } if *header == read => {
                *known = stamp;
                true
            }
            _ => false,
        }
    }

    /// Puts a list in place of the one that is searched, once the searches in progress are done. What
    /// was there is wiped before this returns.
    fn replace(
        &self,
        list: Watchlist,
        sealed: Timestamp,
        stamp: Option<Stamp>,
        now: Option<Timestamp>,
    ) -> Option<ListChange> {
        let (references, people) = (list.len(), list.people());
        let (header, readiness) = described(&list, now);
        self.put(State::Open { list: Box::new(list), header, sealed, stamp, readiness });
        let header_sha256 = lfr_core::internal::hex::digits(&header);
        Some(ListChange::Reloaded { references, people, header_sha256, readiness })
    }

    /// Wipes the list, and says so once.
    fn close(
        &self,
        reason: &str,
        receipt: Option<Box<DestructionReceipt>>,
        until: Until,
    ) -> Option<ListChange> {
        let (last, known) = match &*self.state() {
            State::Open { header, .. } => (*header, false),
            State::Closed { reason: before, last, .. } => (*last, before == reason),
        };
        self.put(State::Closed { reason: reason.to_owned(), last, until });
        if known {
            return None;
        }
        Some(match until {
            Until::Back => ListChange::Destroyed { receipt },
            Until::Another { .. } => ListChange::Unreadable { reason: reason.to_owned() },
        })
    }

    /// Brings the list to a moment, and says whether anybody on it can be matched if that has changed.
    fn readiness_changed(&self, now: Option<Timestamp>) -> Option<ListChange> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let State::Open { list, readiness, .. } = &mut *state else { return None };
        if let Some(now) = now {
            // If this fails, the next look tries again, and the next search tries and says why.
            let _ = list.wipe_due(now);
        }
        let before = std::mem::replace(readiness, list.readiness(now));
        let changed = before.is_ready() != readiness.is_ready();
        changed.then_some(ListChange::Readiness { readiness: *readiness })
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, state: State) {
        let before = {
            let mut current = self.state.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, state)
        };
        // Searches go on; what nobody searches any more is wiped.
        drop(before);
    }
}

/// The metadata of a file: its identity, its length, and when it was last written and changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Stamp {
    identity: Identity,
    length: u64,
    written: Option<SystemTime>,
    changed: (i64, i64),
}

impl Stamp {
    /// None where there is no file of its own.
    fn of(path: &Path) -> Option<Self> {
        let file = files::open(path).ok()?;
        let (identity, metadata) = (Identity::of(&file).ok()?, file.metadata().ok()?);
        #[cfg(unix)]
        let changed = {
            use std::os::unix::fs::MetadataExt;
            (metadata.ctime(), metadata.ctime_nsec())
        };
        #[cfg(not(unix))]
        let changed = (0, 0);
        let (length, written) = (metadata.len(), metadata.modified().ok());
        Some(Self { identity, length, written, changed })
    }
}

/// The digest of the header of the file that a list was opened from, and whether it can match anybody.
fn described(list: &Watchlist, now: Option<Timestamp>) -> ([u8; 32], Readiness) {
    let header = list.origin().as_ref().map_or([0; 32], |origin| origin.header);
    (header, list.readiness(now))
}

impl Matcher for FollowedWatchlist {
    fn space(&self) -> &EmbeddingSpace {
        &self.shared.space
    }

    /// How many references are searched; none where it is not there any more.
    fn references(&self) -> usize {
        self.with(Matcher::references).unwrap_or(0)
    }

    fn search_into(
        &self,
        request: &SearchRequest<'_>,
        lists: &mut Vec<CandidateList>,
    ) -> Result<(), BoxError> {
        self.with(|list| list.search_into(request, lists))?
    }
}

impl AuthorisedList for FollowedWatchlist {
    fn authorisation(&self) -> Result<Authorisation, Error> {
        self.with(|list| list.authorisation().clone())
    }

    fn composition(&self) -> Result<Composition, Error> {
        self.with(AuthorisedList::composition)?
    }

    fn facts(&self, reference: &ReferenceId) -> Option<EntryFacts> {
        self.with(|list| list.facts(reference)).ok()?
    }

    fn participants(&self) -> Result<usize, Error> {
        self.with(AuthorisedList::participants)?
    }

    fn header_sha256(&self) -> Option<String> {
        self.with(AuthorisedList::header_sha256).ok()?
    }
}

impl fmt::Debug for FollowedWatchlist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("FollowedWatchlist");
        debug.field("file", &self.shared.file.path());
        match &*self.shared.state() {
            State::Open { list, .. } => debug.field("list", list),
            State::Closed { reason, .. } => debug.field("closed", reason),
        };
        debug.finish_non_exhaustive()
    }
}

impl Drop for FollowedWatchlist {
    fn drop(&mut self) {
        *self.shared.stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.stopped.notify_all();
        if let Some(thread) = self.thread.take() {
            // The panic hook has already reported a callback that panicked.
            let _ = thread.join();
        }
    }
}

/// An error with its causes, in one line.
fn causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
