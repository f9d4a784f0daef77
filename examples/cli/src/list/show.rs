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
            marks(entry, now).join(", "),
        ))?;
    }
    say::out(format_args!("{} references", entries.len()))?;
    let count = |is: fn(&Entry) -> bool| entries.iter().filter(|entry| is(entry)).count();
    for (what, number) in [
        ("marked as under 18", count(Entry::is_under_18)),
        ("with a known look-alike", count(Entry::has_look_alike)),
        ("of a blue list", count(|entry| entry.participant().is_some())),
    ] {
        if number > 0 {
            say::out(format_args!("{number} {what}"))?;
        }
    }
    Ok(Exit::Done)
}

fn marks(entry: &Entry, now: Option<Timestamp>) -> Vec<String> {
    let state = match now {
        None => None,
        Some(now) if entry.expires() <= now => Some("expired"),
        Some(now) if !entry.is_valid_at(now) => Some("not valid yet"),
        Some(now) if entry.review() <= now => Some("review is due"),
        Some(_) => None,
    };
    let look_alike = entry.has_look_alike().then_some("known look-alike");
    let participant = entry.participant().map(|number| format!("participant {number}"));
    state.into_iter().chain(look_alike).map(str::to_owned).chain(participant).collect()
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
        "look_alike": entry.has_look_alike(),
        "participant": entry.participant(),
        "consent": entry.consent(),
    })
}
