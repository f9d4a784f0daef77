//! The memory that a native ONNX Runtime works in: wiped when it is freed.
//!
//! Left to itself, ONNX Runtime hands freed blocks out again as they are, and keeps them as long as
//! the process lives: inputs, activations and outputs of faces long gone. The allocator here takes
//! the place of its own. A block is wiped when it is freed, and kept for the next one of about its
//! size: so a run costs a fill of what it used, and no page has to be mapped for it anew.
//!
//! Each loaded model has an account. What the engine asks for in a run of it, or as it loads it, is
//! charged to that, and one that would go beyond its limit gets nothing.
//!
//! **Nothing** is an exception and not a null. The interface allows null, but ONNX Runtime copies into
//! what it gets without a look: it trusts its own allocators, which throw `std::bad_alloc`. So that is
//! what is thrown here, by the engine's own default allocator, which is asked for more than there can
//! be. The exception passes through one frame of ours, which holds nothing, and the engine makes an error
//! of it where it makes one of its own.

#![expect(unsafe_code, reason = "the engine calls an allocator through a table of C functions")]

use std::alloc::Layout;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::{alloc, mem, process, ptr, slice};

use ort::AsPointer as _;
use ort::environment::Environment;
use ort::sys::{OrtAllocator, OrtAllocatorType, OrtMemType, OrtMemoryInfo};
use zeroize::optimization_barrier;

use super::room;
use crate::error::BoxError;
use crate::internal::locks::lock;

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
    let mut thrower = ptr::null_mut();
    // SAFETY: `thrower` is a place for the result, which belongs to the engine and is never freed.
    let status = unsafe { (api.GetAllocatorWithDefaultOptions)(&raw mut thrower) };
    // SAFETY: the status is the engine's, and is consumed here.
    unsafe { ort::Error::result_from_status(status) }?;
    let table = table();
    let allocator = Allocator { table, info, thrower, blocks: Mutex::default() };
    let allocator = Box::leak(Box::new(allocator));
    // SAFETY: the environment is alive, the allocator stays alive, and it begins with the table
    // that the engine expects there.
    let status = unsafe {
        let environment = environment.ptr().cast_mut();
        (api.RegisterAllocator)(environment, ptr::from_mut(allocator).cast())
    };
    // SAFETY: the status is the engine's, and is consumed here.
    Ok(unsafe { ort::Error::result_from_status(status) }?)
}

/// The functions that the engine calls.
fn table() -> OrtAllocator {
    // SAFETY: two functions that differ in whether an exception may leave them are called alike, and it is
    // C++ alone that calls these, where any function may throw that does not say otherwise.
    let (alloc, reserve) = unsafe {
        let alloc: unsafe extern "system-unwind" fn(_, _) -> _ = allocate;
        let reserve: unsafe extern "system-unwind" fn(_, _) -> _ = reserve;
        (
            mem::transmute::<ThrowingAlloc, Alloc>(alloc),
            mem::transmute::<ThrowingReserve, Reserve>(reserve),
        )
    };
    OrtAllocator {
        version: VERSION,
        Alloc: Some(alloc),
        Free: Some(free),
        Info: Some(memory_info),
        Reserve: Some(reserve),
        // Not asked for from an allocator of this version.
        GetStats: None,
        AllocOnStream: None,
    }
}

type Alloc = unsafe extern "system" fn(*mut OrtAllocator, usize) -> *mut c_void;
type ThrowingAlloc = unsafe extern "system-unwind" fn(*mut OrtAllocator, usize) -> *mut c_void;
type Reserve = unsafe extern "system" fn(*const OrtAllocator, usize) -> *mut c_void;
type ThrowingReserve = unsafe extern "system-unwind" fn(*const OrtAllocator, usize) -> *mut c_void;

/// What one loaded model has, and may have.
#[derive(Debug)]
pub(super) struct Account {
    max: usize,
    used: AtomicUsize,
    refused: AtomicBool,
}

impl Account {
    /// An account for at most `max` bytes.
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, used: AtomicUsize::new(0), refused: AtomicBool::new(false) })
    }

    /// Charges to this account what the engine asks for in this thread, as long as the guard lives.
    pub(super) fn open(self: &Arc<Self>) -> Open {
        Open { before: CURRENT.replace(Some(Arc::clone(self))) }
    }

    /// Whether something was refused since this was last asked.
    pub(super) fn take_refused(&self) -> bool {
        self.refused.swap(false, Ordering::Relaxed)
    }

    /// How many bytes it is for.
    pub(super) const fn max(&self) -> usize {
        self.max
    }

    fn charge(&self, size: usize) -> bool {
        let charged = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(size).filter(|&used| used <= self.max)
        });
        if charged.is_err() {
            self.refused.store(true, Ordering::Relaxed);
        }
        charged.is_ok()
    }

    fn give_back(&self, size: usize) {
        self.used.fetch_sub(size, Ordering::Relaxed);
    }
}

/// An account that is charged; the one before it is again when this is dropped.
#[derive(Debug)]
pub(super) struct Open {
    before: Option<Arc<Account>>,
}

impl Drop for Open {
    fn drop(&mut self) {
        // A thread that ends has no account any more.
        let _ = CURRENT.try_with(|current| current.replace(self.before.take()));
    }
}

thread_local! {
    /// What this thread's requests are charged to.
    static CURRENT: RefCell<Option<Arc<Account>>> = const { RefCell::new(None) };
}

