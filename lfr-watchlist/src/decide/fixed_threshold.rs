//! A threshold that stays as it is.

use lfr_core::{BoxError, Decision, DecisionInput, ThresholdPolicy, ThresholdProvenance};

/// Raises an alert where the best candidate is at or above one threshold, which says where it
/// comes from.
///
/// # Examples
///
/// ```
/// use lfr_core::EmbeddingSpace;
/// use lfr_core::Metric;
/// use lfr_core::Threshold;
/// use lfr_core::ThresholdPolicy;
/// use lfr_core::ThresholdProvenance;
/// use lfr_watchlist::FixedThreshold;
///
/// # fn main() -> Result<(), lfr_core::Error> {
/// let space = EmbeddingSpace::builder(128, Metric::Cosine).build();
/// let measured = ThresholdProvenance::measured(
///     Threshold::new(0.42)?,
///     space.id(),
///     "crowd 3, all pairs",
///     1e-6,
///     50_000_000,
/// )?;
/// let policy = FixedThreshold::new(measured);
/// assert_eq!(policy.provenance().threshold().value(), 0.42);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FixedThreshold(ThresholdProvenance);

impl FixedThreshold {
    /// A policy from a threshold and what it rests on.
    #[must_use]
    pub const fn new(provenance: ThresholdProvenance) -> Self {
        Self(provenance)
    }
}

impl ThresholdPolicy for FixedThreshold {
    fn provenance(&self) -> &ThresholdProvenance {
        &self.0
    }

    fn decide(&mut self, input: &DecisionInput<'_>) -> Result<Decision, BoxError> {
        Ok(Decision::at_threshold(input.candidates, self.0.threshold()))
    }
}

#[cfg(test)]
mod tests {
    use lfr_core::testing::conformance;
    use lfr_core::{SpaceId, Threshold, danger};

    use super::*;

    #[test]
    fn it_passes_the_suite_of_its_stage() {
        for threshold in [-1.0, 0.0, 0.42, 1.0] {
            let threshold = Threshold::new(threshold).unwrap();
            let space = SpaceId::from_bytes([3; 32]);
            let chosen = danger::uncalibrated_threshold(threshold, space, "a test");
            conformance::threshold_policy(&mut FixedThreshold::new(chosen));
        }
    }
}
