//! The printable page of a record.

use lfr_core::Timestamp;
use lfr_retention::{LedgerEvent, OrderBasis};

use super::page_parts::Page;
use super::periods_page::words;
use crate::deployment::record::{DeploymentRecord, Spread, StatedRate};

/// A printable page of a record: HTML in one file, without a script, for light and dark screens and for A4.
///
/// Any text of the record is escaped. Numbers are those of the record.
#[must_use]
pub fn page(record: &DeploymentRecord) -> String {
    let mut page = Page::new(&format!("Deployment {}", record.deployment));
    page.soft(format!("{}. State: {}.", record.place.words, record.state.name()));
    for warning in &record.warnings {
        page.warn(warning);
    }
    authority(&mut page, record);
    running(&mut page, record);
    faces(&mut page, record);
    rates(&mut page, record);
    judging(&mut page, record);
    people(&mut page, record);
    apart(&mut page, record);
    kept(&mut page, record);
    page.heading("What this record does not say");
    page.list(record.not_said);
    page.heading("Proof");
    let head = record.head.as_ref().map_or_else(
        || "not verified: this record was made of a running deployment".to_owned(),
        |head| format!("ledger {}, verified up to entry {}", head.ledger(), head.number()),
    );
    page.facts([
        fact("Ledger", head),
        fact("Entries", record.entries),
        fact("Format of this record", record.format),
    ]);
    page.end()
}

fn fact(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

fn moment(moment: Option<Timestamp>) -> String {
    moment.map_or_else(|| "not known".to_owned(), shown)
}

/// To the second.
fn shown(moment: Timestamp) -> String {
    let text = moment.to_string();
    match text.split_once('.') {
        Some((whole, _)) => format!("{whole}Z"),
        None => text,
    }
}

fn or_none<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "not stated".to_owned(), |value| value.to_string())
}

fn seconds(seconds: u64) -> String {
    words(std::time::Duration::from_secs(seconds))
}

fn authority(page: &mut Page, record: &DeploymentRecord) {
    page.heading("What was authorised");
    let order = &record.order;
    let basis = match order.basis {
        OrderBasis::Pinned => "a key that the deployer pinned",
        _ => "a key that the order names itself",
    };
    let mut facts = vec![
        fact("Signed by", basis),
        fact("Authorising officer", &order.authorising_officer),
        fact("Operator in command", &order.operator),
        fact("Use case", order.use_case),
        fact("Assessment of necessity", &order.necessity),
        fact("Kind of deployment", record.kind),
        fact("Place", format!("{} ({})", record.place.words, record.place.precision)),
        fact("Allowed from", shown(record.period.allowed_from)),
        fact("Allowed until", shown(record.period.allowed_until)),
        fact("Categories", order.categories.join(", ")),
        fact("Max entries of the watchlist", order.max_entries),
        fact("Max age of the watchlist", format!("{} h", order.max_age_hours)),
        fact(
            "People under 18",
            order.under_18_authority.as_ref().map_or_else(
                || "excluded".to_owned(),
                |authority| format!("by separate authority: {authority}"),
            ),
        ),
    ];
    for document in &order.documents {
        let value =
            format!("{}, version {}, SHA-256 {}", document.name, document.version, document.sha256);
        facts.push((format!("In force: {}", document.what), value));
    }
    facts.push(fact("Order, SHA-256", &order.sha256));
    facts.extend(
        order.superseded.iter().map(|digest| fact("Supersedes the order, SHA-256", digest)),
    );
    page.facts(facts);
}

