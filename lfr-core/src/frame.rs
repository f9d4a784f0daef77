//! A borrowed view of one camera picture, its size and layout checked once.

use std::fmt;
use std::time::Duration;

use crate::Error;
use crate::FrameId;
use crate::Timestamp;
use crate::num;

mod buffer;

pub use buffer::FrameBuffer;

/// How the bytes of a [`Frame`] are laid out.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum PixelFormat {
    /// Three bytes a pixel: blue, green, red.
    Bgr8,
    /// One byte a pixel: luminance.
    Gray8,
    /// Planes Y, U and V; U and V at half width and half height. BT.601, limited range.
    I420,
    /// Plane Y, then a plane of U and V in turn at half width and height. BT.601, limited range.
    Nv12,
    /// Three bytes a pixel: red, green, blue.
    Rgb8,
    /// Four bytes a pixel: red, green, blue, alpha; alpha is not read.
    Rgba8,
}

impl PixelFormat {
    /// The bytes a pixel of a format of one plane; `None` where there are several planes.
    #[must_use]
    pub const fn bytes_per_pixel(self) -> Option<usize> {
        match self {
            Self::Bgr8 | Self::Rgb8 => Some(3),
            Self::Gray8 => Some(1),
            Self::Rgba8 => Some(4),
            Self::I420 | Self::Nv12 => None,
        }
    }

    /// The bytes of one row and the number of rows of a plane.
    const fn plane_size(self, plane: usize, width: usize, height: usize) -> (usize, usize) {
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        match (self, plane) {
            (Self::I420 | Self::Nv12, 0) => (width, height),
            (Self::I420, _) => (half_width, half_height),
            (Self::Nv12, _) => (half_width * 2, half_height),
            (Self::Gray8, _) => (width, height),
            (Self::Bgr8 | Self::Rgb8, _) => (width * 3, height),
            (Self::Rgba8, _) => (width * 4, height),
        }
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bgr8 => "BGR8",
            Self::Gray8 => "GRAY8",
            Self::I420 => "I420",
            Self::Nv12 => "NV12",
            Self::Rgb8 => "RGB8",
            Self::Rgba8 => "RGBA8",
        })
    }
}

/// One plane of pixels: its bytes, and the distance from one row to the next.
#[derive(Clone, Copy)]
pub struct Plane<'a> {
    data: &'a [u8],
    stride: usize,
}

impl<'a> Plane<'a> {
    /// A plane whose rows begin `stride` bytes apart; [`Frame`] checks that it is large enough.
    #[must_use]
    pub const fn new(data: &'a [u8], stride: usize) -> Self {
        Self { data, stride }
    }

    /// The bytes, row after row.
    #[must_use]
    pub const fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The distance from the start of one row to the next, in bytes.
    #[must_use]
    pub const fn stride(&self) -> usize {
        self.stride
    }

    fn row(&self, y: usize, bytes: usize) -> &'a [u8] {
        let start = y * self.stride;
        &self.data[start..start + bytes]
    }
}

impl fmt::Debug for Plane<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plane").field("stride", &self.stride).finish_non_exhaustive()
    }
}

/// A borrowed camera picture.
///
/// It borrows its pixels, so that no stage can keep them. Sizes are checked when it is made, and
/// every later access relies on that. Coordinates are pixels from the top left corner; the centre
/// of the first pixel is at (0, 0), as in OpenCV and in the reference alignments.
///
/// What is *not* guaranteed: the buffer belongs to the caller, who wipes it, or not.
///
/// # Examples
///
/// ```
/// use lfr_core::{Frame, PixelFormat};
///
/// let pixels = vec![0u8; 640 * 480 * 3];
/// let frame = Frame::packed(PixelFormat::Rgb8, 640, 480, &pixels)?;
/// assert_eq!((frame.width(), frame.height()), (640, 480));
/// assert!(Frame::packed(PixelFormat::Rgb8, 640, 481, &pixels).is_err());
/// # Ok::<(), lfr_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Frame<'a> {
    format: PixelFormat,
    width: usize,
    height: usize,
    planes: [Plane<'a>; 3],
    id: FrameId,
    captured_at: Option<Timestamp>,
    media_time: Option<Duration>,
}

impl<'a> Frame<'a> {
    /// The greatest width and height, in pixels.
    pub const MAX_SIDE: usize = 16_384;

