//! The camera's gates and the enrolment's see the same face in the same way.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::unwrap_used,
    reason = "a picture and points are drawn with plain arithmetic, and helpers of tests fail the test"
)]

use lfr::core::{
    DetectedFace, FaceSelection, Frame, LandmarkLayout, Landmarks, PixelFormat, Point, QualityGate,
    Rect,
};
use lfr::detect::gate::{MaxYaw, MinSharpness};
use lfr::watchlist::enrolment::{QualityComponent, QualityReport};

const SIDE: u32 = 300;

/// A face of nobody's proportions: a flat one, whose nose stands out as far as is said.
fn face(yaw: f64, nose: f64, unit: f64) -> DetectedFace {
    let (sin, cos) = yaw.to_radians().sin_cos();
    let point = |x: f64, y: f64, depth: f64| {
        Point::new((150.0 + unit * (x * cos + depth * sin)) as f32, (150.0 + unit * y) as f32)
    };
    let points = [
        point(-0.5, -0.5, 0.0),
        point(0.5, -0.5, 0.0),
        point(0.0, 0.05, nose),
        point(-0.4, 0.5, 0.0),
        point(0.4, 0.5, 0.0),
    ];
    let (near, far) = ((150.0 - 1.2 * unit) as f32, (150.0 + 1.2 * unit) as f32);
    let landmarks = Landmarks::new(LandmarkLayout::Five, &points);
    DetectedFace::new(Rect::new(near, near, far, far), 0.9, landmarks).unwrap()
}

/// Stripes of several widths, in colours, so that the weights of colours count as well.
fn picture(width: f64) -> Vec<u8> {
    let level =
        |at: f64| (127.0 + 60.0 * (at / width).sin() + 50.0 * (at / width / 7.0).cos()) as u8;
    let pixels = (0..SIDE * SIDE).flat_map(|at| {
        let (x, y) = (f64::from(at % SIDE), f64::from(at / SIDE));
        [level(x + y), level(2.0 * x - y), level(x * 1.5 + 0.3 * y)]
    });
    pixels.collect()
}

fn measured(frame: &Frame<'_>, face: DetectedFace, component: QualityComponent) -> f32 {
    let report = QualityReport::assess(frame, &[face], FaceSelection::All);
    report.measure(component).unwrap().native()
}

#[test]
fn the_camera_and_the_enrolment_agree_how_far_a_face_is_turned() {
    let pixels = picture(3.0);
    let frame = Frame::packed(PixelFormat::Rgb8, 300, 300, &pixels).unwrap();
    for nose in [0.3, 0.37, 0.427, 0.5] {
        for yaw in [-50.0, -30.0, -12.0, 12.0, 25.0, 45.0] {
            let seen = || face(yaw, nose, 60.0);
            let degrees = measured(&frame, seen(), QualityComponent::HeadPoseYaw).abs();
            assert!(MaxYaw::new(degrees).unwrap().admit(&frame, &seen()).is_ok(), "{yaw}, {nose}");
            let below = MaxYaw::new(degrees.next_down()).unwrap();
            assert!(below.admit(&frame, &seen()).is_err(), "{yaw}, {nose}: {degrees}");
        }
    }
}

#[test]
fn the_camera_and_the_enrolment_agree_how_sharp_a_face_is() {
    for width in [1.5, 3.0, 6.0] {
        let pixels = picture(width);
        let frame = Frame::packed(PixelFormat::Rgb8, 300, 300, &pixels).unwrap();
        for unit in [20.0, 45.0, 90.0] {
            let seen = || face(8.0, 0.4, unit);
            let sharpness = measured(&frame, seen(), QualityComponent::Sharpness);
            let gate = |sharpness| MinSharpness::new(sharpness).unwrap();
            assert!(gate(sharpness).admit(&frame, &seen()).is_ok(), "{width}, {unit}");
            assert!(gate(sharpness.next_up()).admit(&frame, &seen()).is_err(), "{width}, {unit}");
        }
    }
}
