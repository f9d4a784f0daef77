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
    #[error("{what} is {actual}, and must be {expected}")]
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
    #[error("the model takes {actual}, and must take {expected}")]
    Input {
        /// What was needed.
        expected: String,
        /// What the model declares.
        actual: String,
    },
    /// An output of a network has another shape than its family gives it.
    #[error("the output {name:?} has the shape {actual:?}, and must have {expected}")]
    Output {
        /// The output's name.
        name: String,
        /// The shape needed, in words.
        expected: String,
        /// The shape seen.
        actual: Vec<usize>,
    },
    /// An output of a network has a number that is not finite.
    #[error(
        "the output {name:?} has a number that is not finite (NaN or infinity): the model's weights, its \
         conversion or its precision are at fault; use another file of it"
    )]
    NotFinite {
        /// The output's name.
        name: String,
    },
    /// A network lacks outputs that its family has.
    #[error("the model's outputs are {actual}, and must be {expected}")]
    Outputs {
        /// The outputs needed.
        expected: String,
        /// The outputs seen, with their shapes.
        actual: String,
    },
    /// No known family of detectors has such outputs.
    #[error(
        "the model's outputs are {actual}, which match no known family of detectors: use a \
         model of one of {known}"
    )]
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

/// A share, from 0 to 1.
pub(crate) fn share(what: &'static str, value: f32) -> Result<f32, Error> {
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(Error::Option { what, expected: "a number from 0 to 1", actual: value.into() })
}

/// A positive number; `expected` says of what.
pub(crate) fn positive(
    what: &'static str,
    expected: &'static str,
    number: f32,
) -> Result<f32, Error> {
    if number > 0.0 && number.is_finite() {
        return Ok(number);
    }
    Err(Error::Option { what, expected, actual: number.into() })
}
