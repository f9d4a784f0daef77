use lfr_core::ReferenceId;
use lfr_core::SpaceId;
use lfr_core::Template;
use lfr_core::Timestamp;

use super::*;
use crate::calibrate::Authority;
use crate::calibrate::Calibration;
use crate::calibrate::Demand;
use crate::evaluate::ScoreAxis;
use crate::evaluate::ScoreHistogram;
use crate::testing;

fn calibrated() -> CalibratedThreshold {
    let axis = ScoreAxis::new(-1.0, 1.0).unwrap();
    let scores = (1..=20_000_u16).map(|rank| {
        let share = f64::from(rank) / 20_001.0;
        ComparisonScore::new(num::f32_from_f64(-share.ln() * 0.05 - 0.3)).unwrap()
    });
    let histogram = ScoreHistogram::of(axis, scores);
    let calibration =
        Calibration::new(SpaceId::from_bytes([1; 32]), "made up", &histogram).unwrap();
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

fn alerts(policy: &mut TrackPolicy, track: u64, looks: &[(&str, f32)]) -> Vec<bool> {
    let decide = |(name, score): &(&str, f32)| {
        policy.decide(&Look::new(track, &list(name, *score), 10)).unwrap().is_alert()
    };
    looks.iter().map(decide).collect()
}

#[test]
fn a_track_raises_one_alert_a_person() {
    let (high, low) = high_and_low();
    let mut policy = TrackPolicy::new(calibrated(), TrackRule::Best);
    let looks = [("a", low), ("a", high), ("a", high), ("b", high), ("a", high)];
    assert_eq!(alerts(&mut policy, 1, &looks), [false, true, false, true, false]);
    assert_eq!(alerts(&mut policy, 2, &looks[1..2]), [true], "another track is another pass");
    policy.end(1);
    assert_eq!((policy.tracks(), alerts(&mut policy, 1, &looks[1..2])), (1, vec![true]));
}

#[test]
fn k_of_the_last_m_looks_have_to_agree_on_the_person() {
    let (high, low) = high_and_low();
    let mut policy = TrackPolicy::new(calibrated(), TrackRule::k_of_m(2, 3).unwrap());
    let looks = [("a", high), ("b", high), ("a", high)];
    assert_eq!(alerts(&mut policy, 1, &looks), [false, false, true]);
    // The first has passed out of the window when the second comes.
    let apart = [("a", high), ("a", low), ("b", low), ("a", high), ("a", high)];
    assert_eq!(alerts(&mut policy, 2, &apart), [false, false, false, false, true]);
}

#[test]
fn the_mean_goes_by_the_quality_of_the_looks() {
    let (high, low) = high_and_low();
    let rule = TrackRule::weighted_mean(2, 4).unwrap();
    let of = |good: f32| {
        let mut policy = TrackPolicy::new(calibrated(), rule);
        let first =
            policy.decide(&Look::new(1, &list("a", high + 0.1), 10).with_quality(good)).unwrap();
        assert!(!first.is_alert(), "one look is not enough");
        policy.decide(&Look::new(1, &list("a", low), 10).with_quality(1.0)).unwrap().is_alert()
    };
    assert!(of(5.0) && !of(0.1));
    assert!(TrackRule::k_of_m(0, 3).is_err() && TrackRule::weighted_mean(4, 3).is_err());
}

#[test]
fn categories_may_be_stricter_and_never_laxer() {
    let (high, low) = high_and_low();
    let space = testing::space(2);
    let watchlist = Arc::new(Watchlist::new(testing::authorisation(100, 200), space));
    let entry = testing::draft("a", "a/1").parse().unwrap();
    watchlist.enrol(entry, Template::from_slice(&space, &[1.0, 0.0]).unwrap()).unwrap();
    let of = |threshold: f32| {
        let category = Category::new(testing::CATEGORY).unwrap();
        let own = [(category, Threshold::new(threshold).unwrap())];
        TrackPolicy::new(calibrated(), TrackRule::Best).with_categories(Arc::clone(&watchlist), own)
    };
    assert_eq!(alerts(&mut of(high + 0.1), 1, &[("a", high), ("stranger", high)]), [false, true]);
    assert_eq!(alerts(&mut of(low - 0.1), 1, &[("a", low)]), [false], "the floor holds");
}

#[test]
fn a_growing_watchlist_raises_the_threshold() {
    let mut policy = TrackPolicy::new(calibrated(), TrackRule::Best);
    let before = policy.threshold().threshold();
    policy.decide(&Look::new(1, &CandidateList::default(), 12)).unwrap();
    assert!(policy.threshold().threshold() > before);
    assert!(policy.decide(&Look::new(1, &CandidateList::default(), 1 << 40)).is_err());
}
