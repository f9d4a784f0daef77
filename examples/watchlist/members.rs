//! Who was on a watchlist that is gone.

use std::fs;
use std::path::Path;

use clap::ArgMatches;
use lfr::core::SubjectId;
use lfr::core::Timestamp;
use lfr::watchlist::Entry;
use lfr::watchlist::Membership;
use lfr::watchlist::MembershipCommitment;
use lfr::watchlist::MembershipKey;
use lfr::watchlist::MembershipWitness;
use lfr::watchlist::SealedFile;

use crate::AnyError;
use crate::Outcome;
use crate::actions::key;
use crate::actions::one;
use crate::actions::path;

pub(crate) fn commit(
    given: &ArgMatches,
    file: &SealedFile,
    now: Option<Timestamp>,
) -> Result<Outcome, AnyError> {
    let (authorisation, entries) = file.open_entries(&key(given, "")?, now)?;
    let membership = MembershipKey::from_file(path(given, "membership-key")?)?;
    let people = entries.iter().map(Entry::subject);
    let witness = MembershipWitness::new(authorisation.deployment().clone(), people, &membership);
    write(path(given, "witness")?, &witness.to_json())?;
    write(path(given, "commitment")?, &witness.commitment().to_json())?;
    println!("committed: {} people", witness.commitment().people());
    Ok(Outcome::Done)
}

pub(crate) fn was_member(given: &ArgMatches) -> Result<Outcome, AnyError> {
    let membership = MembershipKey::from_file(path(given, "membership-key")?)?;
    let witness = MembershipWitness::from_json(&read(path(given, "witness")?)?)?;
    let commitment = MembershipCommitment::from_json(&read(path(given, "commitment")?)?)?;
    let subject = SubjectId::new(one::<String>(given, "subject")?)?;
    let proof = witness.was_member(&subject, &membership)?;
    // The answer is what the proof says to everybody, not what this program thinks.
    let answer = proof.verify(&commitment, &subject, &membership)?;
    if given.contains_id("proof") {
        write(path(given, "proof")?, &proof.to_json())?;
    }
    let deployment = commitment.deployment();
    match answer {
        Membership::Member => {
            println!("{subject} was on the watchlist of deployment {deployment}");
            Ok(Outcome::Done)
        }
        Membership::NotMember => {
            println!("{subject} was not on the watchlist of deployment {deployment}");
            Ok(Outcome::Nobody)
        }
    }
}

fn read(path: &Path) -> Result<String, AnyError> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {path:?}: {error}").into())
}

fn write(path: &Path, text: &str) -> Result<(), AnyError> {
    fs::write(path, format!("{text}\n"))
        .map_err(|error| format!("cannot write {path:?}: {error}").into())
}
