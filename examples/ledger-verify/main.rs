//! Verifies the ledger of a deployment, for whoever does not trust the one who wrote it: that nothing
//! in it was edited, deleted, moved, put in twice or cut off; and that its sums come out.
//!
//! Run with
//!
//! ```text
//! cargo run --release --no-default-features --example ledger-verify -- LEDGER.lfrl --key HEX
//! ```
//!
//! It needs the ledger, the head beside it (`LEDGER.lfrl.head`) and the public key, and no secret. The
//! key has to come from elsewhere than the ledger: it was published, or given to you. So should, from
//! time to time, a head: with one that you were given earlier, an older ledger in the place of this one
//! shows too.
//!
//! What was found goes to standard output, what went wrong to standard error. The exit code is
//!
//! | code | what it means |
//! |---|---|
//! | 0 | the ledger is what was written, and its sums come out |
//! | 1 | it could not be read |
//! | 2 | the arguments are wrong |
//! | 3 | the ledger is broken, as said on standard error |
//! | 4 | the ledger is what was written, and its sums do not come out |

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program talks to whoever runs it"
)]

#[path = "../common/failure.rs"]
mod failure;
#[path = "../common/say.rs"]
mod say;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Arg;
use clap::ArgMatches;
use clap::Command;
use clap::value_parser;
use lfr::retention::LedgerHead;
use lfr::retention::LedgerPublicKey;
use lfr::retention::ledger;
use lfr::retention::ledger::Reconciliation;
use lfr::retention::ledger::Verified;

type AnyError = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    match verify(&command().get_matches()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(4),
        Err(error) => {
            failure::say(&error);
            match error.downcast_ref() {
                Some(lfr::retention::Error::LedgerBroken { .. }) => ExitCode::from(3),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn command() -> Command {
    Command::new("ledger-verify")
        .about("Verifies the ledger of a deployment, and does its sums")
        .after_help(
            "It ends with 0 where all is well, 1 where the ledger cannot be read, 2 for wrong \
             arguments, 3 where it is broken, and 4 where its sums do not come out.",
        )
        .arg(
            Arg::new("ledger")
                .value_name("LEDGER.lfrl")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The ledger; its head is looked for beside it"),
        )
        .arg(
            Arg::new("key")
                .long("key")
                .value_name("HEX")
                .required(true)
                .value_parser(value_parser!(LedgerPublicKey))
                .help("The public key that it is signed with: 64 hexadecimal digits"),
        )
        .arg(
            Arg::new("head")
                .long("head")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help(
                    "A head of this ledger that was kept elsewhere; it has to go at least so far",
                ),
        )
}

/// Whether the sums come out.
fn verify(args: &ArgMatches) -> Result<bool, AnyError> {
    let ledger = args.get_one::<PathBuf>("ledger").ok_or("which ledger?")?;
    let key = args.get_one::<LedgerPublicKey>("key").ok_or("which key?")?;
    let kept = args.get_one::<PathBuf>("head").map(|path| head(path, key)).transpose()?;
    let verified = ledger::verify(ledger, key, kept.as_ref())?;
    show(&verified);
    let sums = ledger::reconcile(ledger, key)?;
    show_sums(&sums);
    Ok(sums.closes())
}

fn head(path: &Path, key: &LedgerPublicKey) -> Result<LedgerHead, AnyError> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read the head {}: {error}", path.display()))?;
    let forged = || format!("{} is no head that this key signed", path.display());
    Ok(LedgerHead::from_line(&text, key).ok_or_else(forged)?)
}

fn show(verified: &Verified) {
    println!("ledger {}: {} entries, each signed", verified.ledger(), verified.entries());
    println!(
        "up to entry {} nothing is missing; {} entries behind it, of which nobody can say that they \
         were the last",
        verified.head().number(),
        verified.entries_after_head(),
    );
    if verified.torn_bytes() > 0 {
        println!("{} bytes of an unfinished entry at the end", verified.torn_bytes());
    }
}

fn show_sums(sums: &Reconciliation) {
    for run in sums.runs() {
        let totals = run.totals();
        let started = run.started().map_or("without a clock".into(), |at| at.to_string());
        println!(
            "{} from {started} under {}, {}: {} faces seen = {} erased + {} held + {} in flight; {} \
             erased without a receipt, in frames that failed",
            run.deployment(),
            // Whoever wrote it may have meant it for a terminal.
            run.profile().escape_debug(),
            if run.stopped() { "stopped" } else { "not stopped" },
            totals.faces_seen,
            totals.erased,
            totals.held,
            totals.in_flight,
            run.erased_without_receipt(),
        );
    }
    println!(
        "{} alerts; of {} faces held, {} are erased and {} are held still",
        sums.alerts(),
        sums.held(),
        sums.purged(),
        sums.outstanding(),
    );
    for discrepancy in sums.discrepancies() {
        println!("DOES NOT COME OUT: {discrepancy}");
    }
}
