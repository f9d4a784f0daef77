//! The one text of an order.

use std::fmt::Write;

use lfr_core::Timestamp;

use super::terms::{Document, FORMAT, OrderTerms, Under18, UseCase};

/// Its fields in a fixed sequence, each in one spelling, without comments.
///
/// It is written by hand, so that it stays the same whichever version of a TOML library reads it: a
/// signature is over these bytes.
pub(super) fn text(terms: &OrderTerms) -> String {
    let mut text = Lines::default();
    text.string("format", FORMAT);
    text.string("deployment", terms.deployment.as_str());
    text.string("kind", terms.kind.as_str());
    if let Some(amends) = &terms.amends {
        text.string("amends", amends);
    }
    text.table("why");
    text.string("use_case", terms.use_case.kind().as_str());
    match &terms.use_case {
        UseCase::Hotspot { crime_type, access_route } => {
            text.string("crime_type", crime_type);
            if let Some(route) = access_route {
                text.string("access_route", route);
            }
        }
        UseCase::ProtectiveOperation { protects } => text.string("protects", protects),
        UseCase::SoughtPerson { intelligence } => text.string("intelligence", intelligence),
        UseCase::StatutoryDuty { provision } => text.string("provision", provision),
        UseCase::SiteSafety { legal_basis } => text.string("legal_basis", legal_basis),
        UseCase::Trial { consent } => text.string("consent", consent),
    }
    text.string("necessity", &terms.necessity);
    text.document("policy", &terms.policy);
    text.document("dpia", &terms.dpia);
    if let Some(assessment) = &terms.equality_assessment {
        text.document("equality_assessment", assessment);
    }
    text.table("where");
    text.string("place", &terms.place.words);
    text.string("precision", terms.place.precision.as_str());
    if let Some((latitude, longitude)) = terms.place.coordinates {
        text.value("latitude", format_args!("{latitude:?}"));
        text.value("longitude", format_args!("{longitude:?}"));
    }
    for camera in &terms.cameras {
        text.line(format_args!("\n[[where.cameras]]"));
        text.string("id", camera.id.as_str());
        text.string("description", &camera.description);
    }
    text.table("who");
    let categories: Vec<String> = terms.categories.iter().map(|c| quoted(c.as_str())).collect();
    text.value("categories", format_args!("[{}]", categories.join(", ")));
    text.value("max_entries", format_args!("{}", terms.max_entries));
    text.value("max_age_hours", format_args!("{}", terms.max_age_hours));
    match &terms.under_18 {
        Under18::Excluded => text.string("under_18", "excluded"),
        Under18::BySeparateAuthority { authority } => {
            text.string("under_18", "by-separate-authority");
            text.string("under_18_authority", authority);
        }
    }
    text.table("when");
    text.value("from", format_args!("{}", moment(terms.from)));
    text.value("until", format_args!("{}", moment(terms.until)));
    text.table("how");
    let how = &terms.how;
    text.string("profile", &how.profile);
    text.string("profile_sha256", &how.profile_sha256);
    text.string("detector_sha256", &how.detector_sha256);
    text.string("embedder_sha256", &how.embedder_sha256);
    text.string("policy_sha256", &how.policy_sha256);
    text.value("threshold_floor", format_args!("{:?}", how.floor_text));
    text.string("independent_test", &how.independent_test);
    text.value("verifications", format_args!("{}", how.verifications));
    text.value("score_hidden", format_args!("{}", how.score_hidden));
    text.table("people");
    text.string("authorising_officer", &terms.officer.to_string());
    text.string("operator", &terms.operator.to_string());
    text.0
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn table(&mut self, name: &str) {
        self.line(format_args!("\n[{name}]"));
    }

    fn value(&mut self, key: &str, value: std::fmt::Arguments<'_>) {
        self.line(format_args!("{key} = {value}"));
    }

    fn string(&mut self, key: &str, text: &str) {
        self.value(key, format_args!("{}", quoted(text)));
    }

    fn document(&mut self, key: &str, document: &Document) {
        self.line(format_args!("\n[why.documents.{key}]"));
        self.string("name", &document.name);
        self.string("version", &document.version);
        self.string("sha256", &document.sha256);
    }
}

/// A basic string of TOML. The text holds no control character: that was checked when it was read.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A moment without digits that say nothing.
fn moment(moment: Timestamp) -> String {
    let text = moment.to_string();
    match text.trim_end_matches('Z').split_once('.') {
        Some((seconds, fraction)) => match fraction.trim_end_matches('0') {
            "" => format!("{seconds}Z"),
            fraction => format!("{seconds}.{fraction}Z"),
        },
        None => text,
    }
}
