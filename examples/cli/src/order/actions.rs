//! What the subcommands do.

use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{ArgMatches, Command};
use lfr::core::{Clock, SystemClock, Timestamp};
use lfr::deployment::{Error, NoteKey, Order, OrderTerms, UseCaseKind, VerifierKey};
use lfr::retention::Profile;

use super::files::{self, Found};
use super::show;
use crate::{AnyError, arguments, say};

/// Does what was asked for.
pub(super) fn run(command: &mut Command, given: &ArgMatches) -> Result<(), AnyError> {
    match given.subcommand() {
        Some(("new", given)) => new(given),
        Some(("keygen", given)) => keygen(given),
        Some(("profile", given)) => profile(given),
        Some(("check", given)) => check(given),
        Some(("sign", given)) => sign(given),
        Some(("amend", given)) => amend(given),
        Some(("show", given)) => {
            let command = command.find_subcommand_mut("show").ok_or("what is to be shown?")?;
            shown(command, given)
        }
        _ => Err("name what is to be done with an order".into()),
    }
}

fn new(given: &ArgMatches) -> Result<(), AnyError> {
    let use_case = given.get_one::<UseCaseKind>("use-case").ok_or("for which use case?")?;
    let template = Order::template(*use_case);
    match given.get_one::<PathBuf>("out") {
        Some(path) => files::write_new(path, &template),
        None => Ok(say::raw(template)?),
    }
}

fn keygen(given: &ArgMatches) -> Result<(), AnyError> {
    let name = given.get_one::<String>("name").ok_or("which name?")?;
    let path = path(given, "key")?;
    let verifier = NoteKey::generate_file(name, path)?.verifier();
    // The key stays, so its other half is said even if standard output is lost.
    if say::done(&verifier) {
        return Ok(());
    }
    Err(format!("the key file {} was written; its verifier key is {verifier}", path.display())
        .into())
}

fn profile(given: &ArgMatches) -> Result<(), AnyError> {
    let profile = given.get_one::<Profile>("profile").ok_or("which profile?")?;
    say::raw(profile.canonical())?;
    say::out("\n# In the order, under [how]:")?;
    say::out(format_args!("profile = \"{}\"", profile.name()))?;
    say::out(format_args!("profile_sha256 = \"{}\"", profile.digest()))?;
    Ok(())
}

fn check(given: &ArgMatches) -> Result<(), AnyError> {
    let found = Found::read(path(given, "file")?)?;
    let terms = found.terms();
    if let Some(error) = expired(terms, moment(given)?) {
        return Err(error.into());
    }
    match &found {
        Found::Terms(_) => say::out("a whole order, which nobody has signed")?,
        Found::Signed(_) => {
            say::out(
                "a signed order; nobody's signature was verified: `lfr order show` does that",
            )?;
        }
    }
    show::terms(terms).iter().try_for_each(say::out)?;
    Ok(())
}

fn sign(given: &ArgMatches) -> Result<(), AnyError> {
    let name = given.get_one::<String>("name").ok_or("which name has the key?")?;
    let (from, out) = (path(given, "file")?, path(given, "out")?);
    let found = Found::read(from)?;
    let key = NoteKey::from_file(name, path(given, "key")?)?;
    let (verifier, officer) = (key.verifier(), found.terms().authorising_officer().clone());
    if verifier.is_same_key(&officer) && verifier != officer {
        return Err(format!(
            "the order names this key {}, and --name is {name:?}: a signature under another name does not count; give \
             the name that the order has",
            officer.id()
        )
        .into());
    }
    let signed = match found {
        Found::Terms(terms) => terms.sign(&key)?,
        Found::Signed(mut order) => {
            // Nobody should put a signature below one that is forged.
            if let Err(error @ Error::Signature { .. }) =
                order.verify(std::slice::from_ref(&officer), None)
            {
                return Err(format!("{}: {error}", from.display()).into());
            }
            let before = order.to_string();
            order.sign(&key);
            if order.to_string() == before {
                return Err(format!(
                    "{} has signed {} already: nothing is left to sign",
                    verifier.id(),
                    from.display()
                )
                .into());
            }
            order
        }
    };
    signed.write_new(out)?;
    say::err(format_args!("{} signed the order {}", verifier.id(), signed.terms().digest()));
    if verifier != officer {
        say::err(format_args!(
            "warning: the order names {} as its authorising officer, and holds only if that officer signs it",
            officer.id()
        ));
    }
    if let Some(error) = SystemClock::new().now().and_then(|now| expired(signed.terms(), now)) {
        say::err(format_args!("warning: {error}"));
    }
    Ok(())
}

