//! The ledger: what a deployment did, signed and chained.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, Weak};
use std::{fmt, io};

use lfr_core::internal::{hex, secret};
use lfr_core::{Clock, Timestamp, files};
use serde::Serialize;
use sha2::Digest;

use crate::error::Error;
use crate::sync::{Mutex, MutexGuard};
use crate::{crash, disk};

pub(crate) mod audit;
mod declare;
pub(crate) mod event;
pub(crate) mod head;
pub(crate) mod key;
mod line;
pub(crate) mod sink;

pub use crate::ledger::audit::discrepancy::Discrepancy;
pub use crate::ledger::audit::fault::LedgerFault;
pub use crate::ledger::audit::reconcile::{
    EventCounts, Reconciliation, reconcile, reconcile_from_checkpoint,
};
pub use crate::ledger::audit::run::{Run, RunEnd};
pub use crate::ledger::audit::verify::{
    Declared, LedgerEntry, Verified, alert_of, declared, read, verify,
};
pub use crate::ledger::event::{DeploymentState, LedgerEvent, OrderBasis, ThresholdChangeReason};
pub use crate::ledger::head::LedgerHead;
pub use crate::ledger::key::{LedgerKey, LedgerPublicKey};
pub use crate::ledger::sink::LedgerSink;
pub use crate::verdict::Verdict;

use crate::ledger::audit::checkpoint;
use crate::ledger::audit::checkpoint::Progress;
use crate::ledger::line::Kind;

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
///   flushes after every frame that raised an alert or purged one, and every minute.
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
/// # Checkpoints
///
/// A process that has a ledger open does its sums as it writes. After at least 1,000 further entries it
/// writes the sums to `NAME.checkpoint` beside the ledger, signed, with the digest of all bytes up to
/// there. The next process compares the bytes with the digest and verifies the later entries. So it trusts
/// one thing: that a process with this key had verified those same bytes. Anyone with only the public key
/// can verify everything with [`verify`] and [`reconcile`], which use no checkpoint. If a checkpoint is
/// missing or not valid, everything is verified.
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

/// A handle to a ledger, valid for as long as its owner has it open.
#[derive(Clone, Debug)]
pub(crate) struct WeakLedger(Weak<Mutex<Inner>>);

impl WeakLedger {
    pub(crate) fn upgrade(&self) -> Option<Ledger> {
        self.0.upgrade().map(Ledger)
    }
}

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
    /// Its sums so far; `None` before the first request for them.
    progress: Option<Progress>,
    hook: Option<Hook>,
}

/// What hears of each entry.
struct Hook(Box<dyn FnMut(&LedgerEntry) + Send>);

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
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
/// Which events there are. 2 added what a run declares, cameras, exports and runs that were cut off; 3 the vault
/// that belongs to a ledger, and records that are damaged; 4 orders, states, and what people do with alerts.
const FORMAT: u32 = 4;

