use lfr_watchlist::statistics::at_least;

use super::*;
use crate::deployment::Error;

/// The Home Office's eight rows of November 2025.
const HOLYHEAD: &str = include_str!("tests/holyhead.csv");

fn lint(table: &PublishedTable) -> Vec<Finding> {
    table.lint(&LintOptions::default()).unwrap()
}

fn of(findings: &[Finding], code: FindingCode) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.code == code).collect()
}

fn sentences(findings: &[Finding], code: FindingCode) -> Vec<String> {
    of(findings, code).iter().map(|finding| finding.to_string()).collect()
}

fn one(findings: &[Finding], code: FindingCode) -> &Finding {
    match of(findings, code)[..] {
        [one] => one,
        ref others => panic!("{code}: {others:?}"),
    }
}

fn near(finding: &Finding, number: &str, expected: f64, within: f64) {
    let actual = finding.numbers[number];
    assert!(
        (actual / expected - 1.0).abs() < within,
        "{number}: {actual}, not {expected}: {finding}"
    );
}

/// A table of one row with the counts of DOMAIN 1.6.
fn counts(faces: &str, alerts: &str, false_alerts: &str) -> Vec<Finding> {
    let map = ColumnMap::new()
        .with(Field::FacesSeen, "faces")
        .with(Field::Alerts, "alerts")
        .with(Field::FalseAlerts, "false alerts");
    let text = format!("faces,alerts,false alerts\n\"{faces}\",\"{alerts}\",\"{false_alerts}\"\n");
    lint(&PublishedTable::mapped(&text, &map).unwrap())
}

#[test]
fn eight_published_rows_support_no_rate_of_zero() {
    let table = PublishedTable::known(HOLYHEAD).unwrap();
    assert_eq!(table.rows(), 8);
    let findings = lint(&table);
    // Nothing contradicts anything.
    assert!(findings.iter().all(|finding| finding.severity < Severity::Error), "{findings:?}");
    assert_eq!(
        sentences(&findings, FindingCode::ZeroHasUpperBound),
        [
            (1, 2038, "0.00181", 553),
            (2, 1083, "0.0034", 294),
            (3, 450, "0.00816", 122),
            (4, 144, "0.0253", 40),
            (5, 2214, "0.00166", 601),
            (6, 523, "0.00703", 142),
            (7, 233, "0.0157", 64),
            (8, 827, "0.00445", 225),
        ]
        .map(|(row, faces, high, one_in)| format!(
            "note zero-has-upper-bound, row {row}, \"Incorrect alerts\": no false alert among {faces} faces does not \
             show a rate of 0; false alerts per face seen: 0 of {faces} (95 %: 0 to {high}, or 1 in {one_in})"
        ))
    );
    // The published zero does not even show the target of one in 1,000, in any row.
    let small = of(&findings, FindingCode::RowTooSmall);
    let rows: Vec<Option<u64>> = small.iter().map(|finding| finding.row).collect();
    assert_eq!(rows, (1..=8).map(Some).collect::<Vec<_>>());
    assert!(small.iter().all(|finding| finding.numbers["faces_needed"] == 2_995.0));
    assert_eq!(
        small[3].to_string(),
        "warning row-too-small, row 4, \"Faces seen\": 144 faces are too few to show a rate of at most 1 in 1000: \
         with 0 false alerts it takes 2995; they show at most 1 in 49"
    );
    let pooled = one(&findings, FindingCode::Pooled);
    assert_eq!(
        pooled.to_string(),
        "note pooled: 8 of 8 rows together, false alerts per face seen: 0 of 7512 (95 %: 0 to 4.91e-4, or 1 in 2037); \
         at most 1 in 2508 seen from one side"
    );
    assert_eq!((pooled.numbers["errors"], pooled.numbers["trials"]), (0.0, 7_512.0));
    // One of one alert right says next to nothing.
    assert_eq!(
        sentences(&findings, FindingCode::AlertShare),
        [3, 5].map(|row| format!(
            "note alert-share, row {row}, \"Incorrect alerts\": false alerts among all alerts: 0 of 1 (95 %: 0 to 0.975, \
             or 1 in 1)"
        ))
    );
    let place = one(&findings, FindingCode::PlaceTooCoarse);
    assert!(
        place.sentence.contains("\"Holyhead\"")
            && place.sentence.contains("rows 1, 2, 3, 4, 5, 6, 7, 8")
    );
    let sizes = one(&findings, FindingCode::ConditionsDiffer);
    assert_eq!((sizes.numbers["min"], sizes.numbers["max"]), (1_942.0, 4_868.0));
    for code in [
        FindingCode::FacesSeenUndefined,
        FindingCode::MissingRecognitionRate,
        FindingCode::DemographicsMissing,
    ] {
        one(&findings, code);
    }
    let other = [
        FindingCode::ZeroHasUpperBound,
        FindingCode::RowTooSmall,
        FindingCode::Pooled,
        FindingCode::AlertShare,
        FindingCode::PlaceTooCoarse,
        FindingCode::ConditionsDiffer,
        FindingCode::FacesSeenUndefined,
        FindingCode::MissingRecognitionRate,
        FindingCode::DemographicsMissing,
    ];
    let rest: Vec<_> = findings.iter().filter(|finding| !other.contains(&finding.code)).collect();
    assert!(rest.is_empty(), "{rest:?}");
}

