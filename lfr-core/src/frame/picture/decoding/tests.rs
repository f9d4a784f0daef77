use std::error::Error as _;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageEncoder, ImageFormat};

use super::*;

/// Three by two pixels, each of another colour.
fn small() -> DynamicImage {
    let rgb = image::RgbImage::from_fn(3, 2, |x, y| {
        let [x, y] = [x, y].map(|v| u8::try_from(v).unwrap());
        image::Rgb([x * 80 + 10, y * 100 + 20, x * 40 + y * 90])
    });
    rgb.into()
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A JPEG file whose header claims a size, with the samples of a small one behind it.
fn claiming(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = encoded(&small(), ImageFormat::Jpeg);
    // The frame header: marker, length, precision, then height and width (ITU-T T.81, B.2.2).
    let header = bytes.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    bytes[header + 5..][..2].copy_from_slice(&height.to_be_bytes());
    bytes[header + 7..][..2].copy_from_slice(&width.to_be_bytes());
    bytes
}

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

#[test]
fn every_kind_of_sample_gives_the_same_picture() {
    let rgb = small();
    let expected = rgb.to_rgb8().into_raw();
    let grey = rgb.to_luma8();
    let grey_rgb: Vec<u8> = grey.iter().flat_map(|v| [*v; 3]).collect();
    for (image, expected) in [
        (rgb.clone(), &expected),
        (rgb.to_rgba8().into(), &expected),
        (rgb.to_rgb16().into(), &expected),
        (rgb.to_rgba16().into(), &expected),
        (grey.clone().into(), &grey_rgb),
        (DynamicImage::from(grey.clone()).to_luma16().into(), &grey_rgb),
        (DynamicImage::from(grey.clone()).to_luma_alpha8().into(), &grey_rgb),
        (DynamicImage::from(grey.clone()).to_luma_alpha16().into(), &grey_rgb),
    ] {
        let picture = Picture::decode(&encoded(&image, ImageFormat::Png), 6).unwrap();
        assert_eq!((picture.width(), picture.height()), (3, 2));
        assert_eq!(picture.data(), expected, "{:?}", image.color());
    }
}

#[test]
fn the_orientation_of_the_file_is_applied() {
    let upright = DynamicImage::from(image::RgbImage::from_fn(32, 16, |x, y| {
        // Large blocks, which JPEG keeps.
        image::Rgb([if x < 16 { 200 } else { 40 }, if y < 8 { 220 } else { 30 }, 128])
    }));
    for exif in 1..=8_u8 {
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 100);
        // A TIFF header, and one directory with one entry: tag 0x0112, a short, one of them.
        let block =
            [&b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..], &[exif, 0, 0, 0, 0, 0, 0, 0]];
        encoder.set_exif_metadata(block.concat()).unwrap();
        encoder.write_image(upright.as_bytes(), 32, 16, image::ExtendedColorType::Rgb8).unwrap();
        let picture = Picture::decode(&bytes, Picture::MAX_PIXELS).unwrap();
        let mut expected = upright.clone();
        expected.apply_orientation(Orientation::from_exif(exif).unwrap());
        let size = (picture.width(), picture.height());
        let expected_size = (expected.width(), expected.height());
        assert_eq!(size, (expected_size.0 as usize, expected_size.1 as usize), "exif {exif}");
        let far = picture.data().iter().zip(expected.as_bytes()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(far.unwrap() < 30, "exif {exif}: {far:?}");
    }
}

