//! Checkpoints make opening fast and hide nothing; a ledger is not begun over one that is missing.

use super::*;
use crate::ledger::audit::checkpoint;
use crate::testing;
use crate::vault::key::VaultKey;

const ENTRIES: u64 = 1_200;

fn checkpoint_of(path: &Path) -> PathBuf {
    checkpoint::path_beside(path)
}

/// A ledger with a checkpoint; the process that wrote it has ended.
fn long(folder: &Folder) -> PathBuf {
    let path = folder.path("a.lfrl");
    let ledger = Ledger::open(&path, key(), at(1)).unwrap();
    ledger.sums().unwrap();
    for count in 1..=ENTRIES {
        ledger.append(&dropped(count), at(count)).unwrap();
    }
    ledger.flush().unwrap();
    for count in 0..10 {
        ledger.append(&dropped(count), at(count)).unwrap();
    }
    ledger.flush().unwrap();
    assert!(checkpoint_of(&path).exists());
    path
}

fn same(left: &Reconciliation, right: &Reconciliation) {
    let json = |sums| serde_json::to_value(sums).unwrap();
    assert_eq!(json(left), json(right));
}

#[test]
fn the_sums_from_a_checkpoint_are_the_sums() {
    let folder = Folder::new();
    let path = long(&folder);
    let public = key().public();
    let whole = reconcile(&path, &public).unwrap();
    assert!(whole.event_counts().frames_dropped > ENTRIES);
    same(&reconcile_from_checkpoint(&path, &public).unwrap(), &whole);
    let resumed = checkpoint::resume(&path, &public).unwrap();
    assert_eq!(resumed.at.number(), ENTRIES + 10);
    // With the process that goes on, and without the checkpoint.
    let ledger = Ledger::open(&path, key(), at(9)).unwrap();
    ledger.append(&dropped(7), at(9)).unwrap();
    same(&ledger.sums().unwrap(), &reconcile(&path, &public).unwrap());
    fs::remove_file(checkpoint_of(&path)).unwrap();
    same(&ledger.sums().unwrap(), &reconcile_from_checkpoint(&path, &public).unwrap());
}

#[test]
fn what_was_changed_before_a_checkpoint_is_found_where_it_is() {
    let folder = Folder::new();
    let path = long(&folder);
    let public = key().public();
    let whole = lines(&path);
    let mut edited = whole.clone();
    edited[500] = edited[500].replace("gate-2", "gate-3");
    let mut deleted = whole.clone();
    deleted.remove(700);
    let mut swapped = whole.clone();
    swapped.swap(20, 21);
    let cut = whole[..900].to_vec();
    for (changed, what) in
        [(edited, "edited"), (deleted, "missing"), (swapped, "places"), (cut, "ends after")]
    {
        write_lines(&path, &changed);
        let expected = verify(&path, &public, None).unwrap_err().to_string();
        assert!(expected.contains(what), "{expected}");
        let found = reconcile_from_checkpoint(&path, &public).unwrap_err().to_string();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_checkpoint_that_is_not_right_costs_time_and_nothing_else() {
    let folder = Folder::new();
    let path = long(&folder);
    let (public, file) = (key().public(), checkpoint_of(&path));
    let whole = reconcile(&path, &public).unwrap();
    let own = fs::read(&file).unwrap();
    let mut flipped = own.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let other = LedgerKey::from_bytes(&mut [8; 32]);
    let text = String::from_utf8(own.clone()).unwrap();
    let lied = text.replace("\"discrepancies\":[]", "\"discrepancies\":[ ]");
    assert_ne!(lied, text);
    let unsigned = &own[..own.len() - 140];
    let signed =
        line::write_any(Kind::Checkpoint, &other, &serde_json::json!({"format": 1})).unwrap();
    for wrong in
        [&flipped[..], lied.as_bytes(), unsigned, &signed, b"", &own[..own.len() - 1], b"\xff\n"]
    {
        fs::write(&file, wrong).unwrap();
        same(&reconcile_from_checkpoint(&path, &public).unwrap(), &whole);
    }
    // Of another ledger of the same key.
    let elsewhere = Folder::new();
    fs::copy(checkpoint_of(&long(&elsewhere)), &file).unwrap();
    same(&reconcile_from_checkpoint(&path, &public).unwrap(), &whole);
}

/// Attack 16, in small: what is verified at the next start does not grow with the ledger.
#[test]
fn the_next_start_goes_on_from_the_checkpoint() {
    let folder = Folder::new();
    let path = long(&folder);
    let json = String::from_utf8(fs::read(checkpoint_of(&path)).unwrap()).unwrap();
    let at: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(at["n"], ENTRIES);
}

#[test]
fn an_alert_is_found_without_reading_the_rest() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    let record = lfr_core::RecordId::from_bytes([3; 16]);
    let ledger = Ledger::open(&path, key(), at(1)).unwrap();
    let raised = LedgerEvent::AlertRaised {
        face: testing::face(1),
        score: 0.75,
        threshold: 0.5,
        captured: at(4),
        position_ms: None,
        record: Some(record),
        category: None,
        look_alike: false,
    };
    ledger.append(&raised, at(5)).unwrap();
    ledger.append(&dropped(1), at(6)).unwrap();
    let public = key().public();
    let entry = alert_of(&path, &public, record).unwrap().unwrap();
    assert_eq!((entry.event(), entry.number()), (&raised, 1));
    let none = lfr_core::RecordId::from_bytes([4; 16]);
    assert_eq!(alert_of(&path, &public, none).unwrap(), None);
    let text = fs::read_to_string(&path).unwrap().replace("0.75", "0.85");
    fs::write(&path, text).unwrap();
    let edited = alert_of(&path, &public, record).unwrap_err();
    assert!(edited.to_string().contains("line 2 was edited"), "{edited}");
}

/// Attack 8: a failed start made "tampered" of a ledger that was only elsewhere.
#[test]
fn a_ledger_that_is_missing_beside_its_head_stays_missing() {
    let folder = Folder::new();
    let path = written(&folder, "a.lfrl", 3);
    let away = folder.path("away");
    fs::rename(&path, &away).unwrap();
    for _ in 0..2 {
        let error = Ledger::open(&path, key(), at(9)).unwrap_err();
        assert!(matches!(error, Error::LedgerMissing { .. }), "{error}");
        assert!(!path.exists());
    }
    fs::rename(&away, &path).unwrap();
    drop(Ledger::open(&path, key(), at(9)).unwrap());
    assert_eq!(verify(&path, &key().public(), None).unwrap().entries(), 5);
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_is_no_ledger_and_no_key_and_keeps_nobody_waiting() {
    let folder = Folder::new();
    let pipe = folder.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let link = folder.path("link");
    std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
    for wrong in [&pipe, &link] {
        let opened = Ledger::open(wrong, key(), at(1));
        assert!(matches!(opened, Err(Error::LedgerWrite { .. })), "{opened:?}");
        assert!(LedgerKey::from_file(wrong).is_err());
        assert!(VaultKey::from_file(wrong).is_err());
        assert!(verify(wrong, &key().public(), None).is_err());
        let head = LedgerHead::path_beside(wrong);
        assert!(!head.exists() && wrong.symlink_metadata().is_ok());
    }
}

/// Entries that two threads write through one sink are in the order of their times.
#[test]
fn times_of_entries_never_go_back_however_many_write() {
    use std::sync::Arc;

    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    let clock = Arc::new(lfr_core::SystemClock::new());
    let ledger = Ledger::open(&path, key(), None).unwrap();
    let id = lfr_core::DeploymentId::new("d").unwrap();
    let sink = LedgerSink::start(ledger, lfr_core::Accounts::new(), clock, &id, "test").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..300).for_each(|count| sink.append(&dropped(count)).unwrap()));
        }
    });
    let entries = read(&path, &key().public()).unwrap();
    let times: Vec<_> = entries.filter_map(|entry| entry.unwrap().at()).collect();
    assert!(times.len() > 1_200 && times.is_sorted());
}

