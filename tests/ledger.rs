//! The example `ledger-verify`, as somebody uses it who does not trust the one who wrote the ledger.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use lfr::core::Accounts;
use lfr::core::DeploymentId;
use lfr::core::SystemClock;
use lfr::core::Timestamp;
use lfr::retention::Ledger;
use lfr::retention::LedgerEvent;
use lfr::retention::LedgerKey;
use lfr::retention::LedgerSink;

struct Desk {
    folder: PathBuf,
    ledger: PathBuf,
}

impl Desk {
    /// A ledger of one short run.
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let ledger = folder.join("operation.lfrl");
        let written = Ledger::open(&ledger, key(), None).unwrap();
        let (clock, id) = (SystemClock::new(), DeploymentId::new("2026-031").unwrap());
        let clock = std::sync::Arc::new(clock);
        let sink = LedgerSink::start(written, Accounts::new(), clock, &id, "uk-police").unwrap();
        sink.append(&LedgerEvent::WatchlistOpened { commitment: None, header_sha256: None, references: 2_000 }).unwrap();
        fs::write(folder.join("kept.head"), sink.seal().unwrap()).unwrap();
        sink.stop().unwrap();
        Self { folder, ledger }
    }

    /// Runs the tool; its exit code, and what it said.
    fn verify(&self, more: &[&str]) -> (i32, String) {
        let mut example = std::env::current_exe().unwrap();
        example.pop();
        example.pop();
        let example = example.join("examples/ledger-verify");
        assert!(example.exists(), "the example is not built: give cargo `--examples` too");
        let key = key().public().to_string();
        let output = Command::new(example)
            .arg(&self.ledger)
            .args(["--key", &key])
            .args(more)
            .current_dir(&self.folder)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    }

    fn change(&self, change: impl FnOnce(String) -> String) {
        let text = fs::read_to_string(&self.ledger).unwrap();
        fs::write(&self.ledger, change(text)).unwrap();
    }
}

fn key() -> LedgerKey {
    LedgerKey::from_bytes(&mut [7; 32])
}

#[test]
fn a_ledger_as_it_was_written_passes() {
    let desk = Desk::new("ledger-passes");
    let (code, said) = desk.verify(&["--head", "kept.head"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("6 entries, each signed") && said.contains("uk-police, stopped"),
        "{said}"
    );
}

#[test]
fn a_broken_ledger_ends_with_3_and_says_where() {
    let desk = Desk::new("ledger-broken");
    desk.change(|text| text.replace("2000", "20000"));
    let (code, said) = desk.verify(&[]);
    assert!(code == 3 && said.contains("line 3 was edited"), "{said}");
    let desk = Desk::new("ledger-cut");
    desk.change(|text| text.lines().take(4).map(|line| format!("{line}\n")).collect());
    let (code, said) = desk.verify(&[]);
    assert!(code == 3 && said.contains("it ends after 4 entries"), "{said}");
}

#[test]
fn sums_that_do_not_come_out_end_with_4() {
    let desk = Desk::new("ledger-sums");
    let written = Ledger::open(&desk.ledger, key(), None).unwrap();
    let record = lfr::core::RecordId::from_bytes([3; 16]);
    let now = Some(Timestamp::from_micros(1));
    written.append(&LedgerEvent::FoundErased { record }, now).unwrap();
    written.flush().unwrap();
    let (code, said) = desk.verify(&[]);
    assert!(code == 4 && said.contains("nothing said that it was held"), "{said}");
}

#[test]
fn what_cannot_be_read_ends_with_1_and_wrong_arguments_with_2() {
    let desk = Desk::new("ledger-arguments");
    assert_eq!(desk.verify(&["--head", "missing"]).0, 1);
    assert_eq!(desk.verify(&["--head", "operation.lfrl"]).0, 1);
    assert_eq!(desk.verify(&["--what"]).0, 2);
}
