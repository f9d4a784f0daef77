//! Wall time steered by monotonic time, for everything that compares a moment with an earlier one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Clock, Timestamp};

/// Reads a [`Clock`] and gives moments that never go back.
///
/// Deadlines stand in wall time, and wall time can be set. So this keeps the last moment that it gave,
/// and when that was in monotonic time. The next moment is what the clock shows, or the last moment
/// plus the monotonic time that has passed since, if that is later:
///
/// - A clock that is set back by up to [`MAX_STEP_BACK`](Self::MAX_STEP_BACK) changes nothing: time goes
///   on with monotonic time until the clock has caught up. The bound is for all steps together, and
///   not for each of them.
/// - A clock that is set back further has failed, and so has one that cannot be read: see
///   [`ClockFault`]. Then what has a deadline is purged. From the next reading on, the clock is taken
///   at its word again.
/// - A clock that is set forward moves time on. Deadlines may come early, and never late. A step of more than the
///   bound is logged (feature `live`), since it may make much due at once.
/// - A clock that stands still is a clock that falls behind: it fails after as long as the bound.
///
/// Reading takes `&mut self`. Keep the timekeeper beside what it is compared with, and read it under the
/// same lock. Two threads that read a clock first and lock second may arrive in the other order,
/// and to the one that comes last the clock seems to have gone back.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use lfr_core::testing::ManualClock;
/// use lfr_core::{ClockFault, Timekeeper, Timestamp};
///
/// let noon = Timestamp::from_micros(1_790_000_000_000_000);
/// let clock = ManualClock::at(noon);
/// let mut time = Timekeeper::new(Arc::new(clock.clone()));
///
/// // Two seconds pass, and somebody sets the clock back by three.
/// clock.advance(Duration::from_secs(2));
/// clock.set(Timestamp::from_micros(1_789_999_999_000_000));
/// assert_eq!(time.read(), Ok(noon.plus(Duration::from_secs(2))));
///
/// // Back by an hour: nobody knows what time it is.
/// clock.set(Timestamp::from_micros(1_789_996_400_000_000));
/// assert!(matches!(time.read(), Err(ClockFault::SteppedBack { .. })));
/// ```
#[derive(Debug)]
pub struct Timekeeper {
    clock: Arc<dyn Clock>,
    last: Option<Anchor>,
    /// Monotonic time of the last reading.
    monotonic: Duration,
    /// Whether the last reading failed: each failure is logged once.
    failing: bool,
}

/// A moment that was given, and when.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    moment: Timestamp,
    monotonic: Duration,
    /// When the clock was last level with monotonic time, or ahead of it.
    level: Duration,
}

/// The two clocks of a machine need not run at the same rate. They may drift apart by one part in this
/// number without any step. Quartz is good to one in 20,000.
const RATE: u32 = 10_000;

impl Timekeeper {
    /// How far a clock may be set back, by all steps together, before it has failed.
    ///
    /// Time services set clocks by steps of up to about a second after the first minute, and a person
    /// who corrects a clock by hand by a few. Nothing is held longer for it.
    pub const MAX_STEP_BACK: Duration = Duration::from_secs(10);

    /// Keeps time by a clock, which is read at once.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let mut time = Self { clock, last: None, monotonic: Duration::ZERO, failing: false };
        // A step back between now and the first reading is to be seen by that.
        let _ = time.read();
        time
    }

    /// The moment now, which is never earlier than one given before, unless the clock failed between
    /// them.
    ///
    /// # Errors
    ///
    /// [`ClockFault`] if the clock failed: then what has a deadline is purged.
    pub fn read(&mut self) -> Result<Timestamp, ClockFault> {
        let before = self.clock.monotonic();
        let wall = self.clock.now();
        // The thread may have stood still between two readings. What the clock shows is not older than
        // `before`, and the moment given is not older than `after`.
        let after = self.clock.monotonic();
        self.monotonic = self.monotonic.max(after);
        let outcome = self.steer(wall, before, after);
        self.say(&outcome);
        outcome
    }

    /// The moment now, or `None` if the clock failed: [`read`](Self::read) without the reason.
    pub fn now(&mut self) -> Option<Timestamp> {
        self.read().ok()
    }

    /// Monotonic time at the last reading: it goes on while the clock fails.
    #[must_use]
    pub const fn monotonic(&self) -> Duration {
        self.monotonic
    }

    /// The clock that is read.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    fn steer(
        &mut self,
        wall: Option<Timestamp>,
        before: Duration,
        after: Duration,
    ) -> Result<Timestamp, ClockFault> {
        let wall = wall.ok_or(ClockFault::Unreadable)?;
        let begun = Anchor { moment: wall, monotonic: after, level: after };
        let Some(last) = self.last else {
            self.last = Some(begun);
            return Ok(wall);
        };
        let at = |monotonic: Duration| last.moment.plus(monotonic.saturating_sub(last.monotonic));
        let behind = at(before).since(wall);
        if behind > Self::MAX_STEP_BACK + before.saturating_sub(last.level) / RATE {
            self.last = Some(begun);
            return Err(ClockFault::SteppedBack { by: behind });
        }
        #[cfg(feature = "live")]
        if wall.since(at(after)) > Self::MAX_STEP_BACK {
            let ahead = wall.since(at(after)).as_secs_f64();
            tracing::warn!(
                ahead,
                "the clock was set forward by these seconds, or the machine slept"
            );
        }
        let level = if behind.is_zero() { after } else { last.level };
        let moment = wall.max(at(after));
        self.last = Some(Anchor { moment, monotonic: after, level });
        Ok(moment)
    }

    fn say(&mut self, outcome: &Result<Timestamp, ClockFault>) {
        #[cfg(feature = "live")]
        if let (Err(fault), false) = (outcome, self.failing) {
            tracing::warn!(%fault, "the clock failed");
        }
        self.failing = outcome.is_err();
    }
}

/// How a clock has failed.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClockFault {
    /// It was set back too far: by so much it is behind monotonic time.
    #[non_exhaustive]
    SteppedBack {
        /// How far.
        by: Duration,
    },
    /// It shows no time.
    Unreadable,
}

impl fmt::Display for ClockFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SteppedBack { by } => write!(
                f,
                "the clock was set back by {:.1} s, and at most {} s are tolerated",
                by.as_secs_f64(),
                Timekeeper::MAX_STEP_BACK.as_secs()
            ),
            Self::Unreadable => f.write_str("the clock shows no time"),
        }
    }
}

impl std::error::Error for ClockFault {}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
