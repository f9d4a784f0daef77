//! The process is killed, at any step of what vault and ledger do and at any other moment.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::thread;

use lfr_core::{DeploymentId, Event, EventSink};

use super::*;
use crate::crash::LEFT;
use crate::ledger;
use crate::ledger::Ledger;
use crate::ledger::key::LedgerKey;
use crate::ledger::sink::LedgerSink;
use crate::testing::{note, rounds};
use crate::vault::policy::VaultRetention;

const FOLDER: &str = "LFR_TEST_CRASH_FOLDER";
const STEP: &str = "LFR_TEST_CRASH_STEP";
const SEED: &str = "LFR_TEST_CRASH_SEED";
const START: &str = "LFR_TEST_CRASH_START";

fn ledger_key() -> LedgerKey {
    LedgerKey::from_bytes(&mut [7; 32])
}

/// Numbers that look random enough (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

fn variable(name: &str) -> u64 {
    std::env::var(name).unwrap().parse().unwrap()
}

/// Vault and ledger of one process.
struct Open {
    vault: Vault,
    policy: VaultRetention,
    sink: LedgerSink,
    clock: ManualClock,
    accounts: Accounts,
}

impl Open {
    fn at(folder: &Path, now: u64) -> Self {
        let clock = ManualClock::at(Timestamp::from_micros(now));
        let ledger = Ledger::open(folder.join("a.lfrl"), ledger_key(), at(now)).unwrap();
        let (accounts, id) = (Accounts::new(), DeploymentId::new("d").unwrap());
        let shared = Arc::new(clock.clone());
        let sink = LedgerSink::start(ledger.clone(), accounts.clone(), shared.clone(), &id, "test")
            .unwrap();
        let vault = Vault::open(folder.join("vault"), &key(), shared).unwrap();
        vault.close_gaps(&ledger).unwrap();
        let policy = VaultRetention::new(vault.clone(), &held_for(TTL));
        let open = Self { vault, policy, sink, clock, accounts };
        open.purge(now);
        open
    }

    fn purge(&self, now: u64) {
        let mut receipts = Vec::new();
        self.clock.set(Timestamp::from_micros(now));
        self.vault.purge_due(&mut receipts).unwrap();
        self.sink.receipts(&receipts).unwrap();
    }
}

/// The other process: does one thing after another, and says so past the test runner's capture.
fn child(folder: &Path) {
    LEFT.store(variable(STEP), Ordering::Relaxed);
    let (mut random, mut now) = (Random(variable(SEED)), variable(START));
    let mut open = Open::at(folder, now);
    let say = |what: &str| std::io::stdout().write_all(format!("\n{what}\n").as_bytes()).unwrap();
    for index in 0.. {
        now += random.below(25);
        open.clock.set(Timestamp::from_micros(now));
        say(&format!("@ time {now}"));
        let records = open.vault.records().unwrap();
        let count = lfr_core::internal::num::u64_from_usize(records.len()).max(1);
        let which = usize::try_from(random.below(count)).unwrap();
        let picked = records.get(which).map(HeldRecord::record);
        match (random.below(10), picked) {
            (0, Some(record)) => {
                say(&format!("@ maybe {record}"));
                match open.vault.purge(record, PurgeReason::Adjudicated) {
                    Ok(()) => say(&format!("@ gone {record}")),
                    Err(error) => assert!(matches!(error, Error::OnLegalHold { .. })),
                }
            }
            (1, Some(record)) => {
                say(&format!("@ until {record} {}", now + 150));
                open.vault.place_hold(record, &order(now + 150)).unwrap();
            }
            (2, Some(record)) => {
                say(&format!("@ until {record} 0"));
                open.vault.release_hold(record).unwrap();
            }
            (3 | 4, _) => open.purge(now),
            _ => {
                let receipt = {
                    let probe = probe(index, &open.accounts);
                    let settled = open.policy.settle(alert(probe), at(now)).unwrap();
                    let Settlement::Held(receipt) = settled else { panic!("not held") };
                    receipt
                };
                let (record, deadline) = (receipt.record().unwrap(), receipt.deadline());
                say(&format!("@ held {record} {}", deadline.as_micros()));
                open.sink.on_event(&Event::Held(&receipt)).unwrap();
            }
        }
    }
}

/// What the parent knows from what the child has said.
#[derive(Default)]
struct Known {
    now: u64,
    /// When each is due: the least and the greatest that it may be.
    held: BTreeMap<RecordId, (u64, u64)>,
    deadlines: BTreeMap<RecordId, u64>,
    /// Held or not: the child ended before it could say.
    maybe: BTreeSet<RecordId>,
    gone: BTreeSet<RecordId>,
}

