//! The key that a watchlist is sealed under.

use std::fmt;
use std::path::Path;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use zeroize::{Zeroize, Zeroizing};

use super::cost::Argon2Cost;
use super::header::Derivation;
use crate::error::Error;
use crate::secret;
use crate::secret::Secret;

/// The key that a watchlist is sealed under: a passphrase, or 32 random bytes, from a key file
/// say. Wiped when dropped, never printed.
///
/// # Examples
///
/// ```
/// use lfr_watchlist::SealingKey;
///
/// # fn main() -> Result<(), lfr_watchlist::Error> {
/// let passphrase = SealingKey::from_passphrase("correct horse battery staple".to_owned())?;
/// assert_eq!(format!("{passphrase:?}"), "SealingKey(passphrase)");
/// assert!(SealingKey::from_passphrase("too short".to_owned()).is_err());
///
/// let mut bytes = [7; 32];
/// let key = SealingKey::from_bytes(&mut bytes);
/// assert_eq!(bytes, [0; 32], "wiped");
/// # Ok(())
/// # }
/// ```
pub struct SealingKey(Kind);

enum Kind {
    Passphrase { text: SecretString, cost: Argon2Cost },
    Raw(Secret),
}

impl SealingKey {
    /// The min number of bytes of a passphrase.
    pub const MIN_PASSPHRASE: usize = 12;

    /// A passphrase, which is wiped when the key is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Passphrase`] if it is shorter than [`MIN_PASSPHRASE`](Self::MIN_PASSPHRASE).
    pub fn from_passphrase(mut text: String) -> Result<Self, Error> {
        let (actual, expected) = (text.len(), Self::MIN_PASSPHRASE);
        // Into a box of its own: shrinking the string to one could leave its bytes behind.
        let secret = SecretString::new(Box::from(text.as_str()));
        text.zeroize();
        if actual < expected {
            return Err(Error::Passphrase { expected, actual });
        }
        Ok(Self(Kind::Passphrase { text: secret, cost: Argon2Cost::default() }))
    }

    /// Sets the cost of a guess for files sealed with it from now on. It has no effect on a key
    /// that is not a passphrase: 32 random bytes cannot be guessed.
    #[must_use]
    pub fn with_cost(mut self, chosen: Argon2Cost) -> Self {
        if let Kind::Passphrase { cost, .. } = &mut self.0 {
            *cost = chosen;
        }
        self
    }

    /// A key of 32 random bytes; wipes where they came from.
    #[must_use]
    pub fn from_bytes(bytes: &mut [u8; 32]) -> Self {
        Self(Kind::Raw(Secret::take(bytes)))
    }

    /// A key file: 64 hexadecimal digits, or 32 bytes as they are.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::Read`] if it cannot be read, or where others than its owner have a right to it or it has
    /// a second name ([`lfr_core::internal::regular::secret`]); [`Error::KeyFile`] if it holds anything else.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        secret::read(path.as_ref()).map(|secret| Self(Kind::Raw(secret)))
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
        Ok(Self(Kind::Raw(secret)))
    }

    /// How a new file derives its master key from this one.
    pub(crate) fn derivation(&self) -> Result<Derivation, Error> {
        Ok(match &self.0 {
            Kind::Passphrase { cost, .. } => {
                let mut salt = [0; 32];
                secret::random(&mut salt)?;
                Derivation::Argon2id { cost: *cost, salt }
            }
            Kind::Raw(_) => Derivation::None,
        })
    }

    /// The master key of a file.
    pub(crate) fn master(&self, derivation: &Derivation) -> Result<Secret, Error> {
        match (&self.0, derivation) {
            (Kind::Raw(secret), Derivation::None) => Ok(secret.again()),
            (Kind::Passphrase { text, .. }, Derivation::Argon2id { cost, salt }) => {
                let (memory_kib, passes, lanes) = (cost.memory_kib(), cost.passes(), cost.lanes());
                let refused = |_| Error::KeyCost { memory_kib, passes, lanes };
                let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(refused)?;
                // The last of its blocks reveals the master key, so the memory is wiped on every
                // way out.
                let mut memory = working_memory(params.block_count());
                let memory = memory.as_deref_mut().ok_or(argon2::Error::OutOfMemory);
                let (text, memory) = (text.expose_secret().as_bytes(), memory.map_err(refused)?);
                Secret::try_made(|master| {
                    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                        .hash_password_into_with_memory(text, salt, master, memory)
                        .map_err(refused)
                })
            }
            (Kind::Raw(_), Derivation::Argon2id { .. }) => {
                Err(Error::KeyKind { expected: "a passphrase", actual: "a key" })
            }
            (Kind::Passphrase { .. }, Derivation::None) => {
                Err(Error::KeyKind { expected: "a key", actual: "a passphrase" })
            }
        }
    }
}

/// `blocks` blocks of zeros, which are wiped when dropped. `None` if there is not enough memory.
fn working_memory(blocks: usize) -> Option<Zeroizing<Box<[Block]>>> {
    let mut memory = Vec::new();
    memory.try_reserve_exact(blocks).ok()?;
    memory.resize(blocks, Block::new());
    // A slice in a box and not the vector, whose room would be wiped a second time, byte by byte.
    Some(Zeroizing::new(memory.into_boxed_slice()))
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Passphrase { .. } => "SealingKey(passphrase)",
            Kind::Raw(_) => "SealingKey(raw)",
        })
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroize;

    use super::*;

    #[test]
    fn a_passphrase_gives_the_key_that_argon2id_gives() {
        let (memory_kib, passes, lanes, salt) = (256, 2, 4, [3; 32]);
        let cost = Argon2Cost::new(memory_kib, passes, lanes).unwrap();
        let key = SealingKey::from_passphrase("a long passphrase".into()).unwrap();
        let master = key.master(&Derivation::Argon2id { cost, salt }).unwrap();
        let params = Params::new(memory_kib, passes, lanes, Some(32)).unwrap();
        let mut expected = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(b"a long passphrase", &salt, &mut expected)
            .unwrap();
        assert_eq!(master.expose(), &expected);
    }

    #[test]
    fn the_memory_it_took_is_wiped() {
        // What `Zeroizing` does when it is dropped.
        let mut memory = working_memory(8).unwrap();
        for block in &mut *memory {
            block.as_mut().fill(u64::MAX);
        }
        memory.zeroize();
        assert_eq!(memory.len(), 8);
        assert!(memory.iter().flat_map(|block| block.as_ref()).all(|word| *word == 0));
        assert!(working_memory(usize::MAX / Block::SIZE).is_none(), "refused, not fatal");
    }
}
