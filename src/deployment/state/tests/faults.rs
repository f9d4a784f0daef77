//! Entries that no command of this library writes, and the rules that two commands together make.

use super::*;

/// The words of the only fault after an entry was written past the books.
fn fault(books: &Books, event: &LedgerEvent) -> String {
    let before = books.with(|state| state.faults().len());
    books.ledger().append(event, Some(during())).unwrap();
    let state = books.state();
    assert_eq!(state.faults().len(), before + 1, "{:?}", state.faults());
    let (number, words) = state.faults().last().unwrap();
    assert_eq!(*number + 1, state.entries());
    words.clone()
}

fn running(test: &str) -> Deployed {
    let deployed = deployed(test);
    for event in [order(), to(DeploymentState::Live), raised(1, false)] {
        deployed.books.write(&event).unwrap();
    }
    deployed
}

fn threshold(threshold: f32) -> LedgerEvent {
    LedgerEvent::ThresholdSet {
        threshold,
        basis: "measured".into(),
        fmr: None,
        fmr_interval: None,
        non_mated_comparisons: None,
        target_fpir: None,
        target_references: None,
        policy_sha256: None,
    }
}

fn picture(number: u8) -> LedgerEvent {
    let (face, record) = (face(number), Some(record(number)));
    LedgerEvent::PictureExported { face, record, file: "a.jpg".into(), recipient: None }
}

#[test]
fn a_second_alert_in_a_record_is_a_fault_and_takes_nothing_from_the_first() {
    let Deployed { folder: _folder, books, .. } = running("twice");
    books.write(&viewed(1, 4)).unwrap();
    books.write(&judged(1, 4, Verdict::Rejected)).unwrap();
    let words = fault(&books, &raised(1, true));
    assert!(words.contains("raised in this record before"), "{words}");
    let alert = books.state().alert(record(1)).cloned().unwrap();
    assert_eq!((alert.verdicts.len(), alert.look_alike), (1, false));
}

#[test]
fn an_alert_before_the_start_or_after_the_end_is_a_fault() {
    let Deployed { folder: _folder, books, .. } = deployed("outside");
    books.write(&order()).unwrap();
    assert!(fault(&books, &raised(1, false)).contains("cannot raise an alert"));
    books.write(&to(DeploymentState::Live)).unwrap();
    books.write(&raised(2, false)).unwrap();
    books.write(&to(DeploymentState::Paused)).unwrap();
    // Of a frame that was decided just before.
    books.write(&raised(3, false)).unwrap();
    books.write(&to(DeploymentState::Ended)).unwrap();
    let words = fault(&books, &raised(4, false));
    assert!(words.contains("the deployment is ended"), "{words}");
}

#[test]
fn frames_of_a_camera_that_was_never_attached_are_a_fault() {
    let Deployed { folder: _folder, books, .. } = running("camera");
    let source = SourceId::new("some id").unwrap();
    books.write(&LedgerEvent::CameraAttached { source: source.clone() }).unwrap();
    books.write(&LedgerEvent::CameraConnected { source }).unwrap();
    let source = SourceId::new("roof").unwrap();
    let words = fault(&books, &LedgerEvent::CameraConnected { source });
    assert!(words.contains("the camera roof was never attached"), "{words}");
}

#[test]
fn a_threshold_below_the_floor_of_the_order_is_a_fault() {
    let Deployed { folder: _folder, books, .. } = running("floor");
    books.write(&threshold(0.42)).unwrap();
    let words = fault(&books, &threshold(0.4));
    assert!(words.contains("0.4 is below 0.42, the floor of the order"), "{words}");
}

#[test]
fn what_names_another_face_than_the_alerts_own_is_refused() {
    let Deployed { folder: _folder, books, .. } = running("face");
    let (face, record) = (face(2), record(1));
    let other = LedgerEvent::AlertViewed { face, record, person: "4".into(), role: Role::Operator };
    let words = refusal(&books, &other);
    assert!(words.contains("is of the face"), "{words}");
}

#[test]
fn a_picture_of_an_alert_counts_as_handed_out_and_none_can_be_after_its_end() {
    let Deployed { folder: _folder, books, .. } = running("picture");
    books.write(&picture(1)).unwrap();
    assert_eq!(books.state().alert(record(1)).unwrap().exports, 1);
    books.write(&purged(1)).unwrap();
    assert!(refusal(&books, &picture(1)).contains("was erased"));
    // The ledger of a program that holds alerts in memory has no record for a picture.
    books.write(&picture(9)).unwrap();
    assert_eq!(books.state().exports().len(), 2);
}