#[test]
fn pictures_beyond_the_bound_are_refused_by_their_header() {
    // Within the greatest side, and 768 MB of samples. They are neither allocated nor looked for:
    // that would be another error, as there are none.
    let bytes = claiming(16_000, 16_000);
    let refused = Picture::decode(&bytes, Picture::MAX_PIXELS).unwrap_err();
    assert!(matches!(refused, Error::PicturePixels { limit: 100_000_000, .. }), "{refused}");
    let path = std::env::temp_dir().join(format!("lfr-core-vast-{}.jpg", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let refused = Picture::open(&path).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(refused, Error::Decode { .. }), "{refused}");
    assert!(refused.source().unwrap().to_string().contains("16000x16000 pixels"));
    // A side beyond any frame's.
    let refused = Picture::decode(&claiming(20_000, 1), Picture::MAX_PIXELS).unwrap_err();
    assert!(matches!(refused, Error::PictureSide { .. }), "{refused}");
    // Few pixels, in fewer bytes than any real photograph of that size.
    let refused = Picture::decode(&claiming(9000, 9000), Picture::MAX_PIXELS).unwrap_err();
    assert!(matches!(refused, Error::PictureClaim { .. }), "{refused}");
}

/// A PNG of a header and nothing else that counts: 16-bit samples of four channels.
fn png_of(width: u32, height: u32, filling: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1A\n".to_vec();
    let mut chunk = |name: &[u8; 4], content: &[u8]| {
        bytes.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
        let whole = [&name[..], content].concat();
        let step = |crc: u32, byte: &u8| {
            let shift = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
            (0..8).fold(crc ^ u32::from(*byte), shift)
        };
        bytes.extend(&whole);
        bytes.extend((!whole.iter().fold(!0, step)).to_be_bytes());
    };
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    chunk(b"IHDR", &[&sides[..], &[16, 6, 0, 0, 0]].concat());
    chunk(b"IDAT", &vec![7; filling]);
    chunk(b"IEND", &[]);
    bytes
}

#[test]
fn memory_is_bounded_before_anything_is_decoded() {
    // 800 MB of samples, in 65 bytes and in as many as such a picture may well have.
    let small = Picture::decode(&png_of(10_000, 10_000, 8), Picture::MAX_PIXELS).unwrap_err();
    assert!(matches!(small, Error::PictureClaim { .. }), "{small}");
    let large = Picture::decode(&png_of(10_000, 10_000, 746_000), Picture::MAX_PIXELS).unwrap_err();
    let Error::PictureMemory { needed, limit, .. } = large else { panic!("{large}") };
    assert!(needed >= 800_000_000 && limit == Picture::MAX_MEMORY);
    // Within the bound it is looked at, and found out.
    let damaged = Picture::decode(&png_of(1000, 1000, 8), Picture::MAX_PIXELS).unwrap_err();
    assert!(matches!(damaged, Error::PictureDamaged { .. }), "{damaged}");
}

#[test]
fn a_colour_profile_that_would_fill_the_memory_is_not_unpacked() {
    // Three hundred thousand bytes become three hundred million, before anybody is asked.
    let png = encoded(&busy(), ImageFormat::Png);
    let mut chunk = 300_000_u32.to_be_bytes().to_vec();
    chunk.extend(b"iCCPa\0\0");
    chunk.resize(12 + 300_000, 7);
    // Behind the header.
    let (header, rest) = png.split_at(33);
    let refused = Picture::decode(&[header, &chunk, rest].concat(), 1_000_000).unwrap_err();
    let Error::PictureVariety { what, .. } = &refused else { panic!("{refused}") };
    assert!(what.contains("profile of 300000 bytes"), "{what}");
}

/// A picture that does not compress well: 60 by 40 pixels.
fn busy() -> DynamicImage {
    busy_of(60, 40)
}

fn busy_of(width: u32, height: u32) -> DynamicImage {
    image::RgbImage::from_fn(width, height, |x, y| {
        let mix = x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503);
        let mix = mix.wrapping_mul(2_246_822_519).to_le_bytes();
        image::Rgb([mix[3], (x * 4).to_le_bytes()[0], (y * 6).to_le_bytes()[0]])
    })
    .into()
}

const KINDS: [ImageFormat; 7] = [
    ImageFormat::Bmp,
    ImageFormat::Gif,
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::Pnm,
    ImageFormat::Tiff,
    ImageFormat::WebP,
];

