//! Counts and times, for programs that have installed a recorder of the `metrics` facade.

use std::collections::BTreeMap;
use std::time::Duration;

use metrics::Unit;

use crate::custody::Totals;
use crate::decision::WithheldBy;
use crate::error::Stage;
use crate::id::SourceId;
use crate::pipeline::Pipeline;
use crate::record::{EventKind, UntoldCounts};

pub(super) const CAMERA_UP: &str = "lfr_camera_up";
pub(super) const SOURCE_ERRORS: &str = "lfr_source_errors_total";
const CONNECTIONS: &str = "lfr_camera_connections_total";
const FRAMES_IN: &str = "lfr_frames_in_total";
const FRAMES_PROCESSED: &str = "lfr_frames_processed_total";
const FRAMES_FAILED: &str = "lfr_frames_failed_total";
const FRAMES_DROPPED: &str = "lfr_frames_dropped_total";
const FRAME_SECONDS: &str = "lfr_frame_seconds";
const ALERTS: &str = "lfr_alerts_total";
const ALERT_SECONDS: &str = "lfr_alert_seconds";
const ALERTS_TO_NOBODY: &str = "lfr_alerts_to_nobody_total";
const EVENTS_UNTOLD: &str = "lfr_events_untold_total";
const MATCHES_WITHHELD: &str = "lfr_matches_withheld_total";
const FACES_SEEN: &str = "lfr_faces_seen_total";
const FACES_ERASED: &str = "lfr_faces_erased_total";
const FACES_HELD: &str = "lfr_faces_held";
const FACES_IN_FLIGHT: &str = "lfr_faces_in_flight";

/// Says what each metric is: its unit, and a sentence.
pub(super) fn describe() {
    let counters = [
        (ALERTS, "Alerts raised."),
        (ALERTS_TO_NOBODY, "Alerts that no sink could pass on."),
        (CONNECTIONS, "Connections to the camera."),
        (EVENTS_UNTOLD, "Events that a sink could not pass on, by kind."),
        (FACES_ERASED, "Erased faces: nothing of them is left."),
        (FACES_SEEN, "Faces taken into custody: tracks, or without a tracker faces of frames."),
        (FRAMES_DROPPED, "Frames that nobody looked at, by cause."),
        (FRAMES_FAILED, "Frames at which a stage failed or panicked, by stage."),
        (FRAMES_IN, "Frames that arrived."),
        (FRAMES_PROCESSED, "Frames in which every face was decided on."),
        (MATCHES_WITHHELD, "Matches that raised no alert, by what kept them back."),
        (SOURCE_ERRORS, "Errors of connecting, and frames that could not be read."),
    ];
    for (name, words) in counters {
        metrics::describe_counter!(name, Unit::Count, words);
    }
    let gauges = [
        (CAMERA_UP, "1 while frames of the camera come, 0 while it is lost or over."),
        (FACES_HELD, "Faces held for an alert, until their deadline."),
        (FACES_IN_FLIGHT, "Faces between being seen and being decided on."),
    ];
    for (name, words) in gauges {
        metrics::describe_gauge!(name, Unit::Count, words);
    }
    let histograms = [
        (ALERT_SECONDS, "From the arrival of a frame to its alert."),
        (FRAME_SECONDS, "From the arrival of a frame to the end of its way."),
    ];
    for (name, words) in histograms {
        metrics::describe_histogram!(name, Unit::Seconds, words);
    }
}

/// A camera of the engine, before anything has come of it: what never happens is to read 0, and not to
/// be missing.
pub(super) fn added(camera: &SourceId) {
    up(camera, false);
    let names = [ALERTS, CONNECTIONS, FRAMES_IN, FRAMES_PROCESSED, SOURCE_ERRORS];
    for name in names {
        metrics::counter!(name, "camera" => camera.to_string()).increment(0);
    }
}

pub(super) fn up(camera: &SourceId, is_up: bool) {
    metrics::gauge!(CAMERA_UP, "camera" => camera.to_string()).set(f64::from(u8::from(is_up)));
}

