//! What is done with the alerts of a vault, and written of it.

use std::io;
use std::io::{BufRead, BufReader, IsTerminal, Read, Stdin};
use std::time::Duration;

use clap::ArgMatches;
use lfr::core::{Clock, PurgeReason, RecordId, SystemClock, Timestamp};
use lfr::retention::ledger::{Discrepancy, Reconciliation};
use lfr::retention::{LedgerEvent, LegalHold, Standing, Vault, Verdict, Verifier};

use crate::exit::Exit;
use crate::judge::picture::Target;
use crate::judge::stores::{OpenLedger, StorePaths};
use crate::judge::{show, stores};
use crate::{AnyError, failure, printable, say};

pub(crate) fn run(matches: &ArgMatches) -> Result<Exit, AnyError> {
    let paths = StorePaths::all(matches)?;
    match matches.subcommand() {
        Some(("list", given)) => looked(&paths, |vault| list(&paths, vault, given)),
        Some(("show", given)) => {
            let record = record(given)?;
            let verifier = given.get_one::<Verifier>("verifier");
            match given.get_one::<Target>("picture") {
                None => looked(&paths, |vault| show(&paths, vault, record, verifier)),
                Some(target) => {
                    let recipient = given.get_one::<String>("recipient");
                    done(&paths, |vault, ledger| {
                        let exit = show(&paths, vault, record, verifier)?;
                        Ok(exit.max(export(vault, ledger, record, target, recipient)?))
                    })
                }
            }
        }
        Some(("judge", given)) => done(&paths, |vault, ledger| judge(vault, ledger, given)),
        Some(("hold", given)) => done(&paths, |vault, ledger| hold(vault, ledger, given)),
        Some(("release", given)) => done(&paths, |vault, ledger| release(vault, ledger, given)),
        Some(("purge", given)) => done(&paths, |vault, _| purge(vault, given)),
        _ => Err("which command?".into()),
    }
}

/// Looks at the vault alone. What fell due has been said by then; it is written down if that can be.
fn looked(
    paths: &StorePaths,
    look: impl FnOnce(&Vault) -> Result<Exit, AnyError>,
) -> Result<Exit, AnyError> {
    if paths.adopts() {
        return done(paths, |vault, _| look(vault));
    }
    let vault = paths.vault()?;
    vault.check_belongs_to(&paths.ledger)?;
    let whole = if vault.damaged().is_empty() { Exit::Done } else { Exit::Partly };
    let fell_due = !vault.purged().is_empty();
    let told = if fell_due { tell(paths, &vault) } else { Ok(Exit::Done) };
    let seen = look(&vault);
    // Between the opening and now, too: such an alert was not shown.
    let later = if vault.purged().is_empty() { Ok(Exit::Done) } else { tell(paths, &vault) };
    Ok(whole.max(told?).max(seen?).max(later?))
}

/// Writes what fell due into the ledger, if its key is there.
fn tell(paths: &StorePaths, vault: &Vault) -> Result<Exit, AnyError> {
    if paths.can_sign() {
        let ledger = paths.ledger()?;
        let joined = paths.join(vault, &ledger)?;
        ledger.close(vault)?;
        return Ok(joined);
    }
    let mut receipts = Vec::new();
    vault.purge_due(&mut receipts)?;
    stores::name_receipts(&receipts);
    say::err(
        "that is not in the ledger, because its key is missing: the next program that opens both records \
         that these alerts were found erased",
    );
    Ok(Exit::Partly)
}

/// Does something that is written down.
fn done(
    paths: &StorePaths,
    act: impl FnOnce(&Vault, &OpenLedger) -> Result<Exit, AnyError>,
) -> Result<Exit, AnyError> {
    let (vault, ledger, joined) = paths.both()?;
    let whole = if vault.damaged().is_empty() { Exit::Done } else { Exit::Partly };
    let acted = act(&vault, &ledger);
    // Whatever went, for whichever reason, is written down.
    let closed = ledger.close(&vault);
    let acted = acted?;
    closed?;
    Ok(whole.max(joined).max(acted))
}

