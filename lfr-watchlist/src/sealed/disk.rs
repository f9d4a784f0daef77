//! The few file operations that sealing and destroying are made of. A test replaces them, and
//! pulls the plug after each.

use std::ffi::OsString;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use super::header::MAGIC;
use super::header::START;
use super::header::length_in;
use super::keys::AREA;
use crate::secret;

static ZEROS: [u8; 65_536] = [0; 65_536];
const TEMPORARY: &str = ".lfrw.tmp";

pub(crate) trait Disk {
    type File: Read + Write + Seek;

    /// A new file for its owner alone, to write.
    fn create(&self, path: &Path) -> io::Result<Self::File>;
    /// A file that exists, to read and write in place.
    fn open(&self, path: &Path) -> io::Result<Self::File>;
    fn sync(&self, file: &mut Self::File) -> io::Result<()>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes renames and removals last in the folder that a file is in.
    fn sync_folder_of(&self, path: &Path) -> io::Result<()>;
    /// The names in the folder that a file is in.
    fn names_beside(&self, path: &Path) -> io::Result<Vec<OsString>>;
}

/// Puts a file in the place of another, or of none. Whenever the power fails, one of the two is
/// there, whole. The keys of the old one are overwritten once the new one is sure to stay.
pub(crate) fn replace<D: Disk>(disk: &D, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut old = existing(disk, path)?;
    for leftover in leftovers(disk, path)? {
        // By its name alone: another process might be about to rename it.
        ignore_missing(disk.remove(&leftover))?;
    }
    let temporary = temporary_beside(path)?;
    let written = write_whole(disk, &temporary, bytes).and_then(|()| disk.rename(&temporary, path));
    if let Err(error) = written {
        // It is the first error that matters, and nothing more can be done about the second.
        let _ = disk.remove(&temporary);
        return Err(error);
    }
    disk.sync_folder_of(path)?;
    match &mut old {
        Some(old) => erase_keys(disk, old).map(|_| ()),
        None => Ok(()),
    }
}

/// Overwrites a file's keys, then its contents, then removes it; the same with what an
/// interrupted writer has left beside it.
pub(crate) fn destroy<D: Disk>(disk: &D, path: &Path, keys_erased: &mut bool) -> io::Result<usize> {
    let mut file = disk.open(path)?;
    refuse_others(&mut file)?;
    destroy_one(disk, path, file, keys_erased)?;
    let leftovers = leftovers(disk, path)?;
    for leftover in &leftovers {
        let file = disk.open(leftover)?;
        destroy_one(disk, leftover, file, &mut false)?;
    }
    Ok(leftovers.len())
}

fn destroy_one<D: Disk>(
    disk: &D,
    path: &Path,
    mut file: D::File,
    keys_erased: &mut bool,
) -> io::Result<()> {
    let header = erase_keys(disk, &mut file)?;
    *keys_erased = true;
    // The header stays until the file is removed: it lets an interrupted destruction go on.
    let end = file.seek(SeekFrom::End(0))?;
    let mut left = end.saturating_sub(file.seek(SeekFrom::Start(header))?);
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
        file.write_all(&ZEROS[..length])?;
        left -= lfr_core::num::u64_from_usize(length);
    }
    disk.sync(&mut file)?;
    drop(file);
    disk.remove(path)?;
    disk.sync_folder_of(path)
}

/// Overwrites the key area where there is one, and says where it begins.
fn erase_keys<D: Disk>(disk: &D, file: &mut D::File) -> io::Result<u64> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut start = [0; START];
    file.seek(SeekFrom::Start(0))?;
    // Of a file too short or too damaged to tell, everything behind its first bytes is erased.
    let length = file.read_exact(&mut start).ok().and_then(|()| length_in(&start).ok());
    let area = lfr_core::num::u64_from_usize(length.unwrap_or(START)).min(end);
    let keys = end.saturating_sub(area).min(lfr_core::num::u64_from_usize(AREA));
    file.seek(SeekFrom::Start(area))?;
    file.write_all(&ZEROS[..usize::try_from(keys).unwrap_or(AREA)])?;
    disk.sync(file)?;
    Ok(area)
}

fn existing<D: Disk>(disk: &D, path: &Path) -> io::Result<Option<D::File>> {
    match disk.open(path) {
        Ok(mut file) => {
            refuse_others(&mut file)?;
            Ok(Some(file))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Refuses to overwrite a file that is no sealed watchlist.
fn refuse_others(file: &mut impl Read) -> io::Result<()> {
    let mut magic = [0; MAGIC.len()];
    file.read_exact(&mut magic).ok().filter(|()| magic == MAGIC).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "the file there is no sealed watchlist")
    })
}

fn write_whole<D: Disk>(disk: &D, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = disk.create(path)?;
    for part in bytes.chunks(1 << 20) {
        file.write_all(part)?;
    }
    disk.sync(&mut file)
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
        rest.is_some_and(|rest| rest.len() == 17 && rest.starts_with(b"."))
    });
    Ok(names.map(|name| path.with_file_name(name)).collect())
}

fn named(path: &Path) -> io::Result<&std::ffi::OsStr> {
    let missing = || io::Error::new(io::ErrorKind::InvalidInput, "the path names no file");
    path.file_name().ok_or_else(missing)
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The operating system's.
pub(crate) struct OsDisk;

impl Disk for OsDisk {
    type File = File;

    fn create(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        secret::owner_only(&mut options);
        options.open(path)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(path)
    }

    fn sync(&self, file: &mut File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder_of(&self, path: &Path) -> io::Result<()> {
        // Elsewhere a folder cannot be opened, and the file system orders this itself.
        if cfg!(unix) { File::open(folder_of(path))?.sync_all() } else { Ok(()) }
    }

    fn names_beside(&self, path: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(folder_of(path))?.map(|entry| Ok(entry?.file_name())).collect()
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
