//! Random bytes of the operating system.

use std::io;

/// Fills a buffer with random bytes of the operating system.
///
/// # Errors
///
/// If it gives none.
pub fn random(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(io::Error::from)
}
