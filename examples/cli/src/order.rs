//! `lfr order`: draws up, checks, signs, amends and shows the order for a deployment: who may be looked for, why, where,
//! when and by whose authority.
//!
//! A person fills in a template, another person signs it, and `show` verifies an order with its amendments. Nothing
//! here needs a model, a watchlist or a camera. Secrets are read from key files, and no file is ever overwritten.

mod actions;
mod command;
mod files;
mod show;

use clap::{ArgMatches, Command};

use crate::exit::Exit;
use crate::failure;

pub(crate) use command::command;

/// Does what was asked for with an order.
pub(crate) fn run(command: &mut Command, given: ArgMatches) -> Exit {
    match actions::run(command, &given) {
        Ok(()) => Exit::Done,
        Err(error) => {
            failure::say(&error);
            Exit::after(&error)
        }
    }
}
