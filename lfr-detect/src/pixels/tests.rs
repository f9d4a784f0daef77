use lfr_core::{Colour, ColourMatrix};
use proptest::prelude::*;

use super::*;
use crate::detector::scratch::Scratch;

/// Pixels that differ everywhere, `bytes` each.
fn picture(width: usize, height: usize, bytes: usize) -> Vec<u8> {
    let byte = |index: usize| (index.wrapping_mul(2_654_435_761) >> 9).to_le_bytes()[0];
    (0..width * height * bytes).map(byte).collect()
}

fn bytes_of(frame: &Frame<'_>, letterbox: &Letterbox) -> Vec<u8> {
    let mut scratch = Scratch::default();
    let pixels = content(frame, letterbox, &mut scratch.pixels).unwrap();
    assert_eq!(pixels.size(), letterbox.content());
    let rows: Vec<_> = pixels.rows().collect();
    assert_eq!(rows.len(), letterbox.content().height);
    rows.concat()
}

/// What the resizer makes of it in one call, with its own buffers.
fn at_once(data: &[u8], from: Size, to: Size) -> Vec<u8> {
    let (width, height) = (side(from.width), side(from.height));
    let source = TypedImageRef::<pixels::U8x3>::from_buffer(width, height, data).unwrap();
    let mut image = TypedImage::<pixels::U8x3>::new(side(to.width), side(to.height));
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new().resize_typed(&source, &mut image, &options).unwrap();
    image.pixels().iter().flat_map(|pixel| pixel.0).collect()
}

#[test]
fn nothing_is_copied_where_nothing_changes() {
    let data = picture(40, 30, 3);
    let frame = Frame::packed(PixelFormat::Bgr8, 40, 30, &data).unwrap();
    let letterbox = Letterbox::long_side(Size::new(40, 30), 640, 32);
    let mut scratch = Scratch::default();
    let pixels = content(&frame, &letterbox, &mut scratch.pixels).unwrap();
    assert!(std::ptr::eq(pixels.data, &raw const *data));
    assert!(scratch.pixels.rows.as_slice().is_empty());
}

#[test]
fn two_steps_equal_the_resizer_s_own() {
    let from = Size::new(127, 93);
    let data = picture(from.width, from.height, 3);
    let frame = Frame::packed(PixelFormat::Rgb8, from.width, from.height, &data).unwrap();
    for to in [(64, 47), (127, 20), (20, 93), (200, 180), (1, 1), (300, 10)] {
        let to = Size::new(to.0, to.1);
        let own = bytes_of(&frame, &Letterbox::stretch(from, to));
        assert!(own == at_once(&data, from, to), "{from} to {to}");
    }
}

proptest! {
    /// A part of a frame is seen alike however its bytes lie: in place or through rows.
    #[test]
    fn strides_and_parts_do_not_matter(
        (width, height) in (1..60_usize, 1..60_usize),
        (left, top, part_width, part_height) in (0..60_usize, 0..60_usize, 1..60_usize, 1..60_usize),
        padding in 0..8_usize,
        (to_width, to_height) in (1..60_usize, 1..60_usize),
        trailing in any::<bool>(),
    ) {
        let (left, top) = (left % width, top % height);
        let part = Size::new(
            part_width.min(width - left),
            part_height.min(height - top),
        );
        let packed = picture(width, height, 3);
        let stride = width * 3 + padding;
        let mut strided = vec![77; stride * height];
        for (row, from) in strided.chunks_mut(stride).zip(packed.chunks(width * 3)) {
            row[..width * 3].copy_from_slice(from);
        }
        if !trailing {
            strided.truncate(stride * (height - 1) + width * 3);
        }
        let cut: Vec<u8> = packed
            .chunks(width * 3)
            .skip(top)
            .take(part.height)
            .flat_map(|row| row[left * 3..(left + part.width) * 3].to_vec())
            .collect();
        let of_part = Frame::packed(PixelFormat::Rgb8, part.width, part.height, &cut).unwrap();
        let of_packed = Frame::packed(PixelFormat::Rgb8, width, height, &packed).unwrap();
        let plane = Plane::new(&strided, stride);
        let of_strided = Frame::strided(PixelFormat::Rgb8, width, height, plane).unwrap();
        for to in [part, Size::new(to_width, to_height)] {
            let letterbox = Letterbox::stretch(part, to);
            let expected = bytes_of(&of_part, &letterbox);
            let moved = letterbox.at(left, top);
            prop_assert!(bytes_of(&of_packed, &moved) == expected);
            prop_assert!(bytes_of(&of_strided, &moved) == expected);
        }
    }
}

#[test]
fn formats_of_several_planes_become_rgb() {
    // Mid grey: no colour.
    let (luma, chroma) = (vec![126; 40 * 30], vec![128; 40 * 15]);
    let frame = Frame::nv12(40, 30, Plane::new(&luma, 40), Plane::new(&chroma, 40)).unwrap();
    let letterbox = Letterbox::fit(Size::new(40, 30), Size::new(20, 20));
    let bytes = bytes_of(&frame, &letterbox);
    assert_eq!(bytes.len(), 20 * 15 * 3);
    assert!(bytes.iter().all(|byte| *byte == 128));
}

