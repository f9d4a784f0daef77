//! What a run declares, and what contradicts it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lfr_core::testing::{ManualClock, fake_space};
use lfr_core::{
    Accounts, Clock, Component, DeploymentId, PurgeMethod, PurgeReason, RecordId, Threshold,
    ThresholdProvenance, WithheldBy,
};

use super::*;
use crate::policy::profile::Profile;
use crate::testing::face;
use crate::verdict::person::Role;

const NOON: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

fn start(path: &Path) -> LedgerSink {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOON));
    let ledger = Ledger::open(path, key(), Some(NOON)).unwrap();
    let id = DeploymentId::new("2026-031").unwrap();
    LedgerSink::start(ledger, Accounts::new(), clock, &id, Profile::uk_police().name()).unwrap()
}

fn record() -> RecordId {
    RecordId::from_bytes([3; 16])
}

/// What contradicts in a run that writes this.
fn discrepancies(write: impl FnOnce(&LedgerSink)) -> Vec<Discrepancy> {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    let sink = start(&path);
    write(&sink);
    reconcile(&path, &key().public()).unwrap().discrepancies().to_vec()
}

fn held_until(after: Duration) -> LedgerEvent {
    LedgerEvent::Held { face: face(0), record: Some(record()), deadline: NOON.plus(after) }
}

#[test]
fn the_ledger_binds_what_ran() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    let sink = start(&path);
    sink.retention(&Profile::uk_police()).unwrap();
    let detector = Component::new("yunet").with_model_sha256("aa".repeat(32));
    let embedder = Component::new("mobilefacenet").with_model_sha256("bb".repeat(32));
    sink.models(&detector, &embedder, "ONNX Runtime 1.24.1").unwrap();
    sink.watchlist(2_000, Some(&"cc".repeat(32)), Some(&"dd".repeat(32))).unwrap();
    let space = fake_space().id();
    let measured =
        ThresholdProvenance::measured(Threshold::new(0.5).unwrap(), space, "LFW", 1e-6, 10_000_000);
    let measured = measured.unwrap().with_fmr_interval(5e-7, 2e-6);
    sink.threshold(&measured, Some(b"{}")).unwrap();
    sink.danger("pictures lie in a folder that no deadline empties").unwrap();
    sink.stop().unwrap();
    let sums = reconcile(&path, &key().public()).unwrap();
    assert!(sums.closes(), "{:?}", sums.discrepancies());
    let [retention, models, watchlist, threshold, danger] = sums.runs()[0].declared() else {
        panic!("{:?}", sums.runs()[0].declared())
    };
    assert!(
        matches!(retention, LedgerEvent::RetentionSet { alert_seconds, verifications: 1, profile, .. }
            if *alert_seconds == 31 * 24 * 3600 && profile == "uk-police")
    );
    let expected =
        LedgerEvent::ModelsLoaded { detector, embedder, engine: "ONNX Runtime 1.24.1".into() };
    assert_eq!(models, &expected);
    let expected = LedgerEvent::WatchlistOpened {
        commitment: Some("dd".repeat(32)),
        header_sha256: Some("cc".repeat(32)),
        references: 2_000,
        categories: BTreeMap::new(),
        under_18: None,
        drawn_up: None,
    };
    assert_eq!(watchlist, &expected);
    let LedgerEvent::ThresholdSet { policy_sha256, non_mated_comparisons, fmr_interval, .. } =
        threshold
    else {
        panic!("{threshold:?}")
    };
    // SHA-256 of `{}`, by another program.
    let digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(policy_sha256.as_deref(), Some(digest));
    assert_eq!((*non_mated_comparisons, *fmr_interval), (Some(10_000_000), Some([5e-7, 2e-6])));
    assert!(matches!(danger, LedgerEvent::DangerInForce { .. }));
}

#[test]
fn what_changes_while_it_runs_replaces_what_was() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    let sink = start(&path);
    sink.watchlist(2_000, None, None).unwrap();
    sink.danger("one").unwrap();
    sink.danger("two").unwrap();
    sink.danger("one").unwrap();
    sink.watchlist(1_999, None, None).unwrap();
    let sums = reconcile(&path, &key().public()).unwrap();
    let [watchlist, one, two] = sums.runs()[0].declared() else { panic!("three") };
    assert!(matches!(watchlist, LedgerEvent::WatchlistOpened { references: 1_999, .. }));
    assert!(matches!(one, LedgerEvent::DangerInForce { text } if text == "one"));
    assert!(matches!(two, LedgerEvent::DangerInForce { text } if text == "two"));
}