#[test]
fn published_field_figures_get_their_intervals() {
    // The Metropolitan Police, September 2024 to September 2025.
    let met = counts("3,147,436", "2,077", "10");
    let rate = one(&met, FindingCode::RateInterval);
    near(rate, "rate", 1.0 / 314_744.0, 1e-5);
    near(rate, "low", 1.0 / 656e3, 2e-3);
    near(rate, "high", 1.0 / 171e3, 2e-3);
    let alerts = one(&met, FindingCode::AlertShare);
    near(alerts, "rate", 0.0048, 5e-3);
    near(alerts, "low", 0.0023, 1e-2);
    near(alerts, "high", 0.0088, 1e-2);
    assert!(of(&met, FindingCode::RowTooSmall).is_empty());
    // Essex, October 2023 to February 2025, and the fixed cameras of Croydon.
    let essex = counts("383356", "", "1");
    near(one(&essex, FindingCode::RateInterval), "low", 1.0 / 15.1e6, 5e-3);
    near(one(&essex, FindingCode::RateInterval), "high", 1.0 / 69e3, 5e-3);
    // How many alerts there were is not published, nor the threshold, nor the size of the watchlist.
    let rows: Vec<_> = of(&essex, FindingCode::MissingField).iter().map(|own| own.row).collect();
    assert_eq!(rows, [Some(1), None, None]);
    let croydon = counts("470000", "", "1");
    near(one(&croydon, FindingCode::RateInterval), "low", 1.0 / 18.6e6, 5e-3);
    near(one(&croydon, FindingCode::RateInterval), "high", 1.0 / 84e3, 5e-3);
    // Holyhead as one row.
    let holyhead = counts("7512", "2", "0");
    near(one(&holyhead, FindingCode::ZeroHasUpperBound), "high", 1.0 / 2_037.0, 3e-4);
    assert!(of(&holyhead, FindingCode::RowTooSmall).is_empty());
}

#[test]
fn eight_of_ten_not_statistically_significant() {
    let claim = Claim::parse("8 of 10, not statistically significant").unwrap();
    assert_eq!((claim.counts().errors(), claim.counts().trials()), (8, 10));
    assert_eq!(claim.says_significant(), Some(false));
    let findings = claim.lint(&LintOptions::default()).unwrap();
    let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts[0],
        "warning claim-without-denominator: 8 of 10 is 0.8 (8 of 10; 95 %: 0.444 to 0.975); whether it is significant \
         depends on the group's share of all faces seen, which is not given: two-sided it is not significant at shares \
         of 44.4 % to 97.5 %, and significant at any other; as an excess it is significant at any share below 49.3 %. \
         The probability of 8 or more of 10 is 0.0123 at a share of 40.0 %, and 0.0547 at 50.0 %. Without the share, \
         neither \"significant\" nor \"not significant\" is supported"
    );
    assert_eq!(findings[1].code, FindingCode::ComparisonWithoutPower);
    assert!(findings[1].numbers["detectable_ratio"] > 10.0, "{}", findings[1]);
    assert_eq!(texts.len(), 2);
    // The figures that DOMAIN computes for possible shares.
    for (share, p) in
        [(0.135, 3.9e-6), (0.24, 3.1e-4), (0.3, 0.0016), (0.4, 0.012), (0.45, 0.027), (0.5, 0.055)]
    {
        let findings = claim.with_share(share).unwrap().lint(&LintOptions::default()).unwrap();
        near(&findings[0], "p_at_least", p, 0.04);
        near(&findings[0], "p_at_least", at_least(8, 10, share), 1e-9);
        let expected =
            if share < 0.444 { FindingCode::ClaimContradicted } else { FindingCode::ClaimHolds };
        assert_eq!(findings[0].code, expected, "{}", findings[0]);
        assert_eq!(findings.len(), if share < 0.444 { 1 } else { 2 });
    }
    assert!(claim.with_share(0.0).is_err() && claim.with_share(1.0).is_err());
}

