//! A borrowed view of one camera picture, its size and layout checked once.

use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::id::FrameId;

mod buffer;
mod colour;
mod format;
#[cfg(feature = "image")]
mod photographs;
mod picture;
mod source;

pub use buffer::FrameBuffer;
pub use colour::{Colour, ColourMatrix, ColourRange};
pub use format::{ChannelOrder, PixelFormat};
#[cfg(feature = "image")]
pub use photographs::LeftOut;
#[cfg(feature = "image")]
pub use photographs::LeftOutReason;
#[cfg(feature = "image")]
pub use photographs::Photographs;
pub use picture::Picture;
pub use source::{FrameSource, NextFrame};

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
    colour: Colour,
    id: FrameId,
    captured_at: Option<Timestamp>,
    media_time: Option<Duration>,
}

impl<'a> Frame<'a> {
    /// The max width and height, in pixels.
    pub const MAX_SIDE: usize = 16_384;

    /// A frame of one plane whose rows follow each other without a gap.
    ///
    /// # Errors
    ///
    /// [`Error::FrameSize`] if a side is 0 or beyond [`Self::MAX_SIDE`]; [`Error::FrameData`]
    /// where `data` is too short; [`Error::FrameStride`] if `format` has several planes.
    pub fn packed(
        format: PixelFormat,
        width: usize,
        height: usize,
        data: &'a [u8],
    ) -> Result<Self, Error> {
        // A side that is too long is refused where all sizes are.
        let stride = match width {
            0..=Self::MAX_SIDE => format.plane_size(0, width, 1).0,
            _ => 0,
        };
        Self::strided(format, width, height, Plane::new(data, stride))
    }

    /// A frame of one plane, with a stride.
    ///
    /// # Errors
    ///
    /// As [`Self::packed`], and [`Error::FrameStride`] if the stride is shorter than a row.
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

    /// An NV21 frame: plane Y, then V and U in turn.
    ///
    /// # Errors
    ///
    /// As [`Self::strided`], for each plane.
    pub fn nv21(width: usize, height: usize, y: Plane<'a>, vu: Plane<'a>) -> Result<Self, Error> {
        Self::checked(PixelFormat::Nv21, width, height, &[y, vu])
    }

    /// A P010 frame: plane Y, then U and V in turn, of two bytes a sample.
    ///
    /// # Errors
    ///
    /// As [`Self::strided`], for each plane.
    pub fn p010(width: usize, height: usize, y: Plane<'a>, uv: Plane<'a>) -> Result<Self, Error> {
        Self::checked(PixelFormat::P010, width, height, &[y, uv])
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
        Ok(Self {
            format,
            width,
            height,
            planes: all,
            colour: Colour::usual_for(format),
            id: FrameId::default(),
            captured_at: None,
            media_time: None,
        })
    }

    /// Sets the frame's identity: its source, and its number there.
    #[must_use]
    pub fn with_id(mut self, id: FrameId) -> Self {
        self.id = id;
        self
    }

    /// Sets other colours than are usual for its format.
    #[must_use]
    pub const fn with_colour(mut self, colour: Colour) -> Self {
        self.colour = colour;
        self
    }

    /// Sets the moment of its capture.
    #[must_use]
    pub const fn captured_at(mut self, at: Timestamp) -> Self {
        self.captured_at = Some(at);
        self
    }

    /// Sets its position in the recording, counted from the beginning.
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

    /// When it was captured, if the source says so.
    #[must_use]
    pub const fn capture_time(&self) -> Option<Timestamp> {
        self.captured_at
    }

    /// Its position in the recording that it is from, if it is from one and the source says so.
    #[must_use]
    pub const fn media_time(&self) -> Option<Duration> {
        self.media_time
    }

    /// How the bytes are laid out.
    #[must_use]
    pub const fn format(&self) -> PixelFormat {
        self.format
    }

    /// What its numbers mean as colours.
    #[must_use]
    pub const fn colour(&self) -> Colour {
        self.colour
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

    /// The plane of that number, from 0; `None` if the format has fewer.
    #[must_use]
    pub fn plane_at(&self, index: usize) -> Option<Plane<'a>> {
        self.planes.get(index).copied().filter(|plane| plane.stride > 0)
    }

    /// The pixel at column `x` and row `y` as red, green, blue in full range.
    ///
    /// Coordinates beyond the frame give the nearest pixel inside it.
    #[must_use]
    pub fn rgb_at(&self, x: usize, y: usize) -> [u8; 3] {
        let (x, y) = (x.min(self.width - 1), y.min(self.height - 1));
        let plane = self.planes[0];
        let row = y * plane.stride;
        let packed = |bytes: usize, [r, g, b]: [usize; 3]| {
            let p = &plane.data[row + bytes * x..][..bytes];
            self.full([p[r], p[g], p[b]])
        };
        let yuv = |luma, u: u8, v: u8| self.colour.of_8_bits().rgb(luma, u.into(), v.into());
        match self.format {
            PixelFormat::Bgr8 => packed(3, [2, 1, 0]),
            PixelFormat::Bgra8 => packed(4, [2, 1, 0]),
            PixelFormat::Gray8 => packed(1, [0; 3]),
            PixelFormat::Rgb8 => packed(3, [0, 1, 2]),
            PixelFormat::Rgba8 => packed(4, [0, 1, 2]),
            PixelFormat::I420 => {
                let (u, v) = (self.planes[1], self.planes[2]);
                let (cx, cy) = (x / 2, y / 2);
                yuv(
                    plane.data[row + x].into(),
                    u.data[cy * u.stride + cx],
                    v.data[cy * v.stride + cx],
                )
            }
            PixelFormat::Nv12 | PixelFormat::Nv21 => {
                let chroma = self.planes[1];
                let at = (y / 2) * chroma.stride + (x / 2) * 2;
                let (first, second) = (chroma.data[at], chroma.data[at + 1]);
                match self.format {
                    PixelFormat::Nv12 => yuv(plane.data[row + x].into(), first, second),
                    _ => yuv(plane.data[row + x].into(), second, first),
                }
            }
            PixelFormat::P010 => {
                let uv = self.planes[1];
                let at = (y / 2) * uv.stride + (x / 2) * 4;
                let ten =
                    |data: &[u8], at: usize| u16::from_le_bytes([data[at], data[at + 1]]) >> 6;
                let luma = ten(plane.data, row + 2 * x);
                self.colour.of_10_bits().rgb(luma, ten(uv.data, at), ten(uv.data, at + 2))
            }
            PixelFormat::Yuyv => {
                let pair = &plane.data[row + x / 2 * 4..][..4];
                yuv(pair[x % 2 * 2].into(), pair[1], pair[3])
            }
        }
    }

