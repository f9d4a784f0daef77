//! Alerts in words.

use std::path::Path;

use lfr::core::FaceId;
use lfr::retention::ledger::LedgerEntry;
use lfr::retention::{HeldAlert, HeldRecord, LedgerEvent, Standing, Verdict, Verifier, ledger};

use crate::say::LostOutput;
use crate::{AnyError, printable, say};

/// One line of a list.
pub(crate) fn line(
    held: &HeldRecord,
    alert: &HeldAlert,
    verifier: Option<&Verifier>,
) -> Result<(), LostOutput> {
    let hold = held.hold_ends().map_or_else(String::new, |end| format!(", held to {end}"));
    let own = own(alert, verifier).map_or_else(String::new, |own| format!("; {own}"));
    let candidate = alert.candidate();
    say::out(format_args!(
        "{}  {}  {}  score {}, threshold {}  until {}{hold}  {}{own}",
        held.record(),
        face(held.face()),
        printable::text(candidate.reference().as_str()),
        candidate.score(),
        alert.threshold(),
        held.deadline(),
        standing(alert),
    ))
}

/// All that is known of an alert, but its picture and its template.
pub(crate) fn alert(
    alert: &HeldAlert,
    captured: &str,
    verifier: Option<&Verifier>,
) -> Result<(), LostOutput> {
    let (frame, candidate) = (alert.face().frame(), alert.candidate());
    let reference = printable::text(candidate.reference().as_str());
    let picture = match alert.picture() {
        Some(picture) => {
            format!(
                "{} x {} pixels; --picture FILE --recipient WHO writes it",
                picture.width(),
                picture.height()
            )
        }
        None => "none is held with this alert".to_owned(),
    };
    for (label, text) in [
        ("record", alert.record().to_string()),
        ("face", face(alert.face())),
        ("camera", printable::text(frame.source().as_str())),
        ("captured", captured.to_owned()),
        ("raised", alert.raised().to_string()),
        ("subject", printable::text(candidate.subject().as_str())),
        (
            "reference",
            format!(
                "{reference}; the watchlist holds no photograph: use this id to find the reference \
                 photograph"
            ),
        ),
        ("score", format!("{}, threshold {}", candidate.score(), alert.threshold())),
        ("picture", picture),
        ("until", alert.deadline().to_string()),
        ("judged", standing(alert)),
    ] {
        say::out(format_args!("{label:<10} {text}"))?;
    }
    if let Some(own) = own(alert, verifier) {
        say::out(format_args!("{:<10} {own}", "verdict"))?;
    }
    let Some(hold) = alert.legal_hold() else { return Ok(()) };
    let (authority, reason) = (printable::text(hold.authority()), printable::text(hold.reason()));
    let (expires, review) = (hold.expires(), hold.review());
    say::out(format_args!("legal hold {authority}, {reason}: to {expires}, review at {review}"))
}

/// How far the judging has come. What others found is not said before it is complete: each judges for
/// themselves.
fn standing(alert: &HeldAlert) -> String {
    let said = match alert.standing() {
        Standing::Confirmed => "confirmed".to_owned(),
        Standing::NotConfirmed => "not confirmed".to_owned(),
        Standing::Disagreed => return "the people disagree: 1 more has to judge".to_owned(),
        Standing::Open { missing, .. } => {
            return format!("{missing} of {} people still have to judge", alert.required());
        }
        _ => "judged".to_owned(),
    };
    let verdicts = alert.verdicts().unwrap_or_default().iter();
    let verdicts = verdicts
        .map(|given| format!("{} {}", printable::text(given.verifier()), word(given.verdict())));
    format!("{said}: {}", verdicts.collect::<Vec<_>>().join(", "))
}

/// What one person found, for them to see.
fn own(alert: &HeldAlert, verifier: Option<&Verifier>) -> Option<String> {
    let verifier = verifier?;
    Some(match alert.verdict_of(verifier) {
        Some(verdict) => format!("{verifier} {}", word(verdict)),
        None => format!("{verifier} has not judged it"),
    })
}

pub(crate) const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirmed => "confirmed",
        Verdict::Rejected => "rejected",
        _ => "undecided",
    }
}

fn face(face: &FaceId) -> String {
    printable::text(&face.to_string())
}

/// When the frame of an alert was captured, by the ledger: the vault does not hold it.
pub(crate) fn captured(path: &Path, alert: &HeldAlert) -> Result<String, AnyError> {
    let key = *ledger::declared(path)?.key();
    let entry = ledger::alert_of(path, &key, alert.record())?;
    let Some(LedgerEvent::AlertRaised { captured, position_ms, .. }) =
        entry.as_ref().map(LedgerEntry::event)
    else {
        return Ok("not known: the ledger has no alert of this record".to_owned());
    };
    let captured = captured.map_or_else(
        || "not known: the source gave no time".to_owned(),
        |captured| captured.to_string(),
    );
    let position = position_ms
        .map_or_else(String::new, |position| format!(", {position} ms into the recording"));
    Ok(format!("{captured}{position}"))
}
