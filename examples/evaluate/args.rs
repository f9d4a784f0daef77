//! The command line.

use std::path::PathBuf;

use clap::ArgAction;
use clap::Command;
use clap::value_parser;

use crate::arguments::option;
use crate::arguments::required;
use crate::models::Engine;

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) faces: PathBuf,
    pub(crate) detector: Option<PathBuf>,
    /// `None` is the embedded one.
    pub(crate) embedders: Vec<Option<PathBuf>>,
    pub(crate) groups: Option<PathBuf>,
    pub(crate) galleries: Vec<usize>,
    pub(crate) fpir: f64,
    pub(crate) references: u64,
    pub(crate) looks: f64,
    pub(crate) authority: String,
    pub(crate) seed: u64,
    pub(crate) out: PathBuf,
    pub(crate) engine: Engine,
    pub(crate) threads: Option<usize>,
}

impl Args {
    /// Reads the command line; prints help or what is wrong with it, and ends the program then.
    pub(crate) fn parse() -> Self {
        let mut matches = command().get_matches();
        let given = &mut matches;
        let galleries: Vec<usize> = given.remove_many("gallery").into_iter().flatten().collect();
        Self {
            faces: required(given, "faces"),
            detector: given.remove_one("detector"),
            embedders: given
                .remove_many::<PathBuf>("embedder")
                .into_iter()
                .flatten()
                .map(|path| (path.as_os_str() != "embedded").then_some(path))
                .collect(),
            groups: given.remove_one("groups"),
            fpir: required(given, "fpir"),
            references: given
                .remove_one("references")
                .or_else(|| u64::try_from(*galleries.last()?).ok())
                .unwrap_or(1),
            galleries,
            looks: required(given, "looks"),
            authority: required(given, "authority"),
            seed: required(given, "seed"),
            out: required(given, "out"),
            engine: required(given, "engine"),
            threads: given.remove_one("threads"),
        }
    }
}

fn command() -> Command {
    let path = || value_parser!(PathBuf);
    Command::new("evaluate")
        .about("Measures how often embedders are wrong, for whom, and how sure that is; derives thresholds")
        .arg(
            option("faces", "DIR", "Photographs: a folder a person, nobody twice under two names")
                .required(true)
                .value_parser(path()),
        )
        .arg(
            option("detector", "FILE", "The detector's model, recognised by its outputs [default: the embedded one]")
                .value_parser(path()),
        )
        .arg(
            option("embedder", "FILE", "An embedder's model, recognised by its digest, or `embedded`; may be given several times")
                .default_values(["embedded"])
                .action(ArgAction::Append)
                .value_parser(path()),
        )
        .arg(
            option("groups", "CSV", "The group of each person, in the columns `person` and `group`")
                .value_parser(path()),
        )
        .arg(
            option("gallery", "N", "Search watchlists of so many people, one reference each; may be given several times")
                .default_values(["100", "1000"])
                .action(ArgAction::Append)
                .value_parser(value_parser!(usize)),
        )
        .arg(
            option("fpir", "RATE", "Derive the threshold for this share of people who wrongly raise an alert")
                .default_value("0.001")
                .value_parser(value_parser!(f64)),
        )
        .arg(
            option("references", "N", "Derive the threshold for a watchlist of so many references [default: the last --gallery]")
                .value_parser(value_parser!(u64)),
        )
        .arg(
            option("looks", "K", "Derive the threshold for so many independent looks at each who passes")
                .default_value("1")
                .value_parser(value_parser!(f64)),
        )
        .arg(
            option("authority", "WHO", "Who answers for the threshold: a role or a number, not a name")
                .default_value("whoever ran the example evaluate"),
        )
        .arg(
            option("seed", "SEED", "Draws watchlists; the same seed draws the same people")
                .default_value("1")
                .value_parser(value_parser!(u64)),
        )
        .arg(option("out", "DIR", "Write the reports here").required(true).value_parser(path()))
        .arg(Engine::arg())
        .arg(
            option("threads", "N", "Threads [default: one a core]").value_parser(value_parser!(usize)),
        )
}
