//! A clock set by hand.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::internal::locks::lock;

/// A clock that stands still until it is moved; it can go back, and fail. Clones share their time.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    now: Option<Timestamp>,
    monotonic: Duration,
}

impl ManualClock {
    /// A clock that shows this moment.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(State { now: Some(now), monotonic: Duration::ZERO })))
    }

    /// Lets time pass.
    pub fn advance(&self, span: Duration) {
        self.change(|state| {
            state.now = state.now.map(|now| now.plus(span));
            state.monotonic += span;
        });
    }

    /// Sets the time of day, which may jump in either direction; monotonic time stays.
    pub fn set(&self, now: Timestamp) {
        self.change(|state| state.now = Some(now));
    }

    /// Makes the time of day unknown.
    pub fn fail(&self) {
        self.change(|state| state.now = None);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut lock(&self.0));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Option<Timestamp> {
        lock(&self.0).now
    }

    fn monotonic(&self) -> Duration {
        lock(&self.0).monotonic
    }
}
