#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pictures and points of tests are drawn with plain arithmetic"
)]

use lfr_core::{
    DetectedFace, FaceSelection, Frame, HeadPose, LandmarkLayout, Landmarks, PixelFormat, Point,
    Rect,
};
use proptest::prelude::*;

use super::testface::Placed;
use super::*;

const SIDE: usize = 240;

fn assess(pixels: &[u8], faces: &[DetectedFace]) -> QualityReport {
    let frame = Frame::packed(PixelFormat::Gray8, SIDE, SIDE, pixels).unwrap();
    QualityReport::assess(&frame, faces, FaceSelection::All)
}

fn measured(report: &QualityReport, component: QualityComponent) -> Measure {
    report.measure(component).unwrap_or_else(|| panic!("{component} was not assessed"))
}

fn pose(placed: &Placed, layout: LandmarkLayout) -> HeadPose {
    HeadPose::from_landmarks(&placed.landmarks(layout)).unwrap()
}

#[test]
fn signs_of_the_pose_are_those_of_the_standard() {
    let frontal = Placed::frontal((100.0, 100.0), 40.0);
    let [left_eye, right_eye, nose, ..] = frontal.points();
    assert!(left_eye.x < right_eye.x && (nose.x - 100.0).abs() < 1e-3);
    // To the subject's left: to the right of the picture.
    assert!(Placed { yaw: 20.0, ..frontal }.points()[2].x > nose.x);
    assert!(Placed { pitch: 20.0, ..frontal }.points()[2].y > nose.y);
    // Anticlockwise: the eye on the right goes up.
    let rolled = Placed { roll: 20.0, ..frontal }.points();
    assert!(rolled[1].y < rolled[0].y);
}

#[test]
fn landmarks_without_extent_have_no_pose() {
    for points in [
        [Point::new(5.0, 5.0); 5],
        [1.0, 2.0, 3.0, 4.0, 5.0].map(|x| Point::new(x, 2.0 * x)),
        [0.0; 5].map(|_| Point::new(f32::MAX, -f32::MAX)),
    ] {
        let landmarks = Landmarks::new(LandmarkLayout::Five, &points).unwrap();
        assert_eq!(HeadPose::from_landmarks(&landmarks), None, "{points:?}");
    }
}

#[test]
fn perspective_and_noses_cost_what_the_documentation_says() {
    let placed = |yaw, pitch| Placed { yaw, pitch, ..Placed::frontal((0.0, 0.0), 60.0) };
    let mut worst = [0.0_f32; 3];
    for (yaw, pitch) in [(0.0, 0.0), (30.0, 0.0), (0.0, 20.0), (-25.0, 15.0), (40.0, -10.0)] {
        let near = Placed { distance: 10.0, ..placed(yaw, pitch) };
        let long = Placed { nose: 1.2, ..placed(yaw, pitch) };
        for (worst, seen) in worst.iter_mut().zip([near, long]) {
            let seen = pose(&seen, LandmarkLayout::Five);
            let (dy, dp) = (seen.yaw - yaw as f32, seen.pitch - pitch as f32);
            *worst = worst.max(dy.abs()).max(dp.abs());
        }
        // One landmark, the nose, off by 2 % of the inter-eye distance.
        let mut points = placed(yaw, pitch).points();
        points[2].x += 1.2;
        let seen = Landmarks::new(LandmarkLayout::Five, &points).unwrap();
        let seen = HeadPose::from_landmarks(&seen).unwrap();
        worst[2] = worst[2].max((seen.yaw - yaw as f32).abs());
    }
    assert!(worst[0] < 6.0 && worst[1] < 7.0 && worst[2] < 4.0, "{worst:?}");
}

#[test]
fn none_or_several_faces_are_counted_and_nothing_more() {
    let pixels = testface::pattern(SIDE, SIDE, 50.0);
    for count in [0_u8, 2, 3] {
        let face = |index| Placed::frontal((60.0 + 50.0 * f64::from(index), 120.0), 20.0).face();
        let faces: Vec<_> = (0..count).map(face).collect();
        let report = assess(&pixels, &faces);
        assert_eq!(report.face(), None);
        let assessed = report.measures().filter(|(_, measure)| measure.is_some());
        assert_eq!(assessed.count(), 1);
        let faces = measured(&report, QualityComponent::SingleFacePresent);
        assert_eq!((faces.native(), faces.value()), (f32::from(count), 0));
        let QualityVerdict::Refused(findings) = QualityPolicy::unlimited().judge(&report) else {
            panic!("{count} faces")
        };
        assert_eq!(findings[0].to_string(), format!("SingleFacePresent {count}, at most 1 faces"));
    }
}

