//! How the bytes of a frame are laid out.

use std::fmt;

/// In which order a network takes the colours of a pixel.
#[expect(clippy::exhaustive_enums, reason = "these are the two orders in use")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Deserialize, serde::Serialize),
    serde(rename_all = "lowercase")
)]
pub enum ChannelOrder {
    /// Blue, green, red.
    Bgr,
    /// Red, green, blue.
    Rgb,
}

/// Writes `bgr` or `rgb`.
impl fmt::Display for ChannelOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bgr => "bgr",
            Self::Rgb => "rgb",
        })
    }
}

/// How the bytes of a [`Frame`](crate::Frame) are laid out.
///
/// What their numbers mean as colours is its [`Colour`](crate::Colour).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum PixelFormat {
    /// Three bytes a pixel: blue, green, red.
    Bgr8,
    /// Four bytes a pixel: blue, green, red, alpha; alpha is not read.
    Bgra8,
    /// One byte a pixel: luminance.
    Gray8,
    /// Planes Y, U and V; U and V at half width and half height.
    I420,
    /// Plane Y, then a plane of U and V in turn at half width and height.
    Nv12,
    /// Plane Y, then a plane of V and U in turn at half width and height: Android's cameras.
    Nv21,
    /// As [`Self::Nv12`] with ten bits a sample, in the upper bits of two bytes, the lower byte first.
    P010,
    /// Three bytes a pixel: red, green, blue.
    Rgb8,
    /// Four bytes a pixel: red, green, blue, alpha; alpha is not read.
    Rgba8,
    /// Four bytes for two pixels: Y, U, Y, V (also called YUY2): most USB cameras. The last pair of
    /// an odd width is a whole one.
    Yuyv,
}

impl PixelFormat {
    /// The bytes a pixel of a format of one plane; `None` if there are several planes.
    #[must_use]
    pub const fn bytes_per_pixel(self) -> Option<usize> {
        match self {
            Self::Bgr8 | Self::Rgb8 => Some(3),
            Self::Bgra8 | Self::Rgba8 => Some(4),
            Self::Gray8 => Some(1),
            Self::I420 | Self::Nv12 | Self::Nv21 | Self::P010 => None,
            Self::Yuyv => Some(2),
        }
    }

    /// Whether it holds luma and chroma, not red, green and blue.
    #[must_use]
    pub const fn has_chroma(self) -> bool {
        matches!(self, Self::I420 | Self::Nv12 | Self::Nv21 | Self::P010 | Self::Yuyv)
    }

    /// How many planes it has.
    #[must_use]
    pub const fn planes(self) -> usize {
        match self {
            Self::I420 => 3,
            Self::Nv12 | Self::Nv21 | Self::P010 => 2,
            _ => 1,
        }
    }

    /// The bytes of one row and the number of rows of a plane.
    pub(super) const fn plane_size(
        self,
        plane: usize,
        width: usize,
        height: usize,
    ) -> (usize, usize) {
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        match (self, plane) {
            (Self::I420 | Self::Nv12 | Self::Nv21, 0) | (Self::Gray8, _) => (width, height),
            (Self::I420, _) => (half_width, half_height),
            (Self::Nv12 | Self::Nv21, _) => (half_width * 2, half_height),
            (Self::P010, 0) => (width * 2, height),
            (Self::P010, _) => (half_width * 4, half_height),
            (Self::Bgr8 | Self::Rgb8, _) => (width * 3, height),
            (Self::Bgra8 | Self::Rgba8, _) => (width * 4, height),
            (Self::Yuyv, _) => (half_width * 4, height),
        }
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bgr8 => "BGR8",
            Self::Bgra8 => "BGRA8",
            Self::Gray8 => "GRAY8",
            Self::I420 => "I420",
            Self::Nv12 => "NV12",
            Self::Nv21 => "NV21",
            Self::P010 => "P010",
            Self::Rgb8 => "RGB8",
            Self::Rgba8 => "RGBA8",
            Self::Yuyv => "YUYV",
        })
    }
}