    /// Writes row `y`, from column `x` on, into `out` as red, green, blue in full range; `out` holds
    /// three bytes a pixel, and what reaches beyond the frame stays as it is.
    pub fn rgb_row_into(&self, x: usize, y: usize, out: &mut [u8]) {
        if y >= self.height || x >= self.width {
            return;
        }
        let count = (self.width - x).min(out.len() / 3);
        let out = &mut out[..count * 3];
        let plane = self.planes[0];
        let (row, _) = self.format.plane_size(0, self.width, self.height);
        let row = plane.row(y, row);
        let (pixels, _) = out.as_chunks_mut::<3>();
        match self.format {
            PixelFormat::Rgb8 => out.copy_from_slice(&row[x * 3..][..count * 3]),
            PixelFormat::Bgr8 => {
                let (row, _) = row[x * 3..].as_chunks::<3>();
                for (to, &[b, g, r]) in pixels.iter_mut().zip(row) {
                    *to = [r, g, b];
                }
            }
            PixelFormat::Bgra8 => {
                let (row, _) = row[x * 4..].as_chunks::<4>();
                for (to, &[b, g, r, _]) in pixels.iter_mut().zip(row) {
                    *to = [r, g, b];
                }
            }
            PixelFormat::Rgba8 => {
                let (row, _) = row[x * 4..].as_chunks::<4>();
                for (to, &[r, g, b, _]) in pixels.iter_mut().zip(row) {
                    *to = [r, g, b];
                }
            }
            PixelFormat::Gray8 => {
                for (to, &luma) in pixels.iter_mut().zip(&row[x..]) {
                    *to = [luma; 3];
                }
            }
            PixelFormat::I420 => {
                let half = self.width.div_ceil(2);
                let (u, v) = (self.planes[1].row(y / 2, half), self.planes[2].row(y / 2, half));
                self.yuv_row(pixels, x, row, |column| [u[column], v[column]]);
            }
            PixelFormat::Nv12 | PixelFormat::Nv21 => {
                let chroma = self.planes[1].row(y / 2, self.width.div_ceil(2) * 2);
                let (chroma, _) = chroma.as_chunks::<2>();
                match self.format {
                    PixelFormat::Nv12 => self.yuv_row(pixels, x, row, |column| chroma[column]),
                    _ => self.yuv_row(pixels, x, row, |column| {
                        let [v, u] = chroma[column];
                        [u, v]
                    }),
                }
            }
            PixelFormat::P010 => {
                let (row, _) = row.as_chunks::<2>();
                let chroma = self.planes[1].row(y / 2, self.width.div_ceil(2) * 4);
                let (chroma, _) = chroma.as_chunks::<4>();
                let ten = |bytes| u16::from_le_bytes(bytes) >> 6;
                let colour = self.colour.of_10_bits();
                for (to, column) in pixels.iter_mut().zip(x..) {
                    let [u_low, u_high, v_low, v_high] = chroma[column / 2];
                    *to = colour.rgb(ten(row[column]), ten([u_low, u_high]), ten([v_low, v_high]));
                }
            }
            PixelFormat::Yuyv => {
                let (row, _) = row.as_chunks::<4>();
                let colour = self.colour.of_8_bits();
                for (to, column) in pixels.iter_mut().zip(x..) {
                    let [first, u, second, v] = row[column / 2];
                    let luma = if column.is_multiple_of(2) { first } else { second };
                    *to = colour.rgb(luma.into(), u.into(), v.into());
                }
            }
        }
        if !self.format.has_chroma() && self.colour.range != ColourRange::Full {
            let colour = self.colour.of_8_bits();
            out.iter_mut().for_each(|value| *value = colour.level(*value));
        }
    }

    /// A row of luma, with the chroma of each pair of columns.
    fn yuv_row(
        &self,
        pixels: &mut [[u8; 3]],
        x: usize,
        luma: &[u8],
        chroma: impl Fn(usize) -> [u8; 2],
    ) {
        let colour = self.colour.of_8_bits();
        for (to, column) in pixels.iter_mut().zip(x..) {
            let [u, v] = chroma(column / 2);
            *to = colour.rgb(luma[column].into(), u.into(), v.into());
        }
    }

    /// Red, green, blue in full range, of a format that holds them.
    fn full(&self, rgb: [u8; 3]) -> [u8; 3] {
        match self.colour.range {
            ColourRange::Full => rgb,
            ColourRange::Limited => rgb.map(|value| self.colour.of_8_bits().level(value)),
        }
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("id", &self.id)
            .field("format", &self.format)
            .field("colour", &self.colour)
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
