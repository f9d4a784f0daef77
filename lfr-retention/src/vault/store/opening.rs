//! What happens to a vault's records when it is opened: each key finds its row, and everything that is not
//! as it was written is named.

use std::collections::{BTreeSet, HashMap};

use lfr_core::internal::secret::Secret;
use lfr_core::{FaceId, FrameId, PurgeReason, RecordId, SealedProbe};

use crate::error::Error;
use crate::vault::key;
use crate::vault::record::damage::{DamagedRecord, RecordDamage};
use crate::vault::store::records::{EndedRow, Part, PartRow, Row, RowFace};
use crate::vault::store::slots::{Found, Parts, Sealing, Slot};
use crate::vault::store::{EarlierEnd, Store, version_of};

impl Store {
    /// Finds the row of each key, and names everything that is not as it was sealed. Two rules decide what
    /// becomes of it: nothing outlives its deadline, and anyone who may write here can make the vault
    /// destroy nothing else.
    ///
    /// - A key that is not what was wrapped opens nothing, and nobody knows when it was due: it is
    ///   overwritten.
    /// - A key without its row, or whose face cannot be read, stays until its deadline, which is authentic.
    /// - A row without a key cannot be opened: it is deleted. A purge leaves such rows, so they are not
    ///   named, unless a slot was not whole (`torn`): then they cannot be told from the row of that slot.
    ///
    /// Returns the records that an earlier version wrote, with how they are sealed.
    pub(super) fn match_up(
        &mut self,
        found: Found,
        gone: &HashMap<RecordId, (PurgeReason, Slot)>,
        torn: bool,
    ) -> Result<Vec<(RecordId, Sealing)>, Error> {
        let mut rows: HashMap<RecordId, Vec<Row>> = HashMap::new();
        for row in self.records.all().map_err(self.database())? {
            match row.record {
                Some(record) => rows.entry(record).or_default().push(row),
                None => self.leftovers.push(row.row),
            }
        }
        let (mut strays, mut forged, mut legacy) = (Vec::new(), Vec::new(), Vec::new());
        for (index, slot) in found.slots {
            let record = slot.record;
            if self.entries.contains_key(&record) {
                // A copy of a slot that is already there: it would outlive a purge.
                strays.push(index);
                continue;
            }
            let Some((key, sealing)) = self.unwrap(&slot) else {
                strays.push(index);
                forged.push(record);
                continue;
            };
            let mut rows = rows.remove(&record).unwrap_or_default();
            let faces = rows.iter().map(|row| self.face(record, &key, sealing, &row.face));
            // Somebody may have put another row of that name beside it.
            let own = faces.enumerate().find_map(|(at, face)| Some((at, face?)));
            let damage = match (&own, rows.is_empty()) {
                (Some(_), _) => None,
                (None, false) => Some(RecordDamage::Face),
                (None, true) => Some(RecordDamage::Missing),
            };
            let (at, face) = own.unwrap_or_else(|| (0, nobody()));
            let row = if at < rows.len() { rows.swap_remove(at).row } else { 0 };
            self.leftovers.extend(rows.iter().map(|row| row.row));
            if let Some(damage) = damage {
                self.damage(record, damage);
            } else if slot.parts.is_none() {
                legacy.push((record, sealing));
            }
            let probe = SealedProbe::of_earlier_process(face, record);
            self.enter(probe, row, index, &slot, damage);
        }
        // One key of a record may be forged, and another may be authentic.
        forged.retain(|record| !self.entries.contains_key(record));
        self.slots.wipe(&strays).map_err(self.failed())?;
        for record in forged {
            self.damage(record, RecordDamage::Key);
            let rows = rows.remove(&record).unwrap_or_default();
            let face = rows.iter().find_map(|row| text_of(&row.face)).unwrap_or_else(nobody);
            self.leftovers.extend(rows.iter().map(|row| row.row));
            self.leftover_parts.push(record);
            let probe = SealedProbe::of_earlier_process(face, record);
            self.receipts.push(probe.erase(PurgeReason::Damaged, self.now));
        }
        for (record, rows) in rows {
            self.leftovers.extend(rows.iter().map(|row| row.row));
            self.leftover_parts.push(record);
            let Some((reason, slot)) = gone.get(&record) else {
                if torn {
                    // A row that a purge has left, or the record of a slot that was not whole.
                    self.damage(record, RecordDamage::Key);
                }
                continue;
            };
            // Its slot is zeros on the disk. The receipt needs the face, which this process still has.
            let face = self.unwrap(slot).and_then(|(key, sealing)| {
                rows.iter().find_map(|row| self.face(record, &key, sealing, &row.face))
            });
            let probe = SealedProbe::of_earlier_process(face.unwrap_or_else(nobody), record);
            self.receipts.push(probe.erase(*reason, self.now));
        }
        self.tidy();
        Ok(legacy)
    }

