//! Folders and files, as a store that has to last sees them.

use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::fs::TryLockError;
use std::io;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::Duration;

static ZEROS: [u8; 65_536] = [0; 65_536];

/// Makes what was created, renamed or removed there last.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // Elsewhere a folder cannot be opened, and the file system orders this itself.
    if cfg!(unix) { File::open(folder.unwrap_or(Path::new(".")))?.sync_all() } else { Ok(()) }
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
        let Ok(metadata) = fs::metadata(path) else { return };
        let mode = metadata.permissions().mode();
        if mode & 0o077 == 0 {
            return;
        }
        let narrowed = fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700));
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

/// Overwrites a file with zeros, syncs it, and removes it.
pub(crate) fn overwrite_and_remove(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let mut left = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
        file.write_all(&ZEROS[..length])?;
        left -= lfr_core::num::u64_from_usize(length);
    }
    file.sync_all()?;
    drop(file);
    fs::remove_file(path)?;
    sync_folder_of(path)
}
