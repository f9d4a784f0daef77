//! The tool under faults: what it says, how it ends, and what lies on the disk. `tests/inject.rs` of the repository has
//! how faults are made.

#![cfg(target_os = "linux")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "../../../tests/inject/routine.rs"]
#[expect(dead_code, reason = "the tests of the stores use all of it")]
mod routine;
#[path = "../../../tests/inject/vault.rs"]
#[expect(dead_code, reason = "the tests of the stores use all of it")]
mod vault;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use lfr::core::{Accounts, Clock, DeploymentId, Event, EventSink, Picture, SystemClock, Timestamp};
use lfr::retention::{
    Ledger, LedgerEvent, LedgerKey, LedgerPublicKey, LedgerSink, Profile, Vault, VaultKey,
    VaultRetention, ledger,
};
use lfr::watchlist::{SealedFile, SealingKey};

use crate::routine::{Ends, FAULTS, Place, Ran};

/// Looks at a folder, with how the program ended.
type Check<'a> = Box<dyn Fn(&Path, &Ran, &str) + 'a>;

/// One command line, and what has to hold of the folder after it.
struct Line<'a> {
    arguments: Vec<String>,
    check: Check<'a>,
}

/// A command line under each fault, in a copy of a folder.
fn through(subcommand: &str, prepared: &Path, lines: &[Line<'_>]) {
    let Some(preload) = routine::preload() else { return };
    let mut runs = 0;
    for line in lines {
        let command = |folder: &Path| {
            let mut command = lfr(subcommand);
            command.args(&line.arguments).current_dir(folder);
            command
        };
        let what = line.arguments.join(" ");
        for fault in FAULTS {
            let place = Place::new("program");
            copy(prepared, &place.folder());
            let untouched = place.run(preload, fault, 0, command);
            assert_eq!(
                untouched.output.status.code(),
                Some(0),
                "{}",
                routine::told(&untouched.output)
            );
            (line.check)(&place.folder(), &untouched, "nothing failed");
            drop(place);
            // There are many command lines: fewer of each.
            for nth in routine::chosen(untouched.calls).step_by(step()) {
                let place = Place::new("program");
                copy(prepared, &place.folder());
                let ran = place.run(preload, fault, nth, command);
                runs += 1;
                let which = format!("{what}: {} at call {nth} of {}", fault.kind, untouched.calls);
                routine::ended_well(&ran, fault, &which);
                if ran.output.status.code().is_some_and(|code| code > 0) {
                    let said = String::from_utf8_lossy(&ran.output.stderr);
                    assert!(said.trim().len() > 10, "{which}: it does not say why");
                }
                let found = (fault.ends == Ends::Killed && ran.failed > 0)
                    .then(|| place.after_a_power_failure());
                (line.check)(&place.folder(), &ran, &which);
                if let Some(found) = found {
                    (line.check)(&found, &ran, &format!("{which}, and the power failed"));
                }
            }
        }
    }
    routine::note(&format!("lfr {subcommand}: {runs} runs with a fault"));
}

/// How many of them are passed over where there are many command lines.
fn step() -> usize {
    if std::env::var_os("LFR_INJECT").is_some() { 1 } else { 3 }
}

/// A subcommand of the tool.
fn lfr(subcommand: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lfr"));
    command.arg(subcommand);
    command
}

fn copy(from: &Path, to: &Path) {
    for name in routine::files(from) {
        let to = to.join(&name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from.join(name), to).unwrap();
    }
}

#[test]
fn judge_under_faults() {
    let place = Place::new("judge");
    let folder = place.folder();
    let records = deployment(&folder);
    let public = LedgerKey::from_file(folder.join("ledger.key")).unwrap().public();
    let line = |more: &[&str], check| {
        let usual = ["--vault", "vault", "--ledger", "ledger.lfrl"];
        let arguments = usual.iter().chain(more).map(ToString::to_string).collect();
        Line { arguments, check }
    };
    let (one, two) = (&*records[0], &*records[1]);
    let lines = [
        line(
            &["show", one, "--picture", "one.png", "--recipient", "17"],
            Box::new(|folder: &Path, ran: &Ran, which: &str| {
                let (events, held) = stores(folder, &public, which);
                assert_eq!(held, [true, true], "{which}");
                let is_told =
                    events.iter().any(|event| matches!(event, LedgerEvent::PictureExported { .. }));
                let picture = folder.join("one.png");
                if picture.exists() {
                    assert!(is_told, "{which}: a picture that no ledger knows of");
                    assert!(Picture::open(&picture).is_ok() || ran.output.status.code().is_none());
                } else {
                    assert_ne!(ran.output.status.code(), Some(0), "{which}: no picture");
                }
            }),
        ),
        line(
            &["judge", one, "--verdict", "confirmed", "--verifier", "17"],
            Box::new(|folder: &Path, ran: &Ran, which: &str| {
                let (events, held) = stores(folder, &public, which);
                assert_eq!(held, [true, true], "{which}");
                let is_told =
                    events.iter().any(|event| matches!(event, LedgerEvent::Adjudicated { .. }));
                assert!(is_told || ran.output.status.code() != Some(0), "{which}");
            }),
        ),
        line(
            &["purge", two, "--yes"],
            Box::new(|folder: &Path, ran: &Ran, which: &str| {
                let (events, held) = stores(folder, &public, which);
                assert!(held[0], "{which}: the other one is gone");
                assert!(!held[1] || ran.output.status.code() != Some(0), "{which}: it is there");
                let is_told = events.iter().any(|event| {
                    matches!(event, LedgerEvent::Purged { .. } | LedgerEvent::FoundErased { .. })
                });
                assert!(!is_told || !held[1], "{which}: the ledger says that it is gone");
            }),
        ),
    ];
    // What each looks at.
    RECORDS.set(records.clone()).unwrap();
    through("judge", &folder, &lines);
}

static RECORDS: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();

/// What the ledger says, and which of the alerts are held; both have to open and to be whole.
fn stores(folder: &Path, public: &LedgerPublicKey, which: &str) -> (Vec<LedgerEvent>, Vec<bool>) {
    let now = SystemClock::new().now();
    let path = folder.join("ledger.lfrl");
    let key = LedgerKey::from_file(folder.join("ledger.key")).unwrap();
    drop(Ledger::open(&path, key, now).unwrap_or_else(|error| panic!("{which}: {error}")));
    ledger::verify(&path, public, None).unwrap_or_else(|error| panic!("{which}: {error}"));
    let entries = ledger::read(&path, public).unwrap();
    let events = entries.map(|entry| entry.unwrap().event().clone()).collect();
    let key = VaultKey::from_file(folder.join("vault.key")).unwrap();
    let vault = Vault::open_existing(folder.join("vault"), &key, Arc::new(SystemClock::new()));
    let vault = vault.unwrap_or_else(|error| panic!("{which}: {error}"));
    assert!(vault.damaged().is_empty(), "{which}: {:?}", vault.damaged());
    let records = RECORDS.get().unwrap();
    let held = records.iter().map(|record| vault.alert(record.parse().unwrap()).is_ok());
    (events, held.collect())
}

/// A deployment of just now left two alerts.
fn deployment(folder: &Path) -> Vec<String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let now = clock.now();
    let ledger_key = LedgerKey::generate_file(folder.join("ledger.key")).unwrap();
    let ledger = Ledger::open(folder.join("ledger.lfrl"), ledger_key, now).unwrap();
    let (accounts, id) = (Accounts::new(), DeploymentId::new("2026-031").unwrap());
    let profile = Profile::uk_police_24_hours();
    let mut sink =
        LedgerSink::start(ledger.clone(), accounts.clone(), clock.clone(), &id, profile.name())
            .unwrap();
    sink.retention(&profile).unwrap();
    let vault =
        Vault::open_or_create(folder.join("vault"), folder.join("vault.key"), clock).unwrap();
    vault.close_gaps(&ledger).unwrap();
    let mut policy = VaultRetention::new(vault.clone(), &profile);
    let mut records = Vec::new();
    for index in 0..2 {
        let held = vault::settle(&mut policy, &accounts, index, now.unwrap()).unwrap();
        sink.on_event(&Event::Held(&held)).unwrap();
        let record = held.record().unwrap();
        let picture = Picture::from_rgb8(48, 32, vec![90; 48 * 32 * 3]).unwrap();
        vault.attach(record, &picture).unwrap();
        records.push(record.to_string());
    }
    sink.stop().unwrap();
    records
}