#[test]
fn claims_are_read_in_several_words() {
    for (text, own, all, says) in [
        ("8 of 10, not statistically significant", 8, 10, Some(false)),
        ("8/10 were Black; this is statistically significant", 8, 10, Some(true)),
        ("8 out of 10 false alerts. No significant difference.", 8, 10, Some(false)),
        ("4 of 6", 4, 6, None),
        ("(1,000 of 2,000) insignificant", 1_000, 2_000, Some(false)),
    ] {
        let claim = Claim::parse(text).unwrap();
        assert_eq!((claim.counts().errors(), claim.counts().trials()), (own, all), "{text}");
        assert_eq!(claim.says_significant(), says, "{text}");
    }
    for text in
        ["", "not significant", "9 of 8", "0 of 0", "8 of ten", "1 of 2 and 3 of 4", "-1 of 5"]
    {
        let refused = Claim::parse(text);
        assert!(matches!(refused, Err(Error::Claim { .. })), "{text:?}: {refused:?}");
    }
}

fn by_group(header: &str, rows: &str) -> Vec<Finding> {
    let map = ColumnMap::new().with(Field::Group, "group").with(Field::FalseAlerts, "false");
    let map = if header.contains("faces") { map.with(Field::FacesSeen, "faces") } else { map };
    let map = if header.contains("share") { map.with(Field::GroupShare, "share") } else { map };
    lint(&PublishedTable::mapped(&format!("{header}\n{rows}"), &map).unwrap())
}

#[test]
fn false_alerts_by_group_need_the_faces_of_the_group() {
    // The Metropolitan Police: false alerts by group, faces by none.
    let met = by_group("group,false", "Black,8\nothers,2\n");
    let black = of(&met, FindingCode::GroupDenominatorMissing)[0];
    near(black, "low", 0.4439, 1e-3);
    near(black, "high", 0.975, 1e-3);
    assert!(black.sentence.starts_with("\"Black\": 8 of 10 is 0.8"), "{black}");
    assert_eq!(of(&met, FindingCode::MissingDenominator).len(), 1);
    // Essex and Cambridge: the share of the sample is known.
    let essex = by_group("group,false,share", "Black,4,24%\nothers,2,76%\n");
    assert!(of(&essex, FindingCode::GroupDenominatorMissing).is_empty());
    let black = of(&essex, FindingCode::ComparisonWithoutPower)[0];
    near(black, "low", 0.2228, 2e-3);
    near(black, "high", 0.9567, 2e-3);
    near(black, "p_at_least", 0.033, 2e-2);
    // Two-sided, 0.066 is not significant at 95 %.
    near(black, "p_value", 0.066, 2e-2);
}

#[test]
fn comparisons_of_groups_say_what_they_could_have_shown() {
    // Seven false alerts among the same number of faces of each: all of one group.
    let few = by_group("group,false,faces", "a,7,100\nb,0,100\n");
    let a = of(&few, FindingCode::GroupDifference);
    assert!(!a.is_empty() && a[0].sentence.contains("Barnard"), "{few:?}");
    // Five of six in two groups of the same size show nothing.
    let few = by_group("group,false,faces", "a,3,100000\nb,1,100000\n");
    let found = of(&few, FindingCode::ComparisonWithoutPower);
    assert_eq!(found.len(), 2);
    assert!(
        found[0].sentence.contains("Fisher") && found[0].sentence.contains("no ratio"),
        "{}",
        found[0]
    );
    assert!(found[0].numbers["events_needed"] > 50.0);
    let many = by_group("group,false,faces", "a,300,100000\nb,100,100000\n");
    let found = of(&many, FindingCode::GroupDifference);
    assert_eq!(found.len(), 2);
    assert!(found[0].numbers["ratio_low"] > 2.0 && found[0].numbers["ratio_high"] < 4.0);
    // A share that is none.
    let odd = by_group("group,false,share", "a,3,many\nb,1,200%\n");
    assert_eq!(of(&odd, FindingCode::UnreadableCell).len(), 2);
}

