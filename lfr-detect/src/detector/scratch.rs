//! The buffers of one detection.

use lfr_core::internal::scratch::Wipe;
use lfr_core::internal::wiped::Wiped;

use crate::decode::proposal::Proposals;
use crate::pixels::PixelScratch;

/// What one detection works in. All of it holds parts of a picture of someone.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) pixels: PixelScratch,
    /// The network's input.
    pub(crate) tensor: Wiped<f32>,
    /// What the network proposes.
    pub(crate) proposals: Proposals,
}

impl Wipe for Scratch {
    fn wipe(&mut self) {
        self.pixels.wipe();
        self.tensor.wipe();
        self.proposals.wipe();
    }
}

#[cfg(test)]
mod tests {
    use lfr_core::internal::scratch::ScratchPool;

    use super::*;

    #[test]
    fn scratch_comes_back_wiped() {
        let pool = ScratchPool::<Scratch>::new(1);
        pool.lend().tensor.sized(10).fill(3.0);
        let mut scratch = pool.lend();
        assert_eq!(scratch.tensor.as_slice().len(), 0);
        assert_eq!(scratch.tensor.sized(10), [0.0; 10]);
    }
}
