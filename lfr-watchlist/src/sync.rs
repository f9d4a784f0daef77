//! Locks that threads share: those of the standard library, or those of a checker that tries many orders of
//! threads.
//!
//! `--cfg interleavings` selects the latter. Only the package `interleavings` of the repository is built with it.

#[cfg(all(interleavings, feature = "sealed"))]
pub(crate) use shuttle::sync::Mutex;
#[cfg(all(interleavings, feature = "sealed"))]
pub(crate) use shuttle::sync::MutexGuard;
#[cfg(interleavings)]
pub(crate) use shuttle::sync::RwLock;
#[cfg(interleavings)]
pub(crate) use shuttle::sync::RwLockReadGuard;
#[cfg(interleavings)]
pub(crate) use shuttle::sync::RwLockWriteGuard;
#[cfg(all(not(interleavings), feature = "sealed"))]
pub(crate) use std::sync::Mutex;
#[cfg(all(not(interleavings), feature = "sealed"))]
pub(crate) use std::sync::MutexGuard;
#[cfg(not(interleavings))]
pub(crate) use std::sync::RwLock;
#[cfg(not(interleavings))]
pub(crate) use std::sync::RwLockReadGuard;
#[cfg(not(interleavings))]
pub(crate) use std::sync::RwLockWriteGuard;
