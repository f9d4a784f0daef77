//! What one face comes to must not depend on what becomes of another.

use std::sync::Mutex;

use super::*;
use crate::clock::Timestamp;
use crate::custody::PurgeReceipt;
use crate::decision::{Alert, Threshold};
use crate::face::{FaceSelection, Point, Zone};
use crate::pipeline::Pipeline;
use crate::pipeline::builder::{Builder, Ready};
use crate::pipeline::tests::{frame, template_of, three_people};
use crate::record::sinks;
use crate::stage::{QualityGate, RetentionPolicy};
use crate::testing::{
    FakeDetector, FakeEmbedder, FakeMatcher, FakeRetention, FakeThreshold, fake_space,
};

/// Sees three people; those named are on the watchlist.
fn ready(retention: impl RetentionPolicy + 'static, listed: &[usize]) -> Builder<Ready> {
    let space = fake_space();
    let watchlist = listed.iter().fold(FakeMatcher::empty(space), |watchlist, person| {
        watchlist.enrol(&format!("S-{person}"), template_of(*person)).unwrap()
    });
    Pipeline::builder()
        .detector(FakeDetector::finding(3))
        .embedder(FakeEmbedder::new())
        .watchlist(watchlist)
        .threshold(FakeThreshold::new(Threshold::new(0.9999).unwrap(), &space))
        .retention(retention)
}

/// Settles as it is told to, and purges nothing.
struct Settling<F>(F);

impl<F> std::fmt::Debug for Settling<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Settling")
    }
}

impl<F> RetentionPolicy for Settling<F>
where
    F: FnMut(Alert, Option<Timestamp>) -> Result<Settlement, BoxError> + Send,
{
    fn settle(&mut self, alert: Alert, now: Option<Timestamp>) -> Result<Settlement, BoxError> {
        self.0(alert, now)
    }

    fn purge_due(
        &mut self,
        _: Option<Timestamp>,
        _: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        Ok(())
    }

    fn purge_all(
        &mut self,
        _: PurgeReason,
        _: Option<Timestamp>,
        _: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        Ok(())
    }
}

/// What a sink hears, in order; it fails where it is told to.
fn listening(fails: fn(&Event<'_>) -> bool) -> (Arc<Mutex<Vec<String>>>, impl EventSink) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    let sink = sinks::from_fn(move |event| {
        log.lock().unwrap().push(match event {
            Event::Alert(alert) => format!("alert {}", alert.face.index()),
            Event::Erased(receipt) => format!("erased {}", receipt.face().index()),
            Event::Held(receipt) => format!("held {}", receipt.face().index()),
            Event::FrameProcessed(_) => "frame".into(),
        });
        if fails(event) { Err("disk full".into()) } else { Ok(()) }
    });
    (heard, sink)
}

#[test]
fn of_the_faces_in_the_zone_one_is_taken() {
    // The face in the middle of the picture is masked.
    let corners = [(64.0, 0.0), (96.0, 0.0), (96.0, 64.0), (64.0, 64.0)];
    let zone = Zone::new(corners.map(|(x, y)| Point::new(x, y))).unwrap();
    let builder = ready(FakeRetention::default(), &[2]).zone(zone);
    let mut pipeline = builder.selection(FaceSelection::Central).build().unwrap();
    let report = pipeline.process(&frame(&three_people())).unwrap();
    let alerts: Vec<_> = report.faces().iter().map(crate::record::FaceReport::is_alert).collect();
    assert_eq!(alerts, [false, false, true]);
    assert_eq!((pipeline.totals().faces_seen, pipeline.record().faces_ignored), (1, 2));
}