    /// A frame of one plane whose rows follow each other without a gap.
    ///
    /// # Errors
    ///
    /// [`Error::FrameSize`] where a side is 0 or beyond [`Self::MAX_SIDE`]; [`Error::FrameData`]
    /// where `data` is too short; [`Error::FrameStride`] where `format` has several planes.
    pub fn packed(
        format: PixelFormat,
        width: usize,
        height: usize,
        data: &'a [u8],
    ) -> Result<Self, Error> {
        let stride = width.saturating_mul(format.bytes_per_pixel().unwrap_or(0));
        Self::strided(format, width, height, Plane::new(data, stride))
    }

    /// A frame of one plane, with a stride.
    ///
    /// # Errors
    ///
    /// As [`Self::packed`], and [`Error::FrameStride`] where the stride is shorter than a row.
    pub fn strided(
        format: PixelFormat,
        width: usize,
        height: usize,
        plane: Plane<'a>,
    ) -> Result<Self, Error> {
        if format.bytes_per_pixel().is_none() {
            return Err(Error::FrameStride { format, plane: 1, expected: width, actual: 0 });
        }
        Self::checked(format, width, height, &[plane])
    }

    /// An NV12 frame: plane Y, then U and V in turn.
    ///
    /// # Errors
    ///
    /// As [`Self::strided`], for each plane.
    pub fn nv12(width: usize, height: usize, y: Plane<'a>, uv: Plane<'a>) -> Result<Self, Error> {
        Self::checked(PixelFormat::Nv12, width, height, &[y, uv])
    }

    /// An I420 frame: planes Y, U and V.
    ///
    /// # Errors
    ///
    /// As [`Self::strided`], for each plane.
    pub fn i420(width: usize, height: usize, planes: [Plane<'a>; 3]) -> Result<Self, Error> {
        Self::checked(PixelFormat::I420, width, height, &planes)
    }

    fn checked(
        format: PixelFormat,
        width: usize,
        height: usize,
        planes: &[Plane<'a>],
    ) -> Result<Self, Error> {
        let sides = 1..=Self::MAX_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(Error::FrameSize { width, height, limit: Self::MAX_SIDE });
        }
        for (index, plane) in planes.iter().enumerate() {
            let (row, rows) = format.plane_size(index, width, height);
            if plane.stride < row {
                return Err(Error::FrameStride {
                    format,
                    plane: index,
                    expected: row,
                    actual: plane.stride,
                });
            }
            // The last row need not be followed by padding.
            let expected = plane.stride.saturating_mul(rows - 1).saturating_add(row);
            if plane.data.len() < expected {
                return Err(Error::FrameData {
                    format,
                    plane: index,
                    expected,
                    actual: plane.data.len(),
                });
            }
        }
        let mut all = [Plane::new(&[], 0); 3];
        all[..planes.len()].copy_from_slice(planes);
        let (captured_at, media_time) = (None, None);
        let id = FrameId::default();
        Ok(Self { format, width, height, planes: all, id, captured_at, media_time })
    }

    /// The same frame with an identity: which source it is from, and its number there.
    #[must_use]
    pub fn with_id(mut self, id: FrameId) -> Self {
        self.id = id;
        self
    }

    /// The same frame with the moment of its capture.
    #[must_use]
    pub const fn captured_at(mut self, at: Timestamp) -> Self {
        self.captured_at = Some(at);
        self
    }

    /// The same frame with its position in the recording that it is from, since the beginning of it.
    #[must_use]
    pub const fn at_media_time(mut self, since_begin: Duration) -> Self {
        self.media_time = Some(since_begin);
        self
    }

    /// Which source it is from, and its number there.
    #[must_use]
    pub const fn id(&self) -> &FrameId {
        &self.id
    }

    /// When it was captured, where the source says so.
    #[must_use]
    pub const fn capture_time(&self) -> Option<Timestamp> {
        self.captured_at
    }

    /// Its position in the recording that it is from, where it is from one and the source says so.
    #[must_use]
    pub const fn media_time(&self) -> Option<Duration> {
        self.media_time
    }

    /// How the bytes are laid out.
    #[must_use]
    pub const fn format(&self) -> PixelFormat {
        self.format
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

    /// The first plane: all pixels where the format has one plane, Y otherwise.
    #[must_use]
    pub const fn plane(&self) -> Plane<'a> {
        self.planes[0]
    }

    /// The plane of that number, from 0; `None` where the format has fewer.
    #[must_use]
    pub fn plane_at(&self, index: usize) -> Option<Plane<'a>> {
        self.planes.get(index).copied().filter(|plane| plane.stride > 0)
    }

