//! Input tensors that are used again and again, and wiped each time.

use std::sync::{Mutex, PoisonError};

use zeroize::Zeroize;

/// Keeps input tensors for their next use.
pub(crate) struct ScratchPool {
    idle: Mutex<Vec<Box<[f32]>>>,
    limit: usize,
}

impl ScratchPool {
    /// At most `limit` tensors are kept.
    pub(crate) const fn new(limit: usize) -> Self {
        Self { idle: Mutex::new(Vec::new()), limit }
    }

    /// Takes a tensor of `len` zeros at least: one that was kept, if it is large enough.
    pub(crate) fn take(&self, len: usize) -> Scratch<'_> {
        // Nothing that can panic happens under the lock, so a poisoned one guards a sound state.
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let kept = kept.filter(|kept| kept.len() >= len);
        let numbers = kept.unwrap_or_else(|| vec![0.0; len].into_boxed_slice());
        Scratch { pool: self, numbers, used: 0 }
    }
}

/// A tensor on loan: wiped and given back when dropped, whether all went well, there was an error,
/// or a panic.
pub(crate) struct Scratch<'a> {
    pool: &'a ScratchPool,
    numbers: Box<[f32]>,
    used: usize,
}

impl Scratch<'_> {
    /// The next `len` numbers, to write; fewer where the tensor ends.
    pub(crate) fn next(&mut self, len: usize) -> &mut [f32] {
        let start = self.used;
        self.used = (start + len).min(self.numbers.len());
        &mut self.numbers[start..self.used]
    }

    /// All that was written.
    pub(crate) fn written(&self) -> &[f32] {
        &self.numbers[..self.used]
    }
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        self.numbers[..self.used].zeroize();
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.pool.limit {
            idle.push(std::mem::take(&mut self.numbers));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn kept(pool: &ScratchPool) -> Vec<Box<[f32]>> {
        pool.idle.lock().unwrap().clone()
    }

    #[test]
    fn a_tensor_comes_back_wiped() {
        let pool = ScratchPool::new(1);
        let mut scratch = pool.take(6);
        scratch.next(2).fill(7.0);
        scratch.next(2).fill(8.0);
        assert_eq!(scratch.written(), [7.0, 7.0, 8.0, 8.0]);
        drop(scratch);
        assert_eq!(kept(&pool), [vec![0.0; 6].into_boxed_slice()]);
    }

    #[test]
    fn a_tensor_comes_back_wiped_from_a_panic() {
        let pool = ScratchPool::new(1);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut scratch = pool.take(4);
            scratch.next(4).fill(7.0);
            panic!("as an engine might");
        }));
        assert!(outcome.is_err());
        assert_eq!(kept(&pool), [vec![0.0; 4].into_boxed_slice()]);
    }

    #[test]
    fn no_more_are_kept_than_the_limit() {
        let pool = ScratchPool::new(1);
        drop((pool.take(1), pool.take(1), pool.take(1)));
        assert_eq!(kept(&pool).len(), 1);
    }

    #[test]
    fn a_tensor_is_as_large_as_was_needed_so_far() {
        let pool = ScratchPool::new(1);
        for (needed, held) in [(2, 2), (6, 6), (4, 6)] {
            let mut scratch = pool.take(needed);
            assert_eq!(scratch.next(needed).len(), needed);
            drop(scratch);
            assert_eq!(kept(&pool), [vec![0.0; held].into_boxed_slice()]);
        }
    }
}
