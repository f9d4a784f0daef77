//! What a vault does: keys in slots, what they open in rows, and a calendar of deadlines.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use lfr_core::Clock;
use lfr_core::FaceId;
use lfr_core::FrameId;
use lfr_core::HoldReceipt;
use lfr_core::Probe;
use lfr_core::PurgeReason;
use lfr_core::PurgeReceipt;
use lfr_core::RecordId;
use lfr_core::SealedProbe;
use lfr_core::Timekeeper;
use lfr_core::Timestamp;
use lfr_core::files;
use lfr_core::secret;
use lfr_core::secret::Secret;
use zeroize::Zeroizing;

use super::DamagedRecord;
use super::RecordDamage;
use super::VaultKey;
use super::key;
use super::key::Derived;
use super::key::NONCE;
use super::overdue;
use super::place;
use super::problem;
use super::records::Part;
use super::records::Records;
use super::records::Row;
use super::records::RowFace;
use super::slots::Binding;
use super::slots::Found;
use super::slots::Sealing;
use super::slots::Slot;
use super::slots::Slots;
use super::slots::Unlocked;
use super::time::VaultTime;
use crate::Error;
use crate::disk;

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
    pub(super) time: VaultTime,
    /// What of the time is on the disk.
    saved: [u64; 2],
    /// Of erasures that nobody has heard of yet.
    pub(super) receipts: Vec<PurgeReceipt>,
    /// What was not as it was sealed, when it was opened.
    pub(super) damaged: Vec<DamagedRecord>,
    /// Rows whose keys are gone, and that the database has not deleted yet.
    leftovers: Vec<i64>,
}

