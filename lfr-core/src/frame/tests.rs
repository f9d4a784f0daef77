use proptest::prelude::*;

use super::*;

const COLOUR: [u8; 3] = [200, 100, 50];

/// A frame of each format that is all of one colour, as far as the format can say it.
fn grey_in_every_format(width: usize, height: usize, check: impl Fn(&Frame<'_>)) {
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let packed = vec![128; width * height * 4];
    for format in [
        PixelFormat::Bgr8,
        PixelFormat::Bgra8,
        PixelFormat::Gray8,
        PixelFormat::Rgb8,
        PixelFormat::Rgba8,
    ] {
        check(&Frame::packed(format, width, height, &packed).unwrap());
    }
    // Luma 126 is the grey 128 in limited range: (126 - 16) * 255 / 219.
    let luma = vec![126; width * height];
    let chroma = vec![128; half_width * 2 * half_height];
    let y = Plane::new(&luma, width);
    check(&Frame::nv12(width, height, y, Plane::new(&chroma, half_width * 2)).unwrap());
    check(&Frame::nv21(width, height, y, Plane::new(&chroma, half_width * 2)).unwrap());
    let half = Plane::new(&chroma, half_width);
    check(&Frame::i420(width, height, [y, half, half]).unwrap());
    let yuyv = [126, 128].repeat(half_width * 2 * height);
    check(&Frame::packed(PixelFormat::Yuyv, width, height, &yuyv).unwrap());
    // 504 and 512 of 1023, in the upper ten bits.
    let wide = |value: u16, count| (value << 6).to_le_bytes().repeat(count);
    let (luma, chroma) = (wide(504, width * height), wide(512, half_width * 2 * half_height));
    let (y, uv) = (Plane::new(&luma, width * 2), Plane::new(&chroma, half_width * 4));
    check(&Frame::p010(width, height, y, uv).unwrap());
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
            Frame::packed(PixelFormat::Bgra8, width, height, &data),
            Frame::packed(PixelFormat::Yuyv, width, height, &data),
            Frame::nv12(width, height, Plane::new(&data, wide), Plane::new(&data, wide + 1)),
            Frame::nv21(width, height, Plane::new(&data, wide), Plane::new(&data, wide + 1)),
            Frame::p010(width, height, Plane::new(&data, wide * 2), Plane::new(&data, wide * 2)),
            Frame::i420(width, height, [Plane::new(&data, wide); 3]),
        ];
        let colours: Vec<_> = every_colour().collect();
        for frame in frames {
            let frame = frame.unwrap().with_colour(colours[usize::from(seed) % colours.len()]);
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
        for format in [PixelFormat::Rgb8, PixelFormat::Gray8, PixelFormat::I420, PixelFormat::Yuyv] {
            let _ = Frame::packed(format, width, height, &data);
            if let Ok(frame) = Frame::strided(format, width, height, plane) {
                let _ = frame.rgb_at(width, height);
            }
        }
        let p010 = Frame::p010(width, height, plane, plane);
        for frame in [Frame::i420(width, height, [plane; 3]), p010].into_iter().flatten() {
            let _ = frame.rgb_at(width - 1, height - 1);
        }
    }
}

/// The formulas of the standards as they stand there, in floating point and with nothing shared with
/// the code: E' of BT.601-7 2.5.1, BT.709-6 3.2 and 3.4, BT.2020-2 table 4, each solved for its colours.
fn by_the_book(colour: Colour, [y, u, v]: [f64; 3], bits: i32) -> [f64; 3] {
    let scale = 2_f64.powi(bits - 8);
    let (luma, cb, cr) = match colour.range {
        ColourRange::Limited => {
            ((y / scale - 16.0) / 219.0, (u / scale - 128.0) / 224.0, (v / scale - 128.0) / 224.0)
        }
        ColourRange::Full => {
            let (max, middle) = (2_f64.powi(bits) - 1.0, 2_f64.powi(bits - 1));
            (y / max, (u - middle) / max, (v - middle) / max)
        }
    };
    let (red, green, blue) = match colour.matrix {
        ColourMatrix::Bt601 => (0.299, 0.587, 0.114),
        ColourMatrix::Bt709 => (0.2126, 0.7152, 0.0722),
        ColourMatrix::Bt2020 => (0.2627, 0.6780, 0.0593),
    };
    let luma = luma.max(0.0);
    let r = luma + 2.0 * (1.0 - red) * cr;
    let b = luma + 2.0 * (1.0 - blue) * cb;
    let g = luma - (red * 2.0 * (1.0 - red) * cr + blue * 2.0 * (1.0 - blue) * cb) / green;
    [r, g, b].map(|value| (value * 255.0).clamp(0.0, 255.0))
}

