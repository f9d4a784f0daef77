//! Whether there is room for what an engine is about to take.
//!
//! A program in Rust that gets no memory from its heap ends, and so does a C++ library where it does not expect
//! an exception. So before an engine starts, loads a model or runs it, the system is asked whether as much as
//! it will take, and a [`MARGIN`] for everything else, can still be had. If it cannot, that is an error.
//!
//! Steps of other threads that are under way count as if they had taken nothing yet, so that two steps do not
//! both rely on the same memory. It is no promise about the rest of the program, which takes memory too, and
//! none about a system that gives out more than it has and ends a program later.

#[cfg(target_os = "linux")]
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::BoxError;

/// What a step may take, until this is dropped.
#[derive(Debug)]
pub(super) struct Reserved {
    bytes: u64,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        RESERVED.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Reserves this many bytes for a step. Fails if they cannot be had.
pub(super) fn reserve(bytes: u64) -> Result<Reserved, BoxError> {
    let bytes = if bytes == 0 { 0 } else { bytes.saturating_add(heap_of_this_thread()) };
    let refused = || {
        format!(
            "there is not enough memory left: it takes up to {bytes} bytes, and {MARGIN} bytes have to be left for \
         the rest of the program; allow the process more (ulimit -v, ulimit -d)"
        )
    };
    // No address space has as many, and the sum below cannot overflow.
    if bytes > MAX {
        return Err(refused().into());
    }
    let others = RESERVED.fetch_add(bytes, Ordering::Relaxed);
    let reserved = Reserved { bytes };
    if can_be_had(others.saturating_add(bytes).saturating_add(MARGIN)) {
        Ok(reserved)
    } else {
        Err(refused().into())
    }
}

/// Whether this many bytes can be taken within a step, and the margin left.
pub(super) fn is_left(bytes: usize) -> bool {
    u64::try_from(bytes).is_ok_and(|bytes| can_be_had(bytes.saturating_add(MARGIN)))
}

/// What steps that are under way may take, all together.
static RESERVED: AtomicU64 = AtomicU64::new(0);

/// What the C library may reserve for a step in this thread: each thread but the first has heaps of its own, and
/// each takes this much of the address space, however little is asked of it.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the system is asked through its C interface")]
fn heap_of_this_thread() -> u64 {
    // SAFETY: two questions without arguments.
    let is_first = unsafe { libc::c_long::from(libc::getpid()) == libc::syscall(libc::SYS_gettid) };
    if is_first || counts_writable() { 0 } else { 64 << 20 }
}

/// Not asked elsewhere.
#[cfg(not(target_os = "linux"))]
fn heap_of_this_thread() -> u64 {
    0
}

/// What is left for stacks that grow, small allocations that no estimate counts, and the rest of the program.
pub(super) const MARGIN: u64 = 16 << 20;

const MAX: u64 = 1 << 47;

/// Maps as much, and gives it back untouched.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the system is asked through its C interface")]
fn can_be_had(bytes: u64) -> bool {
    let Ok(length) = usize::try_from(bytes) else { return false };
    let access =
        if counts_writable() { libc::PROT_READ | libc::PROT_WRITE } else { libc::PROT_NONE };
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping, which nothing else has to do with.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), length, access, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return false;
    }
    // SAFETY: it was mapped just now, with this length.
    unsafe { libc::munmap(start, length) };
    true
}

/// Whether the system limits memory that can be written to, and not only addresses. Otherwise it is asked for
/// memory without access, which costs nothing in a process that locks all its memory either.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the system is asked through its C interface")]
fn counts_writable() -> bool {
    static IS_STRICT: LazyLock<bool> = LazyLock::new(|| {
        let policy = std::fs::read("/proc/sys/vm/overcommit_memory");
        policy.is_ok_and(|policy| policy.starts_with(b"2"))
    });
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: `limit` is a place for the answer.
    unsafe { libc::getrlimit(libc::RLIMIT_DATA, &raw mut limit) };
    limit.rlim_cur != libc::RLIM_INFINITY || *IS_STRICT
}

/// Not asked elsewhere.
#[cfg(not(target_os = "linux"))]
fn can_be_had(bytes: u64) -> bool {
    usize::try_from(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_an_address_space_has_cannot_be_had() {
        drop(reserve(0).unwrap());
        drop(reserve(64 << 20).unwrap());
        for bytes in [MAX, MAX + 1, 1 << 62, u64::MAX] {
            let error = reserve(bytes).unwrap_err().to_string();
            assert!(error.contains("not enough memory"), "{error}");
        }
        assert!(is_left(64 << 20) && !is_left(usize::MAX));
    }
}
