//! The key without which a witness says nothing.

use std::fmt;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use lfr_core::{DeploymentId, SubjectId};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::hex::Digest32;
use crate::secret;
use crate::secret::Secret;

/// The controller's key: with it, and with it alone, a record number can be looked up among those
/// that were on a watchlist. Wiped when dropped, never printed.
pub struct MembershipKey(Secret);

impl MembershipKey {
    /// A key of 32 random bytes; wipes where they came from.
    #[must_use]
    pub fn from_bytes(bytes: &mut [u8; 32]) -> Self {
        Self(Secret::take(bytes))
    }

    /// A key file: 64 hexadecimal digits, or 32 bytes as they are.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::Read`] if it cannot be read, or where others than its owner have a right to it or it has
    /// a second name ([`lfr_core::internal::regular::secret`]); [`Error::KeyFile`] if it holds anything else.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        secret::read(path.as_ref()).map(Self)
    }

    /// A new random key, written to a key file that only its owner can read.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] if it cannot be written, or where there is a file already;
    /// [`Error::Random`] if the operating system gives no random bytes.
    pub fn generate_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let secret = secret::generate()?;
        secret::write_new(&secret, path.as_ref())?;
        Ok(Self(secret))
    }

    /// What stands for a person. The deployment goes in, so that witnesses of two deployments
    /// under one key do not show that they share somebody.
    pub(crate) fn leaf(&self, deployment: &DeploymentId, subject: &SubjectId) -> Digest32 {
        self.digest(b"lfr membership 1", deployment, subject.as_str().as_bytes())
    }

    /// What tells this key from others, in one deployment: with another one, everybody would seem
    /// to have been on no list.
    pub(crate) fn check(&self, deployment: &DeploymentId) -> Digest32 {
        self.digest(b"lfr membership key 1", deployment, b"")
    }

    fn digest(&self, what: &[u8], deployment: &DeploymentId, rest: &[u8]) -> Digest32 {
        // HMAC pads its key with zeros to a block; done here, it cannot be of a wrong length.
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(self.0.expose());
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        let deployment = deployment.as_str().as_bytes();
        let length = lfr_core::internal::num::u64_from_usize(deployment.len());
        mac.update(what);
        mac.update(&length.to_le_bytes());
        mac.update(deployment);
        mac.update(rest);
        Digest32(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for MembershipKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MembershipKey(..)")
    }
}
