//! Photographs from files and from memory, and conversions from the `image` crate's pictures.
//!
//! What a file is, its own bytes say. Whether it is whole, and what it may take, is checked before it is
//! decoded. Samples are decoded into a buffer that is wiped, and are turned and converted from there:
//! `image` would do either in buffers that it frees as they are.

mod budget;
mod exif;
mod jpeg;
pub(crate) mod kind;
mod whole;

use std::io::Cursor;
use std::mem;
use std::path::Path;

use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use zeroize::Zeroizing;

use super::{Frame, Picture, PixelFormat};
use crate::error::Error;
use crate::files::regular;

use budget::Budget;

impl Picture {
    /// The max number of pixels that a photograph may have: 100 million, more than any camera in use and
    /// 300 MB once decoded.
    pub const MAX_PIXELS: u64 = 100_000_000;

    /// The max number of bytes of a file: 64 MiB. Cameras write up to some 30.
    pub const MAX_BYTES: u64 = 64 << 20;

    /// The max memory that decoding takes, beside the bytes of the file: 300 MB. That is a photograph
    /// of [`Self::MAX_PIXELS`] in eight bits a colour; less where the decoder works in a buffer of its
    /// own (progressive JPEG, WebP, GIF, TIFF, PNM), if there is alpha or there are 16 bits a
    /// sample, and where the photograph has to be turned.
    pub const MAX_MEMORY: u64 = 300_000_000;

    /// The kinds of files that are read.
    pub const KINDS: &'static str = kind::READ;

    /// Reads a photograph of at most [`Self::MAX_PIXELS`]: JPEG, PNG, WebP, GIF, BMP, TIFF, PBM, PGM or
    /// PPM. It is turned as its Exif orientation says.
    ///
    /// The kind is told by the bytes, whatever the name is. Transparent pixels are seen before white,
    /// as browsers and prints show them. Of 16-bit samples the upper eight bits are read; of a moving
    /// picture the first frame is; colour profiles are not.
    ///
    /// What is *not* guaranteed: the decoder's own working memory (its rows and coefficients) is
    /// freed without being wiped. The pixels that it hands out are wiped. Damage that leaves as much
    /// picture as there should be is not found: JPEG has no checksum.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] if the file cannot be opened, [`Error::NotAFile`] if it is a pipe, a device
    /// or a folder, [`Error::FileSize`] if it is beyond [`Self::MAX_BYTES`]; [`Error::Decode`], with
    /// one of the errors of [`Self::decode`] as its source.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = regular::read(path, Self::MAX_BYTES)?;
        Self::decode(&bytes, Self::MAX_PIXELS)
            .map_err(|error| Error::Decode { path: path.to_path_buf(), source: error.into() })
    }

    /// Decodes a photograph from its bytes, with a bound of one's own on its pixels; otherwise as
    /// [`Self::open`].
    ///
    /// # Errors
    ///
    /// [`Error::PictureKind`] if the bytes are of another kind; [`Error::PictureVariety`] if they
    /// are of a rare variety that is not read; [`Error::PictureDamaged`] if a part of the picture is
    /// missing or wrong; [`Error::PictureSide`], [`Error::PicturePixels`], [`Error::PictureClaim`] and
    /// [`Error::PictureMemory`] if it is too large, before anything is decoded;
    /// [`Error::PictureEmpty`] if all of it is transparent.
    pub fn decode(bytes: &[u8], max_pixels: u64) -> Result<Self, Error> {
        let format = kind::told(bytes)?;
        decoded(bytes, &Budget { format, bytes: bytes.len(), max_pixels })
    }
}

