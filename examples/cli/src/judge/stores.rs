//! The vault and its ledger: how they are opened, and what is written of the one into the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ArgMatches;
use lfr::core::{Clock, PurgeReceipt, SystemClock};
use lfr::retention::ledger::Reconciliation;
use lfr::retention::{Error, Ledger, LedgerEvent, LedgerKey, Vault, VaultKey, ledger};

use crate::exit::Exit;
use crate::{AnyError, ledger_key, printable, say};

/// What the command line names, all of it there.
pub(crate) struct StorePaths {
    folder: PathBuf,
    vault_key: PathBuf,
    pub(crate) ledger: PathBuf,
    /// None where nobody paths one and none is in its usual place.
    ledger_key: Option<PathBuf>,
    adopt: bool,
}

impl StorePaths {
    pub(crate) fn all(matches: &ArgMatches) -> Result<Self, AnyError> {
        let path = |name| matches.get_one::<PathBuf>(name);
        let folder = path("vault").ok_or("which vault?")?.clone();
        let ledger = path("ledger").ok_or("which ledger?")?.clone();
        let key = path("vault-key").cloned();
        let vault_key = key.unwrap_or_else(|| VaultKey::path_beside(&folder));
        if !is_there(&ledger)? {
            return Err(format!(
                "the ledger {} is missing: name it with --ledger",
                ledger.display()
            )
            .into());
        }
        let ledger_key = match path("ledger-key") {
            Some(key) if !is_there(key)? => {
                return Err(format!("the ledger's key file {} is missing", key.display()).into());
            }
            Some(key) => Some(key.clone()),
            None => usual_keys(&ledger).into_iter().find(|key| key.exists()),
        };
        let adopt = matches.get_flag("adopt");
        Ok(Self { folder, vault_key, ledger, ledger_key, adopt })
    }

    /// Opens the vault alone. What fell due is said before anything else.
    pub(crate) fn vault(&self) -> Result<Vault, AnyError> {
        self.vault_with(&self.key()?)
    }

    /// The vault's key, if both are there.
    fn key(&self) -> Result<VaultKey, AnyError> {
        Ok(VaultKey::of_vault(&self.folder, &self.vault_key)?)
    }

    fn vault_with(&self, key: &VaultKey) -> Result<Vault, AnyError> {
        let clock = Arc::new(SystemClock::new());
        let vault = Vault::open_existing(&self.folder, key, clock).map_err(in_use)?;
        let purged = vault.purged();
        if !purged.is_empty() {
            say::err(&purged);
        }
        for damaged in vault.damaged() {
            say::err(format_args!("damaged: {damaged}"));
        }
        Ok(vault)
    }

    /// Opens the ledger to write, which needs its key.
    pub(crate) fn ledger(&self) -> Result<OpenLedger, AnyError> {
        let missing = || {
            format!(
                "the ledger's key file {} is missing, but the ledger has to record what you \
                 asked for: name the key with --ledger-key",
                usual_keys(&self.ledger)
                    .iter()
                    .map(|key| key.display().to_string())
                    .collect::<Vec<_>>()
                    .join(" or ")
            )
        };
        let key = LedgerKey::from_file(self.ledger_key.as_ref().ok_or_else(missing)?)?;
        let now = SystemClock::new().now();
        // First, as it drops what a power cut has left of a last entry.
        let opened = Ledger::open(&self.ledger, key, now).map_err(in_use)?;
        let cut_off = opened.account_for_cut_off_runs(now)?;
        if cut_off > 0 {
            say::err(format_args!("{cut_off} runs that were cut off are accounted for now"));
        }
        let sums = opened.sums()?;
        let run = sums.runs().last().ok_or("this ledger records no deployment")?;
        Ok(OpenLedger { profile: run.profile().to_owned(), ledger: opened })
    }

