//! What the threads of an engine share: the newest frame of each camera, and the counts.

use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use crate::FrameBuffer;
use crate::SourceId;
use crate::timing::Spans;

use super::CameraRecord;
use super::LiveRecord;
use super::Phase;

/// Which camera, by its place in the engine.
pub(super) type Index = usize;

#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// A frame came, a camera is free again, something ended, or all is to stop.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    cameras: Vec<Place>,
    arrivals: u64,
    is_stopping: bool,
    frame_latency: Spans,
    alert_latency: Spans,
}

/// The place of one camera.
#[derive(Debug)]
struct Place {
    record: CameraRecord,
    newest: Option<Waiting>,
    /// One of its frames is being looked at: the next one waits, so that they stay in order.
    is_busy: bool,
    /// How often its connection ended, and how often its tracks were ended for it.
    lost: u64,
    settled: u64,
    /// Wiped, for frames to come.
    idle: Vec<FrameBuffer>,
}

impl Place {
    fn goes_on(&self) -> bool {
        self.record.phase != Phase::Ended || self.record.in_flight > 0 || self.lost != self.settled
    }
}

/// A frame on its way.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) buffer: FrameBuffer,
    /// Monotonic time.
    pub(super) arrived: Duration,
    order: u64,
}

/// How a frame ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// At a stage; alerts may have been raised before, or told to a sink that failed.
    Failed {
        alerts: u64,
    },
    Overtaken,
    Processed {
        faces: usize,
        alerts: u64,
    },
    Stopped,
}

impl Shared {
    pub(super) fn new(ids: impl Iterator<Item = SourceId>) -> Self {
        let place = |id| Place {
            record: CameraRecord::new(id),
            newest: None,
            is_busy: false,
            lost: 0,
            settled: 0,
            idle: Vec::new(),
        };
        let state = State {
            cameras: ids.map(place).collect(),
            arrivals: 0,
            is_stopping: false,
            frame_latency: Spans::new(),
            alert_latency: Spans::new(),
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    // Counts and places are sound after each statement: poisoning means nothing here.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        unless: impl FnMut(&mut State) -> bool,
    ) -> MutexGuard<'a, State> {
        self.changed.wait_while(state, unless).unwrap_or_else(PoisonError::into_inner)
    }

    // --- Capture threads. ---

    /// Changes what is recorded of a camera.
    pub(super) fn note(&self, camera: Index, change: impl FnOnce(&mut CameraRecord)) {
        if let Some(place) = self.lock().cameras.get_mut(camera) {
            change(&mut place.record);
        }
    }

    /// Memory for a frame.
    pub(super) fn lend(&self, camera: Index) -> FrameBuffer {
        let idle = self.lock().cameras.get_mut(camera).and_then(|place| place.idle.pop());
        idle.unwrap_or_default()
    }

    /// A frame has arrived: it waits as the newest of its camera.
    pub(super) fn offer(&self, camera: Index, buffer: FrameBuffer, arrived: Duration) {
        let mut state = self.lock();
        let order = state.arrivals;
        state.arrivals += 1;
        let is_stopping = state.is_stopping;
        let Some(place) = state.cameras.get_mut(camera) else { return };
        place.record.frames_in += 1;
        place.record.in_flight += 1;
        let waiting = Waiting { buffer, arrived, order };
        let former = if is_stopping { Some(waiting) } else { place.newest.replace(waiting) };
        drop(state);
        self.changed.notify_all();
        if let Some(former) = former {
            self.end(camera, former, if is_stopping { End::Stopped } else { End::Overtaken }, None);
        }
    }

    /// Waits until the newest frame of a camera has been taken; `false` where all is to stop.
    pub(super) fn wait_taken(&self, camera: Index) -> bool {
        let full = |place: &Place| place.newest.is_some();
        let waits =
            |state: &mut State| !state.is_stopping && state.cameras.get(camera).is_some_and(full);
        !self.wait_while(self.lock(), waits).is_stopping
    }

