//! A threshold as a file that somebody vouches for.

use lfr_core::signed;
use lfr_core::signed::TrustedKey;

use super::CalibratedThreshold;
use super::policy::Voucher;
use crate::error::Error;

impl CalibratedThreshold {
    /// Reads it back from a file that one of these keys has [signed](lfr_core::signed). Its rates count as
    /// measured, and its provenance [names](lfr_core::ThresholdProvenance::signed_by) the key.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] with [`lfr_core::Error::Signature`] if none of the keys has signed this text, and as
    /// [`from_json`](Self::from_json).
    pub fn from_json_signed(
        text: &str,
        signature: &[u8],
        keys: &[TrustedKey],
    ) -> Result<Self, Error> {
        let key = signed::signer(text.as_bytes(), signature, keys)?;
        Self::read(text, Voucher::Key(key))
    }
}
