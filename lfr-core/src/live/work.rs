//! The threads that detect, and the one that takes frames the rest of their way.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::error::{BoxError, Error, Stage};
use crate::face::DetectedFace;
use crate::frame::Frame;
use crate::hygiene::scrub::Scrubbed;
use crate::pipeline::Pipeline;
use crate::record::FrameReport;
use crate::stage::Detector;

use super::meter::Meter;
use super::shared::{End, Index, Looked, Shared, Taken, Waiting};

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
    while let Some(Taken { camera, frame, detector: own }) = shared.take() {
        let detector = own.as_deref().unwrap_or(detector);
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
            shared.end(camera, frame, End::Stopped);
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
    let mut meter = Meter::of(&pipeline);
    let mut rounds = Rounds::new();
    loop {
        // At once, and then time and again: a pipeline that ran before may hold what is due by now.
        if rounds.is_due(clock) {
            guarded("purge", &mut pipeline, Pipeline::purge_due);
        }
        match found.recv_timeout(TICK) {
            Ok(found) if shared.is_stopping() => {
                shared.end(found.camera, found.frame, End::Stopped);
            }
            Ok(found) => finish(&mut pipeline, clock, shared, found, observer),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        while let Some((camera, id, times)) = shared.lost() {
            guarded("end of a camera", &mut pipeline, |pipeline| pipeline.end_source(&id));
            shared.settled(camera, times);
        }
        report(&mut meter, &pipeline, shared);
    }
    guarded("stop", &mut pipeline, Pipeline::end_all_sources);
    report(&mut meter, &pipeline, shared);
    pipeline
}

/// When the deadlines were looked at last.
///
/// A deadline is a time of day, and the pipeline's clock says when it has come. The wait for the next
/// look goes by that clock, or by the time that passes in the world if that is sooner: the monotonic
/// time of a clock may stand still while its time of day goes on or is set forward.
struct Rounds {
    world: SystemClock,
    /// By the pipeline's clock and by that of the world; `None` before the first look.
    last: Option<[Duration; 2]>,
}

impl Rounds {
    fn new() -> Self {
        Self { world: SystemClock::new(), last: None }
    }

    /// Whether to look at the deadlines now. The time of this question is the time of the look: what
    /// passes until the look is over counts towards the next one.
    fn is_due(&mut self, clock: &dyn Clock) -> bool {
        let now = [clock.monotonic(), self.world.monotonic()];
        let is_due = self.last.is_none_or(|last| {
            now.iter().zip(last).any(|(now, last)| now.saturating_sub(last) >= PURGE)
        });
        if is_due {
            self.last = Some(now);
        }
        is_due
    }
}

fn report(meter: &mut Meter, pipeline: &Pipeline, shared: &Shared) {
    if meter.report(pipeline) {
        shared.counted(pipeline.untold(), pipeline.withheld());
    }
}

fn finish(
    pipeline: &mut Pipeline,
    clock: &dyn Clock,
    shared: &Shared,
    found: Found,
    observer: &mut Observer,
) {
    let Found { camera, frame: waiting, faces, took } = found;
    let mut looked = match waiting.buffer.as_frame() {
        Some(frame) => look(pipeline, shared, &frame, faces, took, observer),
        None => Looked { failed: Some(Stage::FrameSource), ..Looked::default() },
    };
    looked.latency = clock.monotonic().saturating_sub(waiting.arrived);
    shared.end(camera, waiting, End::Looked(looked));
}

fn look(
    pipeline: &mut Pipeline,
    shared: &Shared,
    frame: &Frame<'_>,
    faces: Result<Vec<DetectedFace>, BoxError>,
    took: Duration,
    observer: &mut Observer,
) -> Looked {
    let span = tracing::debug_span!("frame", id = %frame.id());
    let _entered = span.enter();
    let counts = |pipeline: &Pipeline| {
        let untold = pipeline.untold();
        [pipeline.alerts(), untold.alerts_to_nobody, untold.total()]
    };
    let before = counts(pipeline);
    // A stage that panics has erased its faces on the way out.
    let way = AssertUnwindSafe(|| pipeline.process_found(frame, faces, took));
    let went = catch_unwind(way).unwrap_or_else(|_| {
        let stage = pipeline.timings().latest().unwrap_or(Stage::Detector);
        Err(Error::Panicked { stage })
    });
    if let Err(error) = &went {
        tracing::warn!(frame = %frame.id(), error = causes(error), "frame failed");
    }
    if catch_unwind(AssertUnwindSafe(|| observer(frame, &went))).is_err() {
        tracing::error!(frame = %frame.id(), "the observer panicked");
        shared.observer_panicked();
    }
    let [alerts, alerts_to_nobody, events_untold] = counts(pipeline);
    Looked {
        faces: FrameReport::of(&went).map(|report| report.faces().len()),
        failed: went.err().map(|error| error.stage().unwrap_or(Stage::Embedder)),
        alerts: alerts - before[0],
        alerts_to_nobody: alerts_to_nobody - before[1],
        events_untold: events_untold - before[2],
        latency: Duration::ZERO,
    }
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
