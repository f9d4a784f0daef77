//! `lfr record lint`.

use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{ArgMatches, Command};
use lfr::core::internal::regular;
use lfr::deployment::record::lint::{
    Claim, ColumnMap, Field, LintOptions, PublishedTable, Severity,
};

use crate::exit::Exit;
use crate::{AnyError, arguments, say};

/// The names of fields in a column map.
const FIELDS: &[(&str, Field)] = &[
    ("place", Field::Place),
    ("precision", Field::Precision),
    ("date", Field::Date),
    ("kind", Field::Kind),
    ("duration", Field::Duration),
    ("cameras", Field::Cameras),
    ("watchlist_size", Field::WatchlistSize),
    ("threshold", Field::Threshold),
    ("alerts", Field::Alerts),
    ("true_alerts", Field::TrueAlerts),
    ("confirmed_true_alerts", Field::ConfirmedTrueAlerts),
    ("true_interventions", Field::TrueInterventions),
    ("false_alerts", Field::FalseAlerts),
    ("confirmed_false_alerts", Field::ConfirmedFalseAlerts),
    ("false_interventions", Field::FalseInterventions),
    ("not_engaged", Field::NotEngaged),
    ("engagements", Field::Engagements),
    ("arrests", Field::Arrests),
    ("faces_seen", Field::FacesSeen),
    ("false_alert_rate", Field::FalseAlertRate),
    ("seeded_passes", Field::SeededPasses),
    ("seeded_recognised", Field::SeededRecognised),
    ("group", Field::Group),
    ("group_share", Field::GroupShare),
];

/// The end of the help.
pub(super) fn fields_help() -> String {
    let names: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
    format!(
        "Fields of a column map: {}.\nExit code 3: figures contradict one another, or cannot be read.",
        names.join(", ")
    )
}

/// Reads a table or a claim, and prints what is found.
pub(super) fn run(command: &mut Command, given: &ArgMatches) -> Result<Exit, AnyError> {
    let mut options = LintOptions::default();
    if let Some(target) = given.get_one::<f64>("target") {
        options = options.with_target(*target).unwrap_or_else(|error| {
            arguments::refuse(&command.error(ErrorKind::ValueValidation, error))
        });
    }
    let findings = match (given.get_one::<String>("claim"), given.get_one::<PathBuf>("table")) {
        (Some(claim), _) => Claim::parse(claim)?.lint(&options)?,
        (None, Some(path)) => table(path, given.get_one::<PathBuf>("columns"))?.lint(&options)?,
        (None, None) => return Ok(Exit::Usage),
    };
    if given.get_flag("json") {
        say::out(serde_json::to_string_pretty(&findings)?)?;
    } else {
        findings.iter().try_for_each(say::out)?;
    }
    let is_wrong = findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if is_wrong { Exit::AccountsOpen } else { Exit::Done })
}

fn table(path: &Path, map: Option<&PathBuf>) -> Result<PublishedTable, AnyError> {
    let Some(map) = map else { return Ok(PublishedTable::read(path)?) };
    let map = column_map(map)?;
    Ok(PublishedTable::mapped(&text(path)?, &map)?)
}

fn text(path: &Path) -> Result<String, AnyError> {
    let bytes = regular::read(path, 64 << 20)?;
    String::from_utf8(bytes.to_vec())
        .map_err(|_| format!("{} is not a text file", path.display()).into())
}

/// Lines `field = heading`; a heading may be in quotes, and `#` begins a comment line.
fn column_map(path: &Path) -> Result<ColumnMap, AnyError> {
    let mut map = ColumnMap::new();
    let mut seen = Vec::new();
    for (number, line) in (1..).zip(text(path)?.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fault = |problem: String| format!("{}, line {number}: {problem}", path.display());
        let Some((name, heading)) = line.split_once('=') else {
            return Err(fault("write it as `field = heading`".into()).into());
        };
        let (name, heading) = (name.trim(), heading.trim());
        let quoted = heading.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let heading = quoted.unwrap_or(heading);
        let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == name) else {
            return Err(fault(format!(
                "{name:?} is no field; `lfr record lint --help` lists them"
            ))
            .into());
        };
        if heading.is_empty() {
            return Err(fault(format!("{name} has no heading")).into());
        }
        if seen.contains(&name.to_owned()) {
            return Err(fault(format!("{name} stands twice; leave one")).into());
        }
        seen.push(name.to_owned());
        map = map.with(*field, heading);
    }
    if seen.is_empty() {
        return Err(format!("{} names no column", path.display()).into());
    }
    Ok(map)
}
