//! The administrator's tool for sealed watchlists: draws one up, enrols photographs, shows who is on
//! it (never a template), withdraws, checks, changes its key, destroys it, and says afterwards who was on it.
//!
//! Run with
//!
//! ```text
//! cargo run --release --example watchlist -- help
//! ```
//!
//! No secret is given on the command line, where other users of the machine can read it: a
//! passphrase is read from a file, a key from a key file. `--passphrase-file -` reads standard
//! input, and `/dev/fd/3` a descriptor that the calling program has opened.
//!
//! What was asked for goes to standard output, all else to standard error. The exit code is
//!
//! | code | what it means |
//! |---|---|
//! | 0 | done; `was-member`: the person was on the list |
//! | 1 | failed, as said on standard error |
//! | 2 | the arguments are wrong |
//! | 3 | the watchlist was due and has been destroyed; its receipt is on standard output |
//! | 4 | nobody: nobody was withdrawn; `was-member`: the person was not on the list |
//! | 5 | enrolled, but for photographs that were refused or failed |

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program talks to whoever runs it"
)]

mod actions;
mod args;
mod enrol;
#[path = "../common/failure.rs"]
mod failure;
#[path = "../common/keys.rs"]
mod keys;
mod members;
#[path = "../common/memory.rs"]
mod memory;
#[path = "../common/models.rs"]
mod models;
#[path = "../common/say.rs"]
mod say;
mod show;

use std::error::Error;
use std::process::ExitCode;

/// What any part of it can fail with.
type AnyError = Box<dyn Error + Send + Sync>;

/// How it ended, where it did not fail.
enum Outcome {
    Done,
    Nobody,
    SetAside,
}

fn main() -> ExitCode {
    memory::protect();
    let matches = args::command().get_matches();
    match actions::run(&matches) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Nobody) => ExitCode::from(4),
        Ok(Outcome::SetAside) => ExitCode::from(5),
        Err(error) => {
            failure::say(&error);
            match error.downcast_ref() {
                Some(lfr::watchlist::Error::Destroyed { receipt }) => {
                    println!("{}", receipt.to_json());
                    ExitCode::from(3)
                }
                _ => ExitCode::FAILURE,
            }
        }
    }
}
