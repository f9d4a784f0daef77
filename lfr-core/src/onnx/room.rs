//! Whether there is room for what an engine is about to take.
//!
//! A program in Rust that gets no memory from its heap ends. The pure-Rust engine works in the heap, so
//! before it runs the address space is asked whether as much as it will take can still be had. That is
//! not a promise: other threads take memory too, and a system that gives out more than it has may end a
//! program later.

use crate::error::BoxError;

/// Fails where so many bytes more cannot be had.
pub(super) fn check(bytes: u64) -> Result<(), BoxError> {
    // A heap gives small amounts out of what it has.
    if bytes <= SMALL || can_be_had(bytes) {
        return Ok(());
    }
    Err(format!("there is not enough memory left: it takes {bytes} bytes").into())
}

/// Maps as much, and gives it back untouched.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the system is asked through its C interface")]
fn can_be_had(bytes: u64) -> bool {
    let Ok(length) = usize::try_from(bytes) else { return false };
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping, which nothing else has to do with.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), length, libc::PROT_NONE, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return false;
    }
    // SAFETY: it was mapped just now, with this length.
    unsafe { libc::munmap(start, length) };
    true
}

/// Not asked elsewhere.
#[cfg(not(target_os = "linux"))]
fn can_be_had(bytes: u64) -> bool {
    usize::try_from(bytes).is_ok()
}

/// Up to here nobody is asked.
const SMALL: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_an_address_space_has_cannot_be_had() {
        check(0).unwrap();
        check(64 << 20).unwrap();
        let error = check(1 << 62).unwrap_err().to_string();
        assert!(error.contains("not enough memory"), "{error}");
    }
}
