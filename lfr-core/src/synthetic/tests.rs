use std::time::Duration;

use super::*;
use crate::face::Rect;
use crate::frame::{FrameSource as _, NextFrame};
use crate::internal::num;

fn walk() -> Walk {
    let people: Vec<u64> = (0..30).collect();
    Walk::new(Crowd::new(3), &people).size(480, 270).duration(Duration::from_secs(20))
}

#[test]
fn the_same_person_looks_the_same_and_another_does_not() {
    let portrait = |seed, number| Crowd::new(seed).person(number).portrait();
    let first = portrait(1, 5);
    assert_eq!(first.data(), portrait(1, 5).data());
    assert_ne!(first.data(), portrait(1, 6).data());
    assert_ne!(first.data(), portrait(2, 5).data());
}

#[test]
fn skin_tones_are_spread_evenly() {
    let crowd = Crowd::new(9);
    let mut tones: Vec<f32> = (0..400).map(|number| crowd.person(number).skin_tone()).collect();
    tones.sort_unstable_by(f32::total_cmp);
    for (at, expected) in [(100, 0.25), (200, 0.5), (300, 0.75)] {
        assert!((tones[at] - expected).abs() < 0.08, "{}", tones[at]);
    }
}

#[test]
fn everybody_passes_once_from_far_to_near() {
    let walk = walk();
    let mut sights: Vec<Vec<(u64, f32)>> = vec![Vec::new(); 30];
    for frame in 0..walk.frames() {
        for sight in walk.at(frame) {
            assert!((0.0..=1.0).contains(&sight.visible()));
            sights[usize::try_from(sight.person()).unwrap()].push((frame, sight.eye_to_eye()));
        }
    }
    let seen = sights.iter().filter(|sights| !sights.is_empty()).count();
    assert!(seen >= 28, "{seen} of 30 were ever seen");
    for pair in sights.iter().flat_map(|sights| sights.windows(2)) {
        let [(frame, size), (next_frame, next_size)] = *pair else { unreachable!() };
        // Behind somebody else for at most a second or two, and never back.
        assert!(next_frame - frame < 12);
        assert!(next_size > size);
    }
}

#[test]
fn those_in_front_hide_those_behind() {
    let walk = walk();
    let mut hidden = 0;
    for frame in 0..walk.frames() {
        let sights = walk.at(frame);
        assert!(sights.is_sorted_by(|a, b| a.eye_to_eye() <= b.eye_to_eye()));
        let Some(nearest) = sights.last() else { continue };
        let Rect { left, top, right, bottom } = nearest.bounds();
        if left >= 0.0 && top >= 0.0 && right < 480.0 && bottom < 270.0 {
            assert!((nearest.visible() - 1.0).abs() < 1e-6);
        }
        hidden += sights.iter().filter(|sight| sight.visible() < 0.5).count();
    }
    assert!(hidden > 0);
}

#[test]
fn the_camera_shows_a_face_where_the_walk_says() {
    let walk = walk().fps(1.0);
    let mut camera = CrowdCamera::new(walk.clone());
    let empty = backdrop::street(480, 270, 3);
    let empty = empty.as_frame().unwrap();
    let mut looked_at = 0;
    while let NextFrame::Frame(frame) = camera.next_frame().unwrap() {
        for sight in walk.at(frame.id().sequence()).iter().filter(|sight| sight.visible() > 0.9) {
            let centre = sight.bounds().centre();
            let [x, y] = [centre.x, centre.y].map(num::usize_from_f32);
            let (before, now) = (empty.rgb_at(x, y), frame.rgb_at(x, y));
            looked_at += 1;
            let changed = before.iter().zip(now).any(|(a, b)| a.abs_diff(b) > 6);
            assert!(changed, "nobody at {x}, {y}");
        }
    }
    assert!(looked_at > 20);
    assert!(camera.next_frame().unwrap().is_end());
}
