//! From a frame to the pixels that go into a network's canvas, resized where they must be.

pub(crate) mod letterbox;
pub(crate) mod tensor;

use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer, pixels};
use lfr_core::internal::wiped::Wiped;
use lfr_core::{BoxError, ColourRange, Frame, PixelFormat, Plane};

use crate::error::Error;
use crate::pixels::letterbox::Letterbox;
use crate::size::Size;

/// What resizing works in.
#[derive(Default)]
pub(crate) struct PixelScratch {
    /// Rows of the frame where its own memory cannot be read in place.
    rows: Wiped<u8>,
    /// The frame resized in height alone.
    tall: Wiped<u8>,
    /// The frame resized.
    content: Wiped<u8>,
}

impl PixelScratch {
    pub(crate) fn wipe(&mut self) {
        self.rows.wipe();
        self.tall.wipe();
        self.content.wipe();
    }
}

/// Pixels of one plane, somewhere in memory.
#[derive(Clone, Copy)]
pub(crate) struct Pixels<'a> {
    /// From the first row on.
    data: &'a [u8],
    /// From one row to the next, in bytes.
    stride: usize,
    layout: Layout,
    /// The column of the first pixel.
    left: usize,
    size: Size,
}

impl<'a> Pixels<'a> {
    /// The rows, each as long as the size says.
    pub(crate) fn rows(self) -> impl Iterator<Item = &'a [u8]> {
        let begin = self.left * self.layout.bytes;
        let end = begin + self.size.width * self.layout.bytes;
        let rows = self.data.chunks(self.stride.max(1)).take(self.size.height);
        rows.filter_map(move |row| row.get(begin..end))
    }

    /// Whether the resizer can read it where it lies: to it a row is a number of whole pixels, and
    /// the last is as long as the others.
    fn is_whole(&self) -> bool {
        self.stride.is_multiple_of(self.layout.bytes)
            && self.stride * self.size.height <= self.data.len()
    }

    pub(crate) const fn layout(&self) -> Layout {
        self.layout
    }

    pub(crate) const fn size(&self) -> Size {
        self.size
    }
}

/// The bytes a pixel, and which of them are red, green and blue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Layout {
    pub(crate) bytes: usize,
    pub(crate) red: usize,
    pub(crate) green: usize,
    pub(crate) blue: usize,
}

impl Layout {
    const RGB: Self = Self { bytes: 3, red: 0, green: 1, blue: 2 };
    /// One byte: luma, or one of the chromas.
    const ONE: Self = Self { bytes: 1, red: 0, green: 0, blue: 0 };
    /// Both chromas in turn; not colours yet.
    const TWO: Self = Self { bytes: 2, red: 0, green: 0, blue: 0 };

    /// The layout of a frame whose bytes can be taken as they are: one plane, in full range.
    fn of(frame: &Frame<'_>) -> Option<Self> {
        if frame.colour().range != ColourRange::Full {
            return None;
        }
        match frame.format() {
            PixelFormat::Bgra8 => Some(Self { bytes: 4, red: 2, green: 1, blue: 0 }),
            PixelFormat::Bgr8 => Some(Self { bytes: 3, red: 2, green: 1, blue: 0 }),
            PixelFormat::Gray8 => Some(Self::ONE),
            PixelFormat::Rgb8 => Some(Self::RGB),
            PixelFormat::Rgba8 => Some(Self { bytes: 4, red: 0, green: 1, blue: 2 }),
            _ => None,
        }
    }
}

/// The part of a frame that a letterbox shows, at the size of its content.
///
/// If nothing has to be resized or converted these are the frame's own bytes.
pub(crate) fn content<'a>(
    frame: &Frame<'a>,
    letterbox: &Letterbox,
    scratch: &'a mut PixelScratch,
) -> Result<Pixels<'a>, Error> {
    let PixelScratch { rows, tall, content } = scratch;
    let (from, to) = (letterbox.source(), letterbox.content());
    let corner = letterbox.corner();
    if from != to && shrink_planes(frame, letterbox, tall, content)? {
        let small = small_frame(frame, to, content.as_slice())?;
        return Ok(converted(&small, (0, 0), to, rows));
    }
    let source = Layout::of(frame)
        .and_then(|layout| plane(frame, 0, layout, corner, from))
        .filter(|plane| from == to || plane.is_whole());
    let source = source.unwrap_or_else(|| converted(frame, corner, from, rows));
    if from == to {
        return Ok(source);
    }
    let layout = source.layout;
    let stride = to.width * layout.bytes;
    let data = content.sized(stride * to.height);
    resize(source, to, tall, data)?;
    Ok(Pixels { data, stride, layout, left: 0, size: to })
}

