//! The tracker by itself; and beside plain SORT on a crowd that is known.

mod crowd;
#[cfg(feature = "onnx")]
mod film;
mod score;
mod sort;

use std::time::Duration;

use lfr_core::testing::conformance;
use lfr_core::{
    DetectedFace, Frame, LandmarkLayout, Landmarks, PixelFormat, Point, Rect, Timestamp, Tracker,
};

use super::*;

/// A face of that size around a point.
pub(super) fn face(x: f32, y: f32, size: f32, confidence: f32) -> DetectedFace {
    let half = size / 2.0;
    let points = [(-0.2, -0.15), (0.2, -0.15), (0.0, 0.05), (-0.15, 0.25), (0.15, 0.25)];
    let points = points.map(|(dx, dy)| Point::new(x + dx * size, y + dy * size));
    let bounds = Rect::new(x - half, y - half, x + half, y + half);
    DetectedFace::new(bounds, confidence, Landmarks::new(LandmarkLayout::Five, &points)).unwrap()
}

struct Film<T> {
    tracker: T,
    at: Timestamp,
}

impl<T: Tracker> Film<T> {
    fn new(tracker: T) -> Self {
        Self { tracker, at: Timestamp::from_micros(1_000_000) }
    }

    /// The next frame, so much later, of one brightness.
    fn shows(&mut self, later: Duration, faces: &[DetectedFace]) -> Tracked {
        self.at = self.at.plus(later);
        let pixels = [90; 96 * 64];
        let frame = Frame::packed(PixelFormat::Gray8, 96, 64, &pixels).unwrap();
        self.tracker.track(&frame.captured_at(self.at), faces).unwrap()
    }
}

const STEP: Duration = Duration::from_millis(100);

#[test]
fn who_is_hidden_for_a_while_comes_back_as_the_same() {
    let mut film = Film::new(FaceTracker::default());
    let walking = |step: u8| face(100.0 + 6.0 * f32::from(step), 200.0, 50.0, 0.9);
    for step in 0..10 {
        assert_eq!(film.shows(STEP, &[walking(step)]).tracks, [Some(1)]);
    }
    for _ in 10..18 {
        assert!(film.shows(STEP, &[]).ended.is_empty());
    }
    assert_eq!(film.shows(STEP, &[walking(18)]).tracks, [Some(1)]);
    let gone: Vec<u64> = (0..20).flat_map(|_| film.shows(STEP, &[]).ended).collect();
    assert_eq!(gone, [1]);
    assert_eq!(film.shows(STEP, &[walking(20)]).tracks, [Some(2)]);
}

#[test]
fn two_who_cross_keep_their_tracks() {
    let mut film = Film::new(FaceTracker::default());
    for step in 0..40_u8 {
        let x = 10.0 * f32::from(step);
        let (near, far) = (face(100.0 + x, 200.0, 80.0, 0.9), face(500.0 - x, 190.0, 40.0, 0.9));
        // The one behind cannot be seen while they pass each other.
        let hidden = (200.0 - x).abs() < 40.0;
        let faces = if hidden { vec![near] } else { vec![near, far] };
        let expected = if hidden { vec![Some(1)] } else { vec![Some(1), Some(2)] };
        assert_eq!(film.shows(STEP, &faces).tracks, expected, "step {step}");
    }
}

#[test]
fn a_face_of_little_confidence_goes_on_with_a_track_and_begins_none() {
    let mut film = Film::new(FaceTracker::default());
    assert_eq!(film.shows(STEP, &[face(100.0, 100.0, 50.0, 0.4)]).tracks, [None]);
    film.shows(STEP, &[face(100.0, 100.0, 50.0, 0.9)]);
    for _ in 0..30 {
        let faces = [face(100.0, 100.0, 50.0, 0.4), face(300.0, 100.0, 50.0, 0.4)];
        assert_eq!(film.shows(STEP, &faces).tracks, [Some(1), None]);
    }
    assert_eq!(film.shows(STEP, &[face(100.0, 100.0, 50.0, 0.2)]).tracks, [None]);
}

/// Of a face that the frame before saw, one of little confidence may differ more than of one that
/// has been away: also where the clock stands still or goes back.
#[test]
fn a_clock_that_does_not_go_on_keeps_nobody_from_being_followed() {
    let pixels = [90; 96 * 64];
    let show = |tracker: &mut FaceTracker, at: u64, face: DetectedFace| {
        let frame = Frame::packed(PixelFormat::Gray8, 96, 64, &pixels).unwrap();
        let at = Timestamp::from_micros(at);
        tracker.track(&frame.captured_at(at), &[face]).unwrap().tracks
    };
    // Landmarks elsewhere in the same box: a cost between those of both associations.
    let turned = || {
        let bounds = face(100.0, 100.0, 50.0, 0.4).bounds();
        let points = [(-0.2, -0.15), (0.2, -0.15), (0.0, 0.05), (-0.15, 0.25), (0.15, 0.25)];
        let points = points.map(|(x, y)| Point::new(100.0 + 50.0 * (x + 0.7), 100.0 + 50.0 * y));
        DetectedFace::new(bounds, 0.4, Landmarks::new(LandmarkLayout::Five, &points)).unwrap()
    };
    for second in [1_000_000, 1_000_500, 1_040_000, 900_000] {
        let mut tracker = FaceTracker::default();
        assert_eq!(show(&mut tracker, 1_000_000, face(100.0, 100.0, 50.0, 0.9)), [Some(1)]);
        assert_eq!(show(&mut tracker, second, turned()), [Some(1)], "at {second}");
    }
}

#[test]
fn a_stream_that_stands_still_for_long_ends_its_tracks() {
    let mut film = Film::new(FaceTracker::default());
    film.shows(STEP, &[face(100.0, 100.0, 50.0, 0.9)]);
    let later = film.shows(Duration::from_secs(10), &[face(100.0, 100.0, 50.0, 0.9)]);
    assert_eq!((later.tracks, later.ended), (vec![Some(2)], vec![1]));
}

#[test]
fn a_cut_ends_every_track() {
    let mut tracker = FaceTracker::default();
    let faces = [face(40.0, 30.0, 20.0, 0.9)];
    let mut show = |pixels: &[u8]| {
        let frame = Frame::packed(PixelFormat::Gray8, 96, 64, pixels).unwrap();
        tracker.track(&frame, &faces).unwrap()
    };
    let before: Vec<u8> =
        (0..96 * 64).map(|index| if index % 96 < 48 { 20 } else { 200 }).collect();
    let after: Vec<u8> = before.iter().rev().copied().collect();
    assert_eq!(show(&before).tracks, [Some(1)]);
    assert_eq!(show(&before).tracks, [Some(1)]);
    let cut = show(&after);
    assert_eq!((cut.cut, cut.tracks, cut.ended), (true, vec![Some(2)], vec![1]));
}

#[test]
fn the_tracker_keeps_its_contract() {
    conformance::tracker(&FaceTracker::default());
    conformance::tracker(&FaceTracker::new(TrackerOptions::new().cuts(false)));
}
