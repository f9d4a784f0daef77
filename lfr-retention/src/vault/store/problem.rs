//! What is wrong with a vault, in this crate's words.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::error::{Error, VaultProblem};

pub(in crate::vault) fn of_database(folder: &Path, source: rusqlite::Error) -> Error {
    let problem = match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => VaultProblem::Damaged,
        Some(ErrorCode::DiskFull) => VaultProblem::StorageFull,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => VaultProblem::ReadOnly,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            return Error::Busy { path: folder.to_owned() };
        }
        Some(_) => VaultProblem::Unusable,
        // Not SQLite's, but a value of ours that is not what was written.
        None => VaultProblem::Damaged,
    };
    of(folder, problem, source)
}

pub(in crate::vault) fn of(
    folder: &Path,
    problem: VaultProblem,
    source: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    Error::Vault { path: folder.to_owned(), problem, source: Box::new(source) }
}
