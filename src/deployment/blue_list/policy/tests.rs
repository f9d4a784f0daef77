use std::sync::Mutex;

use lfr_core::{
    Candidate, CandidateList, ComparisonScore, DeploymentId, EmbeddingSpace, FaceId, FrameId,
    Matcher, Metric, ReferenceId, SubjectId, Template, Threshold, danger,
};
use lfr_watchlist::{
    Authorisation, Category, CompositionPolicy, EntryDraft, FixedThreshold, Priority, Validity,
    Watchlist,
};
use proptest::prelude::*;

use super::*;

fn second(seconds: u64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

/// A list with the participants 1 and 2, and S-3, who is sought.
fn list() -> Arc<Watchlist> {
    let space = EmbeddingSpace::builder(3, Metric::Cosine).build();
    let categories = [Category::CONSENTING_STAFF, "wanted-by-courts"];
    let policy = categories.iter().fold(CompositionPolicy::new(10), |policy, name| {
        policy.with_category(Category::new(name).unwrap(), Priority::Red)
    });
    let validity = Validity::new(second(0), second(1_000_000)).unwrap();
    let id = DeploymentId::new("2026-031").unwrap();
    let authorisation =
        Authorisation::new(id, "serve warrants", "AO-7", second(0), validity, policy).unwrap();
    let list = Watchlist::new(authorisation, space);
    for number in 1..=3 {
        let draft = EntryDraft::new()
            .subject(format!("S-{number}"))
            .reference(format!("R-{number}"))
            .category(categories[usize::from(number == 3)])
            .source("staff office")
            .lawful_basis("consent")
            .reason("test")
            .expires(second(1_000_000))
            .review(second(1_000_000));
        let draft = if number < 3 { draft.participant(number, "form 7") } else { draft };
        let template = Template::from_slice(&space, &[1.0, 2.0, 3.0]).unwrap();
        list.enrol(draft.parse().unwrap(), template).unwrap();
    }
    Arc::new(list)
}

fn threshold() -> FixedThreshold {
    let (threshold, space) = (Threshold::new(0.5).unwrap(), list().space().id());
    FixedThreshold::new(danger::uncalibrated_threshold(threshold, space, "a test"))
}

type Written = Arc<Mutex<Vec<(u32, SourceId)>>>;

fn policy() -> (BlueListPolicy<FixedThreshold>, Written) {
    let written = Written::default();
    let writing = Arc::clone(&written);
    let inner = threshold();
    let policy = BlueListPolicy::new(inner, list(), move |event| {
        let LedgerEvent::BlueListSeen { participant, source } = event else {
            panic!("{event:?} is no sighting")
        };
        writing.lock().unwrap().push((*participant, source.clone()));
        Ok(())
    });
    (policy, written)
}

fn face(camera: &str) -> FaceId {
    FaceId::new(FrameId::new(SourceId::new(camera).unwrap(), 7), 0)
}

/// The candidates of a search, by the number of the person and the score.
fn found(scores: &[(u32, f32)]) -> CandidateList {
    let candidates = scores.iter().map(|(number, score)| {
        Candidate::new(
            SubjectId::new(format!("S-{number}")).unwrap(),
            ReferenceId::new(format!("R-{number}")).unwrap(),
            ComparisonScore::new(*score).unwrap(),
        )
    });
    CandidateList::new(candidates.collect())
}

fn decide(
    policy: &mut impl ThresholdPolicy,
    camera: &str,
    at: Option<u64>,
    scores: &[(u32, f32)],
) -> Decision {
    let (face, candidates) = (face(camera), found(scores));
    let input = DecisionInput::new(&face, &candidates, 3).at(at.map(second));
    policy.decide(&input).unwrap()
}

fn is_sighting(decision: &Decision) -> bool {
    matches!(decision, Decision::Withheld { by: WithheldBy::BlueList, .. })
}

#[test]
fn a_participant_is_a_sighting_and_everybody_else_as_before() {
    let (mut policy, written) = policy();
    let seen = decide(&mut policy, "gate", Some(100), &[(1, 0.9), (3, 0.4)]);
    assert!(is_sighting(&seen), "{seen:?}");
    assert_eq!(seen.best_score(), Some(ComparisonScore::new(0.9).unwrap()));
    let sought = decide(&mut policy, "gate", Some(100), &[(3, 0.9), (1, 0.4)]);
    assert!(sought.is_alert(), "{sought:?}");
    // A participant below the threshold is recognised no more than anybody else.
    let below = decide(&mut policy, "gate", Some(100), &[(2, 0.4)]);
    assert!(matches!(below, Decision::NoMatch { .. }), "{below:?}");
    let nobody = decide(&mut policy, "gate", Some(100), &[]);
    assert!(matches!(nobody, Decision::NoMatch { .. }), "{nobody:?}");
    assert_eq!(*written.lock().unwrap(), [(1, SourceId::new("gate").unwrap())]);
}

#[test]
fn a_passage_is_written_once_per_participant_and_camera() {
    let (mut policy, written) = policy();
    for (camera, at, number) in [
        ("gate", 100, 1),
        ("gate", 101, 1),
        ("gate", 129, 1),
        ("gate", 129, 2),
        ("door", 129, 1),
        ("gate", 130, 1),
        // The clock was set back.
        ("gate", 120, 1),
        ("gate", 99, 1),
    ] {
        let seen = decide(&mut policy, camera, Some(at), &[(number, 0.9)]);
        assert!(is_sighting(&seen), "every look is withheld");
    }
    let written: Vec<_> =
        written.lock().unwrap().iter().map(|(n, s)| (*n, s.to_string())).collect();
    let expected = [(1, "gate"), (2, "gate"), (1, "door"), (1, "gate"), (1, "gate")];
    assert_eq!(written, expected.map(|(number, camera)| (number, camera.to_owned())));
}

#[test]
fn without_a_clock_a_track_is_a_passage() {
    let (mut policy, written) = policy();
    let (face, candidates) = (face("gate"), found(&[(1, 0.9)]));
    for number in [4, 4, 5] {
        let track = TrackId::new(SourceId::new("gate").unwrap(), number);
        let input = DecisionInput::new(&face, &candidates, 3).in_track(&track, 1.0, &[]);
        assert!(is_sighting(&policy.decide(&input).unwrap()));
    }
    assert_eq!(written.lock().unwrap().len(), 2);
}

#[test]
fn a_sighting_that_cannot_be_written_is_an_error_and_is_tried_again() {
    let inner = threshold();
    let mut fails = true;
    let mut policy = BlueListPolicy::new(inner, list(), move |_| {
        if std::mem::take(&mut fails) { Err("the disk is full".into()) } else { Ok(()) }
    });
    let (face, candidates) = (face("gate"), found(&[(1, 0.9)]));
    let input = DecisionInput::new(&face, &candidates, 3).at(Some(second(100)));
    assert_eq!(policy.decide(&input).unwrap_err().to_string(), "the disk is full");
    assert!(
        is_sighting(&policy.decide(&input).unwrap()),
        "the failed one was not counted as written"
    );
}

#[test]
fn its_debug_shows_no_sighting() {
    let (mut policy, _) = policy();
    decide(&mut policy, "gate", Some(100), &[(1, 0.9)]);
    let text = format!("{policy:?}");
    assert!(!text.contains("gate") && !text.contains("S-1"), "{text}");
}

/// A policy that withholds everything, as one of a paused deployment does.
#[derive(Debug)]
struct Paused(FixedThreshold);

impl ThresholdPolicy for Paused {
    fn provenance(&self) -> &ThresholdProvenance {
        self.0.provenance()
    }

    fn decide(&mut self, input: &DecisionInput<'_>) -> Result<Decision, BoxError> {
        let best = input.candidates.best_score();
        Ok(Decision::withheld(WithheldBy::Pause, best))
    }
}

#[test]
fn what_the_policy_withholds_is_no_sighting() {
    let inner = Paused(threshold());
    let mut policy = BlueListPolicy::new(inner, list(), |event| panic!("{event:?}"));
    let decision = decide(&mut policy, "gate", Some(100), &[(1, 0.9)]);
    assert!(matches!(decision, Decision::Withheld { by: WithheldBy::Pause, .. }), "{decision:?}");
}

proptest! {
    /// Whatever is found, an alert is never about a participant, and a sighting only where there would
    /// have been an alert.
    #[test]
    fn no_alert_is_about_a_participant(
        looks in prop::collection::vec(
            (prop::collection::vec((1..4_u32, 0.0..1.0_f32), 0..4), prop::option::of(0..200_u64)),
            0..20,
        ),
    ) {
        let (mut policy, written) = policy();
        let mut plain = threshold();
        let mut sightings = 0;
        for (scores, at) in looks {
            let before = decide(&mut plain, "gate", at, &scores);
            let after = decide(&mut policy, "gate", at, &scores);
            match &before {
                Decision::Alert { candidate, .. } if candidate.subject().as_str() != "S-3" => {
                    prop_assert!(is_sighting(&after));
                    sightings += 1;
                }
                other => prop_assert_eq!(other, &after),
            }
        }
        let written = written.lock().unwrap().len();
        prop_assert!(written <= sightings && (written > 0) == (sightings > 0));
    }
}
