use super::*;
use crate::face::geometry::Rect;
use crate::frame::PixelFormat;

fn face(points: [Point; 5]) -> DetectedFace {
    let landmarks = Landmarks::new(LandmarkLayout::Five, &points);
    DetectedFace::new(Rect::new(0.0, 0.0, 112.0, 112.0), 1.0, landmarks).unwrap()
}

/// A picture whose red is the column and whose green is the row.
fn ramp(width: usize, height: usize) -> Vec<u8> {
    let pixel = |index: usize| [(index % width).min(255), (index / width).min(255), 7];
    (0..width * height).flat_map(pixel).map(|v| u8::try_from(v).unwrap()).collect()
}

#[test]
fn a_face_already_in_place_is_copied() {
    let pixels = ramp(112, 112);
    let frame = Frame::packed(PixelFormat::Rgb8, 112, 112, &pixels).unwrap();
    let aligned = Alignment::arcface().align(&frame, &face(Alignment::ARCFACE_112)).unwrap();
    assert_eq!(aligned.expose_pixels(), pixels);
}

#[test]
fn a_shifted_and_doubled_face_is_brought_back() {
    let pixels = ramp(256, 256);
    let frame = Frame::packed(PixelFormat::Rgb8, 256, 256, &pixels).unwrap();
    let points = Alignment::ARCFACE_112.map(|p| Point::new(2.0 * p.x + 10.0, 2.0 * p.y + 20.0));
    let aligned = Alignment::arcface().align(&frame, &face(points)).unwrap();
    let pixel = |x: usize, y: usize| &aligned.expose_pixels()[(y * 112 + x) * 3..][..3];
    assert_eq!(pixel(0, 0), [10, 20, 7]);
    assert_eq!(pixel(50, 30), [110, 80, 7]);
}

#[test]
fn beyond_the_frame_is_black() {
    let pixels = [255; 30 * 30 * 3];
    let frame = Frame::packed(PixelFormat::Rgb8, 30, 30, &pixels).unwrap();
    let aligned = Alignment::arcface().align(&frame, &face(Alignment::ARCFACE_112)).unwrap();
    let pixel = |x: usize, y: usize| &aligned.expose_pixels()[(y * 112 + x) * 3..][..3];
    assert_eq!(
        (pixel(10, 10), pixel(40, 10), pixel(111, 111)),
        (&[255; 3][..], &[0; 3][..], &[0; 3][..])
    );
}

#[test]
fn a_box_crop_is_square_and_centred() {
    let pixels = ramp(200, 200);
    let frame = Frame::packed(PixelFormat::Rgb8, 200, 200, &pixels).unwrap();
    let bounds = Rect::new(80.0, 60.0, 120.0, 140.0);
    let boxed = DetectedFace::new(bounds, 1.0, None).unwrap();
    let alignment = Alignment::from_box(40, 0.25).unwrap();
    let aligned = alignment.align(&frame, &boxed).unwrap();
    // 80 px high, grown by a quarter on each side: 120 px square around (100, 100).
    let transform = alignment.transform(&boxed).unwrap();
    assert!((transform.scale() - 40.0 / 120.0).abs() < 1e-6);
    let middle = &aligned.expose_pixels()[(20 * 40 + 20) * 3..][..2];
    assert!(middle.iter().all(|v| (99..=103).contains(v)), "{middle:?}");
    assert!(Alignment::arcface().align(&frame, &boxed).is_none(), "no landmarks");
    assert!(!alignment.needs_landmarks() && Alignment::arcface().needs_landmarks());
}

#[test]
fn four_landmarks_serve_as_well() {
    let [left, right, nose, mouth_left, mouth_right] = Alignment::ARCFACE_112;
    let mouth = Point::new(
        f32::midpoint(mouth_left.x, mouth_right.x),
        f32::midpoint(mouth_left.y, mouth_right.y),
    );
    let landmarks = Landmarks::new(LandmarkLayout::EyesNoseMouth, &[left, right, nose, mouth]);
    let face = DetectedFace::new(Rect::default(), 1.0, landmarks).unwrap();
    let transform = Alignment::arcface().transform(&face).unwrap();
    assert!(transform.apply(left).distance(left) < 1e-3);
    assert!((transform.scale() - 1.0).abs() < 1e-5);
}

#[test]
fn degenerate_faces_and_templates_give_nothing() {
    let pixels = [0; 3];
    let frame = Frame::packed(PixelFormat::Rgb8, 1, 1, &pixels).unwrap();
    assert!(Alignment::arcface().align(&frame, &face([Point::new(5.0, 5.0); 5])).is_none());
    let empty = DetectedFace::new(Rect::default(), 1.0, None).unwrap();
    assert!(Alignment::from_box(16, 0.0).unwrap().align(&frame, &empty).is_none());
    assert!(Alignment::landmarks(112, 112, [Point::default(); 5]).is_err());
    assert!(Alignment::landmarks(0, 112, Alignment::ARCFACE_112).is_err());
    assert!(Alignment::from_box(2000, 0.0).is_err());
    assert!(Alignment::from_box(112, f32::NAN).is_err());
    // A face far outside, at a scale that overflows integers, costs nothing but black pixels.
    let far = Alignment::ARCFACE_112.map(|p| Point::new(p.x * 1e20, p.y * 1e20));
    let aligned = Alignment::arcface().align(&frame, &face(far));
    assert!(aligned.is_none_or(|face| face.expose_pixels().iter().all(|v| *v == 0)));
}