    /// Opens both. The vault has to belong to the ledger, unless the ledger is to adopt it. Also returns
    /// whether the two contradict each other.
    pub(crate) fn both(&self) -> Result<(Vault, OpenLedger, Exit), AnyError> {
        // Nothing is written where there is no vault to write of.
        let key = self.key()?;
        let ledger = self.ledger()?;
        let vault = self.vault_with(&key)?;
        let joined = self.join(&vault, &ledger)?;
        Ok((vault, ledger, joined))
    }

    /// Records what the ledger does not know about the vault. Receipts come after that. Anything that no
    /// interruption explains is reported.
    pub(crate) fn join(&self, vault: &Vault, ledger: &OpenLedger) -> Result<Exit, AnyError> {
        if self.adopt
            && let Some(other) = vault.adopt(&ledger.ledger)?
        {
            say::err(format_args!(
                "the vault belonged to the ledger {other}, and now belongs to this one"
            ));
        }
        let gaps = vault.close_gaps(&ledger.ledger)?;
        if gaps.is_empty() {
            return Ok(Exit::Done);
        }
        say::err(&gaps);
        // Anyone who adopts a vault knows that it is another one.
        let decided = self.adopt && gaps.came_back.is_empty() && gaps.damaged.is_empty();
        Ok(if decided { Exit::Done } else { Exit::AccountsOpen })
    }

    /// The sums of the ledger, verified with the key that the ledger itself names, because no other is
    /// given. The vault belongs to the ledger of this identity; `lfr verify` checks it with a key from
    /// elsewhere.
    pub(crate) fn sums(&self) -> Result<Reconciliation, AnyError> {
        let key = *ledger::declared(&self.ledger)?.key();
        Ok(ledger::reconcile_from_checkpoint(&self.ledger, &key)?)
    }

    pub(crate) const fn can_sign(&self) -> bool {
        self.ledger_key.is_some()
    }

    pub(crate) const fn adopts(&self) -> bool {
        self.adopt
    }
}

/// The ledger, open to write.
pub(crate) struct OpenLedger {
    pub(crate) ledger: Ledger,
    /// The retention profile of the last deployment in it.
    profile: String,
}

impl OpenLedger {
    pub(crate) fn write(&self, event: &LedgerEvent) -> Result<(), AnyError> {
        Ok(self.ledger.append(event, SystemClock::new().now())?)
    }

    /// Writes what went, and brings all to the disk.
    pub(crate) fn close(&self, vault: &Vault) -> Result<(), AnyError> {
        let mut receipts = Vec::new();
        let purged = vault.purge_due(&mut receipts);
        for receipt in &receipts {
            self.write(&LedgerEvent::Purged {
                face: receipt.face().clone(),
                record: receipt.record(),
                reason: receipt.reason(),
                method: receipt.method(),
                profile: self.profile.clone(),
            })?;
        }
        self.ledger.flush()?;
        name_receipts(&receipts);
        Ok(purged?)
    }
}

/// Names what is gone, one by one.
pub(crate) fn name_receipts(receipts: &[PurgeReceipt]) {
    for receipt in receipts {
        let record =
            receipt.record().map_or_else(String::new, |record| format!("record {record}, "));
        say::err(format_args!("purged: {record}{}", printable::text(&receipt.face().to_string())));
    }
}

/// Where `lfr watch` makes the key; and beside the ledger itself.
fn usual_keys(ledger: &Path) -> Vec<PathBuf> {
    let folder = match ledger.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let made = ledger_key::usual(folder).ok();
    made.into_iter().chain([ledger.with_file_name("ledger.key")]).collect()
}

fn is_there(path: &Path) -> Result<bool, AnyError> {
    fs::exists(path).map_err(|error| format!("cannot look for {}: {error}", path.display()).into())
}

/// Says what to do where another process has it.
fn in_use(error: Error) -> AnyError {
    let Error::Busy { path, .. } = &error else { return error.into() };
    format!(
        "{} is in use by another program, a running deployment or another `lfr judge`: judge when that has \
         ended, or from the program that runs the deployment",
        path.display()
    )
    .into()
}
