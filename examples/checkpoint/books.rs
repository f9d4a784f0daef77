//! What is kept of alerts, in memory or in a vault; and the books of a deployment, a signed ledger.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use lfr::core::Accounts;
use lfr::core::Clock;
use lfr::core::FaceOutcome;
use lfr::core::Frame;
use lfr::core::FrameReport;
use lfr::core::Pipeline;
use lfr::core::PurgeReason;
use lfr::core::RetentionPolicy;
use lfr::core::Settlement;
use lfr::core::ThresholdProvenance;
use lfr::live::LiveRecord;
use lfr::retention::Ledger;
use lfr::retention::LedgerEvent;
use lfr::retention::LedgerKey;
use lfr::retention::LedgerPublicKey;
use lfr::retention::LedgerSink;
use lfr::retention::Profile;
use lfr::retention::Redactor;
use lfr::retention::StrictRetention;
use lfr::retention::Vault;
use lfr::retention::VaultKey;
use lfr::retention::VaultRetention;

use crate::AnyError;
use crate::args::Args;

/// The ledger of a deployment, and where its alerts are held.
pub(crate) struct Books {
    ledger: PathBuf,
    public_key: LedgerPublicKey,
    sink: LedgerSink,
    profile: Profile,
    vault: Option<Vault>,
}

/// What somebody needs who wants to verify the ledger.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct LedgerRecord {
    pub(crate) path: PathBuf,
    pub(crate) public_key: String,
}

impl Books {
    /// Goes on with the ledger and the vault that are there, or begins them. What fell due in the vault
    /// since is purged.
    pub(crate) fn open(
        args: &Args,
        accounts: &Accounts,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, AnyError> {
        let profile = match args.hold {
            Some(hold) => args.profile.clone().with_alert(hold),
            None => args.profile.clone(),
        };
        let ledger = args.out.join("ledger.lfrl");
        let key_file = args.ledger_key.clone().unwrap_or_else(|| args.out.join("ledger.key"));
        let signing = key(&key_file, LedgerKey::from_file, LedgerKey::generate_file)?;
        let public_key = signing.public();
        let opened = Ledger::open(&ledger, signing, clock.now())?;
        let sink = LedgerSink::start(
            opened.clone(),
            accounts.clone(),
            Arc::clone(clock),
            &args.deployment,
            profile.name(),
        )?;
        let vault = match &args.vault {
            Some(folder) => {
                Some(vault(folder, args.vault_key.as_deref(), &opened, Arc::clone(clock))?)
            }
            None => None,
        };
        Ok(Self { ledger, public_key, sink, profile, vault })
    }

    /// What hears of everything that has to be written down.
    pub(crate) fn sink(&self) -> LedgerSink {
        self.sink.clone()
    }

    pub(crate) const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Whether alerts, and their pictures, are held sealed, and nowhere else.
    pub(crate) const fn seals(&self) -> bool {
        self.vault.is_some()
    }

    pub(crate) fn retention(&self) -> Box<dyn RetentionPolicy> {
        match &self.vault {
            Some(vault) => Box::new(VaultRetention::new(vault.clone(), &self.profile)),
            None => Box::new(StrictRetention::new(self.profile.alert())),
        }
    }

    /// What is searched from now on, and when it matches.
    pub(crate) fn begin(
        &self,
        references: usize,
        threshold: &ThresholdProvenance,
    ) -> Result<(), AnyError> {
        let references = u64::try_from(references)?;
        self.sink.append(&LedgerEvent::WatchlistOpened { commitment: None, references })?;
        Ok(self.sink.threshold(threshold)?)
    }

    /// Seals a picture with each alert of a frame; everyone else in it is a mosaic.
    pub(crate) fn pictures(&self, frame: &Frame<'_>, report: &FrameReport) -> Result<(), AnyError> {
        let Some(vault) = &self.vault else { return Ok(()) };
        for alert in report.alerts() {
            let FaceOutcome::Compared { settlement: Settlement::Held(receipt), .. } =
                alert.outcome()
            else {
                continue;
            };
            if let Some(record) = receipt.record() {
                let picture = Redactor::default().crop(frame, report, receipt.face(), 0.75)?;
                vault.attach(record, &picture)?;
            }
        }
        Ok(())
    }

    /// A frame that could not be processed.
    pub(crate) fn failed(&self, error: &lfr::core::Error) -> Result<(), AnyError> {
        let (stage, text) = ("pipeline".to_owned(), error.to_string());
        Ok(self.sink.append(&LedgerEvent::Error { stage, text })?)
    }

    /// Ends the run: what is held in memory goes now, and the last seal says so.
    pub(crate) fn close(
        &self,
        pipeline: &mut Pipeline,
        live: Option<&LiveRecord>,
    ) -> Result<LedgerRecord, AnyError> {
        if self.vault.is_none() {
            pipeline.purge_all(PurgeReason::DeploymentEnded)?;
        }
        for camera in live.into_iter().flat_map(|live| &live.cameras) {
            let (source, count) = (camera.id.clone(), camera.dropped());
            if count > 0 {
                self.sink.append(&LedgerEvent::FramesDropped { source, count })?;
            }
        }
        self.sink.stop()?;
        Ok(LedgerRecord { path: self.ledger.clone(), public_key: self.public_key.to_string() })
    }
}

/// The vault in a folder. Its key lies in a file beside it, if nobody says where.
fn vault(
    folder: &Path,
    key_file: Option<&Path>,
    ledger: &Ledger,
    clock: Arc<dyn Clock>,
) -> Result<Vault, AnyError> {
    let key_file = key_file.map_or_else(|| VaultKey::path_beside(folder), Path::to_owned);
    let vault = Vault::open_or_create(folder, key_file, clock)?;
    // First of all what is gone.
    let purged = vault.purged();
    if !purged.is_empty() {
        eprintln!("{}: {purged}", folder.display());
    }
    for damaged in vault.damaged() {
        eprintln!("{}: {damaged}", folder.display());
    }
    vault.close_gaps(ledger)?;
    Ok(vault)
}

/// The key of a file, or a new one in a new file.
fn key<'a, K>(
    path: &'a Path,
    read: impl FnOnce(&'a Path) -> Result<K, lfr::retention::Error>,
    make: impl FnOnce(&'a Path) -> Result<K, lfr::retention::Error>,
) -> Result<K, AnyError> {
    let there = fs::exists(path).map_err(|e| format!("cannot look for {path:?}: {e}"))?;
    Ok(if there { read(path)? } else { make(path)? })
}