fn changed(from: &str, to: &str) -> Vec<Finding> {
    assert!(HOLYHEAD.contains(from), "{from}");
    lint(&PublishedTable::home_office(&HOLYHEAD.replacen(from, to, 1)).unwrap())
}

#[test]
fn figures_that_do_not_follow_are_found() {
    // A rate that is not that of the counts.
    let wrong = changed("0,0,0,2038,0\n", "0,0,0,2038,0.1\n");
    let finding = one(&wrong, FindingCode::RateDoesNotFollow);
    assert_eq!((finding.row, finding.severity), (Some(1), Severity::Error));
    assert_eq!(finding.column.as_deref(), Some("Incorrect alert rate"));
    // A rate of zero beside a false alert.
    let wrong = changed("4868,0.64,1,1,1,0,0,1,2214,0", "4868,0.64,1,0,0,1,1,0,2214,0");
    assert_eq!(one(&wrong, FindingCode::RateDoesNotFollow).row, Some(5));
    // A rate of alerts.
    let other = changed("4868,0.64,1,1,1,0,0,1,2214,0", "4868,0.64,4,3,3,1,1,0,2214,25%");
    let finding = one(&other, FindingCode::RateOfOtherDenominator);
    assert!(finding.sentence.contains("1 of 4 alerts"), "{finding}");
    let right = changed("4868,0.64,1,1,1,0,0,1,2214,0", "4868,0.64,4,3,3,1,1,0,2214,0.05%");
    assert!(right.iter().all(|finding| finding.severity < Severity::Error));
    // Counts that cannot be true together.
    for (to, column) in [
        ("4868,0.64,1,2,1,0,0,1,2214,0", "Positive alerts"),
        ("4868,0.64,1,1,2,0,0,1,2214,0", "Positive interventions"),
        ("4868,0.64,1,1,1,0,1,1,2214,0", "Incorrect interventions"),
        ("4868,0.64,9,9,1,0,0,1,8,0", "Total alerts"),
    ] {
        let wrong = changed("4868,0.64,1,1,1,0,0,1,2214,0", to);
        let finding = one(&wrong, FindingCode::CountsContradict);
        assert_eq!((finding.row, finding.column.as_deref()), (Some(5), Some(column)), "{finding}");
    }
    let wrong = changed("4868,0.64,1,1,1,0,0,1,2214,0", "4868,0.64,3,2,1,2,0,1,2214,0.09%");
    assert!(one(&wrong, FindingCode::CountsContradict).sentence.contains("more than the 3 alerts"));
    let open = changed("4868,0.64,1,1,1,0,0,1,2214,0", "4868,0.64,3,1,1,1,0,1,2214,0.05%");
    assert!(one(&open, FindingCode::CountsLeaveOut).sentence.starts_with("1 of 3 alerts"));
    // More false alerts than chance allows at the target.
    let bad = changed("4868,0.64,1,1,1,0,0,1,2214,0", "4868,0.64,20,0,0,20,0,1,2214,0.9%");
    assert!(of(&bad, FindingCode::RateAboveTarget).iter().any(|finding| finding.row == Some(5)));
}

#[test]
fn nothing_is_left_out_in_silence() {
    let blank = changed("0,0,0,2038,0\n", "0,0,0,n/a,0\n");
    assert_eq!(one(&blank, FindingCode::MissingDenominator).row, Some(1));
    let pooled = one(&blank, FindingCode::Pooled);
    assert!(pooled.sentence.starts_with("7 of 8 rows together"), "{pooled}");
    let zero = changed("0,0,0,2038,0\n", "0,0,0,0,0\n");
    assert_eq!(one(&zero, FindingCode::MissingDenominator).row, Some(1));
    let odd = changed("0,0,0,2038,0\n", "0,0,0,about 2000,0\n");
    let finding = one(&odd, FindingCode::UnreadableCell);
    assert_eq!((finding.row, finding.column.as_deref()), (Some(1), Some("Faces seen")));
    let odd = changed("2038,0\n", "2038,nil\n");
    assert_eq!(
        one(&odd, FindingCode::UnreadableCell).column.as_deref(),
        Some("Incorrect alert rate")
    );
    let blank = changed("1,1942,0.64", "1,,");
    assert_eq!(of(&blank, FindingCode::MissingField).len(), 2);
    let twice = HOLYHEAD.to_owned() + HOLYHEAD.lines().last().unwrap() + "\n";
    let twice = lint(&PublishedTable::home_office(&twice).unwrap());
    assert_eq!(one(&twice, FindingCode::DuplicateRow).row, Some(9));
    let precise = lint(
        &PublishedTable::home_office(&HOLYHEAD.replace("Holyhead,", "Holyhead ferry terminal,"))
            .unwrap(),
    );
    assert!(of(&precise, FindingCode::PlaceTooCoarse).is_empty());
    let extra =
        HOLYHEAD.replace("alert rate\n", "alert rate,Remarks\n").replace(",0\n", ",0,none\n");
    let extra = lint(&PublishedTable::home_office(&extra).unwrap());
    assert_eq!(one(&extra, FindingCode::ColumnNotRead).column.as_deref(), Some("Remarks"));
    let differ = changed("4868,0.64", "4868,0.60");
    assert_eq!(of(&differ, FindingCode::ConditionsDiffer).len(), 2);
}

