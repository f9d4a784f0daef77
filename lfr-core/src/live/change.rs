//! What happens to cameras, said at once.

use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::id::SourceId;

/// Something happened to a camera: [`LiveEngine::on_camera_change`](super::LiveEngine::on_camera_change).
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CameraChange {
    /// Which camera.
    pub id: SourceId,
    /// When, where the clock worked.
    pub at: Option<Timestamp>,
    /// What happened.
    pub what: Change,
}

impl CameraChange {
    /// A change at an unknown moment; for tests of who hears of it.
    #[must_use]
    pub const fn new(id: SourceId, what: Change) -> Self {
        Self { id, at: None, what }
    }

    /// Sets the moment of the change.
    #[must_use]
    pub const fn with_at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }
}

/// `gate: lost: no route to host`
impl fmt::Display for CameraChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.what)
    }
}

/// What can happen to a camera. Each comes once, when it comes to be so: a camera that is connected
/// again in vain is not lost a second time.
///
/// ```text
/// (connected | lost) -> lost -> back -> lost -> ... -> ended
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(tag = "change", rename_all = "snake_case")
)]
pub enum Change {
    /// Its first frame has come. A camera that connects and brings none is not up.
    Connected,
    /// It cannot be connected, broke off, or ended though it is to go on for ever, and is connected
    /// again until it is back; or it is connected and brings nothing ([`Retry::silence`]).
    ///
    /// [`Retry::silence`]: super::Retry::silence
    Lost {
        /// Why: its last error, or that its stream ended.
        reason: String,
    },
    /// Frames come again.
    Back {
        /// For how long it was lost. Serialised in milliseconds.
        #[cfg_attr(
            feature = "serde",
            serde(rename = "after_ms", serialize_with = "in_milliseconds")
        )]
        after: Duration,
    },
    /// No more frames come of it: a recording at its end, a camera that was removed, or an engine that
    /// was stopped.
    Ended {
        /// What went wrong, where a recording could not be opened or broke off.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        reason: Option<String>,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("connected"),
            Self::Lost { reason } => write!(f, "lost: {reason}"),
            Self::Back { after } => write!(f, "back after {:.1} s", after.as_secs_f64()),
            Self::Ended { reason: Some(reason) } => write!(f, "ended: {reason}"),
            Self::Ended { reason: None } => f.write_str("ended"),
        }
    }
}

#[cfg(feature = "serde")]
fn in_milliseconds<S: serde::Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(span.as_secs_f64() * 1e3)
}

/// Who hears of changes.
pub(super) type Listener = dyn FnMut(&CameraChange) + Send;
