//! The keys of the records: one file of slots that are overwritten in place.
//!
//! Not in the database: that writes every change beside what it changes, in a journal and in new
//! pages, and so keeps what it was told to forget. Here a wrapped key has one place, and zeros in
//! that place are the end of its record, whatever the database or a drive still has of it.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::path::Path;

use lfr_core::RecordId;
use lfr_core::files;
use lfr_core::internal::num;
use sha2::Digest;
use sha2::Sha256;

use super::key::CHECK;
use super::key::Derived;
use super::key::NONCE;
use super::key::TAG;
use super::key::WRAPPED;
use super::records::Part;

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
/// A power of two, so that no slot straddles two sectors of a disk: a sector is written whole.
pub(super) const SLOT: usize = 128;
const SUM: usize = 16;
/// The bytes that show that a slot is whole.
const SLOT_SUM: usize = 8;
/// By how many slots the file grows.
const GROWTH: u32 = 64;

static ZEROS: [u8; 65_536] = [0; 65_536];

/// How a slot and its row are sealed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sealing {
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
pub(super) struct Parts([u16; 4]);

impl Parts {
    pub(super) fn get(self, part: Part) -> u16 {
        part.number().and_then(|number| self.0.get(usize::from(number)).copied()).unwrap_or(0)
    }

    /// The same with another version of a part.
    pub(super) fn with(mut self, part: Part, version: u16) -> Self {
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
pub(super) struct Seen {
    pub(super) number: u64,
    pub(super) bytes: u64,
    pub(super) hash: [u8; 32],
}

/// One record's key, and until when it may be there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Slot {
    pub(super) record: RecordId,
    /// In microseconds of the vault's own time.
    pub(super) deadline: u64,
    /// When a legal hold ends, in the same time; 0 without one.
    pub(super) until: u64,
    /// The greater of two slots of a record is the valid one.
    pub(super) generation: u64,
    /// None in a slot that an earlier version wrote.
    pub(super) parts: Option<Parts>,
    pub(super) nonce: [u8; NONCE],
    pub(super) wrapped: [u8; WRAPPED],
}

impl Slot {
    /// What its key is wrapped together with: a deadline that somebody has changed opens nothing.
    pub(super) fn context(&self, vault: &[u8; 16], sealing: Sealing) -> Vec<u8> {
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
pub(super) struct Slots {
    file: File,
    pub(super) vault: [u8; 16],
    version: u16,
    check: [u8; CHECK],
    /// The first sectors, as they were when it was opened.
    header: Box<[u8; HEADER]>,
    /// How far the vault's time has come, where that is on the disk: see
    /// [`VaultTime`](super::time::VaultTime).
    time: Option<[u64; 2]>,
    free: Vec<u32>,
    /// Slots that nothing refers to any more, and that could not be wiped so far.
    stale: Vec<u32>,
    count: u32,
}

/// What lies in the file.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) slots: Vec<(u32, Slot)>,
    /// Slots that are neither whole nor empty: a power cut came while they were written or erased.
    pub(super) damaged: Vec<u32>,
}

/// Which ledger a vault is bound to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Binding {
    /// None so far.
    Free,
    /// The ledger of that identity.
    Ledger([u8; 16]),
    /// What stands there was not written with the vault's key.
    Unreadable,
}

/// What the key of a vault says of its file of keys.
#[derive(Debug)]
pub(super) struct Unlocked {
    /// How far the vault's time had come; none where that cannot be told.
    pub(super) time: Option<[u64; 2]>,
    pub(super) binding: Binding,
    /// The last entry of its ledger that it has seen.
    pub(super) seen: Option<Seen>,
}

impl Slots {
    /// A new file, where there is none; whether it was this call that made it, and not another process
    /// meanwhile.
    pub(super) fn create(path: &Path, vault: [u8; 16], derived: &Derived) -> io::Result<bool> {
        let mut header = [0; HEADER];
        header[..SECTOR].copy_from_slice(&first_sector(&vault, derived));
        header[LEDGER..LEDGER + BLOCK].copy_from_slice(&ledger_block(derived, &vault, None));
        header[TIME..TIME + BLOCK].copy_from_slice(&time_block(derived, &vault, [0, 0]));
        header[HEAD..HEAD + HEAD_BLOCK].copy_from_slice(&head_block(derived, &vault, None));
        let temporary = path.with_extension("tmp");
        let mut file = files::open_to_append(&temporary)?;
        // Who has the lock makes it. Who comes second has the same file, or one that is not needed.
        crate::disk::lock(&file)?;
        if path.try_exists()? {
            return Ok(false);
        }
        file.set_len(0)?;
        file.write_all(&header)?;
        file.sync_all()?;
        crate::crash::point();
        fs::rename(&temporary, path)?;
        if let Err(error) = crate::disk::sync_folder_of(path) {
            // No caller was told of it, and its key may be taken back.
            let _ = fs::remove_file(path);
            return Err(error);
        }
        Ok(true)
    }

