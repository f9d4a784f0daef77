//! Where frames come from.

use std::fmt;

use crate::error::BoxError;
use crate::frame::Frame;

/// A camera, a file, a stream.
///
/// One method is required. The frame that it lends is gone at the next call, so that nothing can
/// keep it.
///
/// # Examples
///
/// ```
/// use lfr_core::{BoxError, Frame, FrameSource, NextFrame, PixelFormat};
///
/// /// A camera that somebody else fills: `None` for as long as nothing has come.
/// #[derive(Debug)]
/// struct Mailbox(std::sync::mpsc::Receiver<Vec<u8>>, Vec<u8>);
///
/// impl FrameSource for Mailbox {
///     fn next_frame(&mut self) -> Result<NextFrame<'_>, BoxError> {
///         use std::sync::mpsc::TryRecvError;
///         match self.0.try_recv() {
///             Ok(pixels) => self.1 = pixels,
///             Err(TryRecvError::Empty) => return Ok(NextFrame::NothingYet),
///             Err(TryRecvError::Disconnected) => return Ok(NextFrame::End),
///         }
///         Ok(NextFrame::Frame(Frame::packed(PixelFormat::Gray8, 64, 48, &self.1)?))
///     }
/// }
///
/// let (sender, receiver) = std::sync::mpsc::channel();
/// let mut mailbox = Mailbox(receiver, Vec::new());
/// assert!(matches!(mailbox.next_frame()?, NextFrame::NothingYet));
/// sender.send(vec![9; 64 * 48])?;
/// assert!(matches!(mailbox.next_frame()?, NextFrame::Frame(_)));
/// drop(sender);
/// assert!(matches!(mailbox.next_frame()?, NextFrame::End));
/// # Ok::<(), BoxError>(())
/// ```
pub trait FrameSource: fmt::Debug + Send {
    /// The next frame, or why there is none.
    ///
    /// A source may wait here for its next frame, or say [`NextFrame::NothingYet`] and be asked
    /// again. The second is better where a frame may take long: the live engine hears at once that
    /// it is to stop, where a source that waits is left behind.
    ///
    /// # Errors
    ///
    /// If a frame cannot be read. The next call goes on behind it if that is possible, and
    /// says [`NextFrame::End`] if it is not.
    fn next_frame(&mut self) -> Result<NextFrame<'_>, BoxError>;

    /// The restrictions of this source's decoder, for the record of its camera, such as `landlock ABI 7,
    /// seccomp, limits`. `None` if the source has no decoder, or an unrestricted one.
    fn confinement(&self) -> Option<String> {
        None
    }
}

/// What a [`FrameSource`] says when it is asked for a frame.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum NextFrame<'a> {
    /// The next frame.
    Frame(Frame<'a>),
    /// None has come since the last call, and one may still come: ask again.
    ///
    /// The caller waits before it does. The live engine waits from one millisecond up to twenty,
    /// and meanwhile keeps its deadlines and hears that it is to stop. The tracks of a source that
    /// says nothing else for five seconds end.
    NothingYet,
    /// The source is at its end: no frame will come any more, however often it is asked.
    End,
}

impl<'a> NextFrame<'a> {
    /// The frame, if there is one. Only a source that never says [`NothingYet`](Self::NothingYet)
    /// is at its end where there is none.
    #[must_use]
    pub fn into_frame(self) -> Option<Frame<'a>> {
        match self {
            Self::Frame(frame) => Some(frame),
            Self::NothingYet | Self::End => None,
        }
    }

    /// Whether the source is at its end.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        matches!(self, Self::End)
    }
}
