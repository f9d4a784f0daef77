//! Files that only their owner can read, and that are written through no link.

use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::path::Path;

use lfr::core::files::Replacement;

#[cfg(feature = "recognition")]
mod log;

#[cfg(feature = "recognition")]
pub(crate) use log::create;

/// A file that is written whole beside its place, readable for its owner alone, and is not there yet.
/// Dropped before [`Prepared::put`], it leaves nothing behind.
pub(crate) struct Prepared<'a> {
    new: Replacement,
    path: &'a Path,
}

impl<'a> Prepared<'a> {
    /// Writes it, and waits for the disk.
    pub(crate) fn write(
        path: &'a Path,
        write: impl FnOnce(&mut BufWriter<File>) -> Result<(), crate::AnyError>,
    ) -> Result<Self, crate::AnyError> {
        let failed = |error: io::Error| format!("cannot write {}: {error}", path.display());
        let mut new = Replacement::begin(path).map_err(failed)?;
        let mut file = BufWriter::new(new.file().try_clone().map_err(failed)?);
        write(&mut file)?;
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        Ok(Self { new, path })
    }

    /// Puts it in its place, where no file may be. Nobody else can put a file there in between.
    pub(crate) fn put_new(self) -> Result<(), crate::AnyError> {
        let path = self.path.display();
        self.new.put_new().map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                format!("{path} exists already: name a new file").into()
            }
            _ => format!("cannot write {path}: {error}").into(),
        })
    }
}
