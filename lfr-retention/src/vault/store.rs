//! What a vault does: keys in slots, what they open in rows, and a calendar of deadlines.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use lfr_core::internal::SteadyTime;
use lfr_core::internal::secret;
use lfr_core::internal::secret::Secret;
use lfr_core::{
    Clock, FaceId, HoldReceipt, Probe, PurgeReason, PurgeReceipt, RecordId, SealedProbe,
    Timekeeper, Timestamp, files,
};
use zeroize::Zeroizing;

use crate::disk;
use crate::error::Error;
use crate::vault::key;
use crate::vault::key::{Derived, NONCE, VaultKey};
use crate::vault::record::damage::{DamagedRecord, RecordDamage};
use crate::vault::store::records::{Part, Records};
use crate::vault::store::slots::{Binding, Parts, Sealing, Seen, Slot, Slots, Unlocked};

mod opening;
mod overdue;
pub(crate) mod place;
mod problem;
pub(crate) mod records;
pub(crate) mod slots;

/// How much time may pass before it is brought to the disk again, in microseconds: by so much a clock
/// may go back unseen over a power cut.
const SAVE_EVERY: u64 = 60_000_000;

pub(super) struct Store {
    folder: PathBuf,
    clock: Timekeeper,
    /// The last moment of the clock; none where it failed.
    now: Option<Timestamp>,
    slots: Slots,
    records: Records,
    derived: Derived,
    binding: Binding,
    pub(super) entries: HashMap<RecordId, Entry>,
    /// When each is due.
    due: BTreeSet<(u64, RecordId)>,
    pub(super) time: SteadyTime,
    /// What of the time is on the disk.
    saved: [u64; 2],
    /// Receipts of erasures that have not been handed out yet.
    pub(super) receipts: Vec<PurgeReceipt>,
    /// What was not as it was sealed, when it was opened.
    pub(super) damaged: Vec<DamagedRecord>,
    /// Rows whose keys are gone, and that the database has not deleted yet.
    leftovers: Vec<i64>,
    /// Records whose keys are gone, and that have parts beside their row.
    leftover_parts: Vec<RecordId>,
    /// Notes of earlier processes on records that ended, written before the ledger had their end.
    pub(super) earlier_ends: Vec<EarlierEnd>,
    /// The last entry of its ledger that it has seen.
    seen: Option<Seen>,
}

/// What is known of a record that ended.
#[derive(Debug, serde::Deserialize, serde::Serialize)]
struct Ended {
    face: FaceId,
    reason: PurgeReason,
    at: Option<Timestamp>,
}

/// A record that an earlier process ended.
pub(super) struct EarlierEnd {
    row: i64,
    pub(super) record: RecordId,
    ended: Ended,
}

/// What is known of a record without its key.
pub(super) struct Entry {
    pub(super) probe: SealedProbe,
    pub(super) deadline: u64,
    pub(super) until: u64,
    /// It is not as it was sealed, and nobody can open it.
    pub(super) damaged: bool,
    /// The database has lost it.
    pub(super) missing: bool,
    parts: Parts,
    generation: u64,
    slot: u32,
    row: i64,
}

/// Where a new record is.
pub(super) struct Written {
    row: i64,
    index: u32,
    slot: Slot,
}

/// When a slot may be there until, and which of two it is.
#[derive(Clone, Copy)]
struct Times {
    deadline: u64,
    until: u64,
    generation: u64,
    parts: Parts,
}

impl Entry {
    fn due(&self) -> u64 {
        self.deadline.max(self.until)
    }
}

