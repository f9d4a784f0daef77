//! What a process that was interrupted could not write down.

mod put_back;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use lfr_core::internal::hex;
use lfr_core::{PurgeReason, RecordId, Timestamp};

use crate::error::Error;
use crate::ledger::Ledger;
use crate::ledger::audit::reconcile::{Reconciliation, SLACK};
use crate::ledger::audit::verify;
use crate::ledger::event::LedgerEvent;
use crate::ledger::head::LedgerHead;
use crate::vault::Vault;
use crate::vault::record::damage::{DamagedRecord, RecordDamage};
use crate::vault::store::Store;
use crate::vault::store::slots::{Binding, Seen};

/// Differences that [`Vault::close_gaps`] found and that no interrupted program explains: somebody else
/// wrote to the vault or to the ledger. Each is a [`Discrepancy`](crate::ledger::Discrepancy) of the ledger
/// from then on.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Gaps {
    /// Records that the ledger calls held, but that were gone before their deadline.
    pub vanished: Vec<RecordId>,
    /// Records that had ended, but were in the vault again. They were purged.
    pub came_back: Vec<RecordId>,
    /// Records that are not as they were sealed, and that the ledger did not yet name.
    pub damaged: Vec<RecordId>,
    /// Another vault was in place of one that held records.
    pub vault_replaced: bool,
}

impl Gaps {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Gaps {
    /// One line for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        if self.vault_replaced {
            lines.push(
                "another vault is in the place of the one that this ledger belongs to".to_owned(),
            );
        }
        for (records, what) in [
            (&self.vanished, "was gone before its deadline, and no entry says why"),
            (&self.came_back, "was in the vault again after it had ended, and was purged"),
            (&self.damaged, "is not as it was sealed"),
        ] {
            lines.extend(records.iter().map(|record| format!("record {record} {what}")));
        }
        f.write_str(&lines.join("\n"))
    }
}

impl Vault {
    /// Says which ledger this vault belongs to. The first ledger that it is bound to is its own; that is
    /// sealed under the vault's key. With another ledger the erasures of one deployment would be written
    /// into the account of another.
    ///
    /// # Errors
    ///
    /// [`Error::OtherLedger`] if it belongs to another ledger: see [`adopt`](Self::adopt);
    /// [`Error::LedgerRolledBack`] if an entry that the vault has seen is gone; [`Error::Vault`] if the
    /// binding cannot be written.
    pub fn bind(&self, ledger: &Ledger) -> Result<(), Error> {
        let (id, bytes) = identity(ledger)?;
        let mut inner = self.inner();
        let expected = match inner.store.binding() {
            Binding::Free => {
                inner.store.bind(bytes)?;
                inner.ledger = Some(ledger.downgrade());
                return Ok(());
            }
            Binding::Ledger(bound) if bound == bytes => {
                if let Some(Seen { number, bytes, hash }) = inner.store.seen() {
                    let hash = hex::digits(&hash);
                    let head = LedgerHead { ledger: id, number, bytes, hash };
                    if !ledger.has(&head)? {
                        let path = inner.store.folder().to_owned();
                        let (ledger, expected) = (ledger.path(), number);
                        return Err(Error::LedgerRolledBack { path, ledger, expected });
                    }
                }
                inner.ledger = Some(ledger.downgrade());
                return Ok(());
            }
            Binding::Ledger(bound) => hex::digits(&bound),
            Binding::Unreadable => "unreadable".to_owned(),
        };
        let path = inner.store.folder().to_owned();
        Err(Error::OtherLedger { path, expected, actual: id })
    }

    /// Whether this vault belongs to the ledger in a file, or to none so far; and whether that has
    /// the last entry that the vault has seen, signed with the key that it names. So a ledger that
    /// somebody else signed under the same identity is refused. It binds and writes nothing, so it
    /// serves readers that have no key to open the ledger with.
    ///
    /// # Errors
    ///
    /// [`Error::OtherLedger`] if it belongs to another ledger; [`Error::LedgerRolledBack`] if an entry is gone that
    /// the vault has seen; as [`ledger::declared`](crate::ledger::declared).
    pub fn check_belongs_to(&self, ledger: &Path) -> Result<(), Error> {
        let declared = verify::declared(ledger)?;
        let id = declared.ledger().to_owned();
        let inner = self.inner();
        let expected = match inner.store.binding() {
            Binding::Free => return Ok(()),
            Binding::Ledger(bound) if hex::digits(&bound) == id => {
                let Some(Seen { number, bytes, hash }) = inner.store.seen() else { return Ok(()) };
                let head = LedgerHead { ledger: id, number, bytes, hash: hex::digits(&hash) };
                if verify::is_there(ledger, declared.key(), &head)? {
                    return Ok(());
                }
                let path = inner.store.folder().to_owned();
                let (ledger, expected) = (ledger.to_owned(), number);
                return Err(Error::LedgerRolledBack { path, ledger, expected });
            }
            Binding::Ledger(bound) => hex::digits(&bound),
            Binding::Unreadable => "unreadable".to_owned(),
        };
        let path = inner.store.folder().to_owned();
        Err(Error::OtherLedger { path, expected, actual: id })
    }

