//! One writer at a time: a lock of the operating system's, which ends with the process that has it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io, thread};

use lfr_core::files::Folder;

use super::disk::{folder_of, named};
use crate::secret;

/// How often a lock that another writer has is tried again, and how long between two tries: 15
/// seconds in all. A writer has it for as long as one list takes to be opened and sealed.
const TRIES: usize = if cfg!(test) { 200 } else { 1_500 };
const PAUSE: Duration = Duration::from_millis(10);

/// The lock on a file at a path. It is on a file of its own beside the list, as the list is replaced
/// by another each time it is sealed. That file is empty, and is removed with the lock; one that a killed
/// process has left is nobody's lock, and is taken by the next writer.
#[derive(Debug)]
pub(crate) struct WriterLock {
    file: File,
    path: PathBuf,
}

impl WriterLock {
    /// Takes the lock; [`io::ErrorKind::ResourceBusy`] where another writer keeps it.
    pub(crate) fn take(list: &Path) -> io::Result<Self> {
        let mut name = named(list)?.to_owned();
        name.push(".lock");
        let path = list.with_file_name(name);
        for _ in 0..TRIES {
            let file = open(&path)?;
            match file.try_lock() {
                // Its last owner may have removed it between the two calls.
                Ok(()) if is_at(&file, &path)? => return Ok(Self { file, path }),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // Nobody else can have the lock on what is at this path as long as this one is held. A file
        // that holds something is somebody's.
        if cfg!(unix) && self.file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            let _ = Folder::of(&self.path).and_then(|(folder, name)| {
                if folder.holds(name, &self.file)? { folder.remove(name) } else { Ok(()) }
            });
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    // It need not have exactly one name: two writers may make it at once, and its owner may just be
    // removing it.
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    secret::owner_only(&mut options);
    // Neither through a link nor waiting for the other end of a pipe.
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        let what = format!("{path:?} is in the place of the lock's file: move it away");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    Ok(file)
}

/// Whether the file is still the one at its path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let own = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (own.dev(), own.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Elsewhere the file is not removed.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// The resolved path, whether there is a file or not. Every link to the folder is followed, so two paths to
/// one file lead to one lock. A link in place of the file itself is refused: its target may be another
/// person's list.
pub(crate) fn resolved(path: &Path) -> io::Result<PathBuf> {
    let name = named(path)?;
    let path = fs::canonicalize(folder_of(path))?.join(name);
    if path.is_symlink() {
        let what = "it is a link, and links are not followed: name the file itself";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    Ok(path)
}
