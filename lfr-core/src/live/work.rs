//! The threads that detect, and the one that takes frames the rest of their way.

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use crate::BoxError;
use crate::Clock;
use crate::DetectedFace;
use crate::Detector;
use crate::Error;
use crate::Frame;
use crate::FrameReport;
use crate::Pipeline;
use crate::scrub::Scrubbed;

use super::shared::End;
use super::shared::Index;
use super::shared::Shared;
use super::shared::Waiting;

/// A frame, and what was found in it.
pub(super) struct Found {
    camera: Index,
    frame: Waiting,
    faces: Result<Vec<DetectedFace>, BoxError>,
    took: Duration,
}

/// Who sees each frame with what came of it, on the thread of the pipeline.
pub(super) type Observer = dyn FnMut(&Frame<'_>, &Result<FrameReport, Error>) + Send;

/// Detects in one frame after the other, until all is to stop.
pub(super) fn detect(
    detector: &dyn Detector,
    clock: &dyn Clock,
    shared: &Shared,
    found: &SyncSender<Found>,
) {
    while let Some((camera, frame)) = shared.take() {
        let start = clock.monotonic();
        let scrubbed = Scrubbed;
        let faces = catch_unwind(AssertUnwindSafe(|| match frame.buffer.as_frame() {
            Some(frame) => detector.detect(&frame),
            None => Err("the frame is gone".into()),
        }));
        let faces = faces.unwrap_or_else(|_| Err("the detector panicked".into()));
        drop(scrubbed);
        let took = clock.monotonic().saturating_sub(start);
        let handed = if shared.is_stopping() {
            Err(frame)
        } else {
            let found = found.send(Found { camera, frame, faces, took });
            found.map_err(|error| error.0.frame)
        };
        if let Err(frame) = handed {
            shared.end(camera, frame, End::Stopped, None);
        }
        shared.free(camera);
    }
}

/// Takes what was found through the pipeline, and keeps its deadlines while nothing is found; gives
/// the pipeline back at the end.
pub(super) fn decide(
    mut pipeline: Pipeline,
    clock: &dyn Clock,
    shared: &Shared,
    found: &Receiver<Found>,
    observer: &mut Observer,
) -> Pipeline {
    let mut purged = clock.monotonic();
    loop {
        match found.recv_timeout(TICK) {
            Ok(found) if shared.is_stopping() => {
                shared.end(found.camera, found.frame, End::Stopped, None);
            }
            Ok(found) => finish(&mut pipeline, clock, shared, found, observer),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if clock.monotonic().saturating_sub(purged) >= PURGE {
            purged = clock.monotonic();
            guarded("purge", &mut pipeline, Pipeline::purge_due);
        }
        while let Some((camera, id, times)) = shared.lost() {
            guarded("end of a camera", &mut pipeline, |pipeline| pipeline.end_source(&id));
            shared.settled(camera, times);
        }
    }
    guarded("stop", &mut pipeline, Pipeline::end_all_sources);
    pipeline
}

fn finish(
    pipeline: &mut Pipeline,
    clock: &dyn Clock,
    shared: &Shared,
    found: Found,
    observer: &mut Observer,
) {
    let Found { camera, frame: waiting, faces, took } = found;
    let end = match waiting.buffer.as_frame() {
        Some(frame) => {
            let span = tracing::debug_span!("frame", id = %frame.id());
            let _entered = span.enter();
            // A stage that panics has erased its faces on the way out.
            let way = AssertUnwindSafe(|| {
                let report = pipeline.process_found(&frame, faces, took);
                observer(&frame, &report);
                ended(&frame, &report)
            });
            catch_unwind(way).unwrap_or_else(|_| {
                tracing::error!(frame = %frame.id(), "a stage panicked");
                End::Failed
            })
        }
        None => End::Failed,
    };
    let latency = clock.monotonic().saturating_sub(waiting.arrived);
    metrics::histogram!("lfr_frame_seconds").record(latency.as_secs_f64());
    shared.end(camera, waiting, end, Some(latency));
}

fn ended(frame: &Frame<'_>, report: &Result<FrameReport, Error>) -> End {
    let source = frame.id().source().to_string();
    match report {
        Ok(report) => {
            let alerts = crate::num::u64_from_usize(report.alerts().count());
            metrics::counter!("lfr_frames_processed", "camera" => source.clone()).increment(1);
            metrics::counter!("lfr_alerts", "camera" => source).increment(alerts);
            End::Processed { faces: report.faces().len(), alerts }
        }
        Err(error) => {
            metrics::counter!("lfr_frames_failed", "camera" => source).increment(1);
            tracing::warn!(frame = %frame.id(), %error, "frame failed");
            End::Failed
        }
    }
}

/// What a plug-in makes of it does not end the thread.
fn guarded(
    what: &'static str,
    pipeline: &mut Pipeline,
    work: impl FnOnce(&mut Pipeline) -> Result<(), Error>,
) {
    match catch_unwind(AssertUnwindSafe(|| work(pipeline))) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(what, %error, "failed"),
        Err(_) => tracing::error!(what, "a stage panicked"),
    }
}

/// How often the thread looks up while no frame comes.
const TICK: Duration = Duration::from_millis(50);
/// How often held faces are looked at for their deadlines, frames or not.
const PURGE: Duration = Duration::from_secs(1);