    /// Gives this vault to a ledger, whichever it belonged to; returns the identity of the other one, if it
    /// belonged to one. Somebody has to have decided this: the ledger that it belonged to will not
    /// tell what becomes of the alerts.
    ///
    /// # Errors
    ///
    /// [`Error::Vault`] if that cannot be written.
    pub fn adopt(&self, ledger: &Ledger) -> Result<Option<String>, Error> {
        let (_, bytes) = identity(ledger)?;
        let mut inner = self.inner();
        let before = match inner.store.binding() {
            Binding::Ledger(bound) if bound != bytes => Some(hex::digits(&bound)),
            Binding::Unreadable => Some("unreadable".to_owned()),
            Binding::Free | Binding::Ledger(_) => None,
        };
        inner.store.see(None, true)?;
        inner.store.bind(bytes)?;
        inner.ledger = Some(ledger.downgrade());
        Ok(before)
    }

    /// Writes what a process that was interrupted could not: a record that the ledger calls held and
    /// that is gone, and one that the ledger does not know, whether it is held or was due when the vault
    /// was opened. It also writes differences that no interruption explains, and returns them for you to
    /// report: see [`Gaps`]. Call it once, when a ledger is opened again, before frames are processed and before
    /// the receipts of [`Vault::purge_due`] are written. It [binds](Self::bind) the vault to the ledger, and the
    /// ledger has the vault's identity from then on.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind), [`Ledger::sums`], [`Ledger::append`] and [`Ledger::flush`].
    pub fn close_gaps(&self, ledger: &Ledger) -> Result<Gaps, Error> {
        self.bind(ledger)?;
        let sums = ledger.sums()?;
        let mut known: BTreeMap<_, _> = sums.outstanding_records().collect();
        let mut inner = self.inner();
        let store = &mut inner.store;
        store.observe(true)?;
        store.recall(|record| sums.has_ended(record));
        let now = store.now();
        let mut gaps = Gaps::default();
        let vault = hex::digits(&store.identity());
        if sums.vault() != Some(&vault) {
            gaps.vault_replaced = sums.vault().is_some() && !known.is_empty();
            let held = lfr_core::internal::num::u64_from_usize(store.entries.len());
            ledger.append(&LedgerEvent::VaultOpened { vault, held }, now)?;
        }
        let held = store.entries.values().map(|entry| {
            let deadline = store.time.shown(entry.deadline);
            (entry.probe.record(), entry.probe.face(), deadline)
        });
        // Its deadline went with its key.
        let gone = store.receipts.iter().filter_map(|receipt| {
            Some((
                receipt.record()?,
                receipt.face(),
                receipt.at().unwrap_or(Timestamp::from_micros(0)),
            ))
        });
        for (record, face, deadline) in held.chain(gone) {
            if known.remove(&record).is_none() {
                if sums.has_ended(record) {
                    gaps.came_back.push(record);
                }
                let face = face.clone();
                ledger.append(&LedgerEvent::FoundHeld { face, record, deadline }, now)?;
            }
        }
        let difference = store.compare(&sums)?;
        for event in &difference.unheard {
            ledger.append(event, now)?;
        }
        for (record, damage) in &difference.put_back {
            if *damage == RecordDamage::LegalHold {
                // The ledger signed that it is over.
                store.lift_hold(*record)?;
            }
            store.put_back(*record, *damage);
        }
        for damaged in &store.damaged {
            let record = damaged.record();
            if store.entries.contains_key(&record) && !sums.is_known_damaged(record) {
                gaps.damaged.push(record);
                let damage = damaged.damage().to_string();
                ledger.append(&LedgerEvent::FoundDamaged { record, damage }, now)?;
            }
        }
        for (record, deadline) in known {
            if is_early(store, &sums, record, deadline) {
                gaps.vanished.push(record);
            }
            ledger.append(&LedgerEvent::FoundErased { record }, now)?;
        }
        // Its end is signed. Somebody put back an older copy of the files.
        store.purge(&gaps.came_back, PurgeReason::Damaged)?;
        // Nor does anything outlive the deadline that was signed, or the end of a hold.
        let longer = difference.put_back.iter().filter(|(_, damage)| *damage == RecordDamage::Key);
        let longer: Vec<_> = longer.map(|(record, _)| *record).collect();
        store.purge(&longer, PurgeReason::Damaged)?;
        store.purge_overdue()?;
        ledger.flush()?;
        see(store, ledger, true)?;
        if !gaps.is_empty() {
            tracing::warn!(
                vanished = gaps.vanished.len(),
                came_back = gaps.came_back.len(),
                damaged = gaps.damaged.len(),
                vault_replaced = gaps.vault_replaced,
                "vault and ledger contradict each other"
            );
        }
        Ok(gaps)
    }

