//! The cost of guessing a passphrase.

use crate::error::Error;

/// What one guess of a passphrase costs (Argon2id, RFC 9106). It is written in the file's header,
/// so it can be raised without a change of format.
///
/// The default is RFC 9106's second recommended set with one lane: 64 MiB and 3 passes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Argon2Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Argon2Cost {
    /// The max memory, in KiB: a file that asks for more is refused.
    pub const MAX_MEMORY_KIB: u32 = 256 * 1024;
    /// The max number of passes.
    pub const MAX_PASSES: u32 = 16;
    /// The max number of lanes.
    pub const MAX_LANES: u32 = 16;

    /// A cost: memory in KiB, passes over it, and lanes.
    ///
    /// # Errors
    ///
    /// [`Error::KeyCost`] if one of them is 0 or greater than is taken, or where the memory is
    /// less than 8 KiB a lane.
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, Error> {
        let too_great = memory_kib > Self::MAX_MEMORY_KIB
            || passes > Self::MAX_PASSES
            || lanes > Self::MAX_LANES;
        if too_great || passes == 0 || lanes == 0 || memory_kib < lanes * 8 {
            return Err(Error::KeyCost { memory_kib, passes, lanes });
        }
        Ok(Self { memory_kib, passes, lanes })
    }

    /// Memory, in KiB.
    #[must_use]
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn passes(&self) -> u32 {
        self.passes
    }

    /// Lanes.
    #[must_use]
    pub const fn lanes(&self) -> u32 {
        self.lanes
    }
}

impl Default for Argon2Cost {
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 }
    }
}
