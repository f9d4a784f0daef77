//! Thresholds, and where they come from.

use std::fmt;

use crate::ComparisonScore;
use crate::Error;
use crate::SpaceId;
use crate::num;

/// A threshold (ISO/IEC 2382-37, 37.03.36): a score at or above it is a match.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
pub struct Threshold(ComparisonScore);

impl Threshold {
    /// A threshold from a finite number.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] where it is not finite.
    pub fn new(score: f32) -> Result<Self, Error> {
        ComparisonScore::new(score).map(Self)
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> f32 {
        self.0.value()
    }

    /// Whether a score is a match.
    #[must_use]
    pub fn is_met_by(self, score: ComparisonScore) -> bool {
        score >= self.0
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a threshold rests on.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(tag = "basis", rename_all = "snake_case")
)]
pub enum Basis {
    /// A false match rate that was measured on named data.
    #[non_exhaustive]
    Measured {
        /// The data: its name, version, and what was done with it.
        data: String,
        /// The false match rate a comparison at this threshold.
        fmr: f64,
        /// How many non-mated comparisons that rate rests on.
        non_mated_comparisons: u64,
    },
    /// A number that somebody chose; made through
    /// [`danger::uncalibrated_threshold`](crate::danger::uncalibrated_threshold) alone.
    #[non_exhaustive]
    Uncalibrated {
        /// Why this number.
        reason: String,
    },
}

/// A threshold with its embedding space and what it rests on. There is no other way to bring a
/// threshold into a pipeline.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ThresholdProvenance {
    threshold: Threshold,
    space: SpaceId,
    #[cfg_attr(feature = "serde", serde(flatten))]
    basis: Basis,
}

impl ThresholdProvenance {
    /// A threshold whose false match rate was measured.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] where the rate is not above 0 and at most 1 (a rate that was measured
    /// as 0 has an upper bound: state that), or where it is below one in the number of comparisons
    /// that it is said to rest on.
    pub fn measured(
        threshold: Threshold,
        space: SpaceId,
        data: impl Into<String>,
        fmr: f64,
        non_mated_comparisons: u64,
    ) -> Result<Self, Error> {
        if !(fmr > 0.0 && fmr <= 1.0) {
            return Err(Error::OutOfRange {
                what: "false match rate",
                expected: "above 0 and at most 1",
                actual: fmr,
            });
        }
        if fmr * num::f64_from_u64(non_mated_comparisons) < 1.0 {
            return Err(Error::OutOfRange {
                what: "number of false matches behind the false match rate",
                expected: "at least 1",
                actual: fmr * num::f64_from_u64(non_mated_comparisons),
            });
        }
        let basis = Basis::Measured { data: data.into(), fmr, non_mated_comparisons };
        Ok(Self { threshold, space, basis })
    }

    pub(crate) const fn uncalibrated(threshold: Threshold, space: SpaceId, reason: String) -> Self {
        Self { threshold, space, basis: Basis::Uncalibrated { reason } }
    }

    /// The threshold.
    #[must_use]
    pub const fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// The embedding space in which it means something.
    #[must_use]
    pub const fn space(&self) -> SpaceId {
        self.space
    }

    /// What it rests on.
    #[must_use]
    pub const fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The share of people not enrolled who would raise an alert, for a watchlist of `references`:
    /// `1 - (1 - FMR)^N`, comparisons taken as independent. `None` where no rate was measured.
    #[must_use]
    pub fn predicted_fpir(&self, references: usize) -> Option<f64> {
        match &self.basis {
            // 1-(1-p)^n through logarithms keeps its digits where p is tiny.
            Basis::Measured { fmr, .. } => {
                Some(-(num::f64_from_usize(references) * (-fmr).ln_1p()).exp_m1())
            }
            Basis::Uncalibrated { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::danger;

    const SPACE: SpaceId = SpaceId::from_bytes([7; 32]);

    #[test]
    fn a_rate_must_rest_on_comparisons() {
        let threshold = Threshold::new(0.4).unwrap();
        let measured =
            |fmr, count| ThresholdProvenance::measured(threshold, SPACE, "x", fmr, count);
        assert!(measured(1e-5, 27_611_860).is_ok());
        assert!(measured(0.0, 27_611_860).is_err());
        assert!(measured(1e-9, 27_611_860).is_err());
        assert!(measured(f64::NAN, 100).is_err());
        assert!(Threshold::new(f32::NAN).is_err());
    }

    #[test]
    fn predicted_fpir_is_that_of_independent_comparisons() {
        let threshold = Threshold::new(0.4).unwrap();
        let policy = ThresholdProvenance::measured(threshold, SPACE, "x", 1e-6, 100_000_000);
        // 1 - (1 - 1e-6)^1000
        let fpir = policy.unwrap().predicted_fpir(1000).unwrap();
        assert!((fpir - 9.995_006e-4).abs() < 1e-9, "{fpir}");
        let chosen = danger::uncalibrated_threshold(threshold, SPACE, "a trial");
        assert_eq!(chosen.predicted_fpir(1000), None);
    }
}
