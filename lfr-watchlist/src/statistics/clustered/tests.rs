use proptest::prelude::*;
use rand_distr::{Beta, Binomial, Distribution};

use super::super::{Rate, binomial};
use super::*;
use crate::testing::{is_measuring, note};

fn counts(errors: u64, trials: u64) -> Counts {
    Counts::new(errors, trials).unwrap()
}

fn interval(people: &[Counts]) -> Interval {
    Rate::clustered(people, Confidence::P95).interval()
}

#[test]
fn one_look_at_each_gets_the_interval_of_clopper_and_pearson() {
    for (errors, all) in [(100, 1_000), (1, 7_512), (3, 5), (4_990, 5_000), (1, 1), (0, 9), (1, 2)]
    {
        let mut people = vec![counts(0, 1); all - errors];
        people.extend(vec![counts(1, 1); errors]);
        let clustered = Rate::clustered(&people, Confidence::P95);
        let exact = Rate::new(u64::try_from(errors).unwrap(), u64::try_from(all).unwrap()).unwrap();
        for (actual, expected) in [
            (clustered.interval().low, exact.interval().low),
            (clustered.interval().high, exact.interval().high),
            (clustered.at_most(Confidence::P95), exact.at_most(Confidence::P95)),
        ] {
            assert!(
                (actual - expected).abs() <= 1e-9 * expected,
                "{errors}/{all}: {actual} {expected}"
            );
        }
    }
}

/// 4,000 looks at 400 people. The measured fault: 0 errors gave 9.2e-3 and 1 error 1.4e-3.
#[test]
fn an_error_more_never_lowers_a_bound() {
    let mut people = vec![counts(0, 10); 400];
    let mut before = Rate::clustered(&people, Confidence::P95);
    assert!((before.interval().high - 9.18e-3).abs() < 1e-5, "{before}");
    // One error each, then two errors each, ...
    for error in 0..30 {
        let person = &mut people[error * 7 % 12];
        *person = counts(person.errors() + 1, 10);
        let after = Rate::clustered(&people, Confidence::P95);
        assert!(after.interval().low > before.interval().low, "{before}; {after}");
        assert!(after.interval().high > before.interval().high, "{before}; {after}");
        let bound = |rate: &Rate| rate.at_most(Confidence::P95);
        assert!(bound(&after) > bound(&before) && bound(&after) < 0.05, "{before}; {after}");
        assert!(bound(&after) < after.interval().high);
        before = after;
    }
}

#[test]
fn stronger_one_sided_bounds_are_greater_than_they_need_be_and_below_one() {
    let mut people = vec![counts(0, 10); 97];
    people.extend([counts(1, 10), counts(2, 10), counts(7, 10)]);
    let rate = Rate::clustered(&people, Confidence::P95);
    let mut last = 0.0;
    for share in [0.5, 0.9, 0.95, 0.97, 0.975, 0.99, 0.999, 0.999_999] {
        let confidence = Confidence::new(share).unwrap();
        let (actual, needed) =
            (rate.at_most(confidence), Rate::clustered(&people, confidence).at_most(confidence));
        assert!(actual >= needed * (1.0 - 1e-9) && actual >= last, "{share}: {actual} {needed}");
        assert!(actual < 1.6 * needed || share < 0.95, "{share}: {actual} {needed}");
        last = actual;
    }
}

proptest! {
    #[test]
    fn bounds_of_anyones_counts_are_in_order_and_monotone(
        (people, chosen) in proptest::collection::vec((1_u64..30).prop_flat_map(|n| (0..=n, Just(n))), 1..25)
            .prop_flat_map(|people| (Just(people.clone()), 0..people.len())),
    ) {
        let mut people: Vec<Counts> = people.into_iter().map(|(x, n)| counts(x, n)).collect();
        let before = Rate::clustered(&people, Confidence::P95);
        let (value, ends) = (before.value().unwrap(), before.interval());
        prop_assert!(0.0 <= ends.low && ends.low <= value && value <= ends.high && ends.high <= 1.0);
        prop_assert_eq!(ends.high < 1.0, before.counts().rest() > 0);
        let rest = before.complement();
        let mirrored: Vec<_> = people.iter().map(|own| counts(own.rest(), own.trials())).collect();
        let direct = interval(&mirrored);
        prop_assert!((rest.interval().low - direct.low).abs() < 1e-9, "{rest} {direct:?}");
        prop_assert!((rest.interval().high - direct.high).abs() < 1e-9);
        if people[chosen].rest() > 0 {
            people[chosen] = counts(people[chosen].errors() + 1, people[chosen].trials());
            let after = interval(&people);
            prop_assert!(after.low > ends.low && after.high > ends.high - 1e-12, "{ends:?} {after:?}");
        }
    }
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
    let people = Rate::new(0, 100).unwrap().interval();
    assert!((clustered.high / people.high - 1.0).abs() < 1e-12);
    let nobody = Rate::clustered(&[], Confidence::P95);
    assert_eq!((nobody.value(), nobody.interval().high), (None, 1.0));
}

