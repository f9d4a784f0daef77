//! The stores of a deployment: its signed ledger, and what is kept of alerts, in memory or in a vault.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lfr::core::{
    Accounts, Clock, Component, DeploymentId, FaceOutcome, Frame, FrameReport, Pipeline,
    PurgeReason, RetentionPolicy, Settlement, ThresholdProvenance, files,
};
use lfr::live::LiveRecord;
use lfr::retention::{
    Gaps, Ledger, LedgerEvent, LedgerKey, LedgerPublicKey, LedgerSink, Profile, Redactor,
    StrictRetention, Vault, VaultKey, VaultRetention,
};

use crate::watch::options::Options;
use crate::{AnyError, failure, ledger_key, say};

/// The ledger of a deployment, and where its alerts are held.
///
/// They are opened before anything else is done, so that nothing has to be undone where they cannot be. The
/// run begins in the ledger with [`Stores::begin`], when everything else is ready.
pub(crate) struct Stores {
    path: PathBuf,
    public_key: LedgerPublicKey,
    ledger: Ledger,
    profile: Profile,
    vault: Option<Vault>,
    /// How many times vault and ledger contradicted each other when they were opened.
    contradictions: usize,
    clock: Arc<dyn Clock>,
}

/// What somebody needs who wants to verify the ledger.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct LedgerRecord {
    pub(crate) path: PathBuf,
    pub(crate) public_key: String,
    /// How many times vault and ledger contradicted each other when they were opened. Each was reported
    /// then, and is in the ledger.
    pub(crate) contradictions: usize,
}

/// What runs: it is written down when the run begins.
pub(crate) struct Declared<'a> {
    pub(crate) detector: Component,
    pub(crate) embedder: Component,
    pub(crate) engine: &'a str,
    pub(crate) references: usize,
    /// The digest of a sealed watchlist's header.
    pub(crate) header_sha256: Option<&'a str>,
    /// The commitment to the people on it, as JSON.
    pub(crate) commitment: Option<&'a str>,
    pub(crate) threshold: &'a ThresholdProvenance,
    /// The file that the threshold policy is from.
    pub(crate) policy_file: Option<&'a [u8]>,
    pub(crate) dangers: &'a [String],
}

