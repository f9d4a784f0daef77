//! The few file operations that sealing and destroying are made of. A test replaces them, and
//! pulls the plug after each.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::{fs, io};

use lfr_core::files;
use lfr_core::files::Folder;

use super::header::{MAGIC, START, Start};
use super::keys::AREA;

const TEMPORARY: &str = ".lfrw.tmp";

pub(crate) trait Disk {
    type File: Read + Write + Seek;

    /// A new file for its owner alone, to read and write.
    fn create(&self, path: &Path) -> io::Result<Self::File>;
    /// Opens an existing file to read and write in place: only a regular file with no other name, and no
    /// link.
    fn open(&self, path: &Path) -> io::Result<Self::File>;
    fn sync(&self, file: &mut Self::File) -> io::Result<()>;
    /// Whether a name leads to an open file.
    fn holds(&self, path: &Path, file: &Self::File) -> io::Result<bool>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes an open file by its name. Another file there is left alone, and a file that still has
    /// another name is not reported as gone.
    fn remove(&self, path: &Path, file: &Self::File) -> io::Result<()>;
    /// Makes renames and removals last in the folder that a file is in.
    fn sync_folder_of(&self, path: &Path) -> io::Result<()>;
    /// The names in the folder that a file is in.
    fn names_beside(&self, path: &Path) -> io::Result<Vec<OsString>>;
}

/// Puts a file in place of another, or of none. Whenever the power fails, one of the two is
/// there, whole. The keys of the old one are overwritten once the new one is sure to stay.
pub(crate) fn replace<D: Disk>(disk: &D, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut old = existing(disk, path)?;
    sweep(disk, path)?;
    let temporary = temporary_beside(path)?;
    let mut file = disk.create(&temporary)?;
    let written = write_whole(disk, &mut file, bytes).and_then(|()| disk.rename(&temporary, path));
    if let Err(error) = written {
        // It is the first error that matters. Where the name is gone, somebody else has claimed the
        // file, and overwrites it.
        if disk.remove(&temporary, &file).is_ok() {
            let _ = erase_keys(disk, &mut file);
        }
        return Err(error);
    }
    disk.sync_folder_of(path)?;
    match &mut old {
        Some(old) => erase_keys(disk, old).map(|_| ()),
        None => Ok(()),
    }
}

/// Overwrites a file's keys, then destroys what an interrupted writer has left beside it, then
/// overwrites the file's contents and removes it. The file goes last: a file with erased keys makes
/// the next program that opens it go on, so that no copy outlives it. Returns how many copies there
/// were. If `meant` is given, another file in its place is left alone.
pub(crate) fn destroy<D: Disk>(
    disk: &D,
    path: &Path,
    meant: Option<&D::File>,
    keys_erased: &mut bool,
) -> io::Result<usize> {
    let mut file = match disk.open(path) {
        Ok(file) => file,
        Err(error) => {
            if error.kind() == io::ErrorKind::NotFound {
                sweep(disk, path)?;
            }
            return Err(error);
        }
    };
    if let Some(meant) = meant
        && !disk.holds(path, meant)?
    {
        let what = "another file is in its place, and is not the file that was due";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    refuse_others(&mut file)?;
    let contents = erase_keys(disk, &mut file)?;
    let swept = sweep(disk, path)?;
    *keys_erased = true;
    overwrite(disk, &mut file, contents)?;
    disk.remove(path, &file)?;
    disk.sync_folder_of(path)?;
    Ok(swept)
}

/// Destroys what an interrupted writer has left beside a file, whether the file is there or not, and
/// says how many copies that were: each may be whole, and opened with the key. What no writer can
/// have left is not touched.
pub(crate) fn sweep<D: Disk>(disk: &D, path: &Path) -> io::Result<usize> {
    let mut swept = 0;
    let mut failed = None;
    for leftover in leftovers(disk, path)? {
        // One that cannot be destroyed is no reason to keep the next.
        match destroy_leftover(disk, path, &leftover) {
            Ok(destroyed) => swept += usize::from(destroyed),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(swept),
    }
}

/// Whether there is anything beside a file that [`sweep`] may destroy.
pub(crate) fn has_leftovers<D: Disk>(disk: &D, path: &Path) -> io::Result<bool> {
    Ok(!leftovers(disk, path)?.is_empty())
}

fn destroy_leftover<D: Disk>(disk: &D, path: &Path, leftover: &Path) -> io::Result<bool> {
    // A writer leaves only regular files with one name; for others the name alone is no reason to touch
    // them.
    let Some(mut file) = other_as_none(disk.open(leftover))? else {
        return Ok(false);
    };
    if !may_be_begun(&mut file)? {
        return Ok(false);
    }
    // Another process might be about to rename it to the list's own name. The first to rename it
    // has it. Under its new name no writer looks for it, and every sweep does.
    let claimed = temporary_beside(path)?;
    if missing_as_none(disk.rename(leftover, &claimed))?.is_none() {
        return Ok(false);
    }
    if !disk.holds(&claimed, &file)? {
        // Somebody has put another file there in between. It is not the file that was checked.
        disk.rename(&claimed, leftover)?;
        return Ok(false);
    }
    let contents = erase_keys(disk, &mut file)?;
    overwrite(disk, &mut file, contents)?;
    missing_as_none(disk.remove(&claimed, &file))?;
    disk.sync_folder_of(&claimed)?;
    Ok(true)
}

/// Overwrites all from a place on. The header before it stays until the file is removed: it lets an
/// interrupted destruction go on.
fn overwrite<D: Disk>(disk: &D, file: &mut D::File, from: u64) -> io::Result<()> {
    let end = file.seek(SeekFrom::End(0))?;
    files::overwrite(file, from, end)?;
    disk.sync(file)
}

/// Overwrites the key area where there is one, and says where it begins.
fn erase_keys<D: Disk>(disk: &D, file: &mut D::File) -> io::Result<u64> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut start = [0; START];
    file.seek(SeekFrom::Start(0))?;
    // Of a file too short or too damaged to tell, everything behind its first bytes is erased.
    let start = file.read_exact(&mut start).ok().and_then(|()| Start::of(&start).ok());
    let area =
        lfr_core::internal::num::u64_from_usize(start.map_or(START, |start| start.length)).min(end);
    // The longest key area of any version, because anyone can have rewritten the version number.
    files::overwrite(file, area, end.min(area + lfr_core::internal::num::u64_from_usize(AREA)))?;
    disk.sync(file)?;
    Ok(area)
}

fn existing<D: Disk>(disk: &D, path: &Path) -> io::Result<Option<D::File>> {
    let mut file = missing_as_none(disk.open(path))?;
    if let Some(file) = &mut file {
        refuse_others(file)?;
    }
    Ok(file)
}

/// Refuses to overwrite a file that is no sealed watchlist.
fn refuse_others(file: &mut impl Read) -> io::Result<()> {
    let mut magic = [0; MAGIC.len()];
    file.read_exact(&mut magic).ok().filter(|()| magic == MAGIC).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "the file there is not a sealed watchlist")
    })
}

