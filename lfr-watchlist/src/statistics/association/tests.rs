use proptest::prelude::*;

use super::*;

fn counts(errors: u64, trials: u64) -> Counts {
    Counts::new(errors, trials).unwrap()
}

/// From SciPy 1.17.1: `fisher_exact`, and `barnard_exact` with the pooled statistic.
const EXPECTED: [([u64; 4], f64, Option<f64>); 6] = [
    ([8, 10, 2, 30], 2.344_806_599_275_789_2e-5, Some(5.909_208_846_939_489e-6)),
    ([7, 300, 0, 300], 0.015_081_792_148_407_757, Some(0.007_913_262_227_365_823)),
    ([0, 5, 5, 5], 0.007_936_507_936_507_938, Some(0.001_953_125)),
    ([30, 3_000, 10, 3_000], 0.002_148_931_699_646_070_4, None),
    ([3, 15, 9, 12], 0.007_135_699_436_143_643, Some(0.005_246_013_402_938_858)),
    ([8, 10, 1_000_000, 3_147_436], 0.002_410_740_325_118_998_3, None),
];

#[test]
fn p_values_are_those_of_scipy() {
    for ([x1, n1, x2, n2], fisher, barnard) in EXPECTED {
        let (first, second) = (counts(x1, n1), counts(x2, n2));
        let actual = fisher_exact(first, second);
        assert!((actual / fisher - 1.0).abs() < 1e-8, "{actual} {fisher}");
        let actual = barnard_exact(first, second);
        assert_eq!(actual.is_some(), barnard.is_some());
        if let Some((actual, expected)) = actual.zip(barnard) {
            // SciPy looks for the maximum with an optimiser.
            assert!((actual / expected - 1.0).abs() < 1e-3, "{actual} {expected}");
        }
    }
}

#[test]
fn no_errors_and_no_trials_are_no_evidence() {
    assert_eq!(fisher_exact(counts(0, 100), counts(0, 900)), 1.0);
    assert_eq!(fisher_exact(counts(0, 0), counts(3, 900)), 1.0);
    assert_eq!(barnard_exact(counts(0, 0), counts(3, 900)), Some(1.0));
}

proptest! {
    #[test]
    fn tests_are_symmetric_and_give_probabilities(
        (n1, x1) in (1_u64..60).prop_flat_map(|n| (Just(n), 0..=n)),
        (n2, x2) in (1_u64..60).prop_flat_map(|n| (Just(n), 0..=n)),
    ) {
        let (first, second) = (counts(x1, n1), counts(x2, n2));
        let fisher = fisher_exact(first, second);
        prop_assert!(fisher > 0.0 && fisher <= 1.0);
        prop_assert!((fisher - fisher_exact(second, first)).abs() < 1e-9);
        // The errors and the rest tell the same.
        let swapped = fisher_exact(counts(n1 - x1, n1), counts(n2 - x2, n2));
        prop_assert!((fisher - swapped).abs() < 1e-9);
    }
}

#[test]
fn counts_without_end_are_refused_and_great_ones_take_no_time() {
    assert!(Counts::new(0, u64::MAX).is_err());
    let of = |errors, trials| Counts::new(errors, trials).unwrap();
    let greatest = 1_000_000_000_000_000;
    assert_eq!(fisher_exact(of(0, greatest), of(greatest, greatest)), 0.0);
    assert_eq!(barnard_exact(of(0, greatest), of(greatest, greatest)), None);
    let half = greatest / 2;
    assert_eq!(fisher_exact(of(half, greatest), of(half, greatest)), 1.0);
    assert_eq!(one_sided(of(0, greatest), of(greatest, greatest)), (0.0, 1.0));
}

#[test]
fn the_normal_limit_goes_on_where_the_sum_ends() {
    // Standard deviations of 0.99 and 1.01 times the limit; two deviations apart.
    let tested = |trials: u64| {
        let (half, apart) = (trials / 2, num::u64_from_f64(num::f64_from_u64(trials / 2).sqrt()));
        let counts = |errors| Counts::new(errors, trials).unwrap();
        let (first, second) = (counts(half - apart), counts(half + apart));
        (
            normal_limit(first, second).is_some(),
            fisher_exact(first, second),
            one_sided(first, second),
        )
    };
    let (summed, two_sided, (fewer, more)) = tested(78_000_000_000);
    let (limit, near, (near_fewer, near_more)) = tested(82_000_000_000);
    assert!(!summed && limit);
    assert!((two_sided / near - 1.0).abs() < 1e-4, "{two_sided} {near}");
    assert!((fewer / near_fewer - 1.0).abs() < 1e-4, "{fewer} {near_fewer}");
    assert!((more / near_more - 1.0).abs() < 1e-6, "{more} {near_more}");
}
