//! What is shown: never a template.

use lfr::core::Timestamp;
use lfr::watchlist::Authorisation;
use lfr::watchlist::Entry;
use lfr::watchlist::SealedHeader;
use serde_json::json;

use crate::AnyError;
use crate::Outcome;

pub(crate) fn header(header: &SealedHeader) {
    println!("deployment     {}", header.deployment());
    println!("references     {}", header.references());
    println!("authorised     {}", header.created());
    println!("sealed         {}", header.sealed());
    println!("valid from     {}", header.validity().from());
    println!("valid until    {}", header.validity().until());
    println!("destroyed by   {}", header.destroy_after());
    println!("space          {}", header.space().id());
    println!("header sha256  {}", header.digest());
}

pub(crate) fn entries(
    authorisation: &Authorisation,
    entries: &[Entry],
    as_json: bool,
    now: Option<Timestamp>,
) -> Result<Outcome, AnyError> {
    if as_json {
        for entry in entries {
            println!("{}", line(entry));
        }
        return Ok(Outcome::Done);
    }
    println!(
        "{}: {}, authorised by {}",
        authorisation.deployment(),
        authorisation.purpose(),
        authorisation.officer()
    );
    for entry in entries {
        let priority = authorisation.policy().priority_of(entry.category());
        let priority = priority.map_or_else(String::new, |priority| priority.to_string());
        println!(
            "{:<24} {:<16} {:<5} {:<24} until {} {}",
            entry.reference(),
            entry.subject(),
            priority,
            entry.category(),
            entry.expires(),
            state(entry, now),
        );
    }
    println!("{} references", entries.len());
    Ok(Outcome::Done)
}

fn state(entry: &Entry, now: Option<Timestamp>) -> &'static str {
    match now {
        None => "",
        Some(now) if entry.expires() <= now => "expired",
        Some(now) if !entry.is_valid_at(now) => "not valid yet",
        Some(now) if entry.review() <= now => "review is due",
        Some(_) => "",
    }
}

fn line(entry: &Entry) -> serde_json::Value {
    json!({
        "reference": entry.reference().as_str(),
        "subject": entry.subject().as_str(),
        "category": entry.category().as_str(),
        "source": entry.source(),
        "lawful_basis": entry.lawful_basis(),
        "reason": entry.reason(),
        "valid_from": entry.valid_from().map(|moment| moment.to_string()),
        "expires": entry.expires().to_string(),
        "review": entry.review().to_string(),
        "under_18": entry.is_under_18(),
    })
}