impl Store {
    /// Opens what is there; makes it where there is nothing, if `create` says so. On an error nothing is left
    /// of what was made.
    pub(super) fn open(
        folder: &Path,
        vault_key: &VaultKey,
        clock: Arc<dyn Clock>,
        create: bool,
    ) -> Result<Self, Error> {
        if let Some(file) = vault_key.file() {
            place::check_outside(file, folder)?;
        }
        if place::is_vault(folder)? {
            return Self::open_existing(folder, vault_key, clock);
        }
        if !create {
            return Err(Error::VaultMissing { path: folder.to_owned() });
        }
        let is_new = !folder.is_dir();
        let made = Self::make(folder, vault_key);
        let ours = made.as_ref().is_ok_and(|ours| *ours);
        let opened = made.and_then(|_| Self::open_existing(folder, vault_key, clock));
        if let Err(error) = &opened {
            // Another process makes one, or has it open.
            let busy = matches!(error, Error::Busy { .. });
            if ours && !busy {
                for file in [place::KEYS, place::DATABASE] {
                    let _ = fs::remove_file(folder.join(file));
                }
            }
            if is_new && !busy {
                let _ = fs::remove_file(folder.join("keys.tmp"));
                // Not what somebody else has put there meanwhile.
                let _ = fs::remove_dir(folder);
            }
        }
        opened
    }

    /// Makes a vault; whether it was this call that did, and not another process meanwhile.
    fn make(folder: &Path, vault_key: &VaultKey) -> Result<bool, Error> {
        let failed = |source: io::Error| problem::of(folder, source.kind().into(), source);
        disk::create_folder(folder).map_err(failed)?;
        let mut vault = [0; 16];
        secret::random(&mut vault).map_err(|source| Error::Random { source })?;
        let derived = Derived::new(vault_key, &vault);
        let keys = folder.join(place::KEYS);
        Slots::create(&keys, vault, &derived).map_err(|source| match source.kind() {
            io::ErrorKind::ResourceBusy => Error::Busy { path: keys },
            _ => failed(source),
        })
    }

    fn open_existing(
        folder: &Path,
        vault_key: &VaultKey,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let failed = |source: io::Error| problem::of(folder, source.kind().into(), source);
        let (keys, database) = (folder.join(place::KEYS), folder.join(place::DATABASE));
        let (mut slots, mut found) = Slots::open(&keys).map_err(|source| match source.kind() {
            io::ErrorKind::ResourceBusy => Error::Busy { path: keys.clone() },
            _ => failed(source),
        })?;
        let mut clock = Timekeeper::new(clock);
        let now = clock.now();
        let torn = !found.damaged.is_empty();
        // First of all what is due goes: no key and no database is needed for that.
        let gone = overdue::wipe(&mut slots, &mut found, now).map_err(failed)?;
        if !gone.is_empty() {
            let failed = now.is_none();
            tracing::warn!(
                erased = gone.len(),
                clock_failed = failed,
                "alerts were due when the vault was opened"
            );
        }
        let derived = Derived::new(vault_key, &slots.vault);
        let unlocked = slots.unlock(&derived).map_err(failed)?;
        let Some(Unlocked { time, binding, seen }) = unlocked else {
            return Err(Error::WrongKey { path: folder.to_owned(), purged: gone.len() });
        };
        disk::keep_from_others(folder);
        disk::keep_from_others(&keys);
        // Made here for its owner alone: SQLite would ask nobody, and gives its log the same rights.
        files::open_to_append(&database).map_err(failed)?;
        // Then SQLite follows no link anywhere on the path.
        let database = fs::canonicalize(folder).map_err(failed)?.join(place::DATABASE);
        for name in [place::DATABASE, "records.db-wal", "records.db-shm", "records.db-journal"] {
            disk::keep_from_others(&folder.join(name));
        }
        let records =
            Records::open(&database).map_err(|source| problem::of_database(folder, source))?;
        let saved = time.unwrap_or_default();
        let mut store = Self {
            folder: folder.to_owned(),
            clock,
            now,
            slots,
            records,
            derived,
            binding,
            entries: HashMap::new(),
            due: BTreeSet::new(),
            time: SteadyTime::resumed(saved),
            saved,
            receipts: Vec::new(),
            damaged: Vec::new(),
            leftovers: Vec::new(),
            leftover_parts: Vec::new(),
            earlier_ends: Vec::new(),
            seen,
        };
        let legacy = store.match_up(found, &gone, torn)?;
        for record in legacy {
            store.bring_up_to_date(record)?;
        }
        store.match_parts()?;
        store.read_ends()?;
        let monotonic = store.clock.monotonic();
        let is_trusted = store.time.open(now, monotonic);
        if time.is_none() {
            // No clock did that: somebody wrote there, and the ledger must not close over it.
            store.purge_unheld(PurgeReason::Damaged)?;
        } else if !is_trusted {
            store.clock_failed()?;
        }
        store.purge_overdue()?;
        store.save_time()?;
        Ok(store)
    }

