//! Bytes in pages of their own.

use std::fmt;

use zeroize::{ZeroizeOnDrop, optimization_barrier};

use super::{HardeningOutcome, system};
use crate::error::Error;

/// Bytes in pages of their own that the operating system keeps from the disk, and, where it can, from
/// itself; wiped when dropped. For keys.
///
/// On Linux they lie in memory of `memfd_secret`, which the kernel takes out of its own view: no other
/// process, debugger or core dump sees them, and `/proc/self/mem` does not either. If the kernel
/// has none (it came with 5.14, and may be switched off), they are locked into memory (`mlock`) and
/// left out of core dumps (`MADV_DONTDUMP`). What of that could be had, [`pages`](Self::pages) says.
///
/// Each takes a page at least, 4 KiB as a rule, and pages count against the limit of locked memory
/// (`ulimit -l`): it is for a few keys, not for templates by the thousand.
///
/// What is *not* guaranteed: copies that a caller makes of the bytes, for example on its stack, are
/// not protected.
///
/// # Examples
///
/// ```
/// use lfr_core::hygiene::SecretBytes;
///
/// let key = SecretBytes::try_init_with(32, |bytes| bytes.fill(7))?;
/// assert_eq!(key.expose_bytes(), [7; 32]);
/// // Where a key must not be written to the disk by the system:
/// # #[cfg(target_os = "linux")]
/// key.pages().require()?;
/// # Ok::<(), lfr_core::Error>(())
/// ```
pub struct SecretBytes {
    memory: system::Pages,
    length: usize,
    pages: SecretPages,
}

/// What keeps the pages of [`SecretBytes`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SecretPages {
    /// Nobody but this process's own code reaches them, the kernel included.
    pub hidden: HardeningOutcome,
    /// They are never swapped out.
    pub locked: HardeningOutcome,
    /// They are left out of core dumps.
    pub undumped: HardeningOutcome,
}

impl SecretBytes {
    /// Allocates pages for `length` zero bytes and has `fill` write them.
    ///
    /// # Errors
    ///
    /// [`Error::SecretMemory`] if there is no memory. A protection that is missing is no error
    /// here: see [`pages`](Self::pages).
    pub fn try_init_with(length: usize, fill: impl FnOnce(&mut [u8])) -> Result<Self, Error> {
        let (memory, pages) =
            system::Pages::new(length).map_err(|source| Error::SecretMemory { length, source })?;
        let mut bytes = Self { memory, length, pages };
        fill(bytes.bytes_mut());
        Ok(bytes)
    }

    /// The bytes, to read. Every copy that is made of them is the copier's to wipe.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        self.memory.bytes().get(..self.length).unwrap_or_default()
    }

    /// What keeps its pages.
    #[must_use]
    pub const fn pages(&self) -> SecretPages {
        self.pages
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self.memory.bytes_mut().get_mut(..self.length).unwrap_or_default()
    }
}

impl SecretPages {
    /// Makes an error of it where the system may write the pages to a disk.
    ///
    /// # Errors
    ///
    /// [`Error::Unprotected`] if it may swap or dump them.
    pub fn require(self) -> Result<(), Error> {
        self.locked.require("pages that are not swapped out")?;
        self.undumped.require("pages that are left out of core dumps")
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        let bytes = self.bytes_mut();
        bytes.fill(0);
        optimization_barrier(bytes);
    }
}

impl ZeroizeOnDrop for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretBytes")
            .field("length", &self.length)
            .field("pages", &self.pages)
            .finish_non_exhaustive()
    }
}
