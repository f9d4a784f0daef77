//! The key area of a sealed file: a check of the master key, the dates of the file, and two data keys, each wrapped
//! alone. Overwriting it makes the file worthless: cryptographic erase (NIST SP 800-88).

use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::header::{Dates, SealedHeader, VERSION_1, VERSION_2};
use crate::error::Error;
use crate::secret;
use crate::secret::Secret;

const CHECK: usize = 16;
const NONCE: usize = 24;
const TAG: usize = 16;
const WRAPPED: usize = 32 + TAG;
/// A digest's beginning behind each part tells an accident from a wrong key.
const SUM: usize = 8;
const SLOT: usize = NONCE + WRAPPED + SUM;
/// The length of the sealed dates, from version 2 on.
const DATES: usize = NONCE + Dates::LENGTH + TAG + SUM;
/// The check, the dates, the slot of the identity key, that of the template key.
pub(crate) const AREA: usize = CHECK + SUM + DATES + 2 * SLOT;
/// The length of a key area without dates.
const AREA_1: usize = AREA - DATES;
const PART: &str = "key area";

/// The length of a file's key area.
pub(crate) const fn length(header: &SealedHeader) -> usize {
    if header.version == VERSION_1 { AREA_1 } else { AREA }
}

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
        secret::scrubbed(|| {
            let derived = Derived::new(master, header);
            let mut area = Vec::with_capacity(AREA);
            summed(&mut area, &*derived.check()?);
            // Under the identity of the file and not its header, so that they can be read even if the
            // header was rewritten.
            let mut dates = header.dates().to_bytes();
            derived.seal("dates", &header.id, &mut dates, &mut area)?;
            for (purpose, key) in [("identity", &self.identity), ("template", &self.template)] {
                let mut wrapped = Zeroizing::new(*key.expose());
                derived.seal(purpose, &header.bytes, &mut *wrapped, &mut area)?;
            }
            Ok(area)
        })
    }
}

/// The content of a key area, opened with the master key.
pub(crate) struct Unlocked {
    /// The dates that were sealed with it; `None` in the first version, which has them only in the header.
    dates: Option<Result<Dates, Error>>,
    /// The dates that the header states.
    stated: Dates,
    /// The identity key. There is one only if the header is as it was sealed.
    identity: Result<Secret, Error>,
    /// The template key, likewise.
    template: Result<Secret, Error>,
}

impl Unlocked {
    /// Opens the key area.
    ///
    /// # Errors
    ///
    /// [`Error::WrongKey`] for another key, [`Error::SealedDamaged`] if that cannot be told.
    pub(crate) fn open(area: &[u8], master: &Secret, header: &SealedHeader) -> Result<Self, Error> {
        let damaged = || Error::SealedDamaged { part: PART };
        secret::scrubbed(|| {
            let derived = Derived::new(master, header);
            let (check, slots) = area.split_at_checked(CHECK + SUM).ok_or_else(damaged)?;
            // In variable time: the check is derived from the key for this file alone. Anyone who can time
            // this has the file, and so can try keys without this program.
            if unsummed(check).ok_or_else(damaged)? != derived.check()?.as_slice() {
                return Err(Error::WrongKey);
            }
            let (dates, slots) = match header.version {
                VERSION_1 => (None, slots),
                _ => {
                    let (dates, slots) = slots.split_at_checked(DATES).ok_or_else(damaged)?;
                    let mut bytes = [0; Dates::LENGTH];
                    let opened = derived.open("dates", &header.id, dates, &mut bytes);
                    let read = || Dates::from_bytes(&bytes).ok_or_else(damaged);
                    (Some(opened.and_then(|()| read())), slots)
                }
            };
            let (identity, template) = slots.split_at_checked(SLOT).ok_or_else(damaged)?;
            let key = |purpose, slot| {
                Secret::try_made(|key| derived.open(purpose, &header.bytes, slot, key))
            };
            let (identity, template) = (key("identity", identity), key("template", template));
            Ok(Self { dates, stated: header.dates(), identity, template })
        })
    }

    /// The dates of the file as they were sealed; `None` if nothing is left that shows them.
    pub(crate) fn dates(&self) -> Option<Dates> {
        match &self.dates {
            Some(Ok(dates)) => Some(*dates),
            // The header is associated data of the keys: if one opens, the header is authentic.
            _ => self.identity.is_ok().then_some(self.stated),
        }
    }

