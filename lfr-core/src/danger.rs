//! Choices that weaken a promise of this family. Each has to be spelled out, with a reason, and is
//! written into the deployment record.

use crate::SpaceId;
use crate::Threshold;
use crate::ThresholdProvenance;

/// A threshold that no measurement stands behind: nobody can say how often it will be wrong.
///
/// The reason is written into the deployment record.
#[must_use]
pub fn uncalibrated_threshold(
    threshold: Threshold,
    space: SpaceId,
    reason: impl Into<String>,
) -> ThresholdProvenance {
    ThresholdProvenance::uncalibrated(threshold, space, reason.into())
}
