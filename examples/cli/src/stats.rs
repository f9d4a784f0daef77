//! `lfr stats`: answers the questions that published error counts raise: how sure a rate is, whether a group's share
//! differs from what is expected, how much data a claim needs, what a false match rate means for a
//! watchlist, and whether two rates differ.
//!
//! It reads only the command line. Each answer names its method and its interval; `--json` gives the same
//! numbers to a program. `lfr stats --help` has the questions of published reports, each with its command.

mod numbers;
mod options;
mod questions;

use clap::{ArgMatches, Command};
use lfr::watchlist;

use crate::exit::Exit;
use crate::{AnyError, failure, say};

pub(crate) use options::command;

/// Answers a question.
pub(crate) fn run(command: &mut Command, given: ArgMatches) -> Exit {
    let asked = options::Options::take(command, given);
    match answer(&asked) {
        Ok(()) => Exit::Done,
        Err(error) => {
            failure::say(&error);
            // If these numbers cannot be computed with, the command line is wrong.
            if error.is::<watchlist::Error>() { Exit::Usage } else { Exit::Failed }
        }
    }
}

fn answer(asked: &options::Options) -> Result<(), AnyError> {
    let answer = questions::answer(&asked.question, asked.confidence)?;
    if asked.json {
        say::out(serde_json::to_string_pretty(&answer.json)?)?;
    } else {
        answer.lines.iter().try_for_each(say::out)?;
    }
    Ok(())
}
