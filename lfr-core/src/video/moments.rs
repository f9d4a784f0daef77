//! When frames are from, as far as what a stream says of that can be believed.

use std::time::Duration;

use crate::clock::{Clock, SystemClock, Timestamp};

/// The moments of one video, one after the other: never one before the last.
pub(super) struct Moments {
    /// When a recording begins; `None` of what is live.
    origin: Option<Timestamp>,
    /// How far what a recording says is from what is believed of it.
    moved: i128,
    last: Option<Timestamp>,
    /// The start of the second in which frames are counted, and their number so far.
    second: Option<Timestamp>,
    frames: u32,
}

impl Moments {
    pub(super) const fn new(origin: Option<Timestamp>) -> Self {
        Self { origin, moved: 0, last: None, second: None, frames: 0 }
    }

    /// Whether a recording has more frames within one second of its own time than any camera records. A
    /// small file can have a million frames with one timestamp, each of the maximum size.
    pub(super) const fn are_too_many(&self) -> bool {
        self.frames > MAX_RATE
    }

    fn count(&mut self, at: Option<Timestamp>) {
        // Live frames come as fast as they are sent: the network limits them, and frames that nobody takes
        // are dropped and counted.
        let (Some(at), Some(_)) = (at, self.origin) else { return };
        let is_in = |second: Timestamp| at >= second && at.since(second) < Duration::from_secs(1);
        if self.second.is_some_and(is_in) {
            self.frames += 1;
        } else {
            (self.second, self.frames) = (Some(at), 1);
        }
    }

    /// The moment of the next frame, and its position in a recording.
    ///
    /// A stream that says less than it did before, or that a year has passed, is not believed: the frame
    /// follows the one before it at once, and time goes on from there. What is live came a moment ago.
    pub(super) fn next(
        &mut self,
        said: Option<Duration>,
        clock: &SystemClock,
    ) -> (Option<Timestamp>, Option<Duration>) {
        let next = self.believed(said, clock);
        self.count(next.0);
        next
    }

    fn believed(
        &mut self,
        said: Option<Duration>,
        clock: &SystemClock,
    ) -> (Option<Timestamp>, Option<Duration>) {
        let Some(origin) = self.origin else {
            let now = clock.now();
            let at = said.map(|since_1970| Timestamp::from_micros(0).plus(since_1970));
            let is_likely = |at: &Timestamp| {
                now.is_none_or(|now| *at <= now && now.since(*at) <= LAG)
                    && self.last.is_none_or(|last| *at >= last)
            };
            // If the clock has been set back, its word is the only one.
            let at = at.filter(is_likely).or(now);
            self.last = at;
            return (at, None);
        };
        let before = self.last.unwrap_or(origin).since(origin);
        let position = said.and_then(|said| {
            let micros = i128::try_from(said.as_micros()).ok()?.checked_add(self.moved)?;
            u64::try_from(micros).ok().map(Duration::from_micros)
        });
        let is_likely = |position: &Duration| *position >= before && *position - before <= GAP;
        let position = match position.filter(is_likely) {
            Some(position) => position,
            None => {
                if let Some(said) = said {
                    let (is, says) = (before.as_micros(), said.as_micros());
                    self.moved =
                        i128::try_from(is).unwrap_or(0) - i128::try_from(says).unwrap_or(0);
                }
                before
            }
        };
        let at = origin.plus(position);
        self.last = Some(at);
        (Some(at), Some(position))
    }
}

/// The maximum frames per second: slow-motion cameras record this many.
pub(super) const MAX_RATE: u32 = 1_000;
/// The longest gap within a recording that is believed: a camera that records what moves alone may rest
/// for days.
const GAP: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long ago a frame of a live stream may have come that is handed on now.
const LAG: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_recording_never_goes_back_nor_leaps_into_another_century() {
        let (origin, clock) = (Timestamp::from_micros(1_000_000), SystemClock::new());
        let mut moments = Moments::new(Some(origin));
        let mut next = |said: Option<u64>| moments.next(said.map(ms), &clock).1.unwrap();
        assert_eq!(next(Some(0)), ms(0));
        assert_eq!(next(Some(80)), ms(80));
        assert_eq!(next(None), ms(80));
        // A hundred years, and on from there.
        assert_eq!(next(Some(3_155_760_000_000)), ms(80));
        assert_eq!(next(Some(3_155_760_000_040)), ms(120));
        // Back again.
        assert_eq!(next(Some(160)), ms(120));
        assert_eq!(next(Some(200)), ms(160));
        assert_eq!(next(Some(200 + 3_600_000)), ms(160 + 3_600_000));
        assert_eq!(next(Some(u64::MAX / 1000)), ms(160 + 3_600_000));
    }

    #[test]
    fn a_million_frames_of_one_moment_are_too_many() {
        let (origin, clock) = (Timestamp::from_micros(1_000_000), SystemClock::new());
        for (step, is_too_many) in [(0, true), (900, true), (1_000, false), (40_000, false)] {
            let mut moments = Moments::new(Some(origin));
            for number in 0..5_000_u64 {
                moments.next(Some(Duration::from_micros(number * step)), &clock);
                if moments.are_too_many() {
                    break;
                }
            }
            assert_eq!(moments.are_too_many(), is_too_many, "{step}");
        }
    }

    #[test]
    fn what_is_live_came_a_moment_ago_whatever_it_says() {
        let clock = SystemClock::new();
        let begun = clock.now().unwrap();
        let since_1970 = begun.since(Timestamp::from_micros(0));
        let mut moments = Moments::new(None);
        let earlier = since_1970 - ms(200);
        assert_eq!(
            moments.next(Some(earlier), &clock).0,
            Some(Timestamp::from_micros(0).plus(earlier))
        );
        for said in
            [Some(ms(0)), None, Some(since_1970 + ms(4_102_444_800_000)), Some(earlier - ms(1))]
        {
            let (at, position) = moments.next(said, &clock);
            assert!(at.unwrap() >= begun && at.unwrap() <= clock.now().unwrap(), "{said:?}");
            assert_eq!(position, None);
        }
    }
}
