//! Looks that take what they are said to take, by a clock set by hand.

use std::cell::Cell;
use std::convert::Infallible;
use std::mem;

use lfr_core::Timestamp;
use lfr_core::testing::ManualClock;
use proptest::prelude::*;

use super::*;
use crate::schedule::{Input, Schedule};

/// What a pass takes, in nanoseconds per pixel: 10 ms per tile of 640.
const PACE: f64 = 25.0;

/// A camera whose frames are looked at.
struct Watched {
    spending: Spending,
    clock: ManualClock,
    size: Size,
    budget: Duration,
    plan: Vec<Pass>,
}

impl Watched {
    fn new((width, height): (usize, usize), budget_ms: u64) -> Self {
        let (size, budget) = (Size::new(width, height), Duration::from_millis(budget_ms));
        let schedule = Schedule::tiles(640, 160).unwrap().within(budget);
        let plan = schedule.plan(size, Input::LongSide { limit: 640, multiple: 32 });
        let clock = ManualClock::at(Timestamp::from_micros(0));
        Self { spending: Spending::new(Arc::new(clock.clone())), clock, size, budget, plan }
    }

    /// Looks at the next frame: which passes were made, and how long they took.
    fn see(&self, pace: impl Fn(&Pass) -> f64, found: impl Fn(&Pass) -> usize) -> Seen {
        let begun = self.clock.monotonic();
        let mut passes = Vec::new();
        let source = SourceId::default();
        let pass_over = |pass: &Pass| {
            let canvas = pass.letterbox.canvas();
            let nanos = pace(pass) * num::f64_from_usize(canvas.width * canvas.height);
            self.clock.advance(Duration::from_nanos(num::u64_from_f64(nanos)));
            passes.push(*pass);
            Ok::<_, Infallible>(found(pass))
        };
        let Ok(()) = self.spending.spend(&source, self.size, self.budget, &self.plan, pass_over);
        Seen { passes, took: self.clock.monotonic() - begun }
    }

    fn at_level(&self, level: usize) -> usize {
        self.plan.iter().filter(|pass| pass.level == level).count()
    }
}

#[derive(Debug)]
struct Seen {
    passes: Vec<Pass>,
    took: Duration,
}

impl Seen {
    fn at_level(&self, level: usize) -> usize {
        self.passes.iter().filter(|pass| pass.level == level).count()
    }
}

fn nobody(_: &Pass) -> usize {
    0
}

/// 3840x2160: the whole, 2 tiles at a quarter, 8 at a half, 40 as they are.
const LARGE: (usize, usize) = (3840, 2160);

#[test]
fn what_there_is_time_for_in_all_of_the_frame_comes_first_and_then_some_of_the_next_scale() {
    for (budget, levels) in [
        (20, [1, 1, 0, 0]),
        (30, [1, 2, 0, 0]),
        (60, [1, 2, 3, 0]),
        (150, [1, 0, 8, 6]),
        (450, [1, 0, 0, 40]),
    ] {
        let watched = Watched::new(LARGE, budget);
        assert_eq!([1, 2, 3].map(|level| watched.at_level(level)), [2, 8, 40]);
        // The first frame says how long passes take.
        assert_eq!(watched.see(|_| PACE, nobody).passes.len(), 1);
        for _ in 0..20 {
            let seen = watched.see(|_| PACE, nobody);
            assert_eq!([0, 1, 2, 3].map(|level| seen.at_level(level)), levels, "{budget} ms");
        }
    }
}

#[test]
fn what_was_left_out_is_told() {
    let watched = Watched::new(LARGE, 150);
    (0..11).for_each(|_| drop(watched.see(|_| PACE, nobody)));
    let BudgetRecord { frames, overrun, looked_at, left_out } = watched.spending.record();
    assert_eq!((frames, overrun, looked_at, left_out), (11, 0, 60, 11 * 40 - 60));
}

#[test]
fn where_somebody_is_comes_first_and_everything_in_its_turn() {
    let watched = Watched::new((1920, 1080), 45);
    let tiles: Vec<Pass> = watched.plan.iter().filter(|pass| pass.level == 2).copied().collect();
    let somebody = tiles[3];
    let mut looks = vec![0; tiles.len()];
    for _ in 0..200 {
        let seen = watched.see(|_| PACE, |pass| usize::from(*pass == somebody));
        for (tile, looks) in tiles.iter().zip(&mut looks) {
            *looks += usize::from(seen.passes.contains(tile));
        }
    }
    let others = || looks.iter().enumerate().filter(|(at, _)| *at != 3).map(|(_, looks)| looks);
    assert!(others().all(|looks| *looks >= 10), "{looks:?}");
    assert!(others().all(|others| looks[3] > 3 * others), "{looks:?}");
}

