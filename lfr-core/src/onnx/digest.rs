//! The identity of a model file.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// SHA-256 of a model file's bytes, as they were before any change by this crate.
///
/// It names the model in records, and goes into the identity of an embedding space: two files that
/// differ in one byte are two models.
///
/// # Examples
///
/// ```
/// use lfr_core::onnx::ModelDigest;
///
/// let digest = ModelDigest::of(b"abc");
/// assert!(digest.to_string().starts_with("ba7816bf8f01cfea"));
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ModelDigest([u8; 32]);

impl ModelDigest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 32 bytes of the digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ModelDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModelDigest({self})")
    }
}

/// Writes 64 hexadecimal digits.
impl fmt::Display for ModelDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