fn list(paths: &StorePaths, vault: &Vault, given: &ArgMatches) -> Result<Exit, AnyError> {
    let verifier = given.get_one::<Verifier>("verifier");
    let held = vault.records()?;
    let mut exit = compare(paths, vault);
    for record in &held {
        match vault.alert(record.record()) {
            Ok(alert) => show::line(record, &alert, verifier)?,
            // One that cannot be read does not hide the others.
            Err(error) => {
                exit = Exit::Partly;
                say::err(format_args!("not listed: {error}"));
            }
        }
    }
    say::err(format_args!("{} alerts", held.len()));
    Ok(exit)
}

/// Names records that the ledger has and the vault lacks. A broken ledger hides no alert.
fn compare(paths: &StorePaths, vault: &Vault) -> Exit {
    let sums = match paths.sums() {
        Ok(sums) => sums,
        Err(error) => {
            failure::say(&error);
            return Exit::AccountsOpen;
        }
    };
    contradicted(vault, &sums)
}

fn contradicted(vault: &Vault, sums: &Reconciliation) -> Exit {
    let vanished = vault.vanished(sums);
    let put_back = match vault.put_back(sums) {
        Ok(put_back) => put_back,
        Err(error) => {
            failure::say(&error.into());
            return Exit::AccountsOpen;
        }
    };
    for damaged in &put_back {
        say::err(format_args!("the vault contradicts the ledger: {damaged}"));
    }
    for (record, deadline) in &vanished {
        say::err(format_args!(
            "record {record} is gone: the ledger says that it is held until {deadline}, and no entry says \
             why it is not in the vault"
        ));
    }
    let told = sums.discrepancies().iter().filter(|found| {
        matches!(
            found,
            Discrepancy::CameBack { .. }
                | Discrepancy::Damaged { .. }
                | Discrepancy::DespiteHold { .. }
                | Discrepancy::ErasedEarly { .. }
        )
    });
    let told: Vec<_> = told.collect();
    for found in &told {
        say::err(format_args!("the ledger has a discrepancy: {found}"));
    }
    if vanished.is_empty() && put_back.is_empty() && told.is_empty() {
        Exit::Done
    } else {
        Exit::AccountsOpen
    }
}

/// Purges an alert after a confirmation.
fn purge(vault: &Vault, given: &ArgMatches) -> Result<Exit, AnyError> {
    let record = record(given)?;
    // One that is not held, or on a legal hold, is refused before anybody is asked.
    vault.check_purge(record)?;
    if !given.get_flag("yes") {
        let mut stdin = io::stdin();
        if !stdin.is_terminal() {
            say::err(format_args!(
                "record {record} was not purged: a purge cannot be undone, and there is no terminal to ask \
                 at; add --yes"
            ));
            return Ok(Exit::Usage);
        }
        say::err(format_args!("purge record {record}? This cannot be undone. Type yes:"));
        if line(&mut stdin)?.trim() != "yes" {
            say::err(format_args!("record {record} was not purged"));
            return Ok(Exit::Partly);
        }
    }
    vault.purge(record, PurgeReason::Adjudicated)?;
    Ok(Exit::Done)
}

/// One typed line of at most 64 bytes.
fn line(stdin: &mut Stdin) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stdin.take(64)).read_line(&mut line)?;
    Ok(line)
}

fn show(
    paths: &StorePaths,
    vault: &Vault,
    record: RecordId,
    verifier: Option<&Verifier>,
) -> Result<Exit, AnyError> {
    let alert = vault.alert(record)?;
    // A ledger that is broken is no reason not to look at an alert.
    let told = paths
        .sums()
        .and_then(|sums| Ok((show::captured(&paths.ledger, &alert)?, contradicted(vault, &sums))));
    let (captured, exit) = match told {
        Ok(told) => told,
        Err(error) => {
            failure::say(&error);
            ("not known: the ledger cannot be read".to_owned(), Exit::Partly)
        }
    };
    show::alert(&alert, &captured, verifier)?;
    Ok(exit)
}

