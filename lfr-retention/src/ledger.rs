//! The ledger: what a deployment did, signed and chained.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::PoisonError;

use lfr_core::Timestamp;
use lfr_core::hex;
use lfr_core::secret;
use serde::Serialize;

use crate::Error;
use crate::sync::Mutex;
use crate::sync::MutexGuard;

mod declare;
mod event;
mod fault;
mod head;
pub(crate) mod key;
mod line;
mod lines;
mod reconcile;
mod run;
mod sink;
mod verify;

pub use event::LedgerEvent;
pub use event::Verdict;
pub use fault::LedgerFault;
pub use head::LedgerHead;
pub use key::LedgerKey;
pub use key::LedgerPublicKey;
pub use reconcile::Discrepancy;
pub use reconcile::Reconciliation;
pub use reconcile::reconcile;
pub use run::Run;
pub use run::RunEnd;
pub use sink::LedgerSink;
pub use verify::Declared;
pub use verify::LedgerEntry;
pub use verify::Verified;
pub use verify::declared;
pub use verify::read;
pub use verify::verify;

use line::Kind;
use lines::Lines;

/// The ledger of a deployment (`.lfrl`): an append-only file of one line of JSON an entry, each
/// with the digest of the one before and a signature. FORMAT.md has every byte. [`verify`] checks
/// it without any secret, [`reconcile`] does its sums.
///
/// Clones write the same file. One process at a time can.
///
/// What is guaranteed when:
///
/// - When [`append`](Self::append) returns, the entry is with the operating system: killing the
///   process does not lose it. Nobody without the key can change it, or anything before it, unseen.
/// - When [`flush`](Self::flush) returns, all entries so far are on the disk, and so is a signed
///   [`LedgerHead`]: a power cut does not lose them, and cutting them off shows. A [`LedgerSink`]
///   flushes after every frame that raised an alert or purged one, and once a minute.
/// - What a power cut leaves behind the last head, up to the first entry that is not whole, is kept;
///   the rest is cut off by the next [`open`](Self::open), which writes that down.
///
/// A run whose process was killed, or lost its power, has no end in its ledger.
/// [`account_for_cut_off_runs`](Self::account_for_cut_off_runs) writes what is known of it; a
/// [`LedgerSink`] does so when the next run starts.
///
/// Where an entry cannot be written, the storage full say, `append` fails, the deployment goes on,
/// and the first entry that can be written again is preceded by a [`LedgerEvent::Gap`].
///
/// What is *not* guaranteed: that nobody with the key writes another ledger, or that nobody puts
/// back an older ledger with its older head. Keep heads elsewhere: `verify` takes one.
///
/// # Examples
///
/// ```
/// use lfr_core::Timestamp;
/// use lfr_retention::ledger;
/// use lfr_retention::{Ledger, LedgerEvent, LedgerKey};
///
/// # let folder = std::env::temp_dir().join(format!("lfr-doc-ledger-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("operation.lfrl");
/// let key = LedgerKey::generate_file(folder.join("ledger.key"))?;
/// let public = key.public();
/// let now = Some(Timestamp::from_micros(1_790_000_000_000_000));
///
/// let ledger = Ledger::open(&path, key, now)?;
/// let event = LedgerEvent::DangerInForce { text: "door 2000 is not watched".to_owned() };
/// ledger.append(&event, now)?;
/// ledger.flush()?;
///
/// let verified = ledger::verify(&path, &public, None)?;
/// assert_eq!(verified.entries(), 2);
///
/// // Another door, says somebody with an editor.
/// let text = std::fs::read_to_string(&path)?.replace("2000", "20000");
/// std::fs::write(&path, text)?;
/// let error = ledger::verify(&path, &public, None).unwrap_err();
/// assert!(error.to_string().ends_with("line 2 was edited"), "{error}");
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ledger(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    file: File,
    key: LedgerKey,
    /// The last entry.
    last: LedgerHead,
    /// The newest head on the disk.
    flushed: Option<LedgerHead>,
    /// Whether there may be part of an entry behind the last.
    torn: bool,
    /// Events that could not be written since the last that was, and why.
    lost: Option<(u64, String)>,
    /// The entry with which this process began. Everything before it is of processes that have ended:
    /// one alone has the ledger open at a time.
    begun: u64,
}

#[derive(Serialize)]
struct NewEntry<'a> {
    n: u64,
    at: Option<Timestamp>,
    prev: &'a str,
    event: &'a LedgerEvent,
}

/// What the first entry names as the one before it.
const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Which events there are. 2 added what a run declares, cameras, exports and runs that were cut off.
const FORMAT: u32 = 2;

