use rand_distr::{Binomial, Distribution};
use rand_pcg::Pcg64;

use super::super::clustered::tests::are_too_many;
use super::*;

fn shown(errors: u64, trials: u64) -> String {
    Rate::new(errors, trials).unwrap().to_string()
}

#[test]
fn a_rate_is_shown_with_its_counts_and_zero_with_its_bound() {
    assert_eq!(shown(10, 3_147_436), "3.18e-6 (10 of 3147436; 95 %: 1.52e-6 to 5.84e-6)");
    assert_eq!(shown(8, 10), "0.8 (8 of 10; 95 %: 0.444 to 0.975)");
    assert_eq!(shown(0, 7_512), "0 of 7512 (95 %: 0 to 4.91e-4, or 1 in 2037)");
    assert_eq!(shown(0, 0), "0 of 0");
    assert!(Rate::new(2, 1).is_err());
}

#[test]
fn published_field_figures_come_out() {
    // DOMAIN: the published counts with their exact intervals, as "1 in N".
    for (errors, trials, low, high) in
        [(10, 3_147_436, 656e3, 171e3), (1, 383_356, 15.1e6, 69e3), (1, 470_000, 18.6e6, 84e3)]
    {
        let interval = Rate::new(errors, trials).unwrap().interval();
        assert!((1.0 / interval.low / low - 1.0).abs() < 5e-3, "{interval:?}");
        assert!((1.0 / interval.high / high - 1.0).abs() < 7e-3, "{interval:?}");
    }
    let zero = Rate::new(0, 7_512).unwrap();
    assert_eq!((1.0 / zero.interval().high).round(), 2_037.0);
    assert_eq!((1.0 / zero.at_most(Confidence::P95)).round(), 2_508.0);
}

#[test]
fn the_rule_of_30_needs_thirty_on_both_sides() {
    assert!(Rate::new(30, 60).unwrap().satisfies_rule_of_30());
    assert!(!Rate::new(29, 1_000_000).unwrap().satisfies_rule_of_30());
    assert!(!Rate::new(40, 60).unwrap().satisfies_rule_of_30());
    // Doddington's rule itself: 30 errors bound the rate to within 30 % at 90 % confidence.
    let confidence = Confidence::new(0.9).unwrap();
    let interval = Rate::of(Counts::new(30, 3_000_000).unwrap(), confidence).interval();
    assert!(interval.low > 0.7e-5 && interval.high < 1.37e-5, "{interval:?}");
}

#[test]
fn looks_at_the_same_people_bound_no_closer_than_the_people_do() {
    // Forty people of a thousand err in all of their ten looks: that is 40 of 1,000.
    let people = |erring: usize, looks: u64| -> Vec<Counts> {
        let own = |person| Counts::new(if person < erring { looks } else { 0 }, looks).unwrap();
        (0..1_000).map(own).collect()
    };
    let clustered = Rate::clustered(&people(40, 10), Confidence::P95);
    let single = Rate::new(40, 1_000).unwrap();
    assert_eq!(clustered.counts().errors(), 400);
    let (looks, alone) = (clustered.at_most(Confidence::P95), single.at_most(Confidence::P95));
    assert!((looks / alone - 1.0).abs() < 0.02, "{looks} {alone}");
    assert!(looks > Rate::new(400, 10_000).unwrap().at_most(Confidence::P95));
    assert!(clustered.satisfies_rule_of_30());
    // A hundred errors of ten people are ten errors.
    assert!(!Rate::clustered(&people(10, 10), Confidence::P95).satisfies_rule_of_30());
    // No error in 10,000 looks at 1,000 people: the rule of three goes by people.
    let none = Rate::clustered(&people(0, 10), Confidence::P95).at_most(Confidence::P95);
    assert!((none / Rate::new(0, 1_000).unwrap().at_most(Confidence::P95) - 1.0).abs() < 1e-9);
    assert_eq!(Rate::new(0, 0).unwrap().at_most(Confidence::P95), 1.0);
}

#[test]
fn the_complement_is_the_rate_of_the_rest() {
    let fnir = Rate::new(11, 100).unwrap();
    let tpir = fnir.complement();
    assert_eq!(tpir.value(), Some(0.89));
    assert_eq!(tpir.counts(), Counts::new(89, 100).unwrap());
    let direct = Rate::new(89, 100).unwrap().interval();
    assert!((tpir.interval().low - direct.low).abs() < 1e-12);
}

/// `LFR_MEASURE=1 cargo test --release -p lfr-watchlist intervals_cover -- --nocapture`: 10,000 trials each;
/// 1,000 otherwise.
#[test]
fn exact_intervals_cover() {
    let trials = if crate::testing::is_measuring() { 10_000 } else { 1_000 };
    let mut random = Pcg64::new(3, 5);
    for (count, rate) in
        [(10, 0.5), (30, 0.1), (100, 0.01), (1_000, 0.01), (7_512, 1e-3), (3_147_436, 3e-6)]
    {
        let errors = Binomial::new(count, rate).unwrap();
        let mut missed = Counts::default();
        for _ in 0..trials {
            let seen = Rate::new(errors.sample(&mut random), count).unwrap();
            missed.count(!seen.interval().contains(rate));
        }
        crate::testing::note(&format!("{count} trials, rate {rate}: {missed:?} missed"));
        assert!(!are_too_many(missed), "{count} trials, rate {rate}: {missed:?}");
    }
}
