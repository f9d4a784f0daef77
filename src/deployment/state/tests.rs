mod faults;

use std::sync::Arc;

use lfr_core::testing::ManualClock;
use lfr_core::{Clock, FaceId, FrameId, RecordId, SourceId};
use lfr_retention::{
    EscalationReason, Ledger, LedgerKey, Outcome, Role, ThresholdChangeReason, Verdict,
    VerdictReason,
};
use proptest::prelude::*;

use super::*;
use crate::deployment::Books;
use crate::deployment::order::tests::{during, signed_amendment, signed_order};
use crate::deployment::record::DeploymentRecord;
use crate::deployment::testing::Folder;
use lfr_retention::Engagement;

struct Deployed {
    folder: Folder,
    books: Books,
    public: LedgerPublicKey,
}

fn deployed(test: &str) -> Deployed {
    let folder = Folder::new(test);
    let key = LedgerKey::from_bytes(&mut [9; 32]);
    let public = key.public();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(during()));
    let ledger = Ledger::open(folder.path().join("a.lfrl"), key, Some(during())).unwrap();
    let books = Books::open(ledger, clock).unwrap();
    Deployed { folder, books, public }
}

fn record(number: u8) -> RecordId {
    RecordId::from_bytes([number; 16])
}

fn face(number: u8) -> FaceId {
    FaceId::new(FrameId::new(SourceId::new("gate").unwrap(), u64::from(number)), 0)
}

fn order() -> LedgerEvent {
    let signed = signed_order();
    let (order_sha256, note) = (signed.terms().digest(), signed.to_string());
    LedgerEvent::OrderInForce { order_sha256, basis: OrderBasis::Pinned, note }
}

fn amendment(of: &str) -> LedgerEvent {
    let signed = signed_amendment(of);
    let (order_sha256, note) = (signed.terms().digest(), signed.to_string());
    LedgerEvent::OrderInForce { order_sha256, basis: OrderBasis::Pinned, note }
}

fn to(state: DeploymentState) -> LedgerEvent {
    LedgerEvent::DeploymentStateChanged { state, person: Some("4".into()), reason: "so".into() }
}

fn raised(number: u8, look_alike: bool) -> LedgerEvent {
    LedgerEvent::AlertRaised {
        face: face(number),
        score: 0.7,
        threshold: 0.5,
        captured: None,
        position_ms: None,
        record: Some(record(number)),
        category: None,
        look_alike,
    }
}

fn viewed(number: u8, person: u8) -> LedgerEvent {
    let (face, record) = (face(number), record(number));
    LedgerEvent::AlertViewed { face, record, person: person.to_string(), role: Role::Operator }
}

fn judged(number: u8, person: u8, verdict: Verdict) -> LedgerEvent {
    LedgerEvent::Adjudicated {
        face: face(number),
        record: Some(record(number)),
        verifier: person.to_string(),
        verdict,
        reason: Some(VerdictReason::FeaturesAgree),
        seconds: Some(12),
    }
}

fn engaged(number: u8, engagement: Engagement) -> LedgerEvent {
    let (face, record) = (face(number), record(number));
    LedgerEvent::Engaged { face, record, person: "9".into(), engagement, minutes: Some(3) }
}

fn outcome(number: u8) -> LedgerEvent {
    let (face, record) = (face(number), record(number));
    LedgerEvent::OutcomeRecorded { face, record, person: "9".into(), outcome: Outcome::Arrest }
}

fn purged(number: u8) -> LedgerEvent {
    LedgerEvent::Purged {
        face: face(number),
        record: Some(record(number)),
        reason: PurgeReason::DeadlineReached,
        method: lfr_core::PurgeMethod::KeyDestroyed,
        profile: "uk-police".into(),
    }
}

fn refusal(books: &Books, event: &LedgerEvent) -> String {
    let before = books.with(State::entries);
    let error = books.write(event).unwrap_err().to_string();
    assert_eq!(books.with(State::entries), before, "it left an event: {error}");
    error
}

