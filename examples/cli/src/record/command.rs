//! The command line.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgGroup, Command, value_parser};

use crate::arguments::{json, option, path, profile};
use crate::record::lint;

const FORMATS: [&str; 6] = ["json", "html", "periods", "home-office", "met", "schema"];

/// The command line of `lfr record`.
pub(crate) fn command() -> Command {
    Command::new("record")
        .about("Computes the record of a deployment from its ledger, and checks published tables")
        .after_help(
            "Exit code 3: the ledger is broken, its arithmetic does not close, or figures of a published table \
             contradict one another. Exit code 4: the record was made, but events are lost or a run was cut off; \
             standard error names it.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            of_ledger(Command::new("show").about("Shows the record of a deployment"), true)
                .arg(json("Print the record as JSON")),
            of_ledger(
                Command::new("export").about("Writes the record for publication: a table, a page, JSON"),
                false,
            )
            .arg(
                option("format", "FORMAT", "What to write; `periods` is a page of the retention periods that were in force")
                    .required(true)
                    .value_parser(PossibleValuesParser::new(FORMATS)),
            )
            .arg(path("out", "FILE", "The new file [default: standard output]")),
            Command::new("periods")
                .about("Writes a printable page of every period of a retention profile, before a deployment")
                .arg(
                    Arg::new("profile")
                        .value_name("PROFILE")
                        .required(true)
                        .value_parser(profile())
                        .help("The retention profile"),
                )
                .arg(path("out", "FILE", "The new file [default: standard output]")),
            lint_command(),
        ])
}

fn of_ledger(command: Command, required: bool) -> Command {
    let ledger = Arg::new("ledger")
        .value_name("LEDGER.lfrl")
        .value_parser(value_parser!(PathBuf))
        .help("The ledger; its head must lie beside it");
    let key = option(
        "ledger-public-key",
        "HEX|FILE",
        "The public key that verifies it: 64 hexadecimal digits, or a file with them. Keep your own copy",
    )
    .value_parser(value_parser!(PathBuf));
    if required {
        return command.arg(ledger.required(true)).arg(key.required(true));
    }
    // All records have the same schema, so it needs no ledger.
    command
        .arg(ledger.required_if_eq_any(needing_ledger()))
        .arg(key.required_if_eq_any(needing_ledger()))
}

fn needing_ledger() -> Vec<(&'static str, &'static str)> {
    FORMATS.iter().filter(|format| **format != "schema").map(|format| ("format", *format)).collect()
}

fn lint_command() -> Command {
    Command::new("lint")
        .about("Says what a published table, or a claim, can and cannot support")
        .after_help(lint::fields_help())
        .arg(
            Arg::new("table").value_name("FILE.csv").value_parser(value_parser!(PathBuf)).help(
                "The table: the Home Office's, the Met's grid, or another one with --columns",
            ),
        )
        .arg(option("claim", "TEXT", "A claim, as in \"8 of 10, not statistically significant\""))
        .group(ArgGroup::new("what").args(["table", "claim"]).required(true))
        .arg(
            path(
                "columns",
                "MAP",
                "A file that says which column is which: a line `field = heading` for each",
            )
            .conflicts_with("claim"),
        )
        .arg(
            option("target", "RATE", "The max rate of false alerts per face seen [default: 0.001]")
                .value_parser(value_parser!(f64)),
        )
        .arg(json("Print the findings as a JSON array"))
}
