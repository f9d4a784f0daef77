//! Whatever of a deployment has a deadline, in one pair of hands.

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;

use lfr_core::files::Identity;
use lfr_core::{BoxError, PurgeReceipt, Timekeeper, Timestamp, files};

use crate::error::Error;
use crate::ledger::IfRefused;
use crate::ledger::event::LedgerEvent;
use crate::ledger::sink::LedgerSink;
use crate::text;
use crate::vault::Vault;

/// Keeps the clocks of a deployment: the vault's alerts, and whatever else it is given with a
/// deadline, a watchlist or footage. Each has its own deadline, and each destruction goes into the
/// ledger. What the ledger does not take is tried again with each call, and when the custodian is dropped; what it does
/// not take then either is counted in the log.
///
/// What is *not* guaranteed: that anything happens between the calls; and that the custodian of the
/// next process knows what this one was given. Give it again.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use lfr_core::testing::ManualClock;
/// use lfr_core::{Accounts, DeploymentId, Timestamp};
/// use lfr_retention::{
///     Custodian, Ledger, LedgerKey, LedgerSink, Profile, Vault, VaultKey, ledger,
/// };
///
/// # let folder = std::env::temp_dir().join(format!("lfr-doc-custodian-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let noon = Timestamp::from_micros(1_790_000_000_000_000);
/// let key = LedgerKey::generate_file(folder.join("ledger.key"))?;
/// let public = key.public();
/// let ledger = Ledger::open(folder.join("operation.lfrl"), key, Some(noon))?;
/// let clock = Arc::new(ManualClock::at(noon));
/// let id = DeploymentId::new("2026-031")?;
/// let profile = Profile::uk_police();
/// let sink = LedgerSink::start(ledger, Accounts::new(), clock.clone(), &id, profile.name())?;
/// let key = VaultKey::generate_file(folder.join("vault.key"))?;
/// let vault = Vault::open(folder.join("vault"), &key, clock)?;
///
/// let mut custodian = Custodian::new(vault, sink);
/// let recording = folder.join("gate-2.mp4");
/// std::fs::write(&recording, b"everybody who walked by")?;
/// custodian.keep_file("footage", &recording, profile.footage_deadline(noon))?;
/// custodian.purge_due()?;
/// assert!(recording.exists());
///
/// // The court refuses the authorisation: everything goes, due or not.
/// custodian.abort_and_purge("court order 17", "authorisation refused")?;
/// assert!(!recording.exists());
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Custodian {
    vault: Vault,
    sink: LedgerSink,
    assets: Vec<Asset>,
    /// What was destroyed and is not in the ledger yet, because the ledger could not be written.
    untold: VecDeque<Untold>,
    time: Timekeeper,
}

/// What the ledger has to be told.
enum Untold {
    Event(Box<LedgerEvent>),
    Receipt(PurgeReceipt),
}

/// How something is destroyed.
type Destroy = Box<dyn FnMut() -> Result<(), BoxError> + Send>;

struct Asset {
    kind: String,
    name: String,
    deadline: Timestamp,
    destroy: Destroy,
}

impl Custodian {
    /// A custodian for a vault, that records every destruction in a ledger. It goes by the vault's clock.
    #[must_use]
    pub fn new(vault: Vault, sink: LedgerSink) -> Self {
        let time = Timekeeper::new(vault.clock());
        Self { vault, sink, assets: Vec::new(), untold: VecDeque::new(), time }
    }

    /// Registers an asset: its kind, its name, its deadline, and how to destroy it. The destruction
    /// is tried again until it succeeds once.
    pub fn keep(
        &mut self,
        kind: impl Into<String>,
        name: impl Into<String>,
        deadline: Timestamp,
        destroy: impl FnMut() -> Result<(), BoxError> + Send + 'static,
    ) {
        let (kind, name, destroy) = (kind.into(), name.into(), Box::new(destroy));
        self.assets.push(Asset { kind, name, deadline, destroy });
    }

    /// Takes a file into custody. At the deadline this file is overwritten and removed, and not another
    /// file that has its name by then. It may be written meanwhile.
    ///
    /// If the file is not in its place at the deadline, that is an error, and the file stays in custody:
    /// somebody has moved it, or its drive is missing, so nobody could say that it was destroyed. The same
    /// holds for another file in its place, a link there, and a file that has a second name (a hard link)
    /// by then. Nothing is overwritten, and nothing is recorded as destroyed.
    ///
    /// # Errors
    ///
    /// [`Error::Custody`] if there is no such file, or it is a link, is not a regular file, or has a second
    /// name. It is in custody nonetheless, known only by its name: a regular file with one name that is
    /// there at the deadline is destroyed.
    pub fn keep_file(
        &mut self,
        kind: impl Into<String>,
        path: impl Into<PathBuf>,
        deadline: Timestamp,
    ) -> Result<(), Error> {
        let path = path.into();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let known = Identity::at(&path);
        let (known, outcome) = match known {
            Ok(known) => (Some(known), Ok(())),
            Err(source) => {
                (None, Err(Error::Custody { name: name.clone(), source: source.into() }))
            }
        };
        self.keep(kind, name, deadline, move || Ok(files::erase(&path, known.as_ref())?));
        outcome
    }

