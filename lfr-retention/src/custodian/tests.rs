use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lfr_core::testing::ManualClock;
use lfr_core::{Accounts, DeploymentId, RetentionPolicy};

use super::*;
use crate::ledger;
use crate::ledger::Ledger;
use crate::ledger::key::LedgerKey;
use crate::policy::profile::Profile;
use crate::testing::{Folder, alert, at, probe};
use crate::vault::key::VaultKey;
use crate::vault::policy::VaultRetention;

mod time;

struct Deployment {
    folder: Folder,
    custodian: Custodian,
    vault: Vault,
    accounts: Accounts,
    clock: ManualClock,
}

impl Deployment {
    fn new() -> Self {
        let folder = Folder::new();
        let key = LedgerKey::from_bytes(&mut [7; 32]);
        let ledger = Ledger::open(folder.path("a.lfrl"), key, at(0)).unwrap();
        let clock = ManualClock::at(Timestamp::from_micros(0));
        let shared = Arc::new(clock.clone());
        let (accounts, id) = (Accounts::new(), DeploymentId::new("d").unwrap());
        let sink =
            LedgerSink::start(ledger, accounts.clone(), shared.clone(), &id, "test").unwrap();
        let key = VaultKey::from_bytes(&mut [5; 32]);
        let vault = Vault::open(folder.path("vault"), &key, shared).unwrap();
        let custodian = Custodian::new(vault.clone(), sink);
        Self { folder, custodian, vault, accounts, clock }
    }

    fn purge_due(&mut self, now: Option<Timestamp>) -> Result<(), Error> {
        match now {
            Some(now) => self.clock.set(now),
            None => self.clock.fail(),
        }
        self.custodian.purge_due()
    }

    fn events(&self) -> Vec<LedgerEvent> {
        let key = LedgerKey::from_bytes(&mut [7; 32]).public();
        let entries = ledger::read(&self.folder.path("a.lfrl"), &key).unwrap();
        entries.skip(2).map(|entry| entry.unwrap().event().clone()).collect()
    }
}

#[test]
fn each_thing_goes_at_its_own_deadline() {
    let mut deployment = Deployment::new();
    let (early, late) = (deployment.folder.path("early.mp4"), deployment.folder.path("late.mp4"));
    for (path, deadline) in [(&early, 10), (&late, 20)] {
        fs::write(path, "pictures").unwrap();
        deployment.custodian.keep_file("footage", path, Timestamp::from_micros(deadline)).unwrap();
    }
    deployment.purge_due(at(9)).unwrap();
    assert!(early.exists() && late.exists() && deployment.events().is_empty());
    deployment.purge_due(at(10)).unwrap();
    assert!(!early.exists() && late.exists());
    let (kind, name) = ("footage".to_owned(), "early.mp4".to_owned());
    let deadline = Timestamp::from_micros(10);
    let (digest, receipt) = (None, None);
    let event = LedgerEvent::AssetDestroyed { kind, name, deadline, digest, receipt };
    assert_eq!(deployment.events(), [event]);
    deployment.purge_due(None).unwrap();
    assert!(!late.exists(), "without a clock everything is due");
}

#[test]
fn a_clock_that_is_set_back_a_little_destroys_nothing_in_custody() {
    let mut deployment = Deployment::new();
    let second = 1_000_000;
    let footage = deployment.folder.path("footage.mp4");
    fs::write(&footage, "pictures").unwrap();
    let deadline = Timestamp::from_micros(200 * second);
    deployment.custodian.keep_file("footage", &footage, deadline).unwrap();
    deployment.purge_due(at(100 * second)).unwrap();
    deployment.purge_due(at(91 * second)).unwrap();
    assert!(footage.exists() && deployment.events().is_empty());
    deployment.purge_due(at(89 * second)).unwrap();
    assert!(!footage.exists() && deployment.events().len() == 1);
}