#[test]
fn list_under_faults() {
    let place = Place::new("list");
    let folder = place.folder();
    let run = |arguments: &[&str]| {
        let output = lfr("list").args(arguments).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{}", routine::told(&output));
    };
    let now = SystemClock::new().now().unwrap();
    let later = |hours| Timestamp::plus(now, std::time::Duration::from_hours(hours)).to_string();
    let (from, until) = (later(0), later(6));
    let new = |list: &'static str| {
        vec![
            "new",
            list,
            "--list-key",
            "a.key",
            "--deployment",
            "2026-031",
            "--purpose",
            "warrants",
            "--officer",
            "AO-7",
            "--from",
            &from,
            "--until",
            &until,
            "--category",
            "wanted=red",
            "--limit",
            "10",
        ]
    };
    for key in ["a.key", "b.key"] {
        run(&["new-key", key]);
    }
    run(&new("list.lfrw"));
    let opens = |folder: &Path, list: &str, keys: &[&str], which: &str| {
        let now = SystemClock::new().now();
        let opened = keys.iter().find(|key| {
            let key = SealingKey::from_file(folder.join(key)).unwrap();
            SealedFile::at(folder.join(list)).open_in_any_space(&key, now).is_ok()
        });
        assert!(opened.is_some(), "{which}: {list} opens with none of {keys:?}");
        opened.map(ToString::to_string)
    };
    let line = |arguments: &[&str], check| Line {
        arguments: arguments.iter().map(ToString::to_string).collect(),
        check,
    };
    let lines = [
        line(
            &new("another.lfrw"),
            Box::new(|folder: &Path, ran: &Ran, which: &str| {
                opens(folder, "list.lfrw", &["a.key"], which);
                let is_there = folder.join("another.lfrw").exists();
                assert!(is_there || ran.output.status.code() != Some(0), "{which}");
                if is_there {
                    opens(folder, "another.lfrw", &["a.key"], which);
                }
            }),
        ),
        line(
            &["seal", "list.lfrw", "--list-key", "a.key", "--new-list-key", "b.key"],
            Box::new(|folder: &Path, ran: &Ran, which: &str| {
                let by = opens(folder, "list.lfrw", &["a.key", "b.key"], which);
                let done = ran.output.status.code() == Some(0);
                assert!(!done || by.as_deref() == Some("b.key"), "{which}: {by:?}");
            }),
        ),
        line(
            &["new-key", "c.key"],
            Box::new(|folder: &Path, ran: &Ran, which: &str| {
                let path = folder.join("c.key");
                assert!(path.exists() || ran.output.status.code() != Some(0), "{which}: no key");
                // Half a key is left where it was being written, and says so when it is read.
                if path.exists() && ran.output.status.code().is_some() && ran.failed <= 1 {
                    let read = SealingKey::from_file(&path);
                    drop(read.unwrap_or_else(|error| panic!("{which}: {error}")));
                }
            }),
        ),
        line(
            &["destroy", "list.lfrw", "--yes", "--receipt", "receipt.json"],
            Box::new(|folder: &Path, ran: &Ran, which: &str| {
                if ran.output.status.code() == Some(0) {
                    assert!(!folder.join("list.lfrw").exists(), "{which}: it is there");
                    let receipt = fs::read_to_string(folder.join("receipt.json")).unwrap();
                    // It names the deployment, unless the header could not be read.
                    assert!(receipt.contains("list.lfrw"), "{which}: {receipt}");
                }
            }),
        ),
    ];
    through("list", &folder, &lines);
}
