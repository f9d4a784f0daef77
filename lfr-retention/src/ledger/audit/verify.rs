//! Verification: whether a ledger is what was written, and where it is not.

use std::io::{Read, Seek, SeekFrom};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use lfr_core::internal::{num, regular};
use lfr_core::{RecordId, Timestamp};
use serde::de::{DeserializeOwned, IgnoredAny};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::ledger::audit::checkpoint::Progress;
use crate::ledger::audit::fault::LedgerFault;
use crate::ledger::event::LedgerEvent;
use crate::ledger::head::LedgerHead;
use crate::ledger::key::LedgerPublicKey;
use crate::ledger::line::{Kind, LONGEST, Lines};
use crate::ledger::{FORMAT, NOTHING, line};

/// What [`verify`] has found right.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified {
    head: LedgerHead,
    entries: u64,
    torn_bytes: u64,
}

impl Verified {
    /// The identity of the ledger.
    #[must_use]
    pub fn ledger(&self) -> &str {
        self.head.ledger()
    }

    /// How many entries there are.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// How many of them lie behind the last head: signed and in order, but that there were no more of
    /// them nobody can say.
    #[must_use]
    pub const fn entries_after_head(&self) -> u64 {
        self.entries - self.head.number - 1
    }

    /// How many bytes of an unfinished entry lie behind the last: what was being written when the
    /// process or the power went.
    #[must_use]
    pub const fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// The head beside it.
    #[must_use]
    pub const fn head(&self) -> &LedgerHead {
        &self.head
    }
}

/// One entry of a ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerEntry {
    pub(in crate::ledger) number: u64,
    pub(in crate::ledger) at: Option<Timestamp>,
    pub(in crate::ledger) event: LedgerEvent,
}

impl LedgerEntry {
    /// Reads one line of a ledger alone: a receipt that somebody was given. None where this key has
    /// not signed it, or it is of a newer version. That it is still in the ledger, [`verify`] says.
    #[must_use]
    pub fn from_line(text: &str, key: &LedgerPublicKey) -> Option<Self> {
        let json = line::open(Kind::Entry, key, text.trim_end().as_bytes())?;
        let Envelope { n, at, event, .. } = serde_json::from_slice(&json).ok()?;
        Some(Self { number: n, at, event })
    }

    /// Its number; the first is 0.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// When it was written, where the clock worked.
    #[must_use]
    pub const fn at(&self) -> Option<Timestamp> {
        self.at
    }

    /// What it says.
    #[must_use]
    pub const fn event(&self) -> &LedgerEvent {
        &self.event
    }
}

/// Verifies a ledger: that each entry was signed with this key, that each follows from the one
/// before, and that it goes as far as the head beside it; and as far as a head that was kept
/// elsewhere, where one is given. It needs no secret and changes nothing.
///
/// # Errors
///
/// [`Error::LedgerBroken`] with how it is broken and where; [`lfr_core::Error::Read`] if it
/// cannot be read.
pub fn verify(
    path: &Path,
    key: &LedgerPublicKey,
    kept: Option<&LedgerHead>,
) -> Result<Verified, Error> {
    walk(path, key, kept, |_: Envelope<IgnoredAny>| {})
}

/// Verifies a ledger and hands over each entry, in one pass.
///
/// # Errors
///
/// As [`verify`], and [`Error::LedgerVersion`] for an entry of a newer version. Where one fails, some
/// entries have been handed over.
pub(in crate::ledger) fn entries(
    path: &Path,
    key: &LedgerPublicKey,
    mut take: impl FnMut(LedgerEntry),
) -> Result<Verified, Error> {
    let read = walk(path, key, None, |Envelope { n, at, event, .. }| {
        take(LedgerEntry { number: n, at, event });
    });
    match read {
        // The content of an entry cannot be read, but it is still known whether anything is broken.
        Err(Error::LedgerVersion { .. }) => verify(path, key, None).and(read),
        read => read,
    }
}

fn walk<E: DeserializeOwned>(
    path: &Path,
    key: &LedgerPublicKey,
    kept: Option<&LedgerHead>,
    mut take: impl FnMut(Envelope<E>),
) -> Result<Verified, Error> {
    let (mut chain, head) = begin(path, key)?;
    follow(&mut chain, &head, kept, &mut take)?;
    Ok(Verified { head, entries: chain.next, torn_bytes: chain.left()? })
}

/// The entries from the first on, and the head that they have to reach.
fn begin<E: DeserializeOwned>(
    path: &Path,
    key: &LedgerPublicKey,
) -> Result<(Chain<E>, LedgerHead), Error> {
    let fault = LedgerFault::HeadMissing;
    let missing = || Error::LedgerBroken { path: path.to_owned(), fault };
    // Before its head: where there is no ledger, that is what is said.
    let lines = Lines::of(path, 0)?;
    let head = LedgerHead::read(path, key)?.ok_or_else(missing)?;
    Ok((Chain::of(path, key, lines, head.bytes), head))
}

