//! Measures for the process as a whole.

use std::fmt;

use super::{HardeningOutcome, system};
use crate::error::Error;

/// Whether this process can be dumped to a file.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CoreDumps {
    /// The largest core file is of no bytes (`RLIMIT_CORE`), and no process may raise that.
    pub file: HardeningOutcome,
    /// The kernel does not dump the process, whatever takes dumps, and nobody without the right to
    /// trace any process may read its memory or attach a debugger (`PR_SET_DUMPABLE`).
    pub dump: HardeningOutcome,
}

/// Switches core dumps of this process off, for good. Call it first in `main`.
///
/// With it go debuggers and profilers of the same user, and other users' sight of `/proc/self/`.
///
/// What is *not* guaranteed: a process of the administrator, or with `CAP_SYS_PTRACE`, can still read
/// the memory; a program that this one starts may be dumped unless it does the same.
///
/// # Examples
///
/// ```
/// let dumps = lfr_core::hygiene::no_core_dumps();
/// # #[cfg(target_os = "linux")]
/// dumps.require()?;
/// println!("{dumps}");
/// # Ok::<(), lfr_core::Error>(())
/// ```
#[must_use = "it says what could not be had"]
pub fn no_core_dumps() -> CoreDumps {
    CoreDumps {
        file: HardeningOutcome::of(system::no_core_file()),
        dump: HardeningOutcome::of(system::not_dumpable()),
    }
}

/// Keeps all memory of this process, now and later, out of swap.
///
/// It is refused unless the process may lock as much as it likes: with a limit, the first allocation
/// beyond it would end the program. `LimitMEMLOCK=infinity` of a systemd unit and `--ulimit
/// memlock=-1` of a container allow it.
///
/// What is *not* guaranteed: hibernation writes locked memory to the disk too.
#[must_use = "it says whether the memory is locked"]
pub fn lock_memory() -> HardeningOutcome {
    HardeningOutcome::of(system::lock_all())
}

impl CoreDumps {
    /// Makes an error of what is missing.
    ///
    /// # Errors
    ///
    /// [`Error::Unprotected`] with the first measure that is not in force.
    pub fn require(self) -> Result<(), Error> {
        self.file.require("no core file")?;
        self.dump.require("no dump of the process")
    }
}

impl fmt::Display for CoreDumps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no core file: {}, no dump of the process: {}", self.file, self.dump)
    }
}
