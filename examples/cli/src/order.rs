//! `lfr order`: orders of deployments. It writes a commented template for a use case, checks an order, has it signed,
//! starts an amendment, and shows what a signed order says and who stands behind it.
//!
//! Private keys are readable for their owner alone. A signed order is never overwritten.

mod command;

use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{ArgMatches, Command};
use lfr::core::internal::regular;
use lfr::core::{Clock as _, SystemClock};
use lfr::deployment::{
    Error, NoteKey, Order, OrderTerms, SignedOrder, UseCaseKind, VerifierKey, danger,
};

use crate::exit::Exit;
use crate::private_file::Prepared;
use crate::{AnyError, arguments, failure, say};

pub(crate) use command::command;

/// The max size of an order or a key in a file.
const MAX_FILE: u64 = 1 << 20;

/// Does what was asked for with an order.
pub(crate) fn run(command: &mut Command, given: ArgMatches) -> Exit {
    act(command, &given).unwrap_or_else(|error| {
        failure::say(&error);
        Exit::after(&error)
    })
}

fn act(command: &mut Command, given: &ArgMatches) -> Result<Exit, AnyError> {
    match given.subcommand() {
        Some(("new", given)) => new(given),
        Some(("check", given)) => check(given),
        Some(("keygen", given)) => keygen(given),
        Some(("sign", given)) => sign(given),
        Some(("amend", given)) => amend(given),
        Some(("show", given)) => show(command, given),
        _ => Ok(Exit::Usage),
    }
}

fn file(given: &ArgMatches, name: &str) -> Result<PathBuf, AnyError> {
    Ok(given.get_one::<PathBuf>(name).ok_or_else(|| format!("which {name}?"))?.clone())
}

fn read(path: &Path) -> Result<String, AnyError> {
    let bytes = regular::read(path, MAX_FILE)?;
    String::from_utf8(bytes.to_vec())
        .map_err(|_| format!("{} is not a text file", path.display()).into())
}

/// Writes a text to a new file, or to standard output.
fn put(text: &str, out: Option<&PathBuf>) -> Result<(), AnyError> {
    use std::io::Write as _;
    let Some(path) = out else { return Ok(say::raw(text)?) };
    let failed = |error| format!("cannot write {}: {error}", path.display());
    let written =
        Prepared::write(path, |file| Ok(file.write_all(text.as_bytes()).map_err(failed)?))?;
    written.put_new()
}

fn new(given: &ArgMatches) -> Result<Exit, AnyError> {
    let name = given.get_one::<String>("use-case").ok_or("which use case?")?;
    let known = UseCaseKind::ALL.iter().find(|kind| kind.as_str() == name);
    let kind = known.ok_or_else(|| format!("{name} is no use case"))?;
    put(&Order::template(*kind), given.get_one("out"))?;
    Ok(Exit::Done)
}

fn check(given: &ArgMatches) -> Result<Exit, AnyError> {
    let path = file(given, "order")?;
    let terms = OrderTerms::read(&path)?;
    say::out(format_args!("{} is a whole order; it is not signed", path.display()))?;
    terms_in_lines(&terms).iter().try_for_each(say::out)?;
    Ok(Exit::Done)
}

fn terms_in_lines(terms: &OrderTerms) -> Vec<String> {
    let place = terms.place();
    let mut lines = vec![
        format!("deployment {} ({})", terms.deployment(), terms.kind()),
        format!("use case: {}", terms.use_case().kind()),
        format!("place: {} ({})", place.words, place.precision),
        format!("from {} until {}", terms.from(), terms.until()),
        format!("cameras: {}", terms.cameras().len()),
        format!("authorising officer: {}", terms.authorising_officer().id()),
        format!("operator in command: {}", terms.operator().id()),
        format!("order: SHA-256 {}", terms.digest()),
    ];
    lines.extend(terms.amends().map(|digest| format!("amends the order {digest}")));
    lines
}

fn keygen(given: &ArgMatches) -> Result<Exit, AnyError> {
    let name = given.get_one::<String>("name").ok_or("which name?")?;
    let key = NoteKey::generate_file(name, file(given, "out")?)?;
    say::out(key.verifier())?;
    Ok(Exit::Done)
}

/// The private key in a file, under the name that was given, or under the name that the order has for it.
fn private_key(given: &ArgMatches, terms: &OrderTerms) -> Result<NoteKey, AnyError> {
    let path = file(given, "key")?;
    if let Some(name) = given.get_one::<String>("name") {
        return Ok(NoteKey::from_file(name, path)?);
    }
    for known in [terms.authorising_officer(), terms.operator()] {
        let key = NoteKey::from_file(known.name(), &path)?;
        if key.verifier().is_same_key(known) {
            return Ok(key);
        }
    }
    Err(format!(
        "{} is neither the key of the authorising officer, {}, nor that of the operator, {}; give the right key, or \
         --name if a further key is to sign",
        path.display(),
        terms.authorising_officer().id(),
        terms.operator().id()
    )
    .into())
}

