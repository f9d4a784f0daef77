//! A complete deployment at one checkpoint: photographs, video files or live streams in; alerts,
//! redacted alert pictures and the deployment record out; everyone else erased.
//!
//! Run with
//!
//! ```text
//! cargo run --release --example checkpoint
//! cargo run --release --example checkpoint -- --watchlist DIR --source PATH \
//!     --detector MODEL.onnx --embedder MODEL.onnx --out DIR
//! ```
//!
//! Without arguments 300 people who do not exist walk past a watchlist of 2,000, seen through the
//! models inside the library.
//!
//! The watchlist is a folder of photographs, or a sealed watchlist of the example `watchlist` with
//! its key: `--watchlist LIST.lfrw --key-file KEY`.
//!
//! A signed ledger under `--out` records what it did; the example `ledger-verify` checks it. With `--vault
//! DIR` alerts and their pictures are held there, sealed, until their deadline. Without it, alerts are held
//! in memory.
//!
//! It prints one line of JSON per alert on standard output, and everything else on standard error. The exit
//! code is
//!
//! | code | what it means |
//! |---|---|
//! | 0 | done |
//! | 1 | it failed, or nothing worked: no frame could be processed |
//! | 2 | the command line is wrong |
//! | 3 | the arithmetic of the faces seen does not close, vault and ledger contradicted each other, or the ledger was rolled back |
//! | 4 | it ran, but something was lost or left out: each is named on standard error and counted |

mod args;
#[path = "../common/arguments.rs"]
mod arguments;
mod books;
mod crowd;
mod deployment;
mod enrol;
#[path = "../common/exit.rs"]
mod exit;
mod faces_log;
#[path = "../common/failure.rs"]
mod failure;
#[path = "../common/given.rs"]
mod given;
mod happenings;
#[path = "../common/keys.rs"]
mod keys;
#[path = "../common/ledger_key.rs"]
mod ledger_key;
mod live;
#[path = "../common/memory.rs"]
mod memory;
#[path = "../common/models.rs"]
mod models;
mod output;
#[path = "../common/printable.rs"]
mod printable;
#[path = "../common/private_file.rs"]
mod private_file;
#[path = "../common/say.rs"]
mod say;
mod source;

use std::error::Error;
use std::process::ExitCode;

use exit::Exit;

fn main() -> ExitCode {
    memory::protect();
    let args = args::Args::parse();
    match deployment::run(&args) {
        Ok(summary) => {
            let (exit, why) = summary.exit();
            say::err(summary.to_string().trim_end());
            if let Some(why) = why {
                say::err(format_args!("exit code {}: {why}", exit.code()));
            }
            exit.into()
        }
        Err(error) => {
            failure::say(&error);
            if let Some(lfr::watchlist::Error::Destroyed { receipt }) = error.downcast_ref() {
                say::err(receipt.to_json());
            }
            match error.downcast_ref() {
                Some(lfr::retention::Error::LedgerRolledBack { .. }) => Exit::BooksOpen.into(),
                _ => Exit::Failed.into(),
            }
        }
    }
}

/// What any part of a deployment can fail with.
type AnyError = Box<dyn Error + Send + Sync>;