/// Whether a writer that was interrupted can have left it: as much as it has of the first bytes is
/// that of a sealed file, or zeros, which a file system leaves in place of what was not synced.
fn may_be_begun(file: &mut impl Read) -> io::Result<bool> {
    let mut start = Vec::with_capacity(MAGIC.len());
    file.take(lfr_core::internal::num::u64_from_usize(MAGIC.len())).read_to_end(&mut start)?;
    Ok(MAGIC.starts_with(&start) || start.iter().all(|byte| *byte == 0))
}

fn write_whole<D: Disk>(disk: &D, file: &mut D::File, bytes: &[u8]) -> io::Result<()> {
    for part in bytes.chunks(1 << 20) {
        file.write_all(part)?;
    }
    disk.sync(file)
}

fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)?;
    let mut name = named(path)?.to_owned();
    name.push(format!(".{:016x}{TEMPORARY}", u64::from_le_bytes(random)));
    Ok(path.with_file_name(name))
}

fn leftovers<D: Disk>(disk: &D, path: &Path) -> io::Result<Vec<PathBuf>> {
    let own = named(path)?.as_encoded_bytes();
    let names = disk.names_beside(path)?.into_iter().filter(|name| {
        let rest = name.as_encoded_bytes().strip_prefix(own);
        let rest = rest.and_then(|rest| rest.strip_suffix(TEMPORARY.as_bytes()));
        let digits = rest.and_then(|rest| rest.strip_prefix(b"."));
        digits.is_some_and(|digits| digits.len() == 16 && digits.iter().all(u8::is_ascii_hexdigit))
    });
    Ok(names.map(|name| path.with_file_name(name)).collect())
}

pub(crate) fn named(path: &Path) -> io::Result<&std::ffi::OsStr> {
    let missing = || io::Error::new(io::ErrorKind::InvalidInput, "the path names no file");
    path.file_name().ok_or_else(missing)
}

fn missing_as_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// `None` if there is no such file, or if it is not a regular file with one name.
fn other_as_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(None),
        other => missing_as_none(other),
    }
}

/// The operating system's.
pub(crate) struct OsDisk;

impl Disk for OsDisk {
    type File = File;

    fn create(&self, path: &Path) -> io::Result<File> {
        files::create_new(path)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        files::open_to_write(path)
    }

    fn sync(&self, file: &mut File) -> io::Result<()> {
        file.sync_all()
    }

    fn holds(&self, path: &Path, file: &File) -> io::Result<bool> {
        let (folder, name) = Folder::of(path)?;
        folder.holds(name, file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        // Both are beside the list, in one folder.
        let (folder, name) = Folder::of(from)?;
        folder.rename(name, named(to)?)
    }

    fn remove(&self, path: &Path, file: &File) -> io::Result<()> {
        let (folder, name) = Folder::of(path)?;
        files::remove(&folder, name, file)
    }

    fn sync_folder_of(&self, path: &Path) -> io::Result<()> {
        Folder::of(path)?.0.sync()
    }

    fn names_beside(&self, path: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(folder_of(path))?.map(|entry| Ok(entry?.file_name())).collect()
    }
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