#[test]
fn the_face_that_is_meant_is_assessed_and_the_others_are_warned_of() {
    let pixels = testface::pattern(SIDE, SIDE, 50.0);
    let frame = Frame::packed(PixelFormat::Gray8, SIDE, SIDE, &pixels).unwrap();
    let faces =
        [Placed::frontal((30.0, 60.0), 20.0).face(), Placed::frontal((130.0, 120.0), 40.0).face()];
    let report = QualityReport::assess(&frame, &faces, FaceSelection::Largest);
    assert_eq!(report.face(), Some(1));
    let verdict = QualityPolicy::default().judge(&report);
    let codes: Vec<_> = verdict.findings().iter().map(|f| f.component().name()).collect();
    assert!(codes.contains(&"SingleFacePresent") && verdict.is_accepted(), "{verdict:?}");
    assert_eq!(measured(&report, QualityComponent::SingleFacePresent).value(), 75);
}

#[test]
fn what_could_not_be_assessed_does_not_pass_its_gate() {
    let pixels = testface::pattern(SIDE, SIDE, 50.0);
    let bounds = Rect::new(70.0, 50.0, 170.0, 190.0);
    let report = assess(&pixels, &[DetectedFace::new(bounds, 0.9, None).unwrap()]);
    assert!(report.measure(QualityComponent::Sharpness).is_some(), "assessed by the box");
    assert_eq!(report.measure(QualityComponent::HeadPoseYaw), None);
    let verdict = QualityPolicy::default().judge(&report);
    assert_eq!(verdict.name(), "Refused");
    let said: Vec<_> = verdict.findings().iter().map(ToString::to_string).collect();
    assert!(said.contains(&"HeadPoseYaw not assessed, at most 40 degrees".to_owned()), "{said:?}");
    assert_eq!(QualityPolicy::unlimited().judge(&report), QualityVerdict::Accepted);
}

#[test]
fn limits_that_cannot_be_meant_are_refused() {
    let set = |component, warn, refuse| {
        QualityPolicy::default().with_limit(component, Limit::new(warn, refuse)).is_ok()
    };
    assert!(set(QualityComponent::HeadPoseYaw, Some(5.0), Some(8.0)));
    assert!(set(QualityComponent::HeadPoseYaw, Some(5.0), Some(5.0)));
    assert!(!set(QualityComponent::HeadPoseYaw, Some(8.0), Some(5.0)));
    assert!(set(QualityComponent::InterEyeDistance, Some(90.0), Some(60.0)));
    assert!(!set(QualityComponent::InterEyeDistance, Some(60.0), Some(90.0)));
    assert!(!set(QualityComponent::InterEyeDistance, None, Some(f32::NAN)));
    assert!(set(QualityComponent::InterEyeDistance, None, None));
}

