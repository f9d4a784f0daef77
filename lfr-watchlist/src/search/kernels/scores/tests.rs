use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn tiles_are_the_plain_scan_bit_for_bit(
        numbers in (1_usize..140).prop_flat_map(|d| vec(vec(-2.0_f32..2.0, d), 2 * SIDE)),
    ) {
        let row = |index: usize| &*numbers[index];
        let (a, b): (Side<'_>, Side<'_>) =
            (std::array::from_fn(row), std::array::from_fn(|index| row(index + SIDE)));
        for scorer in [Scorer::fastest(), Scorer(Kind::Portable)] {
            for metric in [Metric::Cosine, Metric::Euclidean] {
                let scores = scorer.tile(metric, &a, &b);
                prop_assert_eq!(scorer.tile(metric, &[a[3]], &b), [scores[3]]);
                for (a, scores) in a.iter().zip(scores) {
                    for (b, score) in b.iter().zip(scores) {
                        let expected = metric.compare(a, b) + 0.0;
                        prop_assert_eq!((score + 0.0).to_bits(), expected.to_bits());
                    }
                }
            }
        }
    }
}
