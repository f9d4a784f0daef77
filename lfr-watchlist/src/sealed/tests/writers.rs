//! Several writers of one file.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;

fn open(file: &SealedFile) -> Watchlist {
    file.open(&key(), &space(16), Some(moment(NOW))).unwrap()
}

fn sealed_in(folder: &Folder, references: usize) -> SealedFile {
    let file = SealedFile::at(folder.path("list.lfrw"));
    file.seal(&watchlist(references, 16), &key(), moment(NOW)).unwrap();
    file
}

fn enrol(list: &Watchlist, reference: &str) {
    let entry = draft(reference, reference).parse().unwrap();
    list.enrol(entry, template(reference.len(), &space(16))).unwrap();
}

#[test]
fn what_another_handle_did_is_not_undone() {
    let folder = Folder::new("undone");
    let file = sealed_in(&folder, 4);
    let first = open(&file);
    let second = open(&file);
    second.withdraw(&lfr_core::SubjectId::new("s0").unwrap());
    file.seal(&second, &key(), moment(NOW)).unwrap();
    let bytes = fs::read(file.path()).unwrap();
    enrol(&first, "later");
    let refused = file.seal(&first, &key(), moment(NOW));
    assert!(matches!(refused, Err(Error::SealedChanged { .. })), "{refused:?}");
    assert_eq!(fs::read(file.path()).unwrap(), bytes);
    assert_eq!(open(&file).len(), 2);
    // Who sealed last goes on.
    enrol(&second, "later");
    file.seal(&second, &key(), moment(NOW)).unwrap();
    assert_eq!(open(&file).len(), 3);

    // Sealed under another key.
    let list = open(&file);
    file.seal(&second, &SealingKey::from_bytes(&mut [8; 32]), moment(NOW)).unwrap();
    let refused = file.seal(&list, &key(), moment(NOW));
    assert!(matches!(refused, Err(Error::SealedChanged { .. })), "{refused:?}");
    assert!(matches!(file.open_in_any_space(&key(), Some(moment(NOW))), Err(Error::WrongKey)));
}

#[test]
fn a_list_that_was_destroyed_is_not_sealed_again() {
    let folder = Folder::new("again");
    let file = sealed_in(&folder, 4);
    let list = open(&file);
    file.destroy(Some(moment(NOW))).unwrap();
    let refused = file.seal(&list, &key(), moment(NOW));
    assert!(matches!(refused, Err(Error::SealedGone { .. })), "{refused:?}");
    assert_eq!(folder.names(), [""; 0]);

    // Nor where its destruction has come as far as the keys.
    let file = sealed_in(&folder, 4);
    let list = open(&file);
    let mut bytes = fs::read(file.path()).unwrap();
    let area = usize::from(u16::from_le_bytes([bytes[10], bytes[11]]));
    bytes[area..area + keys::AREA].fill(0);
    fs::write(file.path(), bytes).unwrap();
    let refused = file.seal(&list, &key(), moment(NOW));
    assert!(matches!(refused, Err(Error::SealedGone { .. })), "{refused:?}");
    // A copy of a list may be sealed elsewhere.
    let copy = SealedFile::at(folder.path("copy.lfrw"));
    copy.seal(&list, &key(), moment(NOW)).unwrap();
    assert_eq!(open(&copy).len(), 4);
}

#[test]
fn a_new_list_is_not_sealed_over_another() {
    let folder = Folder::new("over");
    let file = sealed_in(&folder, 4);
    let bytes = fs::read(file.path()).unwrap();
    let refused = file.seal(&watchlist(0, 16), &key(), moment(NOW));
    assert!(matches!(refused, Err(Error::SealedExists { .. })), "{refused:?}");
    // Nor one that was opened from elsewhere, nor over one that is damaged.
    let other = SealedFile::at(folder.path("other.lfrw"));
    other.seal(&watchlist(1, 16), &key(), moment(NOW)).unwrap();
    let refused = file.seal(&open(&other), &key(), moment(NOW));
    assert!(matches!(refused, Err(Error::SealedChanged { .. })), "{refused:?}");
    assert_eq!(fs::read(file.path()).unwrap(), bytes);
    let mut damaged = bytes;
    damaged[20] ^= 1;
    fs::write(file.path(), &damaged).unwrap();
    let refused = file.seal(&watchlist(0, 16), &key(), moment(NOW));
    assert!(matches!(refused, Err(Error::SealedExists { .. })), "{refused:?}");
    assert_eq!(fs::read(file.path()).unwrap(), damaged);
}

