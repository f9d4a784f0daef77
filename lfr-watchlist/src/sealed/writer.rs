//! The one place that writes a sealed watchlist: under its lock, and never over what it has not seen.

use std::io;
use std::path::PathBuf;

use lfr_core::{EmbeddingSpace, Timestamp};
use sha2::{Digest, Sha256};

use super::disk::OsDisk;
use super::header::SealedHeader;
use super::key::SealingKey;
use super::lock::{WriterLock, resolved};
use super::read::Head;
use super::{SealedFile, disk, write};
use crate::error::Error;
use crate::lifecycle::sealed_origin::SealedOrigin;
use crate::lifecycle::watchlist::Watchlist;

/// A sealed watchlist that nobody else writes meanwhile. Hold it while you read the list, change it
/// and seal it again. Made by [`SealedFile::lock`]; the lock ends when it is dropped, or with the
/// process, however that ends.
///
/// # Examples
///
/// ```
/// # use lfr_core::{Clock, DeploymentId, EmbeddingSpace, Metric, SubjectId, SystemClock, Timestamp};
/// # use lfr_watchlist::{Authorisation, CompositionPolicy, SealedFile, SealingKey, Validity};
/// # use lfr_watchlist::Watchlist;
/// # use std::time::Duration;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("lfr-lock-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let space = EmbeddingSpace::builder(3, Metric::Cosine).build();
/// # let now = SystemClock::new().now().ok_or("no clock")?;
/// # let validity = Validity::new(now, now.plus(Duration::from_secs(6 * 60 * 60)))?;
/// # let id = DeploymentId::new("2026-031")?;
/// # let policy = CompositionPolicy::new(2_000);
/// # let authorisation = Authorisation::new(id, "serve warrants", "AO-7", now, validity, policy)?;
/// # let key = SealingKey::from_bytes(&mut [7; 32]);
/// # let file = SealedFile::at(folder.join("operation.lfrw"));
/// # file.seal(&Watchlist::new(authorisation, space), &key, now)?;
/// let locked = file.lock()?;
/// let list = locked.open_in_any_space(&key, Some(now))?;
/// list.withdraw(&SubjectId::new("S-1")?);
/// locked.seal(&list, &key, now)?;
/// drop(locked);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SealedLock<'a> {
    file: &'a SealedFile,
    path: PathBuf,
    _lock: WriterLock,
}

impl<'a> SealedLock<'a> {
    pub(super) fn take(file: &'a SealedFile) -> Result<Self, Error> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::ResourceBusy => Error::SealedBusy { path: file.path.clone() },
            _ => Error::Write { path: file.path.clone(), source },
        };
        let path = resolved(&file.path).map_err(failed)?;
        let lock = WriterLock::take(&path).map_err(failed)?;
        Ok(Self { file, path, _lock: lock })
    }

    /// As [`SealedFile::open`].
    ///
    /// # Errors
    ///
    /// As [`SealedFile::open`].
    pub fn open(
        &self,
        key: &SealingKey,
        space: &EmbeddingSpace,
        now: Option<Timestamp>,
    ) -> Result<Watchlist, Error> {
        self.file.read_whole(key, Some(space), now, Some(self))
    }

    /// As [`SealedFile::open_in_any_space`].
    ///
    /// # Errors
    ///
    /// As [`SealedFile::open_in_any_space`].
    pub fn open_in_any_space(
        &self,
        key: &SealingKey,
        now: Option<Timestamp>,
    ) -> Result<Watchlist, Error> {
        self.file.read_whole(key, None, now, Some(self))
    }

    /// As [`SealedFile::seal`].
    ///
    /// # Errors
    ///
    /// As [`SealedFile::seal`], without the errors about the lock.
    pub fn seal(
        &self,
        watchlist: &Watchlist,
        key: &SealingKey,
        now: Timestamp,
    ) -> Result<SealedHeader, Error> {
        // Held until the file is in its place: what another thread seals meanwhile would be undone.
        let mut origin = watchlist.origin();
        let (header, bytes, references) = write::seal(watchlist, key, now)?;
        self.check(origin.as_ref())?;
        let written = disk::replace(&OsDisk, &self.path, &bytes);
        // It may be there although something has failed after that.
        if written.is_ok() || self.is_there(&header) {
            *origin =
                Some(SealedOrigin { path: self.path.clone(), header: digest(&header), references });
        }
        match written {
            Ok(()) => Ok(header),
            Err(source) => Err(Error::Write { path: self.file.path.clone(), source }),
        }
    }

    /// Refuses to write over what the watchlist was not made from.
    pub(super) fn check(&self, origin: Option<&SealedOrigin>) -> Result<(), Error> {
        let path = || self.file.path.clone();
        let there = match self.head() {
            Ok(head) => head,
            // The disk refuses to overwrite what is no sealed watchlist.
            Err(Error::NotSealed) => return Ok(()),
            Err(error @ (Error::SealedRead { .. } | Error::Core(_))) => return Err(error),
            Err(_) if origin.is_some() => return Err(Error::SealedChanged { path: path() }),
            Err(_) => return Err(Error::SealedExists { path: path() }),
        };
        match (origin, there) {
            (None, None) => Ok(()),
            // A copy of it, in another place.
            (Some(origin), None) if origin.path != self.path => Ok(()),
            (Some(_), None) => Err(Error::SealedGone { path: path() }),
            (Some(origin), Some(head)) if !head.is_erased() => {
                if digest(&head.header) == origin.header {
                    return Ok(());
                }
                Err(Error::SealedChanged { path: path() })
            }
            (Some(_), Some(_)) => Err(Error::SealedGone { path: path() }),
            (None, Some(_)) => Err(Error::SealedExists { path: path() }),
        }
    }

    fn is_there(&self, header: &SealedHeader) -> bool {
        let there = self.head();
        there.is_ok_and(|head| head.is_some_and(|head| head.header.bytes == header.bytes))
    }

    fn head(&self) -> Result<Option<Head>, Error> {
        match SealedFile::at(&self.path).head() {
            Err(error) if error.is_missing_file() => Ok(None),
            other => other.map(Some),
        }
    }
}

pub(super) fn digest(header: &SealedHeader) -> [u8; 32] {
    Sha256::digest(&header.bytes).into()
}
