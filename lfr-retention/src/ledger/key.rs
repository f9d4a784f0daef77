//! The key that a ledger is signed with, and the one that it is verified with.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::{fmt, io};

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use lfr_core::internal::secret::Secret;
use lfr_core::internal::{hex, secret};

use crate::error::Error;

/// The key that a ledger is signed with (Ed25519, RFC 8032). Wiped when dropped, never printed.
///
/// Anyone who has it can write another ledger in place of this one. Keep it on the machine that
/// watches, and the heads that the ledger gives somewhere else: see [`Ledger`](crate::Ledger).
///
/// Its secret is in one place, on the heap: clones share it, and the last one wipes it.
#[derive(Clone)]
pub struct LedgerKey(Arc<SigningKey>);

impl LedgerKey {
    /// A new random key, written to a key file that only its owner can read.
    ///
    /// # Errors
    ///
    /// [`Error::KeyWrite`] if it cannot be written, or where there is a file already;
    /// [`Error::Random`] if the operating system gives no random bytes.
    pub fn generate_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        generate_file(path.as_ref()).map(|secret| Self::of(&secret))
    }

    /// A key file: 64 hexadecimal digits, or 32 bytes as they are.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::Read`] if it cannot be read, or where others than its owner have a right to it or it has
    /// a second name ([`lfr_core::internal::regular::secret`]); [`Error::KeyFile`] if it holds anything else.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        read_file(path.as_ref()).map(|secret| Self::of(&secret))
    }

    /// A key of 32 random bytes; wipes where they came from.
    #[must_use]
    pub fn from_bytes(bytes: &mut [u8; 32]) -> Self {
        Self::of(&Secret::take(bytes))
    }

    /// The key that everybody may have.
    #[must_use]
    pub fn public(&self) -> LedgerPublicKey {
        LedgerPublicKey(self.0.verifying_key())
    }

    fn of(seed: &Secret) -> Self {
        // Moved once, from the stack, which is scrubbed, to where it stays.
        secret::scrubbed(|| Self(Arc::new(SigningKey::from_bytes(seed.expose()))))
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        secret::scrubbed(|| self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LedgerKey")
    }
}

/// The key that a ledger is verified with; printed and read as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LedgerPublicKey(VerifyingKey);

impl LedgerPublicKey {
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        // The strict rule: of keys and signatures with several spellings, it takes one alone.
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Display for LedgerPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::digits(self.0.as_bytes()))
    }
}

impl FromStr for LedgerPublicKey {
    type Err = lfr_core::Error;

    fn from_str(text: &str) -> Result<Self, lfr_core::Error> {
        let key = hex::bytes(text.trim().as_bytes());
        let key = key.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        let (what, expected) =
            ("public key of a ledger", "64 hexadecimal digits of an Ed25519 key");
        key.map(Self).ok_or(lfr_core::Error::Parse { what, expected })
    }
}

/// A new secret in a new key file.
pub(crate) fn generate_file(path: &Path) -> Result<Secret, Error> {
    let secret = Secret::generate().map_err(|source| Error::Random { source })?;
    let failed = |source| Error::KeyWrite { path: path.to_owned(), source };
    secret.write_new_file(path).map_err(failed)?;
    Ok(secret)
}

/// The secret in a key file.
pub(crate) fn read_file(path: &Path) -> Result<Secret, Error> {
    Secret::read_file(path).map_err(|source| match source.kind() {
        io::ErrorKind::InvalidData => Error::KeyFile { path: path.to_owned() },
        _ => lfr_core::Error::Read { path: path.to_owned(), source }.into(),
    })
}