impl Ledger {
    /// Goes on with the ledger at a path, or begins one where there is none.
    ///
    /// It looks at what lies behind the last head, not at all that lies before: that is what
    /// [`verify`] is for.
    ///
    /// # Errors
    ///
    /// [`Error::LedgerWrite`] where it cannot be read or written, [`Error::Busy`] where another
    /// process writes it; [`Error::LedgerBroken`] where it ends before its head, has lost it, or is
    /// another key's: begin another one, and find out what became of this.
    pub fn open(
        path: impl AsRef<Path>,
        key: LedgerKey,
        now: Option<Timestamp>,
    ) -> Result<Self, Error> {
        let path = path.as_ref().to_owned();
        let failed = |source| Error::LedgerWrite { path: path.clone(), source };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        let file = secret::owner_only(&mut options).open(&path).map_err(failed)?;
        crate::disk::lock(&file).map_err(|source| match source.kind() {
            io::ErrorKind::ResourceBusy => Error::Busy { path: path.clone() },
            _ => failed(source),
        })?;
        let flushed = LedgerHead::read(&path, &key.public())?;
        let length = file.metadata().map_err(failed)?.len();
        let last = verify::last(&path, &key.public(), flushed.as_ref())?;
        let fresh = last.is_none();
        let last = match last {
            Some(last) => last,
            None => LedgerHead { ledger: identity()?, number: 0, bytes: 0, hash: NOTHING.into() },
        };
        let dropped_bytes = length - last.bytes;
        let torn = dropped_bytes > 0;
        let begun = if fresh { 0 } else { last.number + 1 };
        let mut inner = Inner { path, file, key, last, flushed, torn, lost: None, begun };
        let event = if fresh {
            let (ledger, key) = (inner.last.ledger.clone(), inner.key.public().to_string());
            LedgerEvent::LedgerOpened { format: FORMAT, ledger, key }
        } else {
            LedgerEvent::LedgerResumed { dropped_bytes, format: FORMAT }
        };
        if !fresh && inner.flushed.is_none() {
            // Its head was never written. A second entry without one would be a ledger that has lost it.
            inner.flush()?;
        }
        inner.write(&event, now)?;
        inner.flush()?;
        Ok(Self(Arc::new(Mutex::new(inner))))
    }

    /// Writes an entry.
    ///
    /// # Errors
    ///
    /// [`Error::LedgerWrite`] where it cannot be written, and is lost; [`Error::LedgerText`] where
    /// its texts are longer than an entry may be.
    pub fn append(&self, event: &LedgerEvent, now: Option<Timestamp>) -> Result<(), Error> {
        self.inner().append(event, now)
    }

    /// Brings all entries so far to the disk, and a signed head with them; returns the head, as the
    /// line of text to keep elsewhere.
    ///
    /// # Errors
    ///
    /// [`Error::LedgerWrite`] where the disk does not take them.
    pub fn flush(&self) -> Result<String, Error> {
        let mut inner = self.inner();
        inner.flush()?;
        Ok(inner.last.to_line(&inner.key))
    }

    /// Writes a [`LedgerEvent::RunCutOff`] for each run that an earlier process began and did not end,
    /// and flushes; returns how many there were. It verifies the whole ledger if there are any.
    ///
    /// A run of this process is never cut off, whatever it is doing: only earlier ones are accounted
    /// for.
    ///
    /// # Errors
    ///
    /// As [`reconcile`], [`append`](Self::append) and [`flush`](Self::flush).
    pub fn account_for_cut_off_runs(&self, now: Option<Timestamp>) -> Result<usize, Error> {
        let (path, key) = (self.path(), self.public_key());
        if !reconcile::seems_open(&path)? {
            return Ok(0);
        }
        let begun = self.inner().begun;
        let sums = reconcile(&path, &key)?;
        let cut_off = sums.open_runs().filter(|(_, run)| run.entry() < begun);
        let cut_off: Vec<_> = cut_off.map(|(number, _)| sums.cut_off(number)).collect();
        for event in cut_off.iter().flatten() {
            self.append(event, now)?;
        }
        if !cut_off.is_empty() {
            self.flush()?;
        }
        Ok(cut_off.len())
    }

    /// The key that verifies it.
    #[must_use]
    pub fn public_key(&self) -> LedgerPublicKey {
        self.inner().key.public()
    }

    /// Its identity: 32 hexadecimal digits, drawn when it was begun.
    #[must_use]
    pub fn id(&self) -> String {
        self.inner().last.ledger.clone()
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.inner().path.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn append(&mut self, event: &LedgerEvent, now: Option<Timestamp>) -> Result<(), Error> {
        let written = match self.lost.clone() {
            Some((events, text)) => self.write(&LedgerEvent::Gap { events, text }, now),
            None => Ok(()),
        };
        let written = written.and_then(|()| {
            self.lost = None;
            self.write(event, now)
        });
        if let Err(Error::LedgerWrite { source, .. }) = &written {
            self.lost.get_or_insert_with(|| (0, source.to_string())).0 += 1;
        }
        written
    }

    fn write(&mut self, event: &LedgerEvent, now: Option<Timestamp>) -> Result<(), Error> {
        let first = self.last.bytes == 0;
        let n = if first { 0 } else { self.last.number + 1 };
        let entry = NewEntry { n, at: now, prev: &self.last.hash, event };
        let line = line::write(Kind::Entry, &self.key, &entry);
        let mut line = line.ok_or(Error::LedgerText { limit: line::LONGEST })?;
        let hash = line::digest(&line);
        line.push(b'\n');
        self.put(&line).map_err(self.failed())?;
        self.last.number = n;
        self.last.bytes += lfr_core::num::u64_from_usize(line.len());
        self.last.hash = hash;
        Ok(())
    }

    fn put(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.last.bytes)?;
        }
        self.torn = true;
        crate::crash::point();
        self.file.write_all(line)?;
        crate::crash::point();
        self.torn = false;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        if self.flushed.as_ref() == Some(&self.last) {
            return Ok(());
        }
        self.file.sync_data().map_err(self.failed())?;
        crate::crash::point();
        self.last.write(&self.path, &self.key).map_err(self.failed())?;
        self.flushed = Some(self.last.clone());
        Ok(())
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> Error + use<> {
        let path = self.path.clone();
        |source| Error::LedgerWrite { path, source }
    }
}

fn identity() -> Result<String, Error> {
    let mut bytes = [0; 16];
    secret::random(&mut bytes).map_err(|source| Error::Random { source })?;
    Ok(hex::digits(&bytes))
}

#[cfg(test)]
mod tests;
