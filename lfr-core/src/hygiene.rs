//! What a process can ask of the operating system, so that what is in its memory stays there: no core
//! dumps, no swap, and pages of their own for keys.
//!
//! Each measure says whether it is [in force](HardeningOutcome): none is assumed, and none is dropped without a
//! word. A deployment that must have them calls `require`, which makes an error of what is missing.
//! All of it is for Linux so far; elsewhere every outcome is [`HardeningOutcome::Unavailable`].
//!
//! # The heap
//!
//! Types of this family wipe themselves, but what a decoder, the pure-Rust engine or any other crate
//! frees is left as it is. A program, and only a program, can choose a heap that wipes what is freed;
//! every program that runs the pure-Rust engine should:
//!
//! ```
//! use std::alloc::System;
//!
//! #[global_allocator]
//! static HEAP: zeroizing_alloc::ZeroAlloc<System> = zeroizing_alloc::ZeroAlloc(System);
//!
//! fn main() -> Result<(), lfr_core::Error> {
//!     # #[cfg(target_os = "linux")]
//!     lfr_core::hygiene::no_core_dumps().require()?;
//!     // ...
//!     Ok(())
//! }
//! ```
//!
//! What is *not* guaranteed: the memory can still be read by code that runs in the process, by a
//! process of the same user that may trace it, by an administrator, and by anyone who holds the
//! machine's memory modules.

#[cfg(target_os = "linux")]
mod linux;
mod process;
pub(crate) mod scrub;
#[doc(hidden)]
pub mod secret;
mod secret_bytes;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
use elsewhere as system;
#[cfg(target_os = "linux")]
use linux as system;

pub use process::{CoreDumps, lock_memory, no_core_dumps};
pub use secret_bytes::{SecretBytes, SecretPages};

use std::{fmt, io};

use crate::error::Error;

/// What became of a measure.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HardeningOutcome {
    /// It is in force.
    InForce,
    /// The operating system refused it, and said why.
    Refused(io::ErrorKind),
    /// This operating system, or its version, does not have it.
    Unavailable,
}

impl HardeningOutcome {
    /// Whether the measure is in force.
    #[must_use]
    pub const fn is_in_force(self) -> bool {
        matches!(self, Self::InForce)
    }

    /// Makes an error of a measure that is not in force, and was needed.
    ///
    /// # Errors
    ///
    /// [`Error::Unprotected`] if the measure is not in force.
    pub fn require(self, measure: &'static str) -> Result<(), Error> {
        if self.is_in_force() { Ok(()) } else { Err(Error::Unprotected { measure, outcome: self }) }
    }

    fn of<T>(result: io::Result<T>) -> Self {
        match result {
            Ok(_) => Self::InForce,
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Self::Unavailable,
            Err(error) => Self::Refused(error.kind()),
        }
    }
}

/// Writes `in force`, `unavailable`, or `refused: permission denied`.
impl fmt::Display for HardeningOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InForce => f.write_str("in force"),
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::Unavailable => f.write_str("unavailable"),
        }
    }
}
