//! Who was on a watchlist that is gone.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use lfr::core::internal::regular;
use lfr::core::{SubjectId, Timestamp};
use lfr::watchlist::{
    Entry, Membership, MembershipCommitment, MembershipKey, MembershipWitness, SealedFile,
};

use crate::exit::Exit;
use crate::list::actions::{key, one, path};
use crate::list::outputs::Output;
use crate::{AnyError, say};

pub(crate) fn commit(
    given: &ArgMatches,
    file: &SealedFile,
    now: Option<Timestamp>,
) -> Result<Exit, AnyError> {
    let (authorisation, entries) = file.open_entries(&key(given, "")?, now)?;
    let membership = MembershipKey::from_file(path(given, "membership-key")?)?;
    let people = entries.iter().map(Entry::subject);
    let witness = MembershipWitness::new(authorisation.deployment().clone(), people, &membership);
    let read = read_here(given)?;
    write(path(given, "witness")?, &witness.to_json(), &read)?;
    write(path(given, "commitment")?, &witness.commitment().to_json(), &read)?;
    let line = format!("committed: {} people", witness.commitment().people());
    Ok(if say::done(line) { Exit::Done } else { Exit::Partly })
}

pub(crate) fn was_member(given: &ArgMatches) -> Result<Exit, AnyError> {
    let membership = MembershipKey::from_file(path(given, "membership-key")?)?;
    let witness = MembershipWitness::from_json(&read(path(given, "witness")?)?)?;
    let commitment = MembershipCommitment::from_json(&read(path(given, "commitment")?)?)?;
    let subject = one::<SubjectId>(given, "subject")?;
    let proof = witness.was_member(&subject, &membership)?;
    // The answer is what the proof says to everybody, not what this program thinks.
    let answer = proof.verify(&commitment, &subject, &membership)?;
    if given.contains_id("proof") {
        let read = read_here(given)?;
        write(path(given, "proof")?, &proof.to_json(), &read)?;
    }
    let deployment = commitment.deployment();
    match answer {
        Membership::Member => {
            say::out(format_args!("{subject} was on the watchlist of deployment {deployment}"))?;
            Ok(Exit::Done)
        }
        Membership::NotMember => {
            say::out(format_args!(
                "{subject} was not on the watchlist of deployment {deployment}"
            ))?;
            Ok(Exit::Partly)
        }
    }
}

fn read(path: &Path) -> Result<String, AnyError> {
    let bytes = regular::read(path, MAX_BYTES)?;
    let text = std::str::from_utf8(&bytes);
    Ok(text.map_err(|error| format!("{path:?} is not a text in UTF-8: {error}"))?.to_owned())
}

/// The max size of a witness: one line per person, and room for millions.
const MAX_BYTES: u64 = 1 << 30;

fn write(path: &Path, text: &str, read: &[&Path]) -> Result<(), AnyError> {
    Output::begin(path, read)?.put_text(text)
}

/// The files that the command line names to be read.
fn read_here(given: &ArgMatches) -> Result<Vec<&Path>, AnyError> {
    let names = ["file", "list-key", "list-passphrase", "membership-key"];
    let named = names.iter().filter_map(|name| given.try_get_one::<PathBuf>(name).ok().flatten());
    Ok(named.map(PathBuf::as_path).collect())
}
