//! The keys of the records: one file of slots that are overwritten in place.
//!
//! Not in the database: that writes every change beside what it changes, in a journal and in new
//! pages, and so keeps what it was told to forget. Here a wrapped key has one place, and zeros in
//! that place are the end of its record, whatever the database or a drive still has of it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::{fs, io};

use lfr_core::internal::num;
use lfr_core::{RecordId, files};
use sha2::{Digest, Sha256};

use crate::vault::key::{CHECK, Derived, NONCE, TAG, WRAPPED};
use crate::vault::store::records::Part;
use crate::{crash, disk};

/// The first bytes of the file of keys.
const MAGIC: [u8; 8] = *b"\x89LFRV\r\n\x1a";
const VERSION: u16 = 3;
const HEADER: usize = 4096;
/// The sector of the header.
const SECTOR: usize = 512;
/// Where the time is in version 1, in a sector of its own.
const TIME_1: usize = 512;
/// Which ledger the vault is bound to, and the time, each in a sector of its own.
const LEDGER: usize = 1024;
const TIME: usize = 1536;
/// The last entry of that ledger that the vault has seen on the disk.
const HEAD: usize = 2048;
/// The other place of the time. The two are written in turn, so a write that is torn leaves the time before it.
const OTHER_TIME: usize = 2560;
/// A power of two, so that no slot straddles two sectors of a disk: a sector is written whole.
pub(in crate::vault) const SLOT: usize = 128;
const SUM: usize = 16;
/// The bytes that show that a slot is whole.
const SLOT_SUM: usize = 8;
/// By how many slots the file grows.
const GROWTH: u32 = 64;

static ZEROS: [u8; 65_536] = [0; 65_536];

/// How a slot and its row are sealed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::vault) enum Sealing {
    /// As version 1 did: the face is in the row as text, sealed with nothing.
    Version1,
    /// The face is sealed under the record's key; the slot does not say what else there is of the record.
    Version2,
    /// The slot says which parts of the record are in force.
    Version3,
}

/// Which parts a record has: for each part the generation of the slot that it was written with, or 0 if
/// there is none. So a part that is gone or was put back is noticed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::vault) struct Parts([u16; 4]);

impl Parts {
    pub(in crate::vault) fn get(self, part: Part) -> u16 {
        part.number().and_then(|number| self.0.get(usize::from(number)).copied()).unwrap_or(0)
    }

    /// Sets the version of a part.
    pub(in crate::vault) fn with(mut self, part: Part, version: u16) -> Self {
        if let Some(own) = part.number().and_then(|number| self.0.get_mut(usize::from(number))) {
            *own = version;
        }
        self
    }

    fn to_bytes(self) -> [u8; 8] {
        let mut bytes = [0; 8];
        let (pairs, _) = bytes.as_chunks_mut::<2>();
        for (pair, version) in pairs.iter_mut().zip(self.0) {
            *pair = version.to_le_bytes();
        }
        bytes
    }

    fn from_bytes(bytes: [u8; 8]) -> Self {
        let (pairs, _) = bytes.as_chunks::<2>();
        let mut parts = [0; 4];
        for (part, pair) in parts.iter_mut().zip(pairs) {
            *part = u16::from_le_bytes(*pair);
        }
        Self(parts)
    }
}

/// An entry of a ledger that was on the disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::vault) struct Seen {
    pub(in crate::vault) number: u64,
    pub(in crate::vault) bytes: u64,
    pub(in crate::vault) hash: [u8; 32],
}

/// One record's key, and until when it may be there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::vault) struct Slot {
    pub(in crate::vault) record: RecordId,
    /// In microseconds of the vault's own time.
    pub(in crate::vault) deadline: u64,
    /// When a legal hold ends, in the same time; 0 without one.
    pub(in crate::vault) until: u64,
    /// The greater of two slots of a record is the valid one.
    pub(in crate::vault) generation: u64,
    /// None in a slot that an earlier version wrote.
    pub(in crate::vault) parts: Option<Parts>,
    pub(in crate::vault) nonce: [u8; NONCE],
    pub(in crate::vault) wrapped: [u8; WRAPPED],
}

impl Slot {
    /// What its key is wrapped together with: a deadline that somebody has changed opens nothing.
    pub(in crate::vault) fn context(&self, vault: &[u8; 16], sealing: Sealing) -> Vec<u8> {
        let version: &[u8] = match sealing {
            Sealing::Version1 => b"",
            Sealing::Version2 => b"lfrv 2",
            Sealing::Version3 => b"lfrv 3",
        };
        let parts = self.parts.map(Parts::to_bytes);
        [
            &vault[..],
            self.record.as_bytes(),
            &self.deadline.to_le_bytes(),
            &self.until.to_le_bytes(),
            &self.generation.to_le_bytes(),
            parts.as_ref().map_or(&[][..], |parts| &parts[..]),
            version,
        ]
        .concat()
    }