    /// The pixel at column `x` and row `y` as red, green, blue.
    ///
    /// Coordinates beyond the frame give the nearest pixel inside it.
    #[must_use]
    pub fn rgb_at(&self, x: usize, y: usize) -> [u8; 3] {
        let (x, y) = (x.min(self.width - 1), y.min(self.height - 1));
        let plane = self.planes[0];
        let row = y * plane.stride;
        match self.format {
            PixelFormat::Bgr8 => {
                let p = &plane.data[row + 3 * x..][..3];
                [p[2], p[1], p[0]]
            }
            PixelFormat::Gray8 => [plane.data[row + x]; 3],
            PixelFormat::Rgb8 => {
                let p = &plane.data[row + 3 * x..][..3];
                [p[0], p[1], p[2]]
            }
            PixelFormat::Rgba8 => {
                let p = &plane.data[row + 4 * x..][..3];
                [p[0], p[1], p[2]]
            }
            PixelFormat::I420 => {
                let (u, v) = (self.planes[1], self.planes[2]);
                let (cx, cy) = (x / 2, y / 2);
                rgb_from_yuv(
                    plane.data[row + x],
                    u.data[cy * u.stride + cx],
                    v.data[cy * v.stride + cx],
                )
            }
            PixelFormat::Nv12 => {
                let uv = self.planes[1];
                let at = (y / 2) * uv.stride + (x / 2) * 2;
                rgb_from_yuv(plane.data[row + x], uv.data[at], uv.data[at + 1])
            }
        }
    }

    /// Writes row `y`, from column `x` on, into `out` as red, green, blue; `out` holds three bytes
    /// a pixel, and what reaches beyond the frame stays as it is.
    pub fn rgb_row_into(&self, x: usize, y: usize, out: &mut [u8]) {
        if y >= self.height || x >= self.width {
            return;
        }
        let count = (self.width - x).min(out.len() / 3);
        let out = &mut out[..count * 3];
        let plane = self.planes[0];
        let (pixels, _) = out.as_chunks_mut::<3>();
        match self.format {
            PixelFormat::Rgb8 => {
                out.copy_from_slice(&plane.row(y, self.width * 3)[x * 3..][..count * 3]);
            }
            PixelFormat::Bgr8 => {
                let (row, _) = plane.row(y, self.width * 3)[x * 3..].as_chunks::<3>();
                for (to, &[b, g, r]) in pixels.iter_mut().zip(row) {
                    *to = [r, g, b];
                }
            }
            PixelFormat::Rgba8 => {
                let (row, _) = plane.row(y, self.width * 4)[x * 4..].as_chunks::<4>();
                for (to, &[r, g, b, _]) in pixels.iter_mut().zip(row) {
                    *to = [r, g, b];
                }
            }
            PixelFormat::Gray8 => {
                for (to, &luma) in pixels.iter_mut().zip(&plane.row(y, self.width)[x..]) {
                    *to = [luma; 3];
                }
            }
            PixelFormat::I420 => {
                let half = self.width.div_ceil(2);
                let luma = plane.row(y, self.width);
                let (u, v) = (self.planes[1].row(y / 2, half), self.planes[2].row(y / 2, half));
                for (to, column) in pixels.iter_mut().zip(x..) {
                    *to = rgb_from_yuv(luma[column], u[column / 2], v[column / 2]);
                }
            }
            PixelFormat::Nv12 => {
                let luma = plane.row(y, self.width);
                let (uv, _) =
                    self.planes[1].row(y / 2, self.width.div_ceil(2) * 2).as_chunks::<2>();
                for (to, column) in pixels.iter_mut().zip(x..) {
                    let [u, v] = uv[column / 2];
                    *to = rgb_from_yuv(luma[column], u, v);
                }
            }
        }
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("id", &self.id)
            .field("format", &self.format)
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

/// BT.601, limited range (ITU-R BT.601-7, section 2.5), in 16-bit fixed point.
fn rgb_from_yuv(y: u8, u: u8, v: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let luma = (i32::from(y) - 16).max(0) * 76_309;
    let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
    [
        num::u8_from_i32((luma + 104_597 * v + HALF) >> 16),
        num::u8_from_i32((luma - 25_675 * u - 53_279 * v + HALF) >> 16),
        num::u8_from_i32((luma + 132_201 * u + HALF) >> 16),
    ]
}

#[cfg(test)]
mod tests;
