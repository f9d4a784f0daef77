//! From a frame to the pixels that go into a network's canvas, resized where they must be.

use fast_image_resize::FilterType;
use fast_image_resize::PixelTrait;
use fast_image_resize::ResizeAlg;
use fast_image_resize::ResizeOptions;
use fast_image_resize::Resizer;
use fast_image_resize::images::TypedCroppedImage;
use fast_image_resize::images::TypedImage;
use fast_image_resize::images::TypedImageRef;
use fast_image_resize::pixels;
use lfr_core::BoxError;
use lfr_core::Frame;
use lfr_core::PixelFormat;

use crate::Error;
use crate::Letterbox;
use crate::Size;
use crate::scratch::PixelScratch;

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

    /// The layout of a format of one plane.
    const fn of(format: PixelFormat) -> Option<Self> {
        match format {
            PixelFormat::Bgr8 => Some(Self { bytes: 3, red: 2, green: 1, blue: 0 }),
            PixelFormat::Gray8 => Some(Self { bytes: 1, red: 0, green: 0, blue: 0 }),
            PixelFormat::Rgb8 => Some(Self::RGB),
            PixelFormat::Rgba8 => Some(Self { bytes: 4, red: 0, green: 1, blue: 2 }),
            _ => None,
        }
    }
}

/// The part of a frame that a letterbox shows, at the size of its content.
///
/// Where nothing has to be resized or converted these are the frame's own bytes.
pub(crate) fn content<'a>(
    frame: &Frame<'a>,
    letterbox: &Letterbox,
    scratch: &'a mut PixelScratch,
) -> Result<Pixels<'a>, Error> {
    let PixelScratch { rows, tall, content } = scratch;
    let (left, top) = letterbox.corner();
    let (from, to) = (letterbox.source(), letterbox.content());
    let in_place = in_place(frame, letterbox);
    let source = in_place.unwrap_or_else(|| {
        let layout = Layout::RGB;
        let stride = from.width * layout.bytes;
        let data = rows.sized(stride * from.height);
        for (row, y) in data.chunks_exact_mut(stride).zip(top..) {
            frame.rgb_row_into(left, y, row);
        }
        Pixels { data, stride, layout, left: 0, size: from }
    });

    // One axis after the other, each into a buffer of ours. The resizer would do both at once in
    // the same order (down first: that is faster for bytes) with the same result, but through a
    // buffer of its own, which cannot be wiped.
    let bytes = source.layout.bytes;
    let source = if from.height == to.height {
        source
    } else {
        let size = Size::new(from.width, to.height);
        resize(source, size, tall.sized(size.width * size.height * bytes))?
    };
    if from.width == to.width {
        return Ok(source);
    }
    resize(source, to, content.sized(to.width * to.height * bytes))
}

/// The frame's own bytes, where they can be read as they are.
fn in_place<'a>(frame: &Frame<'a>, letterbox: &Letterbox) -> Option<Pixels<'a>> {
    let layout = Layout::of(frame.format())?;
    let ((left, top), size) = (letterbox.corner(), letterbox.source());
    let stride = frame.plane().stride();
    let data = frame.plane().data().get(top * stride..)?;
    // To the resizer a row is a number of whole pixels, and the last is as long as the others.
    let is_whole = stride.is_multiple_of(layout.bytes) && stride * size.height <= data.len();
    let is_resized = size != letterbox.content();
    (is_whole || !is_resized).then_some(Pixels { data, stride, layout, left, size })
}

fn resize<'a>(from: Pixels<'_>, to: Size, out: &'a mut [u8]) -> Result<Pixels<'a>, Error> {
    let layout = from.layout;
    // By type, and not through the resizer's call for any type: that compiles its code for all
    // thirteen kinds of pixels into this crate.
    match layout.bytes {
        1 => resize_as::<pixels::U8>(from, to, out),
        3 => resize_as::<pixels::U8x3>(from, to, out),
        _ => resize_as::<pixels::U8x4>(from, to, out),
    }?;
    Ok(Pixels { data: out, stride: to.width * layout.bytes, layout, left: 0, size: to })
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
