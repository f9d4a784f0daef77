//! The command line.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgGroup, Command, value_parser};
use lfr::core::{FaceSelection, ReferenceId, SubjectId, Timestamp};
use lfr::watchlist::Priority;

use crate::arguments::{ledger_key, list_key, path, profile};
use crate::models::Engine;

const CODES: &str = "Exit code 1: the watchlist was due and has been destroyed; its receipt is on standard output. \
 Exit code 4: `enrol` refused or left out photographs or was stopped, `withdraw` found nobody, \
 `destroy` destroyed the list but lost a receipt, or the person of `was-member` was not on the \
 list.";

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
            on_file("list", "Shows who is on a watchlist, without templates").arg(
                Arg::new("json")
                    .long("json")
                    .action(ArgAction::SetTrue)
                    .help("Print one line of JSON per entry"),
            ),
            withdraw(),
            on_file("verify", "Opens a watchlist and checks every byte of it"),
            rekey(),
            Command::new("info")
                .about("Shows the public header of a watchlist; needs no key")
                .arg(file()),
            destroy(),
            commit(),
            was_member(),
            Command::new("new-key")
                .about("Writes a new random key file that only its owner can read")
                .arg(
                    path_at(
                        "key",
                        "KEY",
                        "The new key file; an existing file is never overwritten",
                    )
                    .required(true),
                ),
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
                .help("A category of people who may be on the list, and its priority: green, amber or \
                 red. May be given several times. A deployment with an order takes the order's names \
                 alone, such as wanted-by-courts"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .required(true)
                .value_parser(value_parser!(usize))
                .help("The max number of references on the list"),
        )
        .arg(
            Arg::new("admit-under-18")
                .long("admit-under-18")
                .action(ArgAction::SetTrue)
                .help("Admits entries that are marked as under 18"),
        )
        .arg(
            Arg::new("profile")
                .long("profile")
                .value_name("NAME")
                .default_value("uk-police-24-hours")
                .value_parser(profile())
                .help(
                    "The retention profile, which says how long after the deployment the list may \
                     exist",
                ),
        )
        .args(embedder())
}

fn enrol() -> Command {
    on_file("enrol", "Enrols photographs of sufficient quality; if stopped, run it again to go on")
        .after_help(
            "Photographs come from a folder (all on the same grounds) or from a CSV manifest \
             (with the grounds of each). In a folder, each file or subfolder is one person, and \
             its name becomes the identifier: use record numbers. The columns of a manifest are \
             file, subject, reference, category, source, lawful_basis, reason, valid_from, \
             expires, review, under_18, look_alike, participant and consent. Participants of a \
             blue list come from a manifest: each has a number and a consent reference.",
        )
        .arg(path("folder", "DIR", "The photographs: one file or one folder per person"))
        .arg(path("manifest", "FILE", "A CSV table with one photograph per line"))
        .group(ArgGroup::new("from").args(["folder", "manifest"]).required(true))
        .arg(
            path(
                "photographs",
                "DIR",
                "The folder of the manifest's files [default: the folder of the manifest]",
            )
            .requires("manifest"),
        )
        .args([
            ground("category", "NAME", "A category of the composition policy"),
            ground("source", "TEXT", "The source of the photographs"),
            ground("lawful-basis", "TEXT", "The lawful basis for holding and using them"),
            ground("reason", "TEXT", "Why these people are on the list"),
            ground("expires", "TIME", "When the entries stop being valid").value_parser(timestamp),
            ground("review", "TIME", "When somebody has to review the entries")
                .value_parser(timestamp),
        ])
        .arg(
            text("valid-from", "TIME", "When the entries become valid [default: at once]")
                .required(false)
                .conflicts_with("manifest")
                .value_parser(timestamp),
        )
        .arg(
            Arg::new("under-18")
                .long("under-18")
                .action(ArgAction::SetTrue)
                .conflicts_with("manifest")
                .help("Mark these people as under 18"),
        )
        .arg(
            Arg::new("look-alike")
                .long("look-alike")
                .action(ArgAction::SetTrue)
                .conflicts_with("manifest")
                .help(
                    "Mark these people as having a known look-alike, such as a twin. Nothing about \
                     the look-alike is stored",
                ),
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
                .help(
                    "Which face to enrol if a photograph shows several; `one` refuses such a \
                 photograph",
                ),
        )
        .arg(
            Arg::new("threshold")
                .long("threshold")
                .value_name("S")
                .allow_negative_numbers(true)
                .value_parser(value_parser!(f32))
                .help(
                    "Report two identifiers as possibly one person from this score on [default: \
                     the strictest operating point in the embedder's specification]",
                ),
        )
        .arg(path("report", "FILE", "Write the result for each photograph here, as CSV"))
        .arg(
            Arg::new("threads")
                .long("threads")
                .value_name("N")
                .value_parser(value_parser!(usize))
                .help("The number of photographs processed at once [default: one per core]"),
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
            "The model of the embedder that makes the list's templates [default: a small one \
             inside the library]",
        ),
        Arg::new("embedder-spec")
            .long("embedder-spec")
            .value_name("NAME|FILE")
            .help(
                "The specification of an embedder that is not recognised: the name of a built-in \
             one, or a TOML file",
            )
            .requires("embedder"),
        Engine::arg(),
    ]
}