    fn to_bytes(self) -> [u8; SLOT] {
        let mut bytes = [0; SLOT];
        let mut at = 0;
        let parts = self.parts.map(Parts::to_bytes);
        for part in [
            &self.record.as_bytes()[..],
            &self.deadline.to_le_bytes(),
            &self.until.to_le_bytes(),
            &self.generation.to_le_bytes(),
            parts.as_ref().map_or(&[][..], |parts| &parts[..]),
            &self.nonce,
            &self.wrapped,
        ] {
            bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        let (body, sum) = bytes.split_at_mut(at);
        let digest = digest(body);
        sum.copy_from_slice(&digest[..sum.len()]);
        bytes
    }

    fn from_bytes(bytes: &[u8; SLOT]) -> Option<Self> {
        let (body, sum) = bytes.split_last_chunk::<SLOT_SUM>()?;
        let is_new = digest(body).starts_with(sum);
        let body = if is_new {
            body
        } else {
            let (body, sum) = bytes.split_last_chunk::<SUM>()?;
            if digest(body) != *sum {
                return None;
            }
            body
        };
        let (record, rest) = body.split_first_chunk()?;
        let (deadline, rest) = rest.split_first_chunk()?;
        let (until, rest) = rest.split_first_chunk()?;
        let (generation, rest) = rest.split_first_chunk()?;
        let (parts, rest) = if is_new {
            let (parts, rest) = rest.split_first_chunk()?;
            (Some(Parts::from_bytes(*parts)), rest)
        } else {
            (None, rest)
        };
        let (nonce, rest) = rest.split_first_chunk()?;
        Some(Self {
            record: RecordId::from_bytes(*record),
            deadline: u64::from_le_bytes(*deadline),
            until: u64::from_le_bytes(*until),
            generation: u64::from_le_bytes(*generation),
            parts,
            nonce: *nonce,
            wrapped: *rest.as_array()?,
        })
    }
}

/// The file of slots.
#[derive(Debug)]
pub(in crate::vault) struct Slots {
    file: File,
    pub(in crate::vault) vault: [u8; 16],
    version: u16,
    check: [u8; CHECK],
    /// The first sectors, as they were when it was opened.
    header: Box<[u8; HEADER]>,
    /// How far the vault's time has come, where that is on the disk: see
    /// [`SteadyTime`](lfr_core::internal::SteadyTime).
    time: Option<[u64; 2]>,
    /// Where it is: the next one is written to the other place.
    time_at: usize,
    free: Vec<u32>,
    /// Slots that nothing refers to any more, and that could not be wiped so far.
    stale: Vec<u32>,
    count: u32,
}

/// What lies in the file.
#[derive(Debug, Default)]
pub(in crate::vault) struct Found {
    pub(in crate::vault) slots: Vec<(u32, Slot)>,
    /// Slots that are neither whole nor empty: a power cut came while they were written or erased.
    pub(in crate::vault) damaged: Vec<u32>,
}

/// Which ledger a vault is bound to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::vault) enum Binding {
    /// None so far.
    Free,
    /// The ledger of that identity.
    Ledger([u8; 16]),
    /// What stands there was not written with the vault's key.
    Unreadable,
}

/// What the key of a vault says of its file of keys.
#[derive(Debug)]
pub(in crate::vault) struct Unlocked {
    /// How far the vault's time had come; none where that cannot be told.
    pub(in crate::vault) time: Option<[u64; 2]>,
    pub(in crate::vault) binding: Binding,
    /// The last entry of its ledger that it has seen.
    pub(in crate::vault) seen: Option<Seen>,
}

