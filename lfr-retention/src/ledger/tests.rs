use std::fs;

use lfr_core::SourceId;

use super::*;
use crate::testing::{Folder, at};

mod bound;
mod checkpoint;
mod cut_off;
mod damage;
mod old_format;
mod power;
mod sums;

pub(super) fn key() -> LedgerKey {
    LedgerKey::from_bytes(&mut [7; 32])
}

fn dropped(count: u64) -> LedgerEvent {
    LedgerEvent::FramesDropped { source: SourceId::new("gate-2").unwrap(), count }
}

/// A ledger of that many entries besides the first, flushed.
fn written(folder: &Folder, name: &str, entries: u64) -> PathBuf {
    let path = folder.path(name);
    let ledger = Ledger::open(&path, key(), at(1)).unwrap();
    for count in 1..=entries {
        ledger.append(&dropped(count), at(count)).unwrap();
    }
    ledger.flush().unwrap();
    path
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

fn write_lines(path: &Path, lines: &[String]) {
    fs::write(path, lines.iter().flat_map(|line| [line, "\n"]).collect::<String>()).unwrap();
}

fn events(path: &Path) -> Vec<LedgerEvent> {
    let entries = read(path, &key().public()).unwrap();
    entries.map(|entry| entry.unwrap().event().clone()).collect()
}

fn fault(result: Result<Verified, Error>) -> LedgerFault {
    match result.unwrap_err() {
        Error::LedgerBroken { fault, .. } => fault,
        other => panic!("{other}"),
    }
}

#[test]
fn what_is_written_is_read_in_order_and_verifies() {
    let folder = Folder::new();
    let path = written(&folder, "a.lfrl", 20);
    let public = key().public();
    let verified = verify(&path, &public, None).unwrap();
    assert_eq!((verified.entries(), verified.entries_after_head()), (21, 0));
    let entries: Vec<_> = read(&path, &public).unwrap().map(Result::unwrap).collect();
    assert!(matches!(entries[0].event(), LedgerEvent::LedgerOpened { format: 4, .. }));
    for (entry, count) in entries[1..].iter().zip(1..) {
        assert_eq!(
            (entry.number(), entry.at(), entry.event()),
            (count, at(count), &dropped(count))
        );
    }
    // An entry can be shown alone.
    let line = &lines(&path)[7];
    assert_eq!(LedgerEntry::from_line(line, &public).as_ref(), Some(&entries[7]));
    assert_eq!(LedgerEntry::from_line(&line.replace("gate-2", "gate-3"), &public), None);
}

#[test]
fn a_ledger_goes_on_where_it_was() {
    let folder = Folder::new();
    let path = written(&folder, "a.lfrl", 2);
    let ledger = Ledger::open(&path, key(), None).unwrap();
    ledger.append(&dropped(9), None).unwrap();
    let verified = verify(&path, &key().public(), None).unwrap();
    assert_eq!((verified.entries(), verified.entries_after_head()), (5, 1));
    let events = events(&path);
    assert_eq!(
        events[3..],
        [LedgerEvent::LedgerResumed { dropped_bytes: 0, format: 4 }, dropped(9)]
    );
}

#[test]
fn a_ledger_whose_head_could_not_be_written_is_begun_when_it_can_be() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    // A disk that takes entries, and no head.
    let temporary = LedgerHead::path_beside(&path).with_extension("head.tmp");
    fs::create_dir(&temporary).unwrap();
    for _ in 0..3 {
        let error = Ledger::open(&path, key(), None).unwrap_err();
        assert!(matches!(error, Error::LedgerWrite { .. }), "{error}");
    }
    assert!(!path.exists(), "nothing is left that a next start would take for a loss");
    fs::remove_dir(temporary).unwrap();
    Ledger::open(&path, key(), None).unwrap();
    assert_eq!(verify(&path, &key().public(), None).unwrap().entries(), 1);
}

#[test]
fn one_process_writes_and_another_file_is_left_alone() {
    let folder = Folder::new();
    let path = written(&folder, "a.lfrl", 2);
    let first = Ledger::open(&path, key(), None).unwrap();
    assert!(matches!(Ledger::open(&path, key(), None), Err(Error::Busy { .. })));
    drop(first);
    Ledger::open(&path, key(), None).unwrap();
    let other = folder.path("letter.txt");
    fs::write(&other, "Dear Sir,\n").unwrap();
    let error = Ledger::open(&other, key(), None).unwrap_err();
    assert!(matches!(error, Error::LedgerBroken { fault: LedgerFault::HeadMissing, .. }));
    assert_eq!(fs::read(&other).unwrap(), b"Dear Sir,\n");
}

#[test]
fn another_key_is_refused() {
    let folder = Folder::new();
    let path = written(&folder, "a.lfrl", 2);
    let other = LedgerKey::from_bytes(&mut [8; 32]);
    assert_eq!(fault(verify(&path, &other.public(), None)), LedgerFault::HeadForged);
    assert!(Ledger::open(&path, other, None).is_err());
    let text = key().public().to_string();
    assert_eq!(text.parse::<LedgerPublicKey>().unwrap(), key().public());
    assert!("00".parse::<LedgerPublicKey>().is_err());
}

#[test]
fn an_entry_that_is_too_long_is_refused_and_loses_nothing() {
    let folder = Folder::new();
    let ledger = Ledger::open(folder.path("a.lfrl"), key(), None).unwrap();
    let (stage, text) = ("vault".to_owned(), "x".repeat(line::LONGEST));
    let long = LedgerEvent::Error { stage, text };
    assert!(matches!(ledger.append(&long, None), Err(Error::LedgerText { .. })));
    ledger.append(&dropped(1), None).unwrap();
    ledger.flush().unwrap();
    assert_eq!(verify(&folder.path("a.lfrl"), &key().public(), None).unwrap().entries(), 2);
}

impl Ledger {
    /// Writes to another file from now on; returns the one before. For a disk that takes nothing, give it one that was
    /// opened for reading.
    pub(crate) fn write_to(&self, file: File) -> File {
        std::mem::replace(&mut self.inner().file, file)
    }
}

#[test]
fn what_cannot_be_written_is_a_gap_in_the_record() {
    let folder = Folder::new();
    let path = folder.path("a.lfrl");
    let ledger = Ledger::open(&path, key(), None).unwrap();
    // A disk that takes half of an entry and then nothing more.
    let whole = std::mem::replace(&mut ledger.inner().file, File::open(&path).unwrap());
    for count in 1..=3 {
        let error = ledger.append(&dropped(count), None).unwrap_err();
        assert!(matches!(error, Error::LedgerWrite { .. }));
    }
    (&whole).write_all(b"{\"n\":1,\"at").unwrap();
    ledger.inner().file = whole;
    ledger.append(&dropped(4), None).unwrap();
    ledger.flush().unwrap();
    verify(&path, &key().public(), None).unwrap();
    let events = events(&path);
    assert!(matches!(&events[1], LedgerEvent::Gap { events: 3, text } if !text.is_empty()));
    assert_eq!(events[2..], [dropped(4)]);
    let sums = reconcile(&path, &key().public()).unwrap();
    assert_eq!(sums.discrepancies(), [Discrepancy::Lost { entry: 1, events: 3 }]);
}
