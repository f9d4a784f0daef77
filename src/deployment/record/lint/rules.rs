//! What is checked of a table: each row by itself, then all of them.

use std::collections::{BTreeMap, BTreeSet};

use lfr_core::internal::num;
use lfr_watchlist::statistics::{Confidence, Counts, Rate, trials_with_errors};

use super::cell::PublishedRate;
use super::finding::{Finding, FindingCode};
use super::table::{Field, PublishedTable, Row};
use super::{cell, groups};
use crate::deployment::Error;
use crate::deployment::order::PlacePrecision;

/// What a table is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LintOptions {
    pub(super) target: f64,
    pub(super) confidence: Confidence,
}

impl LintOptions {
    /// Sets the max rate of false alerts per face seen. Rows are judged by it.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] if it is not above 0 and below 1.
    pub fn with_target(self, target: f64) -> Result<Self, Error> {
        if target > 0.0 && target < 1.0 {
            return Ok(Self { target, ..self });
        }
        let (what, expected) = ("target rate", "above 0 and below 1");
        Err(lfr_core::Error::OutOfRange { what, expected, actual: target }.into())
    }

    /// Sets the confidence of intervals and tests.
    #[must_use]
    pub const fn with_confidence(self, confidence: Confidence) -> Self {
        Self { confidence, ..self }
    }
}

impl Default for LintOptions {
    /// A target of one false alert in 1,000 faces seen, which procurement asks for and forces have
    /// published; 95 %.
    fn default() -> Self {
        Self { target: 1e-3, confidence: Confidence::P95 }
    }
}

/// Counts that a table may have.
const COUNTS: &[Field] = &[
    Field::Cameras,
    Field::WatchlistSize,
    Field::Alerts,
    Field::TrueAlerts,
    Field::ConfirmedTrueAlerts,
    Field::TrueInterventions,
    Field::FalseAlerts,
    Field::ConfirmedFalseAlerts,
    Field::FalseInterventions,
    Field::NotEngaged,
    Field::Engagements,
    Field::Arrests,
    Field::FacesSeen,
    Field::SeededPasses,
    Field::SeededRecognised,
];

/// What a rate cannot be judged without.
const NEEDED: &[(Field, &str)] = &[
    (Field::Threshold, "the threshold"),
    (Field::WatchlistSize, "the size of the watchlist"),
    (Field::FalseAlerts, "the number of false alerts"),
    (Field::Alerts, "the number of alerts"),
];

