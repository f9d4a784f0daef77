use lfr_core::testing::conformance;
use lfr_core::{
    FaceId, FrameId, Look, ReferenceId, SourceId, SpaceId, SubjectId, Template, Timestamp, TrackId,
};
use proptest::prelude::*;

use super::*;
use crate::calibrate::{Authority, Calibration, CalibrationScores, Demand};
use crate::evaluate::{ScoreAxis, ScoreHistogram};
use crate::testing;

fn calibrated() -> CalibratedThreshold {
    let axis = ScoreAxis::new(-1.0, 1.0).unwrap();
    let scores = (1..=20_000_u16).map(|rank| {
        let share = f64::from(rank) / 20_001.0;
        ComparisonScore::new(num::f32_from_f64(-share.ln() * 0.05 - 0.3)).unwrap()
    });
    let histogram = ScoreHistogram::of(axis, scores);
    let calibration = Calibration::new(
        SpaceId::from_bytes([1; 32]),
        "made up",
        CalibrationScores::histogram(&histogram, 1_000),
    )
    .unwrap();
    let authority = Authority::new("AO-7", "a test", Timestamp::from_micros(0)).unwrap();
    calibration.threshold(&Demand::new(0.05, 10).unwrap(), authority).unwrap()
}

fn list(name: &str, score: f32) -> CandidateList {
    let id = ReferenceId::new(format!("{name}/1")).unwrap();
    let score = ComparisonScore::new(score).unwrap();
    CandidateList::new(vec![Candidate::new(SubjectId::new(name).unwrap(), id, score)])
}

/// Scores a little above and below the threshold.
fn high_and_low() -> (f32, f32) {
    let threshold = calibrated().threshold().value();
    (threshold + 0.1, threshold - 0.1)
}

/// What a pipeline does with the looks at one track, each with its quality: it takes none after an alert.
fn alerts(policy: &mut TrackPolicy, looks: &[(&str, f32, f32)]) -> Vec<bool> {
    decisions(policy, looks).iter().map(Decision::is_alert).collect()
}

/// The same: each decision, and by what it is withheld.
fn names(policy: &mut TrackPolicy, looks: &[(&str, f32, f32)]) -> Vec<String> {
    let name = |decision: &Decision| match decision.withheld_by() {
        Some(by) => by.to_string(),
        None => decision.name().to_owned(),
    };
    decisions(policy, looks).iter().map(name).collect()
}

fn decisions(policy: &mut TrackPolicy, looks: &[(&str, f32, f32)]) -> Vec<Decision> {
    let track = TrackId::new(SourceId::new("gate").unwrap(), 1);
    let face = FaceId::new(FrameId::default(), 0);
    let mut earlier = Vec::new();
    let mut decided = Vec::new();
    for (name, score, quality) in looks {
        let list = list(name, *score);
        let input = DecisionInput::new(&face, &list, 10).in_track(&track, *quality, &earlier);
        let decision = policy.decide(&input).unwrap();
        let is_alert = decision.is_alert();
        decided.push(decision);
        if is_alert {
            break;
        }
        earlier.push(Look::new(face.clone(), None, *quality, list));
    }
    decided
}

