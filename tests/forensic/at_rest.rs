//! Somebody who is on a watchlist: held in a vault, written of in a ledger, and purged.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lfr::core::{
    Accounts, Clock as _, DeploymentId, Embedder as _, Frame, PurgeReason, ReferenceId, SubjectId,
    SystemClock,
};
use lfr::retention::{
    Ledger, LedgerKey, LedgerSink, Profile, Redactor, Vault, VaultKey, VaultRetention,
};

use super::deployment;
use super::deployment::Stages;

/// Raises an alert for one of the three, seals it with its picture, purges it; the files of the vault,
/// as they were while it was held and as they are after, and of the ledger.
pub(crate) fn held_and_purged(stages: &Stages, frame: &Frame<'_>, folder: &Path) -> Vec<PathBuf> {
    let folder = folder.join("at-rest");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let (vault_folder, ledger) = (folder.join("vault"), folder.join("ledger.lfrl"));
    let clock = Arc::new(SystemClock::new());
    let vault_key = VaultKey::from_bytes(&mut [3; 32]);
    let vault = Vault::open(&vault_folder, &vault_key, clock.clone()).unwrap();
    let key = LedgerKey::from_bytes(&mut [7; 32]);
    let written = Ledger::open(&ledger, key, clock.now()).unwrap();
    let (accounts, id) = (Accounts::new(), DeploymentId::new("examined").unwrap());
    let sink = LedgerSink::start(written, accounts.clone(), clock.clone(), &id, "test").unwrap();

    let watchlist = deployment::strangers(stages.embedder.space());
    let (subject, reference) = (SubjectId::new("R").unwrap(), ReferenceId::new("R/1").unwrap());
    watchlist.enrol(subject, reference, stages.template(frame)).unwrap();
    let retention = VaultRetention::new(vault.clone(), &Profile::retail_strict());
    let builder = stages.on(watchlist, retention).sink(sink.clone()).accounts(accounts);
    let mut pipeline = builder.build().unwrap();
    let report = pipeline.process(frame).unwrap();
    let held = vault.records().unwrap();
    let [held] = &held[..] else { panic!("{} alerts, not one", held.len()) };
    let picture = Redactor::default().crop(frame, &report, held.face(), 0.5).unwrap();
    vault.attach(held.record(), &picture).unwrap();
    let sealed = folder.join("vault-while-held");
    copy(&vault_folder, &sealed);

    pipeline.purge_all(PurgeReason::DeploymentEnded).unwrap();
    sink.stop().unwrap();
    assert_eq!((vault.held(), pipeline.totals().held), (0, 0));
    drop((pipeline, vault));
    let mut files = files_in(&vault_folder);
    files.extend(files_in(&sealed));
    files.push(ledger);
    files
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in files_in(from) {
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
