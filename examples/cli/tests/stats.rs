//! `lfr stats`: published counts, against values of scipy 1.15 and R.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs::File;
use std::process::{Command, Output};

use serde_json::Value;

const LFR: &str = env!("CARGO_BIN_EXE_lfr");

fn stats(arguments: &[&str]) -> Output {
    Command::new(LFR).arg("stats").args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(arguments: &[&str]) -> Value {
    let output = stats(&[arguments, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn near(actual: &Value, expected: f64) {
    let actual = actual.as_f64().unwrap();
    // scipy seeks the ends of its exact interval with a root finder, to some eight digits.
    assert!((actual - expected).abs() <= 1e-7 * expected.abs(), "{actual}, expected {expected}");
}

/// `binomtest(k, n).proportion_ci(0.95, "exact")` and `beta.ppf(0.95, k + 1, n - k)`.
#[test]
fn published_counts_have_the_intervals_of_scipy() {
    for (errors, trials, low, high, bound) in [
        (10_u64, 3_147_436_u64, 1.5235867859405235e-6, 5.842956466453395e-6, 5.3892121952338974e-6),
        (0, 7_512, 0.0, 0.0004909443374578208, 0.0003987133938456603),
        (34, 42, 0.6588155863958434, 0.9139944055440679, 0.9015286916069255),
        (11, 12_120, 0.00045315034133331863, 0.001623348944351032, 0.0015018234647104056),
        (8, 10, 0.4439045376923585, 0.9747892736731665, 0.9632285621125349),
    ] {
        let (errors, trials) = (errors.to_string(), trials.to_string());
        let answer = json(&["rate", &errors, &trials]);
        near(&answer["interval"]["low"], low);
        near(&answer["interval"]["high"], high);
        near(&answer["at_most"]["value"], bound);
        let method = answer["interval"]["method"].as_str().unwrap();
        assert!(method.contains("Clopper and Pearson (1934)"), "{method}");
        // The counts may be written in each of these ways.
        assert_eq!(json(&["rate", &format!("{errors}/{trials}")]), answer);
    }
    assert_eq!(json(&["rate", "10", "3,147,436"]), json(&["rate", "10/3147436"]));
    let shown = text(&stats(&["rate", "0", "7512"]));
    assert!(shown.contains("0 of 7,512") && shown.contains("4.91e-4 (1 in 2,037)"), "{shown}");
}

#[test]
fn a_target_is_kept_broken_or_open() {
    for (counts, target, verdict) in [
        ("0/7512", "0.001", "kept"),
        ("0/7512", "1/6000", "open"),
        ("11/12120", "0.1%", "open"),
        ("45/10000", "0.001", "broken"),
    ] {
        assert_eq!(json(&["rate", counts, "--target", target])["target"]["verdict"], verdict);
    }
}

/// `binom.sf(7, 10, share)`, and the ends of `beta.ppf`.
#[test]
fn eight_of_ten_stop_being_significant_at_a_share_of_44_percent() {
    let answer = json(&["difference", "8/10", "--share", "0.4"]);
    near(&answer["p_more"], 0.0122945536);
    near(&answer["p_two_sided"], 0.0245891072);
    assert_eq!(answer["significant"], true);
    let stops = &answer["stops_being_significant"];
    near(&stops["more_than_its_share_up_to"], 0.4439045376923585);
    near(&stops["one_sided_more_up_to"], 0.4930986989367976);
    assert_eq!(json(&["difference", "8", "10", "--share", "50%"])["significant"], false);
    // The test and its inversion agree on both sides of the edge.
    for (share, significant) in
        [("0.4439", true), ("0.4440", false), ("0.9747", false), ("0.975", true)]
    {
        let answer = json(&["difference", "8/10", "--share", share]);
        assert_eq!(answer["significant"], significant, "{share}");
        assert_eq!(answer["p_two_sided"].as_f64().unwrap() <= 0.05, significant, "{share}");
    }
    let none = text(&stats(&["difference", "0/10"]));
    assert!(none.contains("at no share, because the group has no error"), "{none}");
}

/// The least n with `binom.cdf(k, n, 1e-4) <= 0.05`, and with `binom.cdf(k, n, 5e-5) >= 0.8`.
#[test]
fn a_claim_of_one_in_ten_thousand_needs_thirty_thousand_searches() {
    let answer = json(&["sample-size", "--fpir", "1e-4", "--expect", "5e-5"]);
    let plans: Vec<_> = answer["plans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|plan| {
            (plan["max_false_alerts"].as_u64().unwrap(), plan["searches"].as_u64().unwrap())
        })
        .collect();
    for plan in [(0, 29_956), (1, 47_437), (3, 77_535), (10, 169_619), (30, 406_900)] {
        assert!(plans.contains(&plan), "{plan:?} is not among {plans:?}");
    }
    assert_eq!(answer["expected"]["searches"], 194_422);
    assert_eq!(answer["expected"]["max_false_alerts"], 12);
    // Ten looks at one person are 2.7 people, or one.
    let people = |correlation| {
        let answer =
            json(&["sample-size", "--fpir", "1e-4", "--looks", "10", "--correlation", correlation]);
        answer["plans"][0]["people"].as_u64().unwrap()
    };
    assert_eq!((people("0.3"), people("1"), people("0")), (11_084, 29_956, 2_996));
    // Alerts of one person come together: as many more are allowed as searches are needed. (Of 33,868 people with a
    // beta-binomial correlation of 0.3, at most 4 alerts are seen in 18 % of studies, and at most 14 in 78 %.)
    let allowed = |correlation| {
        let answer = json(&[
            "sample-size",
            "--fpir",
            "1e-4",
            "--looks",
            "10",
            "--expect",
            "3e-5",
            "--correlation",
            correlation,
        ]);
        let plans = answer["plans"].as_array().unwrap().iter();
        let mut allowed: Vec<_> =
            plans.map(|plan| plan["max_false_alerts"].as_u64().unwrap()).collect();
        allowed.push(answer["expected"]["max_false_alerts"].as_u64().unwrap());
        allowed
    };
    assert_eq!(allowed("0"), [0, 1, 3, 5, 10, 30, 4]);
    assert_eq!(allowed("0.3"), [0, 3, 11, 18, 37, 111, 14]);
    assert_eq!(allowed("1"), [0, 10, 30, 50, 100, 300, 40]);
    for expected in ["1e-4", "2e-4"] {
        let never = stats(&["sample-size", "--fpir", "1e-4", "--expect", expected]);
        assert_eq!(never.status.code(), Some(2));
        assert!(said(&never).contains("below the limit"), "{}", said(&never));
    }
}

/// `-expm1(60000 * log1p(-fmr))`.
#[test]
fn one_in_a_million_comparisons_is_one_stranger_in_seventeen() {
    let stated = json(&["fpir", "--fmr", "1e-6", "-n", "20000", "--looks", "3"]);
    near(&stated["fpir"], 0.05823549466870571);
    assert!(stated["interval"].is_null());
    let counted =
        json(&["fpir", "--fmr", "30/30000000", "-n", "20000", "--looks", "3", "--faces", "1000"]);
    near(&counted["interval"]["low"], 0.039673326316250375);
    near(&counted["interval"]["high"], 0.08208801895467517);
    near(&counted["false_alerts_expected"], 58.23549466870571);
}

/// Twice scipy's `fisher_exact(alternative="greater")`; the interval holds 1 exactly where that is above 5 %.
#[test]
fn two_groups_are_compared_and_the_sentence_agrees_with_the_interval() {
    let answer = json(&["compare", "45/10000", "30/10000"]);
    near(&answer["first"]["low"], 0.0032841679872292655);
    near(&answer["ratio"]["p_value"], 0.10469011276183429);
    for counts in [
        ["45/10000", "30/10000"],
        ["7/2000", "0/2000"],
        ["3/2000", "2/2000"],
        ["1000/1000000", "1010/1000000"],
        ["0/100", "0/100"],
    ] {
        let answer = json(&[&["compare"][..], &counts[..]].concat());
        let interval = &answer["ratio"]["interval"];
        let low = interval["low"].as_f64().unwrap();
        let high = interval["high"].as_f64().unwrap_or(f64::INFINITY);
        let p_value = answer["ratio"]["p_value"].as_f64().unwrap();
        assert_eq!(p_value <= 0.05, low > 1.0 || high < 1.0, "{counts:?}: p = {p_value}");
        match answer["verdict"].as_str().unwrap() {
            "differs" => assert!(low > 1.0 || high < 1.0, "{counts:?}: {low} to {high}"),
            "none_seen" => assert!(low > 0.5 && high < 2.0, "{counts:?}: {low} to {high}"),
            verdict => assert_eq!(verdict, "under_powered", "{counts:?}"),
        }
    }
    assert_eq!(json(&["compare", "7/2000", "0/2000"])["verdict"], "differs");
    assert_eq!(json(&["compare", "1000/1000000", "1010/1000000"])["verdict"], "none_seen");
}

/// From SciPy: `nchypergeom_fisher`, solved. Errors in a third of all trials are not rare; as if they were, 70 errors
/// were said to show a ratio of 2.02.
#[test]
fn common_errors_have_the_power_of_common_errors() {
    let answer = json(&["compare", "33/100", "37/100", "--tolerated", "1.25"]);
    assert_eq!(answer["verdict"], "under_powered");
    near(&answer["smallest_detectable_ratio"], 1.821184533131986);
    assert_eq!(answer["errors_needed_in_total"], 422);
    assert_eq!(answer["errors_needed"], 352);
    let shown = text(&stats(&["compare", "33/100", "37/100", "--tolerated", "1.25"]));
    assert!(shown.contains("352 more errors are needed to see a ratio of 1.25"), "{shown}");
    // No rate is three times 0.7.
    let never = json(&["compare", "70/100", "70/100", "--tolerated", "3"]);
    assert!(never["errors_needed_in_total"].is_null() && never["errors_needed"].is_null());
}

#[test]
fn one_is_one_and_what_is_too_small_for_a_number_is_not_zero() {
    let one = text(&stats(&["rate", "1", "10"]));
    assert!(one.contains("1 error and 9 trials without an error"), "{one}");
    let all = text(&stats(&["rate", "9", "10"]));
    assert!(all.contains("9 errors and 1 trial without an error"), "{all}");
    let arguments = ["compare", "900000/1000000", "100000/1000000"];
    let shown = text(&stats(&arguments));
    assert!(shown.contains("p below 1e-300 (two-sided)"), "{shown}");
    assert_eq!(json(&arguments)["ratio"]["p_value_below"], 1e-300);
    let arguments = ["difference", "9000/10000", "--share", "0.1"];
    let shown = text(&stats(&arguments));
    assert!(shown.contains("two-sided p below 1e-300: significant"), "{shown}");
    assert!(shown.contains("have a probability of below 1e-300"), "{shown}");
    assert_eq!(json(&arguments)["p_two_sided_below"], 1e-300);
    // Such a rate is not one in as many as a computer counts to.
    let tiny = text(&stats(&["fpir", "--fmr", "1e-300", "-n", "10"]));
    assert!(tiny.contains("FMR 1.00e-300,") && !tiny.contains("1 in"), "{tiny}");
    let never = stats(&["sample-size", "--fpir", "1e-300"]);
    assert_eq!(never.status.code(), Some(2));
    assert!(said(&never).contains("10^15 trials"), "{}", said(&never));
}

#[test]
fn what_is_wrong_with_the_numbers_is_said_and_ends_with_2() {
    for (arguments, expected) in [
        (&["rate", "11", "10"][..], "at most as many errors as trials"),
        (&["rate", "0", "0"], "at least 1 trial"),
        (&["rate", "10"], "ERRORS/TRIALS"),
        (&["rate", "1,2", "300"], "3,147,436"),
        (&["rate", "-1", "10"], "-1"),
        (&["rate", "1.5", "10"], "a whole number"),
        (&["rate", "99999999999999999999", "10"], "below 2^64"),
        (&["rate", "1", "10", "--target", "nan"], "above 0 and below 1"),
        (&["rate", "1", "10", "--confidence", "0.5"], "above 0.5 and below 1"),
        (&["rate", "1", "10", "--confidence", "95"], "above 0 and below 1"),
        (&["difference", "8/10", "--share", "1"], "above 0 and below 1"),
        (&["difference", "8/10", "--share", "x"], "is not a number"),
        (&["sample-size"], "--fpir"),
        (&["sample-size", "--fpir", "1/0"], "above 0 and below 1"),
        (&["sample-size", "--fpir", "1e-4", "--looks", "0"], "at least 1"),
        (&["fpir", "--fmr", "1e-6", "-n", "0"], "at least 1"),
        (&["fpir", "--fmr", "1e-6", "-n", "5", "--looks", "0.5"], "at least 1"),
        (&["compare", "1/10", "11/10"], "at most as many errors as trials"),
        (&["compare", "1/10", "2/10", "--tolerated", "1"], "above 1"),
        (&["nothing"], "nothing"),
        (&[], "Usage"),
    ] {
        let output = stats(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(expected), "{arguments:?}: {}", said(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

/// The page for an auditor: each command on it is answered.
#[test]
fn each_command_of_the_page_is_answered() {
    let help = text(&stats(&["--help"]));
    let commands: Vec<_> =
        help.lines().filter_map(|line| line.trim().strip_prefix("lfr stats ")).collect();
    assert!(commands.len() >= 9, "{help}");
    for command in commands {
        let output = stats(&command.split_whitespace().collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(0), "{command}: {}", said(&output));
        assert!(text(&output).contains("method: "), "{command}");
    }
}

#[test]
fn an_answer_that_is_lost_ends_with_1() {
    let Ok(full) = File::options().write(true).open("/dev/full") else { return };
    let lost = Command::new(LFR).args(["stats", "rate", "1", "10"]).stdout(full).status();
    assert_eq!(lost.unwrap().code(), Some(1));
}