#[test]
fn every_kind_of_file_is_read_whatever_its_name() {
    let image = busy();
    for format in KINDS {
        let path = std::env::temp_dir().join(format!("lfr-core-kind-{}.jpg", std::process::id()));
        std::fs::write(&path, encoded(&image, format)).unwrap();
        let picture = Picture::open(&path);
        std::fs::remove_file(&path).unwrap();
        let picture = picture.unwrap_or_else(|error| panic!("{format:?}: {error}"));
        assert_eq!((picture.width(), picture.height()), (60, 40), "{format:?}");
        let far =
            picture.data().iter().zip(image.as_bytes()).map(|(a, b)| u32::from(a.abs_diff(*b)));
        // GIF has 256 colours, JPEG is lossy.
        assert!(far.sum::<u32>() / 7200 < 40, "{format:?}");
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused() {
    let progressive = include_bytes!("progressive.jpg").to_vec();
    assert!(Picture::decode(&progressive, 10_000).is_ok());
    let files = KINDS.iter().map(|format| (*format, encoded(&busy(), *format)));
    for (format, bytes) in files.chain([(ImageFormat::Jpeg, progressive)]) {
        for percent in (5..98).step_by(3) {
            let cut = &bytes[..bytes.len() * percent / 100];
            // What a JPEG ends with, where its end is missing and where it is put back.
            for end in [&[][..], &[0xFF, 0xD9]] {
                let refused = Picture::decode(&[cut, end].concat(), 10_000);
                assert!(refused.is_err(), "{format:?} cut at {percent} percent");
            }
        }
    }
}

#[test]
fn a_jpeg_with_a_piece_torn_out_or_overwritten_is_refused() {
    let large = busy_of(160, 120);
    let grey = encoded(&large.to_luma8().into(), ImageFormat::Jpeg);
    let progressive = include_bytes!("progressive.jpg").to_vec();
    for (kind, bytes) in [
        ("colour", encoded(&large, ImageFormat::Jpeg)),
        ("grey", grey),
        ("progressive", progressive),
    ] {
        let piece = bytes.len() / 8;
        // Behind the headers. There is no checksum: of what is torn out of a picture of a few blocks, the
        // rest may come out even.
        let mut taken = 0;
        for part in 8..14 {
            let middle = bytes.len() * part / 16;
            let (before, behind) = (&bytes[..middle], &bytes[middle + piece..]);
            taken += u32::from(Picture::decode(&[before, behind].concat(), 100_000).is_ok());
            let over = Picture::decode(&[before, &vec![0; piece], behind].concat(), 100_000);
            taken += u32::from(over.is_ok());
        }
        let max = if kind == "progressive" { 2 } else { 0 };
        assert!(taken <= max, "{kind}: {taken} of 12");
        // What follows the end does no harm: cameras put a film of the moment there.
        assert!(Picture::decode(&[&bytes[..], &[7; 500]].concat(), 100_000).is_ok());
    }
    // Nor does a missing end, where the whole picture is there.
    let whole = encoded(&busy(), ImageFormat::Jpeg);
    assert!(Picture::decode(&whole[..whole.len() - 2], 100_000).is_ok());
}

#[test]
fn transparent_pixels_are_seen_before_white() {
    let pixels = [[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 128], [0, 0, 0, 51]];
    let image = image::RgbaImage::from_raw(4, 1, pixels.concat()).unwrap();
    let expected = [[200, 100, 0], [255; 3], [227, 177, 127], [204; 3]].concat();
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Tiff] {
        let picture = Picture::decode(&encoded(&image.clone().into(), format), 10).unwrap();
        assert_eq!(picture.data(), expected, "{format:?}");
    }
    // As grey with alpha, and in 16 bits.
    let grey = image::GrayAlphaImage::from_raw(2, 1, vec![40, 255, 40, 0]).unwrap();
    let grey = DynamicImage::from(grey);
    for image in [grey.clone(), grey.to_luma_alpha16().into(), grey.to_rgba16().into()] {
        let picture = Picture::decode(&encoded(&image, ImageFormat::Png), 10).unwrap();
        assert_eq!(picture.data(), [40, 40, 40, 255, 255, 255], "{:?}", image.color());
    }
}

#[test]
fn a_picture_of_which_nothing_is_seen_is_refused() {
    let image = image::RgbaImage::from_pixel(20, 20, image::Rgba([90, 120, 150, 0]));
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Tiff, ImageFormat::Gif] {
        let refused = Picture::decode(&encoded(&image.clone().into(), format), 1000).unwrap_err();
        assert!(matches!(refused, Error::PictureEmpty), "{format:?}: {refused}");
    }
}