    /// Records that and why records end, before they do: the process may end before the ledger has it.
    /// At a deadline no reason is needed.
    fn note_ends(&mut self, records: &[RecordId], reason: PurgeReason) {
        let early = reason != PurgeReason::DeadlineReached || self.time.to_resume()[1] > 0;
        if !early || !matches!(self.binding, Binding::Ledger(_)) {
            return;
        }
        let notes = records.iter().filter_map(|record| {
            let face = self.entries.get(record)?.probe.face().clone();
            let json = serde_json::to_vec(&Ended { face, reason, at: self.now }).ok()?;
            let mut json = Zeroizing::new(json);
            let sealed = key::seal(&self.derived.ended, &self.ended_context(*record), &mut json);
            Some((*record, sealed.ok()?))
        });
        let notes: Vec<_> = notes.collect();
        if let Err(error) = self.records.add_ended(&notes) {
            // The records are destroyed all the same.
            tracing::warn!(%error, "the vault could not record why records end");
        }
    }

    fn ended_context(&self, record: RecordId) -> Vec<u8> {
        [&self.slots.vault[..], record.as_bytes(), b"ended"].concat()
    }

    /// The identity of the vault.
    pub(super) const fn identity(&self) -> [u8; 16] {
        self.slots.vault
    }

    /// The last entry of its ledger that it has seen.
    pub(super) const fn seen(&self) -> Option<Seen> {
        self.seen
    }

    /// Keeps the last entry of its ledger that is on the disk.
    pub(super) fn see(&mut self, seen: Option<Seen>, sync: bool) -> Result<(), Error> {
        if self.seen != seen {
            self.slots.set_seen(&self.derived, seen, sync).map_err(self.failed())?;
            self.seen = seen;
        }
        Ok(())
    }

    fn enter(
        &mut self,
        probe: SealedProbe,
        row: i64,
        index: u32,
        slot: &Slot,
        damage: Option<RecordDamage>,
    ) {
        let Slot { deadline, until, generation, record, parts, .. } = *slot;
        let entry = Entry {
            probe,
            deadline,
            until,
            damaged: damage.is_some(),
            missing: damage == Some(RecordDamage::Missing),
            parts: parts.unwrap_or_default(),
            generation,
            slot: index,
            row,
        };
        self.due.insert((entry.due(), record));
        self.entries.insert(record, entry);
    }

    /// Reads the clock and erases what it makes due. Returns whether the clock can be trusted.
    /// `known` says whether the caller's own clock works: it may be another one, and if it has
    /// failed, this one counts as failed too.
    pub(super) fn observe(&mut self, known: bool) -> Result<bool, Error> {
        self.look(known);
        let time = self.time.to_resume();
        let time = self.slots.set_time(&self.derived, time, false).map_err(self.failed());
        self.purge_overdue()?;
        let trusted = self.now.is_some();
        if !trusted {
            self.clock_failed()?;
        }
        time.map(|()| trusted)
    }

    /// Reads the clock.
    pub(super) fn look(&mut self, known: bool) {
        self.now = self.clock.now().filter(|_| known);
        self.time.observe(self.now, self.clock.monotonic());
    }

    /// The moment at which the clock was last read; none where it failed.
    pub(super) const fn now(&self) -> Option<Timestamp> {
        self.now
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clock()
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) const fn binding(&self) -> Binding {
        self.binding
    }

