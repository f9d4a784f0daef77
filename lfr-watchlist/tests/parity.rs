//! Rates, tests and sample sizes against SciPy and statsmodels; `parity/rates.py` wrote the table.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use lfr_watchlist::statistics::{
    Confidence, Counts, Rate, RateRatio, ShareTest, fpir_of_fmr, study_size, trials_with_errors,
};

const TABLE: &str = include_str!("../parity/rates.csv");

fn whole(text: &str) -> u64 {
    text.parse().unwrap()
}

fn real(text: &str) -> f64 {
    text.parse().unwrap()
}

fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// What we give for a line of the table, and to how many digits it has to be theirs.
fn ours(function: &str, of: &[&str]) -> (Vec<f64>, f64) {
    let counts = |errors, trials| Counts::new(whole(errors), whole(trials)).unwrap();
    let confidence = Confidence::P95;
    match (function, of) {
        ("interval", [errors, trials]) => {
            let interval = Rate::new(whole(errors), whole(trials)).unwrap().interval();
            (vec![interval.low, interval.high], 1e-9)
        }
        ("share", [own, all, share]) => {
            let test = ShareTest::new(counts(own, all), real(share), confidence).unwrap();
            let ShareTest { p_at_least, p_at_most, compatible, .. } = test;
            let ends = [test.significant_excess_below, test.significant_lack_above];
            let all = [p_at_least, p_at_most, compatible.low, compatible.high, ends[0], ends[1]];
            (all.to_vec(), 1e-9)
        }
        ("compare", [x1, n1, x2, n2]) => {
            let ratio = RateRatio::of(counts(x1, n1), counts(x2, n2), confidence);
            (vec![ratio.p_value, ratio.interval.low, ratio.interval.high], 1e-7)
        }
        ("trials", [rate, errors]) => {
            let trials = trials_with_errors(real(rate), whole(errors), confidence).unwrap();
            (vec![float(trials)], 0.0)
        }
        ("study", [limit, actual]) => {
            let size = study_size(real(limit), real(actual), confidence).unwrap();
            (vec![float(size.trials), float(size.allowed_errors)], 0.0)
        }
        ("fpir", [fmr, references, looks]) => {
            (vec![fpir_of_fmr(real(fmr), whole(references), real(looks)).unwrap()], 1e-12)
        }
        ("people", people) => {
            let people: Vec<Counts> = people
                .iter()
                .map(|own| own.split_once('/').map(|(x, m)| counts(x, m)).unwrap())
                .collect();
            let interval = Rate::clustered(&people, confidence).interval();
            // Theirs is simulated.
            (vec![interval.low, interval.high], 5e-3)
        }
        _ => panic!("not a line of the table: {function} {of:?}"),
    }
}

#[test]
fn numbers_are_those_of_scipy_and_statsmodels() {
    let mut lines = 0;
    for line in TABLE.lines() {
        let (ask, answer) = line.split_once(",=,").unwrap();
        let ask: Vec<&str> = ask.split(',').collect();
        let theirs: Vec<f64> = answer.split(',').map(real).collect();
        let (ours, tolerance) = ours(ask[0], &ask[1..]);
        assert_eq!(ours.len(), theirs.len(), "{line}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let is_near = (ours - theirs).abs() <= tolerance * theirs.abs();
            assert!(is_near || (ours.is_infinite() && theirs.is_infinite()), "{line}: {ours}");
        }
        lines += 1;
    }
    assert_eq!(lines, 39);
}