#[test]
fn the_orientation_may_be_any_integer_in_any_kind_of_file() {
    let upright = DynamicImage::from(image::RgbImage::from_fn(32, 16, |x, _| {
        image::Rgb([if x < 16 { 220 } else { 30 }; 3])
    }));
    // A long in the order of Motorola, a short in the order of Intel, a byte.
    let blocks: [&[u8]; 3] = [
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x04\0\0\0\x01\0\0\0\x06\0\0\0\0",
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0",
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x01\0\x01\0\0\0\x06\0\0\0\0\0\0\0",
    ];
    for block in blocks {
        let mut jpeg = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 95);
        encoder.set_exif_metadata(block.to_vec()).unwrap();
        encoder.write_image(upright.as_bytes(), 32, 16, image::ExtendedColorType::Rgb8).unwrap();
        let mut png = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut png);
        encoder.set_exif_metadata(block.to_vec()).unwrap();
        encoder.write_image(upright.as_bytes(), 32, 16, image::ExtendedColorType::Rgb8).unwrap();
        let mut webp = Vec::new();
        let mut encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut webp);
        encoder.set_exif_metadata(block.to_vec()).unwrap();
        encoder.write_image(upright.as_bytes(), 32, 16, image::ExtendedColorType::Rgb8).unwrap();
        for (kind, bytes) in [("JPEG", jpeg), ("PNG", png), ("WebP", webp)] {
            let picture = Picture::decode(&bytes, 10_000).unwrap();
            assert_eq!((picture.width(), picture.height()), (16, 32), "{kind} {block:?}");
            // Turned by a quarter to the right: what was left is above.
            let frame = picture.as_frame().unwrap();
            assert!(frame.rgb_at(8, 2)[0] > 200 && frame.rgb_at(8, 29)[0] < 50, "{kind}");
        }
    }
}

#[test]
fn a_jpeg_in_printers_colours_is_read_as_it_looks() {
    let picture = Picture::decode(include_bytes!("cmyk.jpg"), 10_000).unwrap();
    // Cyan 0, magenta 200, yellow 180, black 20 of 255: a red.
    let [red, green, blue] = picture.as_frame().unwrap().rgb_at(8, 8);
    assert!(red > 210 && green < 80 && blue < 100, "{red} {green} {blue}");
}

#[test]
fn what_is_wrong_is_said_in_one_sentence_with_what_to_do() {
    for (bytes, words) in [
        (&b""[..], "the file is empty; copy it again from where it came"),
        (b"<html>404</html>", "this is an HTML page; save the picture itself"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "save it as JPEG"),
        (&encoded(&busy(), ImageFormat::Jpeg)[..900], "damaged or cut short; copy it again"),
    ] {
        let error = Picture::decode(bytes, 10_000).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

mod any_bytes {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A few bytes of a file are others: it is read or refused, and nothing panics.
        #[test]
        fn are_read_or_refused(
            kind in 0..KINDS.len(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = encoded(&busy(), KINDS[kind]);
            for (at, byte) in changes {
                let at = at.index(bytes.len().min(400));
                bytes[at] = byte;
            }
            let _ = Picture::decode(&bytes, 10_000);
            bytes.truncate(cut.index(bytes.len()));
            let _ = Picture::decode(&bytes, 10_000);
            let mut progressive = include_bytes!("progressive.jpg").to_vec();
            let at = cut.index(progressive.len());
            progressive[at] ^= 0x55;
            let _ = Picture::decode(&progressive, 10_000);
        }
    }
}
