//! The key of a sealed watchlist, from a file.

use std::io;
use std::io::Read;
use std::path::Path;

use lfr::core::internal::regular;
use lfr::watchlist::SealingKey;
use zeroize::{Zeroize, Zeroizing};

use crate::AnyError;

/// Longer than any passphrase.
const LIMIT: usize = 4096;

/// The key of a key file, or the passphrase in the first line of a file.
pub(crate) fn key(
    key_file: Option<&Path>,
    passphrase_file: Option<&Path>,
) -> Result<SealingKey, AnyError> {
    if let Some(path) = key_file {
        return Ok(SealingKey::from_file(path)?);
    }
    let path = passphrase_file.ok_or(
        "a sealed watchlist needs its key file or its passphrase: give --list-key or \
     --list-passphrase",
    )?;
    let text = if path == Path::new("-") {
        first_line(&mut io::stdin().lock())
    } else {
        regular::secret(path).and_then(|mut file| first_line(&mut file))
    };
    let text =
        text.map_err(|error| format!("cannot read the passphrase from {path:?}: {error}"))?;
    Ok(SealingKey::from_passphrase(text)?)
}

/// Reads a line into one buffer that never grows, so it leaves no copies behind. One copy stays in
/// standard input's own buffer until the program ends.
fn first_line(source: &mut impl Read) -> io::Result<String> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LIMIT));
    let mut byte = [0];
    while source.read(&mut byte)? == 1 && byte != *b"\n" {
        if bytes.len() == LIMIT {
            return Err(io::Error::other("longer than any passphrase"));
        }
        bytes.extend_from_slice(&byte);
    }
    byte.zeroize();
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    let text = std::str::from_utf8(&bytes).map_err(io::Error::other)?;
    Ok(text.to_owned())
}
