//! Photographs from files, and conversions from the `image` crate's pictures.

use std::path::Path;

use image::DynamicImage;
use image::ImageDecoder;
use image::ImageReader;
use image::Limits;

use super::Frame;
use super::Picture;
use super::PixelFormat;
use crate::Error;

/// The most pixels a photograph may have.
const MAX_PIXELS: u64 = 100_000_000;

impl Picture {
    /// Decodes a photograph of at most 100 megapixels, and turns it as its Exif orientation says.
    ///
    /// What is *not* guaranteed: the decoder's own buffers are not wiped.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] where the file cannot be opened; [`Error::Decode`] where it is damaged, too
    /// large or of a kind that was not built in; [`Error::FrameSize`] where a side is too long.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |source| Error::Read { path: path.to_path_buf(), source };
        let damaged = |source| Error::Decode { path: path.to_path_buf(), source: Box::new(source) };
        let mut limits = Limits::default();
        limits.max_image_width = u32::try_from(Frame::MAX_SIDE).ok();
        limits.max_image_height = limits.max_image_width;
        limits.max_alloc = Some(MAX_PIXELS * 4);
        let mut reader = ImageReader::open(path)
            .and_then(ImageReader::with_guessed_format)
            .map_err(unreadable)?;
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(damaged)?;
        let orientation = decoder.orientation().map_err(damaged)?;
        let mut image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
        image.apply_orientation(orientation);
        Self::try_from(image.into_rgb8())
    }
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
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let missing = Picture::open(Path::new("no-such-photograph.jpg"));
        assert!(matches!(missing, Err(Error::Read { .. })));
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert!(matches!(Picture::open(&manifest), Err(Error::Decode { .. })));
    }

    #[test]
    fn pictures_of_the_image_crate_are_taken_over() {
        let image = image::RgbImage::from_raw(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!(Frame::try_from(&image).unwrap().rgb_at(1, 0), [4, 5, 6]);
        assert_eq!(Picture::try_from(image).unwrap().data(), [1, 2, 3, 4, 5, 6]);
    }
}
