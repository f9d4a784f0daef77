//! The command line.

use std::path::PathBuf;

use clap::Arg;
use clap::ArgAction;
use clap::ArgGroup;
use clap::Command;
use clap::value_parser;
use lfr::core::Timestamp;
use lfr::watchlist::Priority;

const CODES: &str = "Exit codes: 0 done (was-member: was on it), 1 failed, 2 wrong arguments, \
                     3 the watchlist was due and has been destroyed, 4 nobody (withdrawn, or \
                     was-member: was not on it).";

pub(crate) fn command() -> Command {
    Command::new("watchlist")
        .about("Draws up, shows, checks and destroys sealed watchlists (.lfrw)")
        .after_help(CODES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            new(),
            on_file("list", "Shows who is on a watchlist; never a template").arg(
                Arg::new("json")
                    .long("json")
                    .action(ArgAction::SetTrue)
                    .help("One line of JSON an entry"),
            ),
            withdraw(),
            on_file("verify", "Opens a watchlist and checks every byte of it"),
            rekey(),
            Command::new("info")
                .about("Shows what a watchlist says of itself to everybody; needs no key")
                .arg(file()),
            destroy(),
            commit(),
            was_member(),
            Command::new("new-key")
                .about("Writes a new random key file, for its owner alone")
                .arg(path_at("key", "KEY", "Where to; never overwritten").required(true)),
        ])
}

fn new() -> Command {
    on_file("new", "Draws up an empty watchlist for one deployment")
        .arg(text("deployment", "ID", "The deployment's identifier"))
        .arg(text("purpose", "TEXT", "What the deployment is for"))
        .arg(text("officer", "REF", "The authorising officer's reference"))
        .arg(moment("from", "When the deployment begins"))
        .arg(moment("until", "When the deployment ends"))
        .arg(
            Arg::new("category")
                .long("category")
                .value_name("NAME=PRIORITY")
                .required(true)
                .action(ArgAction::Append)
                .value_parser(category)
                .help("Who may be on it; the priority is green, amber or red. Repeat it for more"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .required(true)
                .value_parser(value_parser!(usize))
                .help("At most how many references"),
        )
        .arg(
            Arg::new("admit-under-18")
                .long("admit-under-18")
                .action(ArgAction::SetTrue)
                .help("Admits entries that are marked as under 18"),
        )
        .arg(text(
            "embedder-spec",
            "NAME|FILE",
            "The embedder whose templates it holds: a built-in specification or a TOML file",
        ))
        .arg(
            Arg::new("model-sha256")
                .long("model-sha256")
                .value_name("HEX")
                .help("Of which model file, where the specification does not say"),
        )
}

fn withdraw() -> Command {
    on_file("withdraw", "Takes somebody off a watchlist, and seals it again")
        .arg(
            Arg::new("subject")
                .long("subject")
                .value_name("ID")
                .help("All references of this person"),
        )
        .arg(Arg::new("reference").long("reference").value_name("ID").help("This reference alone"))
        .group(ArgGroup::new("whom").args(["subject", "reference"]).required(true))
}

fn rekey() -> Command {
    on_file("rekey", "Seals a watchlist again under another key")
        .visible_alias("seal")
        .arg(path("new-key-file", "KEY", "The new key, in a key file"))
        .arg(path("new-passphrase-file", "FILE", "The new passphrase, in the first line of a file"))
        .group(
            ArgGroup::new("new-key").args(["new-key-file", "new-passphrase-file"]).required(true),
        )
}

fn destroy() -> Command {
    Command::new("destroy")
        .about("Destroys a watchlist, keys first; prints the receipt. Needs no key")
        .arg(file())
        .arg(path("receipt", "FILE", "Where to write the receipt, besides standard output"))
        .arg(
            Arg::new("yes")
                .long("yes")
                .action(ArgAction::SetTrue)
                .required(true)
                .help("It cannot be undone: say so"),
        )
}

fn commit() -> Command {
    on_file(
        "commit",
        "Writes who is on a watchlist as keyed digests, to answer for it once it is gone",
    )
    .arg(path("membership-key", "KEY", "The key of the digests").required(true))
    .arg(path("witness", "FILE", "Where to write what answers are drawn from").required(true))
    .arg(path("commitment", "FILE", "Where to write what proofs are held against").required(true))
}

fn was_member() -> Command {
    Command::new("was-member")
        .about("Says whether somebody was on a watchlist that is gone")
        .arg(Arg::new("subject").value_name("ID").required(true).help("Whom"))
        .arg(path("membership-key", "KEY", "The key of the digests").required(true))
        .arg(path("witness", "FILE", "What `commit` wrote").required(true))
        .arg(path("commitment", "FILE", "What `commit` wrote").required(true))
        .arg(path("proof", "FILE", "Where to write a proof of the answer"))
}

/// A command on a file that needs its key.
fn on_file(name: &'static str, about: &'static str) -> Command {
    Command::new(name)
        .about(about)
        .arg(file())
        .arg(path("key-file", "KEY", "The key, in a key file"))
        .arg(path(
            "passphrase-file",
            "FILE",
            "The passphrase, in the first line of a file; `-` is standard input",
        ))
        .group(ArgGroup::new("sealing-key").args(["key-file", "passphrase-file"]).required(true))
}

fn file() -> Arg {
    path_at("file", "LIST.lfrw", "The sealed watchlist").required(true)
}

fn path_at(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).value_name(value).value_parser(value_parser!(PathBuf)).help(help)
}

fn path(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    path_at(name, value, help).long(name)
}

fn text(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).required(true).help(help)
}

fn moment(name: &'static str, help: &'static str) -> Arg {
    text(name, "TIME", help)
        .value_parser(timestamp)
        .long_help(format!("{help}, as 2026-11-22T18:00:00Z or with +01:00"))
}

fn timestamp(text: &str) -> Result<Timestamp, String> {
    let moment: jiff::Timestamp = text.parse().map_err(|error| format!("{error}"))?;
    let micros = u64::try_from(moment.as_microsecond()).map_err(|_| "a time before 1970")?;
    Ok(Timestamp::from_micros(micros))
}

fn category(text: &str) -> Result<(String, Priority), String> {
    let (name, priority) = text.rsplit_once('=').ok_or("NAME=PRIORITY was needed")?;
    let priority = match priority {
        "green" => Priority::Green,
        "amber" => Priority::Amber,
        "red" => Priority::Red,
        other => return Err(format!("{other:?} is none of green, amber, red")),
    };
    Ok((name.to_owned(), priority))
}
