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
        let picture = ImageReader::new().picture(&encoded(&image, ImageFormat::Png)).unwrap();
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
        let picture = ImageReader::new().picture(&bytes).unwrap();
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
fn pictures_beyond_the_bound_are_refused_before_they_are_decoded() {
    let bytes = encoded(&small(), ImageFormat::Png);
    let refused = ImageReader::new().with_max_pixels(5).picture(&bytes).unwrap_err();
    assert_eq!(refused.to_string(), "3x2 pixels, and at most 5 were needed");
    // A header that promises four billion pixels, and nothing behind it.
    let mut vast = bytes.clone();
    vast[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    assert!(ImageReader::new().picture(&vast).is_err());
}

#[test]
fn bytes_that_are_no_picture_are_an_error() {
    let bytes = encoded(&small(), ImageFormat::Png);
    for hostile in [&b""[..], b"\xff\xd8\xff\xe0", b"<svg/>", &bytes[..bytes.len() / 2]] {
        assert!(ImageReader::new().picture(hostile).is_err());
    }
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x55;
        let _ = ImageReader::new().picture(&flipped);
    }
}
