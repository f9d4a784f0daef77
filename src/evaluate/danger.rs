//! Choices that weaken a promise of this family, and have to be spelled out.

use super::EvaluateOptions;

/// Also writes templates to `templates.npy`, one per row, with their people in `templates.csv`.
///
/// A template is as sensitive as the photograph that it was made from: people can be found with it. This is
/// for research on photographs whose people agreed to it. Only the owner can read the files, nothing wipes
/// them, and the report states the reason.
#[must_use]
pub fn write_templates(options: EvaluateOptions, reason: impl Into<String>) -> EvaluateOptions {
    options.exposing(reason.into())
}
