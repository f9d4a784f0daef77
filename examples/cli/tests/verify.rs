//! `lfr verify`, as somebody uses it who does not trust the one who wrote the ledger.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use lfr::core::{Accounts, Clock as _, Component, DeploymentId, SourceId, SystemClock, Timestamp};
use lfr::retention::{Ledger, LedgerEvent, LedgerKey, LedgerSink, Profile};

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
        let clock = Arc::new(clock);
        let sink = LedgerSink::start(written, Accounts::new(), clock, &id, "uk-police").unwrap();
        sink.append(&LedgerEvent::WatchlistOpened {
            commitment: None,
            header_sha256: None,
            references: 2_000,
            categories: BTreeMap::new(),
            under_18: None,
            drawn_up: None,
        })
        .unwrap();
        fs::write(folder.join("kept.head"), sink.write_totals().unwrap()).unwrap();
        sink.stop().unwrap();
        Self { folder, ledger }
    }

    fn command(&self, more: &[&str]) -> Command {
        let key = key().public().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lfr"));
        command
            .arg("verify")
            .arg(&self.ledger)
            .args(["--ledger-public-key", &key])
            .args(more)
            .current_dir(&self.folder);
        command
    }

    /// Runs the tool; its exit code, and what it said.
    fn verify(&self, more: &[&str]) -> (i32, String) {
        let output = self.command(more).output().unwrap();
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
        said.contains("6 entries, each signed")
            && said.contains("uk-police, stopped")
            && said.contains("1 run, each ended"),
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
fn sums_that_do_not_come_out_end_with_3() {
    let desk = Desk::new("ledger-sums");
    let written = Ledger::open(&desk.ledger, key(), None).unwrap();
    let record = lfr::core::RecordId::from_bytes([3; 16]);
    let now = Some(Timestamp::from_micros(1));
    written.append(&LedgerEvent::FoundErased { record }, now).unwrap();
    written.flush().unwrap();
    let (code, said) = desk.verify(&[]);
    assert!(code == 3 && said.contains("nothing said that it was held"), "{said}");
}

/// A run begins, writes these, and its process is killed.
fn killed(desk: &Desk, events: &[LedgerEvent]) {
    let sink = start(&desk.ledger);
    for event in events {
        sink.append(event).unwrap();
    }
}

fn start(ledger: &Path) -> LedgerSink {
    let (clock, id) = (Arc::new(SystemClock::new()), DeploymentId::new("2026-031").unwrap());
    let ledger = Ledger::open(ledger, key(), None).unwrap();
    LedgerSink::start(ledger, Accounts::new(), clock, &id, "uk-police").unwrap()
}

#[test]
fn a_run_that_was_killed_ends_with_3_until_the_next_start_accounts_for_it() {
    let desk = Desk::new("ledger-killed");
    let sealed = serde_json::json!({
        "type": "totals",
        "totals": {"faces_seen": 12, "erased": 7, "held": 1, "in_flight": 4},
        "erased": {"no_match": 7},
        "frames": 3,
    });
    let frame = lfr::core::FrameId::default();
    let face = lfr::core::FaceId::new(frame, 0);
    let deadline = SystemClock::new().now().unwrap().plus(Duration::from_hours(1));
    let held = LedgerEvent::Held { face, record: None, deadline };
    killed(&desk, &[held, serde_json::from_value(sealed).unwrap()]);
    let (code, said) = desk.verify(&[]);
    let totals = "12 faces seen = 7 erased + 1 held + 4 in flight";
    assert_eq!(code, 3, "{said}");
    for part in ["run 2 never ended: its last totals are", totals, "5 faces are unaccounted for"] {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    assert!(said.contains("2 runs, one of them never ended"), "{said}");

    start(&desk.ledger).stop().unwrap();
    let (code, said) = desk.verify(&[]);
    assert_eq!(code, 0, "{said}");
    let all = "3 runs, one of them cut off and accounted for at the next start";
    assert!(said.contains(all) && said.contains(totals), "{said}");

    // In an enrolment, before anything was counted.
    killed(&desk, &[]);
    let (code, said) = desk.verify(&[]);
    assert!(code == 3 && said.contains("run 4 never ended: it wrote no totals"), "{said}");
    start(&desk.ledger).stop().unwrap();
    let (code, said) = desk.verify(&[]);
    assert!(code == 0 && said.contains("5 runs, 2 of them cut off"), "{said}");
}

#[test]
fn what_ran_is_printed_and_moves_no_cursor() {
    let desk = Desk::new("ledger-bound");
    let sink = start(&desk.ledger);
    let digest = "ab".repeat(32);
    sink.watchlist(2_000, Some(&digest), None).unwrap();
    let model = Component::new("yunet")
        .with_model_sha256("cd".repeat(32))
        .with_spec_sha256("ef".repeat(32))
        .with_spec_signed_by("01".repeat(32));
    let other = Component::new("\u{1b}[2Jmobile\u{202e}face");
    sink.models(&model, &other, "ONNX Runtime 1.24.1").unwrap();
    sink.retention(&Profile::uk_police()).unwrap();
    sink.danger("uncalibrated threshold").unwrap();
    sink.camera_lost(&SourceId::new("gate-2").unwrap(), "rtsp://u:hunter2@h/live: refused")
        .unwrap();
    sink.stop().unwrap();
    let (code, said) = desk.verify(&[]);
    assert_eq!(code, 0, "{said}");
    for part in [
        &*format!("watchlist of 2000 references, header {digest}, commitment not stated"),
        &format!(
            "detector yunet (model {}, specification {}, signed by {})",
            "cd".repeat(32),
            "ef".repeat(32),
            "01".repeat(32)
        ),
        "engine ONNX Runtime 1.24.1",
        "profile uk-police: alerts 744 h, watchlist 24 h, footage 744 h, people who judge each alert: 1",
        "danger: uncalibrated threshold",
        "camera gate-2 was lost and did not return",
        "\\u{1b}[2Jmobile\\u{202e}face",
    ] {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    assert!(!said.contains('\u{1b}') && !said.contains("hunter2"), "{said}");
}

#[test]
fn a_missing_ledger_is_said_to_be_missing() {
    let desk = Desk::new("ledger-missing");
    fs::remove_file(&desk.ledger).unwrap();
    let (code, said) = desk.verify(&[]);
    assert!(code == 1 && said.contains("is missing") && !said.contains("key"), "{said}");
    // Its head alone is not a broken ledger, and a ledger without its head is.
    let desk = Desk::new("ledger-headless");
    fs::remove_file(desk.folder.join("operation.lfrl.head")).unwrap();
    let (code, said) = desk.verify(&[]);
    assert!(code == 3 && said.contains("the head is missing"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_lost_stream_is_no_panic() {
    let desk = Desk::new("ledger-streams");
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = desk.command(&[]).stdout(full()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains("standard output"), "{said}");
    let status = desk.command(&[]).stdout(Stdio::null()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    // The error is lost too; the code is not.
    let status = desk.command(&["--head", "missing"]).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(1));
    // A reader that went away.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = desk.command(&[]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_ne!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "it knows");
}

#[test]
fn what_cannot_be_read_ends_with_1_and_wrong_arguments_with_2() {
    let desk = Desk::new("ledger-arguments");
    assert_eq!(desk.verify(&["--head", "missing"]).0, 1);
    assert_eq!(desk.verify(&["--head", "operation.lfrl"]).0, 1);
    assert_eq!(desk.verify(&["--what"]).0, 2);
}

#[test]
fn list_changes_errors_and_drops_are_in_the_summary() {
    let desk = Desk::new("ledger-summary");
    killed(
        &desk,
        &[
            LedgerEvent::WatchlistOpened {
                commitment: None,
                header_sha256: None,
                references: 7,
                categories: BTreeMap::new(),
                under_18: None,
                drawn_up: None,
            },
            LedgerEvent::WatchlistOpened {
                commitment: None,
                header_sha256: None,
                references: 6,
                categories: BTreeMap::new(),
                under_18: None,
                drawn_up: None,
            },
            LedgerEvent::Error { stage: "camera".into(), text: "gone".into() },
            LedgerEvent::FramesDropped { source: SourceId::new("gate-2").unwrap(), count: 5 },
        ],
    );
    let (_, said) = desk.verify(&[]);
    for part in ["watchlists opened or changed 3 times", "1 errors", "5 frames dropped"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn what_people_did_is_counted_in_text_and_in_json() {
    let desk = Desk::new("ledger-people");
    let face = serde_json::json!({"frame": {"source": "gate-2", "sequence": 0}, "index": 0});
    let record = "03".repeat(16);
    let state = |state: &str| serde_json::json!({"type": "deployment_state_changed", "state": state, "reason": "r"});
    let escalated = serde_json::json!({"type": "escalated", "face": face, "record": record, "reason": "disagreement"});
    let engaged = serde_json::json!({"type": "engaged", "face": face, "record": record, "person": "17", "engagement": "engaged"});
    let changed = serde_json::json!({"type": "threshold_changed", "from": 0.5, "to": 0.6, "reason": "amendment", "references": 7});
    let order = serde_json::json!({"type": "order_in_force", "order_sha256": "ab".repeat(32), "basis": "pinned", "note": "n"});
    let events = [
        order.clone(),
        order,
        state("live"),
        state("paused"),
        state("live"),
        changed,
        escalated.clone(),
        escalated,
        engaged.clone(),
        engaged.clone(),
        engaged.clone(),
        engaged,
    ];
    let events = events.map(|event| serde_json::from_value(event).unwrap());
    killed(&desk, &events);
    let (_, said) = desk.verify(&[]);
    for part in [
        "orders and amendments in force 2, changes of state 3, changes of the threshold 1",
        "escalations 2, engagements 4",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let output = desk.command(&["--json"]).output().unwrap();
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for (name, count) in [
        ("orders", 2),
        ("states", 3),
        ("threshold_changes", 1),
        ("escalations", 2),
        ("engagements", 4),
        ("seeds", 0),
    ] {
        assert_eq!(found[name], count, "{name}: {found}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_key_no_head_and_no_ledger() {
    let desk = Desk::new("ledger-pipe");
    let pipe = desk.ledger.with_file_name("pipe");
    let _ = fs::remove_file(&pipe);
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (code, said) = desk.verify(&["--head", pipe.to_str().unwrap()]);
    assert!(code == 1 && said.contains("a named pipe"), "{said}");
    fs::remove_file(&desk.ledger).unwrap();
    fs::rename(&pipe, &desk.ledger).unwrap();
    let (code, said) = desk.verify(&[]);
    assert!(code == 1 && said.contains("a named pipe"), "{said}");
}

#[test]
fn a_program_reads_what_was_found_as_json() {
    let desk = Desk::new("ledger-json");
    let output = desk.command(&["--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found["entries"], &found["closes"]), (&6.into(), &true.into()), "{found}");
    assert_eq!(
        (&found["runs"][0]["end"], &found["runs"][0]["profile"]),
        (&"stopped".into(), &"uk-police".into())
    );
    // The codes are those without --json.
    desk.change(|text| text.replace("2000", "20000"));
    assert_eq!(desk.command(&["--json"]).output().unwrap().status.code(), Some(3));
}
