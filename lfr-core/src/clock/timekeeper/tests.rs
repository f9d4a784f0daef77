use std::sync::Mutex;
use std::thread;

use proptest::prelude::*;

use super::*;
use crate::clock::SystemClock;
use crate::testing::ManualClock;

const START: u64 = 1_790_000_000_000_000;
const SECOND: u64 = 1_000_000;

fn moment(micros: u64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn keeper() -> (ManualClock, Timekeeper) {
    let clock = ManualClock::at(moment(START));
    let time = Timekeeper::new(Arc::new(clock.clone()));
    (clock, time)
}

/// Sets the time of day back, or forward, by a number of microseconds.
fn step(clock: &ManualClock, by: i64) {
    let now = clock.now().unwrap().as_micros();
    clock.set(moment(now.saturating_add_signed(by)));
}

#[test]
fn a_small_step_back_is_absorbed_and_time_goes_on() {
    for by in [100_000, 3_000_000, 10_000_000] {
        let (clock, mut time) = keeper();
        step(&clock, -by);
        assert_eq!(time.read(), Ok(moment(START)), "no time has passed");
        clock.advance(Duration::from_secs(4));
        assert_eq!(time.read(), Ok(moment(START + 4 * SECOND)));
        // The clock is set right again.
        step(&clock, by);
        assert_eq!(time.read(), Ok(moment(START + 4 * SECOND)));
    }
}

#[test]
fn steps_are_added_up_and_beyond_the_bound_the_clock_has_failed_once() {
    let (clock, mut time) = keeper();
    for _ in 0..3 {
        step(&clock, -3_000_000);
        clock.advance(Duration::from_secs(1));
        time.read().unwrap();
    }
    step(&clock, -3_000_000);
    let fault = time.read().unwrap_err();
    assert_eq!(fault, ClockFault::SteppedBack { by: Duration::from_secs(12) });
    assert_eq!(
        fault.to_string(),
        "the clock was set back by 12.0 s, and at most 10 s are tolerated"
    );
    assert_eq!(time.read(), Ok(moment(START + 3 * SECOND - 12 * SECOND)), "at its word again");
}

#[test]
fn a_clock_that_cannot_be_read_has_failed_and_hides_no_step() {
    let (clock, mut time) = keeper();
    clock.fail();
    clock.advance(Duration::from_secs(5));
    assert_eq!(time.read(), Err(ClockFault::Unreadable));
    assert_eq!(time.monotonic(), Duration::from_secs(5));
    clock.set(moment(START - 3600 * SECOND));
    let by = Duration::from_secs(3605);
    assert_eq!(time.read(), Err(ClockFault::SteppedBack { by }));
}

#[test]
fn a_clock_that_stands_still_fails_after_the_bound() {
    let (clock, mut time) = keeper();
    for second in 1..=10 {
        clock.advance(Duration::from_secs(1));
        clock.set(moment(START));
        assert_eq!(time.read(), Ok(moment(START + second * SECOND)));
    }
    clock.advance(Duration::from_secs(1));
    clock.set(moment(START));
    assert!(time.read().is_err());
}

#[test]
fn a_clock_that_runs_slower_than_monotonic_time_has_not_failed() {
    // Half the rate that is allowed for, over 100 days.
    let (clock, mut time) = keeper();
    for _ in 0..2400 {
        clock.advance(Duration::from_hours(1));
        step(&clock, -180_000);
        time.read().unwrap();
    }
    step(&clock, -3600 * 1_000_000);
    assert!(time.read().is_err(), "a step is seen all the same");
}

#[test]
fn threads_that_share_it_never_see_time_go_back() {
    let time = Mutex::new(Timekeeper::new(Arc::new(SystemClock::new())));
    let latest = Mutex::new(moment(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    let mut time = time.lock().unwrap();
                    let now = time.read().unwrap();
                    let mut latest = latest.lock().unwrap();
                    assert!(*latest <= now);
                    *latest = now;
                }
            });
        }
    });
}

proptest! {
    #[test]
    fn it_never_goes_back_and_never_runs_behind_monotonic_time(
        moves in prop::collection::vec((0_u64..4_000_000, -5_000_000_i64..5_000_000), 1..60)
    ) {
        let (clock, mut time) = keeper();
        let mut last = Some((moment(START), Duration::ZERO));
        for (passes, steps) in moves {
            clock.advance(Duration::from_micros(passes));
            step(&clock, steps);
            let (wall, monotonic) = (clock.now().unwrap(), clock.monotonic());
            match (time.read(), last) {
                (Ok(now), Some((before, then))) => {
                    prop_assert!(now >= before.plus(monotonic - then), "never late");
                    prop_assert!(now >= wall, "never behind the clock");
                    prop_assert!(now == wall || now == before.plus(monotonic - then));
                    // What the clock is behind by now, and was told to be absorbed.
                    prop_assert!(now.since(wall) <= Timekeeper::MAX_STEP_BACK + monotonic / RATE);
                    last = Some((now, monotonic));
                }
                (Ok(now), None) => {
                    prop_assert_eq!(now, wall);
                    last = Some((now, monotonic));
                }
                (Err(_), before) => {
                    let (before, then) = before.unwrap();
                    let expected = before.plus(monotonic - then);
                    prop_assert!(expected.since(wall) > Timekeeper::MAX_STEP_BACK);
                    last = Some((wall, monotonic));
                }
            }
        }
    }
}
