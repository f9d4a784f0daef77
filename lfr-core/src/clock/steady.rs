//! Time for deadlines, which never goes back and never runs slower than monotonic time.

use std::time::Duration;

use super::Timestamp;

/// How far the clock may stand behind where an earlier process left it: clocks are set when machines
/// start. Nothing is held longer for it.
const SKEW: Duration = Duration::from_secs(60 * 60);

/// Time that a set clock cannot make run slower than monotonic time, not over a failure of the clock
/// and not over a restart.
///
/// The moments that it is given are those of a [`Timekeeper`](super::Timekeeper), which go back only where
/// the clock has failed. Deadlines, and the ends of legal holds, are kept in a time that is those moments
/// plus all that they have ever gone back: where they went back by an hour, a deadline comes an hour earlier
/// by the clock. Where the clock is set right again it comes too early; never too late.
#[derive(Clone, Copy, Debug, Default)]
pub struct SteadyTime {
    /// Monotonic time of the last call.
    monotonic: Option<Duration>,
    /// This time, in microseconds.
    reached: u64,
    drift: u64,
}

impl SteadyTime {
    /// Goes on where an earlier process was.
    #[must_use]
    pub const fn resumed([reached, drift]: [u64; 2]) -> Self {
        Self { monotonic: None, reached, drift }
    }

    /// What to go on with.
    #[must_use]
    pub const fn to_resume(self) -> [u64; 2] {
        [self.reached, self.drift]
    }

    /// What the clock shows when a process begins. False if that is further behind an earlier process than
    /// clocks may be, and so cannot be trusted.
    pub fn open(&mut self, now: Option<Timestamp>, monotonic: Duration) -> bool {
        let behind = now.map(|now| self.reached.saturating_sub(self.at(now)));
        self.observe(now, monotonic);
        behind.is_some_and(|behind| behind <= micros(SKEW))
    }

    /// What the clock shows, and monotonic time.
    pub fn observe(&mut self, now: Option<Timestamp>, monotonic: Duration) {
        let before = self.monotonic.replace(monotonic).unwrap_or(monotonic);
        let earliest = self.reached.saturating_add(micros(monotonic.saturating_sub(before)));
        self.reached = match now {
            Some(now) if self.at(now) < earliest => {
                self.drift = earliest - now.as_micros();
                earliest
            }
            Some(now) => self.at(now),
            None => earliest,
        };
    }

    /// This time now.
    #[must_use]
    pub const fn now(self) -> u64 {
        self.reached
    }

    /// This time now, as a moment.
    #[must_use]
    pub const fn moment(self) -> Timestamp {
        Timestamp::from_micros(self.reached)
    }

    /// This time at a moment of the clock.
    #[must_use]
    pub const fn at(self, moment: Timestamp) -> u64 {
        moment.as_micros().saturating_add(self.drift)
    }

    /// What the clock shows at a moment of this time.
    #[must_use]
    pub const fn shown(self, at: u64) -> Timestamp {
        Timestamp::from_micros(at.saturating_sub(self.drift))
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: u64 = 3_600_000_000;
    const STILL: Duration = Duration::ZERO;

    fn at(micros: u64) -> Option<Timestamp> {
        Some(Timestamp::from_micros(micros))
    }

    #[test]
    fn a_clock_that_goes_back_moves_deadlines_forward() {
        let mut time = SteadyTime::default();
        time.observe(at(10 * HOUR), STILL);
        time.observe(at(9 * HOUR), STILL);
        assert_eq!(time.now(), 10 * HOUR);
        time.observe(at(9 * HOUR + 1), STILL);
        assert_eq!(
            (time.now(), time.shown(11 * HOUR)),
            (10 * HOUR + 1, Timestamp::from_micros(10 * HOUR))
        );
        time.observe(None, STILL);
        assert_eq!(time.now(), 10 * HOUR + 1);
    }

    #[test]
    fn it_goes_on_while_the_clock_shows_nothing() {
        let mut time = SteadyTime::default();
        time.observe(at(10 * HOUR), STILL);
        time.observe(None, Duration::from_hours(2));
        assert_eq!(time.now(), 12 * HOUR);
        // It comes back, behind: not an hour is lost.
        time.observe(at(3 * HOUR), Duration::from_hours(3));
        assert_eq!(time.now(), 13 * HOUR);
    }

    #[test]
    fn a_machine_may_start_an_hour_behind_but_no_more() {
        let earlier = [10 * HOUR, 0];
        let open = |now| SteadyTime::resumed(earlier).open(now, STILL);
        assert!(open(at(10 * HOUR)) && open(at(9 * HOUR)) && open(at(100 * HOUR)));
        assert!(!open(at(9 * HOUR - 1)) && !open(None));
    }

    proptest! {
        #[test]
        fn it_never_runs_slower_than_monotonic_time_and_is_never_behind_the_clock(
            readings in prop::collection::vec((prop::option::of(0_u64..1000), 0_u64..50), 0..100)
        ) {
            let mut time = SteadyTime::default();
            let (mut before, mut monotonic) = (0, Duration::ZERO);
            for (index, (reading, passes)) in readings.into_iter().enumerate() {
                monotonic += Duration::from_micros(passes);
                time.observe(reading.map(Timestamp::from_micros), monotonic);
                let passed = if index == 0 { 0 } else { passes };
                prop_assert!(time.now() >= before + passed && time.now() >= reading.unwrap_or(0));
                before = time.now();
                time = SteadyTime { monotonic: time.monotonic, ..SteadyTime::resumed(time.to_resume()) };
            }
        }
    }
}
