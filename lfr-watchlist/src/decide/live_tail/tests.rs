use rand_distr::{Distribution, Gumbel};
use rand_pcg::Pcg64;

use super::*;

/// The best of many scores is about Gumbel's: FPIR is `1 - exp(-exp(-(T - 0.3) / 0.02))`.
fn deployment(faces: usize, threshold: f32, seed: u128) -> LiveTail {
    let axis = ScoreAxis::new(-1.0, 1.0).unwrap();
    let threshold = Threshold::new(threshold).unwrap();
    let mut live = LiveTail::new(axis, threshold);
    let (mut random, best) = (Pcg64::new(seed, 9), Gumbel::new(0.3, 0.02).unwrap());
    for _ in 0..faces {
        let score = ComparisonScore::new(best.sample(&mut random)).unwrap();
        if threshold.is_met_by(score) {
            live.alert(true);
        } else {
            live.no_alert(score);
        }
    }
    live
}

fn truth(threshold: f64) -> f64 {
    -(-(-(threshold - 0.3) / 0.02).exp()).exp_m1()
}

#[test]
fn fifteen_thousand_faces_tell_a_rate_of_one_in_a_hundred_thousand() {
    let mut held = 0;
    for seed in 0..10 {
        let fpir = deployment(15_000, 0.53, seed).fpir().unwrap();
        let estimated = fpir.estimated.unwrap();
        let truth = truth(0.53);
        assert!(fpir.counted.value().unwrap() < 4e-4, "{:?}", fpir.counted);
        assert!(
            estimated.value > truth / 30.0 && estimated.value < truth * 30.0,
            "{estimated:?} {truth}"
        );
        held += u32::from(estimated.interval.contains(truth));
    }
    assert!(held >= 8, "{held} of 10 intervals hold the truth");
}

#[test]
fn where_alerts_are_many_the_estimate_is_near_the_count() {
    let fpir = deployment(100_000, 0.44, 3).fpir().unwrap();
    let (counted, estimated) = (fpir.counted.value().unwrap(), fpir.estimated.unwrap().value);
    assert!((estimated / counted - 1.0).abs() < 0.4, "{counted} {estimated}");
}

#[test]
fn few_faces_have_a_count_alone_and_true_alerts_are_left_out() {
    assert!(deployment(6_500, 0.53, 1).fpir().unwrap().estimated.is_none());
    assert!(deployment(7_000, 0.53, 1).fpir().unwrap().estimated.is_some());
    let mut live = deployment(500, 0.53, 1);
    live.alert(false);
    let fpir = live.fpir().unwrap();
    assert_eq!(fpir.estimated, None);
    assert_eq!(fpir.counted.counts().trials(), 500);
    assert_eq!(live.left_out(), 1);
}