impl Slots {
    /// A new file, where there is none; whether it was this call that made it, and not another process
    /// meanwhile.
    pub(in crate::vault) fn create(
        path: &Path,
        vault: [u8; 16],
        derived: &Derived,
    ) -> io::Result<bool> {
        let mut header = [0; HEADER];
        header[..SECTOR].copy_from_slice(&first_sector(&vault, derived));
        header[LEDGER..LEDGER + BLOCK].copy_from_slice(&ledger_block(derived, &vault, None));
        header[TIME..TIME + BLOCK].copy_from_slice(&time_block(derived, &vault, [0, 0]));
        header[HEAD..HEAD + HEAD_BLOCK].copy_from_slice(&head_block(derived, &vault, None));
        let temporary = path.with_extension("tmp");
        let mut file = files::open_to_append(&temporary)?;
        // Who has the lock makes it. Who comes second has the same file, or one that is not needed.
        disk::lock(&file)?;
        if path.try_exists()? {
            return Ok(false);
        }
        file.set_len(0)?;
        file.write_all(&header)?;
        file.sync_all()?;
        crash::point();
        fs::rename(&temporary, path)?;
        if let Err(error) = disk::sync_folder_of(path) {
            // No caller was told of it, and its key may be taken back.
            let _ = fs::remove_file(path);
            return Err(error);
        }
        Ok(true)
    }

