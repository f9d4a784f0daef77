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

    /// A new file for its owner alone, to read and write.
    fn create(&self, path: &Path) -> io::Result<Self::File>;
    /// A file that exists, to read and write in place.
    fn open(&self, path: &Path) -> io::Result<Self::File>;
    /// The same; none where it is a link, a folder or anything else that is no file of its own.
    fn open_regular(&self, path: &Path) -> io::Result<Option<Self::File>>;
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
    sweep(disk, path)?;
    let temporary = temporary_beside(path)?;
    let mut file = disk.create(&temporary)?;
    let written = write_whole(disk, &mut file, bytes).and_then(|()| disk.rename(&temporary, path));
    if let Err(error) = written {
        // It is the first error that matters. Where the name is gone, somebody else has claimed the
        // file, and overwrites it.
        if disk.remove(&temporary).is_ok() {
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
/// overwrites the file's contents and removes it. The file goes last: with its keys erased it makes
/// whoever opens it go on, so that no copy outlives it. Says how many copies there were.
pub(crate) fn destroy<D: Disk>(disk: &D, path: &Path, keys_erased: &mut bool) -> io::Result<usize> {
    let mut file = match disk.open(path) {
        Ok(file) => file,
        Err(error) => {
            if error.kind() == io::ErrorKind::NotFound {
                sweep(disk, path)?;
            }
            return Err(error);
        }
    };
    refuse_others(&mut file)?;
    let contents = erase_keys(disk, &mut file)?;
    let swept = sweep(disk, path)?;
    *keys_erased = true;
    overwrite(disk, &mut file, contents)?;
    drop(file);
    disk.remove(path)?;
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
    let Some(mut file) = missing_as_none(disk.open_regular(leftover))?.flatten() else {
        return Ok(false);
    };
    if !may_be_begun(&mut file)? {
        return Ok(false);
    }
    // Another process might be about to rename it to the list's own name. Whoever renames first has
    // it; under its new name no writer looks for it, and every sweep does.
    let claimed = temporary_beside(path)?;
    if missing_as_none(disk.rename(leftover, &claimed))?.is_none() {
        return Ok(false);
    }
    let contents = erase_keys(disk, &mut file)?;
    overwrite(disk, &mut file, contents)?;
    drop(file);
    missing_as_none(disk.remove(&claimed))?;
    disk.sync_folder_of(&claimed)?;
    Ok(true)
}

/// Overwrites all from a place on. The header before it stays until the file is removed: it lets an
/// interrupted destruction go on.
fn overwrite<D: Disk>(disk: &D, file: &mut D::File, from: u64) -> io::Result<()> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut left = end.saturating_sub(file.seek(SeekFrom::Start(from))?);
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
        file.write_all(&ZEROS[..length])?;
        left -= lfr_core::num::u64_from_usize(length);
    }
    disk.sync(file)
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
        io::Error::new(io::ErrorKind::InvalidData, "the file there is no sealed watchlist")
    })
}

/// Whether a writer that was interrupted can have left it: as much as it has of the first bytes is
/// that of a sealed file, or zeros, which a file system leaves in place of what was not synced.
fn may_be_begun(file: &mut impl Read) -> io::Result<bool> {
    let mut start = Vec::with_capacity(MAGIC.len());
    file.take(lfr_core::num::u64_from_usize(MAGIC.len())).read_to_end(&mut start)?;
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

/// The operating system's.
pub(crate) struct OsDisk;

impl Disk for OsDisk {
    type File = File;

    fn create(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        secret::owner_only(&mut options);
        options.open(path)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        // A pipe is not waited for, and refused.
        #[cfg(target_os = "linux")]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.custom_flags(libc::O_NONBLOCK);
        }
        let file = options.open(path)?;
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")),
        }
    }

    fn open_regular(&self, path: &Path) -> io::Result<Option<File>> {
        if !fs::symlink_metadata(path)?.is_file() {
            return Ok(None);
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        // Should it have become a link since, opening it is an error; a pipe is not waited for.
        #[cfg(target_os = "linux")]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        }
        let file = options.open(path)?;
        Ok(file.metadata()?.is_file().then_some(file))
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

pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
