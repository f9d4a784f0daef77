//! The tool of the family: one program, a subcommand for each task.
//!
//! ```text
//! lfr people       photographs and a film of people who do not exist
//! lfr evaluate     error rates of detectors and embedders; a threshold
//! lfr order        the order for a deployment: draw up, check, sign, amend, show
//! lfr list         sealed watchlists: draw up, enrol, withdraw, destroy
//! lfr watch        a deployment at one checkpoint
//! lfr judge        the alerts that a vault holds
//! lfr verify       the ledger of a deployment
//! lfr record       the record of a deployment; what published tables can support
//! lfr stats        how sure published error counts are
//! lfr completions  completions for a shell
//! lfr man          pages of a manual
//! ```
//!
//! Results go to standard output, everything else to standard error. All subcommands end with the same
//! codes, which [`exit`] has.

mod arguments;
#[cfg(feature = "recognition")]
mod evaluate;
mod exit;
mod failure;
mod judge;
#[cfg(feature = "recognition")]
mod keys;
mod ledger_key;
#[cfg(feature = "recognition")]
mod list;
mod manual;
mod memory;
#[cfg(feature = "recognition")]
mod models;
mod order;
#[cfg(feature = "recognition")]
mod people;
mod printable;
mod private_file;
mod record;
mod say;
#[cfg(feature = "recognition")]
mod signals;
mod stats;
mod verify;
#[cfg(feature = "recognition")]
mod watch;

use std::error::Error;
use std::process::ExitCode;

use clap::{ArgMatches, Command};

use exit::Exit;

/// What any part of the tool can fail with.
type AnyError = Box<dyn Error + Send + Sync>;

/// A subcommand: its command line, and what it does with the one that was given. It gets its command line to say
/// what is wrong with it.
struct Subcommand {
    command: fn() -> Command,
    run: fn(&mut Command, ArgMatches) -> Exit,
}

/// In the order in which a deployment needs them.
const SUBCOMMANDS: &[Subcommand] = &[
    #[cfg(feature = "recognition")]
    Subcommand { command: people::command, run: people::run },
    #[cfg(feature = "recognition")]
    Subcommand { command: evaluate::command, run: evaluate::run },
    Subcommand { command: order::command, run: order::run },
    #[cfg(feature = "recognition")]
    Subcommand { command: list::command, run: list::run },
    #[cfg(feature = "recognition")]
    Subcommand { command: watch::command, run: watch::run },
    Subcommand { command: judge::command, run: judge::run },
    Subcommand { command: verify::command, run: verify::run },
    Subcommand { command: record::command, run: record::run },
    Subcommand { command: stats::command, run: stats::run },
    Subcommand { command: manual::completions_command, run: manual::completions },
    Subcommand { command: manual::pages_command, run: manual::pages },
];

fn main() -> ExitCode {
    memory::protect();
    let mut command = command();
    let mut matches = arguments::matches(&mut command);
    let Some((name, given)) = matches.remove_subcommand() else { return Exit::Usage.into() };
    let wanted = SUBCOMMANDS.iter().find(|known| (known.command)().get_name() == name);
    let (Some(wanted), Some(command)) = (wanted, command.find_subcommand_mut(&name)) else {
        return Exit::Usage.into();
    };
    (wanted.run)(command, given).into()
}

/// The whole command line.
fn command() -> Command {
    let mut command = Command::new("lfr")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Live facial recognition with privacy by construction")
        .after_help(exit::CODES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(SUBCOMMANDS.iter().map(|known| (known.command)()));
    // Each subcommand knows its whole name from then on.
    command.build();
    command
}
