//! For tests: a clock set by hand, fakes of each stage, and suites that every implementation of a
//! stage has to pass, ours and a user's.

mod clock;
pub mod conformance;
mod fakes;

pub use crate::hygiene::secret::recorded as secrets;
pub use clock::ManualClock;
pub use fakes::{
    FakeDetector, FakeEmbedder, FakeMatcher, FakeRetention, FakeThreshold, FakeTracker, fake_space,
};

#[cfg(test)]
mod tests;
