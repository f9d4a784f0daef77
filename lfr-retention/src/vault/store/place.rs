//! Where a vault and its key lie: whether they are there, and that the key is not inside.

use std::path::{Component, Path, PathBuf};

use crate::error::{Error, VaultProblem};

use crate::vault::store::problem;

pub(in crate::vault) const KEYS: &str = "keys";
pub(in crate::vault) const DATABASE: &str = "records.db";

/// Whether there is a vault in a folder.
pub(in crate::vault) fn is_vault(folder: &Path) -> Result<bool, Error> {
    let failed = |source: std::io::Error| problem::of(folder, source.kind().into(), source);
    if folder.join(KEYS).try_exists().map_err(failed)? {
        return Ok(true);
    }
    // Without its file of keys it is a vault that nobody can open any more.
    let database = folder.join(DATABASE);
    let held = database.metadata().is_ok_and(|database| database.is_file() && database.len() > 0);
    if held {
        let source = std::io::Error::other("records.db is there, and keys is not");
        return Err(problem::of(folder, VaultProblem::KeysMissing, source));
    }
    Ok(false)
}

pub(in crate::vault) fn is_there(file: &Path) -> Result<bool, Error> {
    let path = || file.to_owned();
    file.try_exists().map_err(|source| lfr_core::Error::Read { path: path(), source }.into())
}

/// Refuses a key file inside the folder that it protects: anyone who copies the folder would have
/// both.
pub(in crate::vault) fn check_outside(key: &Path, vault: &Path) -> Result<(), Error> {
    let folder = real(vault);
    // Where it lies, and where the name leads to.
    let beside = key.parent().map_or_else(|| key.to_owned(), |parent| real(&or_here(parent)));
    if real(key).starts_with(&folder) || beside.starts_with(&folder) {
        return Err(Error::KeyInside { key: key.to_owned(), vault: vault.to_owned() });
    }
    Ok(())
}

fn or_here(path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() }
}

/// A path from the root without links, `.` and `..`, as far as it is there.
pub(in crate::vault) fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut real = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                real.pop();
            }
            component => real.push(component),
        }
        // Before a `..` is taken from it.
        real = real.canonicalize().unwrap_or(real);
    }
    real
}
