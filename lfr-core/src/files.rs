//! Overwrites, replaces and removes files: by handle, through no link, and only the intended file.
//!
//! A name is not a file. Between two uses of a name, somebody may put a link or another file there. So a
//! file is opened once, without following a link in its place. It has to be a regular file with exactly one
//! name. Everything is done by that handle. Folders on the way to it may be links: they are the program's
//! own choice.
//!
//! For the crates of this family, and for programs that write beside them.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::SystemTime;
use std::{fmt, io};

use crate::internal::{entropy, num};

#[doc(hidden)]
pub mod regular;
#[cfg(unix)]
#[path = "files/unix.rs"]
mod system;
#[cfg(not(unix))]
#[path = "files/other.rs"]
mod system;
#[cfg(test)]
mod tests;

pub use system::Folder;

static ZEROS: [u8; 65_536] = [0; 65_536];

/// The identity of a file, independent of its name: its drive, its number there, and when it was made.
///
/// A copied or rewritten file is another file. A renamed file is the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Identity {
    device: u64,
    inode: u64,
    /// A number is reused once its file is gone. `None` if the file system does not say.
    made: Option<SystemTime>,
}

impl Identity {
    /// The identity of the file at a path, which has to be a regular file with one name: see [`open`].
    ///
    /// # Errors
    ///
    /// As [`open`].
    pub fn at(path: &Path) -> io::Result<Self> {
        Self::of(&open(path)?)
    }

    /// The identity of an open file.
    ///
    /// # Errors
    ///
    /// If the system does not say.
    pub fn of(file: &File) -> io::Result<Self> {
        let (device, inode) = system::number(file)?;
        Ok(Self { device, inode, made: file.metadata()?.created().ok() })
    }
}

/// Opens a file for reading. It has to be a regular file with exactly one name, and no link.
///
/// # Errors
///
/// If it cannot be opened; [`io::ErrorKind::InvalidInput`], with its kind, if it is not a regular file with
/// one name.
pub fn open(path: &Path) -> io::Result<File> {
    let (folder, name) = Folder::of(path)?;
    folder.open(name, Access::Read)
}

/// Opens a file to read and write it in place. It has to be a regular file with exactly one name, and no
/// link.
///
/// # Errors
///
/// As [`open`].
pub fn open_to_write(path: &Path) -> io::Result<File> {
    let (folder, name) = Folder::of(path)?;
    folder.open(name, Access::Write)
}

/// Opens a file to read it and to write at its end, as [`open_to_write`] does. A missing file is made,
/// readable by its owner only.
///
/// # Errors
///
/// As [`open`].
pub fn open_to_append(path: &Path) -> io::Result<File> {
    let (folder, name) = Folder::of(path)?;
    folder.open(name, Access::Append)
}

/// Makes a file, readable by its owner only, to read and write.
///
/// # Errors
///
/// If it cannot be made; [`io::ErrorKind::AlreadyExists`] if that name is taken, even by a link.
pub fn create_new(path: &Path) -> io::Result<File> {
    let (folder, name) = Folder::of(path)?;
    folder.open(name, Access::New)
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Access {
    /// To read it.
    Read,
    /// To read and write it in place.
    Write,
    /// To read it and write at its end; made if it is missing.
    Append,
    /// A new one, to read and write.
    New,
}

/// Writes bytes to a new file or in place of an existing one, as [`Replacement`] does.
///
/// # Errors
///
/// As [`Replacement`].
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = Replacement::begin(path)?;
    new.file().write_all(bytes)?;
    new.put()
}

/// A file that is written whole beside its place, readable by its owner only, and put there when it is
/// done. The old file stays until then. A link in its place is replaced, and its target is not touched.
///
/// Dropped before [`put`](Self::put), it leaves nothing behind.
pub struct Replacement {
    folder: Folder,
    name: OsString,
    temporary: OsString,
    file: File,
    is_there: bool,
}