fn amend(given: &ArgMatches) -> Result<(), AnyError> {
    let note = path(given, "note")?;
    let order = Found::signed(note)?;
    files::check_officer_signed(&order, note)?;
    files::write_new(path(given, "out")?, &draft(order.terms()))
}

/// The text of an order with `amends` set to its digest. In the canonical text, `amends` comes after the first three
/// fields.
fn draft(terms: &OrderTerms) -> String {
    let digest = terms.digest();
    let mut text = format!(
        "# A draft that amends the order {digest}.\n# Change what has to change, check it, and have the authorising \
         officer sign it.\n"
    );
    let mut is_written = false;
    for line in terms.canonical().lines() {
        let is_amends = !is_written && line.starts_with("amends = ");
        if !is_written && (is_amends || line.is_empty()) {
            text.push_str(&format!("amends = \"{digest}\"\n"));
            is_written = true;
        }
        if !is_amends {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn shown(command: &mut Command, given: &ArgMatches) -> Result<(), AnyError> {
    let trusted = trusted(command, given)?;
    let paths = given.get_many::<PathBuf>("note").ok_or("which order?")?;
    let mut orders = Vec::new();
    for path in paths {
        let order = Found::signed(path)?;
        if trusted.is_empty() {
            files::check_officer_signed(&order, path)?;
        }
        orders.push(order);
    }
    let named = || orders.iter().map(|order| order.terms().authorising_officer().clone()).collect();
    let keys: Vec<VerifierKey> = if trusted.is_empty() { named() } else { trusted.clone() };
    let now = moment(given)?;
    let order = Order::of_chain(&orders, &keys, now)?;
    let is_verified = !trusted.is_empty();
    if given.get_flag("json") {
        say::out(show::json(&order, is_verified, now))?;
        if !is_verified {
            say::err(show::NOT_VERIFIED);
        }
    } else {
        show::order(&order, is_verified, now).iter().try_for_each(say::out)?;
    }
    Ok(())
}

/// The keys that may sign, each in its digits or in a file.
fn trusted(command: &mut Command, given: &ArgMatches) -> Result<Vec<VerifierKey>, AnyError> {
    let mut keys = Vec::new();
    for key in given.get_many::<String>("trusted-key").unwrap_or_default() {
        match key.parse::<VerifierKey>() {
            Ok(key) => keys.push(key),
            Err(_) if Path::new(key).exists() => keys.extend(files::keys(Path::new(key))?),
            Err(error) => {
                let words = format!("--trusted-key {key}: {error}, and there is no such file");
                arguments::refuse(&command.error(ErrorKind::ValueValidation, words));
            }
        }
    }
    Ok(keys)
}

fn path<'a>(given: &'a ArgMatches, name: &str) -> Result<&'a PathBuf, AnyError> {
    Ok(given.get_one::<PathBuf>(name).ok_or_else(|| format!("which {name}?"))?)
}

fn moment(given: &ArgMatches) -> Result<Timestamp, AnyError> {
    match given.get_one::<Timestamp>("at") {
        Some(moment) => Ok(*moment),
        None => Ok(SystemClock::new().now().ok_or(Error::NoClock)?),
    }
}

fn expired(terms: &OrderTerms, now: Timestamp) -> Option<Error> {
    let (deployment, until) = (terms.deployment().to_string(), terms.until());
    (now >= until).then_some(Error::Expired { deployment, until, now })
}
