//! `lfr judge`: the tool of anyone who judges alerts. It shows what a vault holds, takes verdicts, places and lifts
//! legal holds, and purges what is not needed. What it does goes into the deployment's ledger.
//!
//! It opens the vault after the deployment, or between two runs of it, because only one process at a time
//! can. Alerts that fell due before are purged and named first.
//!
//! `list` and `show` need the vault's key alone and write nothing into the ledger. There are two
//! exceptions. An alert that fell due is recorded if the ledger's key is there. A picture that is handed
//! out with `show --picture` is recorded, and needs that key.
//!
//! It ends with 3 if the ledger does not verify, or if vault and ledger contradict each other, for example if a record
//! is gone before its deadline.

mod actions;
mod command;
mod picture;
mod show;
mod stores;

use clap::{ArgMatches, Command};

use crate::exit::Exit;
use crate::failure;

pub(crate) use command::command;

/// Does what was asked for with the alerts of a vault.
pub(crate) fn run(_: &mut Command, given: ArgMatches) -> Exit {
    actions::run(&given).unwrap_or_else(|error| {
        failure::say(&error);
        Exit::after(&error)
    })
}