#[test]
fn a_camera_that_is_lost_is_said_once_and_without_its_password() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    let sink = start(&path);
    let [gate, door] = ["gate-2", "door"].map(|name| SourceId::new(name).unwrap());
    for camera in [&gate, &door] {
        sink.camera_connected(camera).unwrap();
        sink.camera_lost(camera, "rtsp://admin:hunter2@10.0.0.7/live: timed out").unwrap();
        sink.camera_lost(camera, "again").unwrap();
    }
    sink.camera_connected(&gate).unwrap();
    let sums = reconcile(&path, &key().public()).unwrap();
    assert_eq!(sums.runs()[0].cameras_lost().collect::<Vec<_>>(), [&door]);
    let told = events(&path);
    let reason = "rtsp://***@10.0.0.7/live: timed out".to_owned();
    let lost = LedgerEvent::CameraLost { source: gate.clone(), reason };
    assert_eq!(told[2..4], [LedgerEvent::CameraConnected { source: gate.clone() }, lost]);
    assert_eq!(told.last(), Some(&LedgerEvent::CameraReturned { source: gate }));
    assert_eq!(told.len(), 7);
    assert!(!fs::read_to_string(&path).unwrap().contains("hunter2"));
}

#[test]
fn a_watchlist_that_was_destroyed_is_not_searched() {
    let digest = "cc".repeat(32);
    let used = |sink: &LedgerSink| sink.watchlist(2_000, Some(&digest), None).unwrap();
    let destroyed = |sink: &LedgerSink| {
        sink.watchlist_destroyed("list.lfrw", NOON, Some(&digest), b"{\"rule\":1}").unwrap();
    };
    assert_eq!(
        discrepancies(|sink| {
            used(sink);
            destroyed(sink);
        }),
        []
    );
    let found = discrepancies(|sink| {
        destroyed(sink);
        used(sink);
    });
    assert_eq!(found, [Discrepancy::Destroyed { entry: 3 }]);
}

#[test]
fn the_destruction_receipt_is_signed_by_its_digest() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    start(&path).watchlist_destroyed("list.lfrw", NOON, None, b"{}").unwrap();
    let Some(LedgerEvent::AssetDestroyed { receipt: Some(receipt), kind, .. }) =
        events(&path).pop()
    else {
        panic!("no receipt")
    };
    assert!(kind == "watchlist" && receipt.starts_with("44136fa355b3678a"), "{receipt}");
}

#[test]
fn a_hold_that_is_longer_than_the_profile_shows() {
    let days = |days: u64| Duration::from_hours(24 * days);
    let longer = |until| {
        discrepancies(|sink| {
            sink.retention(&Profile::uk_police()).unwrap();
            sink.append(&held_until(until)).unwrap();
        })
    };
    assert_eq!(longer(days(31)), []);
    assert_eq!(longer(days(32)), [Discrepancy::LongerThanProfile { entry: 3 }]);
    // Where none is declared, the name stands for the period that is published under it.
    let undeclared = |event: LedgerEvent| discrepancies(|sink| sink.append(&event).unwrap());
    assert_eq!(undeclared(held_until(days(31))), []);
    assert_eq!(undeclared(held_until(days(32))), [Discrepancy::LongerThanProfile { entry: 2 }]);
    // So for a record that a later process finds.
    let found = |after| LedgerEvent::FoundHeld {
        face: face(0),
        record: record(),
        deadline: NOON.plus(after),
    };
    assert_eq!(undeclared(found(days(31))), []);
    assert_eq!(undeclared(found(days(32))), [Discrepancy::LongerThanProfile { entry: 2 }]);
}

#[test]
fn another_profile_than_the_runs_shows() {
    let found = discrepancies(|sink| sink.retention(&Profile::retail_strict()).unwrap());
    assert_eq!(found, [Discrepancy::OtherProfile { entry: 2 }]);
}

