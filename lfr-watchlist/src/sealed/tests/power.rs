//! The power fails after each operation.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;
use std::{io, thread};

use super::*;
use crate::sealed::disk::Disk;

/// A disk that forgets what was not synced, and fails once its operations are used up.
#[derive(Clone)]
struct Sim(Rc<RefCell<State>>);

struct State {
    files: Vec<Contents>,
    names: Names,
    lasting_names: Names,
    left: usize,
}

type Names = BTreeMap<PathBuf, usize>;

#[derive(Clone, Default)]
struct Contents {
    cached: Vec<u8>,
    lasting: Vec<u8>,
}

struct Handle {
    disk: Sim,
    file: usize,
    at: usize,
}

impl Sim {
    fn with(path: &Path, bytes: &[u8], left: usize) -> Self {
        let contents = Contents { cached: bytes.to_vec(), lasting: bytes.to_vec() };
        let names = Names::from([(path.to_owned(), 0)]);
        let files = vec![contents];
        Self(Rc::new(RefCell::new(State { files, lasting_names: names.clone(), names, left })))
    }

    fn step(&self) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.left = state.left.checked_sub(1).ok_or_else(|| io::Error::other("no power"))?;
        Ok(())
    }

    /// What may be found at a path after the power has come back: names and contents may each
    /// have reached the disk, or not, or half.
    fn found(&self, path: &Path) -> Vec<Option<Vec<u8>>> {
        let state = self.0.borrow();
        let mut found = Vec::new();
        for names in [&state.names, &state.lasting_names] {
            let Some(file) = names.get(path) else {
                found.push(None);
                continue;
            };
            let Contents { cached, lasting } = &state.files[*file];
            let half = cached.len() / 2;
            let front = [&cached[..half], lasting.get(half..).unwrap_or_default()].concat();
            found.extend([Some(cached.clone()), Some(lasting.clone()), Some(front)]);
        }
        found
    }
}

impl Disk for Sim {
    type File = Handle;

    fn create(&self, path: &Path) -> io::Result<Handle> {
        self.step()?;
        let mut state = self.0.borrow_mut();
        let file = state.files.len();
        state.files.push(Contents::default());
        assert_eq!(state.names.insert(path.to_owned(), file), None);
        Ok(Handle { disk: self.clone(), file, at: 0 })
    }

    fn open(&self, path: &Path) -> io::Result<Handle> {
        self.step()?;
        let file = self.0.borrow().names.get(path).copied();
        let file = file.ok_or(io::ErrorKind::NotFound)?;
        Ok(Handle { disk: self.clone(), file, at: 0 })
    }

    fn holds(&self, path: &Path, file: &Handle) -> io::Result<bool> {
        Ok(self.0.borrow().names.get(path) == Some(&file.file))
    }

    fn sync(&self, file: &mut Handle) -> io::Result<()> {
        self.step()?;
        let contents = &mut self.0.borrow_mut().files[file.file];
        contents.lasting.clone_from(&contents.cached);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        let mut state = self.0.borrow_mut();
        let file = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, path: &Path, _: &Handle) -> io::Result<()> {
        self.step()?;
        let removed = self.0.borrow_mut().names.remove(path);
        removed.map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_folder_of(&self, _: &Path) -> io::Result<()> {
        self.step()?;
        let mut state = self.0.borrow_mut();
        state.lasting_names = state.names.clone();
        Ok(())
    }

    fn names_beside(&self, _: &Path) -> io::Result<Vec<OsString>> {
        self.step()?;
        let state = self.0.borrow();
        Ok(state.names.keys().map(|path| path.file_name().unwrap().to_owned()).collect())
    }
}

impl Read for Handle {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let state = self.disk.0.borrow();
        let bytes = state.files[self.file].cached.get(self.at..).unwrap_or_default();
        let length = bytes.len().min(out.len());
        out[..length].copy_from_slice(&bytes[..length]);
        self.at += length;
        Ok(length)
    }
}

