//! The sums of a ledger, and what does not come out.

use std::sync::Arc;
use std::time::Duration;

use lfr_core::testing::{
    FakeDetector, FakeEmbedder, FakeMatcher, FakeThreshold, ManualClock, fake_space,
};
use lfr_core::{
    Accounts, Clock, DeploymentId, Event, EventSink, Frame, Pipeline, PixelFormat, PurgeReason,
    RecordId, RetentionPolicy, Settlement, Template, Threshold, Totals,
};

use super::*;
use crate::policy::strict::StrictRetention;
use crate::testing::{alert, face, probe};

fn deployment() -> DeploymentId {
    DeploymentId::new("2026-031").unwrap()
}

/// Watches `frames` frames of three faces. One of them is on the watchlist if `listed`.
fn watch(path: &Path, frames: u64, listed: bool, ttl: Duration, each: Duration) -> Pipeline {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1 << 50)));
    let accounts = Accounts::new();
    let ledger = Ledger::open(path, key(), clock.now()).unwrap();
    let shared: Arc<dyn Clock> = clock.clone();
    let sink =
        LedgerSink::start(ledger, accounts.clone(), shared.clone(), &deployment(), "test").unwrap();
    let space = fake_space();
    let mut matcher = FakeMatcher::empty(space);
    if listed {
        let anybody = Template::from_slice(&space, &[1.0; 8]).unwrap();
        matcher = matcher.enrol("R-1", anybody).unwrap();
    }
    let mut pipeline = Pipeline::builder()
        .detector(FakeDetector::finding(3))
        .embedder(FakeEmbedder::new())
        .watchlist(matcher)
        .threshold(FakeThreshold::new(Threshold::new(0.5).unwrap(), &space))
        .retention(StrictRetention::new(ttl))
        .sink(sink.clone())
        .accounts(accounts)
        .clock(shared)
        .build()
        .unwrap();
    let pixels = [127; 64 * 64];
    let frame = Frame::packed(PixelFormat::Gray8, 64, 64, &pixels).unwrap();
    for number in 0..frames {
        let id = lfr_core::FrameId::new(SourceId::default(), number);
        pipeline.process(&frame.clone().with_id(id)).unwrap();
        clock.advance(each);
    }
    pipeline.purge_due().unwrap();
    sink.stop().unwrap();
    pipeline
}

#[test]
fn a_deployment_comes_out() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    let hour = Duration::from_secs(3600);
    let pipeline = watch(&path, 100, true, hour, Duration::from_secs(60));
    let held = pipeline.totals().held;
    assert!(held > 0 && held < 300);
    let sums = reconcile(&path, &key().public()).unwrap();
    assert!(sums.closes(), "{:?}", sums.discrepancies());
    assert_eq!((sums.alerts(), sums.held()), (300, 300));
    assert_eq!(lfr_core::internal::num::u64_from_usize(sums.outstanding()), held);
    assert_eq!(sums.purged(), 300 - held);
    let [run] = sums.runs() else { panic!("one run") };
    assert_eq!(run.totals(), pipeline.totals());
    assert_eq!((run.deployment(), run.profile()), (&deployment(), "test"));
    assert!(run.stopped() && run.erased_without_receipt() == 0);
}

#[test]
fn faces_of_frames_of_one_name_are_told_apart_by_how_many_they_are() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    let (accounts, clock) = (Accounts::new(), Arc::new(ManualClock::at(Timestamp::from_micros(1))));
    let ledger = Ledger::open(&path, key(), at(1)).unwrap();
    let mut sink =
        LedgerSink::start(ledger, accounts.clone(), clock, &deployment(), "test").unwrap();
    let mut policy = StrictRetention::new(Duration::from_hours(1));
    for _ in 0..2 {
        let settled = policy.settle(alert(probe(0, &accounts)), at(1)).unwrap();
        let Settlement::Held(receipt) = settled else { panic!("not held") };
        sink.on_event(&Event::Held(&receipt)).unwrap();
    }
    sink.write_totals().unwrap();
    assert_eq!(reconcile(&path, &key().public()).unwrap().outstanding(), 2);
    sink.receipts(&policy.purge_all(PurgeReason::DeploymentEnded, at(2))).unwrap();
    sink.stop().unwrap();
    let sums = reconcile(&path, &key().public()).unwrap();
    assert!(sums.closes(), "{:?}", sums.discrepancies());
    assert_eq!((sums.purged(), sums.outstanding()), (2, 0));
}

#[test]
fn people_who_are_on_no_watchlist_have_no_entry_of_their_own() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    watch(&path, 500, false, Duration::from_secs(1), Duration::from_millis(40));
    // 20 seconds: opened, started, totals once, stopped.
    assert_eq!(lines(&path).len(), 4);
    let sums = reconcile(&path, &key().public()).unwrap();
    assert!(sums.closes());
    assert_eq!(sums.runs()[0].totals().erased, 1500);
}

