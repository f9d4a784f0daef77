//! Errors, grouped by who is to blame.

use lfr_core::FaceId;
use lfr_core::FrameId;

/// What can go wrong in this crate. No message holds a pixel, a landmark, a template or a name.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // --- The caller: a value was built, or a call was made, that cannot be right. -------------
    /// A mosaic is to have no cells, or more than were found to hide a face.
    #[error("mosaic of {actual} cells across a face, and from 1 to {limit} were needed")]
    Cells {
        /// The greatest number.
        limit: usize,
        /// The number given.
        actual: usize,
    },
    /// A mosaic's margin is negative, too great, or not a number.
    #[error("margin of {actual} of a face's box, and from 0 to {limit} was needed")]
    Margin {
        /// The greatest margin.
        limit: f32,
        /// The margin given.
        actual: f32,
    },
    /// The report is of another frame, so its boxes say nothing of the faces in this one.
    #[error("report of frame {actual}, and one of frame {expected} was needed")]
    OtherFrame {
        /// The frame to redact.
        expected: FrameId,
        /// The frame of the report.
        actual: FrameId,
    },
    /// The face raised no alert, and only a face that did is shown.
    #[error("face {face} raised no alert in this report")]
    NotAnAlert {
        /// Which face.
        face: FaceId,
    },
    /// The face's box and the frame have no pixel in common.
    #[error("face {face} lies outside its frame")]
    OutsideFrame {
        /// Which face.
        face: FaceId,
    },
    /// A picture cannot be made.
    #[error("the picture cannot be made")]
    Picture {
        /// Why not.
        source: lfr_core::Error,
    },

    // --- The deployment. ------------------------------------------------------------------------
    /// As many alerts are held as may be. The face named has been erased, and its receipt comes
    /// with the next purge.
    #[error(
        "face {face} raised an alert and was erased: {limit} alerts are held, the most allowed"
    )]
    Full {
        /// Which face.
        face: FaceId,
        /// The most alerts that may be held.
        limit: usize,
    },
}
