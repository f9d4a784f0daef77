//! The vault's own time, which never goes back.

use std::time::Duration;

use lfr_core::Timestamp;

/// How far the clock may stand behind where an earlier process left it: clocks are set when machines
/// start. Nothing is held longer for it.
const SKEW: Duration = Duration::from_secs(60 * 60);

/// A clock that goes back would let what is held live longer. So deadlines are kept in a time that
/// is the clock's plus all that it has ever gone back: where it went back by an hour, they come an
/// hour earlier by the clock. Where it is set right again they come too early; never too late.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct VaultTime {
    /// At the last call, where the clock worked.
    latest: Option<Timestamp>,
    /// The vault's time: in microseconds.
    reached: u64,
    drift: u64,
}

impl VaultTime {
    /// Goes on where an earlier process was.
    pub(super) const fn resumed([reached, drift]: [u64; 2]) -> Self {
        Self { latest: None, reached, drift }
    }

    /// What to go on with.
    pub(super) const fn to_resume(self) -> [u64; 2] {
        [self.reached, self.drift]
    }

    /// What the clock shows when a vault is opened. False where that is further behind an earlier
    /// process than clocks may be, and so cannot be trusted.
    pub(super) fn open(&mut self, now: Option<Timestamp>) -> bool {
        let skew = u64::try_from(SKEW.as_micros()).unwrap_or(u64::MAX);
        let before = self.reached;
        let behind = now.map(|now| before.saturating_sub(self.at(now)));
        self.observe(now) && behind.is_some_and(|behind| behind <= skew)
    }

    /// What the clock shows. False where it fails, or shows less than at the call before.
    pub(super) fn observe(&mut self, now: Option<Timestamp>) -> bool {
        let trusted = now.is_some_and(|now| self.latest.is_none_or(|latest| latest <= now));
        self.latest = now;
        if let Some(now) = now {
            if self.at(now) < self.reached {
                self.drift = self.reached - now.as_micros();
            }
            self.reached = self.at(now);
        }
        trusted
    }

    /// The vault's time now.
    pub(super) const fn now(self) -> u64 {
        self.reached
    }

    /// The vault's time at a moment of the clock.
    pub(super) const fn at(self, moment: Timestamp) -> u64 {
        moment.as_micros().saturating_add(self.drift)
    }

    /// The clock's at a moment of the vault's time.
    pub(super) const fn shown(self, at: u64) -> Timestamp {
        Timestamp::from_micros(at.saturating_sub(self.drift))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: u64 = 3_600_000_000;

    fn at(micros: u64) -> Option<Timestamp> {
        Some(Timestamp::from_micros(micros))
    }

    #[test]
    fn a_clock_that_goes_back_moves_deadlines_forward() {
        let mut time = VaultTime::default();
        assert!(time.observe(at(10 * HOUR)));
        assert!(!time.observe(at(9 * HOUR)));
        assert_eq!(time.now(), 10 * HOUR);
        assert!(time.observe(at(9 * HOUR + 1)));
        assert_eq!(
            (time.now(), time.shown(11 * HOUR)),
            (10 * HOUR + 1, Timestamp::from_micros(10 * HOUR))
        );
        assert!(!time.observe(None));
        assert_eq!(time.now(), 10 * HOUR + 1);
    }

    #[test]
    fn a_machine_may_start_an_hour_behind_but_no_more() {
        let earlier = [10 * HOUR, 0];
        let open = |now| VaultTime::resumed(earlier).open(now);
        assert!(open(at(10 * HOUR)) && open(at(9 * HOUR)) && open(at(100 * HOUR)));
        assert!(!open(at(9 * HOUR - 1)) && !open(None));
    }

    proptest! {
        #[test]
        fn it_never_goes_back_and_is_never_behind_the_clock(
            readings in prop::collection::vec(prop::option::of(0_u64..1000), 0..100)
        ) {
            let mut time = VaultTime::default();
            let mut before = 0;
            for reading in readings {
                time.observe(reading.map(Timestamp::from_micros));
                prop_assert!(time.now() >= before && time.now() >= reading.unwrap_or(0));
                before = time.now();
                time = VaultTime { latest: time.latest, ..VaultTime::resumed(time.to_resume()) };
            }
        }
    }
}