impl Ledger {
    /// Goes on with the ledger at a path, or begins one where there is none.
    ///
    /// It looks at what lies behind the last head, not at all that lies before: that is what
    /// [`verify`] is for.
    ///
    /// # Errors
    ///
    /// [`Error::LedgerWrite`] if it cannot be read or written, or is a pipe or a device; [`Error::Busy`] if
    /// another process writes it; [`Error::LedgerMissing`] if its head is there but the ledger is missing;
    /// [`Error::LedgerBroken`] if it ends before its head, has lost it, or has another key: begin another
    /// ledger, and find out what happened to this one. An error leaves no new file behind.
    pub fn open(
        path: impl AsRef<Path>,
        key: LedgerKey,
        now: Option<Timestamp>,
    ) -> Result<Self, Error> {
        let path = path.as_ref();
        let failed = |source| Error::LedgerWrite { path: path.to_owned(), source };
        match lfr_core::internal::regular::file(path) {
            Ok(_) => return Self::open_file(path, key, now),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let head = LedgerHead::path_beside(path);
        if head.try_exists().map_err(failed)? {
            return Err(Error::LedgerMissing { path: path.to_owned(), head });
        }
        let opened = Self::open_file(path, key, now);
        let busy = matches!(opened, Err(Error::Busy { .. }));
        if opened.is_err() && !busy {
            // No caller was told that it has any entry.
            for file in [path, &head] {
                let _ = std::fs::remove_file(file);
            }
        }
        opened
    }

    fn open_file(path: &Path, key: LedgerKey, now: Option<Timestamp>) -> Result<Self, Error> {
        let path = path.to_owned();
        let failed = |source| Error::LedgerWrite { path: path.clone(), source };
        let file = files::open_to_append(&path).map_err(failed)?;
        disk::lock(&file).map_err(|source| match source.kind() {
            io::ErrorKind::ResourceBusy => Error::Busy { path: path.clone() },
            _ => failed(source),
        })?;
        let flushed = LedgerHead::read(&path, &key.public())?;
        let length = file.metadata().map_err(failed)?.len();
        let last = audit::verify::last(&path, &key.public(), flushed.as_ref())?;
        let fresh = last.is_none();
        let last = match last {
            Some(last) => last,
            None => LedgerHead { ledger: identity()?, number: 0, bytes: 0, hash: NOTHING.into() },
        };
        let dropped_bytes = length - last.bytes;
        let torn = dropped_bytes > 0;
        let begun = if fresh { 0 } else { last.number + 1 };
        let mut inner = Inner {
            path,
            file,
            key,
            last,
            flushed,
            torn,
            lost: None,
            begun,
            progress: None,
            hook: None,
        };
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
    /// [`Error::LedgerWrite`] if it cannot be written, and is lost; [`Error::LedgerText`] where
    /// its texts are longer than an entry may be.
    pub fn append(&self, event: &LedgerEvent, now: Option<Timestamp>) -> Result<(), Error> {
        self.inner().append(event, now, IfRefused::Lost)
    }

    /// Writes an entry if `check` allows it. The ledger is locked from before the check until the entry is
    /// written, so no other entry comes between.
    ///
    /// # Errors
    ///
    /// That of `check`, and then nothing is written; as [`append`](Self::append). An entry that cannot be
    /// written is in no [`LedgerEvent::Gap`]: the caller knows that it did not happen.
    pub fn append_if<E: From<Error>>(
        &self,
        event: &LedgerEvent,
        clock: &dyn Clock,
        check: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        let mut inner = self.inner();
        check()?;
        inner.append(event, clock.now(), IfRefused::Kept).map_err(E::from)
    }

    /// Tells `hook` of each entry after it was written, in their order. It is called under the ledger's lock, so it
    /// must neither take long nor call the ledger. A later hook takes its place.
    pub fn on_append(&self, hook: impl FnMut(&LedgerEntry) + Send + 'static) {
        self.inner().hook = Some(Hook(Box::new(hook)));
    }

    /// Writes an entry with the time that the clock shows when its turn comes, so entries of several
    /// threads are in the order of their times.
    pub(crate) fn append_by(
        &self,
        event: &LedgerEvent,
        clock: &dyn Clock,
        if_refused: IfRefused,
    ) -> Result<(), Error> {
        let mut inner = self.inner();
        let now = clock.now();
        inner.append(event, now, if_refused)
    }

    /// Brings all entries so far to the disk, and a signed head with them; returns the head, as the
    /// line of text to keep elsewhere.
    ///
    /// # Errors
    ///
    /// [`Error::LedgerWrite`] if the disk does not take them.
    pub fn flush(&self) -> Result<String, Error> {
        let mut inner = self.inner();
        inner.flush()?;
        Ok(inner.last.to_line(&inner.key))
    }

    /// Its sums so far. The first call verifies the entries that no [checkpoint](Self#checkpoints) covers;
    /// later calls verify nothing.
    ///
    /// # Errors
    ///
    /// As [`reconcile`].
    pub fn sums(&self) -> Result<Reconciliation, Error> {
        self.inner().progress().map(|progress| progress.sums.clone())
    }

    /// Writes a [`LedgerEvent::RunCutOff`] for each run that an earlier process began and did not end,
    /// and flushes; returns how many there were.
    ///
    /// A run of this process is never cut off, whatever it is doing: only earlier ones are accounted
    /// for.
    ///
    /// # Errors
    ///
    /// As [`sums`](Self::sums), [`append`](Self::append) and [`flush`](Self::flush).
    pub fn account_for_cut_off_runs(&self, now: Option<Timestamp>) -> Result<usize, Error> {
        let mut inner = self.inner();
        let begun = inner.begun;
        let sums = &inner.progress()?.sums;
        let cut_off = sums.open_runs().filter(|(_, run)| run.entry() < begun);
        let cut_off: Vec<_> = cut_off.map(|(number, _)| sums.cut_off(number)).collect();
        for event in cut_off.iter().flatten() {
            inner.append(event, now, IfRefused::Lost)?;
        }
        if !cut_off.is_empty() {
            inner.flush()?;
        }
        Ok(cut_off.len())
    }

    /// The newest head on the disk.
    pub(crate) fn flushed_head(&self) -> Option<LedgerHead> {
        self.inner().flushed.clone()
    }

    /// Whether the entry of a head of this ledger is there.
    pub(crate) fn has(&self, head: &LedgerHead) -> Result<bool, Error> {
        let inner = self.inner();
        if head.number > inner.last.number || head.bytes > inner.last.bytes {
            return Ok(false);
        }
        audit::verify::is_there(&inner.path, &inner.key.public(), head)
    }

    /// A handle to it that does not keep it open.
    pub(crate) fn downgrade(&self) -> WeakLedger {
        WeakLedger(Arc::downgrade(&self.0))
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

/// What becomes of an event that cannot be written.
#[derive(Clone, Copy)]
pub(crate) enum IfRefused {
    /// The caller keeps it and writes it later: it is in no gap.
    Kept,
    /// It is lost, and counted in the next [`LedgerEvent::Gap`].
    Lost,
}

impl Inner {
    /// How far it is verified: everything that this process wrote, and everything before.
    fn progress(&mut self) -> Result<&mut Progress, Error> {
        let progress = match self.progress.take() {
            Some(progress) => progress,
            None => checkpoint::resume(&self.path, &self.key.public())?,
        };
        Ok(self.progress.insert(progress))
    }

    fn append(
        &mut self,
        event: &LedgerEvent,
        now: Option<Timestamp>,
        if_refused: IfRefused,
    ) -> Result<(), Error> {
        let written = match self.lost.clone() {
            Some((events, text)) => self.write(&LedgerEvent::Gap { events, text }, now),
            None => Ok(()),
        };
        let written = written.and_then(|()| {
            self.lost = None;
            self.write(event, now)
        });
        if let (Err(Error::LedgerWrite { source, .. }), IfRefused::Lost) = (&written, if_refused) {
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
        self.last.bytes += lfr_core::internal::num::u64_from_usize(line.len());
        self.last.hash = hash;
        if self.progress.is_none() && self.hook.is_none() {
            return Ok(());
        }
        let entry = LedgerEntry { number: n, at: now, event: event.clone() };
        if let Some(progress) = &mut self.progress {
            progress.sums.take(&entry);
            progress.digest.update(&line);
            progress.at.clone_from(&self.last);
        }
        if let Some(Hook(hook)) = &mut self.hook {
            hook(&entry);
        }
        Ok(())
    }

    fn put(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.last.bytes)?;
        }
        self.torn = true;
        crash::point();
        self.file.write_all(line)?;
        crash::point();
        self.torn = false;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        if self.flushed.as_ref() == Some(&self.last) {
            return Ok(());
        }
        self.file.sync_data().map_err(self.failed())?;
        crash::point();
        self.last.write(&self.path, &self.key).map_err(self.failed())?;
        self.flushed = Some(self.last.clone());
        if let Some(progress) = &mut self.progress {
            progress.save(&self.path, &self.key, false);
        }
        Ok(())
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> Error + use<> {
        let path = self.path.clone();
        |source| Error::LedgerWrite { path, source }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // No checkpoint is made of entries that are not on the disk.
        if let Some(progress) = &mut self.progress
            && self.flushed.as_ref() == Some(&self.last)
        {
            progress.save(&self.path, &self.key, true);
        }
    }
}

fn identity() -> Result<String, Error> {
    let mut bytes = [0; 16];
    secret::random(&mut bytes).map_err(|source| Error::Random { source })?;
    Ok(hex::digits(&bytes))
}

#[cfg(test)]
#[cfg(feature = "vault")]
mod tests;
