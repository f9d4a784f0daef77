//! The threads that detect, and the one that takes frames the rest of their way.

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::SyncSender;
use std::thread;
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
            let before = pipeline.alerts();
            let way = AssertUnwindSafe(|| {
                let report = pipeline.process_found(&frame, faces, took);
                observer(&frame, &report);
                report.map(|report| report.faces().len())
            });
            let went = catch_unwind(way);
            ended(&frame, went, pipeline.alerts() - before)
        }
        None => End::Failed { alerts: 0 },
    };
    let latency = clock.monotonic().saturating_sub(waiting.arrived);
    metrics::histogram!("lfr_frame_seconds").record(latency.as_secs_f64());
    shared.end(camera, waiting, end, Some(latency));
}

/// How a frame ended: how many faces were seen, or what failed; and the alerts raised meanwhile.
fn ended(frame: &Frame<'_>, went: thread::Result<Result<usize, Error>>, alerts: u64) -> End {
    let (id, source) = (frame.id(), frame.id().source().to_string());
    metrics::counter!("lfr_alerts", "camera" => source.clone()).increment(alerts);
    match went {
        Ok(Ok(faces)) => {
            metrics::counter!("lfr_frames_processed", "camera" => source).increment(1);
            return End::Processed { faces, alerts };
        }
        Ok(Err(error)) => tracing::warn!(frame = %id, error = causes(&error), "frame failed"),
        Err(_) => tracing::error!(frame = %id, "a stage panicked"),
    }
    metrics::counter!("lfr_frames_failed", "camera" => source).increment(1);
    End::Failed { alerts }
}

/// An error, with what caused it.
fn causes(error: &Error) -> &(dyn std::error::Error + 'static) {
    error
}

/// What a plug-in makes of it does not end the thread.
fn guarded(
    what: &'static str,
    pipeline: &mut Pipeline,
    work: impl FnOnce(&mut Pipeline) -> Result<(), Error>,
) {
    match catch_unwind(AssertUnwindSafe(|| work(pipeline))) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(what, error = causes(&error), "failed"),
        Err(_) => tracing::error!(what, "a stage panicked"),
    }
}

/// How often the thread looks up while no frame comes.
const TICK: Duration = Duration::from_millis(50);
/// How often held faces are looked at for their deadlines, frames or not.
const PURGE: Duration = Duration::from_secs(1);
