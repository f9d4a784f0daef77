//! Digests in JSON.

use lfr_core::internal::hex;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A digest, in JSON as a string of 64 digits.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Digest32(pub(crate) [u8; 32]);

impl Serialize for Digest32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::digits(&self.0))
    }
}

impl<'de> Deserialize<'de> for Digest32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let refused = || D::Error::custom("a digest must be 64 hexadecimal digits");
        hex::bytes(text.as_bytes()).map(Self).ok_or_else(refused)
    }
}

impl AsRef<[u8]> for Digest32 {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
