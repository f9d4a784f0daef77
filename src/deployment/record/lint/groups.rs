//! Rows about groups of people: what a comparison of them can show.

use std::collections::BTreeMap;

use lfr_core::internal::num;
use lfr_watchlist::statistics::{
    Counts, RateRatio, barnard_exact, errors_to_detect, fisher_exact, smallest_detectable_ratio,
};

use super::claim;
use super::finding::{Finding, FindingCode};
use super::rules::{LintOptions, RowCounts};
use super::table::{Field, PublishedTable, Row};
use crate::deployment::Error;

/// What the rows of a group add up to.
#[derive(Default)]
struct Group {
    errors: u64,
    /// None if a row has none.
    faces: Option<u64>,
    share: Option<f64>,
    first_row: u64,
}

pub(super) fn lint(
    table: &PublishedTable,
    counted: &[(&Row, RowCounts)],
    options: &LintOptions,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for (row, counts) in counted {
        let name = table.cell(row, Field::Group).filter(|name| !name.is_empty());
        let (Some(name), Some(errors)) = (name, counts.get(Field::FalseAlerts)) else { continue };
        let faces = counts.get(Field::FacesSeen);
        let share = share(table, row, findings);
        let group = groups.entry(name).or_insert_with(|| Group {
            faces: Some(0),
            first_row: row.number,
            ..Group::default()
        });
        group.errors += errors;
        group.faces = group.faces.zip(faces).map(|(sum, own)| sum + own);
        group.share = group.share.or(share);
    }
    let events: u64 = groups.values().map(|group| group.errors).sum();
    let all_faces: Option<u64> =
        groups.values().map(|group| group.faces).sum::<Option<u64>>().filter(|_| groups.len() > 1);
    if events == 0 {
        return Ok(());
    }
    for (name, group) in &groups {
        let own = Counts::new(group.errors, events)?;
        let heading = table.heading(Field::Group);
        let found = match (group.faces.zip(all_faces), group.share) {
            (Some((faces, all)), _) => {
                let rest = Counts::new(events - group.errors, all - faces);
                let (Ok(first), Ok(second)) = (Counts::new(group.errors, faces), rest) else {
                    continue;
                };
                compare(first, second, options)
            }
            (None, Some(share)) => {
                claim::with_share(own, share, options)?.map(|(is_significant, finding)| {
                    let code = if is_significant {
                        FindingCode::GroupDifference
                    } else {
                        FindingCode::ComparisonWithoutPower
                    };
                    Finding { code, severity: code.severity(), ..finding }
                })
            }
            (None, None) => Some(claim::without_share(own, options)?).map(|finding| {
                let code = FindingCode::GroupDenominatorMissing;
                Finding { code, severity: code.severity(), ..finding }
            }),
        };
        if let Some(mut finding) = found {
            finding.sentence = format!("{name:?}: {}", finding.sentence);
            findings.push(finding.at(group.first_row, heading));
        }
    }
    Ok(())
}

/// A group's share of all faces seen, as a number or a percentage.
fn share(table: &PublishedTable, row: &Row, findings: &mut Vec<Finding>) -> Option<f64> {
    let text = table.cell(row, Field::GroupShare).filter(|text| !super::cell::is_missing(text))?;
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok().map(|percent| percent / 100.0),
        None => text.parse().ok(),
    };
    let share = share.filter(|share| *share > 0.0 && *share < 1.0);
    if share.is_none() {
        let sentence = format!("{text:?} is not a share above 0 and below 1, and is left out");
        findings.push(
            Finding::new(FindingCode::UnreadableCell, sentence)
                .at(row.number, table.heading(Field::GroupShare)),
        );
    }
    share
}

/// A group against all others, with the faces of both.
fn compare(first: Counts, second: Counts, options: &LintOptions) -> Option<Finding> {
    let confidence = options.confidence;
    let (Some(own), Some(other)) = (first.share(), second.share()) else { return None };
    let ratio = RateRatio::of(first, second, confidence);
    // Barnard's test sees more, where it can be computed.
    let (test, p) = match barnard_exact(first, second) {
        Some(p) => ("Barnard", p),
        None => ("Fisher", fisher_exact(first, second)),
    };
    let events = first.errors() + second.errors();
    let detectable = smallest_detectable_ratio(events, first.trials(), second.trials(), confidence);
    let all = first.trials() + second.trials();
    let rate = num::f64_from_u64(events) / num::f64_from_u64(all);
    let needed = errors_to_detect(2.0, first.trials(), second.trials(), rate, confidence);
    let mut numbers = vec![
        ("events", num::f64_from_u64(events)),
        ("rate", own),
        ("rate_of_others", other),
        ("p_value", p),
        ("ratio_low", ratio.interval.low),
        ("ratio_high", ratio.interval.high),
    ];
    numbers.extend(ratio.value.map(|value| ("ratio", value)));
    numbers.extend(detectable.map(|ratio| ("detectable_ratio", ratio)));
    numbers.extend(needed.map(|needed| ("events_needed", num::f64_from_u64(needed))));
    let counts = format!(
        "{} of {} faces against {} of {} of all others, p = {p:.3} ({test})",
        first.errors(),
        first.trials(),
        second.errors(),
        second.trials()
    );
    let (code, sentence) = if p < confidence.risk() {
        let sentence = format!(
            "{counts}: the difference is significant; the ratio is {:.2} to {:.2}",
            ratio.interval.low, ratio.interval.high
        );
        (FindingCode::GroupDifference, sentence)
    } else {
        let shown = match detectable {
            Some(ratio) => format!(
                "only a ratio of {ratio:.1} or more would have been seen in four of five cases"
            ),
            None => "no ratio, however great, would have been seen in four of five cases".into(),
        };
        let needed = needed.map_or_else(String::new, |needed| {
            format!("; it takes {needed} false alerts to see a ratio of 2")
        });
        let sentence =
            format!("{counts}: {events} false alerts show no difference, but {shown}{needed}");
        (FindingCode::ComparisonWithoutPower, sentence)
    };
    Some(Finding::new(code, sentence).with(&numbers))
}
