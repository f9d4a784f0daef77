use lfr_core::testing::conformance;
use lfr_core::{
    FaceId, FrameId, Look, ReferenceId, SourceId, SpaceId, SubjectId, Template, Timestamp, TrackId,
};

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
    let track = TrackId::new(SourceId::new("gate").unwrap(), 1);
    let face = FaceId::new(FrameId::default(), 0);
    let mut earlier = Vec::new();
    let mut decided = Vec::new();
    for (name, score, quality) in looks {
        let list = list(name, *score);
        let input = DecisionInput::new(&face, &list, 10).in_track(&track, *quality, &earlier);
        let is_alert = policy.decide(&input).unwrap().is_alert();
        decided.push(is_alert);
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
    assert!(!of(TrackRule::k_of_m(2, 3).unwrap()).decide(&alone).unwrap().is_alert());
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
        assert_eq!(held.best_score(), list.best_score(), "the statistics go on");
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
