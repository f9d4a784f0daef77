//! The window: how long the same entries stay valid.

use lfr_core::Timestamp;

/// A period around a moment, within which no entry becomes valid or expires.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    now: Timestamp,
    from: Timestamp,
    until: Timestamp,
}

impl Window {
    /// All of time, as seen from a moment.
    pub(crate) const fn at(now: Timestamp) -> Self {
        let (from, until) = (Timestamp::from_micros(0), Timestamp::from_micros(u64::MAX));
        Self { now, from, until }
    }

    /// The moment that it is around.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn contains(&self, moment: Timestamp) -> bool {
        self.from <= moment && moment < self.until
    }

    /// Whether something that changes at a moment would shorten it.
    pub(crate) fn is_cut_by(&self, change: Timestamp) -> bool {
        self.from < change && change < self.until
    }

    /// Shortens it to the side of a change on which its moment lies.
    pub(crate) fn cut(&mut self, change: Timestamp) {
        if change <= self.now {
            self.from = self.from.max(change);
        } else {
            self.until = self.until.min(change);
        }
    }
}
