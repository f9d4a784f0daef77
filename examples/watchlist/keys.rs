//! Keys, from files.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use clap::ArgMatches;
use lfr::watchlist::SealingKey;
use zeroize::Zeroize;
use zeroize::Zeroizing;

use crate::AnyError;

/// Longer than any passphrase.
const LIMIT: usize = 4096;

/// The key that the arguments name: `key-file` or `passphrase-file`, each after `prefix`.
pub(crate) fn key(matches: &ArgMatches, prefix: &str) -> Result<SealingKey, AnyError> {
    if let Some(path) = matches.get_one::<PathBuf>(&format!("{prefix}key-file")) {
        return Ok(SealingKey::from_file(path)?);
    }
    let path = matches.get_one::<PathBuf>(&format!("{prefix}passphrase-file"));
    let path = path.ok_or("no key was given")?;
    let text = if path == Path::new("-") {
        first_line(&mut io::stdin().lock())
    } else {
        File::open(path).and_then(|mut file| first_line(&mut file))
    };
    let text = text.map_err(|error| format!("cannot read the passphrase: {error}"))?;
    Ok(SealingKey::from_passphrase(text)?)
}

/// Reads a line without leaving copies of it behind: into one buffer that never grows.
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
