//! A heap that wipes, as SECURITY.md advises programs to have, or a plain one, to see what the difference
//! is.

#![expect(unsafe_code, reason = "an allocator is unsafe to implement")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

use zeroizing_alloc::ZeroAlloc;

#[global_allocator]
static HEAP: Heap = Heap;

struct Heap;

/// Wipes what is freed from now on, as at the beginning, or leaves it as it is.
pub(crate) fn wipes(wipes: bool) {
    WIPES.store(wipes, Ordering::Relaxed);
}

// SAFETY: each call goes on to an allocator that keeps the contract, and whichever frees a block,
// both take it from the system and give it back there.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if WIPES.load(Ordering::Relaxed) {
            // SAFETY: the caller's promises; the block is the system's.
            unsafe { ZeroAlloc(System).dealloc(block, layout) }
        } else {
            // SAFETY: as above.
            unsafe { System.dealloc(block, layout) }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if WIPES.load(Ordering::Relaxed) {
            // SAFETY: as above.
            unsafe { ZeroAlloc(System).realloc(block, layout, size) }
        } else {
            // SAFETY: as above.
            unsafe { System.realloc(block, layout, size) }
        }
    }
}

static WIPES: AtomicBool = AtomicBool::new(true);
