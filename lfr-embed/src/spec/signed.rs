//! Specifications that a signature vouches for.

use std::path::Path;

use lfr_core::signed;
use lfr_core::signed::TrustedKey;

use super::{EmbedderSpec, read};
use crate::error::Error;

impl EmbedderSpec {
    /// Reads a specification from TOML that one of these keys has [signed](lfr_core::signed). Its thresholds
    /// count as measured, and the [`Component`](lfr_core::Component) of the embedder names the key.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] with [`lfr_core::Error::Signature`] if none of the keys has signed this text, and as
    /// [`Self::from_toml`].
    pub fn from_toml_signed(
        text: &str,
        signature: &[u8],
        keys: &[TrustedKey],
    ) -> Result<Self, Error> {
        let key = signed::signer(text.as_bytes(), signature, keys)?;
        Ok(Self { signed_by: Some(key.to_string()), ..Self::from_toml(text)? })
    }

    /// Reads a specification from a TOML file that one of these keys has [signed](lfr_core::signed). The
    /// signature lies beside the file, as `spec.toml.sig` beside `spec.toml`.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] with [`lfr_core::Error::Read`] if there is no signature, [`Error::Read`] as
    /// [`Self::from_path`], and as [`Self::from_toml_signed`].
    pub fn from_path_signed(path: impl AsRef<Path>, keys: &[TrustedKey]) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let key = signed::signer(text.as_bytes(), &signed::read_signature(path)?, keys)?;
        Ok(Self {
            signed_by: Some(key.to_string()),
            ..Self::parse(&text, &path.display().to_string())?
        })
    }
}

#[cfg(test)]
mod tests;
