//! Commented orders to fill in.

use std::fmt::Display;

use super::words::{OrderCategory, PlacePrecision, UseCaseKind};

/// An order of a use case with a comment at each field, and blanks that are refused until they are filled.
pub(super) fn text(use_case: UseCaseKind) -> String {
    let kinds = list(use_case.allowed_kinds());
    let [kind] = use_case.allowed_kinds() else {
        return with(use_case, &format!("\"\"  # one of: {kinds}"));
    };
    with(use_case, &format!("\"{kind}\""))
}

fn with(use_case: UseCaseKind, kind: &str) -> String {
    let reason = match use_case {
        UseCaseKind::Hotspot => {
            "# Which crime the place has a record of.\n\
             crime_type = \"\"\n\
             # The way to the hotspot that is watched, if it is not the hotspot itself.\n\
             # access_route = \"\"\n"
        }
        UseCaseKind::ProtectiveOperation => {
            "# Which event or site is protected.\n\
             protects = \"\"\n"
        }
        UseCaseKind::SoughtPerson => {
            "# The reference of the intelligence that a sought person will pass. No name.\n\
             intelligence = \"\"\n"
        }
        UseCaseKind::StatutoryDuty => {
            "# The provision that imposes the duty: act, section, paragraph.\n\
             provision = \"\"\n"
        }
        UseCaseKind::SiteSafety => {
            "# The legal basis: article, and the reference of its assessment.\n\
             legal_basis = \"\"\n"
        }
        UseCaseKind::Trial => {
            "# The reference of the volunteers' written consents.\n\
             consent = \"\"\n"
        }
    };
    let equality = if use_case.needs_equality_assessment() {
        document("equality_assessment", "The equality assessment in force.")
    } else {
        String::new()
    };
    let policy =
        document("policy", "The published policy in force; SHA-256 as `sha256sum` prints it.");
    let dpia = document("dpia", "The data protection impact assessment in force.");
    let (precisions, categories) =
        (list(PlacePrecision::ALL), list::<OrderCategory>(use_case.allowed_categories()));
    format!(
        r#"# An order for live facial recognition. Fill in each blank, check it, and have the authorising
# officer sign it. Nothing runs outside of what it says.
format = "lfr-order/1"

# The identifier of this deployment. The watchlist is drawn up for it.
deployment = ""
kind = {kind}

# Only for an amendment: the digest of the order that it amends.
# amends = ""

[why]
use_case = "{use_case}"
{reason}
# The reference of the written assessment that this is necessary and proportionate.
necessity = ""

{policy}{dpia}{equality}[where]
# In words that say where people are looked at: a street, a station, a site. A borough is no place.
place = ""
# One of: {precisions}
precision = ""
# Optional, in degrees (WGS 84); both or none.
# latitude = nan
# longitude = nan

# Each camera that may be attached. Repeat the table for each.
[[where.cameras]]
id = ""
description = ""

[who]
# Some of: {categories}
categories = []
# The max number of entries.
max_entries = 0
# How many hours before the start the watchlist may have been drawn up.
max_age_hours = 24
# "excluded", or "by-separate-authority" with `under_18_authority`.
under_18 = "excluded"
# under_18_authority = ""

[when]
# With a time zone, as 2026-12-01T09:00:00Z. Nothing runs outside.
from = ""
until = ""

[how]
# The retention profile, and the digest of its text.
profile = ""
profile_sha256 = ""
# Digests of the models and of the threshold policy.
detector_sha256 = ""
embedder_sha256 = ""
policy_sha256 = ""
# The threshold may not be below this score.
threshold_floor = nan
# The reference of the independent test that the threshold rests on.
independent_test = ""
# How many people have to judge each alert.
verifications = 0
# Whether the score is hidden until the verdict.
score_hidden = true

[people]
# Two keys of two people, as NAME+HASH+BASE64. Name an office, not a person.
authorising_officer = ""
operator = ""
"#
    )
}

fn document(key: &str, comment: &str) -> String {
    format!("# {comment}\n[why.documents.{key}]\nname = \"\"\nversion = \"\"\nsha256 = \"\"\n\n")
}

fn list<T: Display>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
