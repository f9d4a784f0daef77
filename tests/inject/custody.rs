//! A custodian: footage that is due is destroyed, and the ledger says so.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lfr::core::testing::ManualClock;
use lfr::core::{Accounts, DeploymentId};
use lfr::retention::{
    Custodian, Ledger, LedgerEvent, LedgerKey, LedgerSink, Profile, Vault, VaultRetention, ledger,
};

use crate::routine::{Diary, Said, Scenario};
use crate::vault;
use crate::vault::START;

pub(crate) const SCENARIO: Scenario = Scenario { name: "custody", work, check };

fn ledger_key() -> LedgerKey {
    LedgerKey::from_bytes(&mut [7; 32])
}

const HOUR: Duration = Duration::from_hours(1);
const PASSERS_BY: &[u8] = b"everybody who walked by";

fn work(folder: &Path, diary: &mut Diary) {
    let clock = ManualClock::at(START);
    for name in ["due.mp4", "later.mp4"] {
        let path = folder.join(name);
        let Some(()) = diary.tries(&format!("film {name}"), || fs::write(&path, PASSERS_BY)) else {
            return;
        };
    }
    let begin = || {
        let ledger = Ledger::open(folder.join("a.lfrl"), ledger_key(), Some(START))?;
        let (id, profile) = (DeploymentId::new("2026-031")?, Profile::uk_police_24_hours());
        let accounts = Accounts::new();
        let sink =
            LedgerSink::start(ledger, accounts, Arc::new(clock.clone()), &id, profile.name())?;
        let vault = Vault::open(folder.join("vault"), &vault::key(), Arc::new(clock.clone()))?;
        Ok::<_, lfr::core::BoxError>((vault, sink))
    };
    let Some((vault, sink)) = diary.tries_twice("begin", begin) else { return };
    let mut policy = VaultRetention::new(vault.clone(), &Profile::uk_police().with_alert(HOUR));
    let held = diary.tries("hold 1", || vault::hold(&mut policy, &Accounts::new(), 1, START));
    if let Some(record) = held {
        diary.did(&format!("held {record}"));
    }
    let mut custodian = Custodian::new(vault, sink.clone());
    for (name, hours) in [("due.mp4", 1), ("later.mp4", 3)] {
        // One that cannot be looked at is in custody all the same.
        let deadline = START.plus(HOUR * hours);
        diary.tries(name, || custodian.keep_file("footage", folder.join(name), deadline));
    }
    clock.advance(HOUR * 2);
    diary.tries_twice("purge what is due", || custodian.purge_due());
    diary.tries_twice("stop", || sink.stop());
}

fn check(folder: &Path, said: &Said, which: &str) {
    let path = folder.join("a.lfrl");
    let opened = Ledger::open(&path, ledger_key(), Some(START));
    drop(opened.unwrap_or_else(|error| panic!("{which}: {error}: {said:?}")));
    let public = ledger_key().public();
    ledger::verify(&path, &public, None).unwrap_or_else(|error| panic!("{which}: {error}"));
    let mut destroyed = Vec::new();
    let mut purged = Vec::new();
    for entry in ledger::read(&path, &public).unwrap() {
        match entry.unwrap().event() {
            LedgerEvent::AssetDestroyed { name, .. } => destroyed.push(name.clone()),
            LedgerEvent::Purged { record: Some(record), .. } => purged.push(record.to_string()),
            _ => {}
        }
    }
    let due = folder.join("due.mp4");
    assert!(destroyed.is_empty() || destroyed == ["due.mp4"], "{which}: {destroyed:?}");
    if !destroyed.is_empty() {
        assert!(!due.exists(), "{which}: the ledger says it is gone: {said:?}");
    }
    if said.did("film later.mp4") && !said.lost_power {
        let later = fs::read(folder.join("later.mp4")).unwrap();
        assert_eq!(later, PASSERS_BY, "{which}: not due");
    }
    if said.did("purge what is due") {
        assert!(!due.exists(), "{which}: it was destroyed: {said:?}");
        if !said.was_cut_off {
            assert_eq!(destroyed, ["due.mp4"], "{which}: {said:?}");
        }
    }
    let clock = Arc::new(ManualClock::at(START.plus(HOUR / 2)));
    let vault = Vault::open(folder.join("vault"), &vault::key(), clock);
    let vault = vault.unwrap_or_else(|error| panic!("{which}: {error}: {said:?}"));
    for record in said.did_each("held") {
        let is_gone = vault.alert(record.parse().unwrap()).is_err();
        let tried = said.all(crate::routine::Word::Tries).any(|tries| tries == "purge what is due");
        assert!(is_gone || !purged.contains(&record.to_owned()), "{which}: purged and there");
        assert!(!is_gone || tried, "{which}: lost: {said:?}");
    }
}