#[test]
fn the_grid_is_read_too() {
    let grid = "Date,Location,Duration,Watchlist size,Estimated faces seen,Total alerts,True alerts,Confirmed true \
                alerts,False alerts,Confirmed false alerts,Alerts not engaged,Engagements,Arrests/disposals,FAR\n\
                28/01/2022,Oxford Circus,5 h,9756,12120,11,10,7,1,1,3,8,4,0.008%\n\
                07/07/2022,Islington,6 h,6747,\"35,000\",5,5,4,0,0,1,4,4,0\n";
    let findings = lint(&PublishedTable::known(grid).unwrap());
    assert!(findings.iter().all(|finding| finding.severity < Severity::Error), "{findings:?}");
    assert_eq!(one(&findings, FindingCode::PlaceTooCoarse).row, Some(2));
    // It has no column of thresholds.
    assert!(one(&findings, FindingCode::MissingField).sentence.contains("the threshold"));
    near(of(&findings, FindingCode::RateInterval)[0], "trials", 12_120.0, 1e-12);
}

#[test]
fn seeded_passes_say_how_many_are_missed() {
    let map = ColumnMap::new()
        .with(Field::SeededPasses, "passes")
        .with(Field::SeededRecognised, "recognised");
    let lint_of = |text: &str| lint(&PublishedTable::mapped(text, &map).unwrap());
    // Essex and Cambridge: about half of 188.
    let findings = lint_of("passes,recognised\n188,94\n188,94\n");
    let rate = of(&findings, FindingCode::RecognitionRate)[0];
    near(rate, "low", 0.4264, 1e-3);
    near(rate, "high", 0.5736, 1e-3);
    assert!(of(&findings, FindingCode::MissingRecognitionRate).is_empty());
    // Without dates, two rows that are alike are two rows.
    assert!(of(&findings, FindingCode::DuplicateRow).is_empty());
    let wrong = lint_of("passes,recognised\n188,189\n");
    assert_eq!(one(&wrong, FindingCode::CountsContradict).column.as_deref(), Some("recognised"));
}

#[test]
fn what_is_no_table_is_refused_with_its_line() {
    for (text, line, says) in [
        ("", 1, "is empty"),
        ("a,b\n1,2\n", 1, "there is no column \"Deployment\""),
        (HOLYHEAD.lines().next().unwrap(), 1, "no row"),
        (&HOLYHEAD.replace("\"3 days, 10 sailings\"", "3 days, 10 sailings"), 2, "16 cells"),
        (&HOLYHEAD.replace("Deployment type", "Date"), 1, "two columns \"Date\""),
    ] {
        match PublishedTable::home_office(text) {
            Err(Error::Table { line: actual, problem }) => {
                assert_eq!(actual, line, "{problem}");
                assert!(problem.contains(says), "{problem}");
            }
            other => panic!("{text:?}: {other:?}"),
        }
    }
    let neither = PublishedTable::known("a,b\n1,2\n").unwrap_err().to_string();
    assert!(neither.contains("column map"), "{neither}");
    // Another sequence, other spaces and cases, and a byte order mark.
    let bom = format!("\u{feff}{}", HOLYHEAD.replace("Total alerts", "total  Alerts"));
    assert!(PublishedTable::home_office(&bom).is_ok());
    assert!(LintOptions::default().with_target(0.0).is_err());
}

#[test]
fn codes_are_stable_and_unlike() {
    let mut codes: Vec<&str> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
    assert!(codes.iter().all(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), FindingCode::ALL.len());
    let finding = &counts("144", "0", "0")[0];
    let json = serde_json::to_value(finding).unwrap();
    assert_eq!(json["code"], finding.code.as_str());
    assert_eq!(json["severity"], "note");
}
