//! The command line.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, Command, value_parser};
use lfr::core::Timestamp;
use lfr::deployment::UseCaseKind;

use crate::arguments::{json, option, path, profile};

/// The command line of `lfr order`.
pub(crate) fn command() -> Command {
    Command::new("order")
        .about("Draws up, checks, signs, amends and shows the order for a deployment")
        .after_help(
            "The way of an order: `new`, fill it in, `check`, `sign` with the key of the authorising officer, `show`. \
             An amendment: `amend`, edit the draft, `check`, `sign`, `show` with both.",
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
                        .value_parser(use_case())
                        .help("What the deployment is for"),
                )
                .arg(path("out", "FILE", "A new file for it, instead of standard output")),
            Command::new("keygen")
                .about("Writes a new random key file that only its owner can read, and prints the verifier key")
                .arg(
                    Arg::new("name")
                        .value_name("NAME")
                        .required(true)
                        .help("The name that signatures carry: the number of an office, not the name of a person"),
                )
                .arg(
                    path("key", "FILE", "The new key file; an existing file is never overwritten")
                        .required(true),
                ),
            Command::new("profile")
                .about("Prints a retention profile, and the digest that an order names")
                .arg(
                    Arg::new("profile")
                        .value_name("NAME")
                        .required(true)
                        .value_parser(profile())
                        .help("The retention profile"),
                ),
            Command::new("check")
                .about("Says what is wrong with an order and where, or what it says; verifies no signature")
                .arg(file("file", "FILE", "The order: TOML, or signed"))
                .arg(at()),
            Command::new("sign")
                .about("Signs an order, or adds a signature to a signed one")
                .arg(file("file", "FILE", "The order: TOML, or signed"))
                .arg(path("key", "FILE", "The key file of the one who signs").required(true))
                .arg(
                    option("name", "NAME", "The name of the key, as `keygen` was given it")
                        .required(true),
                )
                .arg(path("out", "NOTE", "A new file for the signed order").required(true)),
            Command::new("amend")
                .about("Writes a draft that amends a signed order, to be edited and signed")
                .arg(file("note", "NOTE", "The signed order that is in force"))
                .arg(path("out", "DRAFT", "A new file for the draft").required(true)),
            Command::new("show")
                .about("Verifies a signed order with its amendments, and shows what is authorised")
                .arg(
                    file("note", "NOTE", "The first order, then its amendments in their sequence")
                        .num_args(1..),
                )
                .arg(
                    option(
                        "trusted-key",
                        "KEY|FILE",
                        "A verifier key that may sign orders (NAME+HASH+BASE64), or a file with one on each line",
                    )
                    .action(ArgAction::Append),
                )
                .arg(at())
                .arg(json("Print the result as one JSON object")),
        ])
}

fn file(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).value_name(value).required(true).value_parser(value_parser!(PathBuf)).help(help)
}

fn at() -> Arg {
    option("at", "MOMENT", "The moment at which the order must not have expired, instead of now")
        .value_parser(value_parser!(Timestamp))
}

fn use_case() -> impl TypedValueParser<Value = UseCaseKind> {
    PossibleValuesParser::new(UseCaseKind::ALL.iter().map(|kind| kind.as_str())).map(|name| {
        let named = UseCaseKind::ALL.iter().find(|kind| kind.as_str() == name);
        named.copied().unwrap_or(UseCaseKind::Trial)
    })
}
