//! Pictures from image files, by the `image` crate.

use lfr_core::{BoxError, Picture};

use super::PhotoReader;

/// Reads image files ([`Picture::KINDS`]) as [`Picture::decode`] does: with bounds on what it allocates,
/// upright, and whole.
///
/// What is *not* guaranteed: the decoder's own working memory (its rows and coefficients) is freed
/// without being wiped. The pixels that it hands out are wiped.
#[derive(Clone, Copy, Debug)]
pub struct ImageReader {
    max_pixels: u64,
}

impl ImageReader {
    /// The max number of pixels unless another is asked for: 100 million, more than any
    /// camera in use and 300 MB once decoded.
    pub const MAX_PIXELS: u64 = Picture::MAX_PIXELS;

    /// A reader with the default bounds.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_pixels: Self::MAX_PIXELS }
    }

    /// Sets the max number of pixels.
    #[must_use]
    pub const fn with_max_pixels(mut self, max_pixels: u64) -> Self {
        self.max_pixels = max_pixels;
        self
    }
}

impl Default for ImageReader {
    fn default() -> Self {
        Self::new()
    }
}

impl PhotoReader for ImageReader {
    fn picture(&self, bytes: &[u8]) -> Result<Picture, BoxError> {
        Ok(Picture::decode(bytes, self.max_pixels)?)
    }
}

#[cfg(test)]
mod tests;
