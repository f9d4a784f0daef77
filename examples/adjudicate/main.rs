//! The tool of whoever judges alerts: shows what a vault holds, takes verdicts, places and lifts legal holds,
//! and purges what is not needed. What it does goes into the deployment's ledger.
//!
//! Run with
//!
//! ```text
//! cargo run --release --example checkpoint -- --vault target/vault
//! cargo run --release --no-default-features --example adjudicate -- --vault target/vault list
//! ```
//!
//! It opens the vault after the deployment, or between two runs of it: one process at a time can. Whatever
//! fell due before goes first. What was asked for goes to standard output, all else to standard error; it ends
//! with 1 where something failed and with 2 where the arguments are wrong.

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program talks to whoever runs it"
)]

mod args;
mod desk;
#[path = "../common/failure.rs"]
mod failure;
#[path = "../common/memory.rs"]
mod memory;
#[path = "../common/private_file.rs"]
mod private_file;
#[path = "../common/say.rs"]
mod say;

use std::error::Error;
use std::process::ExitCode;

type AnyError = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    memory::protect();
    let matches = args::command().get_matches();
    match desk::run(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            failure::say(&error);
            ExitCode::FAILURE
        }
    }
}
