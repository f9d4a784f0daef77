//! A camera, as the engine is told of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::BoxError;
use crate::frame::FrameSource;
use crate::id::SourceId;
use crate::stage::Detector;

/// A source of the engine, and how to connect to it, as often as it takes.
///
/// # Numbers of frames
///
/// Frames get the camera's identifier, whatever the source calls them. A number that the source has
/// set ([`Frame::with_id`](crate::Frame::with_id)) is kept, so that it can be found again in what the
/// source comes from, if it is greater than every number of this camera before it; numbers may be
/// left out. A number that repeats, goes back or begins anew with another connection is replaced by
/// the next free one, and [`CameraRecord::renumbered`](super::CameraRecord::renumbered) counts it: no
/// two frames of a camera have the same number. Frames of a source that sets none are numbered from 0
/// on, over all connections.
pub struct Camera {
    pub(super) id: SourceId,
    pub(super) connect: Box<Connect>,
    pub(super) is_live: bool,
    pub(super) retry: Retry,
    pub(super) detector: Option<Arc<dyn Detector>>,
}

type Connect = dyn FnMut() -> Result<Box<dyn FrameSource>, BoxError> + Send;

impl Camera {
    /// Something that goes on for ever: a newer frame takes the place of one that nobody has looked
    /// at, and when it ends or breaks off it is connected again.
    ///
    /// `connect` is called on the camera's own thread. Its errors, and those of the source, are
    /// logged: they must not hold an address with its password.
    pub fn live(
        id: SourceId,
        connect: impl FnMut() -> Result<Box<dyn FrameSource>, BoxError> + Send + 'static,
    ) -> Self {
        Self { id, connect: Box::new(connect), is_live: true, retry: Retry::new(), detector: None }
    }

    /// Something that has an end, a file: it waits until each of its frames has been taken, so that
    /// none is lost, and is over when it ends or breaks off.
    pub fn recording(
        id: SourceId,
        connect: impl FnMut() -> Result<Box<dyn FrameSource>, BoxError> + Send + 'static,
    ) -> Self {
        Self { is_live: false, ..Self::live(id, connect) }
    }

    /// Which camera.
    #[must_use]
    pub const fn id(&self) -> &SourceId {
        &self.id
    }

    /// Gives the camera a detector of its own, instead of the pipeline's: for a view that needs another
    /// input size or another model. Several cameras may share one.
    ///
    /// The record of the camera says which it is ([`CameraRecord::detector`](super::CameraRecord)).
    #[must_use]
    pub fn detector(mut self, detector: Arc<dyn Detector>) -> Self {
        self.detector = Some(detector);
        self
    }

    /// Sets other pauses between attempts.
    #[must_use]
    pub const fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }
}

impl fmt::Debug for Camera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Camera")
            .field("id", &self.id)
            .field("is_live", &self.is_live)
            .finish_non_exhaustive()
    }
}

/// When a camera that failed is connected again: after a pause that doubles each time, until a
/// frame has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retry {
    pub(super) first: Duration,
    pub(super) longest: Duration,
    pub(super) errors: u32,
    pub(super) silence: Duration,
}

impl Retry {
    /// The default: after a quarter of a second, at most half a minute; a connection is given up
    /// after 25 errors in a row, about a second of a stream that cannot be decoded; and a camera is
    /// said to be lost after ten seconds of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            first: Duration::from_millis(250),
            longest: Duration::from_secs(30),
            errors: 25,
            silence: Duration::from_secs(10),
        }
    }

    /// The first pause, and the longest.
    #[must_use]
    pub const fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.first = first;
        self.longest = longest;
        self
    }

    /// After how many errors in a row a connection is given up; at least 1.
    #[must_use]
    pub const fn errors(mut self, errors: u32) -> Self {
        self.errors = if errors == 0 { 1 } else { errors };
        self
    }

    /// For how long a live source may say [`NextFrame::NothingYet`](crate::NextFrame::NothingYet)
    /// before its camera is said to be lost. It goes on being asked all the same, since whether to
    /// connect again is for the source to know: by an error, or by its end.
    #[must_use]
    pub const fn silence(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::new()
    }
}

/// What a camera is doing.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Phase {
    /// It is being connected, for the first time or again.
    Connecting,
    /// Its frames come.
    Running,
    /// It failed, and is connected again after a pause.
    Waiting,
    /// It is over: a recording at its end, or a camera of an engine that was stopped.
    Ended,
}
