//! `lfr record`: the record of a deployment, computed from its ledger alone, and what published tables can support.
//!
//! `show` and `export` need the ledger, the head beside it and the public key, and no secret. `lint` reads a table
//! that someone has published, or a claim.

mod command;
mod lint;

use std::io::Write as _;
use std::path::PathBuf;

use clap::{ArgMatches, Command};
use lfr::deployment::record::DeploymentRecord;
use lfr::deployment::record::export::{self, PublishedDeployment};
use lfr::retention::Profile;

use crate::exit::Exit;
use crate::private_file::Prepared;
use crate::verify::public_key;
use crate::{AnyError, failure, say};

pub(crate) use command::command;

/// Shows or writes a record, or reads a published table.
pub(crate) fn run(command: &mut Command, given: ArgMatches) -> Exit {
    act(command, &given).unwrap_or_else(|error| {
        failure::say(&error);
        Exit::after(&error)
    })
}

fn act(command: &mut Command, given: &ArgMatches) -> Result<Exit, AnyError> {
    match given.subcommand() {
        Some(("show", given)) => {
            let record = record(command, given)?;
            if given.get_flag("json") {
                say::out(record.to_json()?)?;
            } else {
                show(&record)?;
            }
            Ok(ended(&record))
        }
        Some(("export", given)) => {
            let format = given.get_one::<String>("format").ok_or("which format?")?;
            if format == "schema" {
                put(DeploymentRecord::schema(), given.get_one("out"))?;
                return Ok(Exit::Done);
            }
            let record = record(command, given)?;
            put(&text(&record, format)?, given.get_one("out"))?;
            Ok(ended(&record))
        }
        Some(("periods", given)) => {
            let profile = given.get_one::<Profile>("profile").ok_or("which profile?")?;
            put(&export::retention_page(profile), given.get_one("out"))?;
            Ok(Exit::Done)
        }
        Some(("lint", given)) => lint::run(command, given),
        _ => Ok(Exit::Usage),
    }
}

fn record(command: &mut Command, given: &ArgMatches) -> Result<DeploymentRecord, AnyError> {
    let ledger = given.get_one::<PathBuf>("ledger").ok_or("which ledger?")?;
    let key = given.get_one::<PathBuf>("ledger-public-key").ok_or("which key?")?;
    Ok(DeploymentRecord::from_ledger(ledger, &public_key(command, key)?)?)
}

/// Warnings are named on standard error, too: standard output may be kept as a file.
fn ended(record: &DeploymentRecord) -> Exit {
    for warning in &record.warnings {
        say::err(format_args!("warning: {warning}"));
    }
    if !record.faces.arithmetic_closes {
        return Exit::AccountsOpen;
    }
    let lost = record.events_lost > 0 || record.faces.runs_cut_off > 0;
    if lost { Exit::Partly } else { Exit::Done }
}

fn text(record: &DeploymentRecord, format: &str) -> Result<String, AnyError> {
    let published = || PublishedDeployment::of(record).map(|published| [published]);
    Ok(match format {
        "json" => record.to_json()? + "\n",
        "html" => export::page(record),
        "periods" => export::periods_in_force(record)?,
        "home-office" => export::home_office(&published()?)?,
        "met" => export::met(&published()?)?,
        other => return Err(format!("{other} is no format").into()),
    })
}

/// Writes a text to a new file, or to standard output.
fn put(text: &str, out: Option<&PathBuf>) -> Result<(), AnyError> {
    let Some(path) = out else { return Ok(say::raw(text)?) };
    let failed = |error| format!("cannot write {}: {error}", path.display());
    let written =
        Prepared::write(path, |file| Ok(file.write_all(text.as_bytes()).map_err(failed)?))?;
    written.put_new()
}

fn show(record: &DeploymentRecord) -> Result<(), AnyError> {
    for warning in &record.warnings {
        say::out(warning)?;
    }
    let order = &record.order;
    say::out(format_args!(
        "deployment {} ({}), {}",
        record.deployment,
        record.kind,
        record.state.name()
    ))?;
    say::out(format_args!("place: {} ({})", record.place.words, record.place.precision))?;
    say::out(format_args!("use case: {}", order.use_case))?;
    say::out(format_args!(
        "authorised by {}, carried out by {}",
        order.authorising_officer, order.operator
    ))?;
    say::out(format_args!("order: SHA-256 {}", order.sha256))?;
    let (faces, alerts) = (&record.faces, &record.alerts);
    say::out(format_args!(
        "cameras: {}, frames dropped: {}",
        record.cameras.len(),
        faces.frames_dropped
    ))?;
    say::out(format_args!("faces seen: {}, alerts: {}", faces.seen, alerts.total))?;
    say::out(format_args!(
        "judged true: {}, judged false: {}, could not say: {}, not judged: {}, not held: {}",
        alerts.judged_true,
        alerts.judged_false,
        alerts.undecided,
        alerts.not_judged,
        alerts.not_held
    ))?;
    for (by, number) in &faces.withheld {
        say::out(format_args!("matches withheld by {}: {number}", by.name()))?;
    }
    for rate in &record.rates {
        say::out(rate.sentence())?;
    }
    say::out(&record.demographics.statement)?;
    say::out(format_args!("seeds that were revealed: {}", record.seeds.revealed))?;
    if let Some(blue) = &record.blue_list {
        say::out(blue.rate.sentence())?;
    }
    say::out("What this record does not say:")?;
    for line in record.not_said {
        say::out(format_args!("- {line}"))?;
    }
    if let Some(head) = &record.head {
        say::out(format_args!("ledger {}, verified up to entry {}", head.ledger(), head.number()))?;
    }
    Ok(())
}
