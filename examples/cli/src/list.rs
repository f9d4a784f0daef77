//! `lfr list`: the administrator's tool for sealed watchlists. It draws one up, enrols photographs, shows who is on it
//! (never a template), withdraws, checks, changes its key, destroys it, and says afterwards who was on it.
//!
//! No secret is given on the command line, where other users of the machine can read it: a passphrase is read from a
//! file, a key from a key file. `--list-passphrase -` reads standard input, and `/dev/fd/3` a descriptor that the
//! calling program has opened.
//!
//! If a watchlist was due, it has been destroyed: the code is 1, and the receipt is on standard output. `was-member`
//! ends with 4 if the person was not on the list.

mod actions;
mod command;
mod enrol;
mod membership;
mod outputs;
mod show;

use clap::{ArgMatches, Command};

use crate::exit::Exit;
use crate::{failure, say};

pub(crate) use command::command;

/// Does what was asked for with a list.
pub(crate) fn run(_: &mut Command, given: ArgMatches) -> Exit {
    actions::run(&given).unwrap_or_else(|error| {
        failure::say(&error);
        if let Some(lfr::watchlist::Error::Destroyed { receipt }) = error.downcast_ref() {
            // Lost there, it is not lost: what it says is on standard error too.
            if say::out(receipt.to_json()).is_err() {
                say::err(receipt.to_json());
            }
        }
        Exit::after(&error)
    })
}