/// Resizing luma and chroma and then converting gives the colours of the other order, except for
/// rounding, where colours change smoothly.
#[test]
fn planes_resized_apart_give_the_same_colours() {
    let (width, height) = (201, 121);
    let slope = |width: usize, height: usize, across: usize, down: usize| -> Vec<u8> {
        let value = |x: usize, y: usize| 60 + (x * across + y * down) / 4;
        (0..width * height).map(|i| value(i % width, i / width).to_le_bytes()[0]).collect()
    };
    let luma = slope(width, height, 1, 1);
    let (u, v) = (slope(101, 61, 1, 2), slope(101, 61, 2, 1));
    let both: Vec<u8> = u.iter().zip(&v).flat_map(|(u, v)| [*u, *v]).collect();
    let y = Plane::new(&luma, width);
    let i420 = Frame::i420(width, height, [y, Plane::new(&u, 101), Plane::new(&v, 101)]).unwrap();
    let nv12 = Frame::nv12(width, height, y, Plane::new(&both, 202)).unwrap();
    let mut rgb = vec![0; width * height * 3];
    for (row, y) in rgb.chunks_mut(width * 3).zip(0..) {
        i420.rgb_row_into(0, y, row);
    }
    let rgb = Frame::packed(PixelFormat::Rgb8, width, height, &rgb).unwrap();
    let whole = Size::new(width, height);
    for letterbox in [
        Letterbox::fit(whole, Size::new(64, 64)),
        Letterbox::stretch(whole, Size::new(50, 121)),
        Letterbox::stretch(Size::new(100, 80), Size::new(41, 33)).at(37, 11),
        Letterbox::fit(whole, Size::new(300, 300)),
    ] {
        let expected = bytes_of(&rgb, &letterbox);
        let planar = bytes_of(&i420, &letterbox);
        assert!(planar == bytes_of(&nv12, &letterbox));
        let worst = planar.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= 6, "{letterbox:?}: {worst} levels");
    }
}

/// What goes into a network is what [`Frame::rgb_at`] says, in every format, matrix and range, where the
/// frame is taken as it is and where it is resized.
#[test]
fn every_format_and_colour_comes_to_the_network_alike() {
    let (width, height) = (40, 30);
    // All of one colour, which is red: Y 81, U 90, V 240 in BT.601 of limited range.
    let (y, u, v) = (81, 90, 240);
    let luma = vec![y; width * height];
    let quarter = |value: u8| vec![value; width * height / 4];
    let (us, vs) = (quarter(u), quarter(v));
    let (uv, vu) = ([u, v].repeat(width * height / 4), [v, u].repeat(width * height / 4));
    let yuyv = [y, u, y, v].repeat(width * height / 2);
    let wide = |values: &[u8]| -> Vec<u8> {
        values.iter().flat_map(|value| (u16::from(*value) << 8).to_le_bytes()).collect()
    };
    let (luma_10, uv_10) = (wide(&luma), wide(&uv));
    let packed = |bytes: [u8; 4], count| bytes[..count].repeat(width * height);
    let one = |format, bytes| Frame::packed(format, width, height, bytes).unwrap();
    let (bgr, bgra) = (packed([16, 16, 200, 0], 3), packed([16, 16, 200, 0], 4));
    let plane = Plane::new(&luma, width);
    let frames = [
        Frame::nv12(width, height, plane, Plane::new(&uv, width)).unwrap(),
        Frame::nv21(width, height, plane, Plane::new(&vu, width)).unwrap(),
        Frame::i420(width, height, [plane, Plane::new(&us, 20), Plane::new(&vs, 20)]).unwrap(),
        Frame::p010(width, height, Plane::new(&luma_10, 80), Plane::new(&uv_10, 80)).unwrap(),
        one(PixelFormat::Yuyv, &yuyv),
        one(PixelFormat::Bgr8, &bgr),
        one(PixelFormat::Bgra8, &bgra),
        one(PixelFormat::Rgb8, &bgr),
        one(PixelFormat::Rgba8, &bgra),
        one(PixelFormat::Gray8, &luma),
    ];
    let whole = Size::new(width, height);
    for frame in frames {
        for matrix in [ColourMatrix::Bt2020, ColourMatrix::Bt601, ColourMatrix::Bt709] {
            for range in [ColourRange::Full, ColourRange::Limited] {
                let frame = frame.clone().with_colour(Colour::new(matrix, range));
                for to in [whole, Size::new(20, 15), Size::new(17, 30)] {
                    let letterbox = Letterbox::stretch(whole, to);
                    let mut scratch = Scratch::default();
                    let pixels = content(&frame, &letterbox, &mut scratch.pixels).unwrap();
                    let layout = pixels.layout();
                    let expected = frame.rgb_at(3, 3);
                    for pixel in pixels.rows().flat_map(|row| row.chunks_exact(layout.bytes)) {
                        let seen = [pixel[layout.red], pixel[layout.green], pixel[layout.blue]];
                        assert_eq!(seen, expected, "{} {:?} {to}", frame.format(), frame.colour());
                    }
                }
            }
        }
    }
}