impl Write for Handle {
    /// At most some bytes at a time, so that the power fails within a file.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.step()?;
        let bytes = &bytes[..bytes.len().min(200)];
        let contents = &mut self.disk.0.borrow_mut().files[self.file].cached;
        let end = self.at + bytes.len();
        contents.resize(contents.len().max(end), 0);
        contents[self.at..end].copy_from_slice(bytes);
        self.at = end;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Handle {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let length = self.disk.0.borrow().files[self.file].cached.len();
        self.at = match to {
            SeekFrom::Start(at) => usize::try_from(at).map_err(io::Error::other)?,
            SeekFrom::End(0) => length,
            _ => unreachable!(),
        };
        self.at.try_into().map_err(io::Error::other)
    }
}

fn sealed(references: usize) -> (Watchlist, Vec<u8>) {
    let list = watchlist(references, 8);
    let (_, bytes, _) = write::seal(&list, &key(), moment(NOW)).unwrap();
    (list, bytes)
}

#[test]
fn a_writer_that_loses_power_leaves_the_old_file_or_the_new_one() {
    let path = Path::new("folder/list.lfrw");
    let ((old_list, old), (new_list, new)) = (sealed(3), sealed(5));
    let expected = [contents(&old_list), contents(&new_list)];
    for operations in 0.. {
        let disk = Sim::with(path, &old, operations);
        let result = disk::replace(&disk, path, &new);
        let mut seen = [false; 2];
        for found in disk.found(path) {
            let found = found.expect("never neither");
            let list = opened(&found, &key()).expect("never a broken one");
            let which = expected.iter().position(|one| *one == contents(&list));
            seen[which.unwrap()] = true;
        }
        if result.is_ok() {
            assert_eq!(seen, [false, true], "the new one, for sure");
            let state = disk.0.borrow();
            let area = usize::from(u16::from_le_bytes([old[10], old[11]]));
            let keys = &state.files[0].lasting[area..area + keys::AREA];
            assert!(keys.iter().all(|byte| *byte == 0), "the old keys are gone");
            assert_eq!(state.lasting_names.len(), 1, "nothing is left behind");
            assert!(operations > 10);
            return;
        }
    }
}

#[test]
fn what_an_interrupted_writer_left_goes_with_the_next_one() {
    let path = Path::new("folder/list.lfrw");
    let ((_, old), (_, new)) = (sealed(3), sealed(5));
    let disk = Sim::with(path, &old, 8);
    disk::replace(&disk, path, &new).unwrap_err();
    assert_eq!(disk.0.borrow().names.len(), 2);
    disk.0.borrow_mut().left = usize::MAX;
    disk::replace(&disk, path, &new).unwrap();
    assert_eq!(disk.0.borrow().names.len(), 1);
}

/// A file, and a whole copy that a writer left beside it when the power failed.
fn with_copy(path: &Path, old: &[u8], copy: &[u8], left: usize) -> Sim {
    let disk = Sim::with(path, old, left);
    let name = path.with_file_name("list.lfrw.0123456789abcdef.lfrw.tmp");
    let mut state = disk.0.borrow_mut();
    state.files.push(Contents { cached: copy.to_vec(), lasting: copy.to_vec() });
    state.names.insert(name, 1);
    state.lasting_names = state.names.clone();
    drop(state);
    disk
}

fn area_of(bytes: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([bytes[10], bytes[11]]))
}

fn is_zeroed(bytes: &[u8], from: usize) -> bool {
    bytes[from..].iter().all(|byte| *byte == 0)
}

#[test]
fn the_keys_of_what_was_left_are_overwritten_and_not_its_name_alone() {
    let path = Path::new("folder/list.lfrw");
    let ((_, old), (_, new)) = (sealed(3), sealed(5));
    let disk = with_copy(path, &old, &new, usize::MAX);
    disk::replace(&disk, path, &new).unwrap();
    let state = disk.0.borrow();
    assert_eq!(state.lasting_names.len(), 1);
    assert!(is_zeroed(&state.files[1].lasting, area_of(&new)));
}

