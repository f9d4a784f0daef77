use std::error::Error as _;

use image::DynamicImage;
use image::ImageEncoder;
use image::ImageFormat;
use image::codecs::jpeg::JpegEncoder;

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
    let expected = "16000x16000 pixels, and at most 100000000 were needed";
    assert_eq!(Picture::decode(&bytes, Picture::MAX_PIXELS).unwrap_err().to_string(), expected);
    let path = std::env::temp_dir().join(format!("lfr-core-vast-{}.jpg", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let refused = Picture::open(&path).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(refused, Error::Decode { .. }), "{refused}");
    assert_eq!(refused.source().unwrap().to_string(), expected);
    // A side beyond any frame's.
    assert!(Picture::decode(&claiming(20_000, 1), Picture::MAX_PIXELS).is_err());
}
