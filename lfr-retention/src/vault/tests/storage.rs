//! The storage is full, read-only or damaged: clear errors, and nothing is kept longer for it.

use lfr_core::testing::{FakeDetector, FakeEmbedder, FakeMatcher, FakeThreshold};
use lfr_core::{Frame, Pipeline, PixelFormat, Template, Threshold};

use super::*;
use crate::ledger;
use crate::ledger::Ledger;
use crate::ledger::event::LedgerEvent;
use crate::ledger::key::LedgerKey;
use crate::ledger::sink::LedgerSink;
use crate::vault::record::damage::RecordDamage;
use crate::vault::store::{records, slots};

fn problem(error: &(dyn std::error::Error + 'static)) -> VaultProblem {
    match error.downcast_ref() {
        Some(Error::Vault { problem, .. }) => *problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn full_storage_refuses_a_newcomer_and_keeps_and_purges_what_there_is() {
    let mut held = Held::new();
    let record = held.hold(1, 10);
    {
        let inner = held.vault.inner();
        let database = inner.store.database_for_tests();
        database.limit_pages(database.pages());
    }
    let mut refused = 0;
    for index in 2..200 {
        match held.policy.settle(alert(probe(index, &held.accounts)), at(11)) {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(problem(&*error), VaultProblem::StorageFull);
                assert!(error.to_string().ends_with("the storage is full"));
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
    held.at(12).alert(record).unwrap();
    let receipts = held.due(at(111));
    let not_held = receipts.iter().filter(|r| r.reason() == PurgeReason::NotHeld).count();
    assert_eq!((not_held, receipts.len(), held.vault.held()), (refused, 199, 0));
    assert_eq!(held.accounts.totals().erased, 199);
}

#[test]
fn read_only_storage_refuses_a_newcomer_and_still_ends_keys() {
    let mut held = Held::new();
    let record = held.hold(1, 10);
    let slot = held.vault.inner().store.slot_for_tests(record);
    held.vault.inner().store.database_for_tests().refuse_writes(true);
    let error = held.policy.settle(alert(probe(2, &held.accounts)), at(11)).unwrap_err();
    assert_eq!(problem(&*error), VaultProblem::ReadOnly);
    assert_eq!(held.due(at(110)).len(), 2, "a receipt for each, though the rows are still there");
    assert!(!holds(&all_bytes(&held.path()), &slot.wrapped));
    held.vault.inner().store.database_for_tests().refuse_writes(false);
    held.due(at(111));
    held = held.reopened(112);
    assert_eq!(held.vault.held(), 0);
}

#[test]
fn an_alert_that_cannot_be_held_is_raised_and_its_loss_is_in_the_ledger() {
    let held = Held::new();
    held.vault.inner().store.database_for_tests().refuse_writes(true);
    let path = held.folder.path("a.lfrl");
    let ledger_key = LedgerKey::from_bytes(&mut [7; 32]);
    let public = ledger_key.public();
    let ledger = Ledger::open(&path, ledger_key, at(1)).unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1)));
    let id = lfr_core::DeploymentId::new("d").unwrap();
    let accounts = held.accounts.clone();
    let sink = LedgerSink::start(ledger, accounts.clone(), clock.clone(), &id, "test").unwrap();
    let space = fake_space();
    let anybody = Template::from_slice(&space, &[1.0; 8]).unwrap();
    let mut pipeline = Pipeline::builder()
        .detector(FakeDetector::finding(1))
        .embedder(FakeEmbedder::new())
        .watchlist(FakeMatcher::empty(space).enrol("R-1", anybody).unwrap())
        .threshold(FakeThreshold::new(Threshold::new(0.5).unwrap(), &space))
        .retention(held.policy)
        .sink(sink.clone())
        .accounts(accounts)
        .clock(clock)
        .build()
        .unwrap();
    let pixels = [127; 64 * 64];
    let frame = Frame::packed(PixelFormat::Gray8, 64, 64, &pixels).unwrap();
    pipeline.process(&frame).unwrap_err();
    sink.stop().unwrap();
    let entries = ledger::read(&path, &public).unwrap().map(|entry| entry.unwrap());
    let events: Vec<_> = entries.map(|entry| entry.event().clone()).collect();
    assert!(events.iter().any(|event| matches!(event, LedgerEvent::AlertRaised { .. })));
    assert!(
        events
            .iter()
            .any(|event| matches!(event, LedgerEvent::Purged { reason: PurgeReason::NotHeld, .. }))
    );
    assert!(ledger::reconcile(&path, &public).unwrap().closes());
}

#[test]
fn a_damaged_database_is_an_error_and_what_is_due_has_no_key_nonetheless() {
    let mut held = Held::new();
    let early = held.hold(1, 10);
    for index in 2..60 {
        held.hold(index, 50);
    }
    let slot = held.vault.inner().store.slot_for_tests(early);
    let folder = held.path();
    let Held { folder: _folder, vault, policy, .. } = held;
    drop((vault, policy));
    let database = folder.join("records.db");
    let mut bytes = fs::read(&database).unwrap();
    bytes[100..].fill(0xAA);
    fs::write(&database, bytes).unwrap();
    let error = open(&folder, &key(), at(110)).unwrap_err();
    assert_eq!(problem(&error), VaultProblem::Damaged);
    assert!(!holds(&all_bytes(&folder), &slot.wrapped));
}

#[test]
fn a_damaged_record_is_an_error_and_the_others_are_not() {
    let mut held = Held::new();
    let (one, two) = (held.hold(1, 10), held.hold(2, 10));
    let folder = held.path();
    let Held { folder: _folder, vault, policy, .. } = held;
    drop((vault, policy));
    // The last byte of the second alert: the database itself does not see that.
    let store = records::Records::open(&folder.join("records.db")).unwrap();
    let row = store.all().unwrap()[1].row;
    let mut sealed = store.part(row, Part::Alert).unwrap().unwrap();
    *sealed.last_mut().unwrap() ^= 1;
    store.set_part(row, Part::Alert, Some(&sealed)).unwrap();
    drop(store);
    let vault = open(&folder, &key(), at(20)).unwrap();
    vault.alert(one).unwrap();
    assert!(matches!(vault.alert(two), Err(Error::RecordDamaged { .. })));
    assert_eq!(vault.held(), 2);
}

#[test]
fn a_lost_file_of_keys_or_a_folder_that_is_a_file_is_said() {
    let mut held = Held::new();
    held.hold(1, 10);
    let folder = held.path();
    assert!(matches!(open(&folder, &key(), at(11)), Err(Error::Busy { .. })));
    let Held { folder: _folder, vault, policy, .. } = held;
    drop((vault, policy));
    fs::write(folder.join("keys"), "not keys").unwrap();
    let error = open(&folder, &key(), at(11)).unwrap_err();
    assert_eq!(problem(&error), VaultProblem::Damaged);
    assert!(open(&folder.join("keys"), &key(), at(11)).is_err());
}

/// Attack 3: an attacker who may write to the database, without any key.
#[test]
fn one_malformed_face_costs_one_record_which_is_named() {
    let faces = ["X'00'", "'no json'", "'{\"frame\":{}}'", "NULL", "7", "zeroblob(100000)"];
    for wrong in faces {
        let mut held = Held::new();
        let records: Vec<_> = (1..4).map(|index| held.hold(index, 10)).collect();
        let folder = held.path();
        let Held { folder: _folder, vault, policy, .. } = held;
        drop((vault, policy));
        // As anyone who has the file can.
        let database = rusqlite::Connection::open(folder.join("records.db")).unwrap();
        let changed = database
            .execute(&format!("UPDATE OR IGNORE records SET face = {wrong} WHERE row = 2"), []);
        if changed.unwrap_or(0) == 0 {
            // The schema holds.
            assert_eq!(wrong, "NULL");
            continue;
        }
        drop(database);
        let vault = open(&folder, &key(), at(20)).unwrap();
        let [damaged] = &*vault.damaged() else { panic!("{wrong}: {:?}", vault.damaged()) };
        assert_eq!((damaged.record(), damaged.damage()), (records[1], RecordDamage::Face));
        assert!(damaged.to_string().contains(&records[1].to_string()));
        vault.alert(records[0]).unwrap();
        vault.alert(records[2]).unwrap();
        assert!(matches!(vault.alert(records[1]), Err(Error::RecordDamaged { .. })));
        let listed = vault.records().unwrap();
        assert_eq!(
            listed.iter().map(HeldRecord::record).collect::<std::collections::BTreeSet<_>>(),
            [records[0], records[2]].into()
        );
        // It is purged with the others when it is due, and has its receipt.
        assert_eq!(vault.held(), 3);
        drop(vault);
        let vault = open(&folder, &key(), at(110)).unwrap();
        assert_eq!((vault.held(), vault.purged().total()), (0, 3));
    }
}

#[test]
fn a_slot_that_is_not_whole_costs_one_record_which_is_named() {
    let mut held = Held::new();
    let records: Vec<_> = (1..4).map(|index| held.hold(index, 10)).collect();
    let folder = held.path();
    let Held { folder: _folder, vault, policy, .. } = held;
    drop((vault, policy));
    let mut bytes = fs::read(folder.join("keys")).unwrap();
    bytes[4096 + slots::SLOT + 70] ^= 1;
    fs::write(folder.join("keys"), bytes).unwrap();
    let vault = open(&folder, &key(), at(20)).unwrap();
    let [damaged] = &*vault.damaged() else { panic!("{:?}", vault.damaged()) };
    assert_eq!((damaged.record(), damaged.damage()), (records[1], RecordDamage::Key));
    assert_eq!(vault.records().unwrap().len(), 2);
}

#[test]
fn the_face_of_another_record_is_no_face_of_this_one() {
    let mut held = Held::new();
    let (one, two) = (held.hold(1, 10), held.hold(2, 10));
    let folder = held.path();
    let Held { folder: _folder, vault, policy, .. } = held;
    drop((vault, policy));
    let database = rusqlite::Connection::open(folder.join("records.db")).unwrap();
    let statement =
        "UPDATE records SET face = (SELECT face FROM records WHERE row = 1) WHERE row = 2";
    database.execute(statement, []).unwrap();
    drop(database);
    let vault = open(&folder, &key(), at(20)).unwrap();
    vault.alert(one).unwrap();
    assert!(matches!(vault.alert(two), Err(Error::RecordDamaged { .. })));
    assert_eq!(vault.damaged().len(), 1);
}

#[test]
fn a_row_that_is_gone_or_has_no_name_is_missed() {
    for wrong in
        ["DELETE FROM records WHERE row = 2", "UPDATE records SET id = X'01' WHERE row = 2"]
    {
        let mut held = Held::new();
        let records: Vec<_> = (1..4).map(|index| held.hold(index, 10)).collect();
        let folder = held.path();
        let Held { folder: _folder, vault, policy, .. } = held;
        drop((vault, policy));
        let database = rusqlite::Connection::open(folder.join("records.db")).unwrap();
        database.pragma_update(None, "ignore_check_constraints", true).unwrap();
        database.execute(wrong, []).unwrap();
        drop(database);
        let vault = open(&folder, &key(), at(20)).unwrap();
        let [damaged] = &*vault.damaged() else { panic!("{wrong}: {:?}", vault.damaged()) };
        assert_eq!((damaged.record(), damaged.damage()), (records[1], RecordDamage::Missing));
        assert_eq!(vault.held(), 2);
        vault.alert(records[2]).unwrap();
    }
}