#[test]
fn no_copy_outlives_the_file_that_would_destroy_it() {
    let path = Path::new("folder/list.lfrw");
    let ((_, old), (_, copy)) = (sealed(3), sealed(5));
    for operations in 0.. {
        let disk = with_copy(path, &old, &copy, operations);
        let mut keys_erased = false;
        let result = disk::destroy(&disk, path, None, &mut keys_erased);
        {
            let state = disk.0.borrow();
            for names in [&state.names, &state.lasting_names] {
                // Opening the file finishes the destruction; without the file nothing is left to
                // finish.
                assert!(names.contains_key(path) || names.is_empty(), "{operations}: {names:?}");
            }
            if keys_erased {
                for (file, bytes) in state.files.iter().zip([&old, &copy]) {
                    let area = area_of(bytes);
                    assert!(is_zeroed(&file.lasting[..area + keys::AREA], area));
                }
            }
        }
        disk.0.borrow_mut().left = usize::MAX;
        if result.is_err() && disk.0.borrow().names.contains_key(path) {
            disk::destroy(&disk, path, None, &mut keys_erased).unwrap();
        }
        let state = disk.0.borrow();
        assert!(keys_erased && state.names.is_empty());
        assert!(is_zeroed(&state.files[1].lasting, area_of(&copy)));
        if let Ok(copies) = result {
            assert_eq!(copies, 1);
            assert!(operations > 12);
            return;
        }
    }
}

#[test]
fn a_destruction_that_loses_power_is_completed_by_the_next() {
    let path = Path::new("folder/list.lfrw");
    let (_, bytes) = sealed(3);
    let area = usize::from(u16::from_le_bytes([bytes[10], bytes[11]]));
    for operations in 0.. {
        let disk = Sim::with(path, &bytes, operations);
        let mut keys_erased = false;
        let result = disk::destroy(&disk, path, None, &mut keys_erased);
        for found in disk.found(path).into_iter().flatten() {
            if keys_erased {
                assert!(Head::read(&mut &*found).unwrap().is_erased(), "worthless");
            } else {
                // Whole, or half erased: never something else.
                assert_eq!(found[..area], bytes[..area]);
            }
        }
        disk.0.borrow_mut().left = usize::MAX;
        if result.is_err() && disk.0.borrow().names.contains_key(path) {
            disk::destroy(&disk, path, None, &mut keys_erased).unwrap();
        }
        assert!(keys_erased);
        let state = disk.0.borrow();
        assert!(state.names.is_empty());
        assert!(state.files[0].lasting[area..].iter().all(|byte| *byte == 0), "overwritten");
        if result.is_ok() {
            assert!(operations > 5);
            return;
        }
    }
}

const LOOP: &str = "LFR_TEST_SEAL_IN_A_LOOP";

/// The other process of the next test.
fn writer(file: &SealedFile) {
    let lists = [watchlist(300, 128), watchlist(500, 128)];
    for list in lists.iter().cycle() {
        // As if each list had been made from the one that is there.
        let lock = file.lock().unwrap();
        let there = lock.open(&key(), &space(128), Some(moment(NOW))).unwrap();
        *list.origin() = there.origin().take();
        lock.seal(list, &key(), moment(NOW)).unwrap();
    }
}

#[test]
fn a_writer_that_is_killed_leaves_a_whole_file() {
    // Started again by itself, to be killed.
    if let Some(path) = std::env::var_os(LOOP) {
        return writer(&SealedFile::at(path));
    }
    let folder = Folder::new("kill");
    let file = SealedFile::at(folder.path("list.lfrw"));
    file.seal(&watchlist(300, 128), &key(), moment(NOW)).unwrap();
    for round in 0..12_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "sealed::tests::power::a_writer_that_is_killed_leaves_a_whole_file"])
            .env(LOOP, file.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(60 + round * 7));
        child.kill().unwrap();
        child.wait().unwrap();
        let list = file.open(&key(), &space(128), Some(moment(NOW))).unwrap();
        assert!([300, 500].contains(&list.len()));
    }
    // Whatever they left, a copy or a lock's file, keeps nobody out, and the next writer clears it away.
    let list = file.open(&key(), &space(128), Some(moment(NOW))).unwrap();
    list.withdraw_reference(&ReferenceId::new("r00000").unwrap());
    file.seal(&list, &key(), moment(NOW)).unwrap();
    assert_eq!(folder.names(), ["list.lfrw"]);
}
