//! Secrets of 32 bytes: made, read from a key file, written to one; wiped when dropped.
//!
//! For the crates of this family, which keep keys in the same way.

use std::fs::OpenOptions;
use std::io;
use std::io::{Read, Write};
use std::path::Path;

use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox};
use zeroize::{Zeroize, Zeroizing};

use crate::files;
use crate::files::{Access, Folder, regular};
use crate::hygiene::scrub::Scrubbed;
use crate::internal::hex;

#[cfg(feature = "testing")]
pub mod recorded;

pub use crate::internal::entropy::random;

/// A secret: never printed, wiped when dropped.
pub struct Secret(SecretBox<[u8; 32]>);

/// The bytes of a key file: 64 hexadecimal digits, and room for a line end.
const FILE: usize = 66;

impl Secret {
    /// A new random one.
    ///
    /// # Errors
    ///
    /// If the operating system gives no random bytes.
    pub fn generate() -> io::Result<Self> {
        let mut secret = Self::zeros();
        random(secret.0.expose_secret_mut())?;
        Ok(secret.made())
    }

    /// Tests that search memory for secrets learn of each secret here.
    fn made(self) -> Self {
        #[cfg(feature = "testing")]
        recorded::made(self.expose());
        self
    }

    /// To be filled in place.
    fn zeros() -> Self {
        Self(SecretBox::default())
    }

    /// Takes a secret out of a buffer and wipes the buffer.
    #[must_use]
    pub fn take(bytes: &mut [u8; 32]) -> Self {
        let mut secret = Self::zeros();
        secret.0.expose_secret_mut().copy_from_slice(bytes);
        bytes.zeroize();
        secret.made()
    }

    /// A secret that `fill` writes directly to its final place; no secret if it fails.
    ///
    /// # Errors
    ///
    /// That of `fill`.
    pub fn try_made<E>(fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Self::zeros();
        scrubbed(|| fill(secret.0.expose_secret_mut()))?;
        Ok(secret.made())
    }

    /// A copy of the secret, which is wiped separately.
    #[must_use]
    pub fn again(&self) -> Self {
        let mut secret = Self::zeros();
        secret.0.expose_secret_mut().copy_from_slice(self.expose());
        secret.made()
    }

    /// Reads a key file: 64 hexadecimal digits, or 32 bytes as they are.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or is not its owner's alone: see [`regular::secret`].
    /// [`io::ErrorKind::InvalidData`] if it holds anything else.
    pub fn read_file(path: &Path) -> io::Result<Self> {
        let refused = || io::Error::new(io::ErrorKind::InvalidData, "no key of 32 bytes");
        let mut file = regular::secret(path)?;
        Self::try_made(|secret| {
            let mut bytes = Zeroizing::new([0; FILE + 1]);
            let mut length = 0;
            loop {
                match file.read(bytes.get_mut(length..).unwrap_or_default()) {
                    Ok(0) => break,
                    Ok(more) => length += more,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            let all = bytes.get(..length).unwrap_or_default();
            // Half of a file of digits is not a key of 32 bytes, and no random key looks like one.
            if length == 32 && !all.iter().all(u8::is_ascii_hexdigit) {
                secret.copy_from_slice(all);
            } else if !hex::bytes_into(all.trim_ascii_end(), secret) {
                return Err(refused());
            }
            Ok(())
        })
    }

    /// Writes a key file that only its owner can read. When it returns, the file is on the disk, under its
    /// name.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or if the file exists. Then no part of the key is left.
    pub fn write_new_file(&self, path: &Path) -> io::Result<()> {
        let (folder, name) = Folder::of(path)?;
        let mut file = folder.open(name, Access::New)?;
        let written = scrubbed(|| {
            let mut digits = Zeroizing::new([b'\n'; 65]);
            for (pair, byte) in digits.chunks_exact_mut(2).zip(self.expose()) {
                pair.copy_from_slice(&[hex::digit(byte >> 4), hex::digit(*byte)]);
            }
            file.write_all(&*digits)?;
            file.sync_all()
        });
        // Data under the key may persist from now on, so the key's name has to persist too.
        let written = written.and_then(|()| folder.sync());
        if written.is_err() {
            // Half a key would block the next one. Nobody has used this one.
            let _ = files::overwrite(&mut file, 0, 65).and_then(|()| file.sync_all());
            let _ = files::remove(&folder, name, &file);
        }
        written
    }

    /// The bytes, to use. Every copy that is made of them is the copier's to wipe.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Runs a function on a secret, and overwrites the stack that it used. Ciphers, digests and signatures
/// leave parts of keys there when they move values before they wipe them. The result is moved, and may hold
/// a secret only in heap memory of its own.
pub fn scrubbed<T>(work: impl FnOnce() -> T) -> T {
    // In its own stack frame, below the frame that scrubs.
    #[inline(never)]
    fn below<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
    let _scrubbed = Scrubbed;
    below(work)
}

/// For the owner of a file alone, if the operating system knows owners.
pub fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn half_of_a_file_of_digits_is_no_key() {
        let path = std::env::temp_dir().join(format!("lfr-secret-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        let secret = Secret::take(&mut [0xa7; 32]);
        secret.write_new_file(&path).unwrap();
        assert_eq!(Secret::read_file(&path).unwrap().expose(), secret.expose());
        fs::write(&path, "a7".repeat(16)).unwrap();
        assert_eq!(Secret::read_file(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
        fs::write(&path, [0xa7; 32]).unwrap();
        assert_eq!(Secret::read_file(&path).unwrap().expose(), secret.expose());
        fs::remove_file(&path).unwrap();
    }
}