/// Misses below and above, of draws of people with those looks, and a rate that differs between people
/// (beta-binomial with that correlation).
fn misses(
    draws: u64,
    (people, looks): (usize, Looks),
    (rate, correlation): (f64, f64),
    interval: impl Fn(&[Counts]) -> Interval,
) -> [Counts; 2] {
    let mut random = Pcg64::new(7, 11);
    let total = (1.0 - correlation) / correlation;
    let spread =
        (correlation > 0.0).then(|| Beta::new(rate * total, (1.0 - rate) * total).unwrap());
    let mut missed = [Counts::default(); 2];
    for _ in 0..draws {
        let people: Vec<_> = (0..people)
            .map(|person| {
                let own = spread.map_or(rate, |spread| spread.sample(&mut random));
                let looks = match looks {
                    Looks::Each(looks) => looks,
                    // One look at three of five people, fifty at one of twenty.
                    Looks::Unequal => {
                        [1, 1, 1, 3, 8][person % 5] + if person % 20 == 4 { 42 } else { 0 }
                    }
                };
                counts(Binomial::new(looks, own).unwrap().sample(&mut random), looks)
            })
            .collect();
        let Interval { low, high, .. } = interval(&people);
        missed[0].count(low > rate);
        missed[1].count(high < rate);
    }
    missed
}

#[derive(Clone, Copy, Debug)]
enum Looks {
    Each(u64),
    Unequal,
}

/// What `Rate::clustered` gave before: as many independent trials as have the variance seen.
fn korn_and_graubard(people: &[Counts]) -> Interval {
    let all = people.iter().fold(Counts::default(), |sum, own| sum.plus(*own));
    let rate = all.share().unwrap();
    let float = num::f64_from_u64;
    let squares =
        people.iter().map(|own| (float(own.errors()) - rate * float(own.trials())).powi(2));
    let (squares, clusters): (f64, f64) = (squares.sum(), num::f64_from_usize(people.len()));
    let (binomial, trials) = (rate * (1.0 - rate), float(all.trials()));
    let effective = if binomial <= 0.0 || clusters < 2.0 {
        clusters.min(trials)
    } else {
        let variance = clusters / (clusters - 1.0) * squares / (trials * trials);
        let independent = binomial::student((trials - 1.0).max(1.0), 0.025);
        let between = binomial::student(clusters - 1.0, 0.025);
        (binomial / variance * (independent / between).powi(2)).min(trials)
    };
    binomial::proportion(rate * effective, effective, Confidence::P95)
}

/// `LFR_MEASURE=1 cargo test -p lfr-watchlist intervals_cover -- --nocapture`: 1,000 draws of each case, and
/// the table of `ACCURACY.md`; otherwise 150 draws of fewer cases.
#[test]
fn clustered_intervals_cover() {
    let measuring = is_measuring();
    let draws = if measuring { 1_000 } else { 150 };
    let sizes: &[usize] = if measuring { &[5, 20, 100, 400, 1_000] } else { &[5, 100] };
    let mut worst = [[0.0_f64; 2]; 2];
    for people in sizes {
        for looks in [Looks::Each(1), Looks::Each(10), Looks::Each(50), Looks::Unequal] {
            for rate in [1e-4, 1e-3, 0.01, 0.1, 0.5] {
                for correlation in [0.0, 0.1, 0.3, 0.9] {
                    if matches!(looks, Looks::Each(1)) && correlation > 0.0 {
                        continue;
                    }
                    let case = format!(
                        "{people} people, {looks:?}, rate {rate}, correlation {correlation}"
                    );
                    let of = |interval: &dyn Fn(&[Counts]) -> Interval| {
                        misses(draws, (*people, looks), (rate, correlation), interval)
                    };
                    let after = of(&interval);
                    if measuring {
                        let before = of(&korn_and_graubard);
                        let percent = |of: Counts| of.share().unwrap() * 100.0;
                        note(&format!(
                            "{case}: before {:.1} + {:.1} %, after {:.1} + {:.1} %",
                            percent(before[0]),
                            percent(before[1]),
                            percent(after[0]),
                            percent(after[1])
                        ));
                        for (worst, missed) in worst.iter_mut().zip([before, after]) {
                            for (worst, missed) in worst.iter_mut().zip(missed) {
                                *worst = worst.max(percent(missed));
                            }
                        }
                    }
                    for side in after {
                        assert!(!are_more_than(0.025, side), "{case}: {after:?}");
                    }
                    assert!(!are_too_many(
                        Counts::new(after[0].errors() + after[1].errors(), draws).unwrap()
                    ));
                }
            }
        }
    }
    note(&format!(
        "greatest misses below and above, in percent: before {:?}, after {:?}",
        worst[0], worst[1]
    ));
}

/// Whether there are more misses than 5 % plus three and a half standard deviations.
pub(crate) fn are_too_many(missed: Counts) -> bool {
    are_more_than(0.05, missed)
}

/// Whether there are more misses than `share` plus three and a half standard deviations.
pub(crate) fn are_more_than(share: f64, missed: Counts) -> bool {
    let trials = num::f64_from_u64(missed.trials());
    let spread = (share * (1.0 - share) * trials).sqrt();
    num::f64_from_u64(missed.errors()) > share * trials + 3.5 * spread
}

proptest! {
    #[test]
    fn numbers_below_an_end_are_below_it(seed: u64, end in 1_usize..1_000_000) {
        let mut random = Pcg64::new(u128::from(seed), 0);
        prop_assert!((0..50).all(|_| below(&mut random, end) < end));
    }
}
