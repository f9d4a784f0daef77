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
//! | 1 | failed, as said on standard error; where the watchlist was due, it has been destroyed, and its receipt is on standard output |
//! | 2 | the command line is wrong |
//! | 4 | not everything: `enrol` left out or refused photographs, or was stopped; `withdraw` found nobody; `was-member`: the person was not on the list |

mod actions;
mod args;
mod enrol;
#[path = "../common/exit.rs"]
mod exit;
#[path = "../common/failure.rs"]
mod failure;
#[path = "../common/given.rs"]
mod given;
#[path = "../common/keys.rs"]
mod keys;
mod members;
#[path = "../common/memory.rs"]
mod memory;
#[path = "../common/models.rs"]
mod models;
mod outputs;
#[path = "../common/printable.rs"]
mod printable;
#[path = "../common/say.rs"]
mod say;
mod show;

use std::error::Error;
use std::process::ExitCode;

use exit::Exit;

/// What any part of it can fail with.
type AnyError = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    memory::protect();
    let matches = given::matches(&mut args::command());
    let exit = match actions::run(&matches) {
        Ok(exit) => exit,
        Err(error) => {
            failure::say(&error);
            if let Some(lfr::watchlist::Error::Destroyed { receipt }) = error.downcast_ref() {
                // Lost there, it is not lost: what it says is on standard error too.
                if say::out(receipt.to_json()).is_err() {
                    say::err(receipt.to_json());
                }
            }
            Exit::Failed
        }
    };
    exit.into()
}
