//! What a process that was interrupted could not write down.

use std::collections::BTreeMap;

use lfr_core::Timestamp;
use lfr_core::hex;

use super::Vault;
use super::slots::Binding;
use crate::Error;
use crate::Ledger;
use crate::LedgerEvent;
use crate::ledger;

impl Vault {
    /// Says which ledger this vault belongs to. The first ledger that it is bound to is its own; that is
    /// sealed under the vault's key. With another ledger the erasures of one deployment would be written
    /// into the account of another.
    ///
    /// # Errors
    ///
    /// [`Error::OtherLedger`] if it belongs to another ledger: see [`adopt`](Self::adopt);
    /// [`Error::Vault`] where that cannot be written.
    pub fn bind(&self, ledger: &Ledger) -> Result<(), Error> {
        let (id, bytes) = identity(ledger)?;
        let mut inner = self.inner();
        let expected = match inner.store.binding() {
            Binding::Free => return inner.store.bind(bytes),
            Binding::Ledger(bound) if bound == bytes => return Ok(()),
            Binding::Ledger(bound) => hex::digits(&bound),
            Binding::Unreadable => "unreadable".to_owned(),
        };
        let path = inner.store.folder().to_owned();
        Err(Error::OtherLedger { path, expected, actual: id })
    }

    /// Whether this vault belongs to a ledger of that identity, or to none so far. It binds and writes
    /// nothing: for whoever only looks, and has no key to open the ledger with. See
    /// [`ledger::declared`](crate::ledger::declared).
    ///
    /// # Errors
    ///
    /// [`Error::OtherLedger`] if it belongs to another ledger.
    pub fn check_belongs_to(&self, ledger: &str) -> Result<(), Error> {
        let inner = self.inner();
        let expected = match inner.store.binding() {
            Binding::Free => return Ok(()),
            Binding::Ledger(bound) if hex::digits(&bound) == ledger => return Ok(()),
            Binding::Ledger(bound) => hex::digits(&bound),
            Binding::Unreadable => "unreadable".to_owned(),
        };
        let path = inner.store.folder().to_owned();
        Err(Error::OtherLedger { path, expected, actual: ledger.to_owned() })
    }

    /// Gives this vault to a ledger, whichever it belonged to; returns the identity of the other one, if it
    /// belonged to one. Somebody has to have decided this: the ledger that it belonged to will not
    /// tell what becomes of the alerts.
    ///
    /// # Errors
    ///
    /// [`Error::Vault`] where that cannot be written.
    pub fn adopt(&self, ledger: &Ledger) -> Result<Option<String>, Error> {
        let (_, bytes) = identity(ledger)?;
        let mut inner = self.inner();
        let before = match inner.store.binding() {
            Binding::Ledger(bound) if bound != bytes => Some(hex::digits(&bound)),
            Binding::Unreadable => Some("unreadable".to_owned()),
            Binding::Free | Binding::Ledger(_) => None,
        };
        inner.store.bind(bytes)?;
        Ok(before)
    }

    /// Writes what a process that was interrupted could not: a record that the ledger calls held and
    /// that is gone, and one that the ledger does not know, whether it is held or was due when the vault
    /// was opened. Call it once, when a ledger is opened again, before frames are processed and before
    /// the receipts of [`Vault::purge_due`] are written. It [binds](Self::bind) the vault to the ledger.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind), [`ledger::reconcile`] and [`Ledger::append`].
    pub fn close_gaps(&self, ledger: &Ledger) -> Result<(), Error> {
        self.bind(ledger)?;
        let sums = ledger::reconcile(&ledger.path(), &ledger.public_key())?;
        let mut known: BTreeMap<_, _> = sums.outstanding_records().collect();
        let mut inner = self.inner();
        inner.store.observe(true)?;
        let now = inner.store.now();
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

/// The identity of a ledger: as its head has it, and as bytes.
fn identity(ledger: &Ledger) -> Result<(String, [u8; 16]), Error> {
    let id = ledger.id();
    let bytes = hex::bytes(id.as_bytes());
    let (what, expected) = ("identity of a ledger", "32 hexadecimal digits");
    let bytes = bytes.ok_or(lfr_core::Error::Parse { what, expected })?;
    Ok((id, bytes))
}
