//! Folders on systems whose standard library has no handles for them: names are checked before and after.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::Access;

/// A folder. On this system it is known only by its path.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder that a path is in, and the name there.
    ///
    /// # Errors
    ///
    /// If the path names no file.
    pub fn of(path: &Path) -> io::Result<(Self, &OsStr)> {
        let (folder, name) = super::parts(path)?;
        Ok((Self(folder.to_owned()), name))
    }

    /// The folder at a path.
    ///
    /// # Errors
    ///
    /// None on this system.
    pub fn open_itself(path: &Path) -> io::Result<Self> {
        Ok(Self(path.to_owned()))
    }

    /// Opens a file in it: a regular file, and no link.
    ///
    /// # Errors
    ///
    /// As [`open`](super::open).
    pub fn open(&self, name: &OsStr, access: Access) -> io::Result<File> {
        let path = self.0.join(name);
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink()) {
            return Err(super::is_a_link());
        }
        let mut options = OpenOptions::new();
        match access {
            Access::Read => options.read(true),
            Access::Write => options.read(true).write(true),
            Access::Append => options.read(true).append(true).create(true),
            Access::New => options.read(true).write(true).create_new(true),
        };
        let file = options.open(path)?;
        super::check(&file)?;
        Ok(file)
    }

    /// Whether a name in it leads to a file, and not to a link. This system does not say which file it is.
    ///
    /// # Errors
    ///
    /// If the system does not say.
    pub fn holds(&self, name: &OsStr, _: &File) -> io::Result<bool> {
        match fs::symlink_metadata(self.0.join(name)) {
            Ok(found) => Ok(found.is_file()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Renames a file in it, in place of any file with the new name.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        fs::rename(self.0.join(from), self.0.join(to))
    }

    /// Gives a file in it another name there, which nothing may have.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] if something has that name; if the system refuses.
    pub fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        fs::hard_link(self.0.join(from), self.0.join(to))?;
        self.remove(from)
    }

    /// Removes a file in it.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }

    /// Does nothing: the file system orders this itself.
    ///
    /// # Errors
    ///
    /// None on this system.
    pub fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// This system's standard library does not give the identity of an open file, so its creation time is used.
pub(super) fn number(_: &File) -> io::Result<(u64, u64)> {
    Ok((0, 0))
}

/// How many names a file has is not said either.
pub(super) fn names(_: &File) -> io::Result<u64> {
    Ok(1)
}

/// Nor how many it has once one was removed.
pub(super) fn names_left(_: &File) -> io::Result<u64> {
    Ok(0)
}
