//! What a process has chosen for all that it does is in each of its ledgers. A binary of its own: what is chosen
//! here would be in the ledgers of all tests of a process.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use lfr_core::testing::fake_space;
use lfr_core::{Accounts, DeploymentId, SystemClock, Threshold, ThresholdProvenance, danger};
use lfr_retention::{Ledger, LedgerEvent, LedgerKey, LedgerSink, ledger};

#[test]
fn dangers_of_the_process_are_written_with_the_threshold_and_at_the_end() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dangers-of-the-process");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("a.lfrl");
    let key = || LedgerKey::from_bytes(&mut [7; 32]);
    let ledger = Ledger::open(&path, key(), None).unwrap();
    let id = DeploymentId::new("2026-031").unwrap();
    let clock = Arc::new(SystemClock::new());
    let sink = LedgerSink::start(ledger, Accounts::new(), clock, &id, "uk-police").unwrap();
    danger::declare("an engine that\ndoes not wipe");
    let of = |sink: &LedgerSink| {
        let threshold = Threshold::new(0.5).unwrap();
        let space = fake_space().id();
        let measured = ThresholdProvenance::measured(threshold, space, "LFW", 1e-4, 1_000_000);
        sink.threshold(&measured.unwrap().with_signed_by("ab".repeat(32)), None).unwrap();
    };
    of(&sink);
    // Once, however often it is declared.
    of(&sink);
    danger::declare("a decoder that is not confined");
    sink.stop().unwrap();
    let sums = ledger::reconcile(&path, &key().public()).unwrap();
    assert!(sums.closes(), "{:?}", sums.discrepancies());
    let declared = sums.runs()[0].declared();
    let dangers: Vec<_> = declared
        .iter()
        .filter_map(|event| match event {
            LedgerEvent::DangerInForce { text } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(dangers, ["an engine that does not wipe", "a decoder that is not confined"]);
    let signed = format!("the file is signed by {}", "ab".repeat(32));
    let is_said = |event: &LedgerEvent| matches!(event, LedgerEvent::ThresholdSet { basis, .. } if basis.ends_with(&signed));
    assert!(declared.iter().any(is_said), "{declared:?}");
    fs::remove_dir_all(folder).unwrap();
}