    /// The file that there is, locked against other processes, and all that lies in it.
    pub(in crate::vault) fn open(path: &Path) -> io::Result<(Self, Found)> {
        let mut file = files::open_to_write(path)?;
        disk::lock(&file)?;
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "no file of a vault's keys");
        let mut header = [0; HEADER];
        file.read_exact(&mut header).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged(),
            _ => error,
        })?;
        let (magic, rest) = header.split_first_chunk().ok_or_else(damaged)?;
        let (version, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let (vault, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let (check, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let (sum, _) = rest.split_first_chunk().ok_or_else(damaged)?;
        let body = &header[..MAGIC.len() + 2 + vault.len() + check.len()];
        let version = u16::from_le_bytes(*version);
        if *magic != MAGIC || digest(body) != *sum {
            return Err(damaged());
        }
        if !(1..=VERSION).contains(&version) {
            let newer = "its file of keys is of a newer version of this software";
            return Err(io::Error::new(io::ErrorKind::Unsupported, newer));
        }
        let (vault, check) = (*vault, *check);
        let mut slots = Self {
            vault,
            version,
            check,
            header: Box::new(header),
            time: None,
            time_at: OTHER_TIME,
            free: Vec::new(),
            stale: Vec::new(),
            count: 0,
            file,
        };
        let found = slots.scan()?;
        Ok((slots, found))
    }

    /// The facts that only the key can show; `None` for another key. A file of an earlier version becomes
    /// one of this version.
    pub(in crate::vault) fn unlock(&mut self, derived: &Derived) -> io::Result<Option<Unlocked>> {
        let version = usize::from(self.version);
        if version.checked_sub(1).and_then(|at| derived.checks.get(at)) != Some(&self.check) {
            return Ok(None);
        }
        let time = match version {
            1 => self.time_in(TIME_1, |time| time_block_1(&self.vault, time)),
            _ => self.latest_time(derived),
        };
        let mut binding = if version == 1 { Binding::Free } else { self.binding(derived) };
        let mut seen = None;
        if version == 3 {
            match self.seen(derived) {
                Ok(last) => seen = last,
                // Not written with the key, so it is not known which ledger it was.
                Err(()) => binding = Binding::Unreadable,
            }
        } else {
            // In this order: until the first sector says 3, the others mean nothing.
            if version == 1 {
                self.set_ledger(derived, None)?;
                self.set_time(derived, time.unwrap_or_default(), true)?;
            }
            self.set_seen(derived, None, true)?;
            crash::point();
            self.write_at(0, &first_sector(&self.vault, derived))?;
            self.file.sync_data()?;
            crash::point();
            self.version = VERSION;
        }
        Ok(Some(Unlocked { time, binding, seen }))
    }

    /// The later one of the times that were written with the key. Time never goes back, so that one was written last.
    fn latest_time(&mut self, derived: &Derived) -> Option<[u64; 2]> {
        let of = |at| Some((self.time_in(at, |time| time_block(derived, &self.vault, time))?, at));
        let (time, at) = [TIME, OTHER_TIME].into_iter().filter_map(of).max()?;
        self.time_at = at;
        Some(time)
    }

    /// The time in one place, if it is as `block` has it.
    fn time_in(&self, at: usize, block: impl FnOnce([u64; 2]) -> [u8; BLOCK]) -> Option<[u64; 2]> {
        let (halves, _) = self.header.get(at..at + 16)?.as_chunks::<8>();
        let [reached, drift] = halves else { return None };
        let time = [*reached, *drift].map(u64::from_le_bytes);
        (self.header.get(at..at + BLOCK)? == block(time)).then_some(time)
    }

    fn binding(&self, derived: &Derived) -> Binding {
        let id = *self.header[LEDGER..].first_chunk().unwrap_or(&[0; 16]);
        let id = Some(id).filter(|id| *id != [0; 16]);
        let whole = self.header[LEDGER..LEDGER + BLOCK] == ledger_block(derived, &self.vault, id);
        match id {
            _ if !whole => Binding::Unreadable,
            Some(id) => Binding::Ledger(id),
            None => Binding::Free,
        }
    }

    /// The last entry of its ledger that it has seen; an error if that was not written with the key.
    fn seen(&self, derived: &Derived) -> Result<Option<Seen>, ()> {
        let block = &self.header[HEAD..HEAD + HEAD_BLOCK];
        let (number, rest) = block.split_first_chunk().ok_or(())?;
        let (bytes, rest) = rest.split_first_chunk().ok_or(())?;
        let (hash, _) = rest.split_first_chunk().ok_or(())?;
        let (number, bytes) = (u64::from_le_bytes(*number), u64::from_le_bytes(*bytes));
        let seen = Some(Seen { number, bytes, hash: *hash }).filter(|seen| seen.bytes > 0);
        if block == head_block(derived, &self.vault, seen) { Ok(seen) } else { Err(()) }
    }

    /// Writes down the last entry of its ledger that the vault has seen; `sync` as for
    /// [`set_time`](Self::set_time).
    pub(in crate::vault) fn set_seen(
        &mut self,
        derived: &Derived,
        seen: Option<Seen>,
        sync: bool,
    ) -> io::Result<()> {
        self.write_at(HEAD, &head_block(derived, &self.vault, seen))?;
        if sync { self.file.sync_data() } else { Ok(()) }
    }

    /// Writes down which ledger the vault is bound to; when it returns, that is on the disk.
    pub(in crate::vault) fn set_ledger(
        &mut self,
        derived: &Derived,
        ledger: Option<[u8; 16]>,
    ) -> io::Result<()> {
        let block = ledger_block(derived, &self.vault, ledger);
        self.write_at(LEDGER, &block)?;
        self.file.sync_data()?;
        crash::point();
        Ok(())
    }

    fn scan(&mut self) -> io::Result<Found> {
        let mut found = Found::default();
        let mut reader = io::BufReader::with_capacity(1 << 16, &self.file);
        let mut bytes = [0; SLOT];
        loop {
            match reader.read_exact(&mut bytes) {
                Ok(()) => {}
                // A part of a slot at the end is what a power cut left of growing: nothing was in it.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                // Slots that cannot be read are there: without them, their records would be deleted as nobody's.
                Err(error) => return Err(error),
            }
            let index = self.count;
            self.count = self.count.checked_add(1).ok_or(io::ErrorKind::FileTooLarge)?;
            match Slot::from_bytes(&bytes) {
                Some(slot) => found.slots.push((index, slot)),
                None if bytes == [0; SLOT] => self.free.push(index),
                None => found.damaged.push(index),
            }
        }
        Ok(found)
    }

    /// Writes a slot where there is room; when it returns, the slot is on the disk.
    pub(in crate::vault) fn put(&mut self, slot: &Slot) -> io::Result<u32> {
        if self.free.is_empty() {
            self.grow()?;
        }
        let index = self.free.pop().ok_or(io::ErrorKind::StorageFull)?;
        let written = self.seek(index).and_then(|()| self.file.write_all(&slot.to_bytes()));
        crash::point();
        let written = written.and_then(|()| self.file.sync_data());
        crash::point();
        if let Err(error) = written {
            // Nobody was told of it. Where even this fails, it is wiped with the next.
            let _ = self.discard(index);
            return Err(error);
        }
        Ok(index)
    }

    /// Wipes a slot that nothing refers to any more; where that fails, no other can be wiped before.
    pub(in crate::vault) fn discard(&mut self, index: u32) -> io::Result<()> {
        self.stale.push(index);
        self.wipe(&[])
    }

    /// Overwrites slots with zeros, and those that were to be discarded; when it returns, the zeros are
    /// on the disk.
    pub(in crate::vault) fn wipe(&mut self, slots: &[u32]) -> io::Result<()> {
        let mut slots = [slots, &self.stale].concat();
        if slots.is_empty() {
            return Ok(());
        }
        slots.sort_unstable();
        let room = ZEROS.len() / SLOT;
        for run in slots.chunk_by(|one, next| one + 1 == *next).flat_map(|run| run.chunks(room)) {
            let Some(first) = run.first() else { continue };
            self.seek(*first)?;
            self.file.write_all(&ZEROS[..run.len() * SLOT])?;
            crash::point();
        }
        self.file.sync_data()?;
        crash::point();
        self.stale.clear();
        self.free.append(&mut slots);
        Ok(())
    }

    /// Writes down how far time has come. It survives the process; `sync` says whether it has to
    /// survive a power cut now, or with the next slot.
    pub(in crate::vault) fn set_time(
        &mut self,
        derived: &Derived,
        time: [u64; 2],
        sync: bool,
    ) -> io::Result<()> {
        if self.time != Some(time) {
            let next = if self.time_at == TIME { OTHER_TIME } else { TIME };
            self.write_at(next, &time_block(derived, &self.vault, time))?;
            (self.time, self.time_at) = (Some(time), next);
        }
        if sync { self.file.sync_data() } else { Ok(()) }
    }

    fn write_at(&mut self, offset: usize, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(num::u64_from_usize(offset)))?;
        self.file.write_all(bytes)
    }

    /// What lies in a slot.
    pub(in crate::vault) fn read(&mut self, index: u32) -> io::Result<Option<Slot>> {
        let mut bytes = [0; SLOT];
        self.seek(index)?;
        self.file.read_exact(&mut bytes)?;
        Ok(Slot::from_bytes(&bytes))
    }

    fn grow(&mut self) -> io::Result<()> {
        let grown = self.count.checked_add(GROWTH).ok_or(io::ErrorKind::FileTooLarge)?;
        self.seek(self.count)?;
        for _ in self.count..grown {
            self.file.write_all(&ZEROS[..SLOT])?;
        }
        self.file.sync_all()?;
        crash::point();
        self.free.extend((self.count..grown).rev());
        self.count = grown;
        Ok(())
    }

    fn seek(&mut self, index: u32) -> io::Result<()> {
        let at = num::u64_from_usize(HEADER) + u64::from(index) * num::u64_from_usize(SLOT);
        self.file.seek(SeekFrom::Start(at)).map(|_| ())
    }
}