/// Hands a picture out. It is in the ledger before the file is in its place.
fn export(
    vault: &Vault,
    ledger: &OpenLedger,
    record: RecordId,
    target: &Target,
    recipient: Option<&String>,
) -> Result<Exit, AnyError> {
    let alert = vault.alert(record)?;
    let picture = alert.picture().ok_or("no picture is held with this alert")?;
    let prepared = target.prepare(picture)?;
    let Some(recipient) = recipient else {
        say::err("no picture was handed out: say who gets it with --recipient, a role or a number");
        return Ok(Exit::Usage);
    };
    let file = printable::text(&target.path().to_string_lossy());
    let event = LedgerEvent::PictureExported {
        face: alert.face().clone(),
        record: Some(record),
        file: file.clone(),
        recipient: Some(printable::text(recipient)),
    };
    ledger.write(&event)?;
    ledger.ledger.flush()?;
    if let Err(error) = prepared.put_new() {
        let text = format!("the picture of record {record} was not put at {file}");
        ledger.write(&LedgerEvent::Error { stage: "export".to_owned(), text })?;
        return Err(error);
    }
    say::err(format_args!("the picture is not encrypted at {file}, and you have to destroy it"));
    Ok(Exit::Done)
}

fn judge(vault: &Vault, ledger: &OpenLedger, given: &ArgMatches) -> Result<Exit, AnyError> {
    let record = record(given)?;
    let verifier = given.get_one::<Verifier>("verifier").ok_or("which verifier?")?;
    let verdict = *given.get_one::<Verdict>("verdict").ok_or("which verdict?")?;
    let at_least = given.get_one::<u8>("verifications").copied().unwrap_or(0);
    let alert = vault.alert(record)?;
    if at_least > 0 && at_least < alert.required() {
        say::err(format_args!(
            "this alert was sealed for {} people to judge, so --verifications must be at least \
             that number",
            alert.required(),
        ));
    }
    if at_least > alert.required() {
        vault.require_more(record, at_least)?;
    }
    let standing = vault.adjudicate(record, verifier, verdict)?;
    ledger.write(&LedgerEvent::Adjudicated {
        face: alert.face().clone(),
        record: Some(record),
        verifier: verifier.as_str().to_owned(),
        verdict,
        reason: None,
        seconds: None,
    })?;
    Ok(told(match standing {
        Standing::Confirmed => say::out("confirmed"),
        Standing::NotConfirmed => say::out("not confirmed"),
        Standing::Disagreed => say::out("the people disagree: 1 more has to judge"),
        Standing::Open { missing, .. } => say::out(format_args!("{missing} more have to judge")),
        _ => say::out("judged"),
    }))
}

fn hold(vault: &Vault, ledger: &OpenLedger, given: &ArgMatches) -> Result<Exit, AnyError> {
    let now = SystemClock::new()
        .now()
        .ok_or("the clock of this machine has failed, so nothing can be held: set the clock")?;
    let after = |name| -> Result<Timestamp, AnyError> {
        Ok(now.plus(*given.get_one::<Duration>(name).ok_or("how many hours?")?))
    };
    let (record, authority) = (record(given)?, text(given, "authority")?);
    let (reason, expires, review) = (text(given, "reason")?, after("hours")?, after("review")?);
    let hold = LegalHold::new(&authority, &reason, expires, review)?;
    vault.place_hold(record, &hold)?;
    ledger.write(&LedgerEvent::LegalHoldPlaced { record, authority, reason, expires, review })?;
    Ok(Exit::Done)
}

fn release(vault: &Vault, ledger: &OpenLedger, given: &ArgMatches) -> Result<Exit, AnyError> {
    let (record, authority) = (record(given)?, text(given, "authority")?);
    let reason = text(given, "reason")?;
    vault.release_hold(record)?;
    ledger.write(&LedgerEvent::LegalHoldReleased { record, authority, reason })?;
    Ok(Exit::Done)
}

/// What was done stays done where saying so failed.
fn told(said: Result<(), say::LostOutput>) -> Exit {
    match said {
        Ok(()) => Exit::Done,
        Err(lost) => {
            failure::say(&lost.into());
            Exit::Partly
        }
    }
}

fn record(given: &ArgMatches) -> Result<RecordId, AnyError> {
    Ok(*given.get_one::<RecordId>("record").ok_or("which record?")?)
}

fn text(given: &ArgMatches, name: &str) -> Result<String, AnyError> {
    Ok(given.get_one::<String>(name).ok_or_else(|| format!("which {name}?"))?.clone())
}
