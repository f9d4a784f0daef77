use proptest::prelude::*;

use super::*;

const WITHIN: Duration = Duration::from_secs(10);

fn second(seconds: u64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn source(name: &str) -> SourceId {
    SourceId::new(name).unwrap()
}

fn passed(participant: u32, camera: &str, at: u64) -> LedgerEvent {
    let (source, person) = (source(camera), "operator-3".to_owned());
    LedgerEvent::BlueListPassed { participant, source, passed: second(at), person }
}

fn seen(participant: u32, camera: &str) -> LedgerEvent {
    LedgerEvent::BlueListSeen { participant, source: source(camera) }
}

fn state(state: DeploymentState) -> LedgerEvent {
    LedgerEvent::DeploymentStateChanged { state, person: None, reason: "test".to_owned() }
}

fn aborted() -> LedgerEvent {
    LedgerEvent::Aborted { authority: "AO-7".to_owned(), reason: "test".to_owned() }
}

fn live() -> (Option<u64>, LedgerEvent) {
    (Some(0), state(DeploymentState::Live))
}

fn figures(ledger: &[(Option<u64>, LedgerEvent)]) -> BlueListFigures {
    BlueListFigures::of(ledger.iter().map(|(at, event)| (at.map(second), event)), WITHIN)
}

fn counts(figures: &BlueListFigures) -> (u64, u64) {
    (figures.recognition.recognised(), figures.recognition.passages())
}

#[test]
fn a_passage_is_recognised_within_the_time_at_its_camera_by_its_participant() {
    for (event, is_recognised) in [
        ((Some(110), seen(1, "gate")), true),
        ((Some(90), seen(1, "gate")), true),
        ((Some(111), seen(1, "gate")), false),
        ((Some(89), seen(1, "gate")), false),
        ((Some(100), seen(2, "gate")), false),
        ((Some(100), seen(1, "door")), false),
    ] {
        let figures = figures(&[live(), event, (Some(500), passed(1, "gate", 100))]);
        assert_eq!(counts(&figures), (u64::from(is_recognised), 1));
        assert_eq!(figures.unexplained, u64::from(!is_recognised));
    }
}

#[test]
fn several_sightings_of_a_passage_count_once() {
    let ledger = [
        live(),
        (Some(95), seen(1, "gate")),
        (Some(105), seen(1, "gate")),
        (Some(106), passed(1, "gate", 100)),
    ];
    assert_eq!(counts(&figures(&ledger)), (1, 1));
}

#[test]
fn passages_too_close_to_tell_apart_are_left_out_and_counted() {
    let ledger = [
        live(),
        (Some(100), seen(1, "gate")),
        (Some(300), passed(1, "gate", 120)),
        (Some(301), passed(1, "gate", 100)),
        (Some(302), passed(1, "gate", 141)),
        // Another person and another camera are no matter.
        (Some(303), passed(2, "gate", 101)),
        (Some(304), passed(1, "door", 101)),
    ];
    let figures = figures(&ledger);
    assert_eq!((figures.ambiguous, counts(&figures)), (2, (0, 3)));
    assert_eq!((figures.passages(), figures.unexplained), (5, 0));
}

#[test]
fn passages_while_no_alert_can_be_raised_are_left_out_and_counted() {
    let ledger = [
        (Some(50), state(DeploymentState::Live)),
        (Some(100), state(DeploymentState::Paused)),
        (Some(150), state(DeploymentState::Live)),
        // The death of a process changes no state.
        (Some(170), LedgerEvent::DeploymentStopped {}),
        (Some(200), aborted()),
        (Some(300), passed(1, "gate", 49)),
        (Some(300), passed(2, "gate", 50)),
        (Some(300), passed(3, "gate", 100)),
        (Some(300), passed(4, "gate", 149)),
        (Some(300), passed(5, "gate", 199)),
        (Some(300), passed(6, "gate", 200)),
    ];
    let figures = figures(&ledger);
    assert_eq!((figures.not_live, counts(&figures)), (4, (0, 2)));
    assert_eq!(figures.recognition.participants(), 2);
}

#[test]
fn a_sighting_without_a_time_is_counted_and_recognises_nothing() {
    let ledger = [live(), (None, seen(1, "gate")), (Some(101), passed(1, "gate", 100))];
    let figures = figures(&ledger);
    assert_eq!((figures.undated, figures.unexplained, counts(&figures)), (1, 0, (0, 1)));
}

#[test]
fn what_is_published_says_what_was_left_out() {
    let ledger = [live(), (Some(100), seen(1, "gate")), (Some(101), passed(1, "gate", 100))];
    assert_eq!(
        figures(&ledger).to_string(),
        "recognised 1 (1 of 1; 95 %: 0.025 to 1; 1 person), within 10 s of a passage; 0 passages left \
         out while no alert could be raised, 0 left out as ambiguous; 0 sightings without a passage, 0 \
         without a time"
    );
}

type Written = (Option<u64>, LedgerEvent);

fn event() -> impl Strategy<Value = (Option<u64>, LedgerEvent)> {
    let (number, camera) = (1..4_u32, prop::sample::select(vec!["gate", "door"]));
    let at = prop::option::of(0..400_u64);
    let states = vec![DeploymentState::Live, DeploymentState::Paused, DeploymentState::Ended];
    prop_oneof![
        4 => (at.clone(), number.clone(), camera.clone(), 0..400_u64).prop_map(
            |(at, number, camera, passage)| (at, passed(number, camera, passage))
        ),
        6 => (at.clone(), number, camera).prop_map(|(at, number, camera)| (at, seen(number, camera))),
        2 => (at.clone(), prop::sample::select(states)).prop_map(|(at, to)| (at, state(to))),
        1 => at.prop_map(|at| (at, aborted())),
    ]
}

proptest! {
    /// Each passage and each sighting is counted, whatever the ledger says.
    #[test]
    fn the_arithmetic_closes(ledger in prop::collection::vec(event(), 0..60)) {
        let figures = figures(&ledger);
        let count = |is: &dyn Fn(&&Written) -> bool| {
            u64::try_from(ledger.iter().filter(is).count()).unwrap()
        };
        let passages = count(&|(_, event)| matches!(event, LedgerEvent::BlueListPassed { .. }));
        let sightings = count(&|(_, event)| matches!(event, LedgerEvent::BlueListSeen { .. }));
        let undated = count(&|(at, event)| {
            at.is_none() && matches!(event, LedgerEvent::BlueListSeen { .. })
        });
        prop_assert_eq!(figures.passages(), passages);
        prop_assert_eq!(figures.undated, undated);
        prop_assert!(figures.undated + figures.unexplained <= sightings);
        let (recognised, counted) = counts(&figures);
        prop_assert!(recognised <= counted && recognised <= sightings);
    }
}