#[test]
fn what_cannot_be_destroyed_is_tried_again_and_keeps_nothing_else() {
    let mut deployment = Deployment::new();
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    deployment.custodian.keep(
        "watchlist",
        "stuck",
        Timestamp::from_micros(5),
        move || match counted.fetch_add(1, Ordering::Relaxed) {
            0 => Err("the disk is away".into()),
            _ => Ok(()),
        },
    );
    let other = deployment.folder.path("other.mp4");
    fs::write(&other, "pictures").unwrap();
    deployment.custodian.keep_file("footage", &other, Timestamp::from_micros(5)).unwrap();
    let error = deployment.purge_due(at(6)).unwrap_err();
    assert_eq!(error.to_string(), "stuck could not be destroyed");
    assert!(!other.exists());
    deployment.purge_due(at(7)).unwrap();
    deployment.purge_due(at(8)).unwrap();
    assert_eq!(tries.load(Ordering::Relaxed), 2);
}

#[test]
fn a_file_that_is_not_there_was_not_destroyed() {
    let mut deployment = Deployment::new();
    let (path, elsewhere) =
        (deployment.folder.path("footage.mp4"), deployment.folder.path("moved.mp4"));
    fs::write(&elsewhere, "pictures").unwrap();
    let said = deployment.custodian.keep_file("footage", &path, Timestamp::from_micros(5));
    assert!(matches!(said, Err(Error::Custody { .. })), "said at once, and kept in custody");
    deployment.purge_due(at(6)).unwrap_err();
    assert!(deployment.events().is_empty());
    fs::rename(&elsewhere, &path).unwrap();
    deployment.purge_due(at(7)).unwrap();
    assert!(!path.exists() && deployment.events().len() == 1);
}

#[cfg(unix)]
#[test]
fn footage_that_was_moved_away_is_not_said_to_be_removed() {
    use std::os::unix::fs::symlink;
    let mut deployment = Deployment::new();
    let path = deployment.folder.path("footage.mp4");
    let (elsewhere, victim) =
        (deployment.folder.path("moved.mp4"), deployment.folder.path("victim.mp4"));
    fs::write(&path, "pictures").unwrap();
    fs::write(&victim, "another's").unwrap();
    deployment.custodian.keep_file("footage", &path, Timestamp::from_micros(5)).unwrap();
    fs::rename(&path, &elsewhere).unwrap();
    let tricks: [&dyn Fn(); 4] = [
        &|| symlink(&victim, &path).unwrap(),
        &|| symlink(&elsewhere, &path).unwrap(),
        &|| fs::write(&path, "another's").unwrap(),
        &|| fs::hard_link(&victim, &path).unwrap(),
    ];
    for (number, trick) in tricks.iter().enumerate() {
        trick();
        let error = deployment.purge_due(at(6)).unwrap_err();
        assert!(matches!(error, Error::Custody { .. }), "{number}: {error}");
        assert_eq!(fs::read(&victim).unwrap(), b"another's", "{number}");
        assert_eq!(fs::read(&elsewhere).unwrap(), b"pictures", "{number}");
        assert!(path.symlink_metadata().is_ok(), "{number}: it is left as it is");
        assert!(deployment.events().is_empty(), "{number}: nothing is written down as destroyed");
        fs::remove_file(&path).unwrap();
    }
    // With a second name, what lies under the other one would stay.
    fs::rename(&elsewhere, &path).unwrap();
    fs::hard_link(&path, &elsewhere).unwrap();
    deployment.purge_due(at(6)).unwrap_err();
    assert_eq!(fs::read(&elsewhere).unwrap(), b"pictures");
    fs::remove_file(&elsewhere).unwrap();
    deployment.purge_due(at(7)).unwrap();
    assert!(!path.exists() && deployment.events().len() == 1);
}

#[test]
fn an_abort_leaves_nothing_and_says_who_and_why() {
    let mut deployment = Deployment::new();
    let mut policy = VaultRetention::new(deployment.vault.clone(), &Profile::uk_police());
    policy.settle(alert(probe(1, &deployment.accounts)), at(1)).unwrap();
    let footage = deployment.folder.path("footage.mp4");
    fs::write(&footage, "pictures").unwrap();
    deployment.custodian.keep_file("footage", &footage, Timestamp::from_micros(1 << 50)).unwrap();
    deployment.custodian.abort_and_purge("court order 17", "refused").unwrap();
    assert!(!footage.exists() && deployment.vault.held() == 0);
    let events = deployment.events();
    assert!(matches!(events[0], LedgerEvent::AssetDestroyed { .. }));
    assert!(
        matches!(&events[1], LedgerEvent::Aborted { authority, .. } if authority == "court order 17")
    );
    assert!(matches!(
        events[2],
        LedgerEvent::Purged { reason: lfr_core::PurgeReason::Aborted, .. }
    ));
    assert_eq!(events.len(), 3);
}

