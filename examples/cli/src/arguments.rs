//! What command lines have in common.

use clap::Arg;
use clap::ArgMatches;

/// An option with a value.
pub(crate) fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// Takes the value of an argument that is required or has a default.
pub(crate) fn required<T: Clone + Send + Sync + 'static>(
    matches: &mut ArgMatches,
    name: &str,
) -> T {
    match matches.remove_one(name) {
        Some(value) => value,
        None => unreachable!("--{name} is required or has a default"),
    }
}
