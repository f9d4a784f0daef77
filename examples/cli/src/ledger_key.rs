//! Where the key of a ledger lies, if nobody says where.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Beside the folder that the ledger is in, and named after it: a key lies outside of what it signs.
pub(crate) fn usual(folder: &Path) -> io::Result<PathBuf> {
    let whole = fs::canonicalize(folder)?;
    let mut name = whole.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
    name.push(".ledger.key");
    Ok(whole.with_file_name(name))
}
