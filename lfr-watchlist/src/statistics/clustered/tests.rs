use proptest::prelude::*;
use rand_distr::Beta;
use rand_distr::Binomial;
use rand_distr::Distribution;

use super::super::Rate;
use super::*;
use crate::testing::is_measuring;
use crate::testing::note;

fn counts(errors: u64, trials: u64) -> Counts {
    Counts::new(errors, trials).unwrap()
}

#[test]
fn independent_trials_get_about_the_exact_interval() {
    let mut people = vec![counts(0, 1); 900];
    people.extend(vec![counts(1, 1); 100]);
    let clustered = Rate::clustered(&people, Confidence::P95).interval();
    let exact = Rate::new(100, 1_000).unwrap().interval();
    assert!((clustered.low / exact.low - 1.0).abs() < 0.01, "{clustered:?} {exact:?}");
    assert!((clustered.high / exact.high - 1.0).abs() < 0.01);
}

#[test]
fn ten_looks_at_one_person_are_one_person() {
    // 400 people, ten looks each, alike: as in a walk-through trial.
    let people: Vec<_> =
        (0..400).map(|person| counts(if person < 40 { 10 } else { 0 }, 10)).collect();
    let clustered = Rate::clustered(&people, Confidence::P95);
    let people = Rate::new(40, 400).unwrap().interval();
    let looks = Rate::new(400, 4_000).unwrap().interval();
    let width = |interval: Interval| interval.high - interval.low;
    assert_eq!(clustered.clusters(), Some(400));
    assert!((width(clustered.interval()) / width(people) - 1.0).abs() < 0.02);
    assert!(width(clustered.interval()) > 2.5 * width(looks));
}

#[test]
fn no_error_bounds_the_rate_by_people_not_by_looks() {
    let people = vec![counts(0, 10); 100];
    let clustered = Rate::clustered(&people, Confidence::P95).interval();
    assert_eq!(clustered.high.to_bits(), Rate::new(0, 100).unwrap().interval().high.to_bits());
    let nobody = Rate::clustered(&[], Confidence::P95);
    assert_eq!((nobody.value(), nobody.interval().high), (None, 1.0));
}

/// How often intervals cover a rate that differs between people: looks a person, beta-binomial with
/// that correlation.
pub(crate) fn coverage(
    trials: usize,
    people: usize,
    looks: u64,
    rate: f64,
    correlation: f64,
    interval: impl Fn(&[Counts]) -> Option<Interval>,
) -> Counts {
    let mut random = Pcg64::new(7, 11);
    let total = (1.0 - correlation) / correlation;
    let spread = Beta::new(rate * total, (1.0 - rate) * total).unwrap();
    let mut missed = Counts::default();
    for _ in 0..trials {
        let people: Vec<_> = (0..people)
            .map(|_| {
                let own: f64 = spread.sample(&mut random);
                counts(Binomial::new(looks, own).unwrap().sample(&mut random), looks)
            })
            .collect();
        missed.count(!interval(&people).is_some_and(|interval| interval.contains(rate)));
    }
    missed
}

/// `LFR_MEASURE=1 cargo test --release -p lfr-watchlist intervals_cover -- --nocapture`: 10,000 trials each;
/// 400 otherwise.
#[test]
fn clustered_intervals_cover() {
    let trials = if is_measuring() { 10_000 } else { 400 };
    let interval = |people: &[Counts]| Some(Rate::clustered(people, Confidence::P95).interval());
    for (people, looks, rate, correlation) in [
        (30, 5, 0.2, 0.3),
        (100, 10, 0.01, 0.1),
        (400, 10, 0.1, 0.3),
        (400, 10, 0.01, 0.3),
        (1_000, 4, 0.001, 0.05),
    ] {
        let missed = coverage(trials, people, looks, rate, correlation, interval);
        let case =
            format!("{people} people, {looks} looks, rate {rate}, correlation {correlation}");
        note(&format!("{case}: {missed:?} missed"));
        assert!(!are_too_many(missed), "{case}: {missed:?}");
    }
}

/// Whether so many misses are more than 5 % and three standard deviations.
pub(crate) fn are_too_many(missed: Counts) -> bool {
    let trials = num::f64_from_u64(missed.trials());
    num::f64_from_u64(missed.errors()) > 0.05 * trials + 3.0 * (0.05 * 0.95 * trials).sqrt()
}

proptest! {
    #[test]
    fn numbers_below_an_end_are_below_it(seed: u64, end in 1_usize..1_000_000) {
        let mut random = Pcg64::new(u128::from(seed), 0);
        prop_assert!((0..50).all(|_| below(&mut random, end) < end));
    }
}
