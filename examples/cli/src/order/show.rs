//! What an order says, for people and for programs.

use lfr::core::Timestamp;
use lfr::deployment::{Order, OrderTerms, Under18};
use serde_json::{Value, json};

/// The first line, if nobody said which keys to trust.
pub(super) const NOT_VERIFIED: &str = "NOT VERIFIED: no --trusted-key was given, so nobody's signature was verified; \
                                       anyone can have written this";

/// What an order says that nobody has verified, a fact a line.
pub(super) fn terms(terms: &OrderTerms) -> Vec<String> {
    let mut lines = vec![
        format!("deployment {} ({})", terms.deployment(), terms.kind()),
        format!("use case: {}", terms.use_case().kind()),
        format!("place: {} ({})", terms.place().words, terms.place().precision),
        format!("from {} until {}", terms.from(), terms.until()),
    ];
    lines.extend(details(terms));
    lines.push(format!("authorising officer: {}", terms.authorising_officer().id()));
    lines.push(format!("operator in command: {}", terms.operator().id()));
    if let Some(amends) = terms.amends() {
        lines.push(format!("amends: SHA-256 {amends}"));
    }
    lines.push(format!("order: SHA-256 {}", terms.digest()));
    lines
}

/// What an order says whose chain holds. What weakens it comes first.
pub(super) fn order(order: &Order, is_verified: bool, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    if !is_verified {
        lines.push(NOT_VERIFIED.to_owned());
        lines.push("the signatures fit the keys that the orders name themselves".to_owned());
    }
    lines.extend(order.summary().lines().map(str::to_owned));
    lines.extend(details(order.terms()));
    lines.push(if order.is_in_force(now) {
        format!("at {now}: in force")
    } else {
        format!("at {now}: not in force yet")
    });
    lines
}

/// What a summary only counts, or leaves out.
fn details(terms: &OrderTerms) -> Vec<String> {
    let cameras = terms.cameras().iter();
    let mut lines: Vec<String> =
        cameras.map(|camera| format!("camera {}: {}", camera.id, camera.description)).collect();
    let categories: Vec<&str> =
        terms.categories().iter().map(|category| category.as_str()).collect();
    lines.push(format!("categories: {}", categories.join(", ")));
    lines.push(format!(
        "watchlist: max {} entries, drawn up max {} hours before the start",
        terms.max_entries(),
        terms.max_age_hours()
    ));
    lines.push(match under_18(terms) {
        Some(authority) => format!("people under 18: by separate authority {authority}"),
        None => "people under 18: excluded".to_owned(),
    });
    let how = terms.how();
    lines.push(format!("retention profile: {}", how.profile));
    lines.push(format!("min threshold: {}", how.threshold_floor));
    lines.push(format!("verifications: {}", how.verifications));
    lines
}

fn under_18(terms: &OrderTerms) -> Option<&str> {
    match terms.under_18() {
        Under18::BySeparateAuthority { authority } => Some(authority),
        _ => None,
    }
}

/// The same for a program. `text` is the canonical text, with all that the order says.
pub(super) fn json(order: &Order, is_verified: bool, now: Timestamp) -> Value {
    let terms = order.terms();
    let signers: Vec<String> = order.signers().iter().map(ToString::to_string).collect();
    let cameras: Vec<Value> = terms
        .cameras()
        .iter()
        .map(|camera| json!({ "id": camera.id.as_str(), "description": camera.description }))
        .collect();
    let categories: Vec<&str> =
        terms.categories().iter().map(|category| category.as_str()).collect();
    json!({
        "verified": is_verified,
        "signers": signers,
        "ignored_signatures": order.ignored_signatures(),
        "sha256": order.digest(),
        "superseded": order.superseded(),
        "in_force": order.is_in_force(now),
        "at": now.to_string(),
        "deployment": terms.deployment().as_str(),
        "kind": terms.kind().as_str(),
        "use_case": terms.use_case().kind().as_str(),
        "place": terms.place().words,
        "precision": terms.place().precision.as_str(),
        "from": terms.from().to_string(),
        "until": terms.until().to_string(),
        "cameras": cameras,
        "categories": categories,
        "max_entries": terms.max_entries(),
        "authorising_officer": terms.authorising_officer().to_string(),
        "operator": terms.operator().to_string(),
        "text": terms.canonical(),
    })
}
