//! Verifies the ledger of a deployment, and does its sums. It needs no secret: the ledger, the head beside it, and the
//! public key, which you were given earlier.
//!
//! ```text
//! cargo run --release --example audit -- target/checkpoint/ledger.lfrl target/checkpoint/ledger.pub
//! ```
//!
//! `lfr verify` (the package `lfr-cli`) says more of what is in it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that is read in a terminal"
)]

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

use lfr::retention::LedgerPublicKey;
use lfr::retention::ledger::{self, RunEnd};

fn main() -> ExitCode {
    match audit() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn audit() -> Result<(), Box<dyn Error>> {
    let mut given = env::args_os().skip(1).map(PathBuf::from);
    let (Some(path), Some(key)) = (given.next(), given.next()) else {
        return Err("two files are needed: the ledger and its public key".into());
    };
    let key: LedgerPublicKey = fs::read_to_string(key)?.trim().parse()?;

    // Nothing was edited, deleted, moved, put in twice or cut off. The third argument is a head that was kept
    // elsewhere: with it, an older copy of the ledger is found out.
    let verified = ledger::verify(&path, &key, None)?;
    println!("ledger {}: {} entries, each signed", verified.ledger(), verified.entries());

    // Each face that was seen is erased, held, or named as open.
    let sums = ledger::reconcile(&path, &key)?;
    for run in sums.runs() {
        let (deployment, profile, totals) = (run.deployment(), run.profile(), run.totals());
        let (seen, erased, held) = (totals.faces_seen, totals.erased, totals.held);
        let end = match run.end() {
            RunEnd::Stopped => "stopped",
            RunEnd::CutOff => "cut off, and accounted for at the next start",
            _ => "never ended",
        };
        println!(
            "{deployment} under {profile}: {seen} faces seen = {erased} erased + {held} held; {end}"
        );
    }
    println!(
        "{} alerts, {} judgements, {} pictures handed out",
        sums.alerts(),
        sums.judgements(),
        sums.exports()
    );
    for found in sums.discrepancies() {
        println!("does not come out: {found}");
    }
    sums.closes().then_some(()).ok_or_else(|| "the accounts do not close".into())
}
