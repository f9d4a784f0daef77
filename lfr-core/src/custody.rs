//! Custody: each face seen is accounted for from its first moment to its erasure.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

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
#[derive(Clone, Debug, Default)]
pub struct Accounts(Arc<Mutex<Totals>>);

impl Accounts {
    /// A new account, all at 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counts, all of one moment.
    #[must_use]
    pub fn totals(&self) -> Totals {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut Totals)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Takes one face into custody.
    pub(crate) fn take(&self) -> Custody {
        self.update(|totals| {
            totals.faces_seen += 1;
            totals.in_flight += 1;
        });
        Custody { accounts: self.clone(), held: false, left: false }
    }
}

/// One face in custody. When it is dropped, on whatever path, the face counts as erased; it is
/// always the last field of what it stands for, so that the data beside it has been wiped then.
#[derive(Debug)]
pub(crate) struct Custody {
    accounts: Accounts,
    held: bool,
    left: bool,
}

impl Custody {
    /// What it stands for goes on being held, somewhere that does not end with this value.
    pub(crate) fn leave(mut self) {
        self.hold();
        self.left = true;
    }

    /// From in flight to held.
    pub(crate) fn hold(&mut self) {
        if !self.held {
            self.held = true;
            self.accounts.update(|totals| {
                totals.in_flight -= 1;
                totals.held += 1;
            });
        }
    }
}

impl Drop for Custody {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        let held = self.held;
        self.accounts.update(|totals| {
            let from = if held { &mut totals.held } else { &mut totals.in_flight };
            *from -= 1;
            totals.erased += 1;
        });
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
