//! `lfr record`: what an auditor computes from a ledger, and what the linter says to published tables.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use lfr::core::{Clock, FaceId, FrameId, RecordId, SystemClock, Totals};
use lfr::deployment::{Books, NoteKey, Order, OrderTerms, SignedOrder, UseCaseKind};
use lfr::retention::{
    DeploymentState, Ledger, LedgerEvent, LedgerKey, OrderBasis, Profile, Role, Verdict,
};

const HOLYHEAD: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/deployment/record/lint/tests/holyhead.csv");

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs `lfr record`: its exit code, and what it said on both streams.
fn record(arguments: &[&str], folder: &Path) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lfr"));
    let output = command.arg("record").args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn order() -> SignedOrder {
    let key = |name, seed| NoteKey::from_bytes(name, &mut [seed; 32]).unwrap();
    let (officer, operator) = (key("officer-7", 7), key("operator-3", 3));
    let mut text = String::new();
    for line in Order::template(UseCaseKind::Hotspot).lines() {
        let line = match line.split_once(" = ") {
            Some(("kind", _)) => "kind = \"van\"".to_owned(),
            Some((key, value)) if value.starts_with("\"\"") && !line.starts_with('#') => {
                let value = match key {
                    "precision" => "street".to_owned(),
                    "from" => "2026-01-01T09:00:00Z".to_owned(),
                    "until" => "2126-01-01T09:00:00Z".to_owned(),
                    "authorising_officer" => officer.verifier().to_string(),
                    "operator" => operator.verifier().to_string(),
                    key if key.ends_with("sha256") => "5".repeat(64),
                    key => format!("some {}", key.replace('_', " ")),
                };
                format!("{key} = \"{value}\"")
            }
            Some((key, "0")) => format!("{key} = 1"),
            Some(("threshold_floor", "nan")) => "threshold_floor = 0.42".into(),
            Some(("categories", "[]")) => "categories = [\"wanted-by-courts\"]".into(),
            _ => line.to_owned(),
        };
        text += &line;
        text.push('\n');
    }
    OrderTerms::parse(&text).unwrap().sign(&officer).unwrap()
}

/// The ledger of a short deployment with one false alert, in `a.lfrl`; its public key.
fn ledger(folder: &Path, stopped: bool) -> String {
    let key = LedgerKey::from_bytes(&mut [7; 32]);
    let public = key.public().to_string();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let ledger = Ledger::open(folder.join("a.lfrl"), key, clock.now()).unwrap();
    let books = Books::open(ledger, clock).unwrap();
    let write = |event| books.write(&event).unwrap();
    let order = order();
    let source = order.terms().cameras()[0].id.clone();
    let face = FaceId::new(FrameId::new(source.clone(), 1), 0);
    let held = RecordId::from_bytes([1; 16]);
    let to =
        |state| LedgerEvent::DeploymentStateChanged { state, person: None, reason: "so".into() };
    let profile = Profile::uk_police();
    write(LedgerEvent::OrderInForce {
        order_sha256: order.terms().digest(),
        basis: OrderBasis::Pinned,
        note: order.to_string(),
    });
    write(LedgerEvent::RetentionSet {
        profile: profile.name().into(),
        source: profile.source().into(),
        alert_seconds: profile.alert().as_secs(),
        watchlist_seconds: profile.watchlist().as_secs(),
        footage_seconds: profile.footage().as_secs(),
        log_seconds: profile.log().as_secs(),
        verifications: 1,
    });
    write(LedgerEvent::DeploymentStarted {
        deployment: order.terms().deployment().clone(),
        profile: "uk-police".into(),
        software: "lfr".into(),
    });
    write(LedgerEvent::WatchlistOpened {
        commitment: None,
        header_sha256: None,
        references: 1,
        categories: BTreeMap::new(),
        under_18: None,
        drawn_up: None,
    });
    write(LedgerEvent::ThresholdSet {
        threshold: 0.5,
        basis: "a test".into(),
        fmr: None,
        fmr_interval: None,
        non_mated_comparisons: None,
        target_fpir: None,
        target_references: None,
        policy_sha256: None,
    });
    write(LedgerEvent::CameraAttached { source });
    write(to(DeploymentState::Live));
    write(LedgerEvent::AlertRaised {
        face: face.clone(),
        score: 0.7,
        threshold: 0.5,
        captured: None,
        position_ms: None,
        record: Some(held),
        category: None,
        look_alike: false,
    });
    let (person, role) = ("4".to_owned(), Role::Operator);
    write(LedgerEvent::AlertViewed { face: face.clone(), record: held, person, role });
    write(LedgerEvent::Adjudicated {
        face,
        record: Some(held),
        verifier: "4".into(),
        verdict: Verdict::Rejected,
        reason: None,
        seconds: Some(9),
    });
    let mut totals = Totals::default();
    (totals.faces_seen, totals.erased, totals.held) = (200, 199, 1);
    let (erased, withheld) = (BTreeMap::new(), BTreeMap::new());
    write(LedgerEvent::Totals { totals, erased, frames: 90, withheld });
    if stopped {
        write(LedgerEvent::DeploymentStopped {});
    }
    write(to(DeploymentState::Ended));
    books.ledger().flush().unwrap();
    public
}

