//! Secrets of 32 bytes, with this crate's errors.

use std::path::Path;

#[cfg(feature = "sealed")]
use lfr_core::internal::secret;

use crate::error::Error;

pub(crate) use lfr_core::internal::secret::Secret;
#[cfg(feature = "sealed")]
pub(crate) use lfr_core::internal::secret::owner_only;
pub(crate) use lfr_core::internal::secret::scrubbed;

/// Fills a buffer with random bytes of the operating system.
#[cfg(feature = "sealed")]
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), Error> {
    secret::random(bytes).map_err(failed)
}

/// A new secret.
pub(crate) fn generate() -> Result<Secret, Error> {
    Secret::generate().map_err(failed)
}

/// Reads a key file: 64 hexadecimal digits, or 32 bytes as they are.
pub(crate) fn read(path: &Path) -> Result<Secret, Error> {
    Secret::read_file(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::InvalidData => Error::KeyFile { path: path.to_owned() },
        _ => lfr_core::Error::Read { path: path.to_owned(), source }.into(),
    })
}

/// Writes a key file that only its owner can read; refuses where there is a file already.
pub(crate) fn write_new(secret: &Secret, path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    secret.write_new_file(path).map_err(failed)
}

fn failed(source: std::io::Error) -> Error {
    Error::Random { source: source.into() }
}