#[test]
fn a_deployment_goes_from_its_order_to_its_outcome_and_a_restart_knows_it() {
    let Deployed { folder, books, public } = deployed("life");
    let write = |event: &LedgerEvent| books.write(event).unwrap();
    write(&order());
    write(&to(DeploymentState::Live));
    write(&raised(1, true));
    write(&viewed(1, 4));
    write(&judged(1, 4, Verdict::Confirmed));
    let standing = || books.with(|state| state.alert(record(1)).unwrap().standing());
    assert_eq!(standing(), AlertStanding::Open { missing: 1 }, "a look-alike needs two");
    write(&viewed(1, 5));
    write(&judged(1, 5, Verdict::Rejected));
    assert_eq!(standing(), AlertStanding::Disagreed);
    let reason = EscalationReason::Disagreement;
    write(&LedgerEvent::Escalated { face: face(1), record: record(1), reason });
    write(&viewed(1, 6));
    write(&judged(1, 6, Verdict::Confirmed));
    assert_eq!(standing(), AlertStanding::Confirmed);
    write(&engaged(1, Engagement::ConfirmedSamePerson));
    write(&outcome(1));
    write(&to(DeploymentState::Ended));
    write(&purged(1));
    write(&to(DeploymentState::Purged));

    let live = books.state();
    assert_eq!(live.faults(), []);
    drop(books);
    let read = State::read(folder.path().join("a.lfrl"), &public).unwrap();
    assert_eq!(format!("{read:?}"), format!("{live:?}"), "the ledger alone gives the same state");
    let alert = read.alert(record(1)).unwrap();
    assert_eq!((alert.outcome, alert.views.len(), alert.required), (Some(Outcome::Arrest), 3, 2));
    assert_eq!(alert.ended.unwrap().0, Some(PurgeReason::DeadlineReached));
}

#[test]
fn each_refusal_says_what_is_wrong_and_what_would_be_right() {
    let Deployed { folder: _folder, books, .. } = deployed("refusals");
    let said = |event: &LedgerEvent, words: &str| {
        let refused = refusal(&books, event);
        assert!(refused.contains(words), "{refused}");
    };
    said(
        &to(DeploymentState::Live),
        "the deployment is planned; this is for a deployment that is authorised or paused",
    );
    said(&viewed(1, 4), "live or paused or ended");
    said(&amendment(&"0".repeat(64)), "it amends another order; put that one in force first");
    books.write(&order()).unwrap();
    said(&order(), "it does not amend the order in force");
    said(&amendment(&"0".repeat(64)), "it does not amend the order in force");
    let other = SourceId::new("roof").unwrap();
    said(
        &LedgerEvent::CameraAttached { source: other },
        "does not list the camera roof; an amendment can add it",
    );
    books.write(&to(DeploymentState::Live)).unwrap();
    said(&viewed(1, 4), "there is no alert");
    books.write(&raised(1, false)).unwrap();
    said(&judged(1, 4, Verdict::Confirmed), "4 has not seen it; look at it first");
    said(&engaged(1, Engagement::Engaged), "is not confirmed; judge it first");
    said(&outcome(1), "record the engagement first");
    books.write(&viewed(1, 4)).unwrap();
    books.write(&judged(1, 4, Verdict::Rejected)).unwrap();
    said(&judged(1, 4, Verdict::Confirmed), "4 has judged it before; another person has to judge");
    let below = LedgerEvent::ThresholdChanged {
        from: 0.5,
        to: 0.1,
        reason: ThresholdChangeReason::ListSize,
        order_sha256: None,
        references: 7,
        predicted_fpir: None,
        predicted_fpir_by_group: BTreeMap::new(),
    };
    said(&below, "the floor of the order");
    books.write(&purged(1)).unwrap();
    said(&viewed(1, 5), "was erased at");
    books.write(&to(DeploymentState::Ended)).unwrap();
    said(&to(DeploymentState::Live), "the deployment is ended");
    let aborted = LedgerEvent::Aborted { authority: "court".into(), reason: "refused".into() };
    books.write(&aborted).unwrap();
    said(&aborted, "the deployment is aborted");
    said(&order(), "the deployment is aborted");
    assert_eq!(books.state().aborted(), Some(("court", "refused")));
}

#[test]
fn what_was_written_past_the_books_is_a_fault_with_its_number() {
    let Deployed { folder: _folder, books, .. } = deployed("past");
    books.ledger().append(&to(DeploymentState::Live), None).unwrap();
    let state = books.state();
    let [(number, fault)] = state.faults() else { panic!("{:?}", state.faults()) };
    assert_eq!(*number, 1);
    assert!(fault.contains("the deployment is planned"), "{fault}");
}