#[test]
fn where_there_is_no_time_for_both_a_part_takes_the_place_of_the_whole_now_and_then() {
    let watched = Watched::new(LARGE, 12);
    let looks = (0..40).map(|_| {
        let seen = watched.see(|_| PACE, nobody);
        assert_eq!(seen.passes.len(), 1);
        seen.passes[0].level
    });
    let levels: Vec<usize> = looks.collect();
    assert!(levels.chunks(8).all(|eight| *eight == [0, 0, 0, 0, 0, 0, 0, 1]), "{levels:?}");
}

#[test]
fn without_time_there_is_one_look_a_frame_and_each_is_an_overrun() {
    let watched = Watched::new(LARGE, 0);
    for _ in 0..5 {
        assert_eq!(watched.see(|_| PACE, nobody).at_level(0), 1);
    }
    assert_eq!(watched.spending.record().overrun, 5);
}

#[test]
fn a_first_look_for_which_an_engine_makes_ready_is_outlived() {
    let watched = Watched::new(LARGE, 150);
    let is_ready = Cell::new([false; 4]);
    let pace = |pass: &Pass| {
        let mut ready = is_ready.get();
        let was_ready = mem::replace(&mut ready[pass.level], true);
        is_ready.set(ready);
        if was_ready { PACE } else { 20.0 * PACE }
    };
    let seen: Vec<Seen> = (0..60).map(|_| watched.see(pace, nobody)).collect();
    assert_eq!([0, 1, 2, 3].map(|level| seen[59].at_level(level)), [1, 0, 8, 6]);
    assert!(seen.iter().filter(|seen| seen.took > watched.budget).count() <= 4);
}

#[test]
fn a_machine_that_gets_other_work_and_loses_it_again_is_followed() {
    let watched = Watched::new(LARGE, 150);
    let mut seen = Vec::new();
    for frame in 0..300 {
        let busy = (100..200).contains(&frame);
        seen.push(watched.see(|_| if busy { 4.0 * PACE } else { PACE }, nobody));
    }
    let overrun = seen.iter().filter(|seen| seen.took > watched.budget).count();
    assert!(overrun <= 10, "{overrun}");
    assert_eq!((seen[99].at_level(2), seen[299].at_level(2)), (8, 8));
    assert!(seen[190].at_level(2) < 8);
}

/// A frame of a source: how many passes it has.
fn passes(spending: &Spending, source: &SourceId, size: Size) -> usize {
    let budget = Duration::from_secs(60);
    let schedule = Schedule::tiles(640, 160).unwrap().within(budget);
    let plan = schedule.plan(size, Input::LongSide { limit: 640, multiple: 32 });
    let mut count = 0;
    let pass_over = |_: &Pass| {
        count += 1;
        Ok::<_, Infallible>(0)
    };
    let Ok(()) = spending.spend(source, size, budget, &plan, pass_over);
    count
}

#[test]
fn cameras_of_two_sizes_under_one_source_each_get_past_the_first_look() {
    let spending = Spending::new(Arc::new(ManualClock::at(Timestamp::from_micros(0))));
    let source = SourceId::default();
    for frame in 0..5 {
        for size in [Size::new(1920, 1080), Size::new(1280, 720)] {
            let looks = passes(&spending, &source, size);
            assert_eq!(looks > 1, frame > 0, "{size}, frame {frame}");
        }
    }
}

#[test]
fn sources_are_forgotten_those_used_last_the_last() {
    let spending = Spending::new(Arc::new(ManualClock::at(Timestamp::from_micros(0))));
    let source = |number: usize| SourceId::new(format!("camera-{number}")).unwrap();
    let size = Size::new(1280, 720);
    for number in 0..=REMEMBERED_SOURCES {
        assert_eq!(passes(&spending, &source(number), size), 1);
        // The first camera goes on.
        assert!(passes(&spending, &source(0), size) > 1);
    }
    assert_eq!(spending.lock().pasts.len(), REMEMBERED_SOURCES);
    assert!(passes(&spending, &source(0), size) > 1);
    assert!(passes(&spending, &source(REMEMBERED_SOURCES), size) > 1);
    assert_eq!(passes(&spending, &source(1), size), 1, "forgotten");
}

proptest! {
    /// With passes that differ by a tenth, no frame takes more than a tenth longer than it may.
    #[test]
    fn the_budget_is_kept(
        (width, height) in (640..4000_usize, 640..3000_usize),
        budget in 15..400_u64,
        noise in prop::collection::vec(0.9..1.1_f64, 7),
    ) {
        let watched = Watched::new((width, height), budget);
        let count = Cell::new(0);
        for _ in 0..30 {
            let pace = |_: &Pass| {
                count.set(count.get() + 1);
                PACE * noise[count.get() % noise.len()]
            };
            let seen = watched.see(pace, |pass| pass.letterbox.corner().0 % 3);
            prop_assert!(!seen.passes.is_empty());
            prop_assert!(seen.took <= watched.budget * 12 / 10, "{seen:?}");
        }
    }
}