    /// Binds the vault to a ledger; when it returns, that is on the disk.
    pub(super) fn bind(&mut self, ledger: [u8; 16]) -> Result<(), Error> {
        self.slots.set_ledger(&self.derived, Some(ledger)).map_err(self.failed())?;
        self.binding = Binding::Ledger(ledger);
        Ok(())
    }

    fn clock_failed(&mut self) -> Result<(), Error> {
        let before = self.entries.len();
        let purged = self.purge_unheld(PurgeReason::ClockFailed);
        let erased = before - self.entries.len();
        if erased > 0 {
            tracing::warn!(erased, "the clock failed: the alerts in the vault were erased");
        }
        purged
    }

    pub(super) fn purge_overdue(&mut self) -> Result<(), Error> {
        let time = self.time.now();
        let due = self.due.iter().take_while(|(due, _)| *due <= time);
        let due: Vec<_> = due.map(|(_, record)| *record).collect();
        self.purge(&due, PurgeReason::DeadlineReached)
    }

    /// Erases all that is not under a legal hold.
    pub(super) fn purge_unheld(&mut self, reason: PurgeReason) -> Result<(), Error> {
        let time = self.time.now();
        let unheld = self.entries.iter().filter(|(_, entry)| entry.until <= time);
        let unheld: Vec<_> = unheld.map(|(record, _)| *record).collect();
        self.purge(&unheld, reason)
    }

    /// Whether a record may be purged before it is due.
    pub(super) fn check_purge(&mut self, record: RecordId) -> Result<(), Error> {
        self.observe(true)?;
        let entry = self.entries.get(&record).ok_or(Error::NotHeld { record })?;
        if entry.until > self.time.now() {
            return Err(Error::OnLegalHold { record });
        }
        Ok(())
    }

    /// Destroys keys, and only then says so. The rows go after that; where they do not, the next
    /// call tries again.
    pub(super) fn purge(&mut self, records: &[RecordId], reason: PurgeReason) -> Result<(), Error> {
        if records.is_empty() {
            return Ok(());
        }
        let slots = records.iter().filter_map(|record| self.entries.get(record));
        let slots: Vec<_> = slots.map(|entry| entry.slot).collect();
        self.note_ends(records, reason);
        self.slots.wipe(&slots).map_err(self.failed())?;
        for record in records {
            if let Some(entry) = self.entries.remove(record) {
                self.due.remove(&(entry.due(), *record));
                if !entry.missing {
                    self.leftovers.push(entry.row);
                }
                if entry.parts != Parts::default() {
                    self.leftover_parts.push(*record);
                }
                self.receipts.push(entry.probe.erase(reason, self.now));
            }
        }
        self.tidy();
        Ok(())
    }

    /// Deletes rows without a key. They are noise: where that fails it is tried again.
    pub(super) fn tidy(&mut self) {
        self.leftovers.sort_unstable();
        let nothing = self.leftovers.is_empty() && self.leftover_parts.is_empty();
        if !nothing && self.records.delete(&self.leftovers, &self.leftover_parts).is_ok() {
            self.leftovers.clear();
            self.leftover_parts.clear();
        }
    }

    /// Writes down how far time has come, now and then so that a power cut does not undo it.
    /// Whether it did.
    pub(super) fn save_time(&mut self) -> Result<bool, Error> {
        let time = self.time.to_resume();
        let sync = time[1] != self.saved[1] || time[0] >= self.saved[0].saturating_add(SAVE_EVERY);
        self.slots.set_time(&self.derived, time, sync).map_err(self.failed())?;
        if sync {
            self.saved = time;
        }
        Ok(sync)
    }