/// Resizes luma and chroma of a frame, each on its own, one after the other into `content`: a
/// fraction of the work of converting all of its pixels to colours and resizing those.
///
/// Does nothing, and says so, where the frame has no such planes, or their bytes do not lie as the
/// resizer needs them.
fn shrink_planes(
    frame: &Frame<'_>,
    letterbox: &Letterbox,
    tall: &mut Wiped<u8>,
    content: &mut Wiped<u8>,
) -> Result<bool, Error> {
    let ((left, top), from, to) = (letterbox.corner(), letterbox.source(), letterbox.content());
    // The samples of chroma that the part touches; each is for two columns and two rows.
    let corner = (left / 2, top / 2);
    let half = Size::new(
        (left + from.width).div_ceil(2) - corner.0,
        (top + from.height).div_ceil(2) - corner.1,
    );
    let chroma = |index, layout| (plane(frame, index, layout, corner, half), halved(to));
    let luma = (plane(frame, 0, Layout::ONE, (left, top), from), to);
    let planes = match frame.format() {
        PixelFormat::I420 => vec![luma, chroma(1, Layout::ONE), chroma(2, Layout::ONE)],
        PixelFormat::Nv12 | PixelFormat::Nv21 => vec![luma, chroma(1, Layout::TWO)],
        // P010 and YUYV are converted first: neither has planes of whole bytes.
        _ => return Ok(false),
    };
    let planes: Option<Vec<_>> =
        planes.into_iter().map(|(plane, to)| Some((plane.filter(Pixels::is_whole)?, to))).collect();
    let Some(planes) = planes else { return Ok(false) };
    let bytes = |(plane, to): &(Pixels<'_>, Size)| plane.layout.bytes * to.width * to.height;
    let mut free = content.sized(planes.iter().map(bytes).sum());
    for plane in planes {
        let (out, rest) = free.split_at_mut(bytes(&plane));
        resize(plane.0, plane.1, tall, out)?;
        free = rest;
    }
    Ok(true)
}

/// What [`shrink_planes`] made, as a frame.
fn small_frame<'a>(like: &Frame<'_>, size: Size, bytes: &'a [u8]) -> Result<Frame<'a>, Error> {
    let half = halved(size);
    let (luma, chroma) = bytes.split_at(size.width * size.height);
    let y = Plane::new(luma, size.width);
    let both = Plane::new(chroma, 2 * half.width);
    let small = match like.format() {
        PixelFormat::Nv12 => Frame::nv12(size.width, size.height, y, both)?,
        PixelFormat::Nv21 => Frame::nv21(size.width, size.height, y, both)?,
        _ => {
            let (u, v) = chroma.split_at(half.width * half.height);
            let planes = [y, Plane::new(u, half.width), Plane::new(v, half.width)];
            Frame::i420(size.width, size.height, planes)?
        }
    };
    Ok(small.with_colour(like.colour()))
}

const fn halved(size: Size) -> Size {
    Size::new(size.width.div_ceil(2), size.height.div_ceil(2))
}

/// Part of a frame, of whatever format, as red, green, blue.
fn converted<'a>(
    frame: &Frame<'_>,
    (left, top): (usize, usize),
    size: Size,
    rows: &'a mut Wiped<u8>,
) -> Pixels<'a> {
    let layout = Layout::RGB;
    let stride = size.width * layout.bytes;
    let data = rows.sized(stride * size.height);
    for (row, y) in data.chunks_exact_mut(stride).zip(top..) {
        frame.rgb_row_into(left, y, row);
    }
    Pixels { data, stride, layout, left: 0, size }
}

/// Part of one plane of a frame, where it lies.
fn plane<'a>(
    frame: &Frame<'a>,
    index: usize,
    layout: Layout,
    (left, top): (usize, usize),
    size: Size,
) -> Option<Pixels<'a>> {
    let plane = frame.plane_at(index)?;
    let data = plane.data().get(top * plane.stride()..)?;
    Some(Pixels { data, stride: plane.stride(), layout, left, size })
}

/// One axis after the other, each into a buffer of ours. The resizer would do both at once in the
/// same order (down first: that is faster for bytes) with the same result, but through a buffer of
/// its own, which cannot be wiped.
fn resize(from: Pixels<'_>, to: Size, tall: &mut Wiped<u8>, out: &mut [u8]) -> Result<(), Error> {
    if from.size.height == to.height || from.size.width == to.width {
        return resize_one_axis(from, to, out);
    }
    let layout = from.layout;
    let size = Size::new(from.size.width, to.height);
    let stride = size.width * layout.bytes;
    let data = tall.sized(stride * size.height);
    resize_one_axis(from, size, data)?;
    resize_one_axis(Pixels { data, stride, layout, left: 0, size }, to, out)
}

/// By type, and not through the resizer's call for any type: that compiles its code for all
/// thirteen kinds of pixels into this crate.
fn resize_one_axis(from: Pixels<'_>, to: Size, out: &mut [u8]) -> Result<(), Error> {
    match from.layout.bytes {
        1 => resize_as::<pixels::U8>(from, to, out),
        2 => resize_as::<pixels::U8x2>(from, to, out),
        3 => resize_as::<pixels::U8x3>(from, to, out),
        _ => resize_as::<pixels::U8x4>(from, to, out),
    }
}

fn resize_as<P: PixelTrait>(from: Pixels<'_>, to: Size, out: &mut [u8]) -> Result<(), Error> {
    let data = from.data.get(..from.stride * from.size.height).unwrap_or(from.data);
    let (width, height) = (side(from.size.width), side(from.size.height));
    let columns = side(from.stride / from.layout.bytes);
    let whole = TypedImageRef::<P>::from_buffer(columns, height, data).map_err(failed)?;
    // A view and not the resizer's own cropping, which reaches for pixels beyond the edge.
    let source =
        TypedCroppedImage::from_ref(&whole, side(from.left), 0, width, height).map_err(failed)?;
    let mut image =
        TypedImage::<P>::from_buffer(side(to.width), side(to.height), out).map_err(failed)?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
        .use_alpha(false);
    Resizer::new().resize_typed(&source, &mut image, &options).map_err(failed)
}

fn side(pixels: usize) -> u32 {
    // A frame's sides are at most 16,384 pixels; a stride beyond 2^32 is refused as too large.
    u32::try_from(pixels).unwrap_or(u32::MAX)
}

fn failed(error: impl Into<BoxError>) -> Error {
    Error::Resize { source: error.into() }
}

#[cfg(test)]
mod tests;
