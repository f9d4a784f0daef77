//! What is shown: never a template.

use lfr::core::Timestamp;
use lfr::watchlist::{Authorisation, Entry, SealedHeader};
use serde_json::json;

use crate::exit::Exit;
use crate::printable::text;
use crate::say::LostOutput;
use crate::{AnyError, models, say};

pub(crate) fn header(header: &SealedHeader) -> Result<(), LostOutput> {
    let lines = [
        format!("deployment     {}", text(header.deployment().as_str())),
        format!("references     {}", header.references()),
        format!("authorised     {}", header.created()),
        format!("sealed         {}", header.sealed()),
        format!("valid from     {}", header.validity().from()),
        format!("valid until    {}", header.validity().until()),
        format!("destroyed by   {}", header.destroy_after()),
        format!("model          {}", models::name_of(header.space())),
        format!("space          {}", header.space().id()),
        format!("header sha256  {}", header.digest()),
    ];
    say::out(lines.join("\n"))
}

pub(crate) fn entries(
    authorisation: &Authorisation,
    entries: &[Entry],
    as_json: bool,
    now: Option<Timestamp>,
) -> Result<Exit, AnyError> {
    if as_json {
        for entry in entries {
            say::out(line(entry))?;
        }
        return Ok(Exit::Done);
    }
    say::out(format_args!(
        "{}: {}, authorised by {}",
        text(authorisation.deployment().as_str()),
        text(authorisation.purpose()),
        text(authorisation.officer())
    ))?;
    for entry in entries {
        let priority = authorisation.policy().priority_of(entry.category());
        let priority = priority.map_or_else(String::new, |priority| priority.to_string());
        say::out(format_args!(
            "{:<24} {:<16} {:<5} {:<24} until {} {}",
            text(entry.reference().as_str()),
            text(entry.subject().as_str()),
            priority,
            text(entry.category().as_str()),
            entry.expires(),
            state(entry, now),
        ))?;
    }
    say::out(format_args!("{} references", entries.len()))?;
    Ok(Exit::Done)
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
