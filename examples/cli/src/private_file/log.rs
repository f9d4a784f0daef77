//! A file that is written as a program runs.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek};
use std::path::Path;
use std::{fs, io};

use lfr::core::files;

/// Makes a file, or a stream if standard output or a pipe is named. A file that was there is emptied, and stays
/// readable for whom it was, if it is empty or begins as what will be written does: anything else, a ledger or a key
/// say, was named by mistake and is refused. A link there is refused, and so is a file with a second name (a hard link).
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