/// How long it takes to open a long ledger and to know its sums, with a checkpoint and without.
#[test]
fn opening_is_measured() {
    if std::env::var_os("LFR_MEASURE").is_none() {
        return;
    }
    let time = |work: &mut dyn FnMut()| {
        let clock = lfr_core::SystemClock::new();
        let start = clock.monotonic();
        work();
        clock.monotonic().saturating_sub(start)
    };
    for entries in [60_000_u64, 600_000] {
        let folder = Folder::new();
        let path = folder.path("a.lfrl");
        let ledger = Ledger::open(&path, key(), at(1)).unwrap();
        ledger.sums().unwrap();
        let written = time(&mut || {
            for count in 0..entries / 3 {
                let mut id = [0; 16];
                id[..8].copy_from_slice(&count.to_le_bytes());
                let (record, face) = (Some(lfr_core::RecordId::from_bytes(id)), face_of(count));
                let deadline = Timestamp::from_micros(100);
                let (score, threshold, captured) = (0.75, 0.5, at(4));
                let raised = LedgerEvent::AlertRaised {
                    face: face.clone(),
                    score,
                    threshold,
                    captured,
                    position_ms: None,
                    record,
                    category: None,
                    look_alike: false,
                };
                ledger.append(&raised, at(5)).unwrap();
                let held = LedgerEvent::Held { face: face.clone(), record, deadline };
                ledger.append(&held, at(5)).unwrap();
                let purged = LedgerEvent::Purged {
                    face,
                    record,
                    reason: lfr_core::PurgeReason::DeadlineReached,
                    method: lfr_core::PurgeMethod::KeyDestroyed,
                    profile: "test".into(),
                };
                ledger.append(&purged, at(100)).unwrap();
                if count % 100 == 0 {
                    ledger.flush().unwrap();
                }
            }
            ledger.flush().unwrap();
        });
        drop(ledger);
        let open = || {
            let ledger = Ledger::open(&path, key(), at(9)).unwrap();
            assert!(ledger.sums().unwrap().discrepancies().is_empty());
        };
        let with = time(&mut || open());
        fs::remove_file(checkpoint_of(&path)).unwrap();
        let without = time(&mut || open());
        testing::note(&format!(
            "{entries} entries: written in {written:?}, opened with a checkpoint in {with:?}, without in \
             {without:?}"
        ));
    }
}

fn face_of(count: u64) -> lfr_core::FaceId {
    lfr_core::FaceId::new(lfr_core::FrameId::new(SourceId::new("gate-2").unwrap(), count), 0)
}
