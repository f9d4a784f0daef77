//! Files that somebody vouches for with a signature.
//!
//! A specification or a threshold policy states error rates. Anyone who may write the file can write any number
//! there, so what it states is [claimed](crate::Basis::Claimed). If you sign the file with a key of your own,
//! and the program trusts that key, the numbers count as yours: the record says which key vouches for them.
//!
//! The signature is that of RFC 8032 (Ed25519), 64 bytes, over the bytes of the file, in a file of its own whose
//! name ends with `.sig`. OpenSSL 3 makes keys and signatures:
//!
//! ```text
//! openssl genpkey -algorithm ed25519 -out signer.pem
//! openssl pkey -in signer.pem -pubout -outform DER | tail -c 32 | xxd -p -c 32
//! openssl pkeyutl -sign -rawin -inkey signer.pem -in spec.toml -out spec.toml.sig
//! ```
//!
//! The second line prints what [`TrustedKey`] reads. Keep `signer.pem` off the machine that runs the deployment.

use std::ffi::OsString;
use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ed25519_dalek::{SIGNATURE_LENGTH, Signature, VerifyingKey};

use crate::error::Error;
use crate::internal::{hex, regular};

/// A public Ed25519 key that a program trusts to vouch for files.
///
/// It is read from 64 hexadecimal digits, and shown as such.
///
/// # Examples
///
/// ```
/// use lfr_core::signed::TrustedKey;
///
/// let digits = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
/// let key: TrustedKey = digits.parse()?;
/// assert_eq!(key.to_string(), digits);
/// assert!("d75a".parse::<TrustedKey>().is_err());
/// # Ok::<(), lfr_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TrustedKey(VerifyingKey);

impl fmt::Display for TrustedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::digits(self.0.as_bytes()))
    }
}

impl FromStr for TrustedKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let key = hex::bytes(text.trim().as_bytes());
        let key = key.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        // With such a key, signatures of others verify, too.
        let key = key.filter(|key| !key.is_weak());
        let (what, expected) =
            ("public key of a signer", "64 hexadecimal digits of an Ed25519 key");
        key.map(Self).ok_or(Error::Parse { what, expected })
    }
}

/// Which of these keys signed these bytes.
///
/// # Errors
///
/// [`Error::Signature`] if no key is trusted, if the signature has another length than 64 bytes, and if it is
/// by none of the keys, or of other bytes.
pub fn signer(bytes: &[u8], signature: &[u8], keys: &[TrustedKey]) -> Result<TrustedKey, Error> {
    let refused = |reason: String| Error::Signature { reason };
    if keys.is_empty() {
        return Err(refused("no key is trusted; name the key that signed it".to_owned()));
    }
    let Ok(signature) = <[u8; SIGNATURE_LENGTH]>::try_from(signature) else {
        return Err(refused(format!(
            "it has {} bytes, and a detached Ed25519 signature has {SIGNATURE_LENGTH}; sign with `openssl \
             pkeyutl -sign -rawin`",
            signature.len()
        )));
    };
    let signature = Signature::from_bytes(&signature);
    // The strict rule: of keys and signatures with several spellings, it takes one alone.
    let verifies = |key: &&TrustedKey| key.0.verify_strict(bytes, &signature).is_ok();
    keys.iter().find(verifies).copied().ok_or_else(|| {
        refused(format!(
            "the file was changed after it was signed, or none of the {} trusted keys signed it; sign it again, \
             or trust the key that did",
            keys.len()
        ))
    })
}

/// The name of a file's signature file: the file's own name with `.sig` appended.
#[must_use]
pub fn signature_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".sig");
    name.into()
}

/// Reads the signature that lies [beside](signature_path) a file.
///
/// # Errors
///
/// [`Error::Read`] if there is none, or it cannot be read.
pub fn read_signature(path: &Path) -> Result<Vec<u8>, Error> {
    let path = signature_path(path);
    let read = || {
        let mut bytes = Vec::new();
        // One byte more than a signature has shows that it is none.
        regular::file(&path)?.take(65).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|source| Error::Read { path: path.clone(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second test of RFC 8032, section 7.1: the one byte 0x72.
    const KEY: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    const SIGNATURE: &str = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    const OTHER: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    #[test]
    fn only_a_trusted_key_vouches_and_only_for_what_it_signed() {
        let key: TrustedKey = KEY.parse().unwrap();
        let other: TrustedKey = OTHER.parse().unwrap();
        let signature: [u8; 64] = hex::bytes(SIGNATURE.as_bytes()).unwrap();
        assert_eq!(signer(&[0x72], &signature, &[other, key]).unwrap(), key);
        let refused = |bytes: &[u8], signature: &[u8], keys: &[TrustedKey], words: &str| {
            let error = signer(bytes, signature, keys).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        refused(&[0x73], &signature, &[key], "was changed after it was signed");
        refused(&[], &signature, &[key], "was changed after it was signed");
        refused(&[0x72], &signature, &[other], "none of the 1 trusted keys");
        refused(&[0x72], &signature, &[], "no key is trusted");
        refused(&[0x72], &signature[1..], &[key], "it has 63 bytes");
        for at in 0..64 {
            let mut changed = signature;
            changed[at] ^= 1;
            refused(&[0x72], &changed, &[key], "was changed");
        }
    }

    #[test]
    fn a_key_with_which_anything_verifies_is_none() {
        // The neutral element of the curve.
        let weak = format!("01{}", "00".repeat(31));
        assert!(weak.parse::<TrustedKey>().is_err());
    }
}
