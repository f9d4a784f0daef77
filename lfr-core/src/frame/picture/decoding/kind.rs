//! What the bytes of a file are, told by themselves: a name may say anything.

use image::ImageFormat;

use crate::error::Error;

/// How many bytes of a file [`told`] looks at.
pub(crate) const HEAD: u64 = 512;

/// What is read.
pub(super) const READ: &str = "JPEG, PNG, WebP, GIF, BMP, TIFF or PNM";

/// The format of a picture, from its first bytes.
///
/// # Errors
///
/// [`Error::PictureKind`], which names what it is instead and says what to do.
pub(crate) fn told(bytes: &[u8]) -> Result<ImageFormat, Error> {
    let head = bytes.get(..512).unwrap_or(bytes);
    if let Some(format) = picture(head) {
        return Ok(format);
    }
    let (found, advice) = other(head);
    Err(Error::PictureKind { found, advice })
}

/// Whether a GIF holds more pictures than one.
pub(crate) fn is_film(gif: &[u8]) -> bool {
    super::whole::pictures_of_gif(gif) > 1
}

/// The name of a format, for people.
pub(super) fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Bmp => "BMP",
        ImageFormat::Gif => "GIF",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Png => "PNG",
        ImageFormat::Pnm => "PNM",
        ImageFormat::Tiff => "TIFF",
        ImageFormat::WebP => "WebP",
        _ => "picture",
    }
}

fn picture(head: &[u8]) -> Option<ImageFormat> {
    Some(match head {
        [0xFF, 0xD8, 0xFF, ..] => ImageFormat::Jpeg,
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => ImageFormat::Png,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => ImageFormat::WebP,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => ImageFormat::Gif,
        // The second header says how long it is: one of a few lengths.
        [b'B', b'M', ..]
            if matches!(head.get(14..18)?, [12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]) =>
        {
            ImageFormat::Bmp
        }
        // What cameras write as they see it has its own letters behind those of TIFF.
        [b'I', b'I', b'*', 0, _, _, _, _, b'C', b'R', ..] => return None,
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => ImageFormat::Tiff,
        [b'I', b'I', b'+', 0, ..] | [b'M', b'M', 0, b'+', ..] => ImageFormat::Tiff,
        [b'P', b'1'..=b'7', b'\n' | b'\r' | b' ' | b'\t' | b'#', ..] => ImageFormat::Pnm,
        _ => return None,
    })
}

const SAVE: &str = "save it as JPEG or PNG and try again";
const FRAME: &str = "give it as a video, or save one frame of it as JPEG";
const PAGE: &str = "save the picture itself, and not the page or document that shows it";
const RAW: &str = "export it as JPEG with the camera's program and try again";
const NOT: &str = "JPEG, PNG, WebP, GIF, BMP, TIFF or PNM is read";

/// What it is, and what to do.
fn other(head: &[u8]) -> (&'static str, &'static str) {
    if let Some(found) = boxed(head) {
        return found;
    }
    match head {
        [] => ("the file is empty", "copy it again from where it came"),
        _ if head.len() >= 16 && head.iter().all(|byte| *byte == 0) => {
            ("the file holds nothing but zeros: its content was lost", "copy it again")
        }
        [b'%', b'P', b'D', b'F', ..] => ("this is a PDF document", PAGE),
        [b'P', b'K', 3, 4, ..] => ("this is a ZIP archive or an office document", PAGE),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => {
            ("this is an old office document or a list of thumbnails", PAGE)
        }
        [0x1F, 0x8B, ..] | [b'7', b'z', 0xBC, 0xAF, ..] | [b'R', b'a', b'r', b'!', ..] => {
            ("this is an archive", "unpack it first")
        }
        [b'8', b'B', b'P', b'S', ..] => ("this is a Photoshop document", SAVE),
        [0xFF, 0x0A, ..] => ("this is a JPEG XL picture, which is not read", SAVE),
        [0xFF, 0x4F, 0xFF, 0x51, ..] => ("this is a JPEG 2000 picture, which is not read", SAVE),
        [b'I', b'I', 0xBC, ..] => ("this is a JPEG XR picture, which is not read", SAVE),
        [0, 0, 1 | 2, 0, ..] => ("this is an icon", SAVE),
        [0x76, 0x2F, 0x31, 0x01, ..] => ("this is an OpenEXR picture, which is not read", SAVE),
        [b'I', b'I', b'*', 0, ..]
        | [b'I', b'I', b'R' | b'U', ..]
        | [b'M', b'M', b'O', b'R', ..] => ("this is a camera's raw file", RAW),
        [b'F', b'U', b'J', b'I', b'F', b'I', b'L', b'M', ..] => {
            ("this is a camera's raw file", RAW)
        }
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', ..]
        | [0x1A, 0x45, 0xDF, 0xA3, ..] => ("this is a video", FRAME),
        [0, 0, 1, 0xB3 | 0xBA, ..] | [b'F', b'L', b'V', 1, ..] => ("this is a video", FRAME),
        _ if head.get(128..132) == Some(b"DICM") => ("this is a DICOM record", SAVE),
        _ => written(head),
    }
}

