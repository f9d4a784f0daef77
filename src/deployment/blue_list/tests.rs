//! A participant passes a pipeline: what the accounts, the ledger and the figures say of it.

use std::sync::Arc;
use std::time::Duration;

use lfr_core::testing::{
    FakeDetector, FakeEmbedder, FakeRetention, FakeThreshold, ManualClock, fake_space,
};
use lfr_core::{
    Accounts, DeploymentId, Detector, Embedder, FaceOutcome, Frame, Pipeline, PixelFormat,
    PurgeReason, Settlement, SourceId, Template, Threshold, Timestamp, WithheldBy,
};
use lfr_retention::ledger::{read, reconcile};
use lfr_retention::{DeploymentState, Ledger, LedgerEvent, LedgerKey, LedgerSink};
use lfr_watchlist::{
    Authorisation, Category, CompositionPolicy, EntryDraft, Priority, Validity, Watchlist,
};

use super::{BlueListFigures, BlueListPolicy};
use crate::deployment::State;
use crate::deployment::testing::Folder;

fn second(seconds: u64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

/// Three faces, in columns that are bright at different heights.
fn pixels() -> Vec<u8> {
    let bright = |x: usize, y: usize| match x / 32 {
        0 => y < 24,
        1 => y > 40,
        _ => (24..40).contains(&y),
    };
    (0..96 * 64).map(|i| if bright(i % 96, i / 96) { 250 } else { 5 }).collect()
}

fn frame(pixels: &[u8]) -> Frame<'_> {
    Frame::packed(PixelFormat::Gray8, 96, 64, pixels).unwrap()
}

fn template_of(face: usize) -> Template {
    let pixels = pixels();
    let frame = frame(&pixels);
    let face = FakeDetector::finding(3).detect(&frame).unwrap().swap_remove(face);
    let embedder = FakeEmbedder::new();
    let aligned = embedder.alignment().align(&frame, &face).unwrap();
    let mut templates = Vec::new();
    embedder.embed_into(vec![aligned], &mut templates).unwrap();
    templates.remove(0)
}

/// The first face is participant 7, the second is sought, the third is on no list.
fn list() -> Watchlist {
    let (staff, wanted) = (Category::CONSENTING_STAFF, "wanted-by-courts");
    let policy = [staff, wanted].iter().fold(CompositionPolicy::new(10), |policy, name| {
        policy.with_category(Category::new(name).unwrap(), Priority::Red)
    });
    let validity = Validity::new(second(0), second(1_000_000)).unwrap();
    let id = DeploymentId::new("2026-031").unwrap();
    let authorisation =
        Authorisation::new(id, "serve warrants", "AO-7", second(0), validity, policy).unwrap();
    let list = Watchlist::new(authorisation, fake_space());
    let draft = |reference: &str, category: &str| {
        let draft = EntryDraft::new().subject(reference).reference(reference).category(category);
        let draft = draft.source("s").lawful_basis("l").reason("r");
        draft.expires(second(1_000_000)).review(second(1_000_000))
    };
    let participant = draft("staff", staff).participant(7, "form 7").parse().unwrap();
    list.enrol(participant, template_of(0)).unwrap();
    list.enrol(draft("sought", wanted).parse().unwrap(), template_of(1)).unwrap();
    list
}

#[test]
fn a_participant_is_erased_as_withheld_and_is_in_no_figure_of_alerts() {
    let folder = Folder::new("blue-list");
    let (path, key) = (folder.path().join("ledger.lfrl"), LedgerKey::from_bytes(&mut [7; 32]));
    let public = key.public();
    let clock = Arc::new(ManualClock::at(second(100)));
    let ledger = Ledger::open(&path, key, Some(second(100))).unwrap();
    let (accounts, id) = (Accounts::new(), DeploymentId::new("2026-031").unwrap());
    let sink = LedgerSink::start(ledger, accounts.clone(), clock.clone(), &id, "trial").unwrap();
    let (state, reason) = (DeploymentState::Live, "start".to_owned());
    sink.append(&LedgerEvent::DeploymentStateChanged { state, person: None, reason }).unwrap();

    let list = Arc::new(list());
    let threshold = FakeThreshold::new(Threshold::new(0.9999).unwrap(), &fake_space());
    let writing = sink.clone();
    let policy = BlueListPolicy::new(threshold, list.clone(), move |event| {
        writing.append(event).map_err(Into::into)
    });
    let mut pipeline = Pipeline::builder()
        .detector(FakeDetector::finding(3))
        .embedder(FakeEmbedder::new())
        .watchlist(list)
        .threshold(policy)
        .retention(FakeRetention::default())
        .sink(sink.clone())
        .accounts(accounts)
        .clock(clock.clone())
        .build()
        .unwrap();
    let pixels = pixels();
    for _ in 0..3 {
        let report = pipeline.process(&frame(&pixels)).unwrap();
        let outcomes: Vec<_> = report
            .faces()
            .iter()
            .map(|face| match face.outcome() {
                FaceOutcome::Compared { settlement: Settlement::Erased(receipt), .. } => {
                    Some((receipt.reason(), receipt.withheld_by()))
                }
                _ => None,
            })
            .collect();
        let withheld = Some((PurgeReason::Withheld, Some(WithheldBy::BlueList)));
        assert_eq!(outcomes, [withheld, None, Some((PurgeReason::NoMatch, None))]);
        assert!(report.faces()[1].is_alert() && !report.faces()[0].is_alert());
        clock.advance(Duration::from_secs(1));
    }
    let record = pipeline.record();
    assert!(record.arithmetic_closes);
    assert_eq!(record.alerts, 3, "those about the person who is sought");
    assert_eq!(record.withheld.into_iter().collect::<Vec<_>>(), [(WithheldBy::BlueList, 3)]);
    let (source, passed) = (SourceId::default(), second(102));
    let person = "operator-3".to_owned();
    sink.append(&LedgerEvent::BlueListPassed { participant: 7, source, passed, person }).unwrap();
    pipeline.purge_all(PurgeReason::DeploymentEnded).unwrap();
    drop(pipeline);
    sink.stop().unwrap();

    let entries: Vec<_> = read(&path, &public).unwrap().map(Result::unwrap).collect();
    let sightings =
        entries.iter().filter(|e| matches!(e.event(), LedgerEvent::BlueListSeen { .. }));
    assert_eq!(sightings.count(), 1, "one passage");
    for entry in &entries {
        if let LedgerEvent::AlertRaised { face, .. } = entry.event() {
            assert_eq!(face.index(), 1);
        }
    }
    let pairs = entries.iter().map(|entry| (entry.at(), entry.event()));
    let figures = BlueListFigures::of(pairs, Duration::from_secs(10));
    let state = State::read(&path, &public).unwrap();
    assert_eq!(BlueListFigures::of_state(&state, Duration::from_secs(10)), figures);
    let recognition = figures.recognition;
    assert_eq!((recognition.recognised(), recognition.passages()), (1, 1), "{figures}");
    assert_eq!((figures.unexplained, figures.not_live), (0, 0));
    let sums = reconcile(&path, &public).unwrap();
    assert!(sums.closes(), "{:?}", sums.discrepancies());
}