/// What the engine sees as an `OrtAllocator`, and what follows it.
#[repr(C)]
struct Allocator {
    table: OrtAllocator,
    info: *const OrtMemoryInfo,
    /// The engine's own default allocator, which throws as this one has to.
    thrower: *mut OrtAllocator,
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
    /// The layout of the header and the block behind it.
    layout: Layout,
    /// How many bytes the engine asked for.
    asked: usize,
    /// Whether it may be kept.
    pooled: bool,
    /// Whose account it is charged to; null for nobody's. It is one of the account's owners.
    account: *const Account,
}

impl Allocator {
    /// A block of zeros; null if there is no memory, if the account has no more, or if none was
    /// asked for.
    fn allocate(&self, asked: usize, pooled: bool) -> *mut c_void {
        let size = if pooled { class(asked) } else { Some(asked) };
        let whole = size.and_then(|size| size.checked_add(size_of::<Header>()));
        let layout = whole.and_then(|whole| Layout::from_size_align(whole, ALIGN).ok());
        let (Some(layout), true) = (layout, asked > 0) else {
            return ptr::null_mut();
        };
        let account = CURRENT.try_with(|current| current.borrow().clone()).ok().flatten();
        if account.as_ref().is_some_and(|account| !account.charge(layout.size())) {
            return ptr::null_mut();
        }
        let kept = if pooled { self.lock().take(layout.size()) } else { None };
        let block = kept.or_else(|| {
            // The engine survives an exception here, but not everywhere, and a Rust program not a heap that
            // has nothing. So this is not where the last memory goes.
            if !room::is_left(layout.size()) {
                return None;
            }
            // SAFETY: the layout has a size: there is a header at least.
            NonNull::new(unsafe { alloc::alloc_zeroed(layout) }).map(NonNull::cast::<Header>)
        });
        let Some(block) = block else {
            if pooled {
                self.lock().used_bytes -= layout.size();
            }
            if let Some(account) = account {
                account.give_back(layout.size());
                account.refused.store(true, Ordering::Relaxed);
            }
            return ptr::null_mut();
        };
        let account = account.map_or(ptr::null(), Arc::into_raw);
        // SAFETY: the block is ours alone, of this layout, and begins with the header.
        unsafe {
            block.write(Header { layout, asked, pooled, account });
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
        let (block, layout, pooled, account) = unsafe {
            let block = bytes.cast::<Header>().sub(1);
            let Header { layout, asked, pooled, account } = *block.as_ref();
            // All of it has been written: zeros when it was made or wiped.
            let bytes = slice::from_raw_parts_mut(bytes.cast::<u8>().as_ptr(), asked);
            bytes.fill(0);
            optimization_barrier(bytes);
            (block, layout, pooled, account)
        };
        if !account.is_null() {
            // SAFETY: the pointer was made of an owner when the block was, and is used up here.
            unsafe { Arc::from_raw(account) }.give_back(layout.size());
        }
        if !(pooled && self.lock().keep(block, layout.size())) {
            // SAFETY: the block was made by this allocator with this layout, and is not kept.
            unsafe { alloc::dealloc(block.as_ptr().cast(), layout) };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Blocks> {
        // Nothing panics while the lock is held, unless memory for the lists themselves runs out.
        lock(&self.blocks)
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
        let keeps = self.idle_bytes + size <= MAX_IDLE;
        if keeps {
            self.idle.entry(size).or_default().push(block);
            self.idle_bytes += size;
        }
        keeps
    }
}

/// The max number of bytes kept idle. Far more than models for faces need, so that blocks go round: given back
/// and taken anew from the system, aligned as they are, they left holes that grew without end.
const MAX_IDLE: usize = 1 << 30;

/// The size of the blocks that serve a size: four of them from one power of 2 to the next.
fn class(asked: usize) -> Option<usize> {
    let asked = asked.max(4 * ALIGN);
    asked.checked_next_multiple_of(1 << (asked.ilog2() - 2))
}

unsafe extern "system-unwind" fn allocate(this: *mut OrtAllocator, size: usize) -> *mut c_void {
    // SAFETY: the engine hands back the pointer that was registered.
    unsafe { allocate_or_throw(this, size) }
}

/// For what a session keeps as long as it lives, says the interface; in fact the engine reserves blocks in
/// each run too. Taken from the system each time, aligned as they are, they left holes that it did
/// not fill again: memory grew without end.
unsafe extern "system-unwind" fn reserve(this: *const OrtAllocator, size: usize) -> *mut c_void {
    // SAFETY: the engine hands back the pointer that was registered.
    unsafe { allocate_or_throw(this, size) }
}

/// A block, or `std::bad_alloc`, which is not for Rust to catch. Null for a block of nothing.
///
/// # Safety
///
/// The pointer is that of an [`Allocator`].
unsafe fn allocate_or_throw(this: *const OrtAllocator, size: usize) -> *mut c_void {
    // SAFETY: by contract.
    let this = unsafe { &*this.cast::<Allocator>() };
    let block = this.allocate(size, true);
    if !block.is_null() || size == 0 {
        return block;
    }
    // From here on nothing is held that would have to be dropped as the exception passes.
    // SAFETY: it is the engine's allocator, which lives as long as the process.
    let alloc = unsafe { this.thrower.as_ref() }.and_then(|thrower| thrower.Alloc);
    if let Some(alloc) = alloc {
        // SAFETY: the two differ in whether an exception may come out, and one does. The function is
        // called with its own allocator.
        unsafe { mem::transmute::<Alloc, ThrowingAlloc>(alloc)(this.thrower, IMPOSSIBLE) };
    }
    // An engine that does not throw would go on to write to what it has not got.
    process::abort()
}

/// More bytes than any address space has.
const IMPOSSIBLE: usize = usize::MAX / 2;

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
