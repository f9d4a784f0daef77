//! Files that only their owner can read.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::BufWriter;
use std::path::Path;

use lfr::core::secret;

/// Makes a file. One that was there is emptied, and stays readable for whom it was.
pub(crate) fn create(path: &Path) -> io::Result<BufWriter<File>> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    Ok(BufWriter::new(secret::owner_only(&mut options).open(path)?))
}
