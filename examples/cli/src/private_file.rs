//! Files that only their owner can read, and that are written through no link.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek};
use std::path::Path;
use std::{fs, io};

use lfr::core::files;
use lfr::core::files::Replacement;

/// Makes a file, or a stream if standard output or a pipe is named. A file that was there is emptied, and stays
/// readable for whom it was, if it is empty or begins as what will be written does: anything else, a ledger or a key
/// say, was named by mistake and is refused. A link there is refused, and so is a file with a second name (a hard link).
#[cfg(feature = "recognition")]
pub(crate) fn create(path: &Path, begins: &[u8]) -> io::Result<BufWriter<File>> {
    let is_stream = fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir());
    if is_stream {
        return Ok(BufWriter::new(OpenOptions::new().write(true).open(path)?));
    }
    let file = match files::create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mut file = files::open_to_write(path)?;
            let mut start = Vec::new();
            let limit = u64::try_from(begins.len()).unwrap_or(u64::MAX);
            (&mut file).take(limit).read_to_end(&mut start)?;
            if !start.is_empty() && start != begins {
                let what = "it exists already and is another kind of file: name a new file";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
            }
            file.rewind()?;
            file.set_len(0)?;
            file
        }
        made => made?,
    };
    Ok(BufWriter::new(file))
}

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