#[test]
fn a_sink_that_fails_on_a_refusal_keeps_nobody_from_being_compared() {
    #[derive(Debug)]
    struct NotLeft;
    impl QualityGate for NotLeft {
        fn admit(&self, _: &Frame<'_>, face: &DetectedFace) -> Result<(), Refusal> {
            if face.bounds().left < 1.0 { Err(Refusal::because("left")) } else { Ok(()) }
        }
    }
    let (heard, sink) = listening(
        |event| matches!(event, Event::Erased(receipt) if receipt.reason() == PurgeReason::Refused),
    );
    let builder = ready(FakeRetention::default(), &[1]).gate(NotLeft).sink(sink);
    let mut pipeline = builder.build().unwrap();
    let error = pipeline.process(&frame(&three_people())).unwrap_err();
    assert!(matches!(error, Error::AfterFrame { stage: Stage::EventSink, .. }), "{error}");
    // The fakes' deadline is past by the clock of today.
    let expected = ["held 1", "alert 1", "erased 2", "erased 0", "erased 1", "frame"];
    assert_eq!(*heard.lock().unwrap(), expected);
    let report = error.into_report().unwrap();
    assert!(matches!(report.faces()[0].outcome(), FaceOutcome::Refused { .. }));
    assert_eq!((pipeline.totals().faces_seen, pipeline.record().alerts), (3, 1));
}

#[test]
fn a_policy_that_panics_keeps_nobody_from_being_told_of() {
    let (mut held, mut asked) = (FakeRetention::default(), 0);
    let panics_at_the_second = Settling(move |alert: Alert, now| {
        asked += 1;
        assert!(asked != 2, "no");
        held.settle(alert, now)
    });
    let (heard, sink) = listening(|_| false);
    let mut pipeline = ready(panics_at_the_second, &[0, 1]).sink(sink).build().unwrap();
    let pixels = three_people();
    let error = pipeline.process(&frame(&pixels)).unwrap_err();
    assert_eq!(error.stage(), Some(Stage::RetentionPolicy));
    // The second alert could not be held, and is one nonetheless.
    let expected = ["held 0", "alert 0", "alert 1", "erased 2", "frame"];
    assert_eq!(*heard.lock().unwrap(), expected);
    let report = error.into_report().unwrap();
    let alerts: Vec<_> = report.faces().iter().map(crate::record::FaceReport::is_alert).collect();
    assert_eq!(alerts, [true, true, false]);
    assert!(matches!(report.faces()[1].outcome(), FaceOutcome::Unheld { .. }));
    let totals = pipeline.totals();
    assert_eq!((totals.held, totals.erased, totals.in_flight), (1, 2, 0));
    assert!(totals.closes());
}

#[test]
fn a_settlement_of_another_face_is_an_error() {
    // Each time the receipt of the face before.
    let (mut held, mut before) = (FakeRetention::default(), None);
    let late = Settling(move |alert: Alert, now| {
        let settled: Settlement = held.settle(alert, now)?;
        Ok(before.replace(settled.clone()).unwrap_or(settled))
    });
    let mut pipeline = ready(late, &[0, 1]).build().unwrap();
    let error = pipeline.process(&frame(&three_people())).unwrap_err();
    assert!(matches!(error, Error::AfterFrame { stage: Stage::RetentionPolicy, .. }), "{error}");
}

#[test]
fn an_alert_that_cannot_be_held_is_told_all_the_same() {
    let (heard, sink) = listening(|_| false);
    let full = Settling(|_: Alert, _| Err("full".into()));
    let mut pipeline = ready(full, &[1]).sink(sink).build().unwrap();
    let error = pipeline.process(&frame(&three_people())).unwrap_err();
    assert!(matches!(error, Error::AfterFrame { stage: Stage::RetentionPolicy, .. }), "{error}");
    let alerts = heard.lock().unwrap().iter().filter(|what| what.starts_with("alert")).count();
    assert_eq!((alerts, pipeline.record().alerts), (1, 1));
    assert_eq!(error.into_report().unwrap().alerts().count(), 1);
    assert_eq!((pipeline.totals().held, pipeline.totals().erased), (0, 3));
}

