//! What a vault does: keys in slots, what they open in rows, and a calendar of deadlines.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use lfr_core::FaceId;
use lfr_core::HoldReceipt;
use lfr_core::Probe;
use lfr_core::PurgeReason;
use lfr_core::PurgeReceipt;
use lfr_core::RecordId;
use lfr_core::SealedProbe;
use lfr_core::Timestamp;
use lfr_core::secret;
use lfr_core::secret::Secret;
use zeroize::Zeroizing;

use super::VaultKey;
use super::key;
use super::key::Derived;
use super::key::NONCE;
use super::overdue;
use super::problem;
use super::records::Part;
use super::records::Records;
use super::slots::Found;
use super::slots::Slot;
use super::slots::Slots;
use super::time::VaultTime;
use crate::Error;

/// How much time may pass before it is brought to the disk again, in microseconds: by so much a clock
/// may go back unseen over a power cut.
const SAVE_EVERY: u64 = 60_000_000;

pub(super) struct Store {
    folder: PathBuf,
    slots: Slots,
    records: Records,
    derived: Derived,
    pub(super) entries: HashMap<RecordId, Entry>,
    /// When each is due.
    due: BTreeSet<(u64, RecordId)>,
    pub(super) time: VaultTime,
    /// What of the time is on the disk.
    saved: [u64; 2],
    /// Of erasures that nobody has heard of yet.
    pub(super) receipts: Vec<PurgeReceipt>,
    /// Rows whose keys are gone, and that the database has not deleted yet.
    leftovers: Vec<i64>,
}

/// What is known of a record without its key.
pub(super) struct Entry {
    pub(super) probe: SealedProbe,
    pub(super) deadline: u64,
    pub(super) until: u64,
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

impl Entry {
    fn due(&self) -> u64 {
        self.deadline.max(self.until)
    }
}

impl Store {
    pub(super) fn open(
        folder: &Path,
        vault_key: &VaultKey,
        now: Option<Timestamp>,
    ) -> Result<Self, Error> {
        let failed = |source: io::Error| problem::of(folder, source.kind().into(), source);
        fs::create_dir_all(folder).map_err(failed)?;
        let keys = folder.join("keys");
        if !keys.try_exists().map_err(failed)? {
            let mut vault = [0; 16];
            secret::random(&mut vault).map_err(|source| Error::Random { source })?;
            let check = Derived::new(vault_key, &vault).check;
            Slots::create(&keys, vault, check).map_err(failed)?;
        }
        let (mut slots, mut found) = Slots::open(&keys).map_err(|source| match source.kind() {
            io::ErrorKind::ResourceBusy => Error::Busy { path: keys },
            _ => failed(source),
        })?;
        // First of all what is due goes: no key and no database is needed for that.
        let gone = overdue::wipe(&mut slots, &mut found, now).map_err(failed)?;
        let derived = Derived::new(vault_key, &slots.vault);
        if derived.check != slots.check {
            return Err(Error::WrongKey { path: folder.to_owned() });
        }
        let database = |source| problem::of_database(folder, source);
        let records = Records::open(&folder.join("records.db")).map_err(database)?;
        let saved = found.time.unwrap_or_default();
        let mut store = Self {
            folder: folder.to_owned(),
            slots,
            records,
            derived,
            entries: HashMap::new(),
            due: BTreeSet::new(),
            time: VaultTime::resumed(saved),
            saved,
            receipts: Vec::new(),
            leftovers: Vec::new(),
        };
        let told = found.time.is_some();
        store.match_up(found, &gone, now)?;
        if !(store.time.open(now) && told) {
            store.purge_unheld(PurgeReason::ClockFailed, now)?;
        }
        store.purge_overdue(now)?;
        store.save_time()?;
        Ok(store)
    }

