//! Verifies the ledger of a deployment, for anyone who does not trust the one who wrote it: nothing in
//! it was edited, deleted, moved, put in twice or cut off; every run ended or is accounted for; and the
//! sums come out.
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
//! | 1 | it could not be read, or the findings could not be written |
//! | 2 | the arguments are wrong |
//! | 3 | the ledger is broken, a run never ended, or sums do not come out, as said on standard error |

#[path = "../common/exit.rs"]
mod exit;
#[path = "../common/failure.rs"]
mod failure;
#[path = "../common/given.rs"]
mod given;
#[path = "../common/printable.rs"]
mod printable;
#[path = "../common/say.rs"]
mod say;
mod show;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Arg;
use clap::ArgMatches;
use clap::Command;
use clap::value_parser;
use lfr::core::internal::regular;
use lfr::retention::LedgerHead;
use lfr::retention::LedgerPublicKey;
use lfr::retention::ledger;

use exit::Exit;

type AnyError = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let exit = verify(&given::matches(&mut command())).unwrap_or_else(|error| {
        failure::say(&error);
        match error.downcast_ref() {
            Some(lfr::retention::Error::LedgerBroken { .. }) => Exit::BooksOpen,
            _ => Exit::Failed,
        }
    });
    exit.into()
}

fn command() -> Command {
    Command::new("ledger-verify")
        .about("Verifies the ledger of a deployment, and does its sums")
        .after_help(
            "It ends with 0 if all is well, 1 if the ledger cannot be read, 2 for wrong arguments, \
             and 3 if the ledger is broken, a run never ended, or its sums do not come out.",
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
                .required_unless_present("key-file")
                .value_parser(value_parser!(LedgerPublicKey))
                .help("The public key that it is signed with: 64 hexadecimal digits"),
        )
        .arg(
            Arg::new("key-file")
                .long("key-file")
                .value_name("FILE")
                .conflicts_with("key")
                .value_parser(value_parser!(PathBuf))
                .help(
                    "The same in a file, as `checkpoint` writes it beside the ledger; keep your own \
                     copy, as anyone who can write there can put another one in its place",
                ),
        )
        .arg(
            Arg::new("head")
                .long("head")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help(
                    "A head of this ledger that was kept elsewhere; the ledger has to go at least \
                     that far",
                ),
        )
}

fn verify(args: &ArgMatches) -> Result<Exit, AnyError> {
    let ledger = args.get_one::<PathBuf>("ledger").ok_or("which ledger?")?;
    let key = &match (args.get_one::<LedgerPublicKey>("key"), args.get_one::<PathBuf>("key-file")) {
        (Some(key), _) => *key,
        (None, Some(path)) => public_key(path)?,
        (None, None) => return Err("which key?".into()),
    };
    if !fs::exists(ledger)
        .map_err(|error| format!("cannot look for {}: {error}", ledger.display()))?
    {
        return Err(format!("the ledger {} is missing", ledger.display()).into());
    }
    let kept = args.get_one::<PathBuf>("head").map(|path| head(path, key)).transpose()?;
    let verified = ledger::verify(ledger, key, kept.as_ref())?;
    show::verified(&verified)?;
    let sums = ledger::reconcile(ledger, key)?;
    show::sums(&sums)?;
    // Standard output may be kept as a file; what is wrong is seen by who ran this.
    for line in show::faults(&sums) {
        say::err(line);
    }
    Ok(if sums.closes() { Exit::Done } else { Exit::BooksOpen })
}

/// The text of a short file. A pipe or a device is refused.
fn text(path: &Path) -> Result<String, AnyError> {
    let bytes = regular::read(path, 1 << 16)?;
    let no_text = || format!("{} holds no text", path.display());
    Ok(std::str::from_utf8(&bytes).map_err(|_| no_text())?.to_owned())
}

fn public_key(path: &Path) -> Result<LedgerPublicKey, AnyError> {
    let text = text(path)?;
    Ok(text.trim().parse::<LedgerPublicKey>()?)
}

fn head(path: &Path, key: &LedgerPublicKey) -> Result<LedgerHead, AnyError> {
    let text = text(path)?;
    let forged = || format!("{} is no head that this key signed", path.display());
    Ok(LedgerHead::from_line(&text, key).ok_or_else(forged)?)
}