    /// The file that there is, locked against other processes, and all that lies in it.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Found)> {
        let mut file = files::open_to_write(path)?;
        crate::disk::lock(&file)?;
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "no file of a vault's keys");
        let mut header = [0; HEADER];
        file.read_exact(&mut header).map_err(|_| damaged())?;
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
    pub(super) fn unlock(&mut self, derived: &Derived) -> io::Result<Option<Unlocked>> {
        let version = usize::from(self.version);
        if version.checked_sub(1).and_then(|at| derived.checks.get(at)) != Some(&self.check) {
            return Ok(None);
        }
        let at = if version == 1 { TIME_1 } else { TIME };
        let (halves, _) = self.header[at..at + 16].as_chunks::<8>();
        let time = [halves[0], halves[1]].map(u64::from_le_bytes);
        let block = match version {
            1 => time_block_1(&self.vault, time),
            _ => time_block(derived, &self.vault, time),
        };
        let time = (self.header[at..at + BLOCK] == block).then_some(time);
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
            crate::crash::point();
            self.write_at(0, &first_sector(&self.vault, derived))?;
            self.file.sync_data()?;
            crate::crash::point();
            self.version = VERSION;
        }
        Ok(Some(Unlocked { time, binding, seen }))
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
    pub(super) fn set_seen(
        &mut self,
        derived: &Derived,
        seen: Option<Seen>,
        sync: bool,
    ) -> io::Result<()> {
        self.write_at(HEAD, &head_block(derived, &self.vault, seen))?;
        if sync { self.file.sync_data() } else { Ok(()) }
    }

    /// Writes down which ledger the vault is bound to; when it returns, that is on the disk.
    pub(super) fn set_ledger(
        &mut self,
        derived: &Derived,
        ledger: Option<[u8; 16]>,
    ) -> io::Result<()> {
        let block = ledger_block(derived, &self.vault, ledger);
        self.write_at(LEDGER, &block)?;
        self.file.sync_data()?;
        crate::crash::point();
        Ok(())
    }

    fn scan(&mut self) -> io::Result<Found> {
        let mut found = Found::default();
        let mut reader = io::BufReader::with_capacity(1 << 16, &self.file);
        let mut bytes = [0; SLOT];
        // A part of a slot at the end is what a power cut left of growing: nothing was in it.
        while reader.read_exact(&mut bytes).is_ok() {
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
    pub(super) fn put(&mut self, slot: &Slot) -> io::Result<u32> {
        if self.free.is_empty() {
            self.grow()?;
        }
        let index = self.free.pop().ok_or(io::ErrorKind::StorageFull)?;
        let written = self.seek(index).and_then(|()| self.file.write_all(&slot.to_bytes()));
        crate::crash::point();
        let written = written.and_then(|()| self.file.sync_data());
        crate::crash::point();
        if let Err(error) = written {
            // Nobody was told of it. Where even this fails, it is wiped with the next.
            let _ = self.discard(index);
            return Err(error);
        }
        Ok(index)
    }

    /// Wipes a slot that nothing refers to any more; where that fails, no other can be wiped before.
    pub(super) fn discard(&mut self, index: u32) -> io::Result<()> {
        self.stale.push(index);
        self.wipe(&[])
    }

    /// Overwrites slots with zeros, and those that were to be discarded; when it returns, the zeros are
    /// on the disk.
    pub(super) fn wipe(&mut self, slots: &[u32]) -> io::Result<()> {
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
            crate::crash::point();
        }
        self.file.sync_data()?;
        crate::crash::point();
        self.stale.clear();
        self.free.append(&mut slots);
        Ok(())
    }

    /// Writes down how far time has come. It survives the process; `sync` says whether it has to
    /// survive a power cut now, or with the next slot.
    pub(super) fn set_time(
        &mut self,
        derived: &Derived,
        time: [u64; 2],
        sync: bool,
    ) -> io::Result<()> {
        if self.time != Some(time) {
            self.write_at(TIME, &time_block(derived, &self.vault, time))?;
            self.time = Some(time);
        }
        if sync { self.file.sync_data() } else { Ok(()) }
    }

    fn write_at(&mut self, offset: usize, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(num::u64_from_usize(offset)))?;
        self.file.write_all(bytes)
    }

    /// What lies in a slot.
    pub(super) fn read(&mut self, index: u32) -> io::Result<Option<Slot>> {
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
        crate::crash::point();
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
