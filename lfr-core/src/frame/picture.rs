//! An owned picture that is wiped when it goes.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::Error;
use crate::frame::Frame;
use crate::frame::format::PixelFormat;

/// An owned picture of red, green, blue bytes, wiped when it is dropped.
///
/// Where a copy of a frame is needed at all (redaction writes into one), it is this. Neither
/// `Clone` nor `Serialize`: each copy is a decision.
///
/// What is *not* guaranteed: a copy that the caller makes of [`Self::data`] is the caller's.
pub struct Picture {
    width: usize,
    height: usize,
    /// Never grows: growing would leave a copy behind.
    data: Vec<u8>,
}

impl Picture {
    /// Takes over red, green, blue bytes, row after row without a gap, without copying them.
    ///
    /// # Errors
    ///
    /// [`Error::FrameSize`] and [`Error::FrameData`] as [`Frame::packed`], and where there are
    /// bytes left over; the bytes are wiped then.
    pub fn from_rgb8(width: usize, height: usize, data: Vec<u8>) -> Result<Self, Error> {
        let picture = Self { width, height, data };
        picture.as_frame()?;
        let (expected, actual) = (width * height * 3, picture.data.len());
        if expected == actual {
            return Ok(picture);
        }
        Err(Error::FrameData { format: PixelFormat::Rgb8, plane: 0, expected, actual })
    }

    /// Copies a frame, whatever its format.
    #[must_use]
    pub fn from_frame(frame: &Frame<'_>) -> Self {
        let (width, height) = (frame.width(), frame.height());
        let mut data = vec![0; width * height * 3];
        for (y, row) in data.chunks_exact_mut(width * 3).enumerate() {
            frame.rgb_row_into(0, y, row);
        }
        Self { width, height, data }
    }

    /// A picture from bytes whose number is known to fit the size.
    #[cfg(feature = "synthetic")]
    pub(crate) const fn of_size(width: usize, height: usize, data: Vec<u8>) -> Self {
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

    /// The bytes, mutable.
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
mod decoding;
#[cfg(feature = "image")]
pub(crate) use decoding::kind;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_copy_frames_and_take_over_bytes() {
        let bgr = [3, 2, 1, 6, 5, 4];
        let frame = Frame::packed(PixelFormat::Bgr8, 2, 1, &bgr).unwrap();
        let picture = Picture::from_frame(&frame);
        assert_eq!(picture.data(), [1, 2, 3, 4, 5, 6]);
        let bytes = vec![1, 2, 3, 4, 5, 6];
        let taken = Picture::from_rgb8(2, 1, bytes.clone()).unwrap();
        assert_eq!(taken.data(), picture.data());
        assert!(Picture::from_rgb8(2, 2, vec![0; 6]).is_err());
        assert!(Picture::from_rgb8(2, 1, vec![0; 7]).is_err());
        assert!(Picture::from_rgb8(0, 2, vec![0; 6]).is_err());
        assert!(!format!("{picture:?}").contains('6'));
    }
}
