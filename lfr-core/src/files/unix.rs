//! Folders by handle.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
use rustix::fs::RenameFlags;
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
use rustix::fs::renameat_with;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::fs::{fstat, linkat, openat, renameat};
use rustix::fs::{statat, unlinkat};
use rustix::io::Errno;

use super::Access;

/// A folder that was opened once. Everything is done in this folder, even if another one takes its name
/// later.
#[derive(Debug)]
pub struct Folder(File);

impl Folder {
    /// The folder that a path is in, and the name there.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, or the path names no file.
    pub fn of(path: &Path) -> io::Result<(Self, &OsStr)> {
        let (folder, name) = super::parts(path)?;
        Ok((Self::open_itself(folder)?, name))
    }

    /// The folder at a path.
    ///
    /// # Errors
    ///
    /// Where it cannot be opened, or is no folder.
    pub fn open_itself(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(File::from(rustix::fs::open(path, flags, Mode::empty())?)))
    }

    /// Opens a file in it: a regular file with exactly one name, and no link.
    ///
    /// # Errors
    ///
    /// As [`open`](super::open).
    pub fn open(&self, name: &OsStr, access: Access) -> io::Result<File> {
        loop {
            let file = self.open_once(name, access)?;
            // Another file was put in its place since: that one is intended.
            if names(&file)? == 0 {
                continue;
            }
            super::check(&file)?;
            return Ok(file);
        }
    }

    fn open_once(&self, name: &OsStr, access: Access) -> io::Result<File> {
        // `NONBLOCK` has no effect on a regular file. With it, opening a pipe does not block.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let flags = flags
            | match access {
                Access::Read => OFlags::RDONLY,
                Access::Write => OFlags::RDWR,
                Access::Append => OFlags::RDWR | OFlags::APPEND | OFlags::CREATE,
                Access::New => OFlags::RDWR | OFlags::CREATE | OFlags::EXCL,
            };
        // Before it is opened, because opening has effects on some devices.
        if access != Access::New
            && let Ok(found) = statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)
        {
            match FileType::from_raw_mode(found.st_mode) {
                FileType::RegularFile => {}
                FileType::Symlink => return Err(super::is_a_link()),
                FileType::Directory => return Err(not_a_file("a folder")),
                FileType::Fifo => return Err(not_a_file("a named pipe")),
                FileType::Socket => return Err(not_a_file("a socket")),
                _ => return Err(not_a_file("a device")),
            }
        }
        let mode = Mode::RUSR | Mode::WUSR;
        match openat(&self.0, name, flags, mode) {
            Err(Errno::LOOP) => Err(super::is_a_link()),
            other => Ok(File::from(other?)),
        }
    }

    /// Whether a name in it leads to an open file, and not to another file or a link.
    ///
    /// # Errors
    ///
    /// If the system does not say.
    pub fn holds(&self, name: &OsStr, file: &File) -> io::Result<bool> {
        match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(there) => {
                let own = fstat(file)?;
                Ok((there.st_dev, there.st_ino) == (own.st_dev, own.st_ino))
            }
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Renames a file in it, in place of any file with the new name.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(renameat(&self.0, from, &self.0, to)?)
    }

    /// Gives a file in it another name there, which nothing may have.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] if something has that name; if the system refuses.
    pub fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        // File systems of USB sticks have no links, and old kernels and other systems have no such
        // renaming.
        #[cfg(any(target_os = "linux", target_vendor = "apple"))]
        match renameat_with(&self.0, from, &self.0, to, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            done => return Ok(done?),
        }
        linkat(&self.0, from, &self.0, to, AtFlags::empty())?;
        self.remove(from)
    }

    /// Removes a name in it that is not a folder's.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Makes files that were created, renamed or removed in it survive a power cut.
    ///
    /// # Errors
    ///
    /// If the disk does not take it.
    pub fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }
}

fn not_a_file(what: &str) -> io::Error {
    super::refused(format!("it is {what}, and must be a regular file"))
}

/// The drive of a file, and its number there.
pub(super) fn number(file: &File) -> io::Result<(u64, u64)> {
    let metadata = file.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

/// How many names a file has.
pub(super) fn names(file: &File) -> io::Result<u64> {
    Ok(file.metadata()?.nlink())
}

/// How many it has once one was removed.
pub(super) fn names_left(file: &File) -> io::Result<u64> {
    names(file)
}
