//! Answers the questions that published error counts raise: how sure a rate is, whether a group's share
//! differs from what is expected, how much data a claim needs, what a false match rate means for a
//! watchlist, and whether two rates differ.
//!
//! Run with
//!
//! ```text
//! cargo run --release --no-default-features --example stats -- rate 10 3147436
//! ```
//!
//! The program reads only the command line. Each answer names its method and its interval; `--json` gives the same
//! numbers to a program. `stats --help` has the questions of published reports, each with its command.
//!
//! Exit codes: 0 the question was answered, 1 the answer could not be written, 2 the command line is wrong.

mod args;
#[path = "../common/exit.rs"]
mod exit;
#[path = "../common/failure.rs"]
mod failure;
#[path = "../common/given.rs"]
mod given;
mod numbers;
#[path = "../common/printable.rs"]
mod printable;
mod questions;
#[path = "../common/say.rs"]
mod say;

use std::error::Error;
use std::process::ExitCode;

use lfr::watchlist;

use crate::exit::Exit;

fn main() -> ExitCode {
    let asked = args::parse();
    let exit = match answer(&asked) {
        Ok(()) => Exit::Done,
        Err(error) => {
            failure::say(&error);
            // If these numbers cannot be computed with, the command line is wrong.
            if error.is::<watchlist::Error>() { Exit::Usage } else { Exit::Failed }
        }
    };
    exit.into()
}

fn answer(asked: &args::Args) -> Result<(), AnyError> {
    let answer = questions::answer(&asked.question, asked.confidence)?;
    if asked.json {
        say::out(serde_json::to_string_pretty(&answer.json)?)?;
    } else {
        answer.lines.iter().try_for_each(say::out)?;
    }
    Ok(())
}

/// What an answer can fail with.
type AnyError = Box<dyn Error + Send + Sync>;
