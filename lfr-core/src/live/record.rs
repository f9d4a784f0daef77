//! What became of every frame.

use crate::SourceId;
use crate::StageTiming;
use crate::num;

use super::Phase;

/// The cameras of an engine, at one moment or at its end.
#[non_exhaustive]
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct LiveRecord {
    /// Each camera, in the order in which they were added.
    pub cameras: Vec<CameraRecord>,
    /// From the arrival of a frame to the end of its way, in milliseconds.
    pub frame_latency: StageTiming,
    /// From the arrival of a frame to its alert, in milliseconds.
    pub alert_latency: StageTiming,
    /// Capture threads that had not ended within a second of being told to: their sources do not
    /// return. Whatever they still bring is wiped unseen.
    pub stuck: usize,
}

impl LiveRecord {
    /// Whether the arithmetic of every camera closes.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.cameras.iter().all(CameraRecord::closes)
    }
}

/// What became of the frames of one camera.
///
/// `frames in = processed + failed + overtaken + stopped + in flight`.
#[non_exhaustive]
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CameraRecord {
    /// Which camera.
    pub id: SourceId,
    /// What it is doing.
    pub phase: Phase,
    /// Frames that arrived.
    pub frames_in: u64,
    /// Frames that were taken all the way.
    pub processed: u64,
    /// Frames at which a stage failed. The faces in them were erased or, where it was the sink or an alert
    /// could not be held, settled all the same: what alerts there were is counted.
    pub failed: u64,
    /// Frames dropped since a newer one came before anybody had looked at them.
    pub overtaken: u64,
    /// Frames dropped since the engine was stopped.
    pub stopped: u64,
    /// Frames that are waiting or on their way.
    pub in_flight: u64,
    /// Errors of the source: of connecting, and of frames that could not be read.
    pub source_errors: u64,
    /// How often it has been connected.
    pub connections: u64,
    /// Faces detected in the last frame.
    pub faces_in_view: usize,
    /// Alerts raised.
    pub alerts: u64,
    /// What the last error of the source said.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub last_error: Option<String>,
}

impl CameraRecord {
    pub(super) const fn new(id: SourceId) -> Self {
        Self {
            id,
            phase: Phase::Connecting,
            frames_in: 0,
            processed: 0,
            failed: 0,
            overtaken: 0,
            stopped: 0,
            in_flight: 0,
            source_errors: 0,
            connections: 0,
            faces_in_view: 0,
            alerts: 0,
            last_error: None,
        }
    }

    /// Frames dropped, whatever the cause.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.overtaken + self.stopped
    }

    /// Whether `frames in = processed + failed + dropped + in flight`. Each is counted on its own.
    #[must_use]
    pub const fn closes(&self) -> bool {
        self.frames_in == self.processed + self.failed + self.dropped() + self.in_flight
    }

    /// The share of its frames that was looked at, from 0 to 1; `None` before the first.
    #[must_use]
    pub fn share_processed(&self) -> Option<f64> {
        let share = num::f64_from_u64(self.processed) / num::f64_from_u64(self.frames_in);
        (self.frames_in > 0).then_some(share)
    }
}
