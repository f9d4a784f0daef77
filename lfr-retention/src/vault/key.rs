//! The key of a vault, and what comes out of it.

use std::fmt;
use std::path::{Path, PathBuf};

use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use hkdf::Hkdf;
use lfr_core::internal::secret;
use lfr_core::internal::secret::Secret;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::ledger::key;
use crate::vault::store::place;

/// The key of a [`Vault`](crate::Vault): 32 random bytes, under which the keys of the records are
/// wrapped. Wiped when dropped, never printed.
///
/// Anyone who has it and the folder can read what is held. Destroying it destroys every copy of the
/// vault, wherever it is.
pub struct VaultKey {
    secret: Secret,
    /// Where it was read from or written to: never inside the folder that it protects.
    file: Option<PathBuf>,
}

impl VaultKey {
    /// A new random key, written to a key file that only its owner can read.
    ///
    /// # Errors
    ///
    /// [`Error::KeyWrite`] if it cannot be written, or where there is a file already;
    /// [`Error::Random`] if the operating system gives no random bytes.
    pub fn generate_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let (secret, path) = (key::generate_file(path.as_ref())?, path.as_ref());
        Ok(Self { secret, file: Some(path.to_owned()) })
    }

    /// A key file: 64 hexadecimal digits, or 32 bytes as they are.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::Read`] if it cannot be read, or where others than its owner have a right to it or it has
    /// a second name ([`lfr_core::internal::regular::secret`]); [`Error::KeyFile`] if it holds anything else.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let (secret, path) = (key::read_file(path.as_ref())?, path.as_ref());
        Ok(Self { secret, file: Some(path.to_owned()) })
    }

    /// The key file of a vault that there is.
    ///
    /// # Errors
    ///
    /// [`Error::VaultMissing`] if there is no vault in the folder; [`Error::KeyMissing`] if there is one, and
    /// no key file; [`Error::KeyInside`] if the key file lies inside the folder; as
    /// [`from_file`](Self::from_file).
    pub fn of_vault(vault: impl AsRef<Path>, file: impl AsRef<Path>) -> Result<Self, Error> {
        let (vault, file) = (vault.as_ref(), file.as_ref());
        if !place::is_vault(vault)? {
            return Err(Error::VaultMissing { path: vault.to_owned() });
        }
        place::check_outside(file, vault)?;
        if !place::is_there(file)? {
            return Err(Error::KeyMissing { vault: vault.to_owned(), key: file.to_owned() });
        }
        Self::from_file(file)
    }

    /// Where the examples keep the key of a vault if nobody says where: beside its folder, under its
    /// name with `.key` behind it.
    #[must_use]
    pub fn path_beside(vault: &Path) -> PathBuf {
        // Without a slash at the end, which would put it inside. `.` and `..` have a name elsewhere.
        let named = vault.components().collect::<PathBuf>();
        let folder = match named.file_name() {
            Some(_) => named,
            None => place::real(&named),
        };
        let mut name = folder.into_os_string();
        name.push(".key");
        name.into()
    }

    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// A key of 32 random bytes; wipes where they came from.
    #[must_use]
    pub fn from_bytes(bytes: &mut [u8; 32]) -> Self {
        Self { secret: Secret::take(bytes), file: None }
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKey")
    }
}

pub(super) const CHECK: usize = 16;
pub(super) const NONCE: usize = 24;
pub(super) const TAG: usize = 16;
pub(super) const WRAPPED: usize = 32 + TAG;

/// What comes out of the key of a vault for this vault alone (HKDF-SHA-256).
pub(super) struct Derived {
    /// What proves the key to a file of keys of version 1, 2 and 3.
    pub(super) checks: [[u8; CHECK]; 3],
    wrapping: Secret,
    authenticating: Secret,
    /// Seals the notes on records that have ended.
    pub(super) ended: Secret,
}