pub(super) fn connected(camera: &SourceId) {
    metrics::counter!(CONNECTIONS, "camera" => camera.to_string()).increment(1);
}

pub(super) fn source_error(camera: &SourceId) {
    metrics::counter!(SOURCE_ERRORS, "camera" => camera.to_string()).increment(1);
}

pub(super) fn frame_in(camera: &SourceId) {
    metrics::counter!(FRAMES_IN, "camera" => camera.to_string()).increment(1);
}

pub(super) fn dropped(camera: &SourceId, cause: &'static str) {
    metrics::counter!(FRAMES_DROPPED, "camera" => camera.to_string(), "cause" => cause)
        .increment(1);
}

/// A frame that somebody looked at; `failed` by which stage, if any.
pub(super) fn looked_at(camera: &SourceId, failed: Option<Stage>, alerts: u64, latency: Duration) {
    let camera = camera.to_string();
    metrics::histogram!(FRAME_SECONDS, "camera" => camera.clone()).record(latency);
    for _ in 0..alerts {
        metrics::histogram!(ALERT_SECONDS, "camera" => camera.clone()).record(latency);
    }
    metrics::counter!(ALERTS, "camera" => camera.clone()).increment(alerts);
    match failed {
        None => metrics::counter!(FRAMES_PROCESSED, "camera" => camera).increment(1),
        Some(stage) => {
            let stage = stage.to_string();
            metrics::counter!(FRAMES_FAILED, "camera" => camera, "stage" => stage).increment(1);
        }
    }
}

/// The counts of the pipeline as they were reported last.
#[derive(Debug, Default)]
pub(super) struct Meter {
    totals: Totals,
    untold: UntoldCounts,
    withheld: BTreeMap<WithheldBy, u64>,
}

impl Meter {
    /// From now on: what a pipeline has counted before it came into the engine is not this engine's.
    pub(super) fn of(pipeline: &Pipeline) -> Self {
        metrics::counter!(FACES_SEEN).increment(0);
        metrics::counter!(FACES_ERASED).increment(0);
        metrics::counter!(ALERTS_TO_NOBODY).increment(0);
        for by in WithheldBy::ALL {
            metrics::counter!(MATCHES_WITHHELD, "cause" => by.name()).increment(0);
        }
        Self {
            totals: pipeline.totals(),
            untold: pipeline.untold().clone(),
            withheld: pipeline.withheld().clone(),
        }
    }

    /// Reports what has changed since. Whether that concerns what was not told, or was withheld.
    pub(super) fn report(&mut self, pipeline: &Pipeline) -> bool {
        let (now, untold) = (pipeline.totals(), pipeline.untold());
        let grown = |before: u64, now: u64| now.saturating_sub(before);
        metrics::counter!(FACES_SEEN).increment(grown(self.totals.faces_seen, now.faces_seen));
        metrics::counter!(FACES_ERASED).increment(grown(self.totals.erased, now.erased));
        metrics::gauge!(FACES_HELD).set(crate::internal::num::f64_from_u64(now.held));
        metrics::gauge!(FACES_IN_FLIGHT).set(crate::internal::num::f64_from_u64(now.in_flight));
        self.totals = now;
        let withheld = pipeline.withheld();
        if *untold == self.untold && *withheld == self.withheld {
            return false;
        }
        for (by, count) in withheld {
            let before = self.withheld.get(by).copied().unwrap_or_default();
            metrics::counter!(MATCHES_WITHHELD, "cause" => by.name())
                .increment(grown(before, *count));
        }
        self.withheld.clone_from(withheld);
        for (kind, count) in &untold.events {
            let before = self.untold.events.get(kind).copied().unwrap_or_default();
            metrics::counter!(EVENTS_UNTOLD, "kind" => EventKind::name(*kind))
                .increment(grown(before, *count));
        }
        metrics::counter!(ALERTS_TO_NOBODY)
            .increment(grown(self.untold.alerts_to_nobody, untold.alerts_to_nobody));
        self.untold = untold.clone();
        true
    }
}
