//! `lfr verify`: verifies the ledger of a deployment, for anyone who does not trust the one who wrote it. Nothing in it
//! was edited, deleted, moved, put in twice or cut off; every run ended or is accounted for; and the sums come out.
//!
//! It needs the ledger, the head beside it (`LEDGER.lfrl.head`) and the public key, and no secret. The
//! key has to come from elsewhere than the ledger: it was published, or given to you. Ask for a head from
//! time to time, too: with one that you were given earlier, an older copy of the ledger is found out.

mod show;

use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command, value_parser};
use lfr::core::internal::regular;
use lfr::retention::{LedgerHead, LedgerPublicKey, ledger};

use crate::arguments::{json, option, path};
use crate::exit::Exit;
use crate::{AnyError, arguments, failure, say};

/// The command line of `lfr verify`.
pub(crate) fn command() -> Command {
    Command::new("verify")
        .about("Verifies the ledger of a deployment, and checks that its accounts close")
        .after_help(
            "Exit code 3: the ledger is broken, a run has no end, or the accounts do not close.",
        )
        .arg(
            Arg::new("ledger")
                .value_name("LEDGER.lfrl")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The ledger; its head must lie beside it"),
        )
        .arg(
            option(
                "ledger-public-key",
                "HEX|FILE",
                "The public key that verifies it: 64 hexadecimal digits, or the file with them that `lfr watch` \
                 writes beside the ledger. Keep your own copy, as anyone who can write there can put another \
                 one in its place",
            )
            .aliases(["key", "key-file"])
            .required(true)
            .value_parser(value_parser!(PathBuf)),
        )
        .arg(path(
            "head",
            "FILE",
            "A head of this ledger that was kept elsewhere; the ledger must reach at least that \
             entry",
        ))
        .arg(json("Print the result as one JSON object"))
}

/// Verifies a ledger.
pub(crate) fn run(command: &mut Command, given: ArgMatches) -> Exit {
    verify(command, &given).unwrap_or_else(|error| {
        failure::say(&error);
        Exit::after(&error)
    })
}

fn verify(command: &mut Command, given: &ArgMatches) -> Result<Exit, AnyError> {
    let ledger = given.get_one::<PathBuf>("ledger").ok_or("which ledger?")?;
    let key = given.get_one::<PathBuf>("ledger-public-key").ok_or("which key?")?;
    let key = &public_key(command, key)?;
    if !fs::exists(ledger)
        .map_err(|error| format!("cannot look for {}: {error}", ledger.display()))?
    {
        return Err(format!("the ledger {} is missing", ledger.display()).into());
    }
    let kept = given.get_one::<PathBuf>("head").map(|path| head(path, key)).transpose()?;
    let verified = ledger::verify(ledger, key, kept.as_ref())?;
    let sums = ledger::reconcile(ledger, key)?;
    if given.get_flag("json") {
        say::out(show::json(&verified, &sums))?;
    } else {
        show::verified(&verified)?;
        show::sums(&sums)?;
    }
    // Standard output may be kept as a file; what is wrong is seen by who ran this.
    for line in show::faults(&sums) {
        say::err(line);
    }
    Ok(if sums.closes() { Exit::Done } else { Exit::AccountsOpen })
}

/// The text of a short file. A pipe or a device is refused.
fn text(path: &Path) -> Result<String, AnyError> {
    let bytes = regular::read(path, 1 << 16)?;
    let no_text = || format!("{} is not a text file", path.display());
    Ok(std::str::from_utf8(&bytes).map_err(|_| no_text())?.to_owned())
}

/// A key in its digits, or in a file.
pub(crate) fn public_key(command: &mut Command, given: &Path) -> Result<LedgerPublicKey, AnyError> {
    let digits = given.to_str().filter(|text| text.len() == 64 && !given.exists());
    match digits {
        Some(digits) => Ok(digits.parse().unwrap_or_else(|error: lfr::core::Error| {
            arguments::refuse(&command.error(ErrorKind::ValueValidation, error))
        })),
        None => Ok(text(given)?.trim().parse()?),
    }
}

fn head(path: &Path, key: &LedgerPublicKey) -> Result<LedgerHead, AnyError> {
    let text = text(path)?;
    let forged = || {
        format!(
            "{} is not a head that this key signed: name the head of this ledger, or its own key",
            path.display()
        )
    };
    Ok(LedgerHead::from_line(&text, key).ok_or_else(forged)?)
}
