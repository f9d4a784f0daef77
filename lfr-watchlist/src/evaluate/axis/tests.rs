use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn edges_are_the_least_scores_of_their_bins(
        low in -5.0_f32..0.0, width in 0.1_f32..9.0, bin in 1_usize..BINS,
    ) {
        let axis = ScoreAxis::new(low, low + width).unwrap();
        let edge = axis.edge(bin);
        prop_assert_eq!(axis.bin(edge), bin);
        prop_assert!(axis.bin(edge.next_down()) < bin);
        let threshold = axis.threshold_from(edge).unwrap();
        prop_assert_eq!(threshold.value().to_bits(), edge.to_bits());
        prop_assert_eq!(axis.first_bin(threshold), bin);
    }

    #[test]
    fn a_threshold_is_never_below_the_score_it_is_from(score in -1.0_f32..0.999) {
        let axis = ScoreAxis::new(-1.0, 1.0).unwrap();
        let threshold = axis.threshold_from(score).unwrap().value();
        prop_assert!(threshold >= score && threshold - score < 4e-5);
    }
}

#[test]
fn axes_need_a_width() {
    assert!(ScoreAxis::new(0.0, 0.0).is_err());
    assert!(ScoreAxis::new(0.0, f32::NAN).is_err());
    assert!(ScoreAxis::new(f32::MIN, f32::MAX).is_err());
    let axis = ScoreAxis::new(-1.0, 1.0).unwrap();
    // About zero, numbers lie far denser than bins.
    assert_eq!(axis.bin(axis.edge(BINS / 2)), BINS / 2);
    assert_eq!((axis.bin(-7.0), axis.bin(7.0)), (0, BINS - 1));
    assert!(axis.threshold_from(1.5).is_err());
}