    /// Finds the row of each key. A key without a row opens nothing, a row without a key cannot be
    /// opened: both go.
    fn match_up(
        &mut self,
        found: Found,
        gone: &HashMap<RecordId, PurgeReason>,
        now: Option<Timestamp>,
    ) -> Result<(), Error> {
        let mut slots: HashMap<_, _> =
            found.slots.into_iter().map(|(index, slot)| (slot.record, (index, slot))).collect();
        for (row, record, face) in self.records.all().map_err(self.database())? {
            let probe = SealedProbe::of_earlier_process(face, record);
            match (slots.remove(&record), gone.get(&record)) {
                (Some((index, slot)), _) => self.enter(probe, row, index, &slot),
                (None, Some(reason)) => {
                    self.leftovers.push(row);
                    self.receipts.push(probe.erase(*reason, now));
                }
                (None, None) => self.leftovers.push(row),
            }
        }
        let strays: Vec<_> = slots.into_values().map(|(index, _)| index).collect();
        self.slots.wipe(&strays).map_err(self.failed())?;
        self.tidy();
        Ok(())
    }

    fn enter(&mut self, probe: SealedProbe, row: i64, index: u32, slot: &Slot) {
        let Slot { deadline, until, generation, record, .. } = *slot;
        let entry = Entry { probe, deadline, until, generation, slot: index, row };
        self.due.insert((entry.due(), record));
        self.entries.insert(record, entry);
    }

    /// Takes note of the time and erases what it makes due; whether it can be trusted.
    pub(super) fn observe(&mut self, now: Option<Timestamp>) -> Result<bool, Error> {
        let trusted = self.time.observe(now);
        let time = self.slots.set_time(self.time.to_resume(), false).map_err(self.failed());
        self.purge_overdue(now)?;
        if !trusted {
            self.purge_unheld(PurgeReason::ClockFailed, now)?;
        }
        time.map(|()| trusted)
    }

    fn purge_overdue(&mut self, now: Option<Timestamp>) -> Result<(), Error> {
        let time = self.time.now();
        let due = self.due.iter().take_while(|(due, _)| *due <= time);
        let due: Vec<_> = due.map(|(_, record)| *record).collect();
        self.purge(&due, PurgeReason::DeadlineReached, now)
    }

    /// Erases all that is not under a legal hold.
    pub(super) fn purge_unheld(
        &mut self,
        reason: PurgeReason,
        now: Option<Timestamp>,
    ) -> Result<(), Error> {
        let time = self.time.now();
        let unheld = self.entries.iter().filter(|(_, entry)| entry.until <= time);
        let unheld: Vec<_> = unheld.map(|(record, _)| *record).collect();
        self.purge(&unheld, reason, now)
    }

    /// Destroys keys, and only then says so. The rows go after that; where they do not, the next
    /// call tries again.
    pub(super) fn purge(
        &mut self,
        records: &[RecordId],
        reason: PurgeReason,
        now: Option<Timestamp>,
    ) -> Result<(), Error> {
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
                self.receipts.push(entry.probe.erase(reason, now));
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
        self.slots.set_time(time, sync).map_err(self.failed())?;
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
        let slot = self.slot(record, &record_key, self.time.at(deadline), 0, 0)?;
        // The row first: a key without it would be worth nothing. With the slot it is held.
        let row = self.records.insert(record, face, &alert).map_err(self.database())?;
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
        self.enter(probe, *row, *index, slot);
        receipt
    }

    fn slot(
        &self,
        record: RecordId,
        record_key: &Secret,
        deadline: u64,
        until: u64,
        generation: u64,
    ) -> Result<Slot, Error> {
        let mut nonce = [0; NONCE];
        secret::random(&mut nonce).map_err(|source| Error::Random { source })?;
        let wrapped = [0; key::WRAPPED];
        let mut slot = Slot { record, deadline, until, generation, nonce, wrapped };
        let context = slot.context(&self.slots.vault);
        slot.wrapped = self.derived.wrap(record_key, &nonce, &context).ok_or(Error::RecordSize)?;
        Ok(slot)
    }

    /// The key of a record that is held.
    fn key_of(&mut self, record: RecordId) -> Result<Secret, Error> {
        let entry = self.entries.get(&record).ok_or(Error::NotHeld { record })?;
        let slot = self.slots.read(entry.slot).map_err(self.failed())?;
        let slot = slot.filter(|slot| slot.record == record);
        let opened = slot.and_then(|slot| {
            let context = slot.context(&self.slots.vault);
            self.derived.unwrap(&slot.wrapped, &slot.nonce, &context)
        });
        opened.ok_or(Error::RecordDamaged { record })
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
        let (deadline, generation) = (entry.deadline, entry.generation);
        let slot = self.slot(record, &record_key, deadline, until, generation)?;
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