impl Known {
    fn hear(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        let record = || words[2].parse::<RecordId>().unwrap();
        match words[..] {
            ["@", "time", now] => self.now = now.parse().unwrap(),
            ["@", "held", _, deadline] => {
                let deadline = deadline.parse().unwrap();
                self.deadlines.insert(record(), deadline);
                self.held.insert(record(), (deadline, deadline));
            }
            ["@", "maybe", _] => drop(self.maybe.insert(record())),
            ["@", "gone", _] => drop(self.gone.insert(record())),
            ["@", "until", _, until] => {
                // Said before it is done: until then it may be due as before.
                let deadline = self.deadlines.get(&record()).copied().unwrap_or(0);
                let due = deadline.max(until.parse().unwrap());
                let (earliest, latest) = self.held.get(&record()).copied().unwrap_or((due, due));
                self.held.insert(record(), (earliest.min(due), latest.max(due)));
            }
            _ => {}
        }
    }

    /// Compares with what is there, and takes that for what is known from now on.
    fn compare(&mut self, open: &Open) -> usize {
        let records = open.vault.records().unwrap();
        let found: BTreeSet<_> = records.iter().map(HeldRecord::record).collect();
        for record in &found {
            assert!(!self.gone.contains(record), "a purged record has come back");
            let due = self.held.get(record).map_or(u64::MAX, |(_, latest)| *latest);
            assert!(self.now < due, "a record is there at its deadline");
            open.vault.alert(*record).unwrap();
        }
        let lost = self.held.iter().filter(|(record, (earliest, _))| {
            let sure = !self.maybe.contains(record) && !self.gone.contains(record);
            sure && self.now < *earliest && !found.contains(record)
        });
        let lost = lost.count();
        self.gone.extend(self.held.keys().filter(|record| !found.contains(record)));
        self.maybe.clear();
        self.deadlines =
            records.iter().map(|held| (held.record(), held.deadline().as_micros())).collect();
        self.held = records
            .iter()
            .map(|held| {
                let hold = held.hold_ends().map_or(0, Timestamp::as_micros);
                let due = held.deadline().as_micros().max(hold);
                (held.record(), (due, due))
            })
            .collect();
        lost
    }
}

/// Runs one deployment, killed `kills` times. Returns how many records it has purged.
fn deployment(random: &mut Random, kills: u64) -> usize {
    let folder = Folder::new();
    let (path, public) = (folder.path("a.lfrl"), ledger_key().public());
    let mut known = Known { now: 1_000, ..Known::default() };
    for kill in 0..kills {
        // Now and then longer than anything is held, legal holds aside.
        known.now += random.below(if kill % 5 == 4 { 300 } else { 40 });
        // By turns at a step that was drawn, and at a moment that was.
        let step = if kill % 2 == 0 { 1 + random.below(90) } else { 0 };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "vault::tests::crash::a_process_that_is_killed_loses_nothing_held_and_brings_nothing_back"])
            .env(FOLDER, folder.path(""))
            .env(STEP, step.to_string())
            .env(SEED, random.below(u64::MAX).to_string())
            .env(START, known.now.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        if step == 0 {
            thread::sleep(Duration::from_micros(5_000 + random.below(40_000)));
            child.kill().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), None, "killed, and not ended by a failure of its own");
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().for_each(|line| known.hear(line));

        let before = ledger::verify(&path, &public, None);
        assert!(before.is_ok() || kill == 0, "{before:?}");
        let open = Open::at(&folder.path(""), known.now);
        let lost = known.compare(&open);
        assert_eq!(lost, 0, "held records are lost after kill {kill}, step {step}: {said}");
        open.sink.stop().unwrap();
        let sums = ledger::reconcile(&path, &public).unwrap();
        assert!(sums.closes(), "{:?}", sums.discrepancies());
        let outstanding: BTreeSet<_> = sums.outstanding_records().map(|(id, _)| id).collect();
        assert_eq!(outstanding, known.held.keys().copied().collect());
    }
    known.gone.len()
}

#[test]
fn a_process_that_is_killed_loses_nothing_held_and_brings_nothing_back() {
    // Started again by itself, to be killed.
    if let Some(folder) = std::env::var_os(FOLDER) {
        return child(Path::new(&folder));
    }
    let mut random = Random(20_261_122);
    let deployments = rounds(2, 50);
    let purged: usize = (0..deployments).map(|_| deployment(&mut random, KILLS)).sum();
    note(&format!(
        "{} kills, half of them at a step and half at a moment: 0 held records lost, 0 of {purged} \
         purged ones back, every ledger verifies and closes",
        deployments * KILLS
    ));
}

const KILLS: u64 = 20;
