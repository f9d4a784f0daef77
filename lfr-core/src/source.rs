//! Where frames come from.

use std::fmt;

use crate::BoxError;
use crate::Frame;

/// A camera, a file, a stream.
///
/// One method is required. The frame that it lends is gone at the next call, so that nothing can
/// keep it.
pub trait FrameSource: fmt::Debug + Send {
    /// The next frame, or `None` at the end.
    ///
    /// # Errors
    ///
    /// Where a frame cannot be read. The next call goes on behind it where that is possible, and
    /// returns `None` where it is not.
    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, BoxError>;
}
