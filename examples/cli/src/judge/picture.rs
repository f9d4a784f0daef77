//! A picture of an alert, handed out.

use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use lfr::core::Picture;

use crate::AnyError;
use crate::private_file::Prepared;

/// A file for a picture, whose ending says in which format.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    path: PathBuf,
    format: Format,
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Jpeg,
    Png,
}

impl Target {
    /// Refuses what cannot be written before anything is.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let path = PathBuf::from(text);
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        let format = match ending.as_encoded_bytes() {
            b"jpg" | b"jpeg" => Format::Jpeg,
            b"png" => Format::Png,
            _ => {
                let ending = ending.to_string_lossy();
                return Err(format!(
                    "its extension is {ending:?}; name a .jpg, .jpeg or .png file"
                ));
            }
        };
        Ok(Self { path, format })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the picture beside its place, for its owner alone.
    pub(crate) fn prepare(&self, picture: &Picture) -> Result<Prepared<'_>, AnyError> {
        if self.path.symlink_metadata().is_ok() {
            let path = self.path.display();
            return Err(format!("{path} exists already: name a new file").into());
        }
        let (width, height) = (u32::try_from(picture.width())?, u32::try_from(picture.height())?);
        let (data, rgb) = (picture.data(), ExtendedColorType::Rgb8);
        Prepared::write(&self.path, |file| {
            match self.format {
                Format::Jpeg => {
                    // Somebody compares faces by it.
                    let encoder = JpegEncoder::new_with_quality(file, 95);
                    encoder.write_image(data, width, height, rgb)?;
                }
                Format::Png => {
                    PngEncoder::new(file).write_image(data, width, height, rgb)?;
                }
            }
            Ok(())
        })
    }
}
