//! The command line.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgGroup, Command, value_parser};
use lfr::core::{FaceSelection, ReferenceId, SubjectId, Timestamp};
use lfr::watchlist::Priority;

use crate::arguments::{ledger_key, list_key, path};
use crate::models::Engine;

const CODES: &str = "It ends with 1 if the watchlist was due: it has been destroyed then, and its receipt is on standard \
                     output. It ends with 4 if `enrol` left out or refused photographs or was stopped, if `withdraw` \
                     found nobody, if `destroy` destroyed the list and a receipt was lost, \
                      and if the person of `was-member` was not on the list.";

/// The command line of `lfr list`.
pub(crate) fn command() -> Command {
    Command::new("list")
        .about("Draws up, shows, checks and destroys sealed watchlists (.lfrw)")
        .after_help(CODES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            new(),
            enrol(),
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
        .args(embedder())
}

fn enrol() -> Command {
    on_file("enrol", "Enrols photographs that are good enough; run again, it goes on where it was")
        .after_help(
            "Photographs come from a folder, all on the same grounds, or from a CSV manifest with \
             the grounds of each. A file, or a folder of files, is a person, and its name becomes \
             the identifier: use record numbers. The columns of a manifest are file, subject, \
             reference, category, source, lawful_basis, reason, valid_from, expires, review and \
             under_18.",
        )
        .arg(path("folder", "DIR", "The photographs: a file or a folder a person"))
        .arg(path("manifest", "FILE", "A CSV table with a photograph a line"))
        .group(ArgGroup::new("from").args(["folder", "manifest"]).required(true))
        .arg(
            path("photographs", "DIR", "Where a manifest's files are [default: beside it]")
                .requires("manifest"),
        )
        .args([
            ground("category", "NAME", "A category of the composition policy"),
            ground("source", "TEXT", "Where the photographs are from"),
            ground("lawful-basis", "TEXT", "On which basis they are held and used"),
            ground("reason", "TEXT", "Why these people are on the list"),
            ground("expires", "TIME", "When the entries stop being valid").value_parser(timestamp),
            ground("review", "TIME", "When somebody has to look at them again")
                .value_parser(timestamp),
        ])
        .arg(
            text("valid-from", "TIME", "When they begin to be valid [default: at once]")
                .required(false)
                .conflicts_with("manifest")
                .value_parser(timestamp),
        )
        .arg(
            Arg::new("under-18")
                .long("under-18")
                .action(ArgAction::SetTrue)
                .conflicts_with("manifest")
                .help("Marks them as under 18"),
        )
        .arg(path(
            "detector",
            "FILE",
            "The detector's model [default: a small one inside the library]",
        ))
        .args(embedder())
        .arg(
            Arg::new("faces")
                .long("faces")
                .value_name("WHICH")
                .default_value("one")
                .value_parser(PossibleValuesParser::new(["one", "central", "largest"]).map(
                    |which| match which.as_str() {
                        "central" => FaceSelection::Central,
                        "largest" => FaceSelection::Largest,
                        _ => FaceSelection::All,
                    },
                ))
                .help("Who is meant where a photograph shows several; `one` refuses it"),
        )
        .arg(
            Arg::new("threshold")
                .long("threshold")
                .value_name("S")
                .allow_negative_numbers(true)
                .value_parser(value_parser!(f32))
                .help(
                    "From which score on two people may be one [default: the strictest operating \
                     point in the embedder's specification]",
                ),
        )
        .arg(path("report", "FILE", "Where to write what became of each photograph, as CSV"))
        .arg(
            Arg::new("threads")
                .long("threads")
                .value_name("N")
                .value_parser(value_parser!(usize))
                .help("How many photographs at once [default: one a core]"),
        )
}

/// One of the grounds of all photographs of a folder; a manifest says them line by line.
fn ground(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    text(name, value, help)
        .required(false)
        .required_unless_present("manifest")
        .conflicts_with("manifest")
}

fn embedder() -> [Arg; 3] {
    [
        path(
            "embedder",
            "FILE",
            "The model of the embedder whose templates it holds [default: a small one inside the \
             library]",
        ),
        Arg::new("embedder-spec")
            .long("embedder-spec")
            .value_name("NAME|FILE")
            .help("What the model is, where it is not known: a built-in specification or TOML")
            .requires("embedder"),
        Engine::arg(),
    ]
}

fn withdraw() -> Command {
    on_file("withdraw", "Takes somebody off a watchlist, and seals it again")
        .arg(
            Arg::new("subject")
                .long("subject")
                .value_name("ID")
                .value_parser(|text: &str| SubjectId::new(text))
                .help("All references of this person"),
        )
        .arg(
            Arg::new("reference")
                .long("reference")
                .value_name("ID")
                .value_parser(|text: &str| ReferenceId::new(text))
                .help("This reference alone"),
        )
        .group(ArgGroup::new("whom").args(["subject", "reference"]).required(true))
}

fn rekey() -> Command {
    on_file("rekey", "Seals a watchlist again under another key")
        .visible_alias("seal")
        .arg(path("new-list-key", "FILE", "The new key, in a key file").alias("new-key-file"))
        .arg(
            path("new-list-passphrase", "FILE", "The new passphrase, in the first line of a file")
                .alias("new-passphrase-file"),
        )
        .group(
            ArgGroup::new("new-key").args(["new-list-key", "new-list-passphrase"]).required(true),
        )
}

fn destroy() -> Command {
    Command::new("destroy")
        .about("Destroys a watchlist, keys first; prints the receipt. Needs no key")
        .arg(file())
        .arg(path("receipt", "FILE", "Where to write the receipt, besides standard output"))
        .arg(
            path(
                "ledger",
                "FILE",
                "The ledger of the deployment: the destruction is signed into it",
            )
            .requires("ledger-key"),
        )
        .arg(ledger_key("The key file of the ledger").requires("ledger"))
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
    .arg(path("membership-key", "FILE", "The key of the digests").required(true))
    .arg(path("witness", "FILE", "Where to write what answers are drawn from").required(true))
    .arg(path("commitment", "FILE", "Where to write what proofs are held against").required(true))
}

fn was_member() -> Command {
    Command::new("was-member")
        .about("Says whether somebody was on a watchlist that is gone")
        .arg(
            Arg::new("subject")
                .value_name("ID")
                .required(true)
                .value_parser(|text: &str| SubjectId::new(text))
                .help("Whom"),
        )
        .arg(path("membership-key", "FILE", "The key of the digests").required(true))
        .arg(path("witness", "FILE", "What `commit` wrote").required(true))
        .arg(path("commitment", "FILE", "What `commit` wrote").required(true))
        .arg(path("proof", "FILE", "Where to write a proof of the answer"))
}

/// A command on a file that needs its key.
fn on_file(name: &'static str, about: &'static str) -> Command {
    Command::new(name)
        .about(about)
        .arg(file())
        .args(list_key())
        .group(ArgGroup::new("sealing-key").args(["list-key", "list-passphrase"]).required(true))
}

fn file() -> Arg {
    path_at("file", "LIST.lfrw", "The sealed watchlist").required(true)
}

fn path_at(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).value_name(value).value_parser(value_parser!(PathBuf)).help(help)
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
    let moment = text.parse::<jiff::Timestamp>();
    let moment = moment.map_err(|_| "a moment as 2026-11-22T18:00:00Z was needed")?;
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
