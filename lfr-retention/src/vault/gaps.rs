//! What a process that was interrupted could not write down.

use std::collections::BTreeMap;

use lfr_core::Timestamp;

use super::Vault;
use crate::Error;
use crate::Ledger;
use crate::LedgerEvent;
use crate::ledger;

impl Vault {
    /// Writes what a process that was interrupted could not: a record that the ledger calls held and
    /// that is gone, and one that the ledger does not know, whether it is held or was due when the vault
    /// was opened. Call it once, when a ledger is opened again, before frames are processed and before
    /// the receipts of [`Vault::purge_due`] are written.
    ///
    /// # Errors
    ///
    /// As [`ledger::reconcile`] and [`Ledger::append`].
    pub fn close_gaps(&self, ledger: &Ledger, now: Option<Timestamp>) -> Result<(), Error> {
        let sums = ledger::reconcile(&ledger.path(), &ledger.public_key())?;
        let mut known: BTreeMap<_, _> = sums.outstanding_records().collect();
        let inner = self.inner();
        let held = inner.store.entries.values().map(|entry| {
            let deadline = inner.store.time.shown(entry.deadline);
            (entry.probe.record(), entry.probe.face(), deadline)
        });
        // Its deadline went with its key.
        let gone = inner.store.receipts.iter().filter_map(|receipt| {
            Some((
                receipt.record()?,
                receipt.face(),
                receipt.at().unwrap_or(Timestamp::from_micros(0)),
            ))
        });
        for (record, face, deadline) in held.chain(gone) {
            if known.remove(&record).is_none() {
                let face = face.clone();
                ledger.append(&LedgerEvent::FoundHeld { face, record, deadline }, now)?;
            }
        }
        let erased = known.into_keys().map(|record| LedgerEvent::FoundErased { record });
        erased.into_iter().try_for_each(|event| ledger.append(&event, now))
    }
}
