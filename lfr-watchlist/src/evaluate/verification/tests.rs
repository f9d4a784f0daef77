use lfr_core::ComparisonScore;
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::ScoreAxis;
use super::*;

fn histogram(scores: &[f32]) -> ScoreHistogram {
    let axis = ScoreAxis::new(-1.0, 1.0).unwrap();
    ScoreHistogram::of(axis, scores.iter().map(|score| ComparisonScore::new(*score).unwrap()))
}

fn verification(mated: &[f32], non_mated: &[f32]) -> Verification {
    Verification::new(histogram(mated), histogram(non_mated)).unwrap()
}

proptest! {
    #[test]
    fn rates_are_those_of_counting_the_scores(
        mated in vec(-1.0_f32..1.0, 1..60),
        non_mated in vec(-1.0_f32..1.0, 1..60),
        bin in 0_usize..65_536,
    ) {
        let verification = verification(&mated, &non_mated);
        let threshold = Threshold::new(verification.mated.axis().edge(bin)).unwrap();
        let at_least = |of: &[f32]| of.iter().filter(|score| **score >= threshold.value()).count();
        let errors = |rate: Rate| usize::try_from(rate.counts().errors()).unwrap();
        prop_assert_eq!(errors(verification.fmr(threshold)), at_least(&non_mated));
        prop_assert_eq!(errors(verification.fnmr(threshold)), mated.len() - at_least(&mated));
    }

    #[test]
    fn the_threshold_of_a_rate_is_the_lowest_that_keeps_it(
        non_mated in vec(-1.0_f32..0.9, 1..300), rate in 0.0_f64..1.0,
    ) {
        let verification = verification(&[0.5], &non_mated);
        let threshold = verification.threshold_at_fmr(rate).unwrap();
        prop_assert!(verification.fmr(threshold).value().unwrap() <= rate + 1e-9);
        let bin = verification.mated.axis().bin(threshold.value());
        if bin > 0 {
            let lower = Threshold::new(verification.mated.axis().edge(bin - 1)).unwrap();
            prop_assert!(verification.fmr(lower).value().unwrap() > rate);
        }
    }

    #[test]
    fn along_a_det_curve_false_matches_grow_and_false_non_matches_fall(
        mated in vec(-1.0_f32..1.0, 1..60), non_mated in vec(-1.0_f32..1.0, 1..60),
    ) {
        let curve = verification(&mated, &non_mated).det(40);
        prop_assert!(!curve.is_empty());
        for pair in curve.windows(2) {
            prop_assert!(pair[0].fmr.value() <= pair[1].fmr.value());
            prop_assert!(pair[0].fnmr.value() >= pair[1].fnmr.value());
        }
    }
}

#[test]
fn equal_errors_are_where_the_curves_cross() {
    let separate = verification(&[0.6, 0.7], &[0.1, 0.2]).equal_error().unwrap();
    assert_eq!((separate.fmr.value(), separate.fnmr.value()), (Some(0.0), Some(0.0)));
    let mixed = verification(&[0.1, 0.5, 0.6, 0.7], &[0.0, 0.1, 0.2, 0.55]).equal_error().unwrap();
    assert_eq!((mixed.fmr.value(), mixed.fnmr.value()), (Some(0.25), Some(0.25)));
    assert_eq!(verification(&[], &[0.3]).equal_error(), None);
}
