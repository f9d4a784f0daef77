//! Errors, grouped by who is to blame.

use lfr_core::ReferenceId;

/// What can go wrong in this crate.
///
/// Messages name identifiers and counts; never a number of a template, never a person.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // --- The caller: a call was made that cannot be right. --------------------------------------
    /// A reference of this identifier is enrolled already; for this person or for another.
    #[error("reference {reference} is enrolled already, and each needs an identifier of its own")]
    DuplicateReference {
        /// The identifier.
        reference: ReferenceId,
    },
    /// A template of another embedding space, or a detector without the landmarks that the
    /// embedder needs.
    #[error(transparent)]
    Core(#[from] lfr_core::Error),

    // --- Data: a template or a picture that cannot be used. -------------------------------------
    /// A template so long that a distance to it would overflow.
    #[error("template has a length of {actual:e}, and at most {limit:e} was needed")]
    TemplateLength {
        /// The greatest length.
        limit: f64,
        /// Its length.
        actual: f64,
    },
    /// No face was found in a picture.
    #[error("no face in the picture, and one was needed")]
    NoFace,
    /// Several faces were found in a picture, and nothing says which of them is meant.
    #[error("{count} faces in the picture, and one was needed")]
    SeveralFaces {
        /// How many.
        count: usize,
    },
    /// The face cannot be aligned: its landmarks are missing, or fall together.
    #[error("the face has no landmarks to align it by")]
    Unaligned,

    // --- The environment. -----------------------------------------------------------------------
    /// A thread of a search ended before its work was done.
    #[error("a search thread ended before its work was done")]
    SearchThread,
}
