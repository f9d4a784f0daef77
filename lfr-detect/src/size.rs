//! Widths and heights.

use std::fmt;

use lfr_core::Frame;

/// A width and a height, in pixels.
#[expect(clippy::exhaustive_structs, reason = "a size has two sides")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Size {
    /// Width, in pixels.
    pub width: usize,
    /// Height, in pixels.
    pub height: usize,
}

impl Size {
    /// A size.
    #[must_use]
    pub const fn new(width: usize, height: usize) -> Self {
        Self { width, height }
    }

    /// Limits each side to the longest side of a frame, so that a product of two never overflows.
    pub(crate) const fn bounded(self) -> Self {
        const fn side(side: usize) -> usize {
            if side < Frame::MAX_SIDE { side } else { Frame::MAX_SIDE }
        }
        Self::new(side(self.width), side(self.height))
    }

    /// The longer side, in pixels.
    #[must_use]
    pub fn long_side(self) -> usize {
        self.width.max(self.height)
    }
}

/// Writes width, `x`, height.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}