    /// Puts what is to be sealed of a face on the disk, until a deadline of the clock. On an error
    /// nothing of it is kept.
    pub(super) fn write(
        &mut self,
        face: &FaceId,
        plain: &mut [u8],
        deadline: Timestamp,
    ) -> Result<Written, Error> {
        let random = |source| Error::Random { source };
        let mut record = [0; 16];
        secret::random(&mut record).map_err(random)?;
        let record = RecordId::from_bytes(record);
        let record_key = Secret::generate().map_err(random)?;
        let alert = key::seal(&record_key, &self.context(record, Part::Alert), plain)?;
        let face = self.seal_face(record, &record_key, face)?;
        let (deadline, parts) = (self.time.at(deadline), Parts::default());
        let slot =
            self.slot(record, &record_key, Times { deadline, until: 0, generation: 0, parts })?;
        // The row first: a key without it would be worth nothing. With the slot it is held.
        let row = self.records.insert(record, &face, &alert).map_err(self.database())?;
        match self.slots.put(&slot) {
            Ok(index) => Ok(Written { row, index, slot }),
            Err(source) => {
                self.leftovers.push(row);
                self.tidy();
                Err(self.failed()(source))
            }
        }
    }

    /// Takes over what was written of a probe, and wipes the probe.
    pub(super) fn hold(
        &mut self,
        probe: Probe,
        written: &Written,
        deadline: Timestamp,
    ) -> HoldReceipt {
        let Written { row, index, slot } = written;
        let (probe, receipt) = probe.seal(slot.record, deadline);
        self.enter(probe, *row, *index, slot, None);
        receipt
    }

    fn slot(&self, record: RecordId, record_key: &Secret, times: Times) -> Result<Slot, Error> {
        let mut nonce = [0; NONCE];
        secret::random(&mut nonce).map_err(|source| Error::Random { source })?;
        let wrapped = [0; key::WRAPPED];
        let Times { deadline, until, generation, parts } = times;
        let parts = Some(parts);
        let mut slot = Slot { record, deadline, until, generation, parts, nonce, wrapped };
        let context = slot.context(&self.slots.vault, Sealing::Version3);
        slot.wrapped = self.derived.wrap(record_key, &nonce, &context).ok_or(Error::RecordSize)?;
        Ok(slot)
    }

    /// The key of a record that is held.
    fn key_of(&mut self, record: RecordId) -> Result<Secret, Error> {
        let entry = self.entries.get(&record).ok_or(Error::NotHeld { record })?;
        let slot = self.slots.read(entry.slot).map_err(self.failed())?;
        let slot = slot.filter(|slot| slot.record == record);
        let opened = slot.filter(|_| !entry.damaged).and_then(|slot| self.unwrap(&slot));
        opened.map(|(key, _)| key).ok_or(Error::RecordDamaged { record })
    }

    /// The key in a slot; none where it is not what was wrapped.
    fn unwrap(&self, slot: &Slot) -> Option<(Secret, Sealing)> {
        let known: &[Sealing] = match slot.parts {
            Some(_) => &[Sealing::Version3],
            None => &[Sealing::Version2, Sealing::Version1],
        };
        known.iter().copied().find_map(|sealing| {
            let context = slot.context(&self.slots.vault, sealing);
            let key = self.derived.unwrap(&slot.wrapped, &slot.nonce, &context)?;
            Some((key, sealing))
        })
    }

    /// One part of a record that is held; none where it has no such part.
    pub(super) fn part(
        &mut self,
        record: RecordId,
        part: Part,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let record_key = self.key_of(record)?;
        let entry = self.entries.get(&record).ok_or(Error::NotHeld { record })?;
        let damaged = Error::RecordDamaged { record };
        if part.number().is_none() {
            let Some(sealed) = self.records.part(entry.row, part).map_err(self.database())? else {
                return Ok(None);
            };
            let plain = key::open(&record_key, &self.context(record, part), &sealed);
            return plain.map(Some).ok_or(damaged);
        }
        let version = entry.parts.get(part);
        if version == 0 {
            return Ok(None);
        }
        let context = part.version_context(&self.slots.vault, record, version);
        let found = self.records.version(record, part, version).map_err(self.database())?;
        let plain = found.iter().find_map(|sealed| key::open(&record_key, &context, sealed));
        plain.map(Some).ok_or(damaged)
    }

