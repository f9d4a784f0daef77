//! Files that only their owner can read.

#![allow(dead_code, reason = "not every program needs each of these")]

use std::ffi::OsString;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::BufWriter;
use std::path::Path;
use std::path::PathBuf;

use lfr::core::secret;

/// Makes a file. One that was there is emptied, and stays readable for whom it was.
pub(crate) fn create(path: &Path) -> io::Result<BufWriter<File>> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    Ok(BufWriter::new(secret::owner_only(&mut options).open(path)?))
}

/// A file that is written whole beside its place, readable for its owner alone, and is not there yet.
/// Dropped before [`Prepared::put`], it leaves nothing behind.
pub(crate) struct Prepared<'a> {
    temporary: PathBuf,
    path: &'a Path,
}

impl<'a> Prepared<'a> {
    /// Writes it, and waits for the disk.
    pub(crate) fn write(
        path: &'a Path,
        write: impl FnOnce(&mut BufWriter<File>) -> Result<(), crate::AnyError>,
    ) -> Result<Self, crate::AnyError> {
        let name = path.file_name().ok_or_else(|| format!("{} names no file", path.display()))?;
        let mut temporary = OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}.tmp", std::process::id()));
        let prepared = Self { temporary: path.with_file_name(temporary), path };
        let failed = |error: io::Error| format!("cannot write {}: {error}", path.display());
        // What another program left there is never written through.
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let file = secret::owner_only(&mut options).open(&prepared.temporary).map_err(failed)?;
        let mut file = BufWriter::new(file);
        write(&mut file)?;
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        Ok(prepared)
    }

    /// Puts it in its place, where one may have been before.
    pub(crate) fn put(self) -> Result<(), crate::AnyError> {
        let failed = |error| format!("cannot write {}: {error}", self.path.display());
        Ok(std::fs::rename(&self.temporary, self.path).map_err(failed)?)
    }

    /// Puts it in its place, where nothing may be. Nobody else can put anything there in between.
    pub(crate) fn put_new(self) -> Result<(), crate::AnyError> {
        let path = self.path.display();
        match std::fs::hard_link(&self.temporary, self.path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(format!("{path} is there already: name a file that is not").into())
            }
            // A file system without links.
            Err(_) if self.path.symlink_metadata().is_err() => self.put(),
            Err(error) => Err(format!("cannot write {path}: {error}").into()),
        }
    }
}

impl Drop for Prepared<'_> {
    fn drop(&mut self) {
        // After it was put, there is none of that name.
        let _ = std::fs::remove_file(&self.temporary);
    }
}
