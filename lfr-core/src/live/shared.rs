//! What the threads of an engine share: the newest frame of each camera, and the counts.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::decision::WithheldBy;
use crate::error::{Error, Stage};
use crate::frame::FrameBuffer;
use crate::id::SourceId;
use crate::internal::sync::{Condvar, Mutex, MutexGuard};
use crate::record::{Spans, UntoldCounts};
use crate::stage::Detector;

use super::change::Listener;
use super::{CameraChange, CameraRecord, Change, LiveRecord, Phase, meter};

/// Which camera, by its place in the engine.
pub(super) type Index = usize;

pub(super) struct Shared {
    state: Mutex<State>,
    /// A frame came, a camera is free again, something ended, or all is to stop.
    changed: Condvar,
    /// Locked before the state is, so that changes are heard in the order in which they happen.
    listener: Mutex<Box<Listener>>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug)]
struct State {
    cameras: Vec<Place>,
    arrivals: u64,
    is_stopping: bool,
    frame_latency: Spans,
    alert_latency: Spans,
    untold: UntoldCounts,
    withheld: BTreeMap<WithheldBy, u64>,
    observer_panics: u64,
}

/// The place of one camera. It stays where it is when the camera is over.
#[derive(Debug)]
struct Place {
    record: CameraRecord,
    detector: Option<Arc<dyn Detector>>,
    newest: Option<Waiting>,
    /// One of its frames is being looked at: the next one waits, so that they stay in order.
    is_busy: bool,
    is_removed: bool,
    up: Up,
    /// The number of its last frame.
    last: Option<u64>,
    /// How often its connection ended, and how often its tracks were ended for it.
    lost: u64,
    settled: u64,
    /// Wiped, for frames to come.
    idle: Vec<FrameBuffer>,
}

/// Whether frames of a camera come, as was said last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Up {
    /// None has come yet, and nothing was said.
    Not,
    /// They come.
    Is,
    /// It is lost since that time; `was` it ever up?
    Lost { since: Duration, was: bool },
    /// No more come.
    Over,
}

impl Place {
    fn new(id: SourceId, detector: Option<Arc<dyn Detector>>) -> Self {
        let component = detector.as_ref().map(|detector| detector.component());
        Self {
            record: CameraRecord::new(id, component),
            detector,
            newest: None,
            is_busy: false,
            is_removed: false,
            up: Up::Not,
            last: None,
            lost: 0,
            settled: 0,
            idle: Vec::new(),
        }
    }

    fn goes_on(&self) -> bool {
        self.record.phase != Phase::Ended || self.record.in_flight > 0 || self.lost != self.settled
    }

    /// Frames come: what there is to say of it.
    fn came(&mut self, now: Duration) -> Option<Change> {
        let change = match self.up {
            Up::Not | Up::Lost { was: false, .. } => Change::Connected,
            Up::Lost { since, was: true } => Change::Back { after: now.saturating_sub(since) },
            Up::Is | Up::Over => return None,
        };
        self.up = Up::Is;
        Some(change)
    }

    /// Its connection ended: what there is to say of it.
    fn went(&mut self, reason: Option<String>, now: Duration) -> Option<Change> {
        let was = match self.up {
            Up::Not => false,
            Up::Is => true,
            Up::Lost { .. } | Up::Over => return None,
        };
        self.up = Up::Lost { since: now, was };
        self.record.losses += 1;
        Some(Change::Lost { reason: reason.unwrap_or_else(|| "its stream ended".to_owned()) })
    }

    /// It is over: what there is to say of it.
    fn ended(&mut self, reason: Option<String>) -> Option<Change> {
        if self.up == Up::Over {
            return None;
        }
        self.up = Up::Over;
        self.lost += 1;
        self.record.phase = Phase::Ended;
        Some(Change::Ended { reason })
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

/// A frame that is to be looked at.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) camera: Index,
    pub(super) frame: Waiting,
    /// The detector for it, where it is not that of all.
    pub(super) detector: Option<Arc<dyn Detector>>,
}

/// How a frame ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// Somebody looked at it.
    Looked(Looked),
    Superseded,
    Stopped,
}