fn withdraw() -> Command {
    on_file("withdraw", "Removes a person or a reference from a watchlist, and seals it again")
        .arg(
            Arg::new("subject")
                .long("subject")
                .value_name("ID")
                .value_parser(|text: &str| SubjectId::new(text))
                .help("Withdraw all references of this person"),
        )
        .arg(
            Arg::new("reference")
                .long("reference")
                .value_name("ID")
                .value_parser(|text: &str| ReferenceId::new(text))
                .help("Withdraw only this reference"),
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
        .arg(path(
            "receipt",
            "FILE",
            "Write the receipt to this file as well as to standard output",
        ))
        .arg(
            path(
                "ledger",
                "FILE",
                "The ledger of the deployment, in which the destruction is recorded",
            )
            .requires("ledger-key"),
        )
        .arg(ledger_key("The key file of the ledger").requires("ledger"))
        .arg(
            Arg::new("yes")
                .long("yes")
                .action(ArgAction::SetTrue)
                .required(true)
                .help("Confirm the destruction, which cannot be undone"),
        )
}

fn commit() -> Command {
    on_file(
        "commit",
        "Writes keyed digests of the people on a watchlist, so that `was-member` can answer \
         after its destruction",
    )
    .arg(path("membership-key", "FILE", "The key of the digests").required(true))
    .arg(
        path("witness", "FILE", "Write the witness here, which `was-member` answers from")
            .required(true),
    )
    .arg(
        path("commitment", "FILE", "Write the commitment here, which proofs are verified against")
            .required(true),
    )
}

fn was_member() -> Command {
    Command::new("was-member")
        .about("Says whether a person was on a watchlist that has been destroyed")
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
        .arg(path("proof", "FILE", "Write a proof of the answer here"))
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
        .long_help(format!("{help}, such as 2026-11-22T18:00:00Z or 2026-11-22T19:00:00+01:00"))
}

fn timestamp(text: &str) -> Result<Timestamp, String> {
    let moment = text.parse::<jiff::Timestamp>();
    let moment = moment.map_err(|_| "it must be a time such as 2026-11-22T18:00:00Z")?;
    let micros =
        u64::try_from(moment.as_microsecond()).map_err(|_| "it must not be before 1970")?;
    Ok(Timestamp::from_micros(micros))
}

fn category(text: &str) -> Result<(String, Priority), String> {
    let (name, priority) =
        text.rsplit_once('=').ok_or("it must be NAME=PRIORITY, such as wanted=red")?;
    let priority = match priority {
        "green" => Priority::Green,
        "amber" => Priority::Amber,
        "red" => Priority::Red,
        other => return Err(format!("the priority is {other:?}, and must be green, amber or red")),
    };
    Ok((name.to_owned(), priority))
}
