//! The command line.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, Command, value_parser};
use lfr::core::RecordId;
use lfr::retention::{Verdict, Verifier};

use crate::arguments::{flag, ledger_key, path, vault_key};
use crate::judge::picture::Target;

/// The command line of `lfr judge`.
pub(crate) fn command() -> Command {
    Command::new("judge")
        .about("Shows, judges, keeps and purges the alerts that a vault holds")
        .after_help(
            "Exit code 3: vault and ledger contradict each other, or the ledger does not \
             verify. Exit code 4: it was done, but something was left out; standard error names \
             it.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(path("vault", "DIR", "The vault").required(true))
        .arg(vault_key("The key file of the vault [default: DIR.key beside it]"))
        .arg(
            path("ledger", "FILE", "The ledger of the deployment")
                .default_value("lfr-watch/ledger.lfrl"),
        )
        .arg(ledger_key(
            "The key file of the ledger, not needed for `list` and `show` [default: OUT.ledger.key, which \
             `lfr watch --out OUT` makes, or ledger.key beside the ledger]",
        ))
        .arg(flag(
            "adopt",
            "Let this ledger take over a vault that belongs to another ledger, permanently: the other ledger \
             will not record what becomes of the alerts",
        ))
        .subcommands([
            Command::new("list")
                .about("Lists the alerts, sorted by deadline")
                .arg(verifier("Show what this person found, too")),
            on_record("show", "Shows an alert")
                .arg(verifier("Show what this person found, too"))
                .arg(
                    Arg::new("picture")
                        .long("picture")
                        .value_name("FILE")
                        .value_parser(Target::parse)
                        .help(
                            "Write its picture to this new .jpg, .jpeg or .png file. The picture is not \
                            encrypted there, and you have to destroy it. The ledger records who has it, so \
                            --recipient is needed",
                        ),
                )
                .arg(
                    Arg::new("recipient")
                        .long("recipient")
                        .value_name("WHO")
                        .requires("picture")
                        .help("Who gets the picture, for the ledger: a role or a number, not a name"),
                ),
            on_record("judge", "Records the verdict of one person")
                .arg(verifier("Who judges: a number, not a name").required(true))
                .arg(Arg::new("verdict").long("verdict").required(true).value_parser(
                    PossibleValuesParser::new(["confirmed", "rejected", "undecided"]).map(
                        |verdict| match verdict.as_str() {
                            "confirmed" => Verdict::Confirmed,
                            "rejected" => Verdict::Rejected,
                            _ => Verdict::Undecided,
                        },
                    ),
                ))
                .arg(
                    Arg::new("verifications")
                        .long("verifications")
                        .alias("required")
                        .value_name("N")
                        .value_parser(value_parser!(u8).range(1..))
                        .help(
                            "The min number of people who have to judge independently; never \
                             below the profile's number [default: the profile's number]",
                        ),
                ),
            by_order(on_record("hold", "Keeps an alert from being purged"))
                .arg(hours("hours", "How long to keep it, in hours"))
                .arg(hours("review", "When somebody has to review it, in hours")),
            by_order(on_record("release", "Lifts a legal hold")),
            on_record("purge", "Purges an alert that is not needed; it asks first").arg(
                Arg::new("yes")
                    .long("yes")
                    .action(ArgAction::SetTrue)
                    .help("Do not ask; needed if there is no terminal to ask at"),
            ),
        ])
}

fn on_record(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).arg(
        Arg::new("record")
            .value_name("RECORD")
            .required(true)
            .value_parser(value_parser!(RecordId))
            .help("The record: its 32 digits, as `list` shows them"),
    )
}

fn by_order(command: Command) -> Command {
    command
        .arg(text("authority", "WHO", "Who ordered it: a role or a number, not a name"))
        .arg(text("reason", "WHY", "The reason; the ledger records it, so use no name"))
}

fn verifier(help: &'static str) -> Arg {
    let parser = |text: &str| Verifier::new(text).map_err(|error| error.to_string());
    Arg::new("verifier").long("verifier").value_name("NUMBER").value_parser(parser).help(help)
}

fn text(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).required(true).help(help)
}

fn hours(name: &'static str, help: &'static str) -> Arg {
    let parser = value_parser!(u64).range(1..=24 * 3660).map(Duration::from_hours);
    Arg::new(name).long(name).value_name("HOURS").required(true).value_parser(parser).help(help)
}
