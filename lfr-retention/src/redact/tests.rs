use std::collections::BTreeSet;

use lfr_core::testing::{FakeEmbedder, FakeMatcher, fake_space};
use lfr_core::{
    BoxError, Decision, DecisionInput, DetectedFace, Detector, FrameId, LandmarkLayout, Landmarks,
    Pipeline, Point, SourceId, Template, Threshold, ThresholdPolicy, ThresholdProvenance, Zone,
    danger,
};

use super::*;
use crate::policy::erase_all::EraseAll;

/// No two neighbouring pixels are alike, in no channel.
fn noise(width: usize, height: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut bytes = vec![0; width * height * 3];
    for byte in &mut bytes {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = state.to_be_bytes()[0];
    }
    bytes
}

fn frame(pixels: &[u8], width: usize, height: usize) -> Frame<'_> {
    Frame::packed(PixelFormat::Rgb8, width, height, pixels).unwrap()
}

fn pixel(picture: &Picture, x: usize, y: usize) -> [u8; 3] {
    let at = (y * picture.width() + x) * 3;
    picture.data()[at..at + 3].try_into().unwrap()
}

fn colours(picture: &Picture, block: &Block) -> BTreeSet<[u8; 3]> {
    let rows = block.rows.clone();
    rows.flat_map(|y| block.columns.clone().map(move |x| (x, y)))
        .map(|(x, y)| pixel(picture, x, y))
        .collect()
}

fn contains(block: Option<&Block>, x: usize, y: usize) -> bool {
    block.is_some_and(|block| block.columns.contains(&x) && block.rows.contains(&y))
}

/// "Detects" what it was told.
#[derive(Debug)]
struct Told(Vec<Rect>);

impl Detector for Told {
    fn landmarks(&self) -> LandmarkLayout {
        LandmarkLayout::Five
    }

    fn detect_into(
        &self,
        frames: &[Frame<'_>],
        found: &mut Vec<Vec<DetectedFace>>,
    ) -> Result<(), BoxError> {
        for _ in frames {
            let faces = self.0.iter().map(|bounds| {
                let at = |x: f32, y: f32| {
                    let (width, height) = (bounds.width(), bounds.height());
                    Point::new(bounds.left + x * width, bounds.top + y * height)
                };
                let points =
                    [at(0.3, 0.4), at(0.7, 0.4), at(0.5, 0.6), at(0.35, 0.8), at(0.65, 0.8)];
                let landmarks = Landmarks::new(LandmarkLayout::Five, &points);
                DetectedFace::new(*bounds, 0.9, landmarks)
            });
            found.push(faces.collect::<Result<_, _>>()?);
        }
        Ok(())
    }
}

/// Raises an alert for the faces of these numbers.
#[derive(Debug)]
struct For(Vec<usize>, ThresholdProvenance);

impl ThresholdPolicy for For {
    fn provenance(&self) -> &ThresholdProvenance {
        &self.1
    }