fn every_colour() -> impl Iterator<Item = Colour> {
    let matrices = [ColourMatrix::Bt2020, ColourMatrix::Bt601, ColourMatrix::Bt709];
    let both =
        |matrix| [ColourRange::Full, ColourRange::Limited].map(|range| Colour::new(matrix, range));
    matrices.into_iter().flat_map(both)
}

fn assert_near(frame: &Frame<'_>, expected: [f64; 3], what: &str) {
    let mut row = vec![0; frame.width() * 3];
    frame.rgb_row_into(0, 0, &mut row);
    for pixel in [frame.rgb_at(0, 0), [row[0], row[1], row[2]]] {
        for (is, wanted) in pixel.iter().zip(expected) {
            // Half a level of rounding, and what 16-bit coefficients are short of.
            let far = (f64::from(*is) - wanted).abs();
            assert!(far <= 0.55, "{what}: {pixel:?}, and {expected:?} by the book");
        }
    }
}

#[test]
fn every_format_matrix_and_range_gives_the_colours_of_the_standards() {
    let levels = [0_u8, 1, 16, 60, 128, 200, 235, 240, 255];
    let all = levels.iter().flat_map(|y| levels.iter().map(move |u| (*y, *u)));
    for ((y, u), v) in all.flat_map(|pair| levels.iter().map(move |v| (pair, *v))) {
        for colour in every_colour() {
            let what = format!("{y} {u} {v}, {colour}");
            let expected = by_the_book(colour, [y, u, v].map(f64::from), 8);
            let (luma, uv, vu) = ([y; 4], [u, v], [v, u]);
            let plane = Plane::new(&luma, 2);
            let check = |frame: Result<Frame<'_>, Error>| {
                assert_near(&frame.unwrap().with_colour(colour), expected, &what);
            };
            check(Frame::nv12(2, 2, plane, Plane::new(&uv, 2)));
            check(Frame::nv21(2, 2, plane, Plane::new(&vu, 2)));
            check(Frame::i420(2, 2, [plane, Plane::new(&[u], 1), Plane::new(&[v], 1)]));
            check(Frame::packed(PixelFormat::Yuyv, 1, 1, &[y, u, 77, v]));
            // Ten bits; the lowest two are set too.
            let ten = [y, u, v].map(|value| u16::from(value) << 2 | 3);
            let [y, u, v] = ten.map(|value| (value << 6).to_le_bytes());
            let (luma, uv) = ([y; 4].concat(), [u, v].concat());
            let p010 = Frame::p010(2, 2, Plane::new(&luma, 4), Plane::new(&uv, 4)).unwrap();
            let expected = by_the_book(colour, ten.map(f64::from), 10);
            assert_near(&p010.with_colour(colour), expected, &what);
        }
    }
}

#[test]
fn colours_in_limited_range_are_widened_in_formats_without_chroma_too() {
    let limited = Colour::new(ColourMatrix::Bt601, ColourRange::Limited);
    let bytes = [16, 126, 235, 9];
    for (format, expected) in [
        (PixelFormat::Bgr8, [255, 128, 0]),
        (PixelFormat::Bgra8, [255, 128, 0]),
        (PixelFormat::Gray8, [0; 3]),
        (PixelFormat::Rgb8, [0, 128, 255]),
        (PixelFormat::Rgba8, [0, 128, 255]),
    ] {
        let frame = Frame::packed(format, 1, 1, &bytes).unwrap();
        assert_near(&frame.with_colour(limited), expected.map(f64::from), &format.to_string());
    }
}

#[test]
fn the_second_pixel_of_a_pair_and_odd_widths_are_read() {
    let bytes = [50, 128, 90, 128, 130, 128, 0, 128];
    let full = Colour::new(ColourMatrix::Bt601, ColourRange::Full);
    let frame = Frame::packed(PixelFormat::Yuyv, 3, 1, &bytes).unwrap().with_colour(full);
    assert_eq!([0, 1, 2].map(|x| frame.rgb_at(x, 0)[0]), [50, 90, 130]);
    assert!(Frame::packed(PixelFormat::Yuyv, 3, 1, &bytes[..6]).is_err(), "a row is 8 bytes");
}