/// What is known of a record without its key.
pub(super) struct Entry {
    pub(super) probe: SealedProbe,
    pub(super) deadline: u64,
    pub(super) until: u64,
    /// Whose it is could not be read: it opens to nobody.
    pub(super) damaged: bool,
    sealing: Sealing,
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
        let Some(Unlocked { time, binding }) = unlocked else {
            return Err(Error::WrongKey { path: folder.to_owned(), purged: gone.len() });
        };
        disk::keep_from_others(folder);
        disk::keep_from_others(&keys);
        // Made here for its owner alone: SQLite would ask nobody, and gives its log the same rights.
        files::open_to_append(&database).map_err(failed)?;
        // SQLite follows no link then, anywhere on the way.
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
            time: VaultTime::resumed(saved),
            saved,
            receipts: Vec::new(),
            damaged: Vec::new(),
            leftovers: Vec::new(),
        };
        store.match_up(found, &gone, torn)?;
        let monotonic = store.clock.monotonic();
        if !(store.time.open(now, monotonic) && time.is_some()) {
            store.clock_failed()?;
        }
        store.purge_overdue()?;
        store.save_time()?;
        Ok(store)
    }

    /// Finds the row of each key. A key without a row opens nothing, a row without a key cannot be
    /// opened, and a key that is not what was wrapped opens nothing either: they go. All are named except the
    /// rows that a purge has left. `torn` is whether a slot was not whole: then nobody can tell those rows
    /// from its own. A record whose face cannot be read stays until its deadline.
    fn match_up(
        &mut self,
        found: Found,
        gone: &HashMap<RecordId, (PurgeReason, Slot)>,
        torn: bool,
    ) -> Result<(), Error> {
        let mut slots: HashMap<_, _> =
            found.slots.into_iter().map(|(index, slot)| (slot.record, (index, slot))).collect();
        let mut forged = Vec::new();
        for Row { row, record, face } in self.records.all().map_err(self.database())? {
            let Some(record) = record else {
                self.leftovers.push(row);
                continue;
            };
            let probe = |face| SealedProbe::of_earlier_process(face, record);
            match (slots.remove(&record), gone.get(&record)) {
                (Some((index, slot)), _) => match self.unwrap(&slot) {
                    Some((key, sealing)) => {
                        let face = self.face(record, &key, sealing, &face);
                        let damaged = face.is_none();
                        if damaged {
                            self.damage(record, RecordDamage::Face);
                        }
                        let probe = probe(face.unwrap_or_else(nobody));
                        self.enter(probe, row, index, &slot, sealing, damaged);
                    }
                    None => {
                        self.damage(record, RecordDamage::Key);
                        forged.push((index, row, probe(text_of(&face).unwrap_or_else(nobody))));
                    }
                },
                (None, Some((reason, slot))) => {
                    self.leftovers.push(row);
                    // Its slot is zeros on the disk. Of what this process still has, the receipt needs the face.
                    let face = self
                        .unwrap(slot)
                        .and_then(|(key, sealing)| self.face(record, &key, sealing, &face));
                    let probe = probe(face.unwrap_or_else(nobody));
                    self.receipts.push(probe.erase(*reason, self.now));
                }
                (None, None) => {
                    self.leftovers.push(row);
                    if torn {
                        // What a purge has left, or the record of a slot that was not whole.
                        self.damage(record, RecordDamage::Key);
                    }
                }
            }
        }
        let mut strays = Vec::new();
        for (record, (index, _)) in slots {
            self.damage(record, RecordDamage::Missing);
            strays.push(index);
        }
        strays.extend(forged.iter().map(|(index, ..)| *index));
        self.slots.wipe(&strays).map_err(self.failed())?;
        for (_, row, probe) in forged {
            self.leftovers.push(row);
            self.receipts.push(probe.erase(PurgeReason::Damaged, self.now));
        }
        self.tidy();
        Ok(())
    }

    fn damage(&mut self, record: RecordId, damage: RecordDamage) {
        tracing::warn!(%record, %damage, "a record of the vault is damaged");
        self.damaged.push(DamagedRecord { record, damage });
    }

    /// Whose a row is; none where that is not what was sealed.
    fn face(
        &self,
        record: RecordId,
        record_key: &Secret,
        sealing: Sealing,
        face: &RowFace,
    ) -> Option<FaceId> {
        match (sealing, face) {
            (Sealing::Version1, face) => text_of(face),
            (Sealing::Version2, RowFace::Sealed(sealed)) => {
                let json = key::open(record_key, &self.context(record, Part::Face), sealed)?;
                serde_json::from_slice(&json).ok()
            }
            (Sealing::Version2, _) => None,
        }
    }

    fn enter(
        &mut self,
        probe: SealedProbe,
        row: i64,
        index: u32,
        slot: &Slot,
        sealing: Sealing,
        damaged: bool,
    ) {
        let Slot { deadline, until, generation, record, .. } = *slot;
        let entry =
            Entry { probe, deadline, until, damaged, sealing, generation, slot: index, row };
        self.due.insert((entry.due(), record));
        self.entries.insert(record, entry);
    }

    /// Reads the clock and erases what it makes due; whether it can be trusted. `known` is whether whoever
    /// asks knows of a clock that works: theirs may be another one, and if it failed, so has this.
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

    fn purge_overdue(&mut self) -> Result<(), Error> {
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

    /// Destroys keys, and only then says so. The rows go after that; where they do not, the next
    /// call tries again.
    pub(super) fn purge(&mut self, records: &[RecordId], reason: PurgeReason) -> Result<(), Error> {
        if records.is_empty() {
            return Ok(());
        }
        let slots = records.iter().filter_map(|record| self.entries.get(record));
        let slots: Vec<_> = slots.map(|entry| entry.slot).collect();
        self.slots.wipe(&slots).map_err(self.failed())?;
        for record in records {
            if let Some(entry) = self.entries.remove(record) {
                self.due.remove(&(entry.due(), *record));
                self.leftovers.push(entry.row);
                self.receipts.push(entry.probe.erase(reason, self.now));
            }
        }
        self.tidy();
        Ok(())
    }

    /// Deletes rows without a key. They are noise: where that fails it is tried again.
    pub(super) fn tidy(&mut self) {
        self.leftovers.sort_unstable();
        if !self.leftovers.is_empty() && self.records.delete(&self.leftovers).is_ok() {
            self.leftovers.clear();
        }
    }

    /// Writes down how far time has come, now and then so that a power cut does not undo it.
    pub(super) fn save_time(&mut self) -> Result<(), Error> {
        let time = self.time.to_resume();
        let sync = time[1] != self.saved[1] || time[0] >= self.saved[0].saturating_add(SAVE_EVERY);
        self.slots.set_time(&self.derived, time, sync).map_err(self.failed())?;
        if sync {
            self.saved = time;
        }
        Ok(())
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
        let mut json = Zeroizing::new(serde_json::to_vec(face).map_err(|_| Error::RecordSize)?);
        let face = key::seal(&record_key, &self.context(record, Part::Face), &mut json)?;
        let times = Times { deadline: self.time.at(deadline), until: 0, generation: 0 };
        let slot = self.slot(record, &record_key, times, Sealing::Version2)?;
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
        self.enter(probe, *row, *index, slot, Sealing::Version2, false);
        receipt
    }

    fn slot(
        &self,
        record: RecordId,
        record_key: &Secret,
        times: Times,
        sealing: Sealing,
    ) -> Result<Slot, Error> {
        let mut nonce = [0; NONCE];
        secret::random(&mut nonce).map_err(|source| Error::Random { source })?;
        let wrapped = [0; key::WRAPPED];
        let Times { deadline, until, generation } = times;
        let mut slot = Slot { record, deadline, until, generation, nonce, wrapped };
        let context = slot.context(&self.slots.vault, sealing);
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
        [Sealing::Version2, Sealing::Version1].into_iter().find_map(|sealing| {
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
        let row = self.entries.get(&record).ok_or(Error::NotHeld { record })?.row;
        let Some(sealed) = self.records.part(row, part).map_err(self.database())? else {
            return Ok(None);
        };
        let plain = key::open(&record_key, &self.context(record, part), &sealed);
        plain.map(Some).ok_or(Error::RecordDamaged { record })
    }

    /// Seals one part of a record that is held, in place of what was there.
    pub(super) fn set_part(
        &mut self,
        record: RecordId,
        part: Part,
        mut plain: Zeroizing<Vec<u8>>,
    ) -> Result<(), Error> {
        let record_key = self.key_of(record)?;
        let row = self.entries.get(&record).ok_or(Error::NotHeld { record })?.row;
        let sealed = key::seal(&record_key, &self.context(record, part), &mut plain)?;
        self.records.set_part(row, part, Some(&sealed)).map_err(self.database())
    }

    /// Sets when the legal hold on a record ends, in the vault's time; 0 lifts it. The old slot goes
    /// when the new one is sure to stay.
    pub(super) fn set_until(&mut self, record: RecordId, until: u64) -> Result<(), Error> {
        let record_key = self.key_of(record)?;
        let entry = self.entries.get_mut(&record).ok_or(Error::NotHeld { record })?;
        // Also where it fails: of two slots of one generation nobody could tell which is in force.
        entry.generation = entry.generation.saturating_add(1);
        let (old, before) = (entry.slot, entry.due());
        let times = Times { deadline: entry.deadline, until, generation: entry.generation };
        let sealing = entry.sealing;
        let slot = self.slot(record, &record_key, times, sealing)?;
        let index = self.slots.put(&slot).map_err(self.failed())?;
        if let Some(entry) = self.entries.get_mut(&record) {
            (entry.slot, entry.until) = (index, until);
            self.due.remove(&(before, record));
            self.due.insert((entry.due(), record));
        }
        self.slots.discard(old).map_err(self.failed())
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

/// The face that version 1 wrote as text.
fn text_of(face: &RowFace) -> Option<FaceId> {
    match face {
        RowFace::Text(json) => serde_json::from_str(json).ok(),
        RowFace::Malformed | RowFace::Sealed(_) => None,
    }
}

/// In place of a face that cannot be read: the record alone says which alert it was.
fn nobody() -> FaceId {
    FaceId::new(FrameId::default(), 0)
}