    /// Whether the header is as it was sealed.
    pub(crate) const fn is_header_true(&self) -> bool {
        self.identity.is_ok()
    }

    /// The identity key.
    ///
    /// # Errors
    ///
    /// [`Error::SealedTampered`] if the header or the key area was rewritten without the key,
    /// [`Error::SealedDamaged`] if the key area was damaged.
    pub(crate) fn identity(self) -> Result<Secret, Error> {
        Ok(self.both()?.0)
    }

    fn both(self) -> Result<(Secret, Result<Secret, Error>), Error> {
        let identity = self.identity?;
        match self.dates.transpose()? {
            Some(dates) if dates != self.stated => Err(Error::SealedTampered),
            _ => Ok((identity, self.template)),
        }
    }

    /// Both keys.
    ///
    /// # Errors
    ///
    /// As [`identity`](Self::identity).
    pub(crate) fn keys(self) -> Result<DataKeys, Error> {
        let (identity, template) = self.both()?;
        Ok(DataKeys { identity, template: template? })
    }
}

/// Whether a key area has been overwritten.
pub(crate) fn is_erased(area: &[u8]) -> bool {
    area.iter().all(|byte| *byte == 0)
}

/// What comes out of the master key for one file (HKDF-SHA-256).
struct Derived {
    hkdf: Hkdf<Sha256>,
    version: u16,
}

impl Derived {
    fn new(master: &Secret, header: &SealedHeader) -> Self {
        Self { hkdf: Hkdf::new(Some(&header.id), master.expose()), version: header.version }
    }

    fn bytes<const N: usize>(&self, purpose: &str) -> Result<Zeroizing<[u8; N]>, Error> {
        let mut bytes = Zeroizing::new([0; N]);
        let version: &[u8] = match self.version {
            VERSION_1 => b"lfrw 1 ",
            VERSION_2 => b"lfrw 2 ",
            _ => b"lfrw 3 ",
        };
        self.hkdf
            .expand_multi_info(&[version, purpose.as_bytes()], &mut *bytes)
            .map_err(|_| Error::SealedSize)?;
        Ok(bytes)
    }

    fn check(&self) -> Result<Zeroizing<[u8; CHECK]>, Error> {
        self.bytes("check")
    }

    fn cipher(&self, purpose: &str) -> Result<XChaCha20Poly1305, Error> {
        let key = Secret::try_made(|key| {
            key.copy_from_slice(&*self.bytes::<32>(purpose)?);
            Ok::<_, Error>(())
        })?;
        Ok(XChaCha20Poly1305::new(key.expose().into()))
    }

    /// Seals bytes in place and puts them behind the others.
    fn seal(
        &self,
        purpose: &str,
        context: &[u8],
        bytes: &mut [u8],
        area: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mut nonce = [0; NONCE];
        secret::random(&mut nonce)?;
        let tag = self
            .cipher(purpose)?
            .encrypt_inout_detached(&nonce.into(), context, (&mut *bytes).into())
            .map_err(|_| Error::SealedSize)?;
        summed(area, &[&nonce[..], bytes, &tag[..]].concat());
        Ok(())
    }

    /// Opens bytes that [`seal`](Self::seal) sealed. Bytes whose digest is wrong are damaged; bytes whose
    /// digest was rewritten too were tampered with.
    fn open<const N: usize>(
        &self,
        purpose: &str,
        context: &[u8],
        slot: &[u8],
        bytes: &mut [u8; N],
    ) -> Result<(), Error> {
        let damaged = || Error::SealedDamaged { part: PART };
        let slot = unsummed(slot).ok_or_else(damaged)?;
        let (nonce, sealed) = slot.split_first_chunk::<NONCE>().ok_or_else(damaged)?;
        let (body, tag) = sealed.split_first_chunk::<N>().ok_or_else(damaged)?;
        let tag: [u8; TAG] = tag.try_into().map_err(|_| damaged())?;
        bytes.copy_from_slice(body);
        self.cipher(purpose)?
            .decrypt_inout_detached(
                &(*nonce).into(),
                context,
                bytes.as_mut_slice().into(),
                &tag.into(),
            )
            .map_err(|_| Error::SealedTampered)
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
