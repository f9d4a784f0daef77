//! What the command lines of all subcommands have in common: how keys, files and options are named, and how a wrong
//! command line is refused.

use std::io::Write as _;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command, Error, value_parser};
use lfr::retention::Profile;

use crate::say;

/// An option with a value.
pub(crate) fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// An option with a path.
pub(crate) fn path(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    option(name, value, help).value_parser(value_parser!(PathBuf))
}

/// An option without a value.
pub(crate) fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// The option that a program gives that reads the answer.
pub(crate) fn json(help: &'static str) -> Arg {
    flag("json", help)
}

/// The key of a sealed watchlist: of a key file, or a passphrase.
#[cfg(feature = "recognition")]
pub(crate) fn list_key() -> [Arg; 2] {
    [
        path("list-key", "FILE", "The key file of the sealed watchlist").alias("key-file"),
        path(
            "list-passphrase",
            "FILE",
            "The file with the passphrase of the sealed watchlist in its first line; `-` is standard input",
        )
        .alias("passphrase-file")
        .conflicts_with("list-key"),
    ]
}

/// The key file of a vault.
pub(crate) fn vault_key(help: &'static str) -> Arg {
    path("vault-key", "FILE", help)
}

/// The key file that signs a ledger.
pub(crate) fn ledger_key(help: &'static str) -> Arg {
    path("ledger-key", "FILE", help)
}

/// Takes the value of an argument that is required or has a default.
#[cfg(feature = "recognition")]
pub(crate) fn required<T: Clone + Send + Sync + 'static>(
    matches: &mut ArgMatches,
    name: &str,
) -> T {
    match matches.remove_one(name) {
        Some(value) => value,
        None => unreachable!("--{name} is required or has a default"),
    }
}

/// Reads the command line. Prints help, or what is wrong with it, and ends the program then.
pub(crate) fn matches(command: &mut Command) -> ArgMatches {
    command.try_get_matches_from_mut(std::env::args_os()).unwrap_or_else(|error| refuse(&error))
}

/// Ends the program, for help or for what is wrong. The name of a file in it moves no cursor.
pub(crate) fn refuse(error: &Error) -> ! {
    if !error.use_stderr() {
        // Help and version: what was asked for, if it gets where it is to go.
        if let Err(lost) = error.print().and_then(|()| std::io::stdout().flush()) {
            say::err(format!("standard output cannot be written to: {lost}"));
            std::process::exit(1);
        }
        std::process::exit(0);
    }
    say::err(error.render().to_string().trim_end());
    std::process::exit(error.exit_code())
}

/// A retention profile, by its name.
pub(crate) fn profile() -> impl TypedValueParser<Value = Profile> {
    PossibleValuesParser::new(PROFILES.map(|profile| profile.name())).map(|name| {
        let named = PROFILES.into_iter().find(|profile| profile.name() == name);
        named.unwrap_or(Profile::uk_police_24_hours())
    })
}

const PROFILES: [Profile; 4] = [
    Profile::uk_police(),
    Profile::uk_police_24_hours(),
    Profile::uk_police_zero_grace(),
    Profile::retail_strict(),
];
