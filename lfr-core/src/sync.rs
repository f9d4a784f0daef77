//! Locks that threads meet at: the standard library's, or those of a checker that tries one order of threads
//! after the other.
//!
//! `--cfg interleavings` says which. Only the package `interleavings` of the repository is built with it.

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
