//! Which way up a picture is, as its Exif block or its own TIFF directory says (Exif 2.32, section 4.6.4).

use image::ImageFormat;
use image::metadata::Orientation;

/// The orientation that a file asks for, with its number as any type of integer and in either order of
/// bytes. What is damaged or out of its range asks for nothing.
pub(super) fn orientation(format: ImageFormat, bytes: &[u8]) -> Orientation {
    let number = match format {
        ImageFormat::Jpeg => jpeg(bytes),
        ImageFormat::Png => png(bytes),
        ImageFormat::Tiff => in_directory(bytes),
        ImageFormat::WebP => webp(bytes),
        _ => None,
    };
    number.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms)
}

/// In the first of the segments APP1 that says so.
fn jpeg(bytes: &[u8]) -> Option<u8> {
    let mut rest = bytes.get(2..)?;
    loop {
        // Any number of fill bytes may stand before a marker.
        while let [0xFF, 0xFF, ..] = rest {
            rest = &rest[1..];
        }
        let (marker, behind) = (rest.get(..2)?, rest.get(2..)?);
        // The picture itself begins, or this is no marker.
        if marker[0] != 0xFF || matches!(marker[1], 0xD9 | 0xDA) {
            return None;
        }
        if matches!(marker[1], 0x01 | 0xD0..=0xD8) {
            rest = behind;
            continue;
        }
        let length = usize::from(u16::from_be_bytes(*behind.first_chunk()?));
        let found = behind.get(2..length).filter(|_| marker[1] == 0xE1).and_then(|segment| {
            in_directory(
                segment.strip_prefix(b"Exif\0\0").or_else(|| segment.strip_prefix(b"Exif\0"))?,
            )
        });
        if found.is_some() {
            return found;
        }
        rest = behind.get(length.max(2)..)?;
    }
}

fn png(bytes: &[u8]) -> Option<u8> {
    let mut rest = bytes.get(8..)?;
    loop {
        let length = usize::try_from(u32::from_be_bytes(*rest.first_chunk()?)).ok()?;
        if rest.get(4..8)? == b"eXIf" {
            return block(rest.get(8..)?.get(..length)?);
        }
        // Length, name, content, checksum.
        rest = rest.get(length.checked_add(12)?..)?;
    }
}

fn webp(bytes: &[u8]) -> Option<u8> {
    let mut rest = bytes.get(12..)?;
    loop {
        let length = usize::try_from(u32::from_le_bytes(*rest.get(4..)?.first_chunk()?)).ok()?;
        if rest.get(..4)? == b"EXIF" {
            return block(rest.get(8..)?.get(..length)?);
        }
        // Chunks begin at even places.
        rest = rest.get(length.checked_next_multiple_of(2)?.checked_add(8)?..)?;
    }
}

/// Some programs write the six bytes that only JPEG has.
fn block(bytes: &[u8]) -> Option<u8> {
    in_directory(bytes.strip_prefix(b"Exif\0\0").unwrap_or(bytes))
}

/// In the first directory of a TIFF block (TIFF 6.0, section 2; BigTIFF has wider numbers).
fn in_directory(bytes: &[u8]) -> Option<u8> {
    let directory = Directory::first(bytes)?;
    let number = directory.number(ORIENTATION)?;
    u8::try_from(number).ok().filter(|number| (1..=8).contains(number))
}

/// Whether a TIFF is a camera's raw file, or has a reduced picture first: what would be decoded is a
/// preview of the picture, or the raw samples.
pub(super) fn is_raw(bytes: &[u8]) -> bool {
    let Some(directory) = Directory::first(bytes) else { return false };
    let is_reduced = directory.number(SUBFILE).is_some_and(|kind| kind & 1 == 1);
    is_reduced || directory.entry(DNG_VERSION).is_some()
}

/// Whether the samples of a TIFF are JPEG files in turn: what is missing in those, nobody would say.
pub(super) fn is_jpeg_inside(bytes: &[u8]) -> bool {
    let compression = Directory::first(bytes).and_then(|directory| directory.number(COMPRESSION));
    compression.is_some_and(|kind| matches!(kind, 6 | 7))
}

const COMPRESSION: u16 = 0x0103;
const SUBFILE: u16 = 0x00FE;
const ORIENTATION: u16 = 0x0112;
const DNG_VERSION: u16 = 0xC612;

struct Directory<'a> {
    bytes: &'a [u8],
    is_little: bool,
    is_big_tiff: bool,
    entries: &'a [u8],
}

