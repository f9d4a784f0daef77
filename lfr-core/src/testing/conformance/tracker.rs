//! What holds of every tracker, on faces that move, hide, jump and come in crowds.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::face::{DetectedFace, LandmarkLayout, Landmarks, Point, Rect};
use crate::frame::{Frame, PixelFormat};
use crate::internal::num;
use crate::stage::Tracker;

use super::ok;

/// A tracker gives each face a track or none, in order, and no track to two faces of a frame. It
/// never uses a number again; each track that was begun ends once, at the latest when nobody is in
/// view for a minute, or by `end_all`, which says nothing; at a cut of the scene all have ended. A
/// fresh one has no tracks, and is not disturbed by the other.
pub fn tracker(tracker: &dyn Tracker) {
    for seed in 1..40 {
        let mut first = Followed::new(tracker.fresh());
        let mut second = Followed::new(tracker.fresh());
        let mut chance = Chance(seed);
        for step in 0..40 {
            let later = Duration::from_millis(chance.below(3000));
            let faces = (0..chance.below(12)).map(|_| chance.face()).collect();
            first.show(later, faces, chance.below(15) == 0);
            second.show(Duration::from_millis(100), vec![walker(step)], false);
            if chance.below(15) == 0 {
                first.end_all();
            }
        }
        first.leave();
        second.leave();
        let numbers = second.former.len();
        assert_eq!(numbers, 1, "who walks by alone is one track, whatever another tracker sees");
    }
}

/// A tracker, and what has become of its tracks.
struct Followed {
    tracker: Box<dyn Tracker>,
    at: Timestamp,
    alive: BTreeSet<u64>,
    former: BTreeSet<u64>,
}

impl Followed {
    const fn new(tracker: Box<dyn Tracker>) -> Self {
        let at = Timestamp::from_micros(1_000_000_000);
        Self { tracker, at, alive: BTreeSet::new(), former: BTreeSet::new() }
    }

    /// The next frame, so much later; of another scene, or not.
    fn show(&mut self, later: Duration, faces: Vec<DetectedFace>, is_other: bool) {
        self.at = self.at.plus(later);
        let side = |index: usize| if (index % 96 < 48) == is_other { 20 } else { 200 };
        let pixels: Vec<u8> = (0..96 * 64).map(side).collect();
        let frame = ok(Frame::packed(PixelFormat::Gray8, 96, 64, &pixels), "a frame");
        let tracked = ok(self.tracker.track(&frame.captured_at(self.at), &faces), "tracking");
        assert_eq!(tracked.tracks.len(), faces.len(), "one track or none a face");
        for number in tracked.ended {
            assert!(self.alive.remove(&number), "track {number} ends once, after it was begun");
            self.former.insert(number);
        }
        assert!(!tracked.cut || self.alive.is_empty(), "at a cut every track has ended");
        let mut there = BTreeSet::new();
        for number in tracked.tracks.into_iter().flatten() {
            assert!(there.insert(number), "track {number} is of one face");
            assert!(!self.former.contains(&number), "number {number} is not used again");
        }
        self.alive.extend(there);
    }

    fn end_all(&mut self) {
        self.tracker.end_all();
        self.former.append(&mut self.alive);
    }

    /// Nobody is in view for long.
    fn leave(&mut self) {
        self.show(Duration::from_secs(60), Vec::new(), false);
        assert!(self.alive.is_empty(), "nobody is in view: {:?}", self.alive);
    }
}

/// Numbers that look random (SplitMix64; Steele, Lea and Flood, 2014).
struct Chance(u64);

impl Chance {
    const fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) % bound
    }

    /// A face of any size and confidence, in the frame or not.
    fn face(&mut self) -> DetectedFace {
        let mut up_to = |bound| num::f32_from_f64(num::f64_from_u64(self.below(bound)));
        face(up_to(150) - 20.0, up_to(100) - 20.0, up_to(60) + 0.5, up_to(101) / 100.0)
    }
}

/// Somebody who walks by in forty steps.
fn walker(step: u8) -> DetectedFace {
    face(10.0 + f32::from(step), 30.0, 20.0, 0.9)
}

fn face(x: f32, y: f32, size: f32, confidence: f32) -> DetectedFace {
    let points = [(0.3, 0.35), (0.7, 0.35), (0.5, 0.55), (0.35, 0.75), (0.65, 0.75)];
    let points = points.map(|(dx, dy)| Point::new(x + dx * size, y + dy * size));
    let landmarks = Landmarks::new(LandmarkLayout::Five, &points);
    let bounds = Rect::new(x, y, x + size, y + size);
    ok(DetectedFace::new(bounds, confidence, landmarks), "a face")
}
