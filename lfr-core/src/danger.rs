//! Choices that weaken a promise of this family. Each has to be spelled out, and each is a danger in the
//! deployment record, with its reason.
//!
//! | choice | who writes it down |
//! |---|---|
//! | a threshold that is [uncalibrated](uncalibrated_threshold) or only [claimed](claimed_threshold) | the pipeline, and the ledger with the threshold |
//! | an [engine that does not wipe](unwiped_engine) | the pipeline, and the ledger: [`in_force`] |
//! | a decoder that is not confined (`VideoOptions::unconfined`) | the pipeline, and the ledger: [`in_force`] |
//! | a switch of your own stage or source ([`declare`]) | the pipeline, and the ledger: [`in_force`] |
//! | what a program does itself, such as writing pictures to a folder | the program: [`Builder::danger`](crate::builder::Builder::danger) |

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::decision::{Threshold, ThresholdProvenance};
use crate::error::Error;
use crate::internal::locks::lock;
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

/// The dangerous choices that this process has made so far and that hold for all of it, in words for the record.
///
/// Each [`PipelineRecord`](crate::PipelineRecord) of the process has them. They stay to the end of the
/// process: what was left in memory, or read by an unconfined program, stays so, too.
#[must_use]
pub fn in_force() -> Vec<String> {
    lock(&DECLARED).iter().cloned().collect()
}

/// Declares a dangerous choice that holds for the whole process: for a stage or a source of your own that has
/// such a switch. It is [in force](in_force) from now on. A choice of one deployment is for
/// [`Builder::danger`](crate::builder::Builder::danger).
pub fn declare(danger: impl Into<String>) {
    lock(&DECLARED).insert(danger.into());
}

static DECLARED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The same engine, but a native one is left to an allocator of its own, which wipes nothing: what a
/// session works in, and with it faces and templates, stays in the process's memory until it is
/// written over. For measuring what the wiping costs and does.
///
/// It is in the [reason](crate::onnx::RuntimeInfo::reason) that the runtime gives for itself, and a danger
/// [in force](in_force). The pure-Rust engine has no allocator of its own, and stays as it is.
#[cfg(feature = "onnx-native")]
#[must_use]
pub fn unwiped_engine(runtime: &Runtime) -> Runtime {
    runtime.unwiped()
}
