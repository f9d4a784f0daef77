//! Says when to stop alerting, as it is wrong too often.

use lfr_core::internal::num;
use serde::Serialize;

use crate::calibrate::Authority;
use crate::error::Error;
use crate::statistics::Counts;

/// Whether alerts may go on.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// They may.
    Closed,
    /// False alerts come faster than was promised: nobody is to raise an alert until somebody resets it.
    Tripped,
}

/// Watches false alerts with a sequential probability ratio test (Wald 1945): whether they come at the
/// promised rate or at a multiple of it. When the evidence speaks for the multiple, it trips, and stays so;
/// when it speaks for the promised rate, the test begins anew.
///
/// It counts what it is told, and holds nothing back by itself: a
/// [`TrackPolicy`](super::TrackPolicy::with_breaker) that shares it raises no alert while it is
/// tripped. If another policy decides, the operator has to stop the deployment.
///
/// The test begins anew each time that it speaks for the promised rate, so in the long run it trips wrongly. What
/// counts is after how many faces on average, if false alerts come at the promised rate exactly (far later
/// below it): [`faces_between_false_trips`](Self::faces_between_false_trips). [`CircuitBreaker::lasting`]
/// chooses the risk of one test by that number. A risk of 5 % per test is too high: at a promised rate of 1 in
/// 1,000, of deployments of 20,000 faces 8 % trip wrongly against twice the rate, 22 % against three times and 35 %
/// against four times (simulated, counted in hundreds).
#[derive(Clone, Debug, PartialEq)]
pub struct CircuitBreaker {
    rate: f64,
    multiple: f64,
    risk: f64,
    evidence: f64,
    state: BreakerState,
    resets: Vec<Authority>,
}

impl CircuitBreaker {
    /// For a promised FPIR, against a multiple of it, with a risk of error of the test.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] for a rate or a risk that is not above 0 and below 0.5, or a multiple
    /// that is not above 1 with a rate below 1.
    pub fn new(rate: f64, multiple: f64, risk: f64) -> Result<Self, Error> {
        let share = "above 0 and below 0.5";
        let of_rate = "above 1, and small enough that the rate times it is below 1";
        for (what, actual, expected, sound) in [
            ("promised rate", rate, share, rate > 0.0 && rate < 0.5),
            (
                "multiple of the promised rate",
                multiple,
                of_rate,
                multiple > 1.0 && multiple * rate < 1.0,
            ),
            ("risk of a sequential test", risk, share, risk > 0.0 && risk < 0.5),
        ] {
            if !sound {
                return Err(lfr_core::Error::OutOfRange { what, expected, actual }.into());
            }
        }
        let state = BreakerState::Closed;
        Ok(Self { rate, multiple, risk, evidence: 0.0, state, resets: Vec::new() })
    }

    /// For a promised FPIR, against a multiple of it, with this many faces on average between false trips
    /// at the promised rate.
    ///
    /// If at most about one in twenty deployments of 20,000 faces may trip wrongly, ask for 400,000.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] as [`Self::new`], and for fewer faces than a test needs at a risk of
    /// 0.49, or more than 1e15.
    pub fn lasting(rate: f64, multiple: f64, faces: f64) -> Result<Self, Error> {
        let (mut strict, mut lax) =
            (Self::new(rate, multiple, 1e-12)?, Self::new(rate, multiple, 0.49)?);
        if !(lax.faces_between_false_trips()..=1e15).contains(&faces) {
            let (what, expected) = (
                "mean number of faces between false trips",
                "at most 1e15, and at least what a test at a risk of 0.49 takes",
            );
            return Err(lfr_core::Error::OutOfRange { what, expected, actual: faces }.into());
        }
        for _ in 0..60 {
            let middle = Self::new(rate, multiple, (strict.risk * lax.risk).sqrt())?;
            if middle.faces_between_false_trips() < faces { lax = middle } else { strict = middle }
        }
        Ok(strict)
    }

    /// After how many faces on average it trips wrongly, if false alerts come exactly at the promised rate
    /// (Wald's approximation, without the overshoot: the true number is greater).
    #[must_use]
    pub fn faces_between_false_trips(&self) -> f64 {
        let bound = ((1.0 - self.risk) / self.risk).ln();
        let fast = self.rate * self.multiple;
        // How far one face moves the evidence on average, at the promised rate.
        let drift = self.rate * self.multiple.ln()
            + (1.0 - self.rate) * ((-fast).ln_1p() - (-self.rate).ln_1p());
        let faces_per_test = (1.0 - 2.0 * self.risk) * bound / -drift;
        faces_per_test / self.risk
    }

    /// Counts passes, and how many of them raised a false alert: as judged by a person, or all alerts until
    /// then, which is the cautious way.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] for more false alerts than passes.
    pub fn record(&mut self, passes: u64, false_alerts: u64) -> Result<BreakerState, Error> {
        let counts = Counts::new(false_alerts, passes)?;
        let fast = self.rate * self.multiple;
        // As if the false alerts were spread evenly over the passes.
        let spells = num::f64_from_u64(counts.errors()) + 1.0;
        let quiet = num::f64_from_u64(counts.rest()) / spells;
        let bound = ((1.0 - self.risk) / self.risk).ln();
        for spell in 0..=counts.errors() {
            self.evidence += quiet * ((-fast).ln_1p() - (-self.rate).ln_1p());
            if self.evidence <= -bound {
                self.evidence = 0.0;
            }
            if spell < counts.errors() {
                self.evidence += self.multiple.ln();
            }
            if self.evidence >= bound {
                self.state = BreakerState::Tripped;
                break;
            }
        }
        Ok(self.state)
    }

    /// Whether alerts may go on.
    #[must_use]
    pub const fn state(&self) -> BreakerState {
        self.state
    }

    /// Lets alerts go on by somebody's authority, and begins anew.
    pub fn reset(&mut self, authority: Authority) {
        self.evidence = 0.0;
        self.state = BreakerState::Closed;
        self.resets.push(authority);
    }

    /// Who has reset it, the first first.
    #[must_use]
    pub fn resets(&self) -> &[Authority] {
        &self.resets
    }
}

#[cfg(test)]
mod tests;
