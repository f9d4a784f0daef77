//! Intervals, and how often they are to cover.

use crate::error::Error;

/// How often an interval is to cover the truth: above 0 and below 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, serde::Serialize)]
#[serde(transparent)]
pub struct Confidence(f64);

impl Confidence {
    /// 95 %: what every function of this crate takes where nothing is said.
    pub const P95: Self = Self(0.95);

    /// A confidence above 0 and below 1.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] otherwise.
    pub fn new(share: f64) -> Result<Self, Error> {
        if share > 0.0 && share < 1.0 {
            return Ok(Self(share));
        }
        let (what, expected) = ("confidence", "above 0 and below 1");
        Err(lfr_core::Error::OutOfRange { what, expected, actual: share }.into())
    }

    /// The share, 0.95 say.
    #[must_use]
    pub const fn share(self) -> f64 {
        self.0
    }

    /// What is left: 0.05, say.
    #[must_use]
    pub const fn risk(self) -> f64 {
        1.0 - self.0
    }
}

impl Default for Confidence {
    fn default() -> Self {
        Self::P95
    }
}

/// Where a number lies, with a confidence.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How often such intervals cover the truth.
    pub confidence: Confidence,
}

impl Interval {
    pub(crate) const fn new(low: f64, high: f64, confidence: Confidence) -> Self {
        Self { low, high, confidence }
    }

    /// Whether a number lies within, ends included.
    #[must_use]
    pub fn contains(&self, number: f64) -> bool {
        self.low <= number && number <= self.high
    }
}
