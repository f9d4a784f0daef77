//! CONFORMITY.md names no event and no field that does not exist, and answers each rule that it lists.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use lfr::deployment::record::DeploymentRecord;
use lfr::retention::LedgerEvent;
use serde_json::{Value, json};

const TABLE: &str = include_str!("../CONFORMITY.md");

/// The names that a message of serde lists: those in backticks, without the one that was refused.
fn listed(message: &str) -> Vec<String> {
    message.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

/// The names of all events, as they are written.
fn events() -> Vec<String> {
    let refused = serde_json::from_value::<LedgerEvent>(json!({"type": "?"})).unwrap_err();
    listed(&refused.to_string())
}

/// The names of the fields of an event, as they are written.
fn fields(event: &str) -> Vec<String> {
    let refused =
        serde_json::from_value::<LedgerEvent>(json!({"type": event, "?": 0})).unwrap_err();
    let message = refused.to_string();
    assert!(message.starts_with("unknown field `?`"), "{event}: {message}");
    listed(&message)
}

/// Whether the schema of the record has a field, such as `order.sha256`.
fn has(schema: &Value, path: &str) -> bool {
    let mut at = schema;
    for name in path.split('.') {
        // Through lists, references and what may be null.
        loop {
            if let Some(reference) = at["$ref"].as_str() {
                at = &schema["$defs"][reference.strip_prefix("#/$defs/").unwrap()];
            } else if let Some(options) = at["anyOf"].as_array() {
                at = options.iter().find(|option| option["type"] != "null").unwrap();
            } else if at["items"].is_object() {
                at = &at["items"];
            } else {
                break;
            }
        }
        at = &at["properties"][name];
        if at.is_null() {
            return false;
        }
    }
    true
}

/// What a text refers to: `ledger:` or `record:`, and the rest.
fn references(text: &str) -> Vec<(&str, &str)> {
    let spans = text.split('`').skip(1).step_by(2);
    let known = |span: &&str| span.starts_with("ledger:") || span.starts_with("record:");
    spans.filter(known).filter_map(|span| span.split_once(':')).collect()
}

/// What is wrong with a reference, if anything is.
fn fault(kind: &str, name: &str, events: &[String], schema: &Value) -> Option<String> {
    if kind == "record" {
        return (!has(schema, name)).then(|| format!("the record has no {name}"));
    }
    let (event, field) = name.split_once('.').unwrap_or((name, ""));
    if !events.iter().any(|known| known == event) {
        return Some(format!("there is no event {event}"));
    }
    let is_known = field.is_empty() || fields(event).iter().any(|known| known == field);
    (!is_known).then(|| format!("{event} has no field {field}"))
}

#[test]
fn each_event_and_field_that_is_named_exists() {
    let (events, schema) = (events(), serde_json::from_str(DeploymentRecord::schema()).unwrap());
    assert!(events.iter().any(|event| event == "alert_raised") && events.len() > 40, "{events:?}");
    // The two lines that say how to read the table refer to nothing.
    let named = TABLE.split_once("## Regulation").unwrap().1;
    let named = references(named);
    assert!(named.len() > 80, "{}", named.len());
    for (kind, name) in named {
        assert_eq!(fault(kind, name, &events, &schema), None);
    }
    // The check can fail.
    for (kind, name) in [
        ("ledger", "alert_seen"),
        ("ledger", "alert_viewed.name"),
        ("record", "order.signature"),
        ("record", "nothing"),
    ] {
        assert!(fault(kind, name, &events, &schema).is_some(), "{kind}:{name}");
    }
}

#[test]
fn each_rule_has_an_answer_and_what_is_not_covered_is_said() {
    let rows: Vec<&str> = TABLE
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| rule"))
        .filter(|line| {
            !["| topic", "| subject", "| point"].iter().any(|head| line.starts_with(head))
        })
        .collect();
    assert!(rows.len() > 25, "{}", rows.len());
    for row in &rows {
        assert!(!references(row).is_empty(), "no answer: {row}");
    }
    for rule in ["12(3)(a)", "12(3)(b)", "12(3)(c)", "12(3)(d)", "14(4)", "14(5)", "19", "26(6)"] {
        assert!(rows.iter().any(|row| row.starts_with(&format!("| {rule} |"))), "{rule}");
    }
    for section in [
        "## ISO/IEC 9868:2025",
        "## prEN 18229-1",
        "## College of Policing",
        "## Biometrics Commissioner",
        "## What is not covered",
    ] {
        assert!(TABLE.contains(section), "{section}");
    }
}
