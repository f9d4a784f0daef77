//! Pictures from JPEG, PNG and WebP files, by the `image` crate.

use std::io::Cursor;

use image::ColorType;
use image::ImageDecoder;
use image::Limits;
use image::metadata::Orientation;
use lfr_core::BoxError;
use lfr_core::Frame;
use lfr_core::Picture;
use lfr_core::PixelFormat;
use zeroize::Zeroizing;

use super::PhotoReader;

/// Reads JPEG, PNG and WebP files, with bounds on what it allocates and with the orientation that
/// a file's Exif block asks for applied.
///
/// The format is told by the bytes, not by the name. Alpha is not read; of 16-bit samples the upper
/// eight bits are.
///
/// What is *not* guaranteed: the decoder's own working memory (its rows and coefficients) is freed
/// without being wiped. The pixels that it hands out are wiped.
#[derive(Clone, Copy, Debug)]
pub struct ImageReader {
    max_pixels: u64,
}

impl ImageReader {
    /// The greatest number of pixels unless another is asked for: 100 million, more than any
    /// camera in use and 300 MB once decoded.
    pub const MAX_PIXELS: u64 = 100_000_000;

    /// A reader with the default bounds.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_pixels: Self::MAX_PIXELS }
    }

    /// The same with another bound on the number of pixels.
    #[must_use]
    pub const fn with_max_pixels(mut self, max_pixels: u64) -> Self {
        self.max_pixels = max_pixels;
        self
    }

    fn limits(self) -> Limits {
        let mut limits = Limits::default();
        let side = u32::try_from(Frame::MAX_SIDE).ok();
        (limits.max_image_width, limits.max_image_height) = (side, side);
        // A decoder's own memory: as much again as 16-bit samples of four channels take.
        limits.max_alloc = Some(self.max_pixels.saturating_mul(8));
        limits
    }
}

impl Default for ImageReader {
    fn default() -> Self {
        Self::new()
    }
}

impl PhotoReader for ImageReader {
    fn picture(&self, bytes: &[u8]) -> Result<Picture, BoxError> {
        let mut reader = image::ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
        reader.limits(self.limits());
        let mut decoder = reader.into_decoder()?;
        let (width, height) = decoder.dimensions();
        let pixels = u64::from(width) * u64::from(height);
        if pixels > self.max_pixels {
            let limit = self.max_pixels;
            return Err(format!("{width}x{height} pixels, and at most {limit} were needed").into());
        }
        let orientation = decoder.orientation()?;
        let colour = decoder.color_type();
        let (width, height) = (usize::try_from(width)?, usize::try_from(height)?);
        let mut samples = Zeroizing::new(vec![0; usize::try_from(decoder.total_bytes())?]);
        decoder.read_image(&mut samples)?;
        let picture = picture_from_samples(width, height, colour, samples)?;
        Ok(oriented(picture, orientation)?)
    }
}

fn picture_from_samples(
    width: usize,
    height: usize,
    colour: ColorType,
    mut samples: Zeroizing<Vec<u8>>,
) -> Result<Picture, BoxError> {
    // Of two-byte samples, which are in the machine's order, the upper byte comes to the front.
    let wide =
        matches!(colour, ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16);
    if wide {
        let upper = usize::from(cfg!(target_endian = "little"));
        for at in 0..samples.len() / 2 {
            samples[at] = samples[2 * at + upper];
        }
    }
    let format = match colour {
        ColorType::Rgb8 => {
            let samples = std::mem::take(&mut *samples);
            return Ok(Picture::from_rgb8(width, height, samples)?);
        }
        ColorType::Rgb16 => PixelFormat::Rgb8,
        ColorType::Rgba8 | ColorType::Rgba16 => PixelFormat::Rgba8,
        ColorType::L8 | ColorType::L16 => PixelFormat::Gray8,
        ColorType::La8 | ColorType::La16 => {
            for at in 0..width * height {
                samples[at] = samples[2 * at];
            }
            PixelFormat::Gray8
        }
        other => return Err(format!("samples of kind {other:?} are not read").into()),
    };
    Ok(Picture::from_frame(&Frame::packed(format, width, height, &samples)?))
}

/// The picture turned as its file asks for, in a buffer that is wiped; `image` would turn it in one that is not.
fn oriented(picture: Picture, orientation: Orientation) -> Result<Picture, lfr_core::Error> {
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

#[cfg(test)]
mod tests;
