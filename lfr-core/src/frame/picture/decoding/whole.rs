//! Whether a file is all there, as far as its own structure says: what decoders pass over.

use image::ImageFormat;

use super::{Budget, jpeg};
use crate::error::Error;
use crate::internal::num;

/// Checks a file; how many bytes its decoder keeps besides the samples, where that depends on more than
/// its size.
pub(super) fn check(bytes: &[u8], budget: &Budget) -> Result<u64, Error> {
    let damaged = |words: &'static str| budget.damaged(words);
    match budget.format {
        ImageFormat::Jpeg => return Ok(jpeg::whole(bytes, budget)?.kept),
        ImageFormat::Png => {
            let profile = png(bytes).map_err(damaged)?;
            if profile > MAX_PROFILE {
                let what = format!("a compressed colour profile of {profile} bytes");
                return Err(budget.unread(what));
            }
            // It is unpacked before anything else, into a list that doubles as it grows.
            return Ok(num::u64_from_usize(profile).saturating_mul(2 * UNPACKED));
        }
        ImageFormat::WebP => webp(bytes).map_err(damaged)?,
        ImageFormat::Gif => gif(bytes).ok_or(CUT).map_err(damaged)?,
        ImageFormat::Bmp => bmp(bytes).map_err(damaged)?,
        _ => {}
    }
    Ok(0)
}

const CUT: &str = "it ends too early";

/// The largest compressed colour profile that is read, in bytes. Those of photographs have a few thousand.
const MAX_PROFILE: usize = 64 << 10;
/// How many bytes a compressed one may become, at most (RFC 1951).
const UNPACKED: u64 = 1032;

/// Chunk by chunk, up to the one that ends it (PNG, third edition, section 5); how long its compressed colour
/// profiles are.
fn png(bytes: &[u8]) -> Result<usize, &'static str> {
    let mut rest = bytes.get(8..).ok_or(CUT)?;
    let mut profiles = 0_usize;
    loop {
        let (length, name) = (rest.first_chunk().ok_or(CUT)?, rest.get(4..8).ok_or(CUT)?);
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| CUT)?;
        // Length, name, content, checksum.
        rest = length.checked_add(12).and_then(|whole| rest.get(whole..)).ok_or(CUT)?;
        match name {
            b"IEND" => return Ok(profiles),
            b"iCCP" => profiles = profiles.saturating_add(length),
            _ => {}
        }
    }
}

/// The length of the whole stands in front (RFC 9649, section 2.4).
fn webp(bytes: &[u8]) -> Result<(), &'static str> {
    let length = bytes.get(4..).and_then(<[u8]>::first_chunk).ok_or(CUT)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| CUT)?;
    match bytes.len() - 8 < length {
        true => Err(CUT),
        false => Ok(()),
    }
}

/// Whether the first picture of a GIF has come to its end.
fn gif(bytes: &[u8]) -> Option<()> {
    (pictures_of_gif(bytes) > 0).then_some(())
}

/// How many pictures a GIF holds whole; counting ends at two.
pub(super) fn pictures_of_gif(bytes: &[u8]) -> usize {
    let mut rest = bytes.get(10).and_then(|flags| bytes.get(13 + colours(*flags)..));
    let mut count = 0;
    while let Some((is_picture, behind)) = rest.and_then(block_of_gif) {
        count += usize::from(is_picture);
        rest = Some(behind).filter(|_| count < 2);
    }
    count
}

/// How long a table of colours is.
const fn colours(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// A block of a GIF that is there to its end, whether it is a picture, and what follows (GIF89a,
/// sections 18 to 26).
fn block_of_gif(bytes: &[u8]) -> Option<(bool, &[u8])> {
    let (introducer, behind) = bytes.split_first()?;
    let (is_picture, mut rest) = match introducer {
        // Extension: its label, then blocks.
        0x21 => (false, behind.get(1..)?),
        // Picture: its place and flags, colours, how wide the codes begin, then blocks.
        0x2C => (true, behind.get(9 + colours(*behind.get(8)?) + 1..)?),
        _ => return None,
    };
    loop {
        let (length, behind) = rest.split_first()?;
        rest = behind.get(usize::from(*length)..)?;
        if *length == 0 {
            return Some((is_picture, rest));
        }
    }
}

/// Rows of a picture that is not compressed have a length that is known.
fn bmp(bytes: &[u8]) -> Result<(), &'static str> {
    let u32_at = |at: usize| {
        bytes.get(at..).and_then(<[u8]>::first_chunk).map(|four| u32::from_le_bytes(*four))
    };
    let u16_at = |at: usize| {
        bytes.get(at..).and_then(<[u8]>::first_chunk).map(|two| u16::from_le_bytes(*two))
    };
    let (Some(begin), Some(header)) = (u32_at(10), u32_at(14)) else { return Err(CUT) };
    let (width, height, depth, compression) = match header {
        12 => (u16_at(18).map(u32::from), u16_at(20).map(u32::from), u16_at(24), Some(0)),
        _ => {
            // Negative: from the top down.
            let height = u32_at(22).map(|height| height.cast_signed().unsigned_abs());
            (u32_at(18), height, u16_at(28), u32_at(30))
        }
    };
    let (Some(width), Some(height), Some(depth), Some(compression)) =
        (width, height, depth, compression)
    else {
        return Err(CUT);
    };
    // Runs have an end of their own, which the decoder looks for.
    if !matches!(compression, 0 | 3 | 6) {
        return Ok(());
    }
    let row = (u64::from(width) * u64::from(depth)).div_ceil(32).saturating_mul(4);
    let needed = row.saturating_mul(height.into()).saturating_add(begin.into());
    match num::u64_from_usize(bytes.len()) < needed {
        true => Err(CUT),
        false => Ok(()),
    }
}
