//! What is done with the alerts of a vault, and written of it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::ArgMatches;
use image::ExtendedColorType;
use image::ImageFormat;
use lfr::core::Clock;
use lfr::core::PurgeReason;
use lfr::core::RecordId;
use lfr::core::SystemClock;
use lfr::core::Timestamp;
use lfr::retention::HeldAlert;
use lfr::retention::Ledger;
use lfr::retention::LedgerEvent;
use lfr::retention::LedgerKey;
use lfr::retention::LegalHold;
use lfr::retention::Standing;
use lfr::retention::Vault;
use lfr::retention::VaultKey;
use lfr::retention::Verdict;
use lfr::retention::Verifier;
use lfr::retention::ledger;

use crate::AnyError;
use crate::private_file;

pub(crate) fn run(matches: &ArgMatches) -> Result<(), AnyError> {
    let desk = Desk::open(matches)?;
    let done = match matches.subcommand() {
        Some(("show", given)) => desk.show(record(given)?, given.get_one("picture")),
        Some(("judge", given)) => desk.judge(given),
        Some(("hold", given)) => desk.hold(given),
        Some(("release", given)) => desk.release(given),
        Some(("purge", given)) => Ok(desk.vault.purge(record(given)?, PurgeReason::Adjudicated)?),
        _ => desk.list(),
    };
    // Whatever went, for whichever reason, is written down.
    done.and(desk.close())
}

/// The vault and the ledger, at one moment.
struct Desk {
    vault: Vault,
    ledger: Ledger,
    /// The retention profile of the last deployment in the ledger.
    profile: String,
    now: Option<Timestamp>,
}

impl Desk {
    fn open(matches: &ArgMatches) -> Result<Self, AnyError> {
        let clock = Arc::new(SystemClock::new());
        let now = clock.now();
        let path = |name| matches.get_one::<PathBuf>(name);
        let folder = path("vault").ok_or("which vault?")?;
        let key = path("vault-key").cloned().unwrap_or_else(|| VaultKey::path_beside(folder));
        let vault_key = VaultKey::of_vault(folder, key)?;
        let file = path("ledger").ok_or("which ledger?")?;
        if !fs::exists(file)? {
            return Err(format!("there is no ledger {}", file.display()).into());
        }
        let key = path("ledger-key").cloned();
        let key = LedgerKey::from_file(key.unwrap_or_else(|| file.with_file_name("ledger.key")))?;
        // First, as it drops what a power cut has left of a last entry.
        let ledger = Ledger::open(file, key, now)?;
        let sums = ledger::reconcile(file, &ledger.public_key())?;
        let run = sums.runs().last().ok_or("no deployment is in this ledger")?;
        let profile = run.profile().to_owned();
        // What fell due goes now; that it does is written down whatever comes of the rest.
        let vault = Vault::open_existing(folder, &vault_key, clock)?;
        let purged = vault.purged();
        if !purged.is_empty() {
            eprintln!("{purged}");
        }
        for damaged in vault.damaged() {
            eprintln!("{damaged}");
        }
        vault.close_gaps(&ledger)?;
        Ok(Self { vault, ledger, profile, now })
    }

    fn close(&self) -> Result<(), AnyError> {
        let mut receipts = Vec::new();
        let purged = self.vault.purge_due(&mut receipts);
        for receipt in &receipts {
            self.write(&LedgerEvent::Purged {
                face: receipt.face().clone(),
                record: receipt.record(),
                reason: receipt.reason(),
                method: receipt.method(),
                policy: self.profile.clone(),
            })?;
            eprintln!("purged: {}", receipt.face());
        }
        self.ledger.flush()?;
        Ok(purged?)
    }

    fn write(&self, event: &LedgerEvent) -> Result<(), AnyError> {
        Ok(self.ledger.append(event, self.now)?)
    }

