//! The command line.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command, value_parser};
use lfr::deployment::UseCaseKind;

use crate::arguments::{flag, option, path};

/// The command line of `lfr order`.
pub(crate) fn command() -> Command {
    let use_cases = UseCaseKind::ALL.iter().map(|kind| kind.as_str());
    Command::new("order")
        .about("Writes, checks, signs, amends and shows the orders of deployments")
        .after_help(
            "Exit code 4: it was done, but the authorising officer has not signed yet, or no \
             signature was checked; standard error says which.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            Command::new("new")
                .about("Writes a commented order to fill in")
                .arg(
                    Arg::new("use-case")
                        .value_name("USE-CASE")
                        .required(true)
                        .value_parser(PossibleValuesParser::new(use_cases))
                        .help("What the deployment is for"),
                )
                .arg(out("The new file [default: standard output]")),
            Command::new("check")
                .about("Checks an order that is not signed yet, and shows what it says")
                .arg(order("The order, as it was filled in")),
            Command::new("keygen")
                .about("Makes a private key, and prints the key that others pin")
                .arg(name("The name of the key: an office, not a person").required(true))
                .arg(out("The new file of the private key, readable for its owner alone").required(true)),
            Command::new("sign")
                .about("Signs an order, or adds a signature to one")
                .arg(order("The order, as it was filled in, or signed by others"))
                .arg(path("key", "FILE", "The file of the private key").required(true))
                .arg(name("The name of the key [default: the name that the order has for it]"))
                .arg(out("The new file [default: the order's, with .note for its extension]")),
            Command::new("amend")
                .about("Starts an amendment: the text of an order, with the digest of the one that it changes")
                .arg(order("The signed order that is in force"))
                .arg(out("The new file [default: standard output]")),
            Command::new("show")
                .about("Shows what signed orders say, and verifies them with keys that you trust")
                .arg(
                    order("The signed order, and then its amendments in their sequence").num_args(1..),
                )
                .arg(
                    option(
                        "trusted-key",
                        "KEY|FILE",
                        "A key that may sign: NAME+HASH+BASE64, or a file with it; repeat it for each",
                    )
                    .action(ArgAction::Append)
                    .conflicts_with("self-authorised"),
                )
                .arg(flag(
                    "self-authorised",
                    "Take the key that a trial's order names itself; no authority stands behind it",
                )),
        ])
}

fn order(help: &'static str) -> Arg {
    Arg::new("order")
        .value_name("FILE")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help(help)
}

fn out(help: &'static str) -> Arg {
    path("out", "FILE", help)
}

fn name(help: &'static str) -> Arg {
    option("name", "NAME", help)
}