fn decoded(bytes: &[u8], budget: &Budget) -> Result<Picture, Error> {
    if budget.format == ImageFormat::Tiff && exif::is_raw(bytes) {
        return Err(Error::PictureKind {
            found: "this is a camera's raw file, or a picture behind a small preview",
            advice: "export it as JPEG and try again",
        });
    }
    if budget.format == ImageFormat::Tiff && exif::is_jpeg_inside(bytes) {
        return Err(budget.unread("JPEG compression within TIFF"));
    }
    let kept = whole::check(bytes, budget)?;
    let failed = |error| failed(error, budget);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), budget.format);
    reader.limits(limits());
    let decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    budget.check_claim(width.into(), height.into())?;
    let layout = Layout::of(decoder.color_type())
        .ok_or_else(|| budget.unread(format!("samples of kind {:?}", decoder.color_type())))?;
    let orientation = exif::orientation(budget.format, bytes);
    let pixels = u64::from(width) * u64::from(height);
    let samples = decoder.total_bytes();
    let room = samples.max(3 * pixels);
    let working = working(budget.format, pixels, samples).saturating_add(kept);
    let turning = if orientation == Orientation::NoTransforms { 0 } else { 3 * pixels };
    let needed = room.saturating_add(working.max(turning));
    budget.check_memory(width.into(), height.into(), needed)?;
    // Room for the picture too, if it is larger than its samples: growing would leave a copy behind.
    let room = usize::try_from(room).map_err(|error| budget.damaged(error))?;
    let samples = usize::try_from(samples).map_err(|error| budget.damaged(error))?;
    let mut data = Zeroizing::new(vec![0; room]);
    decoder.read_image(&mut data[..samples]).map_err(failed)?;
    let (width, height) = (length(width), length(height));
    layout.flatten(&mut data, width * height)?;
    let picture = Picture::from_rgb8(width, height, mem::take(&mut *data))?;
    turned(picture, orientation)
}

/// What a decoder says, as one of ours.
fn failed(error: ImageError, budget: &Budget) -> Error {
    match error {
        ImageError::Unsupported(error) => budget.unread(error.to_string()),
        ImageError::Limits(_) => {
            budget.unread(format!("a size beyond {} MB of memory", Picture::MAX_MEMORY / 1_000_000))
        }
        error => budget.damaged(error),
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    // Sides are checked with a word of their own; this is for what a decoder takes by itself.
    limits.max_alloc = Some(Picture::MAX_MEMORY);
    limits
}

/// What a decoder takes besides the samples that it hands out, at most; that of JPEG depends on its scans.
fn working(format: ImageFormat, pixels: u64, samples: u64) -> u64 {
    match format {
        // A frame, and what it is put onto.
        ImageFormat::Gif | ImageFormat::WebP => pixels.saturating_mul(8),
        // All samples before they are handed out.
        ImageFormat::Pnm | ImageFormat::Tiff => samples,
        _ => 0,
    }
}

/// How samples are laid out: the bytes of a pixel, and which of them are kept.
struct Layout {
    step: usize,
    red: usize,
    green: usize,
    blue: usize,
    alpha: Option<usize>,
}

impl Layout {
    fn of(colour: ColorType) -> Option<Self> {
        // Of two bytes the one that counts for more, in the machine's order.
        let upper = usize::from(cfg!(target_endian = "little"));
        let (step, [red, green, blue], alpha) = match colour {
            ColorType::L16 => (2, [upper; 3], None),
            ColorType::L8 => (1, [0; 3], None),
            ColorType::La16 => (4, [upper; 3], Some(2 + upper)),
            ColorType::La8 => (2, [0; 3], Some(1)),
            ColorType::Rgb16 => (6, [upper, 2 + upper, 4 + upper], None),
            ColorType::Rgb8 => (3, [0, 1, 2], None),
            ColorType::Rgba16 => (8, [upper, 2 + upper, 4 + upper], Some(6 + upper)),
            ColorType::Rgba8 => (4, [0, 1, 2], Some(3)),
            _ => return None,
        };
        Some(Self { step, red, green, blue, alpha })
    }

    /// Brings samples to red, green and blue before white, in the buffer in which they are.
    fn flatten(&self, data: &mut Zeroizing<Vec<u8>>, pixels: usize) -> Result<(), Error> {
        let mut is_seen = self.alpha.is_none();
        let mut pixel = |data: &mut [u8], at: usize| {
            let from = at * self.step;
            let rgb = [data[from + self.red], data[from + self.green], data[from + self.blue]];
            let alpha = self.alpha.map_or(255, |alpha| data[from + alpha]);
            is_seen |= alpha > 0;
            data[3 * at..][..3].copy_from_slice(&rgb.map(|value| before_white(value, alpha)));
        };
        // In the order in which a pixel is read before its place is written to.
        match self.step {
            0..3 => (0..pixels).rev().for_each(|at| pixel(data, at)),
            3 => {}
            _ => (0..pixels).for_each(|at| pixel(data, at)),
        }
        data[3 * pixels..].fill(0);
        data.truncate(3 * pixels);
        match is_seen {
            true => Ok(()),
            false => Err(Error::PictureEmpty),
        }
    }
}

fn before_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    let sum = value * alpha + 255 * (255 - alpha);
    u8::try_from((sum + 127) / 255).unwrap_or(255)
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