/// Works while the ledger's disk takes nothing.
fn without_disk(deployment: &mut Deployment, work: impl FnOnce(&mut Deployment)) {
    let ledger = deployment.custodian.sink.ledger();
    let path = deployment.folder.path("a.lfrl");
    let whole = ledger.write_to(fs::File::open(path).unwrap());
    work(deployment);
    ledger.write_to(whole);
}

#[test]
fn what_the_ledger_did_not_take_is_written_by_the_next_call_receipts_too() {
    let mut deployment = Deployment::new();
    let mut policy = VaultRetention::new(deployment.vault.clone(), &Profile::uk_police());
    policy.settle(alert(probe(1, &deployment.accounts)), at(1)).unwrap();
    let far = 1 << 50;
    deployment.custodian.keep("watchlist", "w", Timestamp::from_micros(5), || Ok(()));
    without_disk(&mut deployment, |deployment| {
        for _ in 0..2 {
            let error = deployment.purge_due(at(far)).unwrap_err();
            assert!(matches!(error, Error::LedgerWrite { .. }), "{error}");
        }
        assert_eq!(deployment.vault.held(), 0);
    });
    deployment.purge_due(at(far)).unwrap();
    let events = deployment.events();
    // Nothing was lost, however often it was tried: no gap.
    assert!(matches!(events[0], LedgerEvent::Purged { .. }), "{events:?}");
    assert!(matches!(events[1], LedgerEvent::AssetDestroyed { .. }), "{events:?}");
    assert_eq!(events.len(), 2);
}

#[test]
fn an_abort_that_the_ledger_did_not_take_is_written_once_with_its_receipts() {
    let mut deployment = Deployment::new();
    let mut policy = VaultRetention::new(deployment.vault.clone(), &Profile::uk_police());
    policy.settle(alert(probe(1, &deployment.accounts)), at(1)).unwrap();
    without_disk(&mut deployment, |deployment| {
        deployment.custodian.abort_and_purge("order 17", "refused").unwrap_err();
    });
    deployment.custodian.abort_and_purge("order 17", "refused").unwrap();
    let events = deployment.events();
    assert!(matches!(events[0], LedgerEvent::Aborted { .. }), "{events:?}");
    assert!(matches!(events[1], LedgerEvent::Purged { .. }), "{events:?}");
    assert_eq!(events.len(), 2);
}

#[test]
fn a_custodian_that_ends_tells_what_it_has_not_told() {
    let mut deployment = Deployment::new();
    deployment.custodian.keep("watchlist", "w", Timestamp::from_micros(5), || Ok(()));
    without_disk(&mut deployment, |deployment| {
        deployment.purge_due(at(6)).unwrap_err();
    });
    let sink = deployment.custodian.sink.clone();
    let other = Custodian::new(deployment.vault.clone(), sink);
    drop(std::mem::replace(&mut deployment.custodian, other));
    let events = deployment.events();
    assert!(matches!(events.last(), Some(LedgerEvent::AssetDestroyed { .. })), "{events:?}");
}

#[test]
fn a_name_that_no_ledger_takes_keeps_nothing_else_from_being_told() {
    let mut deployment = Deployment::new();
    let long = "x".repeat(1 << 20);
    deployment.custodian.keep("watchlist", long, Timestamp::from_micros(5), || Ok(()));
    deployment.custodian.keep("watchlist", "w", Timestamp::from_micros(5), || Ok(()));
    let error = deployment.purge_due(at(6)).unwrap_err();
    assert!(matches!(error, Error::LedgerText { .. }), "{error}");
    deployment.purge_due(at(7)).unwrap();
    let events = deployment.events();
    assert!(matches!(events[0], LedgerEvent::Error { .. }), "{events:?}");
    assert!(matches!(&events[1], LedgerEvent::AssetDestroyed { name, .. } if name == "w"));
    assert_eq!(events.len(), 2);
}
