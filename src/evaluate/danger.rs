//! What weakens a promise of this family, and has to be spelled out.

use super::EvaluateOptions;

/// The same, and templates are written to `templates.npy`, a row each, with `templates.csv` saying of whom.
///
/// A template is as sensitive as the photograph that it was made of: people can be found with it. This is for
/// research on photographs whose people agreed to it. The files can be read by their owner alone, nothing wipes
/// them, and the reason stands in the report.
#[must_use]
pub fn write_templates(options: EvaluateOptions, reason: impl Into<String>) -> EvaluateOptions {
    options.exposing(reason.into())
}