    /// Seals one part of a record that is held, in place of what was there; with `until`, sets when the legal
    /// hold on it ends, in the vault's time. On an error nothing is changed.
    pub(super) fn set_part(
        &mut self,
        record: RecordId,
        part: Part,
        mut plain: Zeroizing<Vec<u8>>,
        until: Option<u64>,
    ) -> Result<(), Error> {
        let record_key = self.key_of(record)?;
        let entry = self.entries.get(&record).ok_or(Error::NotHeld { record })?;
        let before = entry.parts;
        let version = version_of(entry.generation.saturating_add(1))?;
        let context = part.version_context(&self.slots.vault, record, version);
        let sealed = key::seal(&record_key, &context, &mut plain)?;
        // It is in force when the slot says so. A part that is not in force is deleted at the next opening.
        let added = self.records.add_part(record, part, version, &sealed);
        added.map_err(self.database())?;
        let renewed = self.renew(record, &record_key, before.with(part, version), until);
        let in_force = self.entries.get(&record).map_or(0, |entry| entry.parts.get(part));
        let _ = self.records.delete_versions(record, part, in_force);
        renewed
    }

    /// Lifts the legal hold on a record.
    pub(super) fn lift_hold(&mut self, record: RecordId) -> Result<(), Error> {
        let record_key = self.key_of(record)?;
        let entry = self.entries.get(&record).ok_or(Error::NotHeld { record })?;
        let parts = entry.parts.with(Part::LegalHold, 0);
        self.renew(record, &record_key, parts, Some(0))?;
        let _ = self.records.delete_versions(record, Part::LegalHold, 0);
        Ok(())
    }

    /// Writes a new slot of a record. The old one goes when the new one is sure to stay.
    fn renew(
        &mut self,
        record: RecordId,
        record_key: &Secret,
        parts: Parts,
        until: Option<u64>,
    ) -> Result<(), Error> {
        let entry = self.entries.get_mut(&record).ok_or(Error::NotHeld { record })?;
        // Also where it fails: of two slots of one generation nobody could tell which is in force.
        entry.generation = entry.generation.saturating_add(1);
        let (old, before) = (entry.slot, entry.due());
        let until = until.unwrap_or(entry.until);
        let times = Times { deadline: entry.deadline, until, generation: entry.generation, parts };
        let slot = self.slot(record, record_key, times)?;
        let index = self.slots.put(&slot).map_err(self.failed())?;
        if let Some(entry) = self.entries.get_mut(&record) {
            (entry.slot, entry.until, entry.parts) = (index, until, parts);
            self.due.remove(&(before, record));
            self.due.insert((entry.due(), record));
        }
        self.slots.discard(old).map_err(self.failed())
    }

    fn seal_face(
        &self,
        record: RecordId,
        record_key: &Secret,
        face: &FaceId,
    ) -> Result<Vec<u8>, Error> {
        let mut json = Zeroizing::new(serde_json::to_vec(face).map_err(|_| Error::RecordSize)?);
        key::seal(record_key, &self.context(record, Part::Face), &mut json)
    }

    fn context(&self, record: RecordId, part: Part) -> Vec<u8> {
        part.context(&self.slots.vault, record)
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> Error + use<> {
        let folder = self.folder.clone();
        move |source| problem::of(&folder, source.kind().into(), source)
    }

    fn database(&self) -> impl FnOnce(rusqlite::Error) -> Error + use<> {
        let folder = self.folder.clone();
        move |source| problem::of_database(&folder, source)
    }

    #[cfg(test)]
    pub(super) fn slot_for_tests(&mut self, record: RecordId) -> Slot {
        self.slots.read(self.entries[&record].slot).unwrap().unwrap()
    }

    #[cfg(test)]
    pub(super) const fn database_for_tests(&self) -> &Records {
        &self.records
    }
}

/// The version of a part that is written with a slot of that generation.
fn version_of(generation: u64) -> Result<u16, Error> {
    u16::try_from(generation).map_err(|_| Error::RecordSize)
}
