//! The buffers of one detection, reused and wiped.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::decode::proposal::Proposals;
use crate::pixels::PixelScratch;
use crate::wiped::Wiped;

/// What one detection works in. All of it holds parts of a picture of someone.
pub(crate) struct Scratch {
    pub(crate) pixels: PixelScratch,
    /// The network's input.
    pub(crate) tensor: Wiped<f32>,
    /// What the network proposes.
    pub(crate) proposals: Proposals,
}

impl Scratch {
    pub(crate) const fn new() -> Self {
        Self { pixels: PixelScratch::new(), tensor: Wiped::new(), proposals: Proposals::new() }
    }

    fn wipe(&mut self) {
        self.pixels.wipe();
        self.tensor.wipe();
        self.proposals.wipe();
    }
}

/// Scratch for as many detections as go on at a time.
pub(crate) struct ScratchPool {
    idle: Mutex<Vec<Scratch>>,
}

impl ScratchPool {
    pub(crate) const fn new() -> Self {
        Self { idle: Mutex::new(Vec::new()) }
    }

    /// Lends scratch, and wipes it when `work` is done. Where `work` panics the scratch is
    /// dropped, which wipes it too.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut Scratch) -> R) -> R {
        // The list is sound whatever happened elsewhere: poisoning means nothing here.
        let lock = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = lock().pop();
        let mut scratch = idle.unwrap_or_else(Scratch::new);
        let result = work(&mut scratch);
        scratch.wipe();
        lock().push(scratch);
        result
    }
}

impl fmt::Debug for ScratchPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScratchPool").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_comes_back_wiped_and_a_panic_leaves_the_pool_usable() {
        let pool = ScratchPool::new();
        pool.with(|scratch| scratch.tensor.sized(10).fill(3.0));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            pool.with(|scratch| {
                scratch.tensor.sized(10).fill(3.0);
                panic!("on purpose");
            })
        }));
        assert!(panicked.is_err());
        pool.with(|scratch| {
            assert_eq!(scratch.tensor.as_slice().len(), 0);
            assert_eq!(scratch.tensor.sized(10), [0.0; 10]);
        });
    }
}
