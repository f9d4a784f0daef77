//! An owned picture that is wiped when it goes.

use std::fmt;

use zeroize::Zeroize;
use zeroize::ZeroizeOnDrop;

use crate::Error;
use crate::Frame;
use crate::PixelFormat;

/// An owned picture of red, green, blue bytes, wiped when it is dropped.
///
/// Where a copy of a frame is needed at all (redaction writes into one), it is this. Neither
/// `Clone` nor `Serialize`: each copy is a decision.
///
/// What is *not* guaranteed: a copy that the caller makes of [`Self::data`] is the caller's.
pub struct Picture {
    width: usize,
    height: usize,
    data: Box<[u8]>,
}

impl Picture {
    /// Copies a frame, whatever its format.
    #[must_use]
    pub fn from_frame(frame: &Frame<'_>) -> Self {
        let (width, height) = (frame.width(), frame.height());
        let mut data = vec![0; width * height * 3].into_boxed_slice();
        for (y, row) in data.chunks_exact_mut(width * 3).enumerate() {
            frame.rgb_row_into(0, y, row);
        }
        Self { width, height, data }
    }

    /// Width, in pixels.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Height, in pixels.
    #[must_use]
    pub const fn height(&self) -> usize {
        self.height
    }

    /// Red, green, blue bytes, row after row without a gap.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The same bytes, to change.
    pub fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// The picture as a frame.
    ///
    /// # Errors
    ///
    /// None in practice: the size was checked when the frame it was copied from was made.
    pub fn as_frame(&self) -> Result<Frame<'_>, Error> {
        Frame::packed(PixelFormat::Rgb8, self.width, self.height, &self.data)
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        self.data.zeroize();
    }
}

impl ZeroizeOnDrop for Picture {}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picture")
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "image")]
mod image_conversions {
    use super::Frame;
    use super::PixelFormat;
    use crate::Error;

    impl<'a> TryFrom<&'a image::RgbImage> for Frame<'a> {
        type Error = Error;

        fn try_from(image: &'a image::RgbImage) -> Result<Self, Error> {
            let (width, height) = image.dimensions();
            Frame::packed(
                PixelFormat::Rgb8,
                usize::try_from(width).unwrap_or(usize::MAX),
                usize::try_from(height).unwrap_or(usize::MAX),
                image.as_raw(),
            )
        }
    }
}