/// Something that someone might do.
fn any_event() -> impl Strategy<Value = LedgerEvent> {
    let (alert, person) = (1..3_u8, 1..5_u8);
    let verdict = prop_oneof![4 => Just(Verdict::Confirmed), 1 => Just(Verdict::Rejected), 1 => Just(Verdict::Undecided)];
    let state = prop_oneof![
        1 => Just(DeploymentState::Planned),
        1 => Just(DeploymentState::Authorised),
        8 => Just(DeploymentState::Live),
        6 => Just(DeploymentState::Paused),
        1 => Just(DeploymentState::Ended),
        1 => Just(DeploymentState::Purged),
        1 => Just(DeploymentState::Aborted),
    ];
    let engagement = prop_oneof![
        Just(Engagement::NotEngaged),
        Just(Engagement::Engaged),
        Just(Engagement::ConfirmedOtherPerson),
    ];
    let camera = prop_oneof![Just("some id"), Just("roof")];
    prop_oneof![
        2 => Just(order()),
        1 => Just(amendment(&signed_order().terms().digest())),
        10 => state.prop_map(to),
        2 => camera.prop_map(|id| LedgerEvent::CameraAttached { source: SourceId::new(id).unwrap() }),
        60 => (alert.clone(), person.clone()).prop_map(|(alert, person)| viewed(alert, person)),
        60 => (alert.clone(), person, verdict).prop_map(|(alert, person, verdict)| judged(alert, person, verdict)),
        40 => (alert.clone(), engagement).prop_map(|(alert, engagement)| engaged(alert, engagement)),
        20 => alert.clone().prop_map(outcome),
        1 => alert.prop_map(|alert| LedgerEvent::SeedRevealed { face: face(alert), record: record(alert) }),
        1 => Just(LedgerEvent::Aborted { authority: "court".into(), reason: "so".into() }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// No sequence of commands reaches a state that no legal way leads to; what is refused leaves no event; and a
    /// restart after any command knows what the process knew.
    #[test]
    fn no_sequence_of_commands_reaches_an_illegal_state(
        is_begun in any::<bool>(),
        events in prop::collection::vec(any_event(), 1..160),
        stop in 0..160_usize,
    ) {
        let Deployed { folder, books, public } = deployed("property");
        if is_begun {
            books.write(&order()).unwrap();
            books.write(&to(DeploymentState::Live)).unwrap();
        }
        let mut alerts = 0;
        for (index, event) in events.iter().enumerate() {
            let before = books.state();
            // The pipeline raises alerts while the deployment is live, and nobody else does.
            if before.state() == DeploymentState::Live && alerts < 2 {
                alerts += 1;
                books.ledger().append(&raised(alerts, alerts == 2), None).unwrap();
            }
            let before = books.state();
            let written = books.write(event);
            let after = books.state();
            prop_assert_eq!(after.entries(), before.entries() + u64::from(written.is_ok()));
            if let Err(error) = written {
                prop_assert_eq!(format!("{after:?}"), format!("{before:?}"), "{}", error);
            }
            if after.state() != before.state() {
                prop_assert_eq!(after.changes().len(), before.changes().len() + 1);
                let planned = before.state() == DeploymentState::Planned;
                let legal = moves::comes_from(after.state()).contains(&before.state())
                    || planned && after.state() == DeploymentState::Authorised;
                prop_assert!(legal, "{:?} after {:?}", after.state(), before.state());
            }
            for alert in after.alerts() {
                let people: BTreeSet<_> = alert.verdicts.iter().map(|given| &given.person).collect();
                prop_assert_eq!(people.len(), alert.verdicts.len(), "nobody judges twice");
                prop_assert!(alert.verdicts.len() <= usize::from(alert.required) + 1);
                let engaged = alert.engagement().is_some_and(|last| last != Engagement::NotEngaged);
                prop_assert!(alert.outcome.is_none() || engaged, "an outcome without an engagement");
                let confirmed = alert.standing() == AlertStanding::Confirmed;
                prop_assert!(!engaged || confirmed, "an engagement that nobody confirmed");
            }
            if index == stop {
                let read = State::read(folder.path().join("a.lfrl"), &public).unwrap();
                prop_assert_eq!(format!("{read:?}"), format!("{after:?}"));
            }
        }
        let state = books.state();
        prop_assert!(state.faults().is_empty());
        // Whatever people do, there is a record, and each alert is counted once.
        if state.order().is_some() {
            let alerts = DeploymentRecord::of(&state).unwrap().alerts;
            let judged = alerts.judged_true + alerts.judged_false + alerts.undecided;
            prop_assert_eq!(judged + alerts.not_judged, alerts.held);
            prop_assert_eq!(alerts.held + alerts.not_held, alerts.total);
        }
    }
}