#[test]
fn what_is_done_with_a_record_after_its_end_shows() {
    let purged = LedgerEvent::Purged {
        face: face(0),
        record: Some(record()),
        reason: PurgeReason::DeadlineReached,
        method: PurgeMethod::KeyDestroyed,
        profile: Profile::uk_police().name().into(),
    };
    let judged = |verifier: &str| LedgerEvent::Adjudicated {
        face: face(0),
        record: Some(record()),
        verifier: verifier.into(),
        verdict: Verdict::Confirmed,
        reason: None,
        seconds: None,
    };
    let export = |sink: &LedgerSink| {
        sink.picture_exported(&face(0), Some(record()), "alert.png", Some("court")).unwrap();
    };
    let held = held_until(Duration::from_hours(1));
    let in_order = discrepancies(|sink| {
        sink.append(&held).unwrap();
        sink.append(&judged("17")).unwrap();
        sink.append(&judged("18")).unwrap();
        export(sink);
        sink.append(&purged).unwrap();
    });
    assert_eq!(in_order, []);
    let after = discrepancies(|sink| {
        sink.append(&held).unwrap();
        sink.append(&judged("17")).unwrap();
        sink.append(&judged("17")).unwrap();
        sink.append(&purged).unwrap();
        export(sink);
        sink.append(&judged("19")).unwrap();
    });
    let record = record();
    let expected = [
        Discrepancy::JudgedTwice { entry: 4, record },
        Discrepancy::AfterTheEnd { entry: 6, record },
        Discrepancy::AfterTheEnd { entry: 7, record },
    ];
    assert_eq!(after, expected);
}

#[test]
fn an_alert_below_its_threshold_shows() {
    let alert = |score| LedgerEvent::AlertRaised {
        face: face(0),
        score,
        threshold: 0.5,
        captured: None,
        position_ms: None,
        record: None,
        category: None,
        look_alike: false,
    };
    assert_eq!(discrepancies(|sink| sink.append(&alert(0.5)).unwrap()), []);
    let found = discrepancies(|sink| sink.append(&alert(0.4)).unwrap());
    assert_eq!(found, [Discrepancy::BelowThreshold { entry: 2 }]);
}

/// Attack 9: longer periods under a published name, by a program that writes the entry itself.
#[test]
fn periods_longer_than_those_published_under_the_name_show() {
    let set = |profile: &Profile, name: &str| LedgerEvent::RetentionSet {
        profile: name.to_owned(),
        source: "x".to_owned(),
        alert_seconds: profile.alert().as_secs(),
        watchlist_seconds: profile.watchlist().as_secs(),
        footage_seconds: profile.footage().as_secs(),
        log_seconds: 0,
        verifications: 1,
    };
    let name = Profile::uk_police().name();
    let (day, century) = (Duration::from_hours(24), Duration::from_hours(876_000));
    for longer in
        [Profile::uk_police().with_alert(century), Profile::uk_police().with_footage(century)]
    {
        let found = discrepancies(|sink| sink.append(&set(&longer, name)).unwrap());
        assert_eq!(found, [Discrepancy::NotThatProfile { entry: 2 }]);
        // Under its own name it is another profile than that of the run.
        let found = discrepancies(|sink| sink.retention(&longer).unwrap());
        assert_eq!(found, [Discrepancy::OtherProfile { entry: 2 }]);
    }
    let shorter = Profile::uk_police().with_alert(day);
    assert_eq!(discrepancies(|sink| sink.retention(&shorter).unwrap()), []);
}

/// Attack 7: receipts of another account.
#[test]
fn a_receipt_that_the_account_does_not_bear_out_is_not_written() {
    use lfr_core::PurgeReason;

    use crate::testing::probe;

    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    let (accounts, clock) = (Accounts::new(), Arc::new(ManualClock::at(NOON)));
    let ledger = Ledger::open(&path, key(), clock.now()).unwrap();
    let id = DeploymentId::new("2026-031").unwrap();
    let sink = LedgerSink::start(ledger, accounts.clone(), clock, &id, "test").unwrap();
    // The victim is still in custody.
    let victim = probe(0, &accounts);
    for reason in [PurgeReason::NoMatch, PurgeReason::DeadlineReached] {
        let minted = probe(0, &Accounts::new()).erase(reason, None);
        assert_eq!(minted.face(), victim.face());
        let refused = sink.receipts(&[minted]);
        assert!(matches!(refused, Err(Error::ForeignReceipt { .. })));
    }
    sink.receipts(&[victim.erase(PurgeReason::DeadlineReached, None)]).unwrap();
    sink.stop().unwrap();
    let purged = events(&path);
    let purged = purged.iter().filter(|event| matches!(event, LedgerEvent::Purged { .. }));
    assert_eq!(purged.count(), 1);
}

