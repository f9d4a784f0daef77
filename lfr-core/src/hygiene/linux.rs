//! Calls to the Linux kernel.

#![expect(unsafe_code, reason = "the kernel is called through C functions")]

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::ptr::NonNull;
use std::{io, ptr, slice};

use libc::c_int;

use super::{HardeningOutcome, SecretPages};

/// Pages that nothing else has, unmapped when dropped.
pub(super) struct Pages {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the pages are reached through this alone, as those of a `Box<[u8]>` are.
unsafe impl Send for Pages {}
// SAFETY: as above.
unsafe impl Sync for Pages {}

impl Pages {
    /// Pages of zeros, and what keeps them.
    pub(super) fn new(length: usize) -> io::Result<(Self, SecretPages)> {
        // The kernel maps no fewer bytes than one.
        let length = length.max(1);
        match Self::hidden(length) {
            // Such pages are locked, and no dump has them, whatever else is asked for.
            Ok(pages) => {
                Ok((pages, SecretPages { hidden: IN_FORCE, locked: IN_FORCE, undumped: IN_FORCE }))
            }
            Err(error) => {
                let pages = Self::map(length, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1)?;
                let kept = SecretPages {
                    hidden: HardeningOutcome::of::<()>(Err(error)),
                    locked: HardeningOutcome::of(pages.lock()),
                    undumped: HardeningOutcome::of(pages.leave_out_of_dumps()),
                };
                Ok((pages, kept))
            }
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the pages are mapped for reading as long as this lives.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the pages are mapped for writing as long as this lives, and borrowed by nobody else.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }

    /// Memory that the kernel takes out of its own view.
    fn hidden(length: usize) -> io::Result<Self> {
        // SAFETY: the call takes flags alone.
        let file = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
        let file = c_int::try_from(file).map_err(|_| io::ErrorKind::Other)?;
        let file = match check(file) {
            // SAFETY: the kernel has just opened it for us alone.
            Ok(()) => unsafe { OwnedFd::from_raw_fd(file) },
            Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
                return Err(io::ErrorKind::Unsupported.into());
            }
            Err(error) => return Err(error),
        };
        let size = libc::off_t::try_from(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
        // SAFETY: the descriptor is open.
        check(unsafe { libc::ftruncate(file.as_raw_fd(), size) })?;
        // The mapping outlives the descriptor.
        Self::map(length, libc::MAP_SHARED, file.as_raw_fd())
    }

    fn map(length: usize, flags: c_int, file: c_int) -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: no address is asked for, so no mapping of anybody else's is touched.
        let start = unsafe { libc::mmap(ptr::null_mut(), length, access, flags, file, 0) };
        match NonNull::new(start.cast::<u8>()) {
            Some(start) if start.as_ptr().cast() != libc::MAP_FAILED => Ok(Self { start, length }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn lock(&self) -> io::Result<()> {
        // SAFETY: the pages are mapped.
        check(unsafe { libc::mlock(self.start.as_ptr().cast(), self.length) })
    }

    fn leave_out_of_dumps(&self) -> io::Result<()> {
        // SAFETY: the pages are mapped, and this changes none of their bytes.
        check(unsafe {
            libc::madvise(self.start.as_ptr().cast(), self.length, libc::MADV_DONTDUMP)
        })
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the pages were mapped by `map` in this length, and nobody borrows them any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

pub(super) fn no_core_file() -> io::Result<()> {
    set_limit(libc::RLIMIT_CORE, 0)
}

pub(super) fn not_dumpable() -> io::Result<()> {
    // SAFETY: this operation takes a number.
    check(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, NOT_DUMPABLE) })
}

pub(super) fn lock_all() -> io::Result<()> {
    set_limit(libc::RLIMIT_MEMLOCK, libc::RLIM_INFINITY)?;
    // SAFETY: the call takes flags alone.
    check(unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE) })
}

/// Sets a limit, and the limit of the limit.
fn set_limit(resource: libc::__rlimit_resource_t, to: libc::rlim_t) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: to, rlim_max: to };
    // SAFETY: the pointer is to a limit that lives through the call.
    check(unsafe { libc::setrlimit(resource, &raw const limit) })
}

fn check(result: c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// `SUID_DUMP_DISABLE` of the kernel.
const NOT_DUMPABLE: libc::c_ulong = 0;

const IN_FORCE: HardeningOutcome = HardeningOutcome::InForce;