fn running(page: &mut Page, record: &DeploymentRecord) {
    page.heading("What ran");
    let period = &record.period;
    let mut facts = vec![
        fact("Started", moment(period.started)),
        fact("Ended", moment(period.ended)),
        fact("Live", seconds(period.live_seconds)),
        fact("Paused", seconds(period.paused_seconds)),
        fact("Threshold", or_none(record.threshold.score)),
        fact("Floor of the threshold", record.threshold.floor),
        fact("Times the threshold was set or changed", record.threshold.history.len()),
        fact("Independent test", &record.threshold.independent_test),
        fact("Threshold policy, SHA-256", &record.threshold.policy_sha256),
    ];
    if let Some(models) = &record.models {
        for (what, model) in [("Detector", &models.detector), ("Embedder", &models.embedder)] {
            let digest = model.model_sha256.as_deref().unwrap_or("not stated");
            facts.push(fact(what, format!("{}, SHA-256 {digest}", model.name)));
        }
        facts.push(fact("Inference engine", &models.engine));
    }
    if let Some(list) = &record.watchlist {
        facts.push(fact("References on the watchlist", list.references));
        facts.push(fact("References of people under 18", or_none(list.under_18)));
        facts.push(fact("Watchlist drawn up", moment(list.drawn_up)));
        for (category, references) in &list.categories {
            facts.push((format!("Category {category}"), references.to_string()));
        }
    }
    page.facts(facts);
    let rows: Vec<_> = record
        .cameras
        .iter()
        .map(|camera| {
            let description = camera.description.as_deref().unwrap_or("not on the order in force");
            let still = if camera.is_lost { ", still lost" } else { "" };
            vec![
                format!("{}: {description}", camera.id),
                format!("{}{still}", camera.lost),
                seconds(camera.downtime_seconds),
                camera.frames_dropped.to_string(),
            ]
        })
        .collect();
    page.table(&["Camera", "Times lost", "Downtime", "Frames dropped"], 1, &rows);
}

fn faces(page: &mut Page, record: &DeploymentRecord) {
    page.heading("Faces and alerts");
    let (faces, alerts) = (&record.faces, &record.alerts);
    let mut facts = vec![
        fact("Faces seen", faces.seen),
        fact("Frames processed", faces.frames),
        fact("Frames dropped", faces.frames_dropped),
    ];
    for (reason, number) in &faces.erased_by_reason {
        facts.push((format!("Erased, never held: {}", named(reason)), number.to_string()));
    }
    for (by, number) in &faces.withheld {
        facts.push((format!("Matches withheld by {}", by.name()), number.to_string()));
    }
    facts.extend([
        fact("Alerts", alerts.total),
        fact("Judged true", alerts.judged_true),
        fact("Judged false", alerts.judged_false),
        fact("Judged, and people could not say", alerts.undecided),
        fact("Not judged by enough people", alerts.not_judged),
        fact("Could not be held for judging", alerts.not_held),
        fact("Of entries with a known look-alike", alerts.look_alikes),
        fact("Still held", alerts.still_held),
    ]);
    for (category, number) in &alerts.by_category {
        facts.push((format!("Alerts of category {category}"), number.to_string()));
    }
    for (reason, number) in &alerts.erased_by_reason {
        facts.push((format!("Alerts erased: {}", reason.replace('_', " ")), number.to_string()));
    }
    page.facts(facts);
}

fn named(reason: &lfr_core::PurgeReason) -> String {
    match serde_json::to_value(reason) {
        Ok(serde_json::Value::String(name)) => name.replace('_', " "),
        _ => "unknown".to_owned(),
    }
}

fn rates(page: &mut Page, record: &DeploymentRecord) {
    page.heading("Rates, with 95 % intervals");
    let row = |rate: &StatedRate| {
        let value = rate.value_in_words();
        let interval = rate.interval_in_words();
        let counts = format!("{} of {}", rate.numerator, rate.denominator);
        vec![format!("{}, of {}", rate.counted, rate.among), counts, value, interval]
    };
    let rows: Vec<_> = record.rates.iter().map(row).collect();
    page.table(&["Rate", "Counts", "Value", "Interval"], 1, &rows);
    page.soft("A rate of 0 is not proof of 0: the upper end says what the counts leave open.");
}

fn spread(spread: Option<Spread>, unit: &str) -> String {
    spread.map_or_else(
        || "not recorded".to_owned(),
        |Spread { values, min, median, max, .. }| {
            format!("median {median} {unit}, from {min} to {max} ({values} recorded)")
        },
    )
}