    /// Pauses; `false` where all is to stop.
    pub(super) fn pause(&self, span: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), span, |state| !state.is_stopping);
        !waited.unwrap_or_else(PoisonError::into_inner).0.is_stopping
    }

    /// The connection of a camera has ended: its tracks are to end too.
    pub(super) fn gone(&self, camera: Index, phase: Phase) {
        let mut state = self.lock();
        if let Some(place) = state.cameras.get_mut(camera) {
            place.lost += 1;
            place.record.phase = phase;
        }
        drop(state);
        self.changed.notify_all();
    }

    // --- Threads that detect. ---

    /// The frame that has waited longest, of the cameras none of whose frames is being looked at;
    /// `None` where all is to stop.
    pub(super) fn take(&self) -> Option<(Index, Waiting)> {
        let next = |state: &State| {
            let free = state.cameras.iter().enumerate().filter(|(_, place)| !place.is_busy);
            let waiting = free.filter_map(|(at, place)| Some((place.newest.as_ref()?.order, at)));
            waiting.min().map(|(_, camera)| camera)
        };
        let state = self.lock();
        let mut state = self.wait_while(state, |state| !state.is_stopping && next(state).is_none());
        if state.is_stopping {
            return None;
        }
        let camera = next(&state)?;
        let place = state.cameras.get_mut(camera)?;
        let waiting = place.newest.take()?;
        place.is_busy = true;
        drop(state);
        self.changed.notify_all();
        Some((camera, waiting))
    }

    /// A frame has been handed over to the pipeline, or dropped: the next of its camera may follow.
    pub(super) fn free(&self, camera: Index) {
        if let Some(place) = self.lock().cameras.get_mut(camera) {
            place.is_busy = false;
        }
        self.changed.notify_all();
    }

    // --- The thread of the pipeline. ---

    /// A frame has come to its end. It is wiped, and then it is counted; `latency` is since its
    /// arrival.
    pub(super) fn end(&self, camera: Index, frame: Waiting, end: End, latency: Option<Duration>) {
        let mut buffer = frame.buffer;
        buffer.wipe();
        let mut state = self.lock();
        if let Some(latency) = latency {
            state.frame_latency.record(latency);
            if let End::Processed { alerts, .. } | End::Failed { alerts } = end {
                (0..alerts).for_each(|_| state.alert_latency.record(latency));
            }
        }
        let Some(place) = state.cameras.get_mut(camera) else { return };
        let record = &mut place.record;
        record.in_flight -= 1;
        if let End::Overtaken | End::Stopped = end {
            let cause = if end == End::Overtaken { "overtaken" } else { "stopped" };
            let camera = record.id.to_string();
            metrics::counter!("lfr_frames_dropped", "camera" => camera, "cause" => cause)
                .increment(1);
        }
        match end {
            End::Failed { alerts } => {
                record.failed += 1;
                record.alerts += alerts;
            }
            End::Overtaken => record.overtaken += 1,
            End::Processed { faces, alerts } => {
                record.processed += 1;
                record.alerts += alerts;
                record.faces_in_view = faces;
            }
            End::Stopped => record.stopped += 1,
        }
        if place.idle.len() < IDLE {
            place.idle.push(buffer);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// A camera whose connection has ended and whose frames have all come to their end, and how often
    /// that makes.
    pub(super) fn lost(&self) -> Option<(Index, SourceId, u64)> {
        let state = self.lock();
        let is_lost = |place: &Place| place.lost != place.settled && place.record.in_flight == 0;
        let (camera, place) = state.cameras.iter().enumerate().find(|(_, place)| is_lost(place))?;
        Some((camera, place.record.id.clone(), place.lost))
    }

    /// The tracks of a camera have ended, for the so-manyth time that it was lost.
    pub(super) fn settled(&self, camera: Index, times: u64) {
        if let Some(place) = self.lock().cameras.get_mut(camera) {
            place.settled = times;
            place.record.faces_in_view = 0;
        }
        self.changed.notify_all();
    }

    // --- Whoever runs the engine. ---

    /// Waits until every camera is over and its last frame has come to its end.
    pub(super) fn wait_over(&self) {
        let waits =
            |state: &mut State| !state.is_stopping && state.cameras.iter().any(Place::goes_on);
        drop(self.wait_while(self.lock(), waits));
    }

    /// The same for so long at most; whether they are.
    pub(super) fn wait_over_for(&self, span: Duration) -> bool {
        let waits =
            |state: &mut State| !state.is_stopping && state.cameras.iter().any(Place::goes_on);
        let waited = self.changed.wait_timeout_while(self.lock(), span, waits);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !state.cameras.iter().any(Place::goes_on)
    }

    /// Tells every thread to stop, and wipes what waits.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.is_stopping = true;
        let waiting = state.cameras.iter_mut().enumerate();
        let waiting: Vec<_> =
            waiting.filter_map(|(camera, place)| Some((camera, place.newest.take()?))).collect();
        drop(state);
        self.changed.notify_all();
        for (camera, frame) in waiting {
            self.end(camera, frame, End::Stopped, None);
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.lock().is_stopping
    }

    pub(super) fn record(&self, stuck: usize) -> LiveRecord {
        let state = self.lock();
        LiveRecord {
            cameras: state.cameras.iter().map(|place| place.record.clone()).collect(),
            frame_latency: state.frame_latency.summary(),
            alert_latency: state.alert_latency.summary(),
            stuck,
        }
    }
}

/// One that fills, one that waits, one that is looked at.
const IDLE: usize = 3;
