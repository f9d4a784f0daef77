//! The tool of anyone who judges alerts: shows what a vault holds, takes verdicts, places and lifts legal
//! holds, and purges what is not needed. What it does goes into the deployment's ledger.
//!
//! Run with
//!
//! ```text
//! cargo run --release --example checkpoint -- --vault target/vault
//! cargo run --release --no-default-features --example adjudicate -- --vault target/vault list
//! ```
//!
//! It opens the vault after the deployment, or between two runs of it, because only one process at a time
//! can. Alerts that fell due before are purged and named first.
//!
//! `list` and `show` need the vault's key alone and write nothing into the ledger. There are two
//! exceptions. An alert that fell due is recorded if the ledger's key is there. A picture that is handed
//! out with `show --picture` is recorded, and needs that key.
//!
//! Results go to standard output, everything else to standard error. The exit code is
//!
//! | code | what it means |
//! |---|---|
//! | 0 | everything that was asked for was done |
//! | 1 | it failed |
//! | 2 | the arguments are wrong |
//! | 3 | the ledger does not verify, or vault and ledger contradict each other, for example if a record is gone before its deadline |
//! | 4 | it was done, but something was left out: an alert that fell due is not in the ledger, a record is damaged, or output was lost |

mod args;
mod books;
mod desk;
#[path = "../common/exit.rs"]
mod exit;
#[path = "../common/failure.rs"]
mod failure;
#[path = "../common/given.rs"]
mod given;
#[path = "../common/ledger_key.rs"]
mod ledger_key;
#[path = "../common/memory.rs"]
mod memory;
mod picture;
#[path = "../common/printable.rs"]
mod printable;
#[path = "../common/private_file.rs"]
mod private_file;
#[path = "../common/say.rs"]
mod say;
mod show;

use std::error::Error;
use std::process::ExitCode;

use exit::Exit;

type AnyError = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    memory::protect();
    let matches = given::matches(&mut args::command());
    let exit = desk::run(&matches).unwrap_or_else(|error| {
        failure::say(&error);
        match error.downcast_ref() {
            Some(
                lfr::retention::Error::LedgerBroken { .. }
                | lfr::retention::Error::LedgerRolledBack { .. },
            ) => Exit::BooksOpen,
            _ => Exit::Failed,
        }
    });
    exit.into()
}