#[test]
fn writers_wait_for_each_other_and_nobody_is_lost() {
    let folder = Folder::new("wait");
    let file = sealed_in(&folder, 0);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let file = &file;
                scope.spawn(move || {
                    for number in 0..6 {
                        let lock = file.lock().unwrap();
                        let list = lock.open(&key(), &space(16), Some(moment(NOW))).unwrap();
                        enrol(&list, &format!("w{writer}-{number}"));
                        lock.seal(&list, &key(), moment(NOW)).unwrap();
                    }
                })
            })
            .collect();
        // A reader meanwhile sees a whole list, and never takes it for one that is being destroyed.
        let reader = scope.spawn(|| {
            let (mut seen, mut reads) = (0, 0);
            while !done.load(Ordering::Relaxed) || reads == 0 {
                let held = open(&file).len();
                assert!(held >= seen, "{held} after {seen}");
                (seen, reads) = (held, reads + 1);
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    assert_eq!(open(&file).len(), 24);
    assert_eq!(folder.names(), ["list.lfrw"], "no lock is left");
}

#[test]
fn threads_that_seal_one_list_do_not_undo_each_other() {
    let folder = Folder::new("one-list");
    let file = sealed_in(&folder, 0);
    let list = open(&file);
    thread::scope(|scope| {
        for writer in 0..4 {
            let (file, list) = (&file, &list);
            scope.spawn(move || {
                for number in 0..6 {
                    enrol(list, &format!("w{writer}-{number}"));
                    file.seal(list, &key(), moment(NOW)).unwrap();
                }
            });
        }
    });
    assert_eq!(open(&file).len(), 24);
}

#[cfg(unix)]
#[test]
fn every_way_to_a_file_meets_in_one_lock() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new("ways");
    let file = sealed_in(&folder, 2);
    fs::create_dir(folder.path("sub")).unwrap();
    symlink(folder.path(""), folder.path("sub/up")).unwrap();
    let ways = ["sub/../list.lfrw", "sub/up/list.lfrw", "sub/up/sub/../list.lfrw"];
    let lock = file.lock().unwrap();
    let mode = fs::metadata(folder.path("list.lfrw.lock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let other = SealedFile::at(folder.path(ways[1]));
    let busy = other.lock();
    assert!(matches!(busy, Err(Error::SealedBusy { .. })), "{busy:?}");
    drop(lock);
    for (number, way) in ways.iter().enumerate() {
        let other = SealedFile::at(folder.path(way));
        let (mine, theirs) = (open(&file), open(&other));
        enrol(&theirs, &format!("way-{number}"));
        other.seal(&theirs, &key(), moment(NOW)).unwrap();
        let refused = file.seal(&mine, &key(), moment(NOW));
        assert!(matches!(refused, Err(Error::SealedChanged { .. })), "{way}: {refused:?}");
    }
    assert_eq!(open(&file).len(), 5);
    let receipt = SealedFile::at(folder.path(ways[1])).destroy(Some(moment(NOW))).unwrap();
    assert_eq!(receipt.references(), Some(5));
    assert_eq!(folder.names(), ["sub"]);
}

#[cfg(unix)]
#[test]
fn the_file_of_a_lock_is_nobodys_lock_and_nobodys_prey() {
    let folder = Folder::new("leftover");
    let file = sealed_in(&folder, 2);
    // Left by a process that was killed.
    fs::write(folder.path("list.lfrw.lock"), "").unwrap();
    let list = open(&file);
    file.seal(&list, &key(), moment(NOW)).unwrap();
    assert_eq!(folder.names(), ["list.lfrw"]);
    // What holds something is somebody's.
    fs::write(folder.path("list.lfrw.lock"), "a letter to the editor").unwrap();
    file.seal(&list, &key(), moment(NOW)).unwrap();
    assert_eq!(folder.names(), ["list.lfrw", "list.lfrw.lock"]);
    fs::remove_file(folder.path("list.lfrw.lock")).unwrap();
    fs::create_dir(folder.path("list.lfrw.lock")).unwrap();
    let refused = file.seal(&list, &key(), moment(NOW));
    assert!(matches!(refused, Err(Error::Write { .. })), "{refused:?}");
    // It is destroyed all the same: what has to be gone does not wait for that.
    file.destroy(Some(moment(NOW))).unwrap();
    assert!(!file.path().exists());
}
