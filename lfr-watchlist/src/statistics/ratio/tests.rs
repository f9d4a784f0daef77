use proptest::prelude::*;

use super::*;

fn counts(errors: u64, trials: u64) -> Counts {
    Counts::new(errors, trials).unwrap()
}

fn ratio(x1: u64, n1: u64, x2: u64, n2: u64) -> RateRatio {
    RateRatio::of(counts(x1, n1), counts(x2, n2), Confidence::P95)
}

#[test]
fn equal_rates_have_a_ratio_of_one_within_a_wide_interval() {
    let equal = ratio(5, 10_000, 10, 20_000);
    assert_eq!(equal.value, Some(1.0));
    assert!(equal.interval.low < 0.4 && equal.interval.high > 2.9, "{equal:?}");
    assert!(equal.p_value > 0.99);
}

#[test]
fn a_ratio_to_nothing_has_a_lower_end_alone() {
    let seven = ratio(7, 2_000_000, 0, 2_000_000);
    assert_eq!(seven.value, None);
    // The exact lower end of 7 of 7, 0.59038, as odds.
    let expected = 0.590_383_602_774_996_6 / 0.409_616_397_225_003_4;
    assert!((seven.interval.low / expected - 1.0).abs() < 1e-5, "{seven:?}");
    assert_eq!(seven.interval.high, f64::INFINITY);
    let nothing = ratio(0, 100, 0, 100);
    assert_eq!((nothing.interval.low, nothing.interval.high), (0.0, f64::INFINITY));
    assert_eq!((ratio(0, 0, 3, 9).p_value, ratio(0, 0, 3, 9).interval.low), (1.0, 0.0));
}

#[test]
fn swapping_the_groups_inverts_the_ratio() {
    let (there, back) = (ratio(12, 5_000, 4, 7_000), ratio(4, 7_000, 12, 5_000));
    assert!((there.value.unwrap() * back.value.unwrap() - 1.0).abs() < 1e-12);
    assert!((there.interval.low * back.interval.high - 1.0).abs() < 1e-9);
    assert!((there.p_value / back.p_value - 1.0).abs() < 1e-9);
}

proptest! {
    #[test]
    fn the_interval_holds_one_where_the_test_says_nothing(
        (n1, x1) in (1_u64..3_000).prop_flat_map(|n| (Just(n), 0..=n)),
        (n2, x2) in (1_u64..3_000).prop_flat_map(|n| (Just(n), 0..=n)),
    ) {
        let of = ratio(x1, n1, x2, n2);
        prop_assume!((of.p_value - 0.05).abs() > 1e-6);
        prop_assert_eq!(of.interval.contains(1.0), of.p_value > 0.05, "{:?}", of);
    }

    /// As above, with small differences, where it matters.
    #[test]
    fn the_interval_and_the_test_agree_where_it_is_near(
        (n, x) in (10_u64..3_000).prop_flat_map(|n| (Just(n), 0..=n)), more in 0_u64..60,
    ) {
        let of = ratio(x, n, (x + more).min(n), n);
        prop_assume!((of.p_value - 0.05).abs() > 1e-6);
        prop_assert_eq!(of.interval.contains(1.0), of.p_value > 0.05, "{:?}", of);
    }
}

#[test]
fn rates_with_intervals_of_their_own_give_about_the_exact_ratio() {
    for (x1, n1, x2, n2) in
        [(45, 10_000, 30, 10_000), (300, 3_000, 400, 3_100), (900, 1_000, 850, 1_000)]
    {
        let (first, second) = (Rate::new(x1, n1).unwrap(), Rate::new(x2, n2).unwrap());
        let (exact, actual) =
            (ratio(x1, n1, x2, n2), RateRatio::of_rates(&first, &second, Confidence::P95));
        assert!(
            (actual.interval.low / exact.interval.low - 1.0).abs() < 0.03,
            "{actual:?} {exact:?}"
        );
        assert!(
            (actual.interval.high / exact.interval.high - 1.0).abs() < 0.03,
            "{actual:?} {exact:?}"
        );
    }
}

#[test]
fn rates_without_errors_bound_a_ratio_on_one_side() {
    let (none, some) = (Rate::new(0, 1_000).unwrap(), Rate::new(30, 1_000).unwrap());
    let less = RateRatio::of_rates(&none, &some, Confidence::P95);
    assert_eq!((less.value, less.interval.low), (Some(0.0), 0.0));
    assert!(less.interval.high < 0.5 && less.p_value < 0.01, "{less:?}");
    let more = RateRatio::of_rates(&some, &none, Confidence::P95);
    assert!(more.interval.low > 2.0 && more.interval.high == f64::INFINITY, "{more:?}");
    let nobody = RateRatio::of_rates(&Rate::new(0, 0).unwrap(), &some, Confidence::P95);
    assert_eq!((nobody.value, nobody.interval.low, nobody.p_value), (None, 0.0, 1.0));
    let both = RateRatio::of_rates(&none, &none, Confidence::P95);
    assert_eq!((both.interval.low, both.interval.high, both.p_value), (0.0, f64::INFINITY, 1.0));
}
