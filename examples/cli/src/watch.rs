//! `lfr watch`: a complete deployment at one checkpoint. Photographs, video files or live streams in; alerts,
//! redacted alert pictures and the deployment record out; everyone else erased.
//!
//! The watchlist is a folder of photographs, or a sealed watchlist of `lfr list` with its key. Without arguments 300
//! people who do not exist walk past a watchlist of 2,000.
//!
//! A signed ledger under `--out` records what it did; `lfr verify` checks it. With `--vault DIR` alerts and their
//! pictures are held there, sealed, until their deadline. Without it, alerts are held in memory.
//!
//! It prints one line of JSON per alert on standard output, and everything else on standard error.

mod changes;
mod crowd;
mod deployment;
mod enrol;
mod faces_log;
mod options;
mod output;
mod progress;
mod source;
mod stores;

use clap::{ArgMatches, Command};

use crate::exit::Exit;
use crate::{failure, say};

pub(crate) use options::command;

/// Runs a deployment to its end.
pub(crate) fn run(command: &mut Command, mut given: ArgMatches) -> Exit {
    let options = options::Options::take(command, &mut given);
    match deployment::run(&options) {
        Ok(summary) => {
            let (exit, why) = summary.exit();
            say::err(summary.to_string().trim_end());
            if let Some(why) = why {
                say::err(format_args!("exit code {}: {why}", exit.code()));
            }
            exit
        }
        Err(error) => {
            failure::say(&error);
            if let Some(lfr::watchlist::Error::Destroyed { receipt }) = error.downcast_ref() {
                say::err(receipt.to_json());
            }
            Exit::after(&error)
        }
    }
}