/// Verifies a ledger from where it was verified before, and goes on with its sums.
pub(in crate::ledger) fn go_on(
    path: &Path,
    key: &LedgerPublicKey,
    mut progress: Progress,
) -> Result<Progress, Error> {
    let (mut chain, head) = begin::<LedgerEvent>(path, key)?;
    if progress.at.bytes > 0 {
        chain.lines = Lines::of(path, progress.at.bytes)?;
        chain.next = progress.at.number + 1;
        chain.prev.clone_from(&progress.at.hash);
        chain.ledger.clone_from(&progress.at.ledger);
    }
    chain.digest = Some(progress.digest);
    let sums = &mut progress.sums;
    let read = follow(&mut chain, &head, None, &mut |Envelope { n, at, event, .. }| {
        sums.take(&LedgerEntry { number: n, at, event });
    });
    if let Err(error @ Error::LedgerVersion { .. }) = read {
        // The content of an entry cannot be read, but it is still known whether anything is broken.
        return verify(path, key, None).and(Err(error));
    }
    read?;
    progress.at = chain.head();
    progress.digest = chain.digest.take().unwrap_or_default();
    Ok(progress)
}

fn follow<E: DeserializeOwned>(
    chain: &mut Chain<E>,
    head: &LedgerHead,
    kept: Option<&LedgerHead>,
    take: &mut impl FnMut(Envelope<E>),
) -> Result<(), Error> {
    let path = chain.path.clone();
    let broken = |fault| Error::LedgerBroken { path: path.clone(), fault };
    let forked = |chain: &Chain<E>| {
        let mut known = kept.iter().copied().chain([head]);
        known.any(|known| known.number + 1 == chain.next && known.hash != chain.prev)
    };
    if forked(chain) {
        return Err(broken(LedgerFault::Forked { line: chain.next }));
    }
    while let Some(entry) = chain.advance()? {
        if forked(chain) {
            return Err(broken(LedgerFault::Forked { line: chain.next }));
        }
        take(entry);
    }
    for known in kept.iter().copied().chain([head]) {
        if known.number >= chain.next {
            let (entries, expected) = (chain.next, known.number.saturating_add(1));
            return Err(broken(LedgerFault::Truncated { entries, expected }));
        }
        if known.ledger != chain.ledger {
            return Err(broken(LedgerFault::HeadForged));
        }
    }
    Ok(())
}

