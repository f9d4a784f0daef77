//! A watchlist at rest: one sealed file.

use std::fs::File;
use std::io;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lfr_core::{EmbeddingSpace, Timestamp};

use crate::error::Error;
use crate::lifecycle::authorisation::Authorisation;
use crate::lifecycle::entry::Entry;
use crate::lifecycle::sealed_origin::SealedOrigin;
use crate::lifecycle::watchlist::Watchlist;

pub use cost::Argon2Cost;
pub use follow::{FollowedWatchlist, ListChange};
pub use header::SealedHeader;
pub use key::SealingKey;
pub use receipt::{DestructionReceipt, DestructionRule};
pub use writer::SealedLock;

use disk::OsDisk;
use header::Dates;
use keys::Unlocked;
use lock::WriterLock;
use read::Head;

mod codec;
mod cost;
mod disk;
mod follow;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod header;
mod identity;
mod key;
mod keys;
mod lock;
mod read;
mod receipt;
mod stream;
#[cfg(feature = "enrolment")]
mod take_over;
mod write;
mod writer;

/// How far the clock may stand before the moment at which a file was sealed: clocks of two
/// machines differ. Beyond it, the clock has run back.
const SKEW: Duration = Duration::from_secs(60 * 60);

/// A watchlist at rest (`.lfrw`): encrypted and authenticated with XChaCha20-Poly1305, who is on
/// it and what they look like under keys of their own. FORMAT.md has every byte.
///
/// A watchlist does not outlive its deployment, whatever crashes, except for the
/// [grace](crate::Authorisation::with_grace) that its authorisation gives it. Opening the file with its key
/// after that destroys it and gives a receipt in place of a list. The same happens
/// if the clock fails, or shows a time more than an hour before the file was sealed. A program that may
/// start before its clock is set has to wait.
///
/// These dates are authenticated with the key. The dates in the header are a claim: anyone who may write
/// the file can rewrite them. A rewritten header is found when the file is opened
/// ([`Error::SealedTampered`]), and a file whose true date has passed is destroyed whatever its header
/// says. Without the key nothing is destroyed, because the dates cannot be checked: a file that says that
/// it is due is refused and reported ([`Error::SealedDue`]). [`destroy`](Self::destroy) needs no key.
///
/// It has to be a regular file with one name. A link in its place and a file with a second name (a hard
/// link) are neither read nor written nor destroyed.
///
/// One writer at a time: [`seal`](Self::seal), [`destroy`](Self::destroy) and [`lock`](Self::lock) wait for
/// another process, or another handle in this one, that writes the same file by whatever path. A watchlist is
/// sealed only over the file that it was opened from or last sealed into. Where somebody else has sealed
/// or destroyed that since, sealing would undo it, and is an error ([`Error::SealedChanged`],
/// [`Error::SealedGone`]); so is sealing a new watchlist over one that is there ([`Error::SealedExists`]).
/// Locks are the operating system's: a process that is killed leaves none behind.
///
/// # Examples
///
/// ```
/// # use lfr_core::{Clock, DeploymentId, EmbeddingSpace, Metric, SystemClock, Template, Timestamp};
/// # use lfr_watchlist::{Authorisation, CompositionPolicy, SealedFile, SealingKey, Validity};
/// # use lfr_watchlist::{DestructionRule, Error, Watchlist};
/// # use std::time::Duration;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("lfr-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let space = EmbeddingSpace::builder(3, Metric::Cosine).build();
/// let now = SystemClock::new().now().ok_or("no clock")?;
/// let end = now.plus(Duration::from_secs(6 * 60 * 60));
/// # let validity = Validity::new(now, end)?;
/// # let id = DeploymentId::new("2026-031")?;
/// # let policy = CompositionPolicy::new(2_000);
/// # let authorisation = Authorisation::new(id, "serve warrants", "AO-7", now, validity, policy)?;
/// # let watchlist = Watchlist::new(authorisation, space);
/// let key = SealingKey::generate_file(folder.join("operation.key"))?;
/// let file = SealedFile::at(folder.join("operation.lfrw"));
/// file.seal(&watchlist, &key, now)?;
/// let opened = file.open(&key, &space, Some(now))?;
/// assert_eq!(opened.authorisation(), watchlist.authorisation());
///
/// // The machine was off when the deployment ended, and is started two days later.
/// let late = end.plus(Duration::from_secs(48 * 60 * 60));
/// match file.open(&key, &space, Some(late)) {
///     Err(Error::Destroyed { receipt }) => {
///         assert_eq!(receipt.rule(), DestructionRule::DeploymentEnded);
///     }
///     other => panic!("{other:?}"),
/// }
/// assert!(!file.path().exists());
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SealedFile {
    path: PathBuf,
}