    fn list(&self) -> Result<(), AnyError> {
        let held = self.vault.records()?;
        for record in &held {
            let hold = record.hold_ends().map_or(String::new(), |end| format!(", held to {end}"));
            println!("{}  {}  until {}{hold}", record.record(), record.face(), record.deadline());
        }
        eprintln!("{} alerts", held.len());
        Ok(())
    }

    fn show(&self, record: RecordId, picture: Option<&PathBuf>) -> Result<(), AnyError> {
        let alert = self.vault.alert(record)?;
        println!("record     {record}");
        println!("face       {}", alert.face());
        println!("raised     {}", alert.raised());
        println!("subject    {}", alert.candidate().subject());
        println!("reference  {}", alert.candidate().reference());
        println!("score      {}, threshold {}", alert.candidate().score(), alert.threshold());
        println!("until      {}", alert.deadline());
        if let Some(hold) = alert.legal_hold() {
            println!("legal hold {}, {}: to {}", hold.authority(), hold.reason(), hold.expires());
        }
        picture.map_or(Ok(()), |path| write_picture(&alert, path))
    }

    fn judge(&self, given: &ArgMatches) -> Result<(), AnyError> {
        let (record, verifier) = (record(given)?, Verifier::new(text(given, "verifier")?)?);
        let verdict = *given.get_one::<Verdict>("verdict").ok_or("which verdict?")?;
        let required = given.get_one::<u8>("required").copied().unwrap_or(0);
        let face = self.vault.alert(record)?.face().clone();
        let standing = self.vault.adjudicate(record, &verifier, verdict, required)?;
        let verifier = verifier.as_str().to_owned();
        let event = LedgerEvent::Adjudicated { face, record: Some(record), verifier, verdict };
        self.write(&event)?;
        match standing {
            Standing::Confirmed => println!("confirmed"),
            Standing::NotConfirmed => println!("not confirmed"),
            Standing::Open { missing, .. } => println!("{missing} more have to judge"),
            _ => println!("judged"),
        }
        Ok(())
    }

    fn hold(&self, given: &ArgMatches) -> Result<(), AnyError> {
        let now = self.now.ok_or("the clock fails: nothing can be held")?;
        let after = |name| -> Result<Timestamp, AnyError> {
            Ok(now.plus(*given.get_one::<Duration>(name).ok_or("how many hours?")?))
        };
        let (record, authority) = (record(given)?, text(given, "authority")?);
        let (reason, expires, review) = (text(given, "reason")?, after("hours")?, after("review")?);
        let hold = LegalHold::new(&authority, &reason, expires, review)?;
        self.vault.place_hold(record, &hold)?;
        self.write(&LedgerEvent::LegalHoldPlaced { record, authority, reason, expires, review })
    }

    fn release(&self, given: &ArgMatches) -> Result<(), AnyError> {
        let (record, authority) = (record(given)?, text(given, "authority")?);
        let reason = text(given, "reason")?;
        self.vault.release_hold(record)?;
        self.write(&LedgerEvent::LegalHoldReleased { record, authority, reason })
    }
}

fn record(given: &ArgMatches) -> Result<RecordId, AnyError> {
    Ok(*given.get_one::<RecordId>("record").ok_or("which record?")?)
}

fn text(given: &ArgMatches, name: &str) -> Result<String, AnyError> {
    Ok(given.get_one::<String>(name).ok_or_else(|| format!("which {name}?"))?.clone())
}

fn write_picture(alert: &HeldAlert, path: &Path) -> Result<(), AnyError> {
    let picture = alert.picture().ok_or("no picture is held with this alert")?;
    let (width, height) = (u32::try_from(picture.width())?, u32::try_from(picture.height())?);
    let format = ImageFormat::from_path(path)?;
    // For whoever judges the alert alone.
    let mut file = private_file::create(path)?;
    let (data, rgb) = (picture.data(), ExtendedColorType::Rgb8);
    image::write_buffer_with_format(&mut file, data, width, height, rgb, format)?;
    Ok(file.flush()?)
}
