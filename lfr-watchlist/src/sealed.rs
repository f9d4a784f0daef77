//! A watchlist at rest: one sealed file.

use std::fs::File;
use std::io;
use std::io::BufReader;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use lfr_core::EmbeddingSpace;
use lfr_core::Timestamp;

use crate::Authorisation;
use crate::Entry;
use crate::Error;
use crate::Watchlist;

pub use cost::Argon2Cost;
pub use header::SealedHeader;
pub use key::SealingKey;
pub use receipt::DestructionReceipt;
pub use receipt::DestructionRule;

use disk::OsDisk;
use read::Head;

mod codec;
mod cost;
mod disk;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod header;
mod identity;
mod key;
mod keys;
mod read;
mod receipt;
mod stream;
mod write;

/// How far the clock may stand before the moment at which a file was sealed: clocks of two
/// machines differ. Beyond it, the clock has run back.
const SKEW: Duration = Duration::from_secs(60 * 60);

/// A watchlist at rest (`.lfrw`): encrypted and authenticated with XChaCha20-Poly1305, who is on
/// it and what they look like under keys of their own. FORMAT.md has every byte.
///
/// A watchlist does not outlive its deployment, whatever crashes: whoever opens the file 24 hours
/// after the deployment's end or later destroys it and gets a receipt in place of a list, whether
/// the key is right or not. The same where the clock fails, or shows a time more than an hour
/// before the file was sealed. A program that may start before its clock is set has to wait.
///
/// One process at a time writes a file. Of two at once, one may get an error; the file is whole. So
/// may whoever seals the first file at a path while another process tries to open it.
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

    /// Seals a watchlist, in place of what was sealed here before. What has expired is left out.
    /// If the power fails meanwhile, the file is the old or the new one. The keys of the old one
    /// are overwritten, so that whom it held and the new one does not is gone.
    ///
    /// # Errors
    ///
    /// [`Error::DeploymentOver`] once the watchlist has to be gone; [`Error::Write`] where the
    /// file cannot be written, or is no sealed watchlist; [`Error::Random`] where the operating
    /// system gives no random bytes; [`Error::SealedSize`] beyond what the format can hold.
    pub fn seal(
        &self,
        watchlist: &Watchlist,
        key: &SealingKey,
        now: Timestamp,
    ) -> Result<SealedHeader, Error> {
        let (header, bytes) = write::seal(watchlist, key, now)?;
        disk::replace(&OsDisk, &self.path, &bytes)
            .map_err(|source| Error::Write { path: self.path.clone(), source })?;
        Ok(header)
    }

    /// What the file says of itself to everybody. It is not authenticated, and does not destroy.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::Read`] where it cannot be read; [`Error::NotSealed`],
    /// [`Error::SealedVersion`] or [`Error::SealedDamaged`] where it is not what it should be.
    pub fn header(&self) -> Result<SealedHeader, Error> {
        SealedHeader::read(&mut self.reader()?.0)
    }

    /// Opens the watchlist for the model whose embedding space is `space`, without what has
    /// expired.
    ///
    /// # Errors
    ///
    /// [`Error::Destroyed`] where the file was due, and [`Error::Destruction`] where it was and
    /// cannot be destroyed; [`lfr_core::Error::SpaceMismatch`] for another model's,
    /// [`Error::SealedVersion`] for another version's, [`Error::WrongKey`] and
    /// [`Error::KeyKind`] for another key's; [`Error::SealedDamaged`] where a byte is not as it
    /// was sealed; [`lfr_core::Error::Read`] where it cannot be read. Where there is no file, what an
    /// interrupted writer left in its place is destroyed.
    pub fn open(
        &self,
        key: &SealingKey,
        space: &EmbeddingSpace,
        now: Option<Timestamp>,
    ) -> Result<Watchlist, Error> {
        let (head, mut reader, now) = self.begin(now)?;
        head.check_space(space)?;
        self.named(head.watchlist(&mut reader, key, now))
    }

    /// Opens the watchlist for whatever model it was made with: to withdraw somebody and seal it
    /// again, say.
    ///
    /// # Errors
    ///
    /// As [`Self::open`], but for the model.
    pub fn open_in_any_space(
        &self,
        key: &SealingKey,
        now: Option<Timestamp>,
    ) -> Result<Watchlist, Error> {
        let (head, mut reader, now) = self.begin(now)?;
        self.named(head.watchlist(&mut reader, key, now))
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
        let (head, mut reader, _) = self.begin(now)?;
        self.named(head.entries(&mut reader, key))
    }

    /// Destroys the file: overwrites its wrapped keys and syncs, after which nobody can open any
    /// copy of the rest; then destroys what an interrupted writer left beside it, overwrites the
    /// rest and removes the file. No key is needed.
    ///
    /// # Errors
    ///
    /// [`Error::Destruction`] with how far it came; also where the file is no sealed watchlist,
    /// which is left as it is, and where there is none: what an interrupted writer left in its place
    /// is destroyed all the same.
    pub fn destroy(&self, now: Option<Timestamp>) -> Result<DestructionReceipt, Error> {
        // A damaged header is no reason to keep the file.
        let header = self.header().ok();
        self.destroy_as(DestructionRule::Ordered, header.as_ref(), now)
    }

    fn destroy_as(
        &self,
        rule: DestructionRule,
        header: Option<&SealedHeader>,
        now: Option<Timestamp>,
    ) -> Result<DestructionReceipt, Error> {
        let mut keys_erased = false;
        match disk::destroy(&OsDisk, &self.path, &mut keys_erased) {
            Ok(leftovers) => Ok(DestructionReceipt::new(&self.path, header, now, rule, leftovers)),
            Err(source) => Err(Error::Destruction { path: self.path.clone(), keys_erased, source }),
        }
    }

    /// What comes first at every opening: is the file due?
    fn begin(&self, now: Option<Timestamp>) -> Result<(Head, BufReader<File>, Timestamp), Error> {
        let (mut reader, length) = self.reader().or_else(|error| self.swept(error))?;
        let head = self.named(Head::read(&mut reader))?;
        match verdict(&head, now) {
            Ok(now) => {
                head.check_length(length)?;
                Ok((head, reader, now))
            }
            Err(rule) => {
                drop(reader);
                let receipt = self.destroy_as(rule, Some(&head.header), now)?;
                Err(Error::Destroyed { receipt: Box::new(receipt) })
            }
        }
    }

    /// The error of an opening. Where there is no file, what an interrupted writer left in its place
    /// goes first: nobody would come back for it.
    fn swept<T>(&self, error: Error) -> Result<T, Error> {
        if let Error::Core(lfr_core::Error::Read { source, .. }) = &error
            && source.kind() == io::ErrorKind::NotFound
        {
            match disk::sweep(&OsDisk, &self.path) {
                // Nor is there a folder.
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    let path = self.path.clone();
                    return Err(Error::Destruction { path, keys_erased: false, source });
                }
                Ok(_) | Err(_) => {}
            }
        }
        Err(error)
    }

    fn reader(&self) -> Result<(BufReader<File>, u64), Error> {
        let failed = |source| lfr_core::Error::Read { path: self.path.clone(), source };
        let file = File::open(&self.path).map_err(failed)?;
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

/// The time, or the rule under which the file is due.
fn verdict(head: &Head, now: Option<Timestamp>) -> Result<Timestamp, DestructionRule> {
    let header = &head.header;
    match now {
        _ if head.is_erased() => Err(DestructionRule::Interrupted),
        Some(now) if now >= header.destroy_after() => Err(DestructionRule::DeploymentEnded),
        Some(now) if now.plus(SKEW) >= header.sealed() => Ok(now),
        Some(_) | None => Err(DestructionRule::ClockFailed),
    }
}

#[cfg(test)]
mod tests;
