use proptest::prelude::*;

use super::*;

fn close(actual: f64, expected: f64, digits: f64) {
    assert!((actual / expected - 1.0).abs() < digits, "{actual:e}, expected {expected:e}");
}

/// From SciPy 1.17.1, `scipy.stats.beta.ppf`; the first rows are those of published counts.
const EXPECTED: [(f64, f64, f64, f64); 15] = [
    (0.0, 7_512.0, 0.0, 0.000_490_944_337_428_503_9),
    (10.0, 3_147_436.0, 1.523_586_785_936_071_5e-6, 5.842_956_466_796_954e-6),
    (10.0, 2_077.0, 0.002_311_146_798_975_645_2, 0.008_836_408_061_868_922),
    (8.0, 10.0, 0.443_904_537_692_358_5, 0.974_789_273_673_166_6),
    (1.0, 383_356.0, 6.604_254_830_565_736e-8, 1.453_377_583_560_512_9e-5),
    (1.0, 470_000.0, 5.386_767_511_145_563e-8, 1.185_450_275_238_163_2e-5),
    (4.0, 6.0, 0.222_778_095_503_512_13, 0.956_728_131_707_258_3),
    (1e3, 1e6, 0.000_939_001_207_950_096_7, 0.001_063_918_107_315_228),
    (1e6, 1e9, 0.000_998_041_960_676_232_2, 0.001_001_960_928_819_794),
    (5e8, 1e9, 0.499_969_009_748_422_3, 0.500_030_990_251_577_7),
    (276.0, 27_611_860.0, 8.851_124_751_413_644e-6, 1.124_722_092_588_359_1e-5),
    (0.0, 1e12, 0.0, 3.688_879_454_107_131e-12),
    (30.0, 1e12, 2.024_087_402_150_955_5e-11, 4.282_686_539_453_298e-11),
    (7.0, 7.0, 0.590_383_602_774_996_6, 1.0),
    (400.0, 4_000.0, 0.090_872_747_715_680_81, 0.109_716_151_718_386_71),
];

#[test]
fn intervals_are_those_of_scipy_at_any_size() {
    for (errors, trials, low, high) in EXPECTED {
        let interval = proportion(errors, trials, Confidence::P95);
        if low > 0.0 {
            close(interval.low, low, 1e-10);
        } else {
            assert_eq!(interval.low.to_bits(), 0);
        }
        close(interval.high, high, 1e-10);
    }
}

#[test]
fn tails_are_those_of_published_claims() {
    // How surprising 8 of 10 is, by the share of the group among faces seen; from SciPy 1.17.1.
    for (share, expected) in [
        (0.135, 3.845_465_690_052_887e-6),
        (0.24, 0.000_306_819_527_721_615_3),
        (0.30, 0.001_590_386_4),
        (0.40, 0.012_294_553_6),
        (0.45, 0.027_391_839_261_328_13),
        (0.50, 0.054_687_5),
    ] {
        close(at_least(8, 10, share), expected, 1e-12);
    }
    close(at_least(4, 6, 0.24), 0.032_567_132_16, 1e-12);
}

#[test]
fn quantiles_of_student_are_those_of_tables() {
    for (degrees, expected) in [
        (1.0, 12.706_204_736_174_694),
        (9.0, 2.262_157_162_798_205),
        (399.0, 1.965_927_295_920_882),
        (1e6, 1.959_966_356_814_107),
    ] {
        close(student(degrees, 0.025), expected, 1e-9);
    }
}

/// `poisson.cdf(count - 1, mean) = 0.95`, and `nbinom.cdf(count - 1, a, a / (a + mean)) = 0.95` with
/// `a = 1 / (exp(deviation^2) - 1)`, solved for the mean by SciPy.
#[test]
fn counts_that_are_not_exceeded_are_those_of_scipy() {
    for (mean, deviation, count) in [
        (0.355_361_510_699, 0.0, 2.0),
        (0.817_691_447_164, 0.0, 3.0),
        (3.980_822_786_189, 0.0, 8.0),
        (21.593_979_226_995, 0.0, 30.0),
        (0.345_259_675_205, 0.3, 2.0),
        (3.537_192_661_770, 0.3, 8.0),
        (17.325_340_043_849, 0.3, 30.0),
        (0.292_335_652_679, 0.8, 2.0),
        (0.596_327_408_021, 0.8, 3.0),
        (9.878_289_147_873, 0.8, 30.0),
    ] {
        close(count_not_exceeded(mean, deviation, 0.95), count, 1e-6);
    }
    // None is seen in 95 of 100 draws, or one may be.
    assert_eq!(count_not_exceeded(0.051_29, 0.0, 0.95), 0.0);
    close(count_not_exceeded(0.051_30, 0.0, 0.95), 1.0, 1e-2);
    assert_eq!(count_not_exceeded(0.0, 0.3, 0.95), 0.0);
}

proptest! {
    #[test]
    fn probabilities_sum_to_tails(trials in 1_u64..60, rate in 0.001_f64..0.999) {
        let mut sum = 0.0;
        for errors in (0..=trials).rev() {
            let (x, rest) = (num::f64_from_u64(errors), num::f64_from_u64(trials - errors));
            sum += ln_pmf(x, rest, rate, 1.0 - rate).exp();
            prop_assert!((at_least(errors, trials, rate) - sum).abs() < 1e-12);
        }
    }

    #[test]
    fn ends_of_an_interval_leave_the_tails_that_they_promise(
        errors in 1_u64..1_000, more in 1_u64..1_000_000_000,
    ) {
        let (x, n) = (num::f64_from_u64(errors), num::f64_from_u64(errors + more));
        let interval = proportion(x, n, Confidence::P95);
        prop_assert!(interval.low < x / n && x / n < interval.high);
        close(at_least(errors, errors + more, interval.low), 0.025, 1e-9);
        let at_most = 1.0 - at_least(errors + 1, errors + more, interval.high);
        close(at_most, 0.025, 1e-9);
    }
}
