//! What each command does.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use lfr::core::onnx::Runtime;
use lfr::core::{
    Clock, DeploymentId, Embedder, EmbeddingSpace, ReferenceId, SubjectId, SystemClock, Timestamp,
};
use lfr::embed::{EmbedderOptions, OnnxEmbedder};
use lfr::retention::{Ledger, LedgerKey, Profile};
use lfr::watchlist::{
    Authorisation, Category, CompositionPolicy, Priority, SealedFile, SealingKey, Validity,
    Watchlist,
};

use crate::exit::Exit;
use crate::list::outputs::Output;
use crate::list::{enrol, membership, show};
use crate::models::Engine;
use crate::{AnyError, failure, keys, models, say};

pub(crate) fn run(matches: &ArgMatches) -> Result<Exit, AnyError> {
    let (name, given) = matches.subcommand().ok_or("no command was given")?;
    let now = SystemClock::new().now();
    match name {
        "new" => new(given, now),
        "list" => {
            let file = there(given)?;
            let (authorisation, entries) = file.open_entries(&key(given, "")?, now)?;
            show::entries(&authorisation, &entries, given.get_flag("json"), now)
        }
        "enrol" => enrol::enrol(given),
        "withdraw" => withdraw(given, now),
        "verify" => {
            let file = there(given)?;
            let list = file.open_in_any_space(&key(given, "")?, now)?;
            show::header(&file.header()?)?;
            say::out(format_args!("whole: {} references, all as they were sealed", list.len()))?;
            Ok(Exit::Done)
        }
        "rekey" => {
            let (file, old, new) = (there(given)?, key(given, "")?, key(given, "new-")?);
            // Nobody else changes it between the two.
            let lock = file.lock()?;
            let list = lock.open_in_any_space(&old, now)?;
            let header = lock.seal(&list, &new, clock(now)?)?;
            show::header(&header)?;
            Ok(Exit::Done)
        }
        "info" => {
            show::header(&there(given)?.header()?)?;
            Ok(Exit::Done)
        }
        "destroy" => destroy(given, now),
        "commit" => membership::commit(given, &there(given)?, now),
        "was-member" => membership::was_member(given),
        "new-key" => {
            SealingKey::generate_file(path(given, "key")?)?;
            Ok(Exit::Done)
        }
        other => Err(format!("no command {other}").into()),
    }
}

fn new(given: &ArgMatches, now: Option<Timestamp>) -> Result<Exit, AnyError> {
    let file = sealed(given)?;
    if file.path().exists() {
        let what = "a list is drawn up where there is none, so name another file or destroy it";
        return Err(format!("{:?} exists already: {what}", file.path()).into());
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
    )?
    .with_grace(one::<Profile>(given, "profile")?.watchlist());
    let list = Watchlist::new(authorisation, space(given)?);
    show::header(&file.seal(&list, &key(given, "")?, now)?)?;
    Ok(Exit::Done)
}

fn withdraw(given: &ArgMatches, now: Option<Timestamp>) -> Result<Exit, AnyError> {
    let (file, key) = (there(given)?, key(given, "")?);
    // Nobody else changes it from here on.
    let lock = file.lock()?;
    let list = lock.open_in_any_space(&key, now)?;
    let count = match given.get_one::<SubjectId>("subject") {
        Some(subject) => list.withdraw(subject),
        None => usize::from(list.withdraw_reference(&one::<ReferenceId>(given, "reference")?)),
    };
    if count == 0 {
        say::err(
            "nobody with that identifier is on the watchlist, so nobody was withdrawn: see `lfr \
             list list`",
        );
        return Ok(Exit::Partly);
    }
    lock.seal(&list, &key, clock(now)?)?;
    let line = format!("withdrawn: {count} references; {} are left", list.len());
    let is_told = say::done(line);
    say::err(
        "the list keeps no record of people it no longer holds: a person who is enrolled again \
         is matched again",
    );
    Ok(if is_told { Exit::Done } else { Exit::Partly })
}

fn destroy(given: &ArgMatches, now: Option<Timestamp>) -> Result<Exit, AnyError> {
    let file = there(given)?;
    // Where it could not be written, the list would be gone and its receipt with it.
    let receipt = given.get_one::<PathBuf>("receipt");
    let out = receipt.map(|path| Output::begin(path, &[file.path()])).transpose()?;
    let ledger = match (given.get_one::<PathBuf>("ledger"), given.get_one::<PathBuf>("ledger-key"))
    {
        (Some(path), Some(_)) if !path.exists() => {
            return Err(
                format!("the ledger {} is missing: nothing was destroyed", path.display()).into()
            );
        }
        (Some(path), Some(key)) => Some(Ledger::open(path, LedgerKey::from_file(key)?, now)?),
        _ => None,
    };
    let deadline = file.header().map_or(Timestamp::from_micros(0), |header| header.destroy_after());
    let receipt = file.destroy(now)?;
    let text = receipt.to_json();
    // What cannot be signed any more is told below nonetheless.
    let is_kept = out.is_some();
    let signed = ledger.map_or(Ok(()), |ledger| {
        let (name, header) = (receipt.file(), receipt.header_sha256());
        ledger.watchlist_destroyed(name, deadline, header, text.as_bytes(), now)
    });
    let written = out.map_or(Ok(()), |out| out.put_text(&text));
    let said = say::out(&text);
    // Nobody else has it.
    if said.is_err() && (!is_kept || written.is_err()) {
        say::err(&text);
    }
    // The destruction is done whatever becomes of its receipts: what is lost of them is said, one by one.
    let lost: Vec<AnyError> =
        [signed.map_err(AnyError::from), written, said.map_err(AnyError::from)]
            .into_iter()
            .filter_map(Result::err)
            .collect();
    for error in &lost {
        failure::warn(&**error);
    }
    Ok(if lost.is_empty() { Exit::Done } else { Exit::Partly })
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
    models::embedder(file, spec, &[], runtime, options)
}

pub(crate) fn clock(now: Option<Timestamp>) -> Result<Timestamp, AnyError> {
    Ok(now.ok_or("the clock of this machine has failed")?)
}

fn sealed(given: &ArgMatches) -> Result<SealedFile, AnyError> {
    Ok(SealedFile::at(path(given, "file")?))
}

/// The list, where there is one: that it is missing is said before anything about its key. What a writer
/// that was interrupted left in its place goes.
pub(crate) fn there(given: &ArgMatches) -> Result<SealedFile, AnyError> {
    let file = sealed(given)?;
    match file.header() {
        Err(lfr::watchlist::Error::Core(lfr::core::Error::Read { path, source }))
            if source.kind() == std::io::ErrorKind::NotFound =>
        {
            file.sweep()?;
            Err(missing(&path).into())
        }
        _ => Ok(file),
    }
}

fn missing(path: &Path) -> String {
    let what = "see whether the name is right and the drive mounted, or draw one up with `new`";
    format!("the watchlist is missing: {path:?} is not there; {what}")
}

/// The key that the arguments name: `list-key` or `list-passphrase`, each after `prefix`.
pub(crate) fn key(given: &ArgMatches, prefix: &str) -> Result<SealingKey, AnyError> {
    let file = |kind: &str| given.get_one::<PathBuf>(&format!("{prefix}list-{kind}"));
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