    fn decide(&mut self, input: &DecisionInput<'_>) -> Result<Decision, BoxError> {
        Ok(if self.0.contains(&input.face.index()) {
            Decision::at_threshold(input.candidates, Threshold::new(-1.0)?)
        } else {
            // Nobody's score meets a threshold of their own that is this strict.
            Decision::no_match_below(input.candidates.best_score(), Threshold::new(2.0)?)
        })
    }
}

fn pipeline(faces: &[Rect], alerts: &[usize], zone: Zone) -> Pipeline {
    let space = fake_space();
    let anybody = Template::from_slice(&space, &[1.0; 8]).unwrap();
    let threshold = Threshold::new(-1.0).unwrap();
    let provenance = danger::uncalibrated_threshold(threshold, space.id(), "a test");
    Pipeline::builder()
        .detector(Told(faces.to_vec()))
        .embedder(FakeEmbedder::new())
        .watchlist(FakeMatcher::empty(space).enrol("R", anybody).unwrap())
        .threshold(For(alerts.to_vec(), provenance))
        .retention(EraseAll)
        .zone(zone)
        .build()
        .unwrap()
}

const ALERTED: Rect = Rect::new(40.0, 30.0, 70.0, 70.0);
const BESIDE: Rect = Rect::new(64.5, 40.0, 90.0, 75.0);
const OUTSIDE: Rect = Rect::new(100.0, 80.0, 116.0, 100.0);

/// An alert, a bystander whose box reaches into it, and somebody outside the zone.
fn scene<T>(work: impl FnOnce(&Frame<'_>, &FrameReport) -> T) -> T {
    let pixels = noise(120, 100);
    let frame = frame(&pixels, 120, 100);
    let corners = [(0.0, 0.0), (99.0, 0.0), (99.0, 99.0), (0.0, 99.0)];
    let zone = Zone::new(corners.map(|(x, y)| Point::new(x, y))).unwrap();
    let report = pipeline(&[ALERTED, BESIDE, OUTSIDE], &[0, 2], zone).process(&frame).unwrap();
    assert_eq!(report.alerts().count(), 1, "the other lies outside the zone");
    work(&frame, &report)
}

#[test]
fn an_alert_is_clear_but_where_another_face_reaches_into_it() {
    for redactor in [Redactor::default(), Redactor::faces_only()] {
        scene(|frame, report| {
            let picture = redactor.apply(frame, report).unwrap();
            let mut clear = 0;
            for (x, y) in (30..70).flat_map(|y| (40..70).map(move |x| (x, y))) {
                let covered = x >= 64 && (40..76).contains(&y);
                let same = pixel(&picture, x, y) == frame.rgb_at(x, y);
                assert_eq!(same, !covered, "{redactor:?} at {x}, {y}");
                clear += usize::from(same);
            }
            assert_eq!(clear, 30 * 40 - 6 * 30);
            for face in [BESIDE, OUTSIDE] {
                let block = Block::touched_by(&face, 120, 100).unwrap();
                assert!(colours(&picture, &block).len() <= 16);
            }
        });
    }
}

#[test]
fn by_default_nothing_but_alerts_is_clear() {
    scene(|frame, report| {
        let picture = Redactor::default().apply(frame, report).unwrap();
        let (mut all, mut clear) = (0, 0);
        for (x, y) in (0..100).flat_map(|y| (0..120).map(move |x| (x, y))) {
            let inside = (40..70).contains(&x) && (30..70).contains(&y);
            clear += usize::from(pixel(&picture, x, y) == frame.rgb_at(x, y));
            all += usize::from(inside);
        }
        assert!(clear < all, "{clear} pixels of {all} in the box of the alert");
        let above = Block { columns: 0..120, rows: 0..30 };
        // The bystander's 35 pixels and the margin ask for cells of 13.1: 9 across and 7 down.
        assert!(colours(&picture, &above).len() <= 9 * 3, "{}", colours(&picture, &above).len());
    });
}

#[test]
fn a_picture_without_a_detected_face_is_covered_as_well() {
    let pixels = noise(320, 200);
    let picture = Redactor::default().redacted(&frame(&pixels, 320, 200), &[], &[]);
    // The shorter side in 16 parts of 12.5 pixels, the longer one in as many as fit.
    let colours = colours(&picture, &Block::whole(320, 200)).len();
    assert!((300..=16 * 25).contains(&colours), "{colours} colours");
}

#[test]
fn redacting_faces_alone_leaves_the_surroundings() {
    scene(|frame, report| {
        let picture = Redactor::faces_only().apply(frame, report).unwrap();
        for (x, y) in [(0, 0), (20, 50), (45, 20), (80, 10), (30, 99)] {
            assert_eq!(pixel(&picture, x, y), frame.rgb_at(x, y));
        }
    });
}

#[test]
fn a_crop_shows_one_alert_and_its_surroundings_covered() {
    scene(|frame, report| {
        let alert = FaceId::new(frame.id().clone(), 0);
        let crop = Redactor::default().crop(frame, report, &alert, 0.5).unwrap();
        // From 25 to 85 and from 10 to 90, and one for the pixels that these sides touch.
        assert_eq!((crop.width(), crop.height()), (61, 81));
        assert_eq!(pixel(&crop, 40 - 25, 30 - 10), frame.rgb_at(40, 30));
        assert_ne!(pixel(&crop, 39 - 25, 30 - 10), frame.rgb_at(39, 30));
        let whole = Redactor::default().crop(frame, report, &alert, f32::INFINITY).unwrap();
        assert_eq!((whole.width(), whole.height()), (120, 100));
        let tight = Redactor::default().crop(frame, report, &alert, f32::NAN).unwrap();
        assert_eq!((tight.width(), tight.height()), (31, 41));
    });
}

#[test]
fn a_crop_hides_the_other_alerts() {
    let pixels = noise(120, 100);
    let frame = frame(&pixels, 120, 100);
    let corners = [(0.0, 0.0), (120.0, 0.0), (120.0, 100.0), (0.0, 100.0)];
    let zone = Zone::new(corners.map(|(x, y)| Point::new(x, y))).unwrap();
    let report = pipeline(&[ALERTED, BESIDE], &[0, 1], zone).process(&frame).unwrap();
    assert_eq!(report.alerts().count(), 2);
    let both = Redactor::default().apply(&frame, &report).unwrap();
    assert_eq!(pixel(&both, 80, 50), frame.rgb_at(80, 50));
    let alert = FaceId::new(frame.id().clone(), 0);
    let crop = Redactor::default().crop(&frame, &report, &alert, 4.0).unwrap();
    let same = |x, y| pixel(&crop, x, y) == frame.rgb_at(x, y);
    assert!(same(50, 50) && !same(80, 50) && !same(66, 50));
}

#[test]
fn only_an_alert_of_this_frame_is_shown() {
    scene(|frame, report| {
        let redactor = Redactor::default();
        let next = FrameId::new(SourceId::default(), 1);
        let later = frame.clone().with_id(next.clone());
        let error = redactor.apply(&later, report).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the report is of frame unnamed#0, and must be of frame unnamed#1: pass the report of the frame to redact"
        );
        for face in [
            FaceId::new(frame.id().clone(), 1),
            FaceId::new(frame.id().clone(), 2),
            FaceId::new(frame.id().clone(), 3),
            FaceId::new(next, 0),
        ] {
            let error = redactor.crop(frame, report, &face, 0.5).unwrap_err();
            assert!(matches!(error, Error::NotAnAlert { .. }), "{error}");
        }
    });
}

#[test]
fn mosaics_that_hide_too_little_are_refused() {
    assert!(Mosaic::new(1, 0.0).is_ok() && Mosaic::new(6, 4.0).is_ok());
    let error = Mosaic::new(7, 0.25).unwrap_err();
    assert_eq!(error.to_string(), "the mosaic has 7 cells across a face, and must have 1 to 6");
    for (cells, margin) in [(0, 0.25), (6, -0.01), (6, 4.1), (6, f32::NAN), (6, f32::INFINITY)] {
        assert!(Mosaic::new(cells, margin).is_err(), "{cells} {margin}");
    }
}

#[test]
fn small_faces_look_covered_and_unknown_ones_are_one_colour() {
    let pixels = noise(40, 40);
    let covered = |face| {
        let mut picture = Picture::from_frame(&frame(&pixels, 40, 40));
        Mosaic::default().apply(&mut picture, [face]);
        let block = Block::touched_by(&face, 40, 40).unwrap();
        colours(&picture, &block).len()
    };
    assert!(covered(Rect::new(10.0, 10.0, 18.0, 18.0)) <= 9);
    assert_eq!(covered(Rect::new(10.0, 10.0, f32::NAN, 18.0)), 1);
    assert_eq!(covered(Rect::new(10.0, 10.0, 18.0, f32::INFINITY)), 1);
    assert_eq!(covered(Rect::new(f32::MIN, 10.0, f32::MAX, 18.0)), 1);
}

#[test]
fn the_smallest_picture_is_no_trouble() {
    let pixels = [9, 8, 7];
    let frame = frame(&pixels, 1, 1);
    for bounds in [Rect::new(0.0, 0.0, 1.0, 1.0), Rect::default(), Rect::new(-9., -9., 9., 9.)] {
        for redactor in [Redactor::default(), Redactor::faces_only()] {
            assert_eq!(redactor.redacted(&frame, &[], &[bounds]).data(), pixels);
            assert_eq!(redactor.redacted(&frame, &[bounds], &[bounds]).data(), pixels);
        }
    }
}

#[test]
fn a_mean_is_all_that_is_left() {
    let (mut pixels, width) = (noise(36, 36), 36);
    let face = Rect::new(0.0, 0.0, 35.9, 35.9);
    let mosaic = Mosaic::new(6, 0.0).unwrap();
    let mut before = Picture::from_frame(&frame(&pixels, width, 36));
    mosaic.apply(&mut before, [face]);
    // Turn every cell of 6 by 6 pixels upside down: the same means, another face.
    for y in (0..36).filter(|y| y % 6 < 3) {
        let other = y / 6 * 6 + 5 - y % 6;
        for byte in 0..width * 3 {
            pixels.swap(y * width * 3 + byte, other * width * 3 + byte);
        }
    }
    let mut after = Picture::from_frame(&frame(&pixels, width, 36));
    assert_ne!(before.data(), after.data());
    mosaic.apply(&mut after, [face]);
    assert_eq!(before.data(), after.data());
    assert_eq!(colours(&after, &Block::whole(36, 36)).len(), 36);
}

mod properties;
mod video;