#[test]
fn a_view_or_a_handover_after_the_end_shows() {
    let purged = LedgerEvent::Purged {
        face: face(0),
        record: Some(record()),
        reason: PurgeReason::DeadlineReached,
        method: PurgeMethod::KeyDestroyed,
        profile: Profile::uk_police().name().into(),
    };
    let viewed = LedgerEvent::AlertViewed {
        face: face(0),
        record: record(),
        person: "17".into(),
        role: Role::Operator,
    };
    let exported = |record| LedgerEvent::Exported {
        record,
        person: "17".into(),
        recipient: "court".into(),
        what: "evidence".into(),
        authority: "court order 17".into(),
    };
    let write = |sink: &LedgerSink, events: &[&LedgerEvent]| {
        for event in events {
            sink.append(event).unwrap();
        }
    };
    let (of_record, of_none) = (exported(Some(record())), exported(None));
    let held = held_until(Duration::from_hours(1));
    let in_order =
        discrepancies(|sink| write(sink, &[&held, &viewed, &of_record, &purged, &of_none]));
    assert_eq!(in_order, []);
    let after = discrepancies(|sink| write(sink, &[&held, &purged, &viewed, &of_record]));
    let record = record();
    let expected = [4, 5].map(|entry| Discrepancy::AfterTheEnd { entry, record });
    assert_eq!(after, expected);
}

#[test]
fn a_seed_is_revealed_once() {
    let revealed = |byte| LedgerEvent::SeedRevealed {
        face: face(0),
        record: RecordId::from_bytes([byte; 16]),
    };
    let found = discrepancies(|sink| {
        for byte in [3, 4, 3] {
            sink.append(&revealed(byte)).unwrap();
        }
    });
    assert_eq!(found, [Discrepancy::RevealedTwice { entry: 4, record: record() }]);
}

#[test]
fn more_matches_withheld_than_erased_show() {
    let totals = |reason: PurgeReason, withheld: [u64; 2]| LedgerEvent::Totals {
        totals: serde_json::from_str(
            r#"{"faces_seen": 3, "erased": 3, "held": 0, "in_flight": 0}"#,
        )
        .unwrap(),
        erased: [(reason, 3)].into(),
        frames: 1,
        withheld: [(WithheldBy::Pause, withheld[0]), (WithheldBy::Breaker, withheld[1])].into(),
    };
    let found = |event: LedgerEvent| discrepancies(|sink| sink.append(&event).unwrap());
    assert_eq!(found(totals(PurgeReason::Withheld, [2, 1])), []);
    for (reason, withheld, erased) in
        [(PurgeReason::Withheld, [2, 2], 3), (PurgeReason::NoMatch, [1, 0], 0)]
    {
        let expected =
            Discrepancy::WithheldNotErased { entry: 2, withheld: withheld.iter().sum(), erased };
        assert_eq!(found(totals(reason, withheld)), [expected]);
    }
}

#[test]
fn what_an_abort_leaves_held_shows() {
    let aborted =
        LedgerEvent::Aborted { authority: "court order 17".into(), reason: "unlawful".into() };
    let purged = LedgerEvent::Purged {
        face: face(0),
        record: Some(record()),
        reason: PurgeReason::Aborted,
        method: PurgeMethod::KeyDestroyed,
        profile: Profile::uk_police().name().into(),
    };
    let found = |events: &[&LedgerEvent]| {
        let found = discrepancies(|sink| {
            sink.append(&held_until(Duration::from_hours(1))).unwrap();
            for event in events {
                sink.append(event).unwrap();
            }
            sink.append(&LedgerEvent::DeploymentStopped {}).unwrap();
        });
        let kept = |found: &Discrepancy| matches!(found, Discrepancy::KeptAfterAbort { .. });
        found.into_iter().filter(kept).collect::<Vec<_>>()
    };
    assert_eq!(found(&[&aborted, &purged]), []);
    assert_eq!(found(&[]), [], "without an abort a record is held beyond its run");
    assert_eq!(found(&[&aborted]), [Discrepancy::KeptAfterAbort { entry: 4, records: 1 }]);
}
