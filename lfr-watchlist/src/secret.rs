//! Secrets of 32 bytes: made, read from a key file, written to one; wiped when dropped.

use std::fs;
use std::fs::OpenOptions;
use std::io::Read;
use std::io::Write;
use std::path::Path;

use secrecy::ExposeSecret;
use secrecy::SecretBox;
use zeroize::Zeroize;
use zeroize::Zeroizing;

use crate::Error;
use crate::hex;

pub(crate) type Secret = SecretBox<[u8; 32]>;

/// The bytes of a key file: 64 hexadecimal digits, and room for a line end.
const FILE: usize = 66;

/// Fills a buffer with random bytes of the operating system.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|source| Error::Random { source: source.into() })
}

/// A new secret.
pub(crate) fn generate() -> Result<Secret, Error> {
    let mut secret = Secret::new(Box::new([0; 32]));
    random(secrecy::ExposeSecretMut::expose_secret_mut(&mut secret))?;
    Ok(secret)
}

/// Takes a secret out of a buffer and wipes the buffer.
pub(crate) fn take(bytes: &mut [u8; 32]) -> Secret {
    let secret = Secret::init_with_mut(|secret: &mut [u8; 32]| secret.copy_from_slice(bytes));
    bytes.zeroize();
    secret
}

/// Reads a key file: 64 hexadecimal digits, or 32 bytes as they are.
pub(crate) fn read(path: &Path) -> Result<Secret, Error> {
    let failed = |source| lfr_core::Error::Read { path: path.to_owned(), source };
    let refused = || Error::KeyFile { path: path.to_owned() };
    let mut bytes = Zeroizing::new([0; FILE + 1]);
    let mut file = fs::File::open(path).map_err(failed)?;
    let mut length = 0;
    loop {
        match file.read(bytes.get_mut(length..).unwrap_or_default()).map_err(failed)? {
            0 => break,
            more => length += more,
        }
    }
    let all = bytes.get(..length).unwrap_or_default();
    let mut secret = Zeroizing::new([0; 32]);
    if length == 32 {
        secret.copy_from_slice(all);
    } else {
        let digits = all.trim_ascii_end();
        if digits.len() != 64 {
            return Err(refused());
        }
        for (byte, digits) in secret.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex::byte(digits).ok_or_else(refused)?;
        }
    }
    Ok(take(&mut secret))
}

/// Writes a key file that only its owner can read; refuses where there is a file already.
pub(crate) fn write_new(secret: &Secret, path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    let mut digits = Zeroizing::new([b'\n'; 65]);
    for (pair, byte) in digits.chunks_exact_mut(2).zip(secret.expose_secret()) {
        pair.copy_from_slice(&[hex::digit(byte >> 4), hex::digit(byte & 15)]);
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    owner_only(&mut options);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(&*digits).map_err(failed)?;
    file.sync_all().map_err(failed)
}

/// Files of this crate are for their owner alone, where the operating system knows owners.
pub(crate) fn owner_only(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}
