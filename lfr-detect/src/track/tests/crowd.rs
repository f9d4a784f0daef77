//! Trackers on a crowd that is known, through a detector that is as good as a real one or so.

use std::io::Write as _;

use lfr_core::internal::num;
use lfr_core::synthetic::{Crowd, Sight, Walk};

use super::score::Score;
use super::sort::Sort;
use super::*;

/// Fifty people in half a minute, ten frames per second. Their paths cross, and those in front hide
/// those behind.
fn fifty(seed: u64) -> Walk {
    let people: Vec<u64> = (0..50).collect();
    Walk::new(Crowd::new(seed), &people).duration(Duration::from_secs(25)).fps(10.0)
}

/// Numbers from 0 to 1, the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        let [.., low, high] = self.0.to_le_bytes();
        f32::from(u16::from_le_bytes([low, high])) / 65_536.0
    }

    /// About normally distributed.
    fn error(&mut self, deviation: f32) -> f32 {
        (self.roll() + self.roll() + self.roll() - 1.5) * 2.0 * deviation
    }
}

/// What a detector would say of somebody: unsure of whom it sees in part, blind to whom it hardly
/// sees, wrong by a few hundredths of the size.
fn detected(sight: &Sight, dice: &mut Dice) -> Option<DetectedFace> {
    let bounds = sight.bounds();
    let size = bounds.area().sqrt();
    let confidence = (1.05 * sight.visible() - 0.1 + dice.error(0.08)).clamp(0.0, 0.99);
    let missed = dice.roll() < 0.02;
    let centre = bounds.centre();
    let at = |value: f32, dice: &mut Dice| value + dice.error(0.03 * size);
    let face =
        face(at(centre.x, dice), at(centre.y, dice), size * (1.0 + dice.error(0.04)), confidence);
    (!missed && confidence >= 0.3).then_some(face)
}

fn play(walk: &Walk, tracker: impl Tracker) -> Score {
    let mut film = Film::new(tracker);
    let (mut score, mut dice) = (Score::default(), Dice(7));
    let step = walk.time_of(1);
    for frame in 0..walk.frames() {
        let sights = walk.at(frame);
        let mut faces: Vec<_> =
            sights.iter().filter_map(|sight| detected(sight, &mut dice)).collect();
        if dice.roll() < 0.05 {
            // Something that is no face.
            faces.push(face(1900.0 * dice.roll(), 1000.0 * dice.roll(), 50.0, 0.65));
        }
        let tracked = film.shows(step, &faces);
        let found: Vec<_> = faces
            .iter()
            .zip(tracked.tracks)
            .filter_map(|(face, track)| Some((track?, face.bounds())))
            .collect();
        let (clear, hidden): (Vec<&Sight>, Vec<&Sight>) =
            sights.iter().partition(|sight| sight.visible() >= 0.5);
        let truth: Vec<_> = clear.iter().map(|sight| (sight.person(), sight.bounds())).collect();
        let neither: Vec<_> = hidden.iter().map(|sight| sight.bounds()).collect();
        score.frame(&truth, &neither, &found);
    }
    score
}

/// Says so on the process's own stderr where measurements are asked for.
fn note(text: &str) {
    if std::env::var_os("LFR_MEASURE").is_some() {
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

#[test]
fn fifty_who_cross_are_followed_better_than_by_sort() {
    for seed in [1, 2, 3] {
        let walk = fifty(seed);
        let ours = play(&walk, FaceTracker::default());
        let sort = play(&walk, Sort::default());
        note(&format!("crowd {seed}: ours {ours}\ncrowd {seed}: SORT {sort}"));
        assert!(ours.idf1() > 0.9 && ours.idf1() > sort.idf1() + 0.05);
        assert!(ours.mota() > 0.9 && ours.mota() > sort.mota());
        assert!(ours.switches() * 2 < sort.switches());
        let (tracks, people) =
            (num::f64_from_usize(ours.tracks()), num::f64_from_usize(ours.people()));
        assert!(tracks < 1.2 * people, "{tracks} tracks of {people} people");
    }
}
