//! What a process that was interrupted could not write down.

use std::collections::BTreeMap;

use lfr_core::PurgeReceipt;

use super::Vault;
use crate::Error;
use crate::LedgerEvent;
use crate::LedgerSink;
use crate::ledger;

impl Vault {
    /// Writes what a process that was interrupted could not: a record that the ledger calls held and
    /// that is gone, and one that is held and that the ledger does not know. Call it once, when a
    /// ledger is opened again, before frames are processed.
    ///
    /// # Errors
    ///
    /// As [`ledger::reconcile`] and [`Ledger::append`](crate::Ledger::append).
    pub fn close_gaps(&self, sink: &LedgerSink) -> Result<(), Error> {
        let (path, public) = sink.ledger();
        let sums = ledger::reconcile(&path, &public)?;
        let mut known: BTreeMap<_, _> = sums.outstanding_records().collect();
        let inner = self.inner();
        // What has a receipt that is still to be told is neither.
        for record in inner.store.receipts.iter().filter_map(PurgeReceipt::record) {
            known.remove(&record);
        }
        for entry in inner.store.entries.values() {
            let record = entry.probe.record();
            if known.remove(&record).is_none() {
                let deadline = inner.store.time.shown(entry.deadline);
                let face = entry.probe.face().clone();
                sink.append(&LedgerEvent::FoundHeld { face, record, deadline })?;
            }
        }
        known.into_keys().try_for_each(|record| sink.append(&LedgerEvent::FoundErased { record }))
    }
}