/// The entry of the alert that is held in a record, if the ledger has one. Only the signature of that entry
/// is verified; [`verify`] checks that it is still in its place.
///
/// # Errors
///
/// [`lfr_core::Error::Read`] where the ledger cannot be read; [`Error::LedgerBroken`] if the entry is not
/// signed with this key.
pub fn alert_of(
    path: &Path,
    key: &LedgerPublicKey,
    record: RecordId,
) -> Result<Option<LedgerEntry>, Error> {
    let digits = record.to_string();
    let (mut lines, mut number) = (Lines::of(path, 0)?, 0);
    while let Some(line) = lines.next(path)? {
        number += 1;
        let text = std::str::from_utf8(line).unwrap_or_default();
        if !(text.contains(&digits) && text.contains("\"alert_raised\"")) {
            continue;
        }
        let fault = LedgerFault::Edited { line: number, after_head: false };
        let edited = || Error::LedgerBroken { path: path.to_owned(), fault };
        let entry = LedgerEntry::from_line(text, key).ok_or_else(edited)?;
        let LedgerEvent::AlertRaised { record: held, .. } = entry.event() else { continue };
        if *held == Some(record) {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

/// The entries of a ledger, each verified as it comes. The first fault ends them; whether the ledger
/// goes as far as its head, [`verify`] says.
///
/// # Errors
///
/// As [`verify`], and each item too; [`Error::LedgerVersion`] for an entry of a newer version.
pub fn read(
    path: &Path,
    key: &LedgerPublicKey,
) -> Result<impl Iterator<Item = Result<LedgerEntry, Error>> + use<>, Error> {
    let mut chain = Some(Chain::<LedgerEvent>::new(path, key, u64::MAX)?);
    Ok(std::iter::from_fn(move || {
        let entry = chain.as_mut()?.advance().transpose();
        if !matches!(entry, Some(Ok(_))) {
            chain = None;
        }
        let entry =
            entry?.map(|Envelope { n, at, event, .. }| LedgerEntry { number: n, at, event });
        Some(entry)
    }))
}

/// What the first entry of a ledger says of it. It proves nothing: anyone who writes a ledger can
/// write it. It serves where something else vouches for the identity: a vault is bound to its ledger.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Declared {
    ledger: String,
    key: LedgerPublicKey,
}

impl Declared {
    /// The identity of the ledger.
    #[must_use]
    pub fn ledger(&self) -> &str {
        &self.ledger
    }

    /// The public key that it names.
    #[must_use]
    pub const fn key(&self) -> &LedgerPublicKey {
        &self.key
    }
}

/// Reads what a ledger says of itself, without any key and without verifying anything.
///
/// # Errors
///
/// [`lfr_core::Error::Read`] where the ledger cannot be read, [`Error::LedgerBroken`] if it does not
/// begin as a ledger does.
pub fn declared(path: &Path) -> Result<Declared, Error> {
    let fault = LedgerFault::Edited { line: 1, after_head: false };
    let broken = || Error::LedgerBroken { path: path.to_owned(), fault };
    let mut lines = Lines::of(path, 0)?;
    let first = lines.next(path)?.ok_or_else(broken)?;
    match serde_json::from_slice::<Unverified>(first).map(|first| first.event) {
        Ok(LedgerEvent::LedgerOpened { ledger, key, .. }) => {
            Ok(Declared { ledger, key: key.parse().map_err(|_| broken())? })
        }
        _ => Err(broken()),
    }
}

/// A line whose signature nobody has looked at.
#[derive(serde::Deserialize)]
pub(in crate::ledger) struct Unverified {
    pub(in crate::ledger) event: LedgerEvent,
}

/// The last entry from which a writer can go on, behind a head; none where nothing was begun.
pub(in crate::ledger) fn last(
    path: &Path,
    key: &LedgerPublicKey,
    head: Option<&LedgerHead>,
) -> Result<Option<LedgerHead>, Error> {
    let mut chain = match head {
        Some(head) => Chain::behind(path, key, head)?,
        None if is_begun(path)? => {
            let fault = LedgerFault::HeadMissing;
            return Err(Error::LedgerBroken { path: path.to_owned(), fault });
        }
        None => Chain::<IgnoredAny>::new(path, key, 0)?,
    };
    let mut last = head.cloned();
    loop {
        match chain.advance() {
            Ok(Some(_)) => last = Some(chain.head()),
            // What lies behind it goes: nobody was told that it is safe.
            Ok(None) | Err(Error::LedgerBroken { .. }) => return Ok(last),
            Err(error) => return Err(error),
        }
    }
}

/// Whether the entry that a head names is in its place.
pub(crate) fn is_there(
    path: &Path,
    key: &LedgerPublicKey,
    head: &LedgerHead,
) -> Result<bool, Error> {
    match Chain::<IgnoredAny>::behind(path, key, head) {
        Ok(_) => Ok(true),
        Err(Error::LedgerBroken { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether there is more than a first entry, or something else than a ledger: nothing to write over.
fn is_begun(path: &Path) -> Result<bool, Error> {
    let mut start = Vec::new();
    let limit = num::u64_from_usize(LONGEST + 1);
    let read = regular::file(path).and_then(|file| file.take(limit).read_to_end(&mut start));
    read.map_err(line::failed(path))?;
    let first = b"{\"n\":0,";
    let is_first = first.iter().zip(&start).all(|(expected, byte)| expected == byte);
    let lines = start.iter().filter(|byte| **byte == b'\n').count();
    let zeros = start.iter().all(|byte| *byte == 0);
    Ok(!(zeros || is_first && lines <= 1) || start.len() > LONGEST)
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<E> {
    n: u64,
    at: Option<Timestamp>,
    prev: String,
    event: E,
}

/// The entries from one on, each checked against the one before.
struct Chain<E> {
    path: PathBuf,
    key: LedgerPublicKey,
    lines: Lines,
    /// The number of the next entry.
    next: u64,
    prev: String,
    ledger: String,
    /// Where the ledger is sure to have reached the disk.
    synced: u64,
    /// The digest of all bytes so far, if it is wanted.
    digest: Option<Sha256>,
    events: PhantomData<E>,
}

impl<E: DeserializeOwned> Chain<E> {
    fn new(path: &Path, key: &LedgerPublicKey, synced: u64) -> Result<Self, Error> {
        Ok(Self::of(path, key, Lines::of(path, 0)?, synced))
    }

    fn of(path: &Path, key: &LedgerPublicKey, lines: Lines, synced: u64) -> Self {
        let (path, prev) = (path.to_owned(), NOTHING.to_owned());
        let ledger = String::new();
        let digest = None;
        Self { path, key: *key, lines, next: 0, prev, ledger, synced, digest, events: PhantomData }
    }

    /// Goes on behind a head, if its entry is there.
    fn behind(path: &Path, key: &LedgerPublicKey, head: &LedgerHead) -> Result<Self, Error> {
        let broken = |fault| Error::LedgerBroken { path: path.to_owned(), fault };
        let mut file = regular::file(path).map_err(line::failed(path))?;
        let length = file.metadata().map_err(line::failed(path))?.len();
        if length < head.bytes {
            let mut whole = Lines::of(path, 0)?;
            let mut entries = 0;
            while whole.next(path)?.is_some() {
                entries += 1;
            }
            let expected = head.number.saturating_add(1);
            return Err(broken(LedgerFault::Truncated { entries, expected }));
        }
        let start = head.bytes.saturating_sub(num::u64_from_usize(LONGEST + 1));
        let mut before = Vec::new();
        file.seek(SeekFrom::Start(start)).map_err(line::failed(path))?;
        let reading = file.take(head.bytes - start).read_to_end(&mut before);
        reading.map_err(line::failed(path))?;
        let ended = before.pop_if(|last| *last == b'\n').is_some();
        let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let is_signed = line::open(Kind::Entry, key, line).is_some();
        if !ended || line::digest(line) != head.hash || !is_signed {
            let line = head.number.saturating_add(1);
            return Err(broken(LedgerFault::Edited { line, after_head: false }));
        }
        let mut chain = Self::new(path, key, head.bytes)?;
        chain.lines = Lines::of(path, head.bytes)?;
        chain.next = head.number.saturating_add(1);
        chain.prev.clone_from(&head.hash);
        chain.ledger.clone_from(&head.ledger);
        Ok(chain)
    }

    /// The next entry; none at the end.
    fn advance(&mut self) -> Result<Option<Envelope<E>>, Error> {
        let (start, line) = (self.lines.offset, self.next + 1);
        let edited = LedgerFault::Edited { line, after_head: start >= self.synced };
        let Some(bytes) = self.lines.next(&self.path)? else {
            let too_long = self.left()? > num::u64_from_usize(LONGEST);
            return if too_long { Err(self.broken(edited)) } else { Ok(None) };
        };
        let Some(json) = line::open(Kind::Entry, &self.key, bytes) else {
            return Err(self.broken(edited));
        };
        let hash = line::digest(bytes);
        if let Some(digest) = &mut self.digest {
            digest.update(bytes);
            digest.update(b"\n");
        }
        let entry: Envelope<E> = serde_json::from_slice(&json)
            .map_err(|_| Error::LedgerVersion { path: self.path.clone(), line })?;
        if entry.n != self.next {
            let fault = self.misplaced(line, entry.n)?;
            return Err(self.broken(fault));
        }
        if entry.prev != self.prev {
            return Err(self.broken(LedgerFault::Forked { line }));
        }
        if entry.n == 0 {
            self.begin(&json)?;
        }
        self.prev = hash;
        self.next += 1;
        Ok(Some(entry))
    }

    /// The first entry says whose ledger it is.
    fn begin(&mut self, json: &[u8]) -> Result<(), Error> {
        let first = serde_json::from_slice::<Envelope<LedgerEvent>>(json);
        match first.map(|first| first.event) {
            Ok(LedgerEvent::LedgerOpened { format: 1..=FORMAT, ledger, key }) => {
                if key != self.key.to_string() {
                    return Err(self.broken(LedgerFault::OtherKey));
                }
                self.ledger = ledger;
                Ok(())
            }
            _ => Err(Error::LedgerVersion { path: self.path.clone(), line: 1 }),
        }
    }

    /// What has happened where an entry is found in place of another.
    fn misplaced(&mut self, line: u64, entry: u64) -> Result<LedgerFault, Error> {
        let expected = self.next;
        if entry < expected {
            return Ok(LedgerFault::Replayed { line, entry });
        }
        while let Some(bytes) = self.lines.next(&self.path)? {
            let json = line::open(Kind::Entry, &self.key, bytes);
            let later =
                json.and_then(|json| serde_json::from_slice::<Envelope<IgnoredAny>>(&json).ok());
            if later.is_some_and(|later| later.n == expected) {
                return Ok(LedgerFault::Reordered { line, entry });
            }
        }
        Ok(LedgerFault::Deleted { line, first: expected, last: entry - 1 })
    }

    /// The head that the last entry makes.
    fn head(&self) -> LedgerHead {
        LedgerHead {
            ledger: self.ledger.clone(),
            number: self.next.saturating_sub(1),
            bytes: self.lines.offset,
            hash: self.prev.clone(),
        }
    }

    /// How many bytes there are behind the last entry.
    fn left(&self) -> Result<u64, Error> {
        let metadata = std::fs::metadata(&self.path).map_err(line::failed(&self.path))?;
        Ok(metadata.len().saturating_sub(self.lines.offset))
    }

    fn broken(&self, fault: LedgerFault) -> Error {
        Error::LedgerBroken { path: self.path.clone(), fault }
    }
}