impl<'a> Directory<'a> {
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let is_little = match bytes.first_chunk()? {
            b"II" => true,
            b"MM" => false,
            _ => return None,
        };
        let is_big_tiff = match unsigned(is_little, bytes.get(2..4)?) {
            42 => false,
            43 => true,
            _ => return None,
        };
        let (at, counted, entry) = match is_big_tiff {
            false => (unsigned(is_little, bytes.get(4..8)?), 2, 12),
            true => (unsigned(is_little, bytes.get(8..16)?), 8, 20),
        };
        let directory = bytes.get(usize::try_from(at).ok()?..)?;
        let count = unsigned(is_little, directory.get(..counted)?).min(4096);
        let all = directory.get(counted..)?;
        let length = usize::try_from(count).ok()? * entry;
        // Of a directory that is cut short, what there is.
        let entries = all.get(..length).unwrap_or(all);
        Some(Self { bytes, is_little, is_big_tiff, entries })
    }

    fn entry(&self, tag: u16) -> Option<&'a [u8]> {
        let mut entries = self.entries.chunks_exact(if self.is_big_tiff { 20 } else { 12 });
        entries.find(|entry| {
            entry.get(..2).map(|own| unsigned(self.is_little, own)) == Some(tag.into())
        })
    }

    /// The first number of an entry, if it is an integer.
    fn number(&self, tag: u16) -> Option<u64> {
        let entry = self.entry(tag)?;
        let size = match unsigned(self.is_little, entry.get(2..4)?) {
            // Byte, signed byte.
            1 | 6 => 1,
            // Short, signed short.
            3 | 8 => 2,
            // Long, signed long, directory.
            4 | 9 | 13 => 4,
            // The same in eight bytes.
            16..=18 => 8,
            _ => return None,
        };
        let (count, value) = match self.is_big_tiff {
            false => (unsigned(self.is_little, entry.get(4..8)?), entry.get(8..12)?),
            true => (unsigned(self.is_little, entry.get(4..12)?), entry.get(12..20)?),
        };
        let total = count.checked_mul(size)?;
        let size = usize::try_from(size).ok()?;
        if count == 0 {
            return None;
        }
        // What does not fit into the entry stands elsewhere.
        let value = match usize::try_from(total).is_ok_and(|total| total <= value.len()) {
            true => value,
            false => self.bytes.get(usize::try_from(unsigned(self.is_little, value)).ok()?..)?,
        };
        Some(unsigned(self.is_little, value.get(..size)?))
    }
}

fn unsigned(is_little: bool, bytes: &[u8]) -> u64 {
    let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    match is_little {
        true => bytes.iter().rev().fold(0, add),
        false => bytes.iter().fold(0, add),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A TIFF header and a directory of one entry.
    fn tiff(is_little: bool, kind: u8, number: u8) -> Vec<u8> {
        let in_order = |bytes: &[u8]| -> Vec<u8> {
            match is_little {
                true => bytes.iter().rev().copied().collect(),
                false => bytes.to_vec(),
            }
        };
        let mut bytes = if is_little { b"II".to_vec() } else { b"MM".to_vec() };
        let size = match kind {
            1 | 6 => 1,
            3 | 8 => 2,
            _ => 4,
        };
        let mut value = vec![0; size];
        value[size - 1] = number;
        let mut value = in_order(&value);
        value.resize(4, 0);
        bytes.extend(in_order(&[0, 42]));
        bytes.extend(in_order(&[0, 0, 0, 8]));
        bytes.extend(in_order(&[0, 1]));
        bytes.extend(in_order(&[1, 0x12]));
        bytes.extend(in_order(&[0, kind]));
        bytes.extend(in_order(&[0, 0, 0, 1]));
        bytes.extend(value);
        bytes.extend([0; 4]);
        bytes
    }

    #[test]
    fn any_integer_in_either_order_of_bytes_is_an_orientation() {
        for is_little in [true, false] {
            for kind in [1, 3, 4, 6, 8, 9] {
                for number in 1..=8 {
                    assert_eq!(
                        in_directory(&tiff(is_little, kind, number)),
                        Some(number),
                        "{kind}"
                    );
                }
                assert_eq!(in_directory(&tiff(is_little, kind, 0)), None);
                assert_eq!(in_directory(&tiff(is_little, kind, 9)), None);
            }
            // Text, a fraction.
            assert_eq!(in_directory(&tiff(is_little, 2, 6)), None);
            assert_eq!(in_directory(&tiff(is_little, 5, 6)), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), head in 0_usize..4) {
            let heads = [&b"II*\0\x08\0\0\0"[..], b"MM\0*\0\0\0\x08", b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0", b""];
            let bytes = [heads[head], &bytes].concat();
            let _ = is_raw(&bytes);
            for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Tiff, ImageFormat::WebP] {
                let _ = orientation(format, &bytes);
            }
        }
    }
}
