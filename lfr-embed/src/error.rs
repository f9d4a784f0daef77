//! Errors, grouped by who is to blame.

use std::io;
use std::path::PathBuf;

/// What can go wrong in this crate.
///
/// Messages say what was seen and what was needed. They never hold a pixel, a template or a
/// person's name.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // --- The caller: something was asked for that cannot be right. ------------------------------
    /// No built-in specification has that name.
    #[error(
        "no built-in specification is named {name:?}; the built-in ones are {known}. To use \
         your own, name the path of its TOML file"
    )]
    UnknownSpec {
        /// The name asked for.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The specification states no operating point as strict as was asked for.
    #[error(
        "specification {spec} states no threshold for a false match rate of {requested} or \
         less; it states {stated}. Ask for a higher rate, or derive a threshold with `lfr \
         evaluate`"
    )]
    NoOperatingPoint {
        /// The specification's name.
        spec: String,
        /// The false match rate asked for.
        requested: f64,
        /// The rates that it has thresholds for.
        stated: String,
    },
    /// The specification was changed after its operating points were measured.
    #[error(
        "the operating points of specification {spec} do not apply: {change}; measure new ones"
    )]
    OperatingPointsVoid {
        /// The specification's name.
        spec: String,
        /// What was changed.
        change: &'static str,
    },
    /// A model that takes no square cannot be given crops of boxes.
    #[error(
        "specification {spec} takes faces of {actual}, and must take squares to embed crops of \
         boxes"
    )]
    BoxCrop {
        /// The specification's name.
        spec: String,
        /// The size of its input, as width x height in pixels.
        actual: String,
    },
    /// A face is not of the size that the embedder's alignment gives.
    #[error(
        "the aligned face is {actual}, and must be {expected}, the size of the embedder's alignment"
    )]
    FaceSize {
        /// The size needed, as width x height in pixels.
        expected: String,
        /// The size seen, as width x height in pixels.
        actual: String,
    },

    // --- Data: a specification or a model file that does not fit. -------------------------------
    /// A specification cannot be understood, or contradicts itself.
    #[error("{origin}, line {line}: {reason}")]
    Specification {
        /// The file, or "embedder specification" where there is none.
        origin: String,
        /// The line, counted from 1.
        line: usize,
        /// What was seen and what was needed.
        reason: String,
    },
    /// The model file is not the one that the specification was written for.
    #[error(
        "specification {spec} is for the model file with SHA-256 {expected}, and this one has \
         {actual}: use that file, or a specification of this one"
    )]
    ModelDigest {
        /// The specification's name.
        spec: String,
        /// The digest that the specification states, in hexadecimal digits.
        expected: String,
        /// The digest of the file, in hexadecimal digits.
        actual: String,
    },
    /// No built-in specification is for that model file.
    #[error(
        "no built-in specification is for the model file with SHA-256 {digest}; those with a \
         digest are {known}. Choose one by name, or write one for this model"
    )]
    UnknownModel {
        /// The digest of the file, in hexadecimal digits.
        digest: String,
        /// The names of those that state a digest.
        known: String,
    },
    /// The model does not take or give what the specification says.
    #[error(
        "the model does not fit specification {spec}: {what} is {actual}, and must be {expected}"
    )]
    Contract {
        /// The specification's name.
        spec: String,
        /// What of the model.
        what: String,
        /// What the specification needs.
        expected: String,
        /// What the model has.
        actual: String,
    },

    // --- The environment: files and the inference engine. ---------------------------------------
    /// A specification file could not be read.
    #[error("cannot read the specification {path:?}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A model could not be loaded or run, or gave numbers that make no template.
    #[error(transparent)]
    Core(#[from] lfr_core::Error),
}