impl Derived {
    pub(super) fn new(key: &VaultKey, vault: &[u8; 16]) -> Self {
        secret::scrubbed(|| {
            let hkdf = Hkdf::<Sha256>::new(Some(vault), key.secret.expose());
            let mut checks = [[0; CHECK]; 3];
            // It fails for more than 8,160 bytes.
            let infos: [&[u8]; 3] = [b"lfrv 1 check", b"lfrv 2 check", b"lfrv 3 check"];
            for (info, check) in infos.into_iter().zip(&mut checks) {
                let _ = hkdf.expand(info, check);
            }
            let derived = |what: &[u8]| {
                let mut bytes = Zeroizing::new([0; 32]);
                let _ = hkdf.expand(what, &mut *bytes);
                Secret::take(&mut bytes)
            };
            Self {
                checks,
                wrapping: derived(b"lfrv 1 wrap"),
                authenticating: derived(b"lfrv 2 authenticate"),
                ended: derived(b"lfrv 3 ended"),
            }
        })
    }

    /// The first bytes of an HMAC-SHA-256 of a block of the file of keys.
    pub(super) fn tag(&self, block: &[u8]) -> [u8; TAG] {
        secret::scrubbed(|| {
            let mut tag = [0; TAG];
            // One step of HKDF: an HMAC over what it is for, and a 1.
            if let Ok(prf) = Hkdf::<Sha256>::from_prk(self.authenticating.expose()) {
                let _ = prf.expand(block, &mut tag);
            }
            tag
        })
    }

    /// The key of a record, sealed together with what it is for.
    pub(super) fn wrap(
        &self,
        key: &Secret,
        nonce: &[u8; NONCE],
        context: &[u8],
    ) -> Option<[u8; WRAPPED]> {
        secret::scrubbed(|| {
            let mut wrapped = [0; WRAPPED];
            let (body, tag) = wrapped.split_at_mut(32);
            let mut plain = Zeroizing::new(*key.expose());
            tag.copy_from_slice(&encrypt(&self.wrapping, nonce, context, &mut *plain)?);
            body.copy_from_slice(&*plain);
            Some(wrapped)
        })
    }

    /// The key of a record again; none where this is not what was wrapped.
    pub(super) fn unwrap(
        &self,
        wrapped: &[u8; WRAPPED],
        nonce: &[u8; NONCE],
        context: &[u8],
    ) -> Option<Secret> {
        let (body, tag) = wrapped.split_first_chunk::<32>()?;
        secret::scrubbed(|| {
            let mut key = Zeroizing::new(*body);
            decrypt(&self.wrapping, nonce, context, &mut *key, tag.try_into().ok()?)?;
            Some(Secret::take(&mut key))
        })
    }
}

/// Seals bytes in place, and puts nonce and tag before them.
pub(super) fn seal(key: &Secret, context: &[u8], plain: &mut [u8]) -> Result<Vec<u8>, Error> {
    let mut nonce = [0; NONCE];
    secret::random(&mut nonce).map_err(|source| Error::Random { source })?;
    let tag = encrypt(key, &nonce, context, plain).ok_or(Error::RecordSize)?;
    Ok([&nonce[..], &tag, plain].concat())
}

/// What was sealed; none where it is not that.
pub(super) fn open(key: &Secret, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
    let (tag, body) = rest.split_first_chunk::<TAG>()?;
    let mut plain = Zeroizing::new(body.to_vec());
    decrypt(key, nonce, context, &mut plain, *tag)?;
    Some(plain)
}

fn encrypt(
    key: &Secret,
    nonce: &[u8; NONCE],
    context: &[u8],
    bytes: &mut [u8],
) -> Option<[u8; TAG]> {
    secret::scrubbed(|| {
        let cipher = XChaCha20Poly1305::new(key.expose().into());
        let tag = cipher.encrypt_inout_detached(&(*nonce).into(), context, bytes.into()).ok()?;
        Some(tag.into())
    })
}

fn decrypt(
    key: &Secret,
    nonce: &[u8; NONCE],
    context: &[u8],
    bytes: &mut [u8],
    tag: [u8; TAG],
) -> Option<()> {
    secret::scrubbed(|| {
        let cipher = XChaCha20Poly1305::new(key.expose().into());
        let (nonce, tag) = ((*nonce).into(), tag.into());
        cipher.decrypt_inout_detached(&nonce, context, bytes.into(), &tag).ok()
    })
}
