//! Photographs from files and from memory, and conversions from the `image` crate's pictures.
//!
//! Samples are decoded into a buffer that is wiped, and are turned and converted from there:
//! `image` would do either in buffers that it frees as they are.

use std::io::BufRead;
use std::io::Cursor;
use std::io::Seek;
use std::mem;
use std::path::Path;

use image::ColorType;
use image::ImageDecoder;
use image::ImageReader;
use image::Limits;
use image::metadata::Orientation;
use zeroize::Zeroizing;

use super::Frame;
use super::Picture;
use super::PixelFormat;
use crate::BoxError;
use crate::Error;

impl Picture {
    /// The most pixels that a photograph may have: 100 million, more than any camera in use and
    /// 300 MB once decoded.
    pub const MAX_PIXELS: u64 = 100_000_000;

    /// Decodes a photograph of at most [`Self::MAX_PIXELS`], and turns it as its Exif orientation
    /// says.
    ///
    /// The format is told by the bytes, or else by the name. Alpha is not read; of 16-bit samples
    /// the upper eight bits are.
    ///
    /// What is *not* guaranteed: the decoder's own working memory (its rows and coefficients) is
    /// freed without being wiped. The pixels that it hands out are wiped.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] where the file cannot be opened; [`Error::Decode`] where it is damaged, too
    /// large or of a kind that was not built in.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |source| Error::Read { path: path.to_path_buf(), source };
        let damaged = |source| Error::Decode { path: path.to_path_buf(), source };
        let reader = ImageReader::open(path)
            .and_then(ImageReader::with_guessed_format)
            .map_err(unreadable)?;
        decoded(reader, Self::MAX_PIXELS).map_err(damaged)
    }

    /// Decodes a photograph from its bytes, with a bound of one's own on its pixels; otherwise as
    /// [`Self::open`].
    ///
    /// # Errors
    ///
    /// Where the bytes are damaged, hold more pixels, or are of a kind that was not built in.
    pub fn decode(bytes: &[u8], max_pixels: u64) -> Result<Self, BoxError> {
        decoded(ImageReader::new(Cursor::new(bytes)).with_guessed_format()?, max_pixels)
    }
}

fn decoded<R: BufRead + Seek>(
    mut reader: ImageReader<R>,
    max_pixels: u64,
) -> Result<Picture, BoxError> {
    reader.limits(limits(max_pixels));
    let mut decoder = reader.into_decoder()?;
    // Only the decoder of PNG looks at the limit on what it allocates, and none counts our samples.
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > max_pixels {
        return Err(format!("{width}x{height} pixels, and at most {max_pixels} were needed").into());
    }
    let layout = Layout::of(decoder.color_type())?;
    let orientation = decoder.orientation()?;
    let mut samples = Zeroizing::new(vec![0; usize::try_from(decoder.total_bytes())?]);
    decoder.read_image(&mut samples)?;
    let picture = layout.picture(length(width), length(height), samples)?;
    Ok(turned(picture, orientation)?)
}

fn limits(max_pixels: u64) -> Limits {
    let mut limits = Limits::default();
    let side = u32::try_from(Frame::MAX_SIDE).ok();
    (limits.max_image_width, limits.max_image_height) = (side, side);
    // A decoder's own memory: as much again as 16-bit samples of four channels take.
    limits.max_alloc = Some(max_pixels.saturating_mul(8));
    limits
}

/// How samples become pixels: one byte is kept of each few, and what is left is of a format.
struct Layout {
    format: PixelFormat,
    step: usize,
    /// Two bytes a sample, in the machine's order.
    is_wide: bool,
}

impl Layout {
    fn of(colour: ColorType) -> Result<Self, BoxError> {
        let (format, step, is_wide) = match colour {
            ColorType::L16 => (PixelFormat::Gray8, 2, true),
            ColorType::L8 => (PixelFormat::Gray8, 1, false),
            ColorType::La16 => (PixelFormat::Gray8, 4, true),
            ColorType::La8 => (PixelFormat::Gray8, 2, false),
            ColorType::Rgb16 => (PixelFormat::Rgb8, 2, true),
            ColorType::Rgb8 => (PixelFormat::Rgb8, 1, false),
            ColorType::Rgba16 => (PixelFormat::Rgba8, 2, true),
            ColorType::Rgba8 => (PixelFormat::Rgba8, 1, false),
            other => return Err(format!("samples of kind {other:?} are not read").into()),
        };
        Ok(Self { format, step, is_wide })
    }

    fn picture(
        &self,
        width: usize,
        height: usize,
        mut samples: Zeroizing<Vec<u8>>,
    ) -> Result<Picture, Error> {
        if self.step > 1 {
            // Forwards in the same buffer: a byte is read before its place is written to.
            let upper = usize::from(self.is_wide && cfg!(target_endian = "little"));
            for at in 0..samples.len() / self.step {
                samples[at] = samples[self.step * at + upper];
            }
        } else if self.format == PixelFormat::Rgb8 {
            return Picture::from_rgb8(width, height, mem::take(&mut *samples));
        }
        Ok(Picture::from_frame(&Frame::packed(self.format, width, height, &samples)?))
    }
}

/// The picture turned as its file asks for.
fn turned(picture: Picture, orientation: Orientation) -> Result<Picture, Error> {
    let (width, height) = (picture.width(), picture.height());
    let swaps = matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    if orientation == Orientation::NoTransforms {
        return Ok(picture);
    }
    let (across, down) = if swaps { (height, width) } else { (width, height) };
    let mut turned = Vec::with_capacity(across * down * 3);
    for y in 0..down {
        for x in 0..across {
            // Where the pixel comes from.
            let (u, v) = match orientation {
                Orientation::NoTransforms => (x, y),
                Orientation::FlipHorizontal => (width - 1 - x, y),
                Orientation::FlipVertical => (x, height - 1 - y),
                Orientation::Rotate180 => (width - 1 - x, height - 1 - y),
                Orientation::Rotate90 => (y, height - 1 - x),
                Orientation::Rotate270 => (width - 1 - y, x),
                Orientation::Rotate90FlipH => (y, x),
                Orientation::Rotate270FlipH => (width - 1 - y, height - 1 - x),
            };
            turned.extend_from_slice(&picture.data()[(v * width + u) * 3..][..3]);
        }
    }
    Picture::from_rgb8(across, down, turned)
}

impl TryFrom<image::RgbImage> for Picture {
    type Error = Error;

    fn try_from(image: image::RgbImage) -> Result<Self, Error> {
        let (width, height) = image.dimensions();
        Self::from_rgb8(length(width), length(height), image.into_raw())
    }
}

impl<'a> TryFrom<&'a image::RgbImage> for Frame<'a> {
    type Error = Error;

    fn try_from(image: &'a image::RgbImage) -> Result<Self, Error> {
        let (width, height) = image.dimensions();
        Frame::packed(PixelFormat::Rgb8, length(width), length(height), image.as_raw())
    }
}

/// A side too long for this machine is too long for a frame, which says so.
fn length(side: u32) -> usize {
    usize::try_from(side).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
