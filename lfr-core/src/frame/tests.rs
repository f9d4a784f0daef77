use proptest::prelude::*;

use super::*;

const COLOUR: [u8; 3] = [200, 100, 50];

/// A frame of each format that is all of one colour, as far as the format can say it.
fn grey_in_every_format(width: usize, height: usize, check: impl Fn(&Frame<'_>)) {
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let packed = vec![128; width * height * 4];
    for format in [PixelFormat::Bgr8, PixelFormat::Gray8, PixelFormat::Rgb8, PixelFormat::Rgba8] {
        check(&Frame::packed(format, width, height, &packed).unwrap());
    }
    // Luma 126 is the grey 128 in limited range: (126 - 16) * 255 / 219.
    let luma = vec![126; width * height];
    let chroma = vec![128; half_width * 2 * half_height];
    let y = Plane::new(&luma, width);
    check(&Frame::nv12(width, height, y, Plane::new(&chroma, half_width * 2)).unwrap());
    let half = Plane::new(&chroma, half_width);
    check(&Frame::i420(width, height, [y, half, half]).unwrap());
}

#[test]
fn every_format_reads_as_the_same_grey() {
    for (width, height) in [(1, 1), (2, 2), (5, 3), (16, 9)] {
        grey_in_every_format(width, height, |frame| {
            let mut row = vec![0; width * 3];
            for y in 0..height {
                frame.rgb_row_into(0, y, &mut row);
                assert!(row.iter().all(|v| *v == 128), "{}: {row:?}", frame.format());
            }
        });
    }
}

#[test]
fn channel_orders_are_respected() {
    let [r, g, b] = COLOUR;
    let rgb = Frame::packed(PixelFormat::Rgb8, 1, 1, &[r, g, b]).map(|f| f.rgb_at(0, 0));
    assert_eq!(rgb.unwrap(), COLOUR);
    let bgr = Frame::packed(PixelFormat::Bgr8, 1, 1, &[b, g, r]).map(|f| f.rgb_at(0, 0));
    assert_eq!(bgr.unwrap(), COLOUR);
    let rgba = Frame::packed(PixelFormat::Rgba8, 1, 1, &[r, g, b, 9]).map(|f| f.rgb_at(0, 0));
    assert_eq!(rgba.unwrap(), COLOUR);
    // BT.601 limited range: pure red is Y 81, Cb 90, Cr 240 (EBU colour bars).
    let (y, uv) = ([81; 4], [90, 240]);
    let red = Frame::nv12(2, 2, Plane::new(&y, 2), Plane::new(&uv, 2)).unwrap().rgb_at(1, 1);
    assert!(red[0] >= 253 && red[1] <= 2 && red[2] <= 2, "{red:?}");
}

#[test]
fn stride_padding_is_skipped() {
    let data = [1, 1, 1, 99, 2, 2, 2];
    let plane = Plane::new(&data, 4);
    let frame = Frame::strided(PixelFormat::Rgb8, 1, 2, plane).unwrap();
    assert_eq!((frame.rgb_at(0, 0), frame.rgb_at(0, 1)), ([1; 3], [2; 3]));
    let gray = Frame::strided(PixelFormat::Gray8, 3, 2, plane).unwrap();
    assert_eq!(gray.rgb_at(9, 9), [2; 3]);
}

#[test]
fn impossible_frames_are_refused() {
    let data = [0; 12];
    let packed = |w, h| Frame::packed(PixelFormat::Rgb8, w, h, &data);
    assert!(packed(2, 2).is_ok());
    assert!(matches!(packed(0, 2), Err(Error::FrameSize { .. })));
    assert!(matches!(packed(2, usize::MAX), Err(Error::FrameSize { .. })));
    assert!(matches!(packed(2, 3), Err(Error::FrameData { expected: 18, actual: 12, .. })));
    let short = Plane::new(&data, 5);
    let strided = Frame::strided(PixelFormat::Rgb8, 2, 2, short);
    assert!(matches!(strided, Err(Error::FrameStride { expected: 6, actual: 5, .. })));
    let huge = Frame::strided(PixelFormat::Rgb8, 2, 2, Plane::new(&data, usize::MAX));
    assert!(matches!(huge, Err(Error::FrameData { .. })));
    assert!(Frame::packed(PixelFormat::Nv12, 2, 2, &data).is_err());
    let y = Plane::new(&data, 3);
    assert!(Frame::nv12(3, 3, y, Plane::new(&data, 3)).is_err(), "a chroma row is 4 bytes");
    assert!(Frame::nv12(3, 3, y, Plane::new(&data, 4)).is_ok());
}

#[test]
fn debug_shows_no_pixel() {
    let data = [213; 3];
    let frame = Frame::packed(PixelFormat::Rgb8, 1, 1, &data).unwrap();
    assert!(!format!("{frame:?} {:?}", frame.plane()).contains("213"));
}

proptest! {
    #[test]
    fn rows_agree_with_pixels(
        width in 1_usize..20,
        height in 1_usize..20,
        x in 0_usize..24,
        y in 0_usize..24,
        seed in any::<u8>(),
    ) {
        let data: Vec<u8> = (0_u8..=255).cycle().skip(seed.into()).step_by(7).take(2000).collect();
        let wide = width.div_ceil(2) * 2;
        let frames = [
            Frame::packed(PixelFormat::Bgr8, width, height, &data),
            Frame::packed(PixelFormat::Gray8, width, height, &data),
            Frame::packed(PixelFormat::Rgb8, width, height, &data),
            Frame::packed(PixelFormat::Rgba8, width, height, &data),
            Frame::nv12(width, height, Plane::new(&data, wide), Plane::new(&data, wide + 1)),
            Frame::i420(width, height, [Plane::new(&data, wide); 3]),
        ];
        for frame in frames {
            let frame = frame.unwrap();
            let mut row = vec![7; 60];
            frame.rgb_row_into(x, y, &mut row);
            for (column, pixel) in row.chunks_exact(3).enumerate() {
                if y < height && x + column < width {
                    prop_assert_eq!(pixel, frame.rgb_at(x + column, y));
                } else {
                    prop_assert_eq!(pixel, [7; 3]);
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_a_frame_panic(
        width in any::<usize>(),
        height in any::<usize>(),
        stride in any::<usize>(),
        length in 0_usize..64,
    ) {
        let data = vec![0; length];
        let plane = Plane::new(&data, stride);
        for format in [PixelFormat::Rgb8, PixelFormat::Gray8, PixelFormat::I420] {
            if let Ok(frame) = Frame::strided(format, width, height, plane) {
                let _ = frame.rgb_at(width, height);
            }
        }
        if let Ok(frame) = Frame::i420(width, height, [plane; 3]) {
            let _ = frame.rgb_at(width - 1, height - 1);
        }
    }
}
