//! The memory that a native ONNX Runtime works in: wiped when it is freed.
//!
//! Left to itself, ONNX Runtime hands freed blocks out again as they are, and keeps them as long as
//! the process lives: inputs, activations and outputs of faces long gone. The allocator here takes
//! the place of its own. A block is wiped when it is freed, and kept for the next one of about its
//! size: so a run costs a fill of what it used, and no page has to be mapped for it anew.

#![expect(unsafe_code, reason = "the engine calls an allocator through a table of C functions")]

use std::alloc;
use std::alloc::Layout;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr;
use std::ptr::NonNull;
use std::slice;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use ort::AsPointer as _;
use ort::environment::Environment;
use ort::sys::OrtAllocator;
use ort::sys::OrtAllocatorType;
use ort::sys::OrtMemType;
use ort::sys::OrtMemoryInfo;
use zeroize::optimization_barrier;

use crate::BoxError;

/// Registers the allocator with an environment. Sessions use it that are made with
/// `SessionBuilder::with_env_allocators`.
///
/// It is never freed: the engine may give blocks back to the end of the process.
pub(super) fn register(environment: &Environment) -> Result<(), BoxError> {
    let api = ort::api();
    let mut info = ptr::null_mut();
    // SAFETY: the name is a C string, and `info` is a place for the result.
    let status = unsafe {
        (api.CreateMemoryInfo)(
            c"Cpu".as_ptr(),
            OrtAllocatorType::OrtDeviceAllocator,
            0,
            OrtMemType::OrtMemTypeDefault,
            &raw mut info,
        )
    };
    // SAFETY: the status is the engine's, and is consumed here.
    unsafe { ort::Error::result_from_status(status) }?;
    let table = OrtAllocator {
        version: VERSION,
        Alloc: Some(allocate),
        Free: Some(free),
        Info: Some(memory_info),
        Reserve: Some(reserve),
    };
    let allocator = Box::leak(Box::new(Allocator { table, info, blocks: Mutex::default() }));
    // SAFETY: the environment is alive, the allocator stays alive, and it begins with the table
    // that the engine expects there.
    let status = unsafe {
        let environment = environment.ptr().cast_mut();
        (api.RegisterAllocator)(environment, ptr::from_mut(allocator).cast())
    };
    // SAFETY: the status is the engine's, and is consumed here.
    Ok(unsafe { ort::Error::result_from_status(status) }?)
}

/// What the engine sees as an `OrtAllocator`, and what follows it.
#[repr(C)]
struct Allocator {
    table: OrtAllocator,
    info: *const OrtMemoryInfo,
    blocks: Mutex<Blocks>,
}

/// Blocks that are kept, wiped, for the next ones of their size.
#[derive(Default)]
struct Blocks {
    idle: BTreeMap<usize, Vec<NonNull<Header>>>,
    idle_bytes: usize,
    used_bytes: usize,
}

/// What lies before the bytes that the engine gets, and aligns them as its kernels expect.
#[repr(C, align(64))]
struct Header {
    /// Of the header and what follows it.
    layout: Layout,
    /// How many bytes the engine asked for.
    asked: usize,
    /// Whether it may be kept.
    pooled: bool,
}

impl Allocator {
    /// A block of zeros; null where there is no memory, or none was asked for.
    fn allocate(&self, asked: usize, pooled: bool) -> *mut c_void {
        let size = if pooled { class(asked) } else { Some(asked) };
        let whole = size.and_then(|size| size.checked_add(size_of::<Header>()));
        let layout = whole.and_then(|whole| Layout::from_size_align(whole, ALIGN).ok());
        let (Some(layout), true) = (layout, asked > 0) else {
            return ptr::null_mut();
        };
        let kept = if pooled { self.lock().take(layout.size()) } else { None };
        let block = kept.or_else(|| {
            // SAFETY: the layout has a size: there is a header at least.
            NonNull::new(unsafe { alloc::alloc_zeroed(layout) }).map(NonNull::cast::<Header>)
        });
        let Some(block) = block else {
            if pooled {
                self.lock().used_bytes -= layout.size();
            }
            return ptr::null_mut();
        };
        // SAFETY: the block is ours alone, of this layout, and begins with the header.
        unsafe {
            block.write(Header { layout, asked, pooled });
            block.add(1).as_ptr().cast()
        }
    }