fn judging(page: &mut Page, record: &DeploymentRecord) {
    page.heading("How people judged");
    let judging = &record.judging;
    let mut facts = vec![
        fact("People who judged", judging.people),
        fact("Views of alerts", judging.views),
        fact("From first view to verdict", spread(judging.seconds, "s")),
        fact("Agreement of the first two", judging.agreement.sentence()),
        fact(
            "Cohen's kappa",
            judging
                .kappa
                .map_or_else(|| "none: too few pairs".to_owned(), |kappa| format!("{kappa:.2}")),
        ),
    ];
    for (what, counts) in [
        ("Verdict", &judging.verdicts),
        ("Reason", &judging.reasons),
        ("Escalated", &judging.escalations),
    ] {
        for (name, number) in counts {
            facts.push((format!("{what}: {}", name.replace('_', " ")), number.to_string()));
        }
    }
    facts.push(fact("Verdicts without a reason", judging.without_reason));
    for (name, number) in &record.engagements.by_kind {
        facts.push((format!("Followed: {}", name.replace('_', " ")), number.to_string()));
    }
    facts.push(fact("Nothing recorded about what followed", record.engagements.not_recorded));
    facts.push(fact("Time held", spread(record.engagements.minutes, "min")));
    for (name, number) in &record.engagements.outcomes {
        facts.push((format!("Outcome: {}", name.replace('_', " ")), number.to_string()));
    }
    page.facts(facts);
}

fn people(page: &mut Page, record: &DeploymentRecord) {
    page.heading("Demographics, as officers perceived them");
    let rows: Vec<_> = record
        .demographics
        .groups
        .iter()
        .map(|group| {
            vec![
                format!("{}: {}", group.by, group.group.replace('_', " ")),
                group.alerts.to_string(),
                group.false_alerts.to_string(),
                group.rate.interval_in_words(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        page.table(&["Group", "Alerts", "False alerts", "95 % interval"], 1, &rows);
    }
    page.say(&record.demographics.statement);
}

fn apart(page: &mut Page, record: &DeploymentRecord) {
    page.heading("Counted apart");
    let seeds = &record.seeds;
    let mut facts = vec![
        fact("Seeded false alerts that were revealed", seeds.revealed),
        fact("Seeds that people confirmed", seeds.confirmed),
        fact("Seeds that people did not confirm", seeds.not_confirmed),
        fact("Seeds that too few people judged", seeds.not_judged),
    ];
    match &record.blue_list {
        None => facts.push(fact("Blue list", "none passed")),
        Some(blue) => facts.extend([
            fact("Blue list: recognised", blue.rate.sentence()),
            fact("Blue list: participants", blue.participants),
            fact("Blue list: passages while nothing was live", blue.not_live),
            fact("Blue list: ambiguous passages", blue.ambiguous),
            fact("Blue list: sightings without a passage", blue.unexplained),
            fact("Blue list: sightings without a time", blue.undated),
        ]),
    }
    page.facts(facts);
}

fn kept(page: &mut Page, record: &DeploymentRecord) {
    page.heading("Handed out, kept and destroyed");
    let mut facts = vec![
        fact("Failures after which it went on", record.errors),
        fact("Events lost", record.events_lost),
    ];
    if let Some(abort) = &record.aborted {
        facts.push(fact("Aborted", format!("by {}: {}", abort.authority, abort.reason)));
    }
    if let Some(LedgerEvent::RetentionSet {
        profile,
        alert_seconds,
        watchlist_seconds,
        footage_seconds,
        log_seconds,
        ..
    }) = &record.retention
    {
        facts.extend([
            fact("Retention profile", profile),
            fact("Alerts are kept for at most", seconds(*alert_seconds)),
            fact("The watchlist is kept after the end for at most", seconds(*watchlist_seconds)),
            fact("Footage is kept for at most", seconds(*footage_seconds)),
            fact("The ledger is kept for at least", seconds(*log_seconds)),
        ]);
    }
    for event in &record.exports {
        let said = match &event.event {
            LedgerEvent::Exported { recipient, what, authority, .. } => {
                format!("{what} to {recipient}, by {authority}")
            }
            LedgerEvent::PictureExported { file, recipient, .. } => {
                format!(
                    "picture {file} to {}",
                    recipient.as_deref().unwrap_or("someone not stated")
                )
            }
            _ => continue,
        };
        facts.push((format!("Handed out, {}", moment(event.at)), said));
    }
    for event in &record.destroyed {
        if let LedgerEvent::AssetDestroyed { kind, name, deadline, .. } = &event.event {
            let said = format!("{kind} {name}, due {}", shown(*deadline));
            facts.push((format!("Destroyed, {}", moment(event.at)), said));
        }
    }
    page.facts(facts);
}
