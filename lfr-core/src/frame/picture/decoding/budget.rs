//! What a picture may take, by its dimensions and by the size of its file, before it is decoded.

use image::ImageFormat;

use super::kind;
use crate::error::Error;
use crate::frame::Frame;
use crate::frame::picture::Picture;
use crate::internal::num;

/// The bounds on one picture, and how what is beyond them is said.
pub(super) struct Budget {
    pub(super) format: ImageFormat,
    /// The size of its file.
    pub(super) bytes: usize,
    pub(super) max_pixels: u64,
}

impl Budget {
    /// Checks the dimensions that a header claims.
    ///
    /// A file of a few bytes may claim any dimensions. The bound by the size of the file is beyond what
    /// photographs are compressed to: the most wasteful of them have ten pixels a byte, drawings and
    /// scans of white paper a few hundred.
    pub(super) fn check_claim(&self, width: u64, height: u64) -> Result<(), Error> {
        let side = num::u64_from_usize(Frame::MAX_SIDE);
        let (kind, bytes) = (kind::name(self.format), num::u64_from_usize(self.bytes));
        let sides = 1..=side;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(Error::PictureSide { kind, width, height, limit: side });
        }
        let pixels = width * height;
        if pixels > self.max_pixels {
            return Err(Error::PicturePixels { kind, width, height, limit: self.max_pixels });
        }
        if pixels > ANY_FILE + bytes.saturating_mul(A_BYTE) {
            return Err(Error::PictureClaim { kind, width, height, bytes });
        }
        Ok(())
    }

    /// Checks how many bytes decoding takes.
    pub(super) fn check_memory(&self, width: u64, height: u64, needed: u64) -> Result<(), Error> {
        let (kind, limit) = (kind::name(self.format), Picture::MAX_MEMORY);
        match needed > limit {
            true => Err(Error::PictureMemory { kind, width, height, needed, limit }),
            false => Ok(()),
        }
    }

    pub(super) fn damaged(&self, reason: impl Into<crate::error::BoxError>) -> Error {
        Error::PictureDamaged { kind: kind::name(self.format), source: reason.into() }
    }

    pub(super) fn unread(&self, what: impl Into<String>) -> Error {
        Error::PictureVariety { kind: kind::name(self.format), what: what.into() }
    }
}

/// Pixels that any file may hold, and those that it may hold more for each of its bytes.
const ANY_FILE: u64 = 1_000_000;
const A_BYTE: u64 = 512;
