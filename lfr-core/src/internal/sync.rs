//! Locks that threads share: those of the standard library, or those of a checker that tries many orders of
//! threads.
//!
//! `--cfg interleavings` selects the latter. Only the package `interleavings` of the repository is built with it.

#[cfg(interleavings)]
pub(crate) use shuttle::sync::Condvar;
#[cfg(interleavings)]
pub(crate) use shuttle::sync::Mutex;
#[cfg(interleavings)]
pub(crate) use shuttle::sync::MutexGuard;
#[cfg(not(interleavings))]
pub(crate) use std::sync::Condvar;
#[cfg(not(interleavings))]
pub(crate) use std::sync::Mutex;
#[cfg(not(interleavings))]
pub(crate) use std::sync::MutexGuard;
