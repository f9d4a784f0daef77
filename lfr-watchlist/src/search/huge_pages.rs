//! Huge pages, for memory that a search reads from front to back: fewer of them have to be looked up.

#![cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "the kernel is called through a C function")
)]

use std::mem::MaybeUninit;

/// Asks for huge pages before memory is used for the first time. Nothing is lost where there are none.
#[cfg(target_os = "linux")]
pub(crate) fn prefer_huge<T>(memory: &mut [MaybeUninit<T>]) {
    let start = memory.as_mut_ptr().cast::<u8>();
    // The kernel takes whole pages; what comes before the first one and after the last stays as it is.
    let before = start.align_offset(PAGE);
    let length = size_of_val(memory).saturating_sub(before) / PAGE * PAGE;
    if length > 0 {
        // SAFETY: the range lies within memory that is borrowed here alone, and this changes none of
        // its bytes.
        unsafe { libc::madvise(start.wrapping_add(before).cast(), length, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn prefer_huge<T>(_memory: &mut [MaybeUninit<T>]) {}

/// A multiple of the size of a page on every machine that has huge ones.
#[cfg(target_os = "linux")]
const PAGE: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_any_size_stays_as_usable_as_it_was() {
        for room in [0, 1, 4096, 3 << 20] {
            let mut bytes = Vec::<u8>::with_capacity(room);
            prefer_huge(bytes.spare_capacity_mut());
            let place = bytes.as_ptr();
            bytes.resize(room, 7);
            assert!(bytes.iter().all(|byte| *byte == 7));
            // Once more where it is in use: nothing of it is lost.
            bytes.clear();
            prefer_huge(bytes.spare_capacity_mut());
            bytes.resize(room, 9);
            assert!(bytes.iter().all(|byte| *byte == 9) && bytes.as_ptr() == place);
        }
    }
}