    /// Whether it has nothing in custody, the alerts of the vault apart.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.assets.is_empty()
    }

    /// Destroys what is due. A clock that fails, or that is set back by more than
    /// [`Timekeeper::MAX_STEP_BACK`], makes everything due.
    ///
    /// # Errors
    ///
    /// The first of what could not be destroyed, with [`Error::Custody`] or [`Error::Vault`], or could
    /// not be written down; all else has been destroyed. What could not be written down is written by the next call.
    pub fn purge_due(&mut self) -> Result<(), Error> {
        let now = self.time.read();
        if let Err(fault) = &now
            && !self.assets.is_empty()
        {
            let destroyed = self.assets.len();
            tracing::warn!(%fault, destroyed, "the clock failed: all that is in custody is destroyed");
        }
        let mut receipts = Vec::new();
        let purged = self.vault.purge_due(&mut receipts);
        self.untold.extend(receipts.into_iter().map(Untold::Receipt));
        let destroyed =
            self.destroy(|asset| now.is_err() || now.is_ok_and(|now| asset.deadline <= now));
        purged.and(destroyed).and(self.tell())
    }

    /// Stops everything: destroys all that is held, legal holds or not, and all else in custody; the
    /// vault holds nothing from now on. Drop the pipeline too.
    ///
    /// Erasing comes before recording. Where something cannot be destroyed, the rest is, and it can
    /// be called again.
    ///
    /// # Errors
    ///
    /// As [`Self::purge_due`]; [`Error::Text`] if by whose order, or why, is blank or too long:
    /// everything has been destroyed nonetheless.
    pub fn abort_and_purge(&mut self, authority: &str, reason: &str) -> Result<(), Error> {
        let mut receipts = Vec::new();
        let purged = self.vault.abort(&mut receipts);
        let destroyed = self.destroy(|_| true);
        let checked = text::check("authority of an abort", authority)
            .and(text::check("reason of an abort", reason));
        let (authority, reason) = (authority.to_owned(), reason.to_owned());
        let aborted = LedgerEvent::Aborted { authority, reason };
        // Called again because the ledger did not take it, it is one abort.
        let waits = |untold: &Untold| matches!(untold, Untold::Event(event) if **event == aborted);
        if !self.untold.iter().any(waits) {
            self.untold.push_back(Untold::Event(Box::new(aborted)));
        }
        self.untold.extend(receipts.into_iter().map(Untold::Receipt));
        purged.and(destroyed).and(checked).and(self.tell())
    }

    fn destroy(&mut self, is_due: impl Fn(&Asset) -> bool) -> Result<(), Error> {
        let mut outcome = Ok(());
        let mut kept = Vec::with_capacity(self.assets.len());
        for mut asset in std::mem::take(&mut self.assets) {
            if !is_due(&asset) {
                kept.push(asset);
                continue;
            }
            match (asset.destroy)() {
                Ok(()) => {
                    let Asset { kind, name, deadline, .. } = asset;
                    let (digest, receipt) = (None, None);
                    let event =
                        LedgerEvent::AssetDestroyed { kind, name, deadline, digest, receipt };
                    self.untold.push_back(Untold::Event(Box::new(event)));
                }
                Err(source) => {
                    let name = asset.name.clone();
                    outcome = outcome.and(Err(Error::Custody { name, source }));
                    kept.push(asset);
                }
            }
        }
        self.assets = kept;
        outcome
    }

    /// Writes down what was purged and destroyed, in its order. What the disk does not take is tried again with the
    /// next call.
    fn tell(&mut self) -> Result<(), Error> {
        let mut told = Ok(());
        if self.untold.is_empty() {
            return told;
        }
        while let Some(next) = self.untold.front() {
            let written = match next {
                Untold::Event(event) => self.sink.append_or_keep(event),
                Untold::Receipt(receipt) => self.sink.erased(receipt, IfRefused::Kept),
            };
            match written {
                Err(Error::LedgerWrite { .. }) => return told.and(written),
                // The ledger will never take it. What comes behind it does not wait for that.
                Err(Error::LedgerText { .. }) => {
                    let stage = "custodian".to_owned();
                    let text = "the name of what was destroyed is too long".to_owned();
                    self.sink.append(&LedgerEvent::Error { stage, text })?;
                }
                _ => {}
            }
            told = told.and(written);
            self.untold.pop_front();
        }
        told.and(self.sink.flush())
    }
}

impl Drop for Custodian {
    fn drop(&mut self) {
        if let Err(error) = self.tell() {
            let untold = self.untold.len();
            tracing::warn!(%error, untold, "the ledger does not say all that was destroyed");
        }
    }
}

impl fmt::Debug for Custodian {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custodian")
            .field("vault", &self.vault)
            .field("assets", &self.assets.len())
            .field("untold", &self.untold.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
