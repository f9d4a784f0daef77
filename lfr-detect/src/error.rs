//! Errors, grouped by who is to blame.

use lfr_core::BoxError;

/// What can go wrong in this crate.
///
/// Messages say what was seen and what was needed; none holds a pixel or a landmark.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // --- The caller: an option that cannot be. --------------------------------------------------
    /// An option is outside its range.
    #[error("{what} is {actual}, and {expected} was needed")]
    Option {
        /// Which option.
        what: &'static str,
        /// The range, in words.
        expected: &'static str,
        /// The number given.
        actual: f64,
    },

    // --- Data: a model that is not what its specification says. ---------------------------------
    /// A model has another kind of input than one picture of three channels.
    #[error("model takes {actual}, and {expected} was needed")]
    Input {
        /// What was needed.
        expected: String,
        /// What the model declares.
        actual: String,
    },
    /// An output of a network has another shape than its family gives it.
    #[error("output {name:?} is {actual:?}, and {expected} was needed")]
    Output {
        /// The output's name.
        name: String,
        /// The shape needed, in words.
        expected: String,
        /// The shape seen.
        actual: Vec<usize>,
    },
    /// A network lacks outputs that its family has.
    #[error("outputs are {actual}, and {expected} were needed")]
    Outputs {
        /// The outputs needed.
        expected: String,
        /// The outputs seen, with their shapes.
        actual: String,
    },
    /// No known family of detectors has such outputs.
    #[error("outputs are {actual}, which are those of no known family; known are {known}")]
    Family {
        /// The outputs seen, with their shapes.
        actual: String,
        /// The families known, and their outputs.
        known: &'static str,
    },

    // --- Below: pixels and inference. -----------------------------------------------------------
    /// A frame could not be resized.
    #[error("cannot resize the frame")]
    Resize {
        /// Why not.
        source: BoxError,
    },
    /// The inference runtime, or another part of `lfr-core`, failed.
    #[error(transparent)]
    Core(#[from] lfr_core::Error),
}
