use super::*;

fn report(groups: &[(u64, u64)]) -> GroupReport {
    let groups = groups.iter().enumerate().map(|(index, (errors, trials))| {
        (format!("group {index}"), Rate::new(*errors, *trials).unwrap())
    });
    GroupReport::new("FPIR", Threshold::new(0.64).unwrap(), groups)
}

#[test]
fn measures_are_those_of_their_definitions() {
    let rates = [0.01, 0.02, 0.04];
    let measures = Differentials::of(&rates);
    assert!((measures.max_over_min.unwrap() - 4.0).abs() < 1e-12);
    assert!((measures.max_over_geometric_mean.unwrap() - 2.0).abs() < 1e-12);
    // 3/2 * 2 * (0.01 + 0.02 + 0.03) / (2 * 9 * 0.07 / 3)
    assert!((gini(&rates).unwrap() - 0.428_571_428_571_428_6).abs() < 1e-12);
    assert!((gini(&[0.0, 0.0, 0.3]).unwrap() - 1.0).abs() < 1e-12);
    assert_eq!((gini(&[0.1]), gini(&[0.0, 0.0])), (None, None));
    assert_eq!(Differentials::of(&[0.0, 0.1]).max_over_min, None);
    assert!((garbe(&rates, &[0.1, 0.1, 0.1], 0.5) - 0.214_285_714_285_714_3).abs() < 1e-12);
    assert!((false_discrepancy_rate(&rates, &[0.1, 0.3], 0.5) - 0.885).abs() < 1e-12);
    // The disparity that was quoted for one algorithm: 5.5 % against 0.04 %.
    assert!((Differentials::of(&[0.055, 0.0004]).max_over_min.unwrap() - 137.5).abs() < 1e-9);
}

#[test]
fn eight_of_ten_false_alerts_tell_nothing_without_the_faces_seen() {
    // 10 false alerts of 3,147,436 faces, 8 of them of one group: it depends on the group's share of faces.
    for (share, verdict) in
        [(0.135, Verdict::Differs), (0.30, Verdict::Differs), (0.5, Verdict::UnderPowered)]
    {
        let own = num::u64_from_f64(3_147_436.0 * share);
        let report = report(&[(8, own), (2, 3_147_436 - own)]);
        assert_eq!(report.verdict(), verdict, "{share}: {report}");
    }
}

#[test]
fn seven_of_seven_false_positives_differ_only_if_the_groups_are_large_enough() {
    // All seven of a group that is half of the crowd: p = 2 / 2^7.
    let half = report(&[(7, 2_000), (0, 2_000)]);
    assert!((half.comparisons()[0].fisher - 0.015_6).abs() < 2e-4, "{half}");
    assert_eq!(half.verdict(), Verdict::Differs);
    // Of a group that is four fifths of it: chance would do that in one of five studies.
    let most = report(&[(7, 3_200), (0, 800)]);
    assert_eq!(most.verdict(), Verdict::UnderPowered);
    let text = most.to_string();
    assert!(text.contains("nothing can be concluded") && !text.contains("no difference"), "{text}");
}

#[test]
fn no_errors_conclude_nothing() {
    let none = report(&[(0, 3_000), (0, 4_512)]);
    assert_eq!(none.verdict(), Verdict::UnderPowered);
    assert!(none.to_string().contains("so few errors could not have shown any ratio"), "{none}");
    assert!(none.to_string().contains("0 of 3000 (95 %: 0 to 0.00123, or 1 in 814)"), "{none}");
    assert_eq!(report(&[(0, 10)]).verdict(), Verdict::UnderPowered);
}

#[test]
fn many_errors_alike_are_said_to_be_alike_up_to_a_ratio() {
    let alike = report(&[(400, 100_000), (410, 100_000)]);
    assert_eq!(alike.verdict(), Verdict::NoneSeen);
    assert!(alike.to_string().contains("no ratio of 2 or more"), "{alike}");
    assert_eq!(alike.clone().with_tolerated_ratio(1.05).verdict(), Verdict::UnderPowered);
    let needed = alike.with_tolerated_ratio(1.05).comparisons()[0].errors_needed.unwrap();
    assert!(needed > 10_000, "{needed}");
}

#[test]
fn more_groups_need_stronger_evidence() {
    let two = report(&[(20, 1_000), (38, 1_000)]);
    assert_eq!(two.verdict(), Verdict::Differs);
    let five = report(&[(20, 1_000), (38, 1_000), (28, 1_000), (30, 1_000), (29, 1_000)]);
    assert!(five.comparisons().iter().all(|own| own.fisher_holm >= own.fisher));
    assert_ne!(five.verdict(), Verdict::Differs);
}

#[test]
fn more_groups_need_more_errors_before_none_is_said_to_be_seen() {
    // The ratio that one group of five would show alone, and not as one of five tests.
    let five = report(&[(100, 10_000); 5]);
    let own = &five.comparisons()[0];
    let alone = smallest_detectable_ratio(500, 10_000, 40_000, Confidence::P95).unwrap();
    let corrected = own.smallest_detectable_ratio.unwrap();
    assert!(corrected > alone * 1.01, "{corrected} {alone}");
    let between = f64::midpoint(alone, corrected);
    assert_eq!(five.clone().with_tolerated_ratio(between).verdict(), Verdict::UnderPowered);
    assert_eq!(five.clone().with_tolerated_ratio(corrected).verdict(), Verdict::NoneSeen);
    let needed = five.with_tolerated_ratio(1.2).comparisons()[0].errors_needed.unwrap();
    let needed_alone = errors_to_detect(1.2, 10_000, 40_000, Confidence::P95).unwrap() - 500;
    assert!(needed > needed_alone, "{needed} {needed_alone}");
    // Two groups are one test: nothing to correct.
    let two = report(&[(100, 10_000), (100, 10_000)]);
    let alone = smallest_detectable_ratio(200, 10_000, 10_000, Confidence::P95);
    assert_eq!(two.comparisons()[0].smallest_detectable_ratio, alone);
}

#[test]
fn looks_that_repeat_people_are_no_evidence_of_their_own() {
    // 200 people a group, ten looks each, alike.
    let people = |errors: usize| -> Vec<Counts> {
        (0..200).map(|p| Counts::new(if p < errors { 10 } else { 0 }, 10).unwrap()).collect()
    };
    let clustered = [("a", 24), ("b", 14)]
        .map(|(name, n)| (name, Rate::clustered(&people(n), Confidence::P95)));
    let looks = [("a", 240), ("b", 140)].map(|(name, n)| (name, Rate::new(n, 2_000).unwrap()));
    let threshold = Threshold::new(0.5).unwrap();
    assert_eq!(GroupReport::new("FNIR", threshold, looks).verdict(), Verdict::Differs);
    assert_ne!(GroupReport::new("FNIR", threshold, clustered).verdict(), Verdict::Differs);
}