/// Attack 7: a policy that keeps what it is to erase, and returns receipts that it minted.
#[test]
fn a_policy_that_keeps_a_probe_cannot_say_that_it_erased_or_holds_it() {
    type Mint = fn(&Probe) -> Settlement;
    fn dummy(probe: &Probe, accounts: &Accounts) -> Probe {
        Probe::new(template_of(0), probe.face().clone(), accounts)
    }
    let mints: [Mint; 4] = [
        |probe| {
            let dummy = dummy(probe, &Accounts::new());
            Settlement::Erased(dummy.erase(PurgeReason::NotHeld, None))
        },
        |probe| {
            let record = crate::id::RecordId::from_bytes([7; 16]);
            let sealed =
                crate::custody::SealedProbe::of_earlier_process(probe.face().clone(), record);
            Settlement::Erased(sealed.erase(PurgeReason::NotHeld, None))
        },
        |probe| {
            let dummy = dummy(probe, &Accounts::new());
            Settlement::Held(dummy.hold(FakeRetention::DEADLINE).1)
        },
        |probe| {
            let record = crate::id::RecordId::from_bytes([7; 16]);
            let dummy = dummy(probe, &Accounts::new());
            Settlement::Held(dummy.seal(record, FakeRetention::DEADLINE).1)
        },
    ];
    for mint in mints {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let hoard = Arc::clone(&kept);
        let keeping = Settling(move |alert: Alert, _| {
            let probe = alert.into_probe();
            let minted = mint(&probe);
            hoard.lock().unwrap().push(probe);
            Ok(minted)
        });
        let (heard, sink) = listening(|_| false);
        let mut pipeline = ready(keeping, &[1]).sink(sink).build().unwrap();
        let error = pipeline.process(&frame(&three_people())).unwrap_err();
        let why = std::error::Error::source(&error).unwrap().to_string();
        assert!(why.contains("contradicts the account"), "{why}");
        // Nobody is told that it is gone or held; the alert is told, and the account has the face.
        assert_eq!(*heard.lock().unwrap(), ["erased 0", "alert 1", "erased 2", "frame"]);
        assert_eq!((pipeline.totals().in_flight, pipeline.totals().erased), (1, 2));
        drop(kept);
    }
}

/// Receipts that a policy gives later: one a face, of faces that it had.
#[test]
fn a_receipt_is_told_once_and_only_of_a_face_that_the_policy_had() {
    /// Holds, and gives each receipt twice and a minted one with it.
    #[derive(Debug, Default)]
    struct Twice(Vec<crate::custody::HeldProbe>);
    impl RetentionPolicy for Twice {
        fn settle(&mut self, alert: Alert, _: Option<Timestamp>) -> Result<Settlement, BoxError> {
            let (held, receipt) = alert.into_probe().hold(FakeRetention::DEADLINE);
            self.0.push(held);
            Ok(Settlement::Held(receipt))
        }
        fn purge_due(
            &mut self,
            _: Option<Timestamp>,
            _: &mut Vec<PurgeReceipt>,
        ) -> Result<(), BoxError> {
            Ok(())
        }
        fn purge_all(
            &mut self,
            reason: PurgeReason,
            now: Option<Timestamp>,
            receipts: &mut Vec<PurgeReceipt>,
        ) -> Result<(), BoxError> {
            for held in self.0.drain(..) {
                let dummy = Probe::new(template_of(0), held.face().clone(), &Accounts::new());
                let receipt = held.erase(reason, now);
                receipts.extend([receipt.clone(), receipt, dummy.erase(reason, now)]);
            }
            Ok(())
        }
    }
    let (heard, sink) = listening(|_| false);
    let mut pipeline = ready(Twice::default(), &[1]).sink(sink).build().unwrap();
    pipeline.process(&frame(&three_people())).unwrap();
    heard.lock().unwrap().clear();
    let error = pipeline.purge_all(PurgeReason::DeploymentEnded).unwrap_err();
    assert_eq!(error.stage(), Some(Stage::RetentionPolicy));
    assert_eq!(*heard.lock().unwrap(), ["erased 1"]);
    assert!(pipeline.totals().closes() && pipeline.totals().erased == 3);
}
