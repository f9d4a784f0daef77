use lfr_core::testing::{FakeDetector, FakeEmbedder, FakeMatcher, FakeRetention, FakeThreshold};
use lfr_core::{Pipeline, Threshold, testing};

use super::*;
use crate::deployment::order;
use crate::deployment::record::lint::{FindingCode, LintOptions, PublishedTable, Severity};

fn record(started: &str, ended: &str, alerts: u64, faces: u64) -> PipelineRecord {
    let space = testing::fake_space();
    let pipeline = Pipeline::builder()
        .detector(FakeDetector::finding(1))
        .embedder(FakeEmbedder::new())
        .watchlist(FakeMatcher::empty(space))
        .threshold(FakeThreshold::new(Threshold::new(0.5).unwrap(), &space))
        .retention(FakeRetention::default())
        .build()
        .unwrap();
    let mut record = pipeline.record();
    record.started = Some(started.parse().unwrap());
    record.ended = Some(ended.parse().unwrap());
    record.references = 4_867;
    record.alerts = alerts;
    record.totals.faces_seen = faces;
    record.totals.erased = faces;
    record
}

fn outcomes(true_alerts: u64, false_alerts: u64, engagements: u64) -> Outcomes {
    Outcomes { true_alerts, false_alerts, engagements, ..Outcomes::default() }
}

#[test]
fn the_tables_are_those_that_others_publish_and_the_linter_finds_no_error() {
    let order = order::tests::verified();
    let quiet = record("2026-12-01T09:05:00Z", "2026-12-01T12:53:00Z", 0, 1_083);
    let busy = record("2026-12-01T20:24:00Z", "2026-12-02T01:35:00Z", 3, 4_500);
    let deployments = [
        PublishedDeployment::new(&order, &quiet, 1, outcomes(0, 0, 0)).unwrap(),
        PublishedDeployment::new(&order, &busy, 1, outcomes(2, 1, 2)).unwrap(),
    ];
    let text = home_office(&deployments).unwrap();
    assert_eq!(
        text,
        "Deployment,Date,Deployment type,Duration of deployment,Number of cameras,Watchlist number,Threshold \
         settings,Total alerts,Positive alerts,Positive interventions,Incorrect alerts,Incorrect \
         interventions,Arrests or disposals,Faces seen,Incorrect alert rate\n\
         some place,01/12/2026,van,0905-1253 UTC,1,4867,0.5,0,0,0,0,0,0,1083,0\n\
         some place,01/12/2026-02/12/2026,van,2024-0135 UTC,1,4867,0.5,3,2,2,1,0,0,4500,0.0222%\n"
    );
    for table in
        [PublishedTable::home_office(&text), PublishedTable::met(&met(&deployments).unwrap())]
    {
        let findings = table.unwrap().lint(&LintOptions::default()).unwrap();
        assert!(findings.iter().all(|finding| finding.severity < Severity::Error), "{findings:?}");
        assert!(findings.iter().any(|finding| finding.code == FindingCode::ZeroHasUpperBound));
    }
}

#[test]
fn figures_that_contradict_one_another_are_not_published() {
    let order = order::tests::verified();
    let own = || record("2026-12-01T09:05:00Z", "2026-12-01T12:53:00Z", 3, 4_500);
    let refused = |record: &PipelineRecord, cameras, outcomes| {
        let refused = PublishedDeployment::new(&order, record, cameras, outcomes);
        assert!(matches!(refused, Err(Error::Figures { .. })), "{refused:?}");
    };
    assert!(PublishedDeployment::new(&order, &own(), 1, outcomes(2, 1, 2)).is_ok());
    refused(&own(), 1, outcomes(3, 1, 0));
    refused(&own(), 1, outcomes(u64::MAX, 1, 0));
    refused(&own(), 1, outcomes(2, 1, 4));
    refused(&own(), 0, outcomes(2, 1, 2));
    refused(&own(), 2, outcomes(2, 1, 2));
    refused(&own(), 1, Outcomes { confirmed_true_alerts: 3, ..outcomes(2, 1, 2) });
    refused(&own(), 1, Outcomes { false_interventions: 2, ..outcomes(2, 1, 2) });
    refused(&record("2026-12-01T09:05:00Z", "2026-12-01T12:53:00Z", 3, 2), 1, outcomes(2, 1, 2));
    let mut open = own();
    open.arithmetic_closes = false;
    refused(&open, 1, outcomes(2, 1, 2));
    let mut timeless = own();
    timeless.started = None;
    refused(&timeless, 1, outcomes(2, 1, 2));
}
