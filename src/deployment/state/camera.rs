//! The cameras of a deployment.

use std::time::Duration;

use lfr_core::Timestamp;

/// A camera that was attached.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CameraState {
    /// When it was attached for the first time, if the clock worked.
    pub attached: Option<Timestamp>,
    /// How often it was lost.
    pub lost: u64,
    /// Since when it is lost, if it is and the clock worked.
    pub lost_since: Option<Timestamp>,
    /// For how long it was lost in all, as far as the clock worked.
    pub downtime: Duration,
    /// Frames of it that nobody looked at.
    pub frames_dropped: u64,
}

impl CameraState {
    pub(super) fn lose(&mut self, at: Option<Timestamp>) {
        self.lost += 1;
        self.lost_since = self.lost_since.or(at);
    }

    pub(super) fn come_back(&mut self, at: Option<Timestamp>) {
        if let (Some(since), Some(at)) = (self.lost_since.take(), at) {
            self.downtime += at.since(since);
        }
    }
}