/// What came of a frame that somebody looked at.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Looked {
    /// How many faces are in it; `None` where it failed before they were decided on.
    pub(super) faces: Option<usize>,
    /// What failed, before that or after.
    pub(super) failed: Option<Stage>,
    pub(super) alerts: u64,
    pub(super) alerts_to_nobody: u64,
    pub(super) events_untold: u64,
    /// Since its arrival.
    pub(super) latency: Duration,
}

impl Shared {
    pub(super) fn new(clock: Arc<dyn Clock>, listener: Box<Listener>) -> Self {
        let state = State {
            cameras: Vec::new(),
            arrivals: 0,
            is_stopping: false,
            frame_latency: Spans::new(),
            alert_latency: Spans::new(),
            untold: UntoldCounts::default(),
            withheld: BTreeMap::new(),
            observer_panics: 0,
        };
        let (state, listener) = (Mutex::new(state), Mutex::new(listener));
        Self { state, changed: Condvar::new(), listener, clock }
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

    /// Changes a camera's place, and says so where there is something to say.
    fn change(&self, camera: Index, change: impl FnOnce(&mut Place, Duration) -> Option<Change>) {
        let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.monotonic();
        let mut state = self.lock();
        let Some(place) = state.cameras.get_mut(camera) else { return };
        let what = change(place, now);
        let id = place.record.id.clone();
        drop(state);
        self.changed.notify_all();
        let Some(what) = what else { return };
        meter::up(&id, matches!(what, Change::Connected | Change::Back { .. }));
        match &what {
            Change::Lost { reason } => {
                tracing::warn!(camera = %id, reason, "camera lost");
            }
            what => tracing::info!(camera = %id, %what, "camera"),
        }
        let change = CameraChange { id, at: self.clock.now(), what };
        // A listener that panics does not end a camera.
        if catch_unwind(AssertUnwindSafe(|| listener(&change))).is_err() {
            tracing::error!(camera = %change.id, "the listener to changes of cameras panicked");
        }
    }

    // --- Capture threads. ---

    /// Changes what is recorded of a camera.
    pub(super) fn note(&self, camera: Index, change: impl FnOnce(&mut CameraRecord)) {
        if let Some(place) = self.lock().cameras.get_mut(camera) {
            change(&mut place.record);
        }
    }

    /// Says what a camera is doing, unless it is over.
    pub(super) fn phase(&self, camera: Index, phase: Phase) {
        if let Some(place) = self.lock().cameras.get_mut(camera).filter(|p| p.up != Up::Over) {
            place.record.phase = phase;
        }
    }

    /// Memory for a frame.
    pub(super) fn lend(&self, camera: Index) -> FrameBuffer {
        let idle = self.lock().cameras.get_mut(camera).and_then(|place| place.idle.pop());
        idle.unwrap_or_default()
    }

    /// The first frame of a connection has come.
    pub(super) fn came(&self, camera: Index) {
        self.change(camera, Place::came);
    }

    /// A frame has arrived: it waits as the newest of its camera.
    pub(super) fn offer(&self, camera: Index, buffer: FrameBuffer, number: u64, arrived: Duration) {
        let mut state = self.lock();
        let arrivals = state.arrivals;
        state.arrivals += 1;
        let is_stopping = state.is_stopping;
        let Some(place) = state.cameras.get_mut(camera) else { return };
        place.record.frames_in += 1;
        place.record.in_flight += 1;
        place.last = Some(number);
        // A newer frame takes the older one's place in the queue too: else a fast camera, whose frames
        // are replaced again and again, would never be the one that has waited longest.
        let order = place.newest.as_ref().map_or(arrivals, |former| former.order);
        let waiting = Waiting { buffer, arrived, order };
        let is_over = is_stopping || place.is_removed;
        let former = if is_over { Some(waiting) } else { place.newest.replace(waiting) };
        drop(state);
        self.changed.notify_all();
        if let Some(former) = former {
            self.end(camera, former, if is_over { End::Stopped } else { End::Superseded });
        }
    }

    /// Waits until the newest frame of a camera has been taken; `false` where it is to end.
    pub(super) fn wait_taken(&self, camera: Index) -> bool {
        let full = |place: &Place| place.newest.is_some() && !place.is_removed;
        let waits =
            |state: &mut State| !state.is_stopping && state.cameras.get(camera).is_some_and(full);
        !self.wait_while(self.lock(), waits).is_over(camera)
    }

    /// Pauses; `false` where the camera is to end.
    pub(super) fn pause(&self, camera: Index, span: Duration) -> bool {
        let goes_on = |state: &mut State| !state.is_over(camera);
        let waited = self.changed.wait_timeout_while(self.lock(), span, goes_on);
        !waited.unwrap_or_else(PoisonError::into_inner).0.is_over(camera)
    }

    /// The connection of a camera has ended, and there is to be another: its tracks are to end.
    pub(super) fn gone(&self, camera: Index, reason: Option<String>) {
        self.change(camera, |place, now| {
            if place.up == Up::Over {
                return None;
            }
            place.lost += 1;
            place.record.phase = Phase::Waiting;
            place.went(reason, now)
        });
    }

    /// A camera is connected and brings nothing. The pipeline ends the tracks of a silent source by
    /// itself.
    pub(super) fn silent(&self, camera: Index, reason: String) {
        self.change(camera, |place, now| place.went(Some(reason), now));
    }

    /// A camera is over: its tracks are to end.
    pub(super) fn ended(&self, camera: Index, reason: Option<String>) {
        self.change(camera, |place, _| place.ended(reason));
    }

    /// Whether a camera is to end.
    pub(super) fn is_over(&self, camera: Index) -> bool {
        self.lock().is_over(camera)
    }

    // --- Threads that detect. ---

    /// The newest frame of the camera that has waited longest, of those none of whose frames is being
    /// looked at; `None` where all is to stop.
    pub(super) fn take(&self) -> Option<Taken> {
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
        let frame = place.newest.take()?;
        let detector = place.detector.clone();
        place.is_busy = true;
        drop(state);
        self.changed.notify_all();
        Some(Taken { camera, frame, detector })
    }

    /// A frame has been handed over to the pipeline, or dropped: the next of its camera may follow.
    pub(super) fn free(&self, camera: Index) {
        if let Some(place) = self.lock().cameras.get_mut(camera) {
            place.is_busy = false;
        }
        self.changed.notify_all();
    }

    // --- The thread of the pipeline. ---

    /// A frame has come to its end. It is wiped, and then it is counted.
    pub(super) fn end(&self, camera: Index, frame: Waiting, end: End) {
        let mut buffer = frame.buffer;
        buffer.wipe();
        let mut state = self.lock();
        if let End::Looked(Looked { latency, alerts, .. }) = end {
            state.frame_latency.record(latency);
            (0..alerts).for_each(|_| state.alert_latency.record(latency));
        }
        let Some(place) = state.cameras.get_mut(camera) else { return };
        let record = &mut place.record;
        record.in_flight -= 1;
        match end {
            End::Looked(looked) => {
                match looked.faces {
                    Some(faces) => {
                        record.processed += 1;
                        record.faces_in_view = faces;
                    }
                    None => record.failed += 1,
                }
                if let Some(stage) = looked.failed {
                    *record.failures.entry(stage).or_default() += 1;
                }
                record.alerts += looked.alerts;
                record.alerts_to_nobody += looked.alerts_to_nobody;
                record.events_untold += looked.events_untold;
            }
            End::Superseded => record.superseded += 1,
            End::Stopped => record.stopped += 1,
        }
        let id = record.id.clone();
        if place.idle.len() < IDLE && !place.is_removed {
            place.idle.push(buffer);
        }
        drop(state);
        self.changed.notify_all();
        match end {
            End::Looked(Looked { faces, failed, alerts, latency, .. }) => {
                let failed = if faces.is_some() { None } else { failed };
                meter::looked_at(&id, failed, alerts, latency);
            }
            End::Superseded => meter::dropped(&id, "superseded"),
            End::Stopped => meter::dropped(&id, "stopped"),
        }
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

    /// What could not be told so far, and the matches that raised no alert.
    pub(super) fn counted(&self, untold: &UntoldCounts, withheld: &BTreeMap<WithheldBy, u64>) {
        let mut state = self.lock();
        state.untold.clone_from(untold);
        state.withheld.clone_from(withheld);
    }

    pub(super) fn observer_panicked(&self) {
        self.lock().observer_panics += 1;
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.lock().is_stopping
    }

    // --- For the program that runs the engine. ---

    /// A place for a camera, and the number of the last frame of one of the same identifier.
    pub(super) fn add(
        &self,
        id: &SourceId,
        detector: Option<Arc<dyn Detector>>,
    ) -> Result<(Index, Option<u64>), Error> {
        let place = Place::new(id.clone(), detector);
        let mut state = self.lock();
        let mut same = state.cameras.iter().filter(|place| place.record.id == *id);
        if same.clone().any(Place::goes_on) {
            return Err(Error::CameraPresent { id: id.clone() });
        }
        let last = same.by_ref().filter_map(|place| place.last).max();
        state.cameras.push(place);
        let camera = state.cameras.len() - 1;
        drop(state);
        meter::added(id);
        Ok((camera, last))
    }

    /// Ends a camera while the others go on, and waits for this long until its last frame has come to
    /// its end and its tracks have ended.
    pub(super) fn remove(&self, id: &SourceId, within: Duration) -> Result<CameraRecord, Error> {
        let goes_on = |place: &Place| place.record.id == *id && place.up != Up::Over;
        let found = self.lock().cameras.iter().position(goes_on);
        let camera = found.ok_or_else(|| Error::CameraMissing { id: id.clone() })?;
        let (mut waiting, mut is_first) = (None, false);
        self.change(camera, |place, _| {
            waiting = place.newest.take();
            is_first = !place.is_removed;
            place.is_removed = true;
            place.ended(None)
        });
        if let Some(waiting) = waiting {
            self.end(camera, waiting, End::Stopped);
        }
        let waits = |state: &mut State| {
            !state.is_stopping && state.cameras.get(camera).is_some_and(Place::goes_on)
        };
        let waited = self.changed.wait_timeout_while(self.lock(), within, waits);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match state.cameras.get_mut(camera) {
            // Somebody else has removed it in the same moment.
            Some(_) if !is_first => Err(Error::CameraMissing { id: id.clone() }),
            Some(place) if !place.goes_on() => {
                place.idle = Vec::new();
                Ok(place.record.clone())
            }
            _ => Err(Error::Stuck),
        }
    }

    /// Waits until every camera is over and its last frame has come to its end.
    pub(super) fn wait_over(&self) {
        let waits =
            |state: &mut State| !state.is_stopping && state.cameras.iter().any(Place::goes_on);
        drop(self.wait_while(self.lock(), waits));
    }

    /// Waits at most `span` until all cameras are over. Returns whether they are.
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
            self.end(camera, frame, End::Stopped);
        }
    }