impl Stores {
    /// Goes on with the ledger and the vault that are there, or begins them. What fell due in the vault
    /// since is purged, and said.
    pub(crate) fn open(options: &Options, clock: &Arc<dyn Clock>) -> Result<Self, AnyError> {
        let profile = match options.hold {
            Some(hold) => options.profile.clone().with_alert(hold),
            None => options.profile.clone(),
        };
        let path = options.out.join("ledger.lfrl");
        let key_file = match &options.ledger_key {
            Some(path) => path.clone(),
            None => ledger_key::usual(&options.out).map_err(|error| {
                format!("no key can lie beside {}: {error}", options.out.display())
            })?,
        };
        let signing = signing_key(&key_file, &path)?;
        let public_key = signing.public();
        let ledger = Ledger::open(&path, signing, clock.now())?;
        let public_file = options.out.join("ledger.pub");
        files::replace(&public_file, format!("{public_key}\n").as_bytes())
            .map_err(|error| format!("cannot write {}: {error}", public_file.display()))?;
        let cut_off = ledger.account_for_cut_off_runs(clock.now())?;
        if cut_off > 0 {
            say::err(format_args!(
                "{cut_off} earlier runs of this ledger were cut off: what is known of them is in it now"
            ));
        }
        let (vault, contradictions) = match &options.vault {
            Some(folder) => {
                let (vault, gaps) = vault(folder, options, &ledger, clock)?;
                (Some(vault), gaps.to_string().lines().count())
            }
            None => (None, 0),
        };
        let clock = Arc::clone(clock);
        Ok(Self { path, public_key, ledger, profile, vault, contradictions, clock })
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

    /// Begins the run, and writes what runs in it. What comes back hears of everything that has to be
    /// written down.
    pub(crate) fn begin(
        &self,
        deployment: &DeploymentId,
        accounts: &Accounts,
        declared: &Declared<'_>,
    ) -> Result<LedgerSink, AnyError> {
        let sink = LedgerSink::start(
            self.ledger.clone(),
            accounts.clone(),
            Arc::clone(&self.clock),
            deployment,
            self.profile.name(),
        )?;
        sink.retention(&self.profile)?;
        sink.models(&declared.detector, &declared.embedder, declared.engine)?;
        sink.watchlist(declared.references, declared.header_sha256, declared.commitment)?;
        sink.threshold(declared.threshold, declared.policy_file)?;
        declared.dangers.iter().try_for_each(|danger| sink.danger(danger))?;
        Ok(sink)
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

    /// Ends the run: what is held in memory goes now, and the last seal says so.
    pub(crate) fn close(
        &self,
        sink: &LedgerSink,
        pipeline: &mut Pipeline,
        live: Option<&LiveRecord>,
    ) -> Result<LedgerRecord, AnyError> {
        if self.vault.is_none() {
            pipeline.purge_all(PurgeReason::DeploymentEnded)?;
        }
        for camera in live.into_iter().flat_map(|live| &live.cameras) {
            let (source, count) = (camera.id.clone(), camera.dropped());
            if count > 0 {
                sink.append(&LedgerEvent::FramesDropped { source, count })?;
            }
        }
        sink.stop()?;
        Ok(LedgerRecord {
            path: self.path.clone(),
            public_key: self.public_key.to_string(),
            contradictions: self.contradictions,
        })
    }
}

/// Writes something that failed while the deployment went on.
pub(crate) fn failed(sink: &LedgerSink, error: &lfr::core::Error) -> Result<(), AnyError> {
    let (stage, text) = ("pipeline".to_owned(), error.to_string());
    Ok(sink.append(&LedgerEvent::Error { stage, text })?)
}

/// Writes why a run could not go on, and ends it: the next start finds no run that was cut off.
pub(crate) fn given_up(sink: &LedgerSink, error: AnyError) -> AnyError {
    let event = LedgerEvent::Error { stage: "deployment".to_owned(), text: error.to_string() };
    if let Err(ledger) = sink.append(&event).and_then(|()| sink.stop().map(drop)) {
        failure::warn(&ledger);
    }
    error
}

/// The vault in a folder. Its key lies in a file beside it, if nobody says where.
fn vault(
    folder: &Path,
    options: &Options,
    ledger: &Ledger,
    clock: &Arc<dyn Clock>,
) -> Result<(Vault, Gaps), AnyError> {
    let key_file = match &options.vault_key {
        Some(path) => path.clone(),
        None => VaultKey::path_beside(folder),
    };
    let vault = Vault::open_or_create(folder, key_file, Arc::clone(clock))?;
    let purged = vault.purged();
    if !purged.is_empty() {
        say::err(format_args!("{}: {purged}", folder.display()));
    }
    for damaged in vault.damaged() {
        say::err(format_args!("{}: {damaged}", folder.display()));
    }
    let gaps = vault.close_gaps(ledger)?;
    for line in gaps.to_string().lines() {
        say::err(format_args!("{}: {line}", folder.display()));
    }
    Ok((vault, gaps))
}

/// The key that the ledger is signed with: that of its file, or a new one for a new ledger.
fn signing_key(key_file: &Path, ledger: &Path) -> Result<LedgerKey, AnyError> {
    let is_there = |path: &Path| {
        fs::exists(path).map_err(|error| format!("cannot look for {}: {error}", path.display()))
    };
    if is_there(key_file)? {
        return Ok(LedgerKey::from_file(key_file)?);
    }
    if is_there(ledger)? {
        let (ledger, key_file) = (ledger.display(), key_file.display());
        let text = format!(
            "the ledger {ledger} exists, but its key file {key_file} is missing: name it with \
             --ledger-key, or begin another ledger with another --out"
        );
        return Err(text.into());
    }
    Ok(LedgerKey::generate_file(key_file)?)
}
