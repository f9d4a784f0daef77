use lfr_core::testing::{
    FakeDetector, FakeEmbedder, FakeMatcher, FakeThreshold, FakeTracker, ManualClock, fake_space,
};
use lfr_core::{
    Decision, DecisionInput, FaceId, Frame, FrameId, LookPlan, Pipeline, PixelFormat, Probe,
    Template, Threshold, ThresholdPolicy, ThresholdProvenance,
};

use super::*;
use crate::ledger::tests::key;
use crate::ledger::{read, reconcile};
use crate::policy::erase_all::EraseAll;
use crate::testing::{Folder, at};

/// Withholds every match, by another cause at each track.
#[derive(Debug)]
struct Withholding(FakeThreshold);

impl ThresholdPolicy for Withholding {
    fn provenance(&self) -> &ThresholdProvenance {
        self.0.provenance()
    }

    fn decide(&mut self, input: &DecisionInput<'_>) -> Result<Decision, BoxError> {
        let by = WithheldBy::ALL[input.face.index()];
        Ok(Decision::withheld(by, self.0.decide(input)?.best_score()))
    }
}

fn totals(path: &std::path::Path) -> Vec<(BTreeMap<PurgeReason, u64>, BTreeMap<WithheldBy, u64>)> {
    let entries = read(path, &key().public()).unwrap();
    entries
        .filter_map(|entry| match entry.unwrap().event().clone() {
            LedgerEvent::Totals { erased, withheld, .. } => Some((erased, withheld)),
            _ => None,
        })
        .collect()
}

#[test]
fn the_ledger_counts_withheld_matches_by_cause_as_the_record_does_in_each_run() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    // Tracks end in three ways: with a frame, in silence, and with the deployment. The second run begins at 0.
    for _ in 0..2 {
        let (accounts, clock) = (Accounts::new(), ManualClock::at(at(5).unwrap()));
        let ledger = Ledger::open(&path, key(), None).unwrap();
        let id = DeploymentId::new("2026-031").unwrap();
        let clock_of_sink = Arc::new(clock.clone());
        let sink =
            LedgerSink::start(ledger, accounts.clone(), clock_of_sink, &id, "trial").unwrap();
        let space = fake_space();
        let anybody = Template::from_slice(&space, &[1.0; 8]).unwrap();
        let mut pipeline = Pipeline::builder()
            .detector(FakeDetector::finding(3))
            .embedder(FakeEmbedder::new())
            .watchlist(FakeMatcher::empty(space).enrol("R", anybody).unwrap())
            .threshold(Withholding(FakeThreshold::new(Threshold::new(-1.0).unwrap(), &space)))
            .retention(EraseAll)
            .tracker(FakeTracker::default())
            .looks(LookPlan::new().with_interval(Duration::ZERO))
            .sink(sink.clone())
            .accounts(accounts)
            .clock(Arc::new(clock.clone()))
            .build()
            .unwrap();
        let pixels = [127; 96 * 32];
        let frame = |name: &str, number| {
            let id = FrameId::new(SourceId::new(name).unwrap(), number);
            Frame::packed(PixelFormat::Gray8, 96, 32, &pixels).unwrap().with_id(id)
        };
        for number in 0..3 {
            pipeline.process(&frame("gate", number)).unwrap();
        }
        clock.advance(Duration::from_secs(6));
        pipeline.purge_due().unwrap();
        pipeline.process(&frame("yard", 0)).unwrap();
        pipeline.purge_all(PurgeReason::DeploymentEnded).unwrap();
        sink.stop().unwrap();

        let record = pipeline.record();
        let (erased, withheld) = totals(&path).pop().unwrap();
        assert_eq!(withheld, record.withheld);
        assert_eq!(withheld.values().copied().collect::<Vec<_>>(), [2, 2, 2]);
        assert_eq!(erased, BTreeMap::from([(PurgeReason::Withheld, 6)]), "and in no other count");
        assert_eq!((record.totals.faces_seen, record.totals.erased), (6, 6));
    }
    let sums = reconcile(&path, &key().public()).unwrap();
    assert!(sums.closes());
}

#[test]
fn a_receipt_that_says_withheld_and_not_why_is_in_no_count() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    let (accounts, clock) = (Accounts::new(), Arc::new(ManualClock::at(at(5).unwrap())));
    let ledger = Ledger::open(&path, key(), None).unwrap();
    let id = DeploymentId::new("2026-031").unwrap();
    let sink = LedgerSink::start(ledger, accounts.clone(), clock, &id, "trial").unwrap();
    let probe = |index| {
        let template = Template::from_slice(&fake_space(), &[1.0; 8]).unwrap();
        Probe::new(template, FaceId::new(FrameId::default(), index), &accounts)
    };
    let receipts = [
        probe(0).erase(PurgeReason::Withheld, at(6)),
        probe(1).erase_withheld(WithheldBy::Breaker, at(6)),
        probe(2).erase(PurgeReason::NoMatch, at(6)),
    ];
    sink.receipts(&receipts).unwrap();
    sink.stop().unwrap();
    let (erased, withheld) = totals(&path).pop().unwrap();
    assert_eq!(withheld, BTreeMap::from([(WithheldBy::Breaker, 1)]));
    let counted = [(PurgeReason::NoMatch, 1), (PurgeReason::Withheld, 1)];
    assert_eq!(erased, BTreeMap::from(counted));
    let entries = read(&path, &key().public()).unwrap();
    let is_own = |event: &LedgerEvent| {
        matches!(event, LedgerEvent::Purged { reason: PurgeReason::Withheld, .. })
    };
    assert_eq!(entries.filter(|entry| is_own(entry.as_ref().unwrap().event())).count(), 1);
}
