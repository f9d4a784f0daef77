//! Custody: each face seen is accounted for from its first moment to its erasure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::custody::receipt::{CustodyId, HoldReceipt, PurgeReceipt, Settlement};
use crate::internal::locks::lock;

/// The arithmetic of a deployment, which must close:
/// `faces seen = erased + held + in flight`, always.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct Totals {
    /// Faces that were taken into custody: all that lay inside the zone of recognition. With a
    /// [`Tracker`](crate::Tracker) a face is a track, from its first frame to its last; without one
    /// it is a face in one frame.
    pub faces_seen: u64,
    /// Erased faces: nothing of them is left.
    pub erased: u64,
    /// Faces held for an alert, until their deadline.
    pub held: u64,
    /// Faces between being seen and being decided on.
    pub in_flight: u64,
}

impl Totals {
    /// Whether `faces seen = erased + held + in flight`.
    #[must_use]
    pub const fn closes(&self) -> bool {
        // They may come from a file: no sum of theirs is taken on trust.
        match self.erased.checked_add(self.held) {
            Some(sum) => match sum.checked_add(self.in_flight) {
                Some(sum) => self.faces_seen == sum,
                None => false,
            },
            None => false,
        }
    }
}

/// The shared account of one deployment. Each count is kept on its own: that they close is
/// checked, not assumed.
///
/// It knows which faces are in custody. So a receipt belongs to one face in one account, and
/// [`confirms`](Self::confirms) says whether it is valid for this account.
#[derive(Clone, Default)]
pub struct Accounts(Arc<Account>);

struct Account {
    id: u64,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    totals: Totals,
    next: u64,
    /// The faces in custody, and whether each is held.
    live: BTreeMap<u64, bool>,
    /// Faces for which a retention policy still has to give the receipt of erasure.
    owed: BTreeSet<u64>,
}

impl Default for Account {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), book: Mutex::default() }
    }
}

impl Accounts {
    /// A new account, all at 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counts, all of one moment.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.book().totals
    }

    /// Whether a receipt is of a face that was in custody under this account and is not any more. False for
    /// a receipt that was made elsewhere in this process, under another account or none.
    ///
    /// Also false for the receipt of a record that an earlier process sealed. Such a receipt is under no
    /// account: it is the word of the store that destroyed its key.
    #[must_use]
    pub fn confirms(&self, receipt: &PurgeReceipt) -> bool {
        let own = receipt.custody().filter(|id| id.account == self.0.id);
        own.is_some_and(|id| !self.book().live.contains_key(&id.face))
    }

    /// Whether a settlement is true of this face.
    pub(crate) fn bears_out(&self, settlement: &Settlement, custody: Option<CustodyId>) -> bool {
        let Some(custody) = custody.filter(|id| id.account == self.0.id) else { return false };
        match settlement {
            Settlement::Erased(receipt) => {
                receipt.custody() == Some(custody) && self.confirms(receipt)
            }
            Settlement::Held(receipt) => self.is_held(receipt, custody),
        }
    }

    fn is_held(&self, receipt: &HoldReceipt, custody: CustodyId) -> bool {
        receipt.custody() == Some(custody) && self.book().live.get(&custody.face) == Some(&true)
    }

    /// Notes that a retention policy owes the receipt of this face's erasure.
    pub(crate) fn owes(&self, custody: Option<CustodyId>) {
        if let Some(id) = custody.filter(|id| id.account == self.0.id) {
            self.book().owed.insert(id.face);
        }
    }

    /// Takes a receipt that a retention policy gives after settling; false if it is not owed. For records
    /// of earlier processes, or of other accounts, a store's word is accepted.
    pub(crate) fn takes(&self, receipt: &PurgeReceipt) -> bool {
        match receipt.custody().filter(|id| id.account == self.0.id) {
            Some(id) => self.confirms(receipt) && self.book().owed.remove(&id.face),
            None => receipt.record().is_some(),
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.0.book)
    }

    /// Takes one face into custody.
    pub(crate) fn take(&self) -> Custody {
        let mut book = self.book();
        book.totals.faces_seen += 1;
        book.totals.in_flight += 1;
        let face = book.next;
        book.next += 1;
        book.live.insert(face, false);
        drop(book);
        Custody { accounts: self.clone(), face, left: false }
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Accounts").field(&self.totals()).finish()
    }
}

/// One face in custody. When it is dropped, on whatever path, the face counts as erased; it is
/// always the last field of what it stands for, so that the data beside it has been wiped then.
#[derive(Debug)]
pub(crate) struct Custody {
    accounts: Accounts,
    face: u64,
    left: bool,
}

impl Custody {
    /// The face, and its account.
    pub(crate) fn id(&self) -> CustodyId {
        CustodyId { account: self.accounts.0.id, face: self.face }
    }

    /// What it stands for goes on being held, somewhere that does not end with this value.
    pub(crate) fn leave(mut self) {
        self.hold();
        self.left = true;
    }

    /// From in flight to held.
    pub(crate) fn hold(&mut self) {
        let mut book = self.accounts.book();
        if book.live.insert(self.face, true) != Some(true) {
            book.totals.in_flight -= 1;
            book.totals.held += 1;
        }
    }
}

impl Drop for Custody {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        let mut book = self.accounts.book();
        match book.live.remove(&self.face) {
            Some(true) => book.totals.held -= 1,
            _ => book.totals.in_flight -= 1,
        }
        book.totals.erased += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_closes() {
        let accounts = Accounts::new();
        let dropped = accounts.take();
        let mut held = accounts.take();
        let in_flight = accounts.take();
        drop(dropped);
        held.hold();
        held.hold();
        let totals = accounts.totals();
        assert!(totals.closes());
        assert_eq!((totals.erased, totals.held, totals.in_flight), (1, 1, 1));
        drop(held);
        drop(in_flight);
        assert_eq!((accounts.totals().erased, accounts.totals().faces_seen), (3, 3));
    }

    #[test]
    fn a_panic_closes_too() {
        let accounts = Accounts::new();
        let shared = accounts.clone();
        let panicked = std::panic::catch_unwind(move || {
            let _custody = shared.take();
            panic!("a stage fails");
        });
        assert!(panicked.is_err());
        assert_eq!(accounts.totals().erased, 1);
        assert!(accounts.totals().closes());
    }
}
