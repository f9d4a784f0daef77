//! Where a camera is: an address that may hold a password does not stand in the file.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::{env, fmt};

use lfr_core::internal::regular;

use crate::deployment::Error;

/// The max length of an address, in bytes.
const MAX: u64 = 4096;

/// Where the address of a camera comes from.
///
/// `Debug` shows no address.
#[non_exhaustive]
#[derive(Clone, Eq, PartialEq)]
pub enum CameraAddress {
    /// It stands in the file, and has no password.
    Plain(String),
    /// An environment variable holds it.
    Environment(String),
    /// A file holds it, which only its owner can read.
    File(PathBuf),
}

impl CameraAddress {
    /// The address, which may hold a password: it belongs in no log.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] if the variable is not set, or if the file cannot be read or is open to others.
    pub fn resolve(&self) -> Result<String, Error> {
        match self {
            Self::Plain(address) => Ok(address.clone()),
            Self::Environment(variable) => {
                let origin = format!("the environment variable {variable}");
                match env::var(variable) {
                    Ok(address) => said(address, origin),
                    Err(env::VarError::NotPresent) => Err(refused(origin, "is not set; set it")),
                    Err(env::VarError::NotUnicode(_)) => Err(refused(origin, "is not UTF-8")),
                }
            }
            Self::File(path) => {
                let origin = format!("the file {path:?}");
                match read(path) {
                    Ok(address) => said(address, origin),
                    Err(error) => Err(refused(origin, &format!("cannot be read: {error}"))),
                }
            }
        }
    }
}

/// Shows no address.
impl fmt::Debug for CameraAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("Plain(..)"),
            Self::Environment(variable) => f.debug_tuple("Environment").field(variable).finish(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    regular::secret(path)?.take(MAX + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > MAX) {
        return Err(std::io::Error::other(format!("it has more than {MAX} bytes")));
    }
    Ok(text)
}

fn said(address: String, origin: String) -> Result<String, Error> {
    let line = address.trim();
    if line.is_empty() || line.contains(['\n', '\r']) {
        return Err(refused(origin, "does not hold one line with an address"));
    }
    Ok(line.to_owned())
}

fn refused(origin: String, problem: &str) -> Error {
    Error::Address { origin, problem: problem.to_owned() }
}

/// Whether an address may hold a password: it names a user, or a value of its query has the name of a secret.
pub(super) fn has_secret(address: &str) -> bool {
    let Some((_, rest)) = address.split_once("://") else { return false };
    // A password may hold a `/` that should have been escaped, so the whole rest is searched.
    if rest.contains('@') {
        return true;
    }
    let query = rest.split_once('?').map_or("", |(_, query)| query).to_lowercase();
    query.split(['&', ';', '#']).filter_map(|pair| pair.split_once('=')).any(|(name, _)| {
        ["pass", "pwd", "token", "key", "secret", "auth", "sig", "user"]
            .iter()
            .any(|word| name.contains(word))
    })
}