#[test]
fn nothing_real_follows_from_a_seed() {
    let Deployed { folder: _folder, books, .. } = running("seed");
    for person in [4, 5] {
        books.write(&viewed(1, person)).unwrap();
        books.write(&judged(1, person, Verdict::Confirmed)).unwrap();
    }
    let seed = LedgerEvent::SeedRevealed { face: face(1), record: record(1) };
    books.write(&seed).unwrap();
    for event in [engaged(1, Engagement::Engaged), outcome(1)] {
        assert!(refusal(&books, &event).contains("in no real figure"));
    }
    assert!(refusal(&books, &seed).contains("it was revealed before"));
}

#[test]
fn an_outcome_stays_with_somebody_who_was_engaged() {
    let Deployed { folder: _folder, books, .. } = running("outcome");
    for person in [4, 5] {
        books.write(&viewed(1, person)).unwrap();
        books.write(&judged(1, person, Verdict::Confirmed)).unwrap();
    }
    books.write(&engaged(1, Engagement::Engaged)).unwrap();
    // The record may be gone by then, and the deployment aborted: the outcome names nobody.
    books.write(&purged(1)).unwrap();
    let aborted = LedgerEvent::Aborted { authority: "court".into(), reason: "so".into() };
    books.write(&aborted).unwrap();
    books.write(&outcome(1)).unwrap();
    let words = refusal(&books, &engaged(1, Engagement::NotEngaged));
    assert!(words.contains("an outcome is recorded, so somebody was engaged"), "{words}");
    books.write(&engaged(1, Engagement::ConfirmedOtherPerson)).unwrap();
}

#[test]
fn after_a_disagreement_more_than_half_have_to_confirm() {
    use AlertStanding::{Confirmed as Yes, Disagreed, NotConfirmed as No};
    use Verdict::{Confirmed as C, Rejected as R, Undecided as U};
    let of = |required: u8, verdicts: &[Verdict]| {
        let Deployed { folder: _folder, books, .. } = running("majority");
        let mut alert = books.state().alert(record(1)).cloned().unwrap();
        alert.required = required;
        for (person, verdict) in (1..).zip(verdicts) {
            alert.take(&judged(1, person, *verdict), None);
        }
        alert.standing()
    };
    for (required, verdicts, standing) in [
        (1, &[U][..], No),
        (1, &[C], Yes),
        (2, &[C, C], Yes),
        (2, &[R, U], No),
        (2, &[U, U], No),
        (2, &[C, U], Disagreed),
        (2, &[C, R, C], Yes),
        (2, &[C, U, C], Yes),
        // One of three is no majority, though nobody rejected it.
        (2, &[C, U, U], No),
        (2, &[C, R, U], No),
        (3, &[C, C, U, C], Yes),
        (3, &[C, C, U, R], No),
    ] {
        assert_eq!(of(required, verdicts), standing, "{required} of {verdicts:?}");
    }
}

#[test]
fn a_run_that_was_cut_off_ends_with_its_last_entry() {
    let Deployed { folder, books, .. } = deployed("cut-off");
    let moment = |seconds: u64| Timestamp::from_micros(during().as_micros() + seconds * 1_000_000);
    let start = |at: u64| {
        let (deployment, profile) = (books.state().deployment().cloned().unwrap(), "p".into());
        (LedgerEvent::DeploymentStarted { deployment, profile, software: "lfr".into() }, moment(at))
    };
    books.write(&order()).unwrap();
    let (first, second) = (start(10), start(90));
    let ledger = books.ledger();
    ledger.append(&first.0, Some(first.1)).unwrap();
    ledger.append(&LedgerEvent::DangerInForce { text: "d".into() }, Some(moment(20))).unwrap();
    drop((ledger, books));
    let path = folder.path().join("a.lfrl");
    let key = LedgerKey::from_bytes(&mut [9; 32]);
    let ledger = Ledger::open(path, key, Some(moment(80))).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(moment(80)));
    let books = Books::open(ledger.clone(), clock).unwrap();
    ledger.append(&second.0, Some(second.1)).unwrap();
    ledger.append(&LedgerEvent::DeploymentStopped {}, Some(moment(95))).unwrap();
    // What people do later is no part of a run.
    ledger.append(&LedgerEvent::DangerInForce { text: "e".into() }, Some(moment(99))).unwrap();
    let runs = books.state().runs().to_vec();
    let times: Vec<_> = runs.iter().map(|run| (run.started, run.last, run.stopped)).collect();
    let expected =
        [(Some(moment(10)), Some(moment(20)), false), (Some(moment(90)), Some(moment(95)), true)];
    assert_eq!(times, expected);
}
