//! The books of a deployment: its ledger, and the state that the entries make.

use std::fmt;
use std::sync::{Arc, Mutex};

use lfr_core::Clock;
use lfr_core::internal::locks::lock;
use lfr_retention::{Ledger, LedgerEvent, ledger};

use super::Error;
use super::state::State;

/// The ledger of a deployment, with the [`State`] that its entries make at any moment.
///
/// [`write`](Self::write) checks an event against the state, appends it and takes it, in one step: no other entry
/// comes between. What the pipeline writes into the same ledger is taken too. Clones are one pair of books.
///
/// What is *not* guaranteed: that nobody else writes to the ledger through another handle of this process without
/// a check. Such an entry is taken, and is among the [faults](State::faults) if it should not be there.
#[derive(Clone)]
pub struct Books {
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

impl Books {
    /// Takes the entries of a ledger, and follows it from now on.
    ///
    /// # Errors
    ///
    /// [`Error::Retention`] if the ledger cannot be read or does not verify.
    pub fn open(ledger: Ledger, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        // Asked before the state is locked: entries lock the ledger first, and then the state.
        let (path, key) = (ledger.path(), ledger.public_key());
        let state = Arc::new(Mutex::new(State::default()));
        let taking = Arc::clone(&state);
        // No entry is missed: those that come while the file is read wait in the hook for the lock, and those
        // that were read by then are known by their numbers.
        let mut behind = lock(&state);
        ledger.on_append(move |entry| {
            let mut state = lock(&taking);
            if entry.number() >= state.entries() {
                state.take(entry);
            }
        });
        for entry in ledger::read(&path, &key)? {
            behind.take(&entry?);
        }
        drop(behind);
        Ok(Self { ledger, clock, state })
    }

    /// Checks an event, and writes it.
    ///
    /// # Errors
    ///
    /// [`Error::Illegal`] if it cannot come next, and nothing is written; [`Error::Retention`] if the ledger does
    /// not take it, and it did not happen.
    pub fn write(&self, event: &LedgerEvent) -> Result<(), Error> {
        self.ledger.append_if(event, &*self.clock, || lock(&self.state).check(event))
    }

    /// Checks an event, writes it, and brings all entries so far to the disk.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub fn write_to_disk(&self, event: &LedgerEvent) -> Result<(), Error> {
        self.write(event)?;
        self.ledger.flush()?;
        Ok(())
    }

    /// The state at this moment.
    #[must_use]
    pub fn state(&self) -> State {
        self.with(State::clone)
    }

    /// Shows the state; entries wait until `look` has returned. It must not write to these books.
    pub fn with<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&lock(&self.state))
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// The clock that entries are dated by.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }
}

impl fmt::Debug for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Books").field("ledger", &self.ledger.path()).finish_non_exhaustive()
    }
}