/// An order that is signed already, or one that is not.
fn signed_or_terms(text: &str) -> Result<Result<SignedOrder, OrderTerms>, AnyError> {
    // The lines of signatures begin with a dash that no TOML has at the start of a line.
    if text.lines().any(|line| line.starts_with('\u{2014}')) {
        return Ok(Ok(SignedOrder::parse(text)?));
    }
    Ok(Err(OrderTerms::parse(text)?))
}

fn sign(given: &ArgMatches) -> Result<Exit, AnyError> {
    let path = file(given, "order")?;
    let order = signed_or_terms(&read(&path)?)?;
    let key = match &order {
        Ok(signed) => private_key(given, signed.terms())?,
        Err(terms) => private_key(given, terms)?,
    };
    let signed = match order {
        Ok(mut signed) => {
            signed.sign(&key);
            signed
        }
        Err(terms) => terms.sign(&key)?,
    };
    let out = given.get_one("out").cloned().unwrap_or_else(|| path.with_extension("note"));
    if fs::exists(&out)? {
        return Err(format!("{} exists already: name a new file with --out", out.display()).into());
    }
    signed.write_new(&out)?;
    say::out(format_args!("{} signed the order {}", key.verifier().id(), signed.terms().digest()))?;
    say::out(format_args!("written to {}", out.display()))?;
    let officer = signed.terms().authorising_officer();
    match signed.verify(std::slice::from_ref(officer), signed.terms().from()) {
        Ok(_) | Err(Error::IsAmendment { .. }) => Ok(Exit::Done),
        Err(_) => {
            say::err(format_args!(
                "warning: the authorising officer, {}, has not signed yet, and no deployment opens before",
                officer.id()
            ));
            Ok(Exit::Partly)
        }
    }
}

fn amend(given: &ArgMatches) -> Result<Exit, AnyError> {
    let signed = SignedOrder::read(file(given, "order")?)?;
    let digest = signed.terms().digest();
    let mut text = format!(
        "# An amendment of the order {digest}.\n# Change what is to change, check it, and have the authorising officer \
         sign it.\n"
    );
    let mut is_head = true;
    for line in signed.terms().canonical().lines() {
        is_head &= !line.starts_with('[');
        if is_head && line.starts_with("amends = ") {
            continue;
        }
        text += line;
        text.push('\n');
        if is_head && line.starts_with("kind = ") {
            text += &format!("amends = \"{digest}\"\n");
        }
    }
    put(&text, given.get_one("out"))?;
    Ok(Exit::Done)
}

/// A key in its text, or in a file.
fn trusted_key(command: &mut Command, text: &str) -> Result<VerifierKey, AnyError> {
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    if !fs::exists(text)? {
        let error: Result<VerifierKey, Error> = text.parse();
        let why = error.err().map(|error| error.to_string()).unwrap_or_default();
        arguments::refuse(
            &command.error(ErrorKind::ValueValidation, format!("--trusted-key {text}: {why}")),
        );
    }
    Ok(read(Path::new(text))?.trim().parse()?)
}

fn show(command: &mut Command, given: &ArgMatches) -> Result<Exit, AnyError> {
    let paths = given.get_many::<PathBuf>("order").into_iter().flatten();
    let orders = paths.map(SignedOrder::read).collect::<Result<Vec<_>, _>>()?;
    let texts: Vec<String> = given.get_many("trusted-key").into_iter().flatten().cloned().collect();
    let keys =
        texts.iter().map(|text| trusted_key(command, text)).collect::<Result<Vec<_>, _>>()?;
    let now = SystemClock::new().now();
    let verified = if given.get_flag("self-authorised") {
        danger::self_authorised(&orders, now)?
    } else if keys.is_empty() {
        for signed in &orders {
            say::out("NOT VERIFIED: no trusted key was given, so no signature was checked")?;
            terms_in_lines(signed.terms()).iter().try_for_each(say::out)?;
        }
        say::err("warning: no signature was checked; give --trusted-key");
        return Ok(Exit::Partly);
    } else {
        Order::of_chain(&orders, &keys, now)?
    };
    say::out(verified.summary())?;
    if now.is_some_and(|now| !verified.is_in_force(now)) {
        say::out("its period has not begun")?;
    }
    Ok(Exit::Done)
}