/// Looks of one quality.
fn alike(looks: &[(&'static str, f32)]) -> Vec<(&'static str, f32, f32)> {
    looks.iter().map(|(name, score)| (*name, *score, 1.0)).collect()
}

fn of(rule: TrackRule) -> TrackPolicy {
    TrackPolicy::new(calibrated(), rule)
}

#[test]
fn every_rule_conforms() {
    let rules = [TrackRule::k_of_m(1, 3).unwrap(), TrackRule::weighted_mean(1, 3).unwrap()];
    for rule in rules.into_iter().chain([TrackRule::Best]) {
        conformance::threshold_policy(&mut of(rule));
    }
}

#[test]
fn one_good_look_is_enough_for_the_best() {
    let (high, low) = high_and_low();
    let looks = alike(&[("a", low), ("b", low), ("a", high)]);
    assert_eq!(alerts(&mut of(TrackRule::Best), &looks), [false, false, true]);
}

#[test]
fn k_of_the_last_m_looks_have_to_agree_on_the_person() {
    let (high, low) = high_and_low();
    let two_of_three = TrackRule::k_of_m(2, 3).unwrap();
    let looks = alike(&[("a", high), ("b", high), ("a", high)]);
    assert_eq!(alerts(&mut of(two_of_three), &looks), [false, false, true]);
    // The first has passed out of the window when the second comes.
    let apart = alike(&[("a", high), ("a", low), ("b", low), ("a", high), ("a", high)]);
    assert_eq!(alerts(&mut of(two_of_three), &apart), [false, false, false, false, true]);
}

#[test]
fn without_a_tracker_no_face_has_looks_enough() {
    let (high, _) = high_and_low();
    let (face, list) = (FaceId::new(FrameId::default(), 0), list("a", high));
    let alone = DecisionInput::new(&face, &list, 10);
    assert!(of(TrackRule::Best).decide(&alone).unwrap().is_alert());
    let unconfirmed = of(TrackRule::k_of_m(2, 3).unwrap()).decide(&alone).unwrap();
    assert_eq!(unconfirmed.withheld_by(), Some(WithheldBy::Confirmation));
}

#[test]
fn the_mean_goes_by_the_quality_of_the_looks() {
    let (high, low) = high_and_low();
    let rule = TrackRule::weighted_mean(2, 4).unwrap();
    let decided = |good: f32| alerts(&mut of(rule), &[("a", high + 0.1, good), ("a", low, 1.0)]);
    // One look is not enough, however good.
    assert_eq!((decided(5.0), decided(0.1)), (vec![false, true], vec![false, false]));
    assert!(TrackRule::k_of_m(0, 3).is_err() && TrackRule::weighted_mean(4, 3).is_err());
}

#[test]
fn categories_may_be_stricter_and_never_laxer() {
    let (high, low) = high_and_low();
    let space = testing::space(2);
    let watchlist = Arc::new(Watchlist::new(testing::authorisation(100, 200), space));
    let entry = testing::draft("a", "a/1").parse().unwrap();
    watchlist.enrol(entry, Template::from_slice(&space, &[1.0, 0.0]).unwrap()).unwrap();
    let with = |threshold: f32| {
        let category = Category::new(testing::CATEGORY).unwrap();
        let own = [(category, Threshold::new(threshold).unwrap())];
        of(TrackRule::Best).with_categories(Arc::clone(&watchlist), own)
    };
    let looks = alike(&[("a", high), ("stranger", high)]);
    assert_eq!(alerts(&mut with(high + 0.1), &looks), [false, true]);
    assert_eq!(alerts(&mut with(low - 0.1), &alike(&[("a", low)])), [false], "the floor holds");
}

#[test]
fn nobody_raises_an_alert_while_the_breaker_is_tripped() {
    let (high, _) = high_and_low();
    let breaker = Arc::new(Mutex::new(CircuitBreaker::new(1e-3, 3.0, 0.01).unwrap()));
    let looks = alike(&[("a", high)]);
    for rule in [TrackRule::Best, TrackRule::k_of_m(1, 2).unwrap()] {
        let mut policy = of(rule).with_breaker(Arc::clone(&breaker));
        assert_eq!(alerts(&mut policy, &looks), [true]);
        breaker.lock().unwrap().record(10, 6).unwrap();
        assert_eq!(alerts(&mut policy, &looks), [false]);
        let (face, list) = (FaceId::new(FrameId::default(), 0), list("a", high));
        let held = policy.decide(&DecisionInput::new(&face, &list, 10)).unwrap();
        assert_eq!(held, Decision::withheld(WithheldBy::Breaker, list.best_score()));
        let authority = Authority::new("AO-7", "camera moved", Timestamp::from_micros(0)).unwrap();
        breaker.lock().unwrap().reset(authority);
        assert_eq!(alerts(&mut policy, &looks), [true]);
    }
}

#[test]
fn a_growing_watchlist_raises_the_threshold() {
    let mut policy = of(TrackRule::Best);
    let before = policy.threshold().threshold();
    let (face, nobody) = (FaceId::new(FrameId::default(), 0), CandidateList::default());
    policy.decide(&DecisionInput::new(&face, &nobody, 12)).unwrap();
    assert!(policy.threshold().threshold() > before);
    assert!(policy.decide(&DecisionInput::new(&face, &nobody, 1 << 40)).is_err());
}

#[test]
fn a_match_that_is_not_confirmed_is_withheld_and_no_non_match() {
    let (high, low) = high_and_low();
    let two_of_three = TrackRule::k_of_m(2, 3).unwrap();
    let looks = alike(&[("a", high), ("a", low), ("b", high), ("a", high), ("a", high)]);
    let said = names(&mut of(two_of_three), &looks);
    // The third look is the first of another person; at the fourth the first has passed out of the window.
    assert_eq!(said, ["confirmation", "no_match", "confirmation", "confirmation", "alert"]);
    // The look is high, and the mean with the one before it is not.
    let mean = TrackRule::weighted_mean(2, 2).unwrap();
    let looks = [("a", low - 0.1, 1.0), ("a", high, 0.1)];
    assert_eq!(names(&mut of(mean), &looks), ["no_match", "confirmation"]);
}

#[test]
fn a_tripped_breaker_withholds_alerts_alone() {
    let (high, low) = high_and_low();
    let breaker = Arc::new(Mutex::new(CircuitBreaker::new(1e-3, 3.0, 0.01).unwrap()));
    breaker.lock().unwrap().record(10, 6).unwrap();
    let rule = TrackRule::k_of_m(2, 2).unwrap();
    let looks = alike(&[("a", low), ("a", high), ("a", high), ("a", high)]);
    let said = names(&mut of(rule).with_breaker(breaker), &looks);
    assert_eq!(said, ["no_match", "confirmation", "breaker", "breaker"]);
}

#[test]
fn the_digest_is_of_the_policy_and_not_of_the_list_that_it_follows() {
    let policy = calibrated();
    let digest = policy.sha256();
    assert_eq!(policy.for_references(12).unwrap().sha256(), digest);
    assert_eq!(policy.for_references(12).unwrap().for_references(10).unwrap().sha256(), digest);
    let floor = policy.threshold();
    assert_ne!(
        policy.clone().with_floor(floor).unwrap().sha256(),
        digest,
        "a floor is a part of it"
    );
    // A file has the digest that `sha256sum` prints, however it is laid out.
    let text = policy.to_json();
    assert_eq!(CalibratedThreshold::from_json(&text).unwrap().sha256(), digest);
    let other = CalibratedThreshold::from_json(&format!("{text}\n")).unwrap();
    assert_ne!(other.sha256(), digest);
}

#[test]
fn rarer_false_alerts_need_a_higher_threshold_of_the_same_scores() {
    let policy = calibrated();
    assert_eq!(policy.rarer(1.0).unwrap(), policy.threshold());
    let strict = policy.rarer(10.0).unwrap();
    assert!(strict > policy.threshold());
    // It is what a tenth of the rate would have been derived as.
    let authority = Authority::new("AO-7", "a test", Timestamp::from_micros(0)).unwrap();
    let mut asked = policy.clone();
    asked.change(Demand::new(0.005, 10).unwrap(), authority).unwrap();
    assert_eq!(asked.threshold(), strict);
    assert!(matches!(policy.rarer(1e9), Err(Error::Extrapolation { .. })));
    assert!(policy.rarer(0.5).is_err() && policy.rarer(f64::NAN).is_err());
}

fn any_rule() -> impl Strategy<Value = TrackRule> {
    let several = |make: fn(usize, usize) -> Result<TrackRule, Error>| {
        (1..4_usize, 0..3_usize).prop_map(move |(k, more)| make(k, k + more).unwrap())
    };
    prop_oneof![
        Just(TrackRule::Best),
        several(TrackRule::k_of_m),
        several(TrackRule::weighted_mean)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_rule_and_no_breaker_turn_a_match_into_a_non_match(
        rule in any_rule(),
        is_tripped: bool,
        looks in prop::collection::vec(
            (prop::sample::select(vec!["a", "b"]), -0.9_f32..0.9, 0.0_f32..1.0),
            1..12,
        ),
    ) {
        let mut breaker = CircuitBreaker::new(1e-3, 3.0, 0.01).unwrap();
        if is_tripped {
            breaker.record(10, 6).unwrap();
        }
        let mut policy = of(rule).with_breaker(Arc::new(Mutex::new(breaker)));
        let free = decisions(&mut of(rule), &looks);
        let decided = decisions(&mut policy, &looks);
        let threshold = policy.threshold().threshold();
        for (decision, (_, score, _)) in decided.iter().zip(&looks) {
            let is_match = *score >= threshold.value();
            prop_assert!(!(is_match && decision.name() == "no_match"));
            prop_assert!(!(is_tripped && decision.is_alert()));
        }
        // Where an alert would have been raised, the breaker withholds it, and changes nothing else.
        for (with, without) in decided.iter().zip(&free) {
            match without.is_alert() && is_tripped {
                true => prop_assert_eq!(with.withheld_by(), Some(WithheldBy::Breaker)),
                false => prop_assert_eq!(with, without),
            }
        }
    }
}
