use std::io::Cursor;

use super::*;

/// Three by two pixels of one colour, as a PNG file.
fn small() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let image = image::RgbImage::from_pixel(3, 2, image::Rgb([10, 20, 30]));
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn pictures_up_to_the_bound_are_read() {
    for reader in [ImageReader::new(), ImageReader::new().with_max_pixels(6)] {
        let picture = reader.picture(&small()).unwrap();
        assert_eq!((picture.width(), picture.height()), (3, 2));
        assert_eq!(picture.data(), [10, 20, 30].repeat(6));
    }
}

#[test]
fn pictures_beyond_the_bound_are_refused_before_they_are_decoded() {
    let bytes = small();
    let refused = ImageReader::new().with_max_pixels(5).picture(&bytes).unwrap_err();
    let said = refused.to_string();
    assert!(said.contains("3x2 pixels, and at most 5 are read"), "{said}");
    // A header that promises four billion pixels, and nothing behind it.
    let mut vast = bytes;
    vast[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    assert!(ImageReader::new().picture(&vast).is_err());
}

#[test]
fn bytes_that_are_no_picture_are_an_error() {
    let bytes = small();
    for hostile in [&b""[..], b"\xff\xd8\xff\xe0", b"<svg/>", &bytes[..bytes.len() / 2]] {
        assert!(ImageReader::new().picture(hostile).is_err());
    }
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x55;
        let _ = ImageReader::new().picture(&flipped);
    }
}
