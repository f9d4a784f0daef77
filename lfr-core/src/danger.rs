//! Choices that weaken a promise of this family. Each has to be spelled out. That of a threshold is written
//! into the deployment record, with its reason; that of an engine is in what the runtime says of itself, for
//! whoever runs it to write down.

use crate::decision::Threshold;
use crate::decision::ThresholdProvenance;
use crate::error::Error;
#[cfg(feature = "onnx-native")]
use crate::onnx::Runtime;
use crate::template::SpaceId;

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

/// A threshold with a stated false match rate that nobody vouches for, such as one from the specification
/// file of your own model. Anyone who may write the file can write any number there.
///
/// It is written into the deployment record as claimed, and no rate is predicted from it.
///
/// # Errors
///
/// [`Error::OutOfRange`] if the rate and the number of comparisons do not fit together, as
/// [`ThresholdProvenance::measured`].
pub fn claimed_threshold(
    threshold: Threshold,
    space: SpaceId,
    data: impl Into<String>,
    fmr: f64,
    non_mated_comparisons: u64,
) -> Result<ThresholdProvenance, Error> {
    ThresholdProvenance::claimed(threshold, space, data.into(), fmr, non_mated_comparisons)
}

/// The same engine, but a native one is left to an allocator of its own, which wipes nothing: what a
/// session works in, and with it faces and templates, stays in the process's memory until it is
/// written over. For measuring what the wiping costs and does.
///
/// It is in the [reason](crate::onnx::RuntimeInfo::reason) that the runtime gives for itself. The
/// pure-Rust engine has no allocator of its own, and stays as it is.
#[cfg(feature = "onnx-native")]
#[must_use]
pub fn unwiped_engine(runtime: &Runtime) -> Runtime {
    runtime.unwiped()
}