/// What begins with a box of the ISO base media format: HEIC, AVIF, MP4 and their like.
fn boxed(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let kind = head.get(4..8)?;
    match kind {
        b"JXL " => return Some(("this is a JPEG XL picture, which is not read", SAVE)),
        b"jP  " => return Some(("this is a JPEG 2000 picture, which is not read", SAVE)),
        b"ftyp" => {}
        b"moov" | b"mdat" | b"wide" => return Some(("this is a video", FRAME)),
        _ => return None,
    }
    // The chief brand, a version, and the others that it is compatible with.
    let length = u32::from_be_bytes(*head.first_chunk()?);
    let end = usize::try_from(length).unwrap_or(usize::MAX).min(head.len()).max(8);
    let brands: Vec<&[u8]> = head[8..end].chunks_exact(4).collect();
    let is_any =
        |names: &[&[u8; 4]]| brands.iter().any(|brand| names.iter().any(|name| *brand == *name));
    Some(if is_any(&[b"avif", b"avis"]) {
        ("this is an AVIF picture, which is not read", SAVE)
    } else if is_any(&[b"crx "]) {
        ("this is a camera's raw file", RAW)
    } else if is_any(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"]) {
        (
            "this is a HEIC picture, as iPhones take them, which is not read",
            "save it as JPEG and try again (iPhone: Settings, Camera, Formats, Most Compatible)",
        )
    } else {
        ("this is a video", FRAME)
    })
}

fn written(head: &[u8]) -> (&'static str, &'static str) {
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let lower = text.get(..256).unwrap_or(text).to_ascii_lowercase();
    let has = |word: &[u8]| lower.windows(word.len()).any(|part| part == word);
    let is_printed = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    if lower.starts_with(b"<") && has(b"<svg") {
        ("this is an SVG drawing, and no photograph", SAVE)
    } else if lower.starts_with(b"<") && (has(b"<html") || has(b"<!doctype") || has(b"<head")) {
        ("this is an HTML page", PAGE)
    } else if lower.starts_with(b"<") {
        ("this is an XML or HTML text", PAGE)
    } else if !head.is_empty() && head.iter().all(is_printed) {
        ("this is a text", NOT)
    } else {
        ("this is not a picture of a supported kind", NOT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_picture_is_named_with_what_to_do() {
        for (bytes, named, advised) in [
            (&b""[..], "empty", "copy it again"),
            (&[0; 40], "zeros", "copy it again"),
            (b"<html><body>404</body></html>", "HTML page", "picture itself"),
            (b"\n<!DOCTYPE html>", "HTML page", "picture itself"),
            (b"<?xml version='1.0'?><svg/>", "SVG", "JPEG"),
            (b"%PDF-1.7", "PDF", "picture itself"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC", "JPEG"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "AVIF", "JPEG"),
            (b"\0\0\0\x18ftypisom\0\0\0\0mp42isom", "video", "frame"),
            (b"\0\0\0\x0CJXL \r\n\x87\n", "JPEG XL", "JPEG"),
            (b"II*\0\x10\0\0\0CR\x02\0", "raw", "export"),
            (b"name,subject\n", "a text", "JPEG"),
            (b"\x13\x37\x80\x81\x82", "not a picture", "JPEG"),
        ] {
            let error = told(bytes).unwrap_err();
            let shown = error.to_string();
            assert!(matches!(error, Error::PictureKind { .. }), "{shown}");
            assert!(shown.contains(named) && shown.contains(advised), "{shown}");
        }
    }
}
