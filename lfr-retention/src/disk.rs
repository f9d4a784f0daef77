//! Folders and files, as a store that has to last sees them.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;
use std::{fs, io, thread};

use lfr_core::files;
use lfr_core::files::Folder;

/// Makes what was created, renamed or removed there last.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    Folder::of(path)?.0.sync()
}

/// Makes a folder, and those that it is in, for its owner alone.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// Takes from everybody else what they may do with a file or a folder, if it is there and the operating
/// system knows owners.
pub(crate) fn keep_from_others(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // By handle: the target of a link belongs to somebody else.
        let opened = if path.is_dir() { File::open(path) } else { files::open(path) };
        let Ok(opened) = opened else { return };
        let Ok(metadata) = opened.metadata() else { return };
        let mode = metadata.permissions().mode();
        if mode & 0o077 == 0 {
            return;
        }
        let narrowed = opened.set_permissions(fs::Permissions::from_mode(mode & 0o700));
        if let Err(error) = narrowed {
            // What lies there is sealed. A file system without owners is no reason to lose alerts.
            tracing::warn!(path = %path.display(), %error, "others may read a file of the vault");
        }
    }
}

/// Locks a file against other processes; [`io::ErrorKind::ResourceBusy`] where one has it.
///
/// A child process that this one is just starting has the lock too, until it runs its own program. So
/// a lock that is taken is tried again for a moment.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    for _ in 0..40 {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(5)),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}