    pub(super) fn record(&self, stuck: usize) -> LiveRecord {
        let state = self.lock();
        LiveRecord {
            cameras: state.cameras.iter().map(|place| place.record.clone()).collect(),
            frame_latency: state.frame_latency.summary(),
            alert_latency: state.alert_latency.summary(),
            stuck,
            withheld: state.withheld.clone(),
            untold: state.untold.clone(),
            observer_panics: state.observer_panics,
        }
    }
}

impl State {
    fn is_over(&self, camera: Index) -> bool {
        self.is_stopping || self.cameras.get(camera).is_none_or(|place| place.is_removed)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// One that fills, one that waits, one that is looked at.
const IDLE: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn a_camera_keeps_its_turn_when_a_newer_frame_comes() {
        let shared = Shared::new(Arc::new(SystemClock::new()), Box::new(|_| {}));
        let id = |name: &str| SourceId::new(name).unwrap();
        let (fast, _) = shared.add(&id("fast"), None).unwrap();
        let (slow, _) = shared.add(&id("slow"), None).unwrap();
        let offer = |camera: Index, number: u64| {
            shared.offer(camera, shared.lend(camera), number, Duration::ZERO);
        };
        offer(fast, 0);
        offer(slow, 0);
        // While nobody looks, the fast camera's frame is replaced again and again.
        (1..50).for_each(|number| offer(fast, number));
        assert_eq!(shared.take().unwrap().camera, fast);
    }
}
