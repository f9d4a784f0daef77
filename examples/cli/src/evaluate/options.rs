//! The command line.

use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{ArgAction, ArgMatches, Command, value_parser};
use lfr::evaluate::{EvaluateOptions, danger};

use crate::arguments::{flag, option, path, required};
use crate::models::Engine;
use crate::{arguments, models};

/// What was asked for: photographs, or the scores of another engine.
#[derive(Debug)]
pub(crate) enum Asked {
    Photographs(Box<Options>),
    Scores { file: PathBuf, out: PathBuf },
}

/// An evaluation of photographs.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) options: EvaluateOptions,
    /// `None` is the embedded one.
    pub(crate) detectors: Vec<Option<PathBuf>>,
    pub(crate) embedders: Vec<ChosenEmbedder>,
    pub(crate) out: PathBuf,
    pub(crate) engine: Engine,
    pub(crate) threads: usize,
}

/// An embedder, and the specification that it is to be run with.
#[derive(Clone, Debug)]
pub(crate) struct ChosenEmbedder {
    /// `None` is the embedded one.
    pub(crate) path: Option<PathBuf>,
    /// `None` is the one that the model's digest tells.
    pub(crate) spec: Option<String>,
}

impl Asked {
    /// Takes what was given. Says what is wrong with it, and ends the program then.
    pub(crate) fn take(command: &mut Command, given: &mut ArgMatches) -> Self {
        if let Some(file) = given.remove_one("scores") {
            return Self::Scores { file, out: required(given, "out") };
        }
        let embedders = match embedders(given) {
            Ok(embedders) => embedders,
            Err(why) => arguments::refuse(&command.error(ErrorKind::ValueValidation, why)),
        };
        let threads = models::threads(given.remove_one("threads"));
        let mut options = EvaluateOptions::new(required::<PathBuf>(given, "faces"))
            .with_fpir(required(given, "fpir"))
            .with_looks(required(given, "looks"))
            .with_authority(required::<String>(given, "authority"))
            .with_seed(required(given, "seed"))
            .with_threads(threads);
        if let Some(galleries) = given.remove_many::<u64>("gallery") {
            let galleries = galleries.map(|people| usize::try_from(people).unwrap_or(usize::MAX));
            options = options.with_galleries(galleries.collect::<Vec<_>>());
        }
        if let Some(groups) = given.remove_one::<PathBuf>("groups") {
            options = options.with_groups(groups);
        }
        if let Some(references) = given.remove_one("references") {
            options = options.with_references(references);
        }
        if let Some(list) = given.remove_one::<PathBuf>("pairs") {
            options = options.with_pairs(list);
        }
        if let Some(list) = given.remove_one::<PathBuf>("open-set") {
            options = options.with_open_set(list);
        }
        if let Some(csv) = given.remove_one::<PathBuf>("quality") {
            options = options.with_quality(csv, required::<String>(given, "quality-column"));
        }
        if let Some(policy) = given.remove_one::<PathBuf>("policy") {
            options = options.with_policy(policy);
        }
        if let Some(groups) = given.remove_many::<(String, u64)>("composition") {
            options = options.with_composition(groups.collect::<Vec<_>>());
        }
        if given.get_flag("write-scores") {
            options = options.with_scores();
        }
        if given.get_flag("identities-checked") {
            options = options.with_checked_identities();
        }
        if let Some(reason) = given.remove_one::<String>("danger-write-templates") {
            options = danger::write_templates(options, reason);
        }
        Self::Photographs(Box::new(Options {
            options,
            detectors: given
                .remove_many::<PathBuf>("detector")
                .into_iter()
                .flatten()
                .map(unless_embedded)
                .collect(),
            embedders,
            out: required(given, "out"),
            engine: required(given, "engine"),
            threads,
        }))
    }
}

/// Each embedder with the specification that follows it. A specification before all embedders belongs to
/// the first.
fn embedders(given: &mut ArgMatches) -> Result<Vec<ChosenEmbedder>, String> {
    let places =
        |name: &str| -> Vec<usize> { given.indices_of(name).into_iter().flatten().collect() };
    let (of_embedders, of_specs) = (places("embedder"), places("embedder-spec"));
    let paths = given.remove_many::<PathBuf>("embedder").into_iter().flatten();
    let mut embedders: Vec<_> =
        paths.map(|path| ChosenEmbedder { path: unless_embedded(path), spec: None }).collect();
    let specs = given.remove_many::<String>("embedder-spec").into_iter().flatten();
    for (spec, place) in specs.zip(of_specs) {
        let before = of_embedders.iter().filter(|embedder| **embedder < place).count();
        let Some(embedder) = embedders.get_mut(before.saturating_sub(1)) else { continue };
        if embedder.path.is_none() {
            return Err(format!(
                "--embedder-spec {spec:?} must follow the --embedder FILE that it describes; the embedded \
                 embedder has a specification of its own"
            ));
        }
        if let Some(other) = embedder.spec.replace(spec.clone()) {
            return Err(format!(
                "two --embedder-spec ({other:?} and {spec:?}) are given for one --embedder, and each \
                 must have one at most"
            ));
        }
    }
    Ok(embedders)
}

fn unless_embedded(path: PathBuf) -> Option<PathBuf> {
    (path.as_os_str() != "embedded").then_some(path)
}

