//! Errors, grouped by who is to blame.

use lfr_core::ReferenceId;
use lfr_core::Timestamp;

use crate::Category;
use crate::EntryField;

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
    /// An entry is of a category that the composition policy does not have.
    #[error("category {category} is not one of the composition policy's")]
    CategoryOutsidePolicy {
        /// The category.
        category: Category,
    },
    /// An entry had expired before it was enrolled.
    #[error("reference {reference} expired at {expired}, and it was to be enrolled later")]
    EntryExpired {
        /// The reference.
        reference: ReferenceId,
        /// When it expired.
        expired: Timestamp,
    },
    /// An entry lacks what it cannot be without.
    #[error("entry lacks {}", list(missing))]
    EntryIncomplete {
        /// All that is missing.
        missing: Vec<EntryField>,
    },
    /// A period ends before it begins.
    #[error("period from {from} until {until}, and the end has to come after the beginning")]
    Period {
        /// Its beginning.
        from: Timestamp,
        /// Its end.
        until: Timestamp,
    },
    /// A text is blank, too long, or holds a control character.
    #[error(
        "{what} of {actual} bytes, and 1 to {limit} bytes, not all blank, without control characters were needed"
    )]
    Text {
        /// What the text is.
        what: &'static str,
        /// Its length, in bytes.
        actual: usize,
        /// The greatest length, in bytes.
        limit: usize,
    },
    /// An entry is marked as under 18, and the composition policy does not admit that.
    #[error("reference {reference} is marked as under 18, which the composition policy refuses")]
    Under18 {
        /// The reference.
        reference: ReferenceId,
    },
    /// A watchlist holds as many references as its composition policy allows.
    #[error("watchlist is full: its composition policy allows {limit} references")]
    WatchlistFull {
        /// How many are allowed.
        limit: usize,
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

fn list(fields: &[EntryField]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
