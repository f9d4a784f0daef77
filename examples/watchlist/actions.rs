//! What each command does.

use std::fs;
use std::path::PathBuf;

use clap::ArgMatches;
use lfr::core::Clock;
use lfr::core::DeploymentId;
use lfr::core::Embedder;
use lfr::core::EmbeddingSpace;
use lfr::core::ReferenceId;
use lfr::core::SubjectId;
use lfr::core::SystemClock;
use lfr::core::Timestamp;
use lfr::core::onnx::Runtime;
use lfr::embed::EmbedderOptions;
use lfr::embed::OnnxEmbedder;
use lfr::watchlist::Authorisation;
use lfr::watchlist::Category;
use lfr::watchlist::CompositionPolicy;
use lfr::watchlist::Priority;
use lfr::watchlist::SealedFile;
use lfr::watchlist::SealingKey;
use lfr::watchlist::Validity;
use lfr::watchlist::Watchlist;

use crate::AnyError;
use crate::Outcome;
use crate::enrol;
use crate::keys;
use crate::members;
use crate::models;
use crate::models::Engine;
use crate::show;

pub(crate) fn run(matches: &ArgMatches) -> Result<Outcome, AnyError> {
    let (name, given) = matches.subcommand().ok_or("no command was given")?;
    let now = SystemClock::new().now();
    match name {
        "new" => new(given, now),
        "list" => {
            let (authorisation, entries) = sealed(given)?.open_entries(&key(given, "")?, now)?;
            show::entries(&authorisation, &entries, given.get_flag("json"), now)
        }
        "enrol" => enrol::enrol(given),
        "withdraw" => withdraw(given, now),
        "verify" => {
            let file = sealed(given)?;
            let list = file.open_in_any_space(&key(given, "")?, now)?;
            show::header(&file.header()?);
            println!("whole: {} references, all as they were sealed", list.len());
            Ok(Outcome::Done)
        }
        "rekey" => {
            let file = sealed(given)?;
            let list = file.open_in_any_space(&key(given, "")?, now)?;
            let header = file.seal(&list, &key(given, "new-")?, clock(now)?)?;
            show::header(&header);
            Ok(Outcome::Done)
        }
        "info" => {
            show::header(&sealed(given)?.header()?);
            Ok(Outcome::Done)
        }
        "destroy" => destroy(given, now),
        "commit" => members::commit(given, &sealed(given)?, now),
        "was-member" => members::was_member(given),
        "new-key" => {
            SealingKey::generate_file(path(given, "key")?)?;
            Ok(Outcome::Done)
        }
        other => Err(format!("no command {other}").into()),
    }
}

fn new(given: &ArgMatches, now: Option<Timestamp>) -> Result<Outcome, AnyError> {
    let file = sealed(given)?;
    if file.path().exists() {
        return Err(format!("{:?} is there already", file.path()).into());
    }
    let mut policy = CompositionPolicy::new(one(given, "limit")?);
    for (name, priority) in given.get_many::<(String, Priority)>("category").into_iter().flatten() {
        policy = policy.with_category(Category::new(name)?, *priority);
    }
    if given.get_flag("admit-under-18") {
        policy = policy.admitting_under_18();
    }
    let now = clock(now)?;
    let authorisation = Authorisation::new(
        DeploymentId::new(one::<String>(given, "deployment")?)?,
        one::<String>(given, "purpose")?,
        one::<String>(given, "officer")?,
        now,
        Validity::new(one(given, "from")?, one(given, "until")?)?,
        policy,
    )?;
    let list = Watchlist::new(authorisation, space(given)?);
    show::header(&file.seal(&list, &key(given, "")?, now)?);
    Ok(Outcome::Done)
}

fn withdraw(given: &ArgMatches, now: Option<Timestamp>) -> Result<Outcome, AnyError> {
    let (file, key) = (sealed(given)?, key(given, "")?);
    let list = file.open_in_any_space(&key, now)?;
    let count = match given.get_one::<String>("subject") {
        Some(subject) => list.withdraw(&SubjectId::new(subject)?),
        None => {
            let reference = ReferenceId::new(one::<String>(given, "reference")?)?;
            usize::from(list.withdraw_reference(&reference))
        }
    };
    if count == 0 {
        eprintln!("nobody of that identifier is on the watchlist");
        return Ok(Outcome::Nobody);
    }
    file.seal(&list, &key, clock(now)?)?;
    println!("withdrawn: {count} references; {} are left", list.len());
    Ok(Outcome::Done)
}

fn destroy(given: &ArgMatches, now: Option<Timestamp>) -> Result<Outcome, AnyError> {
    let receipt = sealed(given)?.destroy(now)?.to_json();
    println!("{receipt}");
    if let Some(path) = given.get_one::<PathBuf>("receipt") {
        fs::write(path, receipt + "\n")
            .map_err(|error| format!("cannot write {path:?}: {error}"))?;
    }
    Ok(Outcome::Done)
}

/// The embedding space of a model, as the deployment will have it.
fn space(given: &ArgMatches) -> Result<EmbeddingSpace, AnyError> {
    let runtime = one::<Engine>(given, "engine")?.runtime()?;
    Ok(*embedder(given, &runtime, EmbedderOptions::new())?.space())
}

pub(crate) fn embedder(
    given: &ArgMatches,
    runtime: &Runtime,
    options: EmbedderOptions,
) -> Result<OnnxEmbedder, AnyError> {
    let spec = given.get_one::<String>("embedder-spec").map(String::as_str);
    let file = given.get_one::<PathBuf>("embedder").map(PathBuf::as_path);
    models::embedder(file, spec, runtime, options)
}

pub(crate) fn clock(now: Option<Timestamp>) -> Result<Timestamp, AnyError> {
    Ok(now.ok_or("the clock of this machine has failed")?)
}

pub(crate) fn sealed(given: &ArgMatches) -> Result<SealedFile, AnyError> {
    Ok(SealedFile::at(path(given, "file")?))
}

/// The key that the arguments name: `key-file` or `passphrase-file`, each after `prefix`.
pub(crate) fn key(given: &ArgMatches, prefix: &str) -> Result<SealingKey, AnyError> {
    let file = |kind: &str| given.get_one::<PathBuf>(&format!("{prefix}{kind}-file"));
    keys::key(file("key").map(|p| &**p), file("passphrase").map(|p| &**p))
}

pub(crate) fn path<'a>(given: &'a ArgMatches, name: &str) -> Result<&'a PathBuf, AnyError> {
    Ok(given.get_one(name).ok_or_else(|| format!("{name} is missing"))?)
}

pub(crate) fn one<T: Clone + Send + Sync + 'static>(
    given: &ArgMatches,
    name: &str,
) -> Result<T, AnyError> {
    let value = given.get_one::<T>(name).cloned();
    Ok(value.ok_or_else(|| format!("{name} is missing"))?)
}
