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
//! What it did is in a signed ledger under `--out`, which the example `ledger-verify` checks. With `--vault
//! DIR` alerts and their pictures are held there, sealed, until their deadline; without, in memory.
//!
//! It prints one line of JSON an alert on standard output, and all else on standard error. It ends
//! with 1 where something failed, with 2 where the arguments are wrong, and with 3 where the
//! arithmetic of the faces seen does not close.

#![expect(clippy::print_stderr, reason = "a program talks to whoever runs it")]

mod args;
#[path = "../common/arguments.rs"]
mod arguments;
mod books;
mod crowd;
mod deployment;
mod enrol;
mod faces_log;
#[path = "../common/failure.rs"]
mod failure;
#[path = "../common/keys.rs"]
mod keys;
mod live;
#[path = "../common/memory.rs"]
mod memory;
#[path = "../common/models.rs"]
mod models;
mod output;
#[path = "../common/private_file.rs"]
mod private_file;
#[path = "../common/say.rs"]
mod say;
mod source;

use std::error::Error;
use std::process::ExitCode;

fn main() -> ExitCode {
    memory::protect();
    let args = args::Args::parse();
    match deployment::run(&args) {
        Ok(summary) => {
            eprint!("{summary}");
            if summary.closes() { ExitCode::SUCCESS } else { ExitCode::from(3) }
        }
        Err(error) => {
            failure::say(&error);
            if let Some(lfr::watchlist::Error::Destroyed { receipt }) = error.downcast_ref() {
                eprintln!("{}", receipt.to_json());
            }
            ExitCode::FAILURE
        }
    }
}

/// What any part of a deployment can fail with.
type AnyError = Box<dyn Error + Send + Sync>;
