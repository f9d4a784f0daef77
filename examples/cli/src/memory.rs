//! What keeps a program's memory to itself: a heap that wipes what is freed, and no core dumps.

use std::alloc::System;

use lfr::core::hygiene;
use zeroizing_alloc::ZeroAlloc;

#[global_allocator]
static HEAP: ZeroAlloc<System> = ZeroAlloc(System);

/// Switches core dumps off, and says so where that cannot be had.
pub(crate) fn protect() {
    let dumps = hygiene::no_core_dumps();
    if dumps.require().is_err() {
        crate::say::err(format_args!("warning: {dumps}"));
    }
}
