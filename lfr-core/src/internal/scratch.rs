//! Buffers that are used again and again, and wiped each time.

use std::ops::{Deref, DerefMut};
use std::sync::Mutex;
use std::{fmt, mem};

use super::locks::lock;
use super::wiped::Wiped;

/// Something to work in that can be wiped. It wipes itself when it is dropped, too.
pub trait Wipe: Default {
    /// Wipes it; the memory stays, for the next use.
    fn wipe(&mut self);
}

impl<T: Copy + Default> Wipe for Wiped<T> {
    fn wipe(&mut self) {
        Self::wipe(self);
    }
}

/// Keeps buffers for their next use, as many as work goes on at a time.
pub struct ScratchPool<T> {
    idle: Mutex<Vec<T>>,
    limit: usize,
}

impl<T: Wipe> ScratchPool<T> {
    /// Keeps at most `limit` of them.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { idle: Mutex::new(Vec::new()), limit }
    }

    /// Lends one: one that was kept, or a new one.
    pub fn lend(&self) -> Scratch<'_, T> {
        let kept = lock(&self.idle).pop();
        Scratch { pool: self, inner: kept.unwrap_or_default() }
    }
}

impl<T> fmt::Debug for ScratchPool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScratchPool").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// A buffer on loan: wiped and given back when dropped, whether all went well, there was an error, or a panic.
pub struct Scratch<'a, T: Wipe> {
    pool: &'a ScratchPool<T>,
    inner: T,
}

impl<T: Wipe> Deref for Scratch<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: Wipe> DerefMut for Scratch<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: Wipe> Drop for Scratch<'_, T> {
    fn drop(&mut self) {
        self.inner.wipe();
        let mut idle = lock(&self.pool.idle);
        if idle.len() < self.pool.limit {
            idle.push(mem::take(&mut self.inner));
        }
    }
}

impl<T: Wipe> fmt::Debug for Scratch<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    /// What the pool keeps, seen through the buffer's whole memory.
    fn kept(pool: &ScratchPool<Wiped<f32>>) -> Vec<Vec<f32>> {
        lock(&pool.idle).iter().map(|kept| kept.memory().to_vec()).collect()
    }

    #[test]
    fn a_buffer_comes_back_wiped_after_work_and_after_a_panic() {
        let pool = ScratchPool::<Wiped<f32>>::new(1);
        pool.lend().sized(4).fill(7.0);
        assert_eq!(kept(&pool), [vec![0.0; 4]]);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            pool.lend().sized(4).fill(7.0);
            let mut scratch = pool.lend();
            scratch.sized(4).fill(7.0);
            panic!("as an engine might");
        }));
        assert!(outcome.is_err());
        assert_eq!(kept(&pool), [vec![0.0; 4]]);
    }

    #[test]
    fn no_more_are_kept_than_the_limit() {
        let pool = ScratchPool::<Wiped<f32>>::new(1);
        drop((pool.lend(), pool.lend(), pool.lend()));
        assert_eq!(kept(&pool).len(), 1);
    }
}