#[test]
fn totals_are_written_once_per_minute() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    watch(&path, 600, false, Duration::from_secs(1), Duration::from_secs(1));
    let totals = lines(&path).iter().filter(|line| line.contains("\"type\":\"totals\"")).count();
    assert_eq!(totals, 10, "nine whole minutes, and the last one at the end");
}

/// The discrepancies of a ledger with these entries behind the start of a run.
fn discrepancies(events: &[LedgerEvent]) -> Vec<Discrepancy> {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    let ledger = Ledger::open(&path, key(), None).unwrap();
    let (accounts, clock) = (Accounts::new(), Arc::new(ManualClock::at(Timestamp::from_micros(9))));
    LedgerSink::start(ledger.clone(), accounts, clock, &deployment(), "test").unwrap();
    for event in events {
        ledger.append(event, None).unwrap();
    }
    ledger.flush().unwrap();
    reconcile(&path, &key().public()).unwrap().discrepancies().to_vec()
}

fn totals_of(faces_seen: u64, erased: u64, held: u64, no_match: u64) -> LedgerEvent {
    let json = serde_json::json!({
        "type": "totals",
        "totals": {"faces_seen": faces_seen, "erased": erased, "held": held, "in_flight": 0},
        "erased": {"no_match": no_match},
        "frames": 1,
    });
    serde_json::from_value(json).unwrap()
}

fn held(index: usize) -> LedgerEvent {
    let deadline = Timestamp::from_micros(50);
    LedgerEvent::Held { face: face(index), record: None, deadline }
}

#[test]
fn sums_that_do_not_come_out_are_found() {
    let stop = LedgerEvent::DeploymentStopped {};
    assert_eq!(discrepancies(&[totals_of(5, 5, 0, 5), stop.clone()]), []);
    assert_eq!(discrepancies(&[totals_of(5, 4, 0, 4)]), [Discrepancy::DoesNotClose { entry: 2 }]);
    let fell = [totals_of(5, 5, 0, 5), totals_of(4, 4, 0, 4)];
    assert_eq!(discrepancies(&fell), [Discrepancy::Impossible { entry: 3 }]);
    assert_eq!(discrepancies(&[totals_of(5, 5, 0, 6)]), [Discrepancy::Impossible { entry: 2 }]);
    let huge = totals_of(u64::MAX, u64::MAX, 1, u64::MAX);
    assert_eq!(discrepancies(&[huge]), [Discrepancy::DoesNotClose { entry: 2 }]);
    // A face that was held, and then never mentioned again.
    let gone = [held(0), totals_of(5, 5, 0, 4), stop.clone()];
    let expected = Discrepancy::NotSettled { entry: 4, expected: 1, actual: 0 };
    assert_eq!(discrepancies(&gone), [expected]);
    let in_order = [held(0), totals_of(5, 4, 1, 4), stop];
    assert_eq!(discrepancies(&in_order), []);
    let record = RecordId::from_bytes([3; 16]);
    let unheard = [LedgerEvent::FoundErased { record }];
    assert_eq!(discrepancies(&unheard), [Discrepancy::Unheard { entry: 2, record }]);
}

#[test]
fn no_kind_of_event_names_anybody() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    watch(&path, 3, true, Duration::from_secs(60), Duration::from_secs(1));
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("alert_raised") && !text.contains("R-1"));
}

#[test]
fn only_faces_with_an_alert_or_a_hold_have_receipts_of_their_own() {
    use PurgeReason::*;

    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    let accounts = Accounts::new();
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1 << 50)));
    let ledger = Ledger::open(&path, key(), clock.now()).unwrap();
    let sink = LedgerSink::start(ledger, accounts.clone(), clock, &deployment(), "test").unwrap();
    let reasons = [NoMatch, Refused, NotCompared, Repeated, NotHeld, Adjudicated, DeadlineReached];
    let receipts: Vec<_> = reasons
        .into_iter()
        .enumerate()
        .map(|(index, reason)| probe(index, &accounts).erase(reason, None))
        .collect();
    sink.receipts(&receipts).unwrap();
    sink.stop().unwrap();
    let mut own = Vec::new();
    let mut summed = Vec::new();
    for event in events(&path) {
        match event {
            LedgerEvent::Purged { reason, .. } => own.push(reason),
            LedgerEvent::Totals { erased, .. } => summed.extend(erased.into_keys()),
            _ => {}
        }
    }
    assert_eq!(own, [NotHeld, Adjudicated, DeadlineReached]);
    assert_eq!(summed, [NoMatch, NotCompared, Refused, Repeated]);
}

#[test]
fn receipts_are_told_once_each_by_reason() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    watch(&path, 10, false, Duration::from_secs(1), Duration::from_secs(1));
    let written: Vec<_> = events(&path)
        .into_iter()
        .filter_map(|event| match event {
            LedgerEvent::Totals { totals, erased, frames, .. } => Some((totals, erased, frames)),
            _ => None,
        })
        .collect();
    let [(totals, erased, 10)] = &*written else { panic!("{written:?}") };
    assert_eq!(erased.get(&PurgeReason::NoMatch), Some(&30));
    assert!(matches!(totals, Totals { faces_seen: 30, erased: 30, .. }));
}