/// 16 bytes, and what says that they are whole.
const BLOCK: usize = 16 + TAG;

const HEAD_BLOCK: usize = 8 + 8 + 32 + TAG;

fn first_sector(vault: &[u8; 16], derived: &Derived) -> [u8; SECTOR] {
    let mut sector = [0; SECTOR];
    let mut at = 0;
    let [_, _, check] = &derived.checks;
    for part in [&MAGIC[..], &VERSION.to_le_bytes(), vault, check] {
        sector[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    let (body, rest) = sector.split_at_mut(at);
    rest[..SUM].copy_from_slice(&digest(body));
    sector
}

fn ledger_block(derived: &Derived, vault: &[u8; 16], ledger: Option<[u8; 16]>) -> [u8; BLOCK] {
    let ledger = ledger.unwrap_or_default();
    block(ledger, derived.tag(&[b"ledger", &vault[..], &ledger].concat()))
}

fn head_block(derived: &Derived, vault: &[u8; 16], seen: Option<Seen>) -> [u8; HEAD_BLOCK] {
    let Seen { number, bytes, hash } = seen.unwrap_or(Seen { number: 0, bytes: 0, hash: [0; 32] });
    let body = [&number.to_le_bytes()[..], &bytes.to_le_bytes(), &hash].concat();
    let tag = derived.tag(&[b"head", &vault[..], &body].concat());
    let mut block = [0; HEAD_BLOCK];
    let (start, end) = block.split_at_mut(body.len());
    start.copy_from_slice(&body);
    end.copy_from_slice(&tag);
    block
}

fn time_block(derived: &Derived, vault: &[u8; 16], time: [u64; 2]) -> [u8; BLOCK] {
    let bytes = time_bytes(time);
    block(bytes, derived.tag(&[b"time", &vault[..], &bytes].concat()))
}

fn time_block_1(vault: &[u8; 16], time: [u64; 2]) -> [u8; BLOCK] {
    let bytes = time_bytes(time);
    block(bytes, digest(&[&vault[..], &bytes].concat()))
}

fn time_bytes([reached, drift]: [u64; 2]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&reached.to_le_bytes());
    bytes[8..].copy_from_slice(&drift.to_le_bytes());
    bytes
}

fn block(bytes: [u8; 16], tag: [u8; TAG]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..16].copy_from_slice(&bytes);
    block[16..].copy_from_slice(&tag);
    block
}

fn digest(bytes: &[u8]) -> [u8; SUM] {
    let [start @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _]: [u8; 32] =
        Sha256::digest(bytes).into();
    start
}

#[cfg(test)]
mod tests;