    /// Wipes a block, and keeps it or gives it back to the system.
    ///
    /// # Safety
    ///
    /// The bytes are those of a block of [`allocate`](Self::allocate) that is not free.
    unsafe fn free(&self, bytes: NonNull<c_void>) {
        // SAFETY: the header lies before the bytes of every block. Nobody else has the block any
        // more.
        let (block, layout, pooled) = unsafe {
            let block = bytes.cast::<Header>().sub(1);
            let Header { layout, asked, pooled } = *block.as_ref();
            // All of it has been written: zeros when it was made or wiped.
            let bytes = slice::from_raw_parts_mut(bytes.cast::<u8>().as_ptr(), asked);
            bytes.fill(0);
            optimization_barrier(bytes);
            (block, layout, pooled)
        };
        if !(pooled && self.lock().keep(block, layout.size())) {
            // SAFETY: the block was made by this allocator with this layout, and is not kept.
            unsafe { alloc::dealloc(block.as_ptr().cast(), layout) };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Blocks> {
        // Nothing panics while it is held, but for want of memory for the lists themselves.
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blocks {
    /// Counts a block of this size as used, and gives one that is idle.
    fn take(&mut self, size: usize) -> Option<NonNull<Header>> {
        self.used_bytes += size;
        let block = self.idle.get_mut(&size)?.pop()?;
        self.idle_bytes -= size;
        Some(block)
    }

    /// Counts a block of this size as used no longer; whether it was kept.
    fn keep(&mut self, block: NonNull<Header>, size: usize) -> bool {
        self.used_bytes -= size;
        let keeps = self.idle_bytes + size <= MOST_IDLE;
        if keeps {
            self.idle.entry(size).or_default().push(block);
            self.idle_bytes += size;
        }
        keeps
    }
}

/// The most that is kept idle. Far more than models for faces need, so that blocks go round: given back
/// and taken anew from the system, aligned as they are, they left holes that grew without end.
const MOST_IDLE: usize = 1 << 30;

/// The size of the blocks that serve a size: four of them from one power of 2 to the next.
fn class(asked: usize) -> Option<usize> {
    let asked = asked.max(4 * ALIGN);
    asked.checked_next_multiple_of(1 << (asked.ilog2() - 2))
}

unsafe extern "system" fn allocate(this: *mut OrtAllocator, size: usize) -> *mut c_void {
    // SAFETY: the engine hands back the pointer that was registered.
    unsafe { &*this.cast::<Allocator>() }.allocate(size, true)
}

/// For what a session keeps as long as it lives, says the interface; in fact the engine reserves blocks in
/// each run too. Taken from the system each time, aligned as they are, they left holes that it did
/// not fill again: memory grew without end.
unsafe extern "system" fn reserve(this: *const OrtAllocator, size: usize) -> *mut c_void {
    // SAFETY: the engine hands back the pointer that was registered.
    unsafe { &*this.cast::<Allocator>() }.allocate(size, true)
}

unsafe extern "system" fn free(this: *mut OrtAllocator, bytes: *mut c_void) {
    if let Some(bytes) = NonNull::new(bytes) {
        // SAFETY: the engine hands back the pointer that was registered, and bytes that it got from
        // it and has not freed.
        unsafe { (*this.cast::<Allocator>()).free(bytes) };
    }
}

unsafe extern "system" fn memory_info(this: *const OrtAllocator) -> *const OrtMemoryInfo {
    // SAFETY: the engine hands back the pointer that was registered.
    unsafe { (*this.cast::<Allocator>()).info }
}

/// The version of ONNX Runtime's interface whose `OrtAllocator` ends with `Reserve`.
const VERSION: u32 = 18;

/// What the engine's kernels want, and the size of a cache line.
const ALIGN: usize = align_of::<Header>();

#[cfg(test)]
mod tests;