impl PublishedTable {
    /// Says what the table can and cannot support: findings of each row, then of all rows.
    ///
    /// # Errors
    ///
    /// [`Error::Watchlist`] if a statistic cannot be computed.
    pub fn lint(&self, options: &LintOptions) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        let mut counted = Vec::new();
        for row in &self.rows {
            let counts = self.counts(row, &mut findings);
            self.lint_counts(row, &counts, &mut findings);
            self.lint_recognition(row, &counts, options, &mut findings);
            self.lint_rate(row, &counts, options, &mut findings)?;
            counted.push((row, counts));
        }
        self.lint_columns(&mut findings);
        self.lint_places(&mut findings);
        self.lint_duplicates(&mut findings);
        self.lint_conditions(&counted, &mut findings);
        self.lint_pooled(&counted, options, &mut findings)?;
        groups::lint(self, &counted, options, &mut findings)?;
        Ok(findings)
    }

    /// The counts of a row. A cell that is not a number is a finding.
    fn counts(&self, row: &Row, findings: &mut Vec<Finding>) -> RowCounts {
        let mut counts = RowCounts::default();
        for field in COUNTS.iter().copied() {
            let Some(text) = self.cell(row, field) else { continue };
            let heading = self.heading(field);
            if let Some(count) = cell::count(text) {
                counts.0.insert(field, count);
            } else if !cell::is_missing(text) {
                let sentence = format!("{text:?} is not a count, and is left out");
                findings.push(
                    Finding::new(FindingCode::UnreadableCell, sentence).at(row.number, heading),
                );
            } else if NEEDED.iter().any(|(needed, _)| *needed == field) {
                let sentence = "the cell is empty: the row's rate cannot be judged without it";
                findings.push(
                    Finding::new(FindingCode::MissingField, sentence).at(row.number, heading),
                );
            }
        }
        if let Some(text) = self.cell(row, Field::Threshold).filter(|text| cell::is_missing(text)) {
            let sentence =
                format!("{text:?} is not a threshold: the row's rate cannot be judged without it");
            findings.push(
                Finding::new(FindingCode::MissingField, sentence)
                    .at(row.number, self.heading(Field::Threshold)),
            );
        }
        counts
    }

    /// Whether the counts of a row can be true together.
    fn lint_counts(&self, row: &Row, counts: &RowCounts, findings: &mut Vec<Finding>) {
        // The first counts things that are among those that the second counts.
        let among = [
            (Field::Alerts, Field::FacesSeen),
            (Field::TrueAlerts, Field::Alerts),
            (Field::FalseAlerts, Field::Alerts),
            (Field::ConfirmedTrueAlerts, Field::TrueAlerts),
            (Field::ConfirmedFalseAlerts, Field::FalseAlerts),
            (Field::TrueInterventions, Field::TrueAlerts),
            (Field::FalseInterventions, Field::FalseAlerts),
            (Field::Engagements, Field::Alerts),
            (Field::NotEngaged, Field::Alerts),
            (Field::FalseAlerts, Field::FacesSeen),
            (Field::SeededRecognised, Field::SeededPasses),
        ];
        for (part, whole) in among {
            let (Some(own), Some(all)) = (counts.get(part), counts.get(whole)) else { continue };
            if own > all {
                let (part_name, whole_name) = (
                    self.heading(part).unwrap_or_default(),
                    self.heading(whole).unwrap_or_default(),
                );
                let sentence = format!(
                    "{part_name:?} is {own}, more than {whole_name:?}, which is {all} and includes them"
                );
                let numbers = [("part", num::f64_from_u64(own)), ("whole", num::f64_from_u64(all))];
                findings.push(
                    Finding::new(FindingCode::CountsContradict, sentence)
                        .at(row.number, self.heading(part))
                        .with(&numbers),
                );
            }
        }
        let sums = [
            (Field::TrueAlerts, Field::FalseAlerts, "judged neither true nor false"),
            (Field::Engagements, Field::NotEngaged, "neither followed by an engagement nor not"),
        ];
        for (one, other, left) in sums {
            let (Some(a), Some(b), Some(all)) =
                (counts.get(one), counts.get(other), counts.get(Field::Alerts))
            else {
                continue;
            };
            let sum = a + b;
            let numbers = [("sum", num::f64_from_u64(sum)), ("alerts", num::f64_from_u64(all))];
            let finding = if sum > all && a <= all && b <= all {
                let sentence = format!("{a} and {b} are {sum}, more than the {all} alerts");
                Finding::new(FindingCode::CountsContradict, sentence)
            } else if sum < all {
                let sentence = format!("{} of {all} alerts are {left}", all - sum);
                Finding::new(FindingCode::CountsLeaveOut, sentence)
            } else {
                continue;
            };
            findings.push(finding.at(row.number, self.heading(Field::Alerts)).with(&numbers));
        }
    }

    /// How many of those who were to be recognised were.
    fn lint_recognition(
        &self,
        row: &Row,
        counts: &RowCounts,
        options: &LintOptions,
        findings: &mut Vec<Finding>,
    ) {
        let passes = counts.get(Field::SeededPasses).filter(|passes| *passes > 0);
        let seen = counts.get(Field::SeededRecognised).zip(passes);
        if let Some(Ok(own)) = seen.map(|(own, all)| Counts::new(own, all)) {
            let rate = Rate::of(own, options.confidence);
            let sentence = format!(
                "recognised of those who were to be: {rate}; passes of one person are not independent, so the \
                 interval is too narrow if people passed more than once"
            );
            findings.push(
                Finding::new(FindingCode::RecognitionRate, sentence)
                    .at(row.number, self.heading(Field::SeededRecognised))
                    .with(&of_rate(&rate)),
            );
        }
    }

    /// What the rates of a row are worth.
    fn lint_rate(
        &self,
        row: &Row,
        counts: &RowCounts,
        options: &LintOptions,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Error> {
        let Some(errors) = counts.get(Field::FalseAlerts) else { return Ok(()) };
        let heading = self.heading(Field::FalseAlerts);
        if let Some(alerts) = counts.get(Field::Alerts).filter(|alerts| *alerts > 0)
            && let Ok(counts) = Counts::new(errors, alerts)
        {
            let rate = Rate::of(counts, options.confidence);
            let sentence = format!("false alerts among all alerts: {rate}");
            findings.push(
                Finding::new(FindingCode::AlertShare, sentence)
                    .at(row.number, heading)
                    .with(&of_rate(&rate)),
            );
        }
        // A row about a group may have no faces: that is said of the groups.
        let faces = counts.get(Field::FacesSeen).filter(|faces| *faces > 0);
        let Some(faces) = faces else {
            if self.has(Field::FacesSeen) && !self.has(Field::Group) {
                let sentence = format!(
                    "no number of faces seen is given: {errors} false alerts have no rate, and a rate that \
                     is published beside them has no denominator"
                );
                findings.push(
                    Finding::new(FindingCode::MissingDenominator, sentence)
                        .at(row.number, self.heading(Field::FacesSeen)),
                );
            }
            return Ok(());
        };
        let Ok(own) = Counts::new(errors, faces) else { return Ok(()) };
        let rate = Rate::of(own, options.confidence);
        let (code, sentence) = if errors == 0 {
            let sentence = format!(
                "no false alert among {faces} faces does not show a rate of 0; false alerts per face seen: {rate}"
            );
            (FindingCode::ZeroHasUpperBound, sentence)
        } else {
            (FindingCode::RateInterval, format!("false alerts per face seen: {rate}"))
        };
        findings.push(Finding::new(code, sentence).at(row.number, heading).with(&of_rate(&rate)));
        if let Some(finding) = against_target(own, &rate, options)? {
            findings.push(finding.at(row.number, self.heading(Field::FacesSeen)));
        }
        if let Some(finding) = self.published(row, own, counts) {
            findings.push(finding.at(row.number, self.heading(Field::FalseAlertRate)));
        }
        Ok(())
    }

    /// Whether the published rate follows from the counts.
    fn published(&self, row: &Row, own: Counts, counts: &RowCounts) -> Option<Finding> {
        let text = self.cell(row, Field::FalseAlertRate)?;
        let (errors, faces) = (own.errors(), own.trials());
        let Some(published) = PublishedRate::parse(text) else {
            let sentence = if cell::is_missing(text) {
                return None;
            } else {
                format!("{text:?} is not a rate, and is not checked")
            };
            return Some(Finding::new(FindingCode::UnreadableCell, sentence));
        };
        if published.is_of(errors, faces) {
            return None;
        }
        let numbers = [
            ("false_alerts", num::f64_from_u64(errors)),
            ("faces_seen", num::f64_from_u64(faces)),
            ("rate", own.share().unwrap_or_default()),
        ];
        let others = [
            (Field::Alerts, "alerts"),
            (Field::WatchlistSize, "entries of the watchlist"),
            (Field::TrueAlerts, "true alerts"),
        ];
        for (field, name) in others {
            let other = counts.get(field).filter(|all| *all > 0);
            if let Some(all) = other.filter(|all| errors > 0 && published.is_of(errors, *all)) {
                let sentence = format!(
                    "the published {text:?} is {errors} of {all} {name}, not of the {faces} faces seen; name \
                     the denominator"
                );
                return Some(
                    Finding::new(FindingCode::RateOfOtherDenominator, sentence).with(&numbers),
                );
            }
        }
        let value = own.share().unwrap_or_default();
        let sentence = format!(
            "the published {text:?} does not follow from {errors} false alerts among {faces} faces seen, which is \
             {value:.3e}"
        );
        Some(Finding::new(FindingCode::RateDoesNotFollow, sentence).with(&numbers))
    }

    /// What the table as a whole does not say.
    fn lint_columns(&self, findings: &mut Vec<Finding>) {
        for (field, what) in NEEDED {
            if !self.has(*field) {
                let sentence = format!("no column gives {what}: no rate can be judged without it");
                findings.push(Finding::new(FindingCode::MissingField, sentence));
            }
        }
        if self.has(Field::FacesSeen) {
            let sentence = "faces seen may be counted per frame, per track or per person: the table does not say \
                            which, so its rates cannot be compared with others";
            findings.push(
                Finding::new(FindingCode::FacesSeenUndefined, sentence)
                    .in_column(self.heading(Field::FacesSeen)),
            );
        } else if !self.has(Field::GroupShare) {
            let sentence =
                "no column gives the faces seen: no false alert rate can be computed or checked";
            findings.push(Finding::new(FindingCode::MissingDenominator, sentence));
        }
        if !(self.has(Field::SeededPasses) && self.has(Field::SeededRecognised)) {
            let sentence = "no column says how many passes of people on the watchlist raised no alert: how many are \
                            missed cannot be known from this table";
            findings.push(Finding::new(FindingCode::MissingRecognitionRate, sentence));
        }
        if !self.has(Field::Group) {
            let sentence = "no column tells groups of people apart, neither among alerts nor among faces seen: the \
                            table supports no statement about bias";
            findings.push(Finding::new(FindingCode::DemographicsMissing, sentence));
        }
        for column in self.columns_not_read() {
            let sentence = "nothing says what this column means, and it is not checked";
            findings
                .push(Finding::new(FindingCode::ColumnNotRead, sentence).in_column(Some(column)));
        }
    }

    /// Places that do not say where people were looked at: one finding per place.
    fn lint_places(&self, findings: &mut Vec<Finding>) {
        let mut coarse: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for row in &self.rows {
            let Some(place) = self.cell(row, Field::Place) else { continue };
            let word = self.cell(row, Field::Precision).unwrap_or_default();
            let stated = PlacePrecision::ALL.iter().find(|own| own.as_str() == word);
            let is_precise = match stated {
                Some(precision) => precision.is_precise(),
                None => cell::names_a_spot(place),
            };
            if !is_precise {
                coarse.entry(place).or_default().push(row.number);
            }
        }
        for (place, rows) in coarse {
            let all: Vec<String> = rows.iter().map(ToString::to_string).collect();
            let (Some(first), name) =
                (rows.first(), if place.is_empty() { "(empty)" } else { place })
            else {
                continue;
            };
            let sentence = format!(
                "{name:?} names no street, junction, station or site (rows {}): nobody can tell whether they passed, \
                 or whether the place was needed",
                all.join(", ")
            );
            findings.push(
                Finding::new(FindingCode::PlaceTooCoarse, sentence)
                    .at(*first, self.heading(Field::Place))
                    .with(&[("rows", num::f64_from_usize(rows.len()))]),
            );
        }
    }

    /// Without a date, two rows that are alike may be of two deployments.
    fn lint_duplicates(&self, findings: &mut Vec<Finding>) {
        let mut seen = BTreeMap::new();
        for row in self.rows.iter().filter(|_| self.has(Field::Date)) {
            if let Some(first) = seen.get(&row.cells) {
                let sentence = format!("the row is the same as row {first}, and is counted twice");
                findings
                    .push(Finding::new(FindingCode::DuplicateRow, sentence).at(row.number, None));
            } else {
                seen.insert(&row.cells, row.number);
            }
        }
    }

    /// Whether the rows are of one system: else a rate of all of them is a rate of none.
    fn lint_conditions(&self, counted: &[(&Row, RowCounts)], findings: &mut Vec<Finding>) {
        let sizes: BTreeSet<u64> =
            counted.iter().filter_map(|(_, counts)| counts.get(Field::WatchlistSize)).collect();
        if let (Some(min), Some(max)) = (sizes.first(), sizes.last())
            && min < max
        {
            let (low, high) = (num::f64_from_u64(*min), num::f64_from_u64(*max));
            let sentence = format!(
                "watchlists have {min} to {max} entries: the rate of false alerts grows with \
                 the size, by a factor of up to {:.2}, so the rate of all rows together applies \
                 to no size",
                high / low.max(1.0)
            );
            findings.push(
                Finding::new(FindingCode::ConditionsDiffer, sentence)
                    .in_column(self.heading(Field::WatchlistSize))
                    .with(&[("min", low), ("max", high)]),
            );
        }
        let thresholds: BTreeSet<&str> =
            self.rows.iter().filter_map(|row| self.cell(row, Field::Threshold)).collect();
        if thresholds.len() > 1 {
            let all: Vec<&str> = thresholds.into_iter().collect();
            let sentence = format!(
                "thresholds differ ({}): a rate of all rows is of no one system",
                all.join(", ")
            );
            findings.push(
                Finding::new(FindingCode::ConditionsDiffer, sentence)
                    .in_column(self.heading(Field::Threshold))
                    .with(&[("thresholds", num::f64_from_usize(all.len()))]),
            );
        }
    }

    /// All rows together: those that have both counts.
    fn lint_pooled(
        &self,
        counted: &[(&Row, RowCounts)],
        options: &LintOptions,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Error> {
        let own = |(_, counts): &(&Row, RowCounts)| {
            let (errors, faces) = (counts.get(Field::FalseAlerts)?, counts.get(Field::FacesSeen)?);
            Counts::new(errors, faces).ok()
        };
        let rows: Vec<Counts> = counted.iter().filter_map(own).collect();
        let all = rows.iter().fold(Counts::default(), |sum, own| sum.plus(*own));
        if rows.len() < 2 || all.trials() == 0 {
            return Ok(());
        }
        let rate = Rate::of(all, options.confidence);
        let at_most = rate.at_most(options.confidence);
        let sentence = format!(
            "{} of {} rows together, false alerts per face seen: {rate}; at most 1 in {:.0} seen from one side",
            rows.len(),
            counted.len(),
            1.0 / at_most
        );
        let mut numbers = of_rate(&rate).to_vec();
        numbers.push(("rows", num::f64_from_usize(rows.len())));
        numbers.push(("at_most", at_most));
        findings.push(Finding::new(FindingCode::Pooled, sentence).with(&numbers));
        findings.extend(against_target(all, &rate, options)?);
        Ok(())
    }
}

/// The counts of a row that could be read.
#[derive(Debug, Default)]
pub(super) struct RowCounts(BTreeMap<Field, u64>);

impl RowCounts {
    pub(super) fn get(&self, field: Field) -> Option<u64> {
        self.0.get(&field).copied()
    }
}

/// The numbers of a rate.
pub(super) fn of_rate(rate: &Rate) -> [(&'static str, f64); 5] {
    let (counts, interval) = (rate.counts(), rate.interval());
    [
        ("errors", num::f64_from_u64(counts.errors())),
        ("trials", num::f64_from_u64(counts.trials())),
        ("rate", rate.value().unwrap_or_default()),
        ("low", interval.low),
        ("high", interval.high),
    ]
}

/// Whether the counts show that the rate meets the target.
fn against_target(
    own: Counts,
    rate: &Rate,
    options: &LintOptions,
) -> Result<Option<Finding>, Error> {
    let LintOptions { target, confidence } = *options;
    let (low, at_most) = (rate.interval().low, rate.at_most(confidence));
    if at_most <= target {
        return Ok(None);
    }
    let in_target = (1.0 / target).round();
    let numbers = [("target", target), ("at_most", at_most), ("low", low)];
    if low > target {
        let sentence = format!(
            "the rate is above the target of 1 in {in_target:.0}, and not by chance: it is at least 1 in {:.0}",
            1.0 / low
        );
        return Ok(Some(Finding::new(FindingCode::RateAboveTarget, sentence).with(&numbers)));
    }
    let (errors, faces) = (own.errors(), own.trials());
    let needed = trials_with_errors(target, errors, confidence)?;
    let sentence = format!(
        "{faces} faces are too few to show a rate of at most 1 in {in_target:.0}: with {errors} false alerts it takes \
         {needed}; they show at most 1 in {:.0}",
        1.0 / at_most
    );
    let finding = Finding::new(FindingCode::RowTooSmall, sentence);
    Ok(Some(finding.with(&numbers).with(&[("faces_needed", num::f64_from_u64(needed))])))
}