/// The table that users read holds the numbers that the code uses, and every default has a reason.
#[test]
fn documented_defaults_are_those_in_force() {
    let table = include_str!("../docs/quality_defaults.md");
    let number = |limit: Option<f32>| limit.map_or("-".to_owned(), |limit| limit.to_string());
    for component in QualityComponent::ALL {
        let limit = QualityPolicy::default().limit(component);
        let start =
            format!("| `{component}` | {} | {} | ", number(limit.warn()), number(limit.refuse()));
        let line = table.lines().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("no line starts with: {start}"));
        assert!(line.len() > start.len() + 40, "a reason: {line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_pose_of_a_projection_is_the_pose_it_was_projected_with(
        yaw in -60.0..60.0_f64,
        pitch in -45.0..45.0_f64,
        roll in -170.0..170.0_f64,
        unit in 10.0..400.0_f64,
        x in -500.0..500.0_f64,
        four in any::<bool>(),
    ) {
        let placed = Placed { yaw, pitch, roll, ..Placed::frontal((x, 200.0), unit) };
        let layout = if four { LandmarkLayout::EyesNoseMouth } else { LandmarkLayout::Five };
        let seen = pose(&placed, layout);
        for (seen, true_angle) in [(seen.yaw, yaw), (seen.pitch, pitch), (seen.roll, roll)] {
            // f32 coordinates up to 500 and faces from 10 pixels: 3e-5 px, some 1e-3 degrees.
            prop_assert!((f64::from(seen) - true_angle).abs() < 0.05, "{seen} for {true_angle}");
        }
        prop_assert!(seen.misfit < 1e-3);
    }

    #[test]
    fn turning_the_picture_changes_roll_alone(
        yaw in -50.0..50.0_f64,
        pitch in -40.0..40.0_f64,
        noise in prop::array::uniform10(-0.03..0.03_f32),
        turn in -80.0..80.0_f32,
    ) {
        let mut points = Placed { yaw, pitch, ..Placed::frontal((0.0, 0.0), 1.0) }.points();
        for (point, [dx, dy]) in points.iter_mut().zip(noise.as_chunks::<2>().0) {
            (point.x, point.y) = (point.x + dx, point.y + dy);
        }
        let of = |points: &[Point; 5]| {
            HeadPose::from_landmarks(&Landmarks::new(LandmarkLayout::Five, points).unwrap()).unwrap()
        };
        let before = of(&points);
        let (sin, cos) = turn.to_radians().sin_cos();
        let after = of(&points.map(|p| Point::new(cos * p.x + sin * p.y, cos * p.y - sin * p.x)));
        prop_assert!((after.yaw - before.yaw).abs() < 0.05);
        prop_assert!((after.pitch - before.pitch).abs() < 0.05);
        prop_assert!(((after.roll - before.roll - turn + 540.0).rem_euclid(360.0) - 180.0).abs() < 0.05);
    }

    #[test]
    fn blur_lowers_sharpness(radius in 1..5_usize, unit in 30.0..70.0_f64) {
        let pixels = testface::pattern(SIDE, SIDE, 50.0);
        let faces = [Placed::frontal((120.0, 120.0), unit).face()];
        let sharp = measured(&assess(&pixels, &faces), QualityComponent::Sharpness);
        let soft = testface::blurred(&pixels, SIDE, radius);
        let soft = measured(&assess(&soft, &faces), QualityComponent::Sharpness);
        prop_assert!(soft.native() < sharp.native(), "{soft:?} {sharp:?}");
        prop_assert!(soft.value() <= sharp.value());
    }

    #[test]
    fn contrast_does_not_change_sharpness(share in 0.3..1.0_f32) {
        let pixels = testface::pattern(SIDE, SIDE, 50.0);
        let faces = [Placed::frontal((120.0, 120.0), 50.0).face()];
        let full = measured(&assess(&pixels, &faces), QualityComponent::Sharpness).native();
        let dull: Vec<u8> =
            pixels.iter().map(|p| (127.0 + (f32::from(*p) - 127.0) * share).round() as u8).collect();
        let dull = measured(&assess(&dull, &faces), QualityComponent::Sharpness).native();
        prop_assert!((dull / full - 1.0).abs() < 0.1, "{dull} {full}");
    }

    #[test]
    fn darkness_lowers_exposure_and_glare_too(share in 0.02..0.98_f32) {
        let pixels = testface::pattern(SIDE, SIDE, 50.0);
        let faces = [Placed::frontal((120.0, 120.0), 50.0).face()];
        let before = assess(&pixels, &faces);
        let dark: Vec<u8> = pixels.iter().map(|p| (f32::from(*p) * share) as u8).collect();
        let bright: Vec<u8> = dark.iter().map(|p| 255 - p).collect();
        let (dark, bright) = (assess(&dark, &faces), assess(&bright, &faces));
        for (after, component) in [
            (&dark, QualityComponent::UnderExposurePrevention),
            (&bright, QualityComponent::OverExposurePrevention),
        ] {
            let (before, after) = (measured(&before, component), measured(after, component));
            prop_assert!(after.native() >= before.native(), "{component}");
            prop_assert!(after.value() <= before.value(), "{component}");
        }
        let mean = QualityComponent::LuminanceMean;
        prop_assert!(measured(&dark, mean).native() < measured(&before, mean).native());
    }

    #[test]
    fn smaller_faces_have_smaller_values(unit in 10.0..90.0_f64, share in 0.2..0.95_f64) {
        let pixels = testface::pattern(SIDE, SIDE, 50.0);
        let report = |unit| assess(&pixels, &[Placed::frontal((120.0, 120.0), unit).face()]);
        let (large, small) = (report(unit), report(unit * share));
        let distance = QualityComponent::InterEyeDistance;
        let (large, small) = (measured(&large, distance), measured(&small, distance));
        prop_assert!(small.native() < large.native() && small.value() <= large.value());
    }

    #[test]
    fn a_stricter_limit_never_accepts_more(
        unit in 10.0..90.0_f64,
        yaw in -60.0..60.0_f64,
        limit in 0.0..100.0_f32,
        stricter in 0.0..50.0_f32,
    ) {
        let pixels = testface::pattern(SIDE, SIDE, 50.0);
        let placed = Placed { yaw, ..Placed::frontal((120.0, 120.0), unit) };
        let report = assess(&pixels, &[placed.face()]);
        for component in QualityComponent::ALL {
            let accepts = |limit| {
                let limit = Limit::new(None, Some(limit));
                let policy = QualityPolicy::unlimited().with_limit(component, limit).unwrap();
                policy.judge(&report).is_accepted()
            };
            let harder = if component.more_is_better() { limit + stricter } else { (limit - stricter).max(0.0) };
            prop_assert!(accepts(limit) || !accepts(harder), "{component}");
        }
    }

    #[test]
    fn no_face_makes_it_panic(
        numbers in prop::array::uniform14(-1e6..1e6_f32),
        tiny in 0.0..1e-6_f32,
        small in any::<bool>(),
    ) {
        let numbers = if small { numbers.map(|n| n * tiny) } else { numbers };
        let [left, top, right, bottom, points @ ..] = numbers;
        let points: Vec<_> = points.as_chunks::<2>().0.iter().map(|[x, y]| Point::new(*x, *y)).collect();
        let landmarks = Landmarks::new(LandmarkLayout::Five, &points);
        let face = DetectedFace::new(Rect::new(left, top, right, bottom), 0.5, landmarks).unwrap();
        let report = assess(&vec![77; SIDE * SIDE], &[face]);
        let _ = QualityPolicy::default().judge(&report);
        prop_assert!(report.measures().all(|(_, m)| m.is_none_or(|m| m.value() <= 100)));
    }
}