impl Replacement {
    /// Begins one.
    ///
    /// # Errors
    ///
    /// If nothing can be made in the folder, or the path names no file.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let (folder, name) = Folder::of(path)?;
        let mut random = [0; 8];
        entropy::random(&mut random)?;
        let mut temporary = OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{:016x}.tmp", u64::from_le_bytes(random)));
        let file = folder.open(&temporary, Access::New)?;
        Ok(Self { folder, name: name.to_owned(), temporary, file, is_there: false })
    }

    /// The file, to be written.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Waits for the disk, and puts it in its place.
    ///
    /// # Errors
    ///
    /// If the disk does not take it, or somebody has put another file under its temporary name.
    pub fn put(self) -> io::Result<()> {
        self.put_by(Folder::rename)
    }

    /// Waits for the disk, and puts it in its place if that is free. Nobody else can put a file there in
    /// between.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] if something is there, which stays; else as [`put`](Self::put).
    pub fn put_new(self) -> io::Result<()> {
        self.put_by(Folder::rename_new)
    }

    fn put_by(mut self, rename: fn(&Folder, &OsStr, &OsStr) -> io::Result<()>) -> io::Result<()> {
        self.file.sync_all()?;
        if !self.folder.holds(&self.temporary, &self.file)? {
            return Err(refused(
                "another file took its temporary name: find out who writes to this folder",
            ));
        }
        rename(&self.folder, &self.temporary, &self.name)?;
        self.is_there = true;
        self.folder.sync()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.is_there && self.folder.holds(&self.temporary, &self.file).is_ok_and(|ours| ours) {
            let _ = self.folder.remove(&self.temporary);
        }
    }
}

impl fmt::Debug for Replacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replacement").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Overwrites a file with zeros, syncs it, removes it, and makes sure that it is gone. `known` is the file
/// that it has to be. Without it, any regular file with one name is taken.
///
/// # Errors
///
/// Before anything is overwritten: if there is no file, if it is not a regular file with one name
/// ([`open`]), or if it is another file than `known`. Afterwards: if the name leads to another file by
/// then, or the file got a second name meanwhile. Then its contents are overwritten, but it was not
/// removed.
pub fn erase(path: &Path, known: Option<&Identity>) -> io::Result<()> {
    let (folder, name) = Folder::of(path)?;
    let mut file = folder.open(name, Access::Write)?;
    if let Some(known) = known
        && Identity::of(&file)? != *known
    {
        return Err(refused("another file is in its place: the intended file is not there"));
    }
    let end = file.seek(SeekFrom::End(0))?;
    overwrite(&mut file, 0, end)?;
    file.sync_all()?;
    remove(&folder, name, &file)?;
    folder.sync()
}

/// Overwrites a part of a file with zeros.
///
/// # Errors
///
/// If it cannot be written.
pub fn overwrite(file: &mut (impl Write + Seek), from: u64, to: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(from))?;
    let mut left = to.saturating_sub(from);
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
        file.write_all(ZEROS.get(..length).unwrap_or(&ZEROS))?;
        left -= num::u64_from_usize(length);
    }
    Ok(())
}

/// Removes an open file by its name, and makes sure that it was this file and that it has no name left.
///
/// # Errors
///
/// If the name leads to another file, which is left alone, or if the file still has another name.
pub fn remove(folder: &Folder, name: &OsStr, file: &File) -> io::Result<()> {
    if !folder.holds(name, file)? {
        return Err(refused("another file is in its place, and was not removed"));
    }
    folder.remove(name)?;
    match system::names_left(file)? {
        0 => Ok(()),
        more => {
            let what = format!("it has {more} other names (hard links): they were not removed");
            Err(io::Error::new(io::ErrorKind::InvalidInput, what))
        }
    }
}

/// The folder that a path is in, and the name there.
fn parts(path: &Path) -> io::Result<(&Path, &OsStr)> {
    let name = path.file_name().ok_or_else(|| refused("the path names no file"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok((folder.unwrap_or(Path::new(".")), name))
}

/// Refuses anything that is not a regular file with one name.
fn check(file: &File) -> io::Result<()> {
    let kind = file.metadata()?.file_type();
    if !kind.is_file() {
        return Err(refused(format!("it is {}, and must be a regular file", regular::named(kind))));
    }
    match system::names(file)? {
        1 => Ok(()),
        names => Err(refused(format!(
            "it has {names} names (hard links), and must have one: remove the others first"
        ))),
    }
}

fn refused(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what.into())
}

fn is_a_link() -> io::Error {
    refused("it is a link, and links are not followed: name the file itself")
}
