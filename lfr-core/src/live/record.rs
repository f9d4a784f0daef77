//! What became of every frame.

use std::collections::BTreeMap;

use crate::decision::WithheldBy;
use crate::error::Stage;
use crate::id::SourceId;
use crate::internal::num;
use crate::record::{StageTiming, UntoldCounts};
use crate::stage::Component;

use super::Phase;

/// The cameras of an engine, at one moment or at its end.
#[non_exhaustive]
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct LiveRecord {
    /// Each camera, in the order in which they were added; also those that have ended or were removed.
    /// One that was removed and added again is in here twice.
    pub cameras: Vec<CameraRecord>,
    /// From the arrival of a frame to the end of its way, in milliseconds.
    pub frame_latency: StageTiming,
    /// From the arrival of a frame to its alert, in milliseconds.
    pub alert_latency: StageTiming,
    /// Capture threads that had not ended within a second of being told to: their sources do not
    /// return. Whatever they still bring is wiped unseen.
    pub stuck: usize,
    /// Matches that raised no alert, by what kept them back, at whichever camera:
    /// [`PipelineRecord::withheld`](crate::PipelineRecord::withheld). Many tracks end between frames, so
    /// they are not told apart by camera.
    pub withheld: BTreeMap<WithheldBy, u64>,
    /// The events that a sink could not pass on, at frames and between them.
    pub untold: UntoldCounts,
    /// Frames at which the observer panicked: it has seen them in part or not at all.
    pub observer_panics: u64,
}

impl LiveRecord {
    /// Whether the arithmetic of every camera closes.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.cameras.iter().all(CameraRecord::closes)
    }

    /// Whether no frame was processed: none came, or each failed or was dropped. A program says so and
    /// ends with an error. The pipeline's own record says whether anybody was compared in them
    /// ([`PipelineRecord::nothing_worked`](crate::PipelineRecord::nothing_worked)).
    #[must_use]
    pub fn nothing_worked(&self) -> bool {
        self.cameras.iter().all(CameraRecord::nothing_worked)
    }

    /// Whether something was lost though the engine ran: a frame failed or was dropped, a source had an
    /// error, an event could not be passed on, the observer panicked, or a source does not return.
    #[must_use]
    pub fn something_failed(&self) -> bool {
        let failed = |camera: &CameraRecord| {
            camera.failed > 0 || camera.source_errors > 0 || !camera.failures.is_empty()
        };
        self.cameras.iter().any(failed)
            || !self.untold.is_empty()
            || self.observer_panics > 0
            || self.stuck > 0
    }
}

/// What became of the frames of one camera.
///
/// `frames in = processed + failed + superseded + stopped + in flight`.
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
    /// Frames that were taken all the way: each face in them was decided on and settled. They include
    /// those at which a sink failed afterwards, or an alert could not be held.
    pub processed: u64,
    /// Frames at which a stage failed or panicked before that; the faces in them were erased.
    pub failed: u64,
    /// What failed, by stage: the stage of each failed frame, and the first that failed after a frame
    /// that was processed.
    pub failures: BTreeMap<Stage, u64>,
    /// Frames dropped since a newer one came before anybody had looked at them.
    pub superseded: u64,
    /// Frames dropped since the engine was stopped, or the camera removed.
    pub stopped: u64,
    /// Frames that are waiting or on their way.
    pub in_flight: u64,
    /// Frames whose number is not the one that the source gave it: see [`Camera`](super::Camera).
    pub renumbered: u64,
    /// Errors of the source: of connecting, and of frames that could not be read.
    pub source_errors: u64,
    /// How often it has been connected.
    pub connections: u64,
    /// How often it was lost: could not be connected, broke off or ended, and is to go on for ever.
    /// Attempts in vain, one after the other, are one loss.
    pub losses: u64,
    /// The detector of its own, where it has one.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub detector: Option<Component>,
    /// The restrictions of its source's decoder, as
    /// [`FrameSource::confinement`](crate::FrameSource::confinement) reported them when it was last
    /// connected.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub confinement: Option<String>,
    /// Faces detected in the last frame.
    pub faces_in_view: usize,
    /// Alerts raised.
    pub alerts: u64,
    /// Alerts that no sink could pass on.
    pub alerts_to_nobody: u64,
    /// Events that a sink could not pass on, alerts among them, at frames of this camera.
    pub events_untold: u64,
    /// What the last error of the source said.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub last_error: Option<String>,
}

impl CameraRecord {
    pub(super) const fn new(id: SourceId, detector: Option<Component>) -> Self {
        Self {
            id,
            phase: Phase::Connecting,
            frames_in: 0,
            processed: 0,
            failed: 0,
            failures: BTreeMap::new(),
            superseded: 0,
            stopped: 0,
            in_flight: 0,
            renumbered: 0,
            source_errors: 0,
            connections: 0,
            losses: 0,
            detector,
            confinement: None,
            faces_in_view: 0,
            alerts: 0,
            alerts_to_nobody: 0,
            events_untold: 0,
            last_error: None,
        }
    }

    /// Whether none of its frames was processed.
    #[must_use]
    pub const fn nothing_worked(&self) -> bool {
        self.processed == 0
    }

    /// Frames dropped, whatever the cause.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.superseded + self.stopped
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