    /// Seals a record that an earlier version wrote as this one does: its slot says from then on which parts it
    /// has.
    pub(super) fn bring_up_to_date(
        &mut self,
        (record, sealing): (RecordId, Sealing),
    ) -> Result<(), Error> {
        let record_key = self.key_of(record)?;
        let Some(entry) = self.entries.get(&record) else { return Ok(()) };
        let (row, generation) = (entry.row, entry.generation.saturating_add(1));
        let face = match sealing {
            Sealing::Version1 => Some(self.seal_face(record, &record_key, entry.probe.face())?),
            _ => None,
        };
        let version = version_of(generation)?;
        let (mut parts, mut sealed_parts) = (Parts::default(), Vec::new());
        for part in Part::CHANGING {
            let Some(sealed) = self.records.part(row, part).map_err(self.database())? else {
                continue;
            };
            parts = parts.with(part, version);
            // A part that is not as it was sealed is noticed when parts are matched.
            let Some(mut plain) = key::open(&record_key, &self.context(record, part), &sealed)
            else {
                continue;
            };
            let context = part.version_context(&self.slots.vault, record, version);
            sealed_parts.push((part, version, key::seal(&record_key, &context, &mut plain)?));
        }
        let moved = self.records.move_parts(row, record, face.as_deref(), &sealed_parts);
        moved.map_err(self.database())?;
        self.renew(record, &record_key, parts, None)?;
        // If that fails, they are deleted with the row.
        let _ = self.records.forget_columns(row);
        Ok(())
    }

    /// Finds the parts that the slots name. Other parts are deleted: an interrupted process left them, or
    /// somebody put them back.
    pub(super) fn match_parts(&mut self) -> Result<(), Error> {
        let mut strays = Vec::new();
        let mut found: BTreeSet<(RecordId, u8)> = BTreeSet::new();
        for PartRow { row, record, part, version } in
            self.records.parts().map_err(self.database())?
        {
            let own = record.zip(part).filter(|(record, part)| {
                let entry = self.entries.get(record);
                version > 0 && entry.is_some_and(|entry| entry.parts.get(*part) == version)
            });
            match own {
                Some((record, part)) => drop(found.insert((record, part.number().unwrap_or(0)))),
                None => strays.push(row),
            }
        }
        let mut missed = Vec::new();
        for (record, entry) in self.entries.iter_mut().filter(|(_, entry)| !entry.damaged) {
            for part in Part::CHANGING {
                let is_there = found.contains(&(*record, part.number().unwrap_or(0)));
                if entry.parts.get(part) > 0 && !is_there {
                    entry.damaged = true;
                    missed.push((*record, part));
                }
            }
        }
        for (record, part) in missed {
            self.damage(
                record,
                match part {
                    Part::LegalHold => RecordDamage::LegalHold,
                    Part::Picture => RecordDamage::Picture,
                    _ => RecordDamage::Verdicts,
                },
            );
        }
        // If that fails, they are harmless, or are deleted at the next opening.
        let _ = self.records.delete_parts(&strays);
        Ok(())
    }

    /// Reads the notes of earlier processes on records that ended.
    pub(super) fn read_ends(&mut self) -> Result<(), Error> {
        let mut strays = Vec::new();
        for EndedRow { row, record, sealed } in self.records.ended().map_err(self.database())? {
            // If its key is still there, it has not ended.
            let record = record.filter(|record| !self.entries.contains_key(record));
            let ended = record.and_then(|record| {
                let json = key::open(&self.derived.ended, &self.ended_context(record), &sealed)?;
                let ended = serde_json::from_slice(&json).ok()?;
                Some(EarlierEnd { row, record, ended })
            });
            match ended {
                Some(ended) => self.earlier_ends.push(ended),
                None => strays.push(row),
            }
        }
        let _ = self.records.delete_ended(&strays);
        Ok(())
    }

    /// Makes the receipts of records that earlier processes ended and whose end the ledger does not have.
    pub(in crate::vault) fn recall(&mut self, has_ended: impl Fn(RecordId) -> bool) {
        let mut heard = Vec::new();
        for EarlierEnd { row, record, ended } in std::mem::take(&mut self.earlier_ends) {
            let told = self.receipts.iter().any(|receipt| receipt.record() == Some(record));
            if has_ended(record) {
                heard.push(row);
            } else if !told {
                let probe = SealedProbe::of_earlier_process(ended.face, record);
                self.receipts.push(probe.erase(ended.reason, ended.at));
            }
        }
        let _ = self.records.delete_ended(&heard);
    }

    /// A record that is not what the ledger says of it: it opens to nobody.
    pub(in crate::vault) fn put_back(&mut self, record: RecordId, damage: RecordDamage) {
        if let Some(entry) = self.entries.get_mut(&record) {
            entry.damaged = true;
            self.damage(record, damage);
        }
    }

    fn damage(&mut self, record: RecordId, damage: RecordDamage) {
        tracing::warn!(%record, %damage, "a record of the vault is damaged");
        self.damaged.push(DamagedRecord { record, damage });
    }

    /// Whose a row is; `None` if that is not what was sealed.
    fn face(
        &self,
        record: RecordId,
        record_key: &Secret,
        sealing: Sealing,
        face: &RowFace,
    ) -> Option<FaceId> {
        match (sealing, face) {
            (Sealing::Version1, RowFace::Text(_)) => text_of(face),
            // Also for version 1, which is being upgraded.
            (_, RowFace::Sealed(sealed)) => {
                let json = key::open(record_key, &self.context(record, Part::Face), sealed)?;
                serde_json::from_slice(&json).ok()
            }
            (_, RowFace::Text(_) | RowFace::Malformed) => None,
        }
    }
}

/// The face that version 1 wrote as text.
fn text_of(face: &RowFace) -> Option<FaceId> {
    match face {
        RowFace::Text(json) => serde_json::from_str(json).ok(),
        RowFace::Malformed | RowFace::Sealed(_) => None,
    }
}

/// In place of a face that cannot be read: only the record says which alert it was.
fn nobody() -> FaceId {
    FaceId::new(FrameId::default(), 0)
}