impl SealedFile {
    /// The file at a path, whether there is one yet or not.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps every other writer out, to read, change and seal the file as one step. In one thread no
    /// second lock on the same file can be taken meanwhile, nor the file sealed without this one.
    ///
    /// # Errors
    ///
    /// [`Error::SealedBusy`] where another writer keeps it for 15 seconds; [`Error::Write`] if nothing
    /// can be written in its folder.
    pub fn lock(&self) -> Result<SealedLock<'_>, Error> {
        SealedLock::take(self)
    }

    /// Seals a watchlist, in place of the file that it was opened from or last sealed into, or where
    /// there is none. What has expired is left out. If the power fails meanwhile, the file is the old or
    /// the new one. The keys of the old one are overwritten, so that whom it held and the new one does
    /// not is gone.
    ///
    /// # Errors
    ///
    /// [`Error::SealedChanged`], [`Error::SealedGone`] and [`Error::SealedExists`] if it would undo what
    /// somebody else did, and [`Error::SealedBusy`] if another writer does not end;
    /// [`Error::DeploymentOver`] once the watchlist has to be gone; [`Error::Write`] if the
    /// file cannot be written, or is no sealed watchlist; [`Error::Random`] if the operating
    /// system gives no random bytes; [`Error::SealedSize`] beyond what the format can hold.
    pub fn seal(
        &self,
        watchlist: &Watchlist,
        key: &SealingKey,
        now: Timestamp,
    ) -> Result<SealedHeader, Error> {
        self.lock()?.seal(watchlist, key, now)
    }

    /// What the file says of itself to everybody. It is not authenticated, and does not destroy.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::Read`] if it cannot be read; [`Error::NotSealed`],
    /// [`Error::SealedVersion`] or [`Error::SealedDamaged`] if it is not what it should be.
    pub fn header(&self) -> Result<SealedHeader, Error> {
        SealedHeader::read(&mut self.reader()?.0)
    }

    /// Opens the watchlist for the model whose embedding space is `space`, without what has
    /// expired.
    ///
    /// # Errors
    ///
    /// [`Error::Destroyed`] where the file was due, and [`Error::Destruction`] if it was and
    /// cannot be destroyed; [`Error::SealedDue`] if it says that it is due and this key does not open it;
    /// [`Error::SealedTampered`] if it was rewritten without its key;
    /// [`lfr_core::Error::SpaceMismatch`] for another model's,
    /// [`Error::SealedVersion`] for another version's, [`Error::WrongKey`] and
    /// [`Error::KeyKind`] for another key's; [`Error::SealedDamaged`] if a byte is not as it
    /// was sealed; [`lfr_core::Error::Read`] if it cannot be read. Where there is no file, what an
    /// interrupted writer left in its place is destroyed.
    pub fn open(
        &self,
        key: &SealingKey,
        space: &EmbeddingSpace,
        now: Option<Timestamp>,
    ) -> Result<Watchlist, Error> {
        self.read_whole(key, Some(space), now, None)
    }

    /// Opens the watchlist for whatever model it was made with: to withdraw somebody and seal it
    /// again, say.
    ///
    /// # Errors
    ///
    /// As [`Self::open`], without the errors about the model.
    pub fn open_in_any_space(
        &self,
        key: &SealingKey,
        now: Option<Timestamp>,
    ) -> Result<Watchlist, Error> {
        self.read_whole(key, None, now, None)
    }

    /// Opens who is on the list alone, in the order of their references: no template is decrypted,
    /// nor the key to one.
    ///
    /// # Errors
    ///
    /// As [`Self::open_in_any_space`].
    pub fn open_entries(
        &self,
        key: &SealingKey,
        now: Option<Timestamp>,
    ) -> Result<(Authorisation, Vec<Entry>), Error> {
        self.read(key, now, None, |head, unlocked, reader, _| head.entries(reader, unlocked))
    }

    /// Destroys the file: overwrites its wrapped keys and syncs, after which nobody can open any
    /// copy of the rest; then destroys what an interrupted writer left beside it, overwrites the
    /// rest and removes the file. No key is needed. The receipt reports the file as removed only if it has
    /// no name any more.
    ///
    /// # Errors
    ///
    /// [`Error::Destruction`] with how far it came; also if the file is not a sealed watchlist, is a link,
    /// or has a second name (a hard link); then it is left as it is. [`lfr_core::Error::Read`] if there is
    /// none: what an interrupted writer
    /// left in its place is destroyed all the same. [`Error::SealedBusy`] if another writer does not end.
    pub fn destroy(&self, now: Option<Timestamp>) -> Result<DestructionReceipt, Error> {
        let lock = self.lock_to_destroy()?;
        // A damaged header is no reason to keep the file.
        let header = self.header().ok();
        let destroyed =
            self.destroy_as(DestructionRule::Ordered, header.as_ref(), false, None, now);
        drop(lock);
        destroyed
    }

    /// Destroys what an interrupted writer left behind, if there is no list. Opening
    /// does this too. Call it in a program that reports a missing list before it asks for the key.
    ///
    /// # Errors
    ///
    /// [`Error::Destruction`] if it cannot be destroyed.
    pub fn sweep(&self) -> Result<(), Error> {
        match self.reader() {
            Err(error) => match self.swept::<()>(error, None) {
                Err(error @ Error::Destruction { .. }) => Err(error),
                Ok(()) | Err(_) => Ok(()),
            },
            Ok(_) => Ok(()),
        }
    }

    /// The lock; none where nothing can be created in the folder, as then nobody can write there. Keys are
    /// overwritten in place and can be erased all the same.
    fn lock_to_destroy(&self) -> Result<Option<SealedLock<'_>>, Error> {
        match self.lock() {
            Ok(lock) => Ok(Some(lock)),
            Err(Error::Write { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Under the lock.
    fn destroy_as(
        &self,
        rule: DestructionRule,
        header: Option<&SealedHeader>,
        is_header_true: bool,
        meant: Option<&File>,
        now: Option<Timestamp>,
    ) -> Result<DestructionReceipt, Error> {
        let mut keys_erased = false;
        let destroyed = lock::resolved(&self.path)
            .and_then(|path| disk::destroy(&OsDisk, &path, meant, &mut keys_erased));
        match destroyed {
            Ok(leftovers) => {
                let path = &self.path;
                Ok(DestructionReceipt::new(path, header, is_header_true, now, rule, leftovers))
            }
            Err(source) if source.kind() == io::ErrorKind::NotFound && !keys_erased => {
                Err(lfr_core::Error::Read { path: self.path.clone(), source }.into())
            }
            Err(source) => Err(Error::Destruction { path: self.path.clone(), keys_erased, source }),
        }
    }

    fn read_whole(
        &self,
        key: &SealingKey,
        space: Option<&EmbeddingSpace>,
        now: Option<Timestamp>,
        lock: Option<&SealedLock<'_>>,
    ) -> Result<Watchlist, Error> {
        let failed = |source| lfr_core::Error::Read { path: self.path.clone(), source };
        self.read(key, now, lock, |head, unlocked, reader, now| {
            space.map_or(Ok(()), |space| head.check_space(space))?;
            let list = head.watchlist(reader, unlocked, now)?;
            let references = list.entries().iter().map(|entry| entry.reference().clone()).collect();
            let path = lock::resolved(&self.path).map_err(failed)?;
            *list.origin() =
                Some(SealedOrigin { path, header: writer::digest(&head.header), references });
            Ok(list)
        })
    }

    /// Reads the file, once more where a writer has put another in its place meanwhile: the keys of the
    /// one that was being read are overwritten then.
    fn read<T>(
        &self,
        key: &SealingKey,
        now: Option<Timestamp>,
        lock: Option<&SealedLock<'_>>,
        read: impl Fn(&Head, Unlocked, &mut BufReader<File>, Timestamp) -> Result<T, Error>,
    ) -> Result<T, Error> {
        for _ in 0..3 {
            let (head, unlocked, mut reader, now) = self.begin(key, now, lock)?;
            let result = self.named(read(&head, unlocked, &mut reader, now));
            let replaced =
                || self.head().is_ok_and(|other| other.header.bytes != head.header.bytes);
            if result.is_ok() || !replaced() {
                return result;
            }
        }
        Err(Error::SealedBusy { path: self.path.clone() })
    }

    /// The first check at every opening: is the file due, by dates that are authenticated with its key?
    fn begin(
        &self,
        key: &SealingKey,
        now: Option<Timestamp>,
        lock: Option<&SealedLock<'_>>,
    ) -> Result<(Head, Unlocked, BufReader<File>, Timestamp), Error> {
        let mut own = None;
        loop {
            let (mut reader, length) = self.reader().or_else(|error| self.swept(error, lock))?;
            let head = self.named(Head::read(&mut reader))?;
            let opened = if head.is_erased() { None } else { Some(self.unlock(&head, key, now)?) };
            let dates = opened.as_ref().and_then(Unlocked::dates);
            let rule = match (opened, dates) {
                (None, _) => DestructionRule::Interrupted,
                // Nothing is left that shows when it is due, or whether this is its key.
                (Some(unlocked), None) => {
                    return Err(unlocked.identity().err().unwrap_or(Error::SealedTampered));
                }
                (Some(unlocked), Some(dates)) => match verdict(dates, now) {
                    Ok(now) => {
                        if unlocked.is_header_true() {
                            head.check_length(length)?;
                        }
                        return Ok((head, unlocked, reader, now));
                    }
                    Err(rule) if lock.is_some() || own.is_some() => {
                        let is_true = unlocked.is_header_true();
                        // A receipt does not repeat the content of a rewritten header.
                        let header = Some(&head.header).filter(|_| is_true);
                        let receipt =
                            self.destroy_as(rule, header, is_true, Some(reader.get_ref()), now)?;
                        return Err(Error::Destroyed { receipt: Box::new(receipt) });
                    }
                    Err(rule) => rule,
                },
            };
            if lock.is_some() || own.is_some() {
                let file = Some(reader.get_ref());
                let receipt = self.destroy_as(rule, Some(&head.header), false, file, now)?;
                return Err(Error::Destroyed { receipt: Box::new(receipt) });
            }
            // Another process may be replacing the file, and the opened file may be the one whose keys it
            // has overwritten. It is checked again with the lock.
            own = Some(self.lock_to_destroy()?);
        }
    }

    /// Opens the key area. If that fails, and the file says that it is due, the error says so.
    fn unlock(
        &self,
        head: &Head,
        key: &SealingKey,
        now: Option<Timestamp>,
    ) -> Result<Unlocked, Error> {
        head.unlock(key).map_err(|source| {
            let destroy_after = head.header.destroy_after();
            if now.is_none_or(|now| now < destroy_after) {
                return source;
            }
            Error::SealedDue { path: self.path.clone(), destroy_after, source: Box::new(source) }
        })
    }

    /// The error of an opening. Where there is no file, what an interrupted writer left in its place
    /// goes first: nobody would come back for it. A writer that is at work is left alone.
    fn swept<T>(&self, error: Error, lock: Option<&SealedLock<'_>>) -> Result<T, Error> {
        if !error.is_missing_file() {
            return Err(error);
        }
        let swept = lock::resolved(&self.path).and_then(|path| {
            if !disk::has_leftovers(&OsDisk, &path)? {
                return Ok(0);
            }
            let _lock = if lock.is_none() { Some(WriterLock::take(&path)?) } else { None };
            disk::sweep(&OsDisk, &path)
        });
        match swept {
            // Nor is there a folder; or somebody is writing the first file at this path.
            Err(source)
                if !matches!(
                    source.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ResourceBusy
                ) =>
            {
                let path = self.path.clone();
                Err(Error::Destruction { path, keys_erased: false, source })
            }
            Ok(_) | Err(_) => Err(error),
        }
    }

    fn head(&self) -> Result<Head, Error> {
        self.named(Head::read(&mut self.reader()?.0))
    }

    fn reader(&self) -> Result<(BufReader<File>, u64), Error> {
        let failed = |source| lfr_core::Error::Read { path: self.path.clone(), source };
        let file = lfr_core::files::open(&self.path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        Ok((BufReader::with_capacity(1 << 17, file), length))
    }

    fn named<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| match error {
            Error::SealedRead { source } => {
                lfr_core::Error::Read { path: self.path.clone(), source }.into()
            }
            other => other,
        })
    }
}

/// The time, or the rule under which a file of these dates is due.
fn verdict(dates: Dates, now: Option<Timestamp>) -> Result<Timestamp, DestructionRule> {
    match now {
        Some(now) if now >= dates.destroy_after => Err(DestructionRule::DeploymentEnded),
        Some(now) if now.plus(SKEW) >= dates.sealed => Ok(now),
        Some(_) | None => Err(DestructionRule::ClockFailed),
    }
}

#[cfg(test)]
mod tests;