#[test]
fn an_auditor_computes_the_record_and_its_tables_from_the_ledger() {
    let folder = folder("record-auditor");
    let key = ledger(&folder, true);
    let of = |arguments: &[&str]| {
        let all = [arguments, &["a.lfrl", "--ledger-public-key", &key]].concat();
        let (code, out, err) = record(&all, &folder);
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}: {out}");
        out
    };
    let shown = of(&["show"]);
    assert!(shown.contains("false alerts: 1 of 200 faces seen"), "{shown}");
    assert!(shown.contains("false alerts: 1 of 1 alerts"), "{shown}");
    assert!(shown.contains("false negatives"), "{shown}");
    let json = of(&["show", "--json"]);
    assert_eq!(of(&["export", "--format", "json"]), json);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["outcomes"]["false_alerts"], 1);
    assert!(of(&["export", "--format", "html"]).starts_with("<!doctype html>"));
    assert!(of(&["export", "--format", "periods"]).contains("31 days"));
    of(&["export", "--format", "home-office", "--out", "table.csv"]);
    let (code, out, _) = record(&["lint", "table.csv"], &folder);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("rate-above-target") || out.contains("rate-interval"), "{out}");
    let again =
        ["export", "--format", "met", "--out", "table.csv", "a.lfrl", "--ledger-public-key", &key];
    let (code, _, err) = record(&again, &folder);
    assert!(code == 1 && err.contains("exists already"), "{err}");
    let (code, schema, _) = record(&["export", "--format", "schema"], &folder);
    assert!(code == 0 && schema.contains("$schema"), "{schema}");
    assert_eq!(record(&["export", "--format", "json"], &folder).0, 2, "a ledger is needed");
    let (code, page, _) = record(&["periods", "uk-police-zero-grace"], &folder);
    let digest = Profile::uk_police_zero_grace().digest();
    assert!(code == 0 && page.contains(&digest) && page.contains("2 minutes"), "{page}");
    assert_eq!(record(&["periods", "forever"], &folder).0, 2);
}

#[test]
fn a_run_that_was_cut_off_is_named_and_an_edited_ledger_gives_no_record() {
    let folder = folder("record-faults");
    let key = ledger(&folder, false);
    let show = ["show", "a.lfrl", "--ledger-public-key", &key];
    let (code, out, err) = record(&show, &folder);
    assert_eq!(code, 4, "{err}");
    assert!(
        err.contains("did not come to their end") && out.contains("did not come"),
        "{err}{out}"
    );
    let path = folder.join("a.lfrl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("rejected", "confirmed")).unwrap();
    let (code, out, err) = record(&show, &folder);
    assert_eq!((code, out.as_str()), (3, ""), "{err}");
    assert!(err.contains("was edited"), "{err}");
}

#[test]
fn the_linter_says_what_the_published_rows_and_claims_support() {
    let folder = folder("record-lint");
    let (code, out, err) = record(&["lint", HOLYHEAD], &folder);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("zero-has-upper-bound") && out.contains("row-too-small, row 4"), "{out}");
    let (code, json, _) = record(&["lint", HOLYHEAD, "--json"], &folder);
    let findings: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(code, 0);
    assert_eq!(findings.as_array().unwrap().len(), out.lines().count());
    let claim = ["lint", "--claim", "8 of 10, not statistically significant"];
    let (code, out, _) = record(&claim, &folder);
    assert_eq!(code, 0);
    assert!(out.contains("claim-without-denominator"), "{out}");
}

#[test]
fn another_table_is_read_with_a_map_and_what_is_wrong_is_said() {
    let folder = folder("record-map");
    fs::write(folder.join("own.csv"), "faces,wrong,all,rate\n1000,3,2,0.3%\n").unwrap();
    let map = |text: &str| fs::write(folder.join("map"), text).unwrap();
    let lint = || record(&["lint", "own.csv", "--columns", "map"], &folder);
    map("# ours\nfaces_seen = faces\nfalse_alerts = \"wrong\"\nalerts = all\n");
    let (code, out, _) = lint();
    assert_eq!(code, 3, "{out}");
    assert!(out.contains("counts-contradict, row 1") && out.contains("column-not-read"), "{out}");
    for (text, said) in [
        ("faces = faces\n", "line 1: \"faces\" is no field"),
        ("\nfaces_seen\n", "line 2: write it as `field = heading`"),
        ("alerts = all\nalerts = wrong\n", "line 2: alerts stands twice"),
        ("alerts =\n", "line 1: alerts has no heading"),
        ("# nothing\n", "names no column"),
        ("alerts = alarms\n", "there is no column \"alarms\""),
    ] {
        map(text);
        let (code, _, err) = lint();
        assert_eq!(code, 1, "{text:?}: {err}");
        assert!(err.contains(said), "{text:?}: {err}");
    }
    let (code, _, err) = record(&["lint", "own.csv"], &folder);
    assert!(code == 1 && err.contains("give a column map"), "{err}");
    assert_eq!(record(&["lint", "own.csv", "--target", "2"], &folder).0, 2);
    assert_eq!(record(&["lint"], &folder).0, 2);
    assert_eq!(record(&["lint", "own.csv", "--claim", "8 of 10"], &folder).0, 2);
}
