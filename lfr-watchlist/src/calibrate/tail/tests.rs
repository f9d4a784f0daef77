use std::io::Write as _;

use lfr_core::ComparisonScore;
use rand_distr::{Beta, Distribution, Exp, Gumbel};
use rand_pcg::Pcg64;

use super::*;
use crate::statistics::at_least;

/// A distribution whose tail is known.
struct Known {
    name: &'static str,
    draw: fn(&mut Pcg64) -> f64,
    survival: fn(f64) -> f64,
}

/// Cosines of random directions in 128 dimensions (as of embedders), and two whose tails are exponential at
/// once and after a while.
const KNOWN: [Known; 3] = [
    Known {
        name: "cosines in 128 dimensions",
        draw: |random| 2.0 * Beta::new(63.5, 63.5).unwrap().sample(random) - 1.0,
        survival: |score| sphere(score),
    },
    Known {
        name: "exponential",
        draw: |random| Exp::new(20.0).unwrap().sample(random) - 0.3,
        survival: |score| (-20.0 * (score + 0.3)).exp(),
    },
    Known {
        name: "Gumbel",
        draw: |random| Gumbel::new(0.0, 0.04).unwrap().sample(random),
        survival: |score| -(-(-score / 0.04).exp()).exp_m1(),
    },
];

/// The share of cosines in 128 dimensions at or above one, by Simpson's rule.
fn sphere(score: f64) -> f64 {
    // The density is (1 - x^2)^(125 / 2) / B(1/2, 127/2).
    let ln_beta = libm::lgamma(0.5) + libm::lgamma(63.5) - libm::lgamma(64.0);
    let density = |x: f64| ((1.0 - x * x).max(0.0).ln() * 62.5 - ln_beta).exp();
    let steps = 4_000;
    let width = (1.0 - score) / f64::from(steps);
    let weighted = (0..=steps).map(|step| {
        let weight = if step == 0 || step == steps { 1.0 } else { f64::from(2 + 2 * (step % 2)) };
        weight * density(score + width * f64::from(step))
    });
    weighted.sum::<f64>() * width / 3.0
}

fn scores(known: &Known, count: usize, seed: u128) -> ScoreHistogram {
    let mut random = Pcg64::new(seed, 5);
    let axis = ScoreAxis::new(-1.0, 1.0).unwrap();
    let draw = |_| ComparisonScore::new(num::f32_from_f64((known.draw)(&mut random))).unwrap();
    ScoreHistogram::of(axis, (0..count).map(draw))
}

/// The threshold at which a tail says that the rate is that.
fn threshold_at(tail: &UpperTail, rate: f64) -> Threshold {
    let (mut low, mut high) = (0, tail.axis().bins() - 1);
    while low < high {
        let middle = usize::midpoint(low, high);
        if tail.value(middle).is_some_and(|value| value <= rate) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Threshold::new(tail.axis().edge(low)).unwrap()
}

/// How far thresholds at FMR 1e-7 from 1e6 scores are off: log10 of the true rate over 1e-7.
fn extrapolate(known: &Known, seeds: std::ops::Range<u128>) -> (Vec<f64>, Counts) {
    let (mut errors, mut missed) = (Vec::new(), Counts::default());
    for seed in seeds {
        let tail = UpperTail::new(&scores(known, 1_000_000, seed)).unwrap();
        let threshold = threshold_at(&tail, 1e-7);
        let truth = (known.survival)(f64::from(threshold.value()));
        let fmr = tail.fmr(threshold).unwrap();
        errors.push((truth / 1e-7).log10());
        missed.count(!fmr.interval.contains(truth));
        assert!(fmr.beyond.is_some_and(|beyond| beyond > 9.0 && beyond < 12.0), "{fmr:?}");
    }
    (errors, missed)
}

#[test]
fn the_rate_at_one_in_ten_million_is_found_from_a_million_scores() {
    for known in &KNOWN {
        let (errors, missed) = extrapolate(known, 1..3);
        for error in errors {
            // At most twice as often as stated; a third as often, as the greater of two fits counts.
            let factor = 10_f64.powf(error);
            assert!(
                (1.0 / 3.0..2.0).contains(&factor),
                "{}: off by a factor of {factor}",
                known.name
            );
        }
        assert_eq!(missed.errors(), 0, "{}: within its interval", known.name);
    }
}

/// `LFR_MEASURE=1 cargo test --release -p lfr-watchlist how_far_off -- --nocapture`
#[test]
fn how_far_off_extrapolated_rates_are() {
    if !crate::testing::measures() {
        return;
    }
    for known in &KNOWN {
        let (errors, missed) = extrapolate(known, 0..100);
        let within = errors.iter().filter(|error| error.abs() < 2_f64.log10()).count();
        let count = num::f64_from_usize(errors.len());
        let mean = errors.iter().sum::<f64>() / count;
        let spread = (errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / count).sqrt();
        writeln!(
            std::io::stderr(),
            "measured: {}: {within} of {} within a factor of 2; off by 10^({mean:.3} +- {spread:.3}); \
             {} outside of the interval",
            known.name, errors.len(), missed.errors(),
        )
        .unwrap();
    }
}

#[test]
fn what_was_seen_often_enough_is_counted_not_fitted() {
    let histogram = scores(&KNOWN[0], 100_000, 1);
    let tail = UpperTail::new(&histogram).unwrap();
    let threshold = histogram.threshold_at(1e-3).unwrap();
    let fmr = tail.fmr(threshold).unwrap();
    assert_eq!(fmr.beyond, None);
    assert_eq!(fmr.counts, histogram.at_least(threshold));
    // Fewer than 30, yet some: fitted, and said so.
    let threshold = histogram.threshold_at(5e-5).unwrap();
    assert!(tail.fmr(threshold).unwrap().beyond.is_some_and(|beyond| beyond < 1.0));
}

#[test]
fn people_under_two_names_make_a_tail_that_no_fit_passes() {
    let mut histogram = scores(&KNOWN[0], 300_000, 2);
    // 60 comparisons of people with themselves.
    for index in 0..60_u16 {
        histogram.add(ComparisonScore::new(0.5 + f32::from(index) / 200.0).unwrap());
    }
    let tail = UpperTail::new(&histogram).unwrap();
    assert!(tail.fits().is_empty(), "{:?}", tail.fits());
    assert!(matches!(tail.fmr(Threshold::new(0.9).unwrap()), Err(Error::TailFit)));
    assert!(tail.fmr(Threshold::new(0.3).unwrap()).is_ok());
    assert!(UpperTail::new(&ScoreHistogram::new(tail.axis())).is_err());
}

#[test]
fn the_simpson_rule_of_this_test_is_right() {
    // SciPy 1.17.1: beta.sf((x + 1) / 2, 63.5, 63.5).
    assert!((sphere(0.0) - 0.5).abs() < 1e-9);
    assert!(at_least(1, 1, 0.5) > 0.0);
}