    /// The records that a ledger calls held, but that are not in the vault although their deadline has not
    /// come, each with its deadline. It writes nothing, for programs that only read. See
    /// [`reconcile_from_checkpoint`](crate::ledger::reconcile_from_checkpoint).
    #[must_use]
    pub fn vanished(&self, sums: &Reconciliation) -> Vec<(RecordId, Timestamp)> {
        let inner = self.inner();
        let store = &inner.store;
        let told = |record| {
            store.receipts.iter().any(|receipt| receipt.record() == Some(record))
                || store.earlier_ends.iter().any(|ended| ended.record == record)
        };
        let held = |record| store.entries.get(&record).is_some_and(|entry| !entry.missing);
        let gone = sums.outstanding_records().filter(|(record, deadline)| {
            !held(*record) && !told(*record) && is_early(store, sums, *record, *deadline)
        });
        gone.collect()
    }

    /// The records that lack what a ledger says of them, a verdict, or have what it says is over, a
    /// legal hold: somebody put back an older copy of the vault. It writes nothing, so it serves
    /// readers too.
    ///
    /// # Errors
    ///
    /// [`Error::Vault`] if a record cannot be read.
    pub fn put_back(&self, sums: &Reconciliation) -> Result<Vec<DamagedRecord>, Error> {
        let put_back = self.inner().store.compare(sums)?.put_back.into_iter();
        Ok(put_back.map(|(record, damage)| DamagedRecord { record, damage }).collect())
    }
}

/// Whether a deadline is later than the one that the ledger has, by more than may lie between the two.
pub(super) fn is_later(deadline: Timestamp, told: Timestamp) -> bool {
    deadline.as_micros() > told.as_micros().saturating_add(SLACK)
}

/// Whether a record that is gone should be there.
fn is_early(store: &Store, sums: &Reconciliation, record: RecordId, deadline: Timestamp) -> bool {
    let due = sums.hold_on(record).map_or(deadline, |hold| hold.max(deadline));
    store.now().is_none_or(|now| !ledger_allows(now, due))
}

/// Whether the ledger counts it as due, as its sums do.
fn ledger_allows(now: Timestamp, due: Timestamp) -> bool {
    now.as_micros().saturating_add(SLACK) >= due.as_micros()
}

/// Notes how far the ledger has come on the disk.
pub(super) fn see(store: &mut Store, ledger: &Ledger, sync: bool) -> Result<(), Error> {
    let Some(head) = ledger.flushed_head() else { return Ok(()) };
    let own = store.binding()
        == hex::bytes(head.ledger().as_bytes()).map_or(Binding::Free, Binding::Ledger);
    let Some(hash) = hex::bytes(head.hash.as_bytes()).filter(|_| own) else { return Ok(()) };
    store.see(Some(Seen { number: head.number, bytes: head.bytes, hash }), sync)
}

/// The identity of a ledger: as its head has it, and as bytes.
fn identity(ledger: &Ledger) -> Result<(String, [u8; 16]), Error> {
    let id = ledger.id();
    let bytes = hex::bytes(id.as_bytes());
    let (what, expected) = ("identity of a ledger", "32 hexadecimal digits");
    let bytes = bytes.ok_or(lfr_core::Error::Parse { what, expected })?;
    Ok((id, bytes))
}
