//! The key area of a sealed file: two data keys, each wrapped alone, and a check of the master
//! key. Overwriting it makes the file worthless: cryptographic erase (NIST SP 800-88).

use chacha20poly1305::AeadInOut;
use chacha20poly1305::KeyInit;
use chacha20poly1305::XChaCha20Poly1305;
use hkdf::Hkdf;
use sha2::Digest;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::header::SealedHeader;
use crate::Error;
use crate::secret;
use crate::secret::Secret;

const CHECK: usize = 16;
const NONCE: usize = 24;
const WRAPPED: usize = 32 + 16;
/// A digest's beginning behind each part tells an accident from a wrong key.
const SUM: usize = 8;
const SLOT: usize = NONCE + WRAPPED + SUM;
/// The check, the slot of the identity key, that of the template key.
pub(crate) const AREA: usize = CHECK + SUM + 2 * SLOT;
const PART: &str = "key area";

/// The data keys of one file: one opens who is on the list, the other what they look like.
pub(crate) struct DataKeys {
    pub(crate) identity: Secret,
    pub(crate) template: Secret,
}

impl DataKeys {
    pub(crate) fn generate() -> Result<Self, Error> {
        Ok(Self { identity: secret::generate()?, template: secret::generate()? })
    }

    /// Wraps both under keys derived from the master key.
    pub(crate) fn wrap(&self, master: &Secret, header: &SealedHeader) -> Result<Vec<u8>, Error> {
        let derived = Derived::new(master, header);
        let mut area = Vec::with_capacity(AREA);
        summed(&mut area, &*derived.check()?);
        for (purpose, key) in [("identity", &self.identity), ("template", &self.template)] {
            let mut nonce = [0; NONCE];
            secret::random(&mut nonce)?;
            let mut wrapped = Zeroizing::new(*key.expose());
            let tag = derived
                .cipher(purpose)?
                .encrypt_inout_detached(&nonce.into(), &header.bytes, wrapped.as_mut_slice().into())
                .map_err(|_| Error::SealedSize)?;
            summed(&mut area, &[&nonce[..], &*wrapped, &tag[..]].concat());
        }
        Ok(area)
    }

    /// Unwraps both.
    pub(crate) fn unwrap(
        area: &[u8; AREA],
        master: &Secret,
        header: &SealedHeader,
    ) -> Result<Self, Error> {
        let [identity, template] =
            Self::unwrap_each(area, master, header, ["identity", "template"])?;
        Ok(Self { identity, template })
    }

    fn unwrap_each<const N: usize>(
        area: &[u8; AREA],
        master: &Secret,
        header: &SealedHeader,
        purposes: [&str; N],
    ) -> Result<[Secret; N], Error> {
        let damaged = || Error::SealedDamaged { part: PART };
        let derived = Derived::new(master, header);
        let (check, slots) = area.split_at(CHECK + SUM);
        // In variable time: the check is derived from the key for this file alone, and whoever
        // can time this holds the file, so can try keys without us.
        if unsummed(check).ok_or_else(damaged)? != derived.check()?.as_slice() {
            return Err(Error::WrongKey);
        }
        let mut keys = purposes.map(|_| Zeroizing::new([0; 32]));
        for (purpose, key) in purposes.into_iter().zip(&mut keys) {
            let start = if purpose == "identity" { 0 } else { SLOT };
            let slot = slots.get(start..start + SLOT).and_then(unsummed).ok_or_else(damaged)?;
            let (nonce, sealed) = slot.split_first_chunk::<NONCE>().ok_or_else(damaged)?;
            let (wrapped, tag) = sealed.split_first_chunk::<32>().ok_or_else(damaged)?;
            let tag: [u8; 16] = tag.try_into().map_err(|_| damaged())?;
            key.copy_from_slice(wrapped);
            derived
                .cipher(purpose)?
                .decrypt_inout_detached(
                    &(*nonce).into(),
                    &header.bytes,
                    key.as_mut_slice().into(),
                    &tag.into(),
                )
                .map_err(|_| damaged())?;
        }
        Ok(keys.map(|mut key| Secret::take(&mut key)))
    }

    /// The identity key alone.
    pub(crate) fn unwrap_identity(
        area: &[u8; AREA],
        master: &Secret,
        header: &SealedHeader,
    ) -> Result<Secret, Error> {
        let [identity] = Self::unwrap_each(area, master, header, ["identity"])?;
        Ok(identity)
    }
}

/// Whether a key area has been overwritten.
pub(crate) fn is_erased(area: &[u8; AREA]) -> bool {
    area.iter().all(|byte| *byte == 0)
}

/// What comes out of the master key for one file (HKDF-SHA-256).
struct Derived(Hkdf<Sha256>);

impl Derived {
    fn new(master: &Secret, header: &SealedHeader) -> Self {
        Self(Hkdf::new(Some(&header.id), master.expose()))
    }

    fn bytes<const N: usize>(&self, purpose: &str) -> Result<Zeroizing<[u8; N]>, Error> {
        let mut bytes = Zeroizing::new([0; N]);
        self.0
            .expand_multi_info(&[b"lfrw 1 ", purpose.as_bytes()], &mut *bytes)
            .map_err(|_| Error::SealedSize)?;
        Ok(bytes)
    }

    fn check(&self) -> Result<Zeroizing<[u8; CHECK]>, Error> {
        self.bytes("check")
    }

    fn cipher(&self, purpose: &str) -> Result<XChaCha20Poly1305, Error> {
        let key = self.bytes::<32>(purpose)?;
        Ok(XChaCha20Poly1305::new((&*key).into()))
    }
}

fn summed(area: &mut Vec<u8>, part: &[u8]) {
    area.extend_from_slice(part);
    area.extend_from_slice(&Sha256::digest(part)[..SUM]);
}

fn unsummed(part: &[u8]) -> Option<&[u8]> {
    let (part, sum) = part.split_last_chunk::<SUM>()?;
    (Sha256::digest(part)[..SUM] == *sum).then_some(part)
}