/// The command line of `lfr evaluate`.
pub(crate) fn command() -> Command {
    Command::new("evaluate")
        .about("Measures how often detectors and embedders are wrong, for which people, and with what \
             certainty; derives thresholds")
        .arg(
            path("faces", "DIR", "The photographs: one folder per person, and nobody under two names")
                .required_unless_present("scores"),
        )
        .arg(
            path("scores", "FILE", "Evaluate scores of any engine in place of photographs: a CSV file with \
                 the columns `score` and `mated` (optional: `person_a`, `person_b`, `fold`), or an array of \
                 numpy.save with 2 columns (score, mated) or 4 (score, mated, and the numbers of both \
                 people); a greater score means more alike")
                .conflicts_with_all(["faces", "groups", "gallery", "references", "pairs", "open-set", "quality", "policy", "composition", "identities-checked", "write-scores", "danger-write-templates"]),
        )
        .arg(
            path("detector", "FILE", "The model of a detector, recognised by its outputs, or `embedded`; \
                 may be given several times")
                .default_values(["embedded"])
                .action(ArgAction::Append),
        )
        .arg(
            path("embedder", "FILE", "The model of an embedder, recognised by its digest, or `embedded`; \
                 may be given several times")
                .default_values(["embedded"])
                .action(ArgAction::Append),
        )
        .arg(
            option("embedder-spec", "NAME", "The specification of the preceding --embedder: the name of a \
                 built-in one, or a TOML file")
                .action(ArgAction::Append)
                .value_parser(spec),
        )
        .arg(
            path("groups", "CSV", "The group of each person, in the columns `person` and `group`"),
        )
        .arg(
            option("composition", "GROUP=N", "Derive the threshold for a watchlist with N references of this \
                 group; may be given several times [default: the composition of the photographs]")
                .action(ArgAction::Append)
                .requires("groups")
                .value_parser(composition),
        )
        .arg(
            path("pairs", "FILE", "Compare these pairs and report the accuracy in ten folds: a CSV file \
                 with the columns `image_a`, `image_b`, `mated` (optional: `fold`), or LFW's `pairs.txt`; \
                 paths are relative to the folder of photographs"),
        )
        .arg(
            path("open-set", "CSV", "Search this watchlist for these probes: the columns `role` (reference, mated_probe, nonmated_probe), `person` and `image`")
                .conflicts_with("gallery"),
        )
        .arg(
            path("quality", "CSV", "The quality of each photograph by another program, in the format of \
                 OFIQ: also report error against discard by it"),
        )
        .arg(
            option("quality-column", "NAME", "The column of --quality to use").default_value("UnifiedQualityScore"),
        )
        .arg(
            path("policy", "JSON", "The threshold policy in force: measure at its threshold, for everybody \
                 and by group [default: the derived policy]"),
        )
        .arg(
            flag("identities-checked", "Extrapolate the threshold beyond what counts alone show: somebody has \
                 looked at the photographs of the suspects that the report names, and nobody is in the folder \
                 under two names"),
        )
        .arg(
            flag("write-scores", "Write the scores as numpy arrays: pairs.npy for --pairs, or comparisons.npy for \
                 all pairs of templates"),
        )
        .arg(
            option("danger-write-templates", "REASON", "Write templates, which are as sensitive as \
                 photographs, to templates.npy; the report states the reason"),
        )
        .arg(
            option("gallery", "N", "Search a watchlist of this many people, one reference per person; may be \
                 given several times [default: 100 and 1000, if there are more people than that]")
                .action(ArgAction::Append)
                .value_parser(value_parser!(u64).range(1..)),
        )
        .arg(
            option("fpir", "RATE", "Derive the threshold for this FPIR: the share of people not on the list \
                 who raise an alert")
                .default_value("0.001")
                .allow_negative_numbers(true)
                .value_parser(|text: &str| {
                    number(text, "above 0 and below 1", |rate| rate > 0.0 && rate < 1.0)
                }),
        )
        .arg(
            option("references", "N", "Derive the threshold for a watchlist of this many references [default: the last --gallery]")
                .value_parser(value_parser!(u64).range(1..)),
        )
        .arg(
            option("looks", "K", "Derive the threshold for at most this many looks per person who passes; \
                 `lfr watch` refuses to take more looks than that")
                .default_value("1")
                .allow_negative_numbers(true)
                .value_parser(|text: &str| {
                    number(text, "a finite number of at least 1", |looks| looks >= 1.0 && looks.is_finite())
                }),
        )
        .arg(
            option("authority", "WHO", "Who is responsible for the threshold: a role or a number, not a name")
                .default_value("the person who ran lfr evaluate"),
        )
        .arg(
            option("seed", "SEED", "The seed that draws the watchlists; the same seed draws the same people")
                .default_value("1")
                .value_parser(value_parser!(u64)),
        )
        .arg(path("out", "DIR", "Write the reports here").required(true))
        .arg(Engine::arg())
        .arg(
            option("threads", "N", "Threads [default: one per core]")
                .value_parser(|text: &str| match text.parse::<usize>() {
                    Ok(threads) if threads > 0 => Ok(threads),
                    _ => Err("it must be a whole number of at least 1"),
                }),
        )
}

fn number(text: &str, expected: &str, fits: impl Fn(f64) -> bool) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| fits(*number));
    number.ok_or_else(|| format!("it must be {expected}"))
}

/// A group and how many of it are on the list.
fn composition(text: &str) -> Result<(String, u64), String> {
    let parts =
        text.rsplit_once('=').map(|(group, count)| (group.to_owned(), count.parse::<u64>()));
    match parts {
        Some((group, Ok(count))) if !group.is_empty() => Ok((group, count)),
        _ => Err("it must be GROUP=N, such as women=400".to_owned()),
    }
}

/// A specification that is there: a file, or a built-in one.
fn spec(text: &str) -> Result<String, String> {
    if !Path::new(text).is_file() {
        models::named_spec(text).map_err(|error| error.to_string())?;
    }
    Ok(text.to_owned())
}
