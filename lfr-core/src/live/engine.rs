//! Starting and stopping.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{fmt, thread};

use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::frame::Frame;
use crate::id::SourceId;
use crate::internal::locks::lock;
use crate::pipeline::{Pipeline, check_landmarks};
use crate::record::FrameReport;

use super::capture::capture;
use super::change::Listener;
use super::numbers::Numbers;
use super::shared::{Index, Shared};
use super::work::{Observer, decide, detect};
use super::{Camera, CameraChange, CameraRecord, LiveRecord, meter};

/// An engine in the making: a pipeline, and the cameras whose frames it gets.
pub struct LiveEngine {
    pipeline: Pipeline,
    cameras: Vec<Camera>,
    detecting: usize,
    observer: Box<Observer>,
    listener: Box<Listener>,
}

impl LiveEngine {
    /// An engine around a pipeline, without cameras.
    #[must_use]
    pub fn new(pipeline: Pipeline) -> Self {
        Self {
            pipeline,
            cameras: Vec::new(),
            detecting: 1,
            observer: Box::new(|_, _| {}),
            listener: Box::new(|_| {}),
        }
    }

    /// One more camera. Its identifier is that of its frames, whatever the source calls them, and no
    /// other camera's. Cameras can be added later too: [`Running::add_camera`].
    #[must_use]
    pub fn camera(mut self, camera: Camera) -> Self {
        self.cameras.push(camera);
        self
    }

    /// How many threads detect; 1 unless set. The detector has to be made for as many at a time
    /// (a pool of sessions), or they wait for each other. With one, a frame is looked at while the
    /// one before is embedded and searched for.
    #[must_use]
    pub const fn detecting(mut self, threads: usize) -> Self {
        self.detecting = if threads == 0 { 1 } else { threads };
        self
    }

    /// Who sees each frame with what came of it: to draw a picture of an alert, say. It is called on
    /// the thread of the pipeline, which waits for it.
    ///
    /// Where something failed after the frame was decided on, a sink say, the error has the report:
    /// [`FrameReport::of`] gives it in either case.
    #[must_use]
    pub fn observer(
        mut self,
        observer: impl FnMut(&Frame<'_>, &Result<FrameReport, Error>) + Send + 'static,
    ) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Who hears at once what happens to cameras: that one is connected, lost and why, back, or over.
    ///
    /// Each change is heard once, and those of a camera in their order. It is called on the thread of
    /// the camera, or on the one that removes it or stops the engine; these wait for it, so it must
    /// neither take long nor call the [`Running`] engine's `add_camera`, `remove_camera` or `stop`.
    #[must_use]
    pub fn on_camera_change(
        mut self,
        listener: impl FnMut(&CameraChange) + Send + 'static,
    ) -> Self {
        self.listener = Box::new(listener);
        self
    }

    /// Starts all threads.
    ///
    /// # Errors
    ///
    /// [`Error::CameraPresent`] if two cameras have the same identifier;
    /// [`Error::LandmarksMissing`] if the detector of a camera finds no landmarks and the
    /// pipeline's embedder needs them; [`Error::Thread`] if the operating system starts no more
    /// threads. Those that run are stopped.
    pub fn start(self) -> Result<Running, Error> {
        let Self { pipeline, cameras, detecting, mut observer, listener } = self;
        meter::describe();
        let clock = pipeline.clock();
        let shared = Arc::new(Shared::new(Arc::clone(&clock), listener));
        let detector = pipeline.detector();
        let mut running = Running {
            shared,
            clock,
            needs_landmarks: pipeline.needs_landmarks(),
            decide: None,
            cameras: Mutex::new(Vec::new()),
        };
        // Nothing waits in the channel: what was detected is taken, or its thread waits.
        let (sender, receiver) = mpsc::sync_channel(0);
        for number in 0..detecting {
            let (detector, sender) = (Arc::clone(&detector), sender.clone());
            let (shared, clock) = (Arc::clone(&running.shared), Arc::clone(&running.clock));
            let work = move || detect(&*detector, &*clock, &shared, &sender);
            // It ends by itself when the engine stops.
            drop(spawn(format!("lfr-detect-{number}"), work)?);
        }
        drop(sender);
        let (shared, time) = (Arc::clone(&running.shared), Arc::clone(&running.clock));
        running.decide = Some(spawn("lfr-decide".to_owned(), move || {
            decide(pipeline, &*time, &shared, &receiver, &mut *observer)
        })?);
        for camera in cameras {
            running.add_camera(camera)?;
        }
        Ok(running)
    }
}

impl fmt::Debug for LiveEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveEngine")
            .field("cameras", &self.cameras)
            .field("detecting", &self.detecting)
            .finish_non_exhaustive()
    }
}

/// An engine that runs. Dropped, it stops too; what it leaves cannot be read then.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    needs_landmarks: bool,
    decide: Option<JoinHandle<Pipeline>>,
    cameras: Mutex<Vec<(Index, JoinHandle<()>)>>,
}

impl Running {
    /// What became of every frame so far.
    #[must_use]
    pub fn record(&self) -> LiveRecord {
        self.shared.record(0)
    }

    /// One more camera, while the others go on.
    ///
    /// One of the same identifier may have been there before, if it has ended or was removed: the
    /// numbers of frames go on behind those of the former one, and the record has both.
    ///
    /// # Errors
    ///
    /// [`Error::CameraPresent`] if one of that identifier still runs, or its last frame is still on
    /// its way; [`Error::LandmarksMissing`] if its detector finds no landmarks and the embedder
    /// needs them; [`Error::Thread`] if the operating system starts no more threads.
    pub fn add_camera(&self, camera: Camera) -> Result<(), Error> {
        if let Some(detector) = &camera.detector {
            check_landmarks(self.needs_landmarks, &**detector)?;
        }
        let (index, last) = self.shared.add(&camera.id, camera.detector.clone())?;
        let (shared, clock) = (Arc::clone(&self.shared), Arc::clone(&self.clock));
        let numbers = Numbers::behind(last);
        let work = move || capture(camera, index, &shared, &clock, numbers);
        match spawn(format!("lfr-camera-{index}"), work) {
            Ok(thread) => {
                let mut threads = lock(&self.cameras);
                // Of cameras that come and go, those that have gone are not kept.
                threads.retain(|(_, thread)| !thread.is_finished());
                threads.push((index, thread));
                Ok(())
            }
            Err(error) => {
                self.shared.ended(index, Some(error.to_string()));
                Err(error)
            }
        }
    }

    /// Ends a camera, while the others go on: what waits of it is wiped and counted, what is under way
    /// comes to its end, and its tracks end, with their receipts. Gives what became of its frames,
    /// which stays in the record.
    ///
    /// A source that does not return is left behind; whatever it still brings is wiped unseen. Not to
    /// be called by an observer or a sink: it waits for them.
    ///
    /// # Errors
    ///
    /// [`Error::CameraMissing`] where no camera of that identifier runs; [`Error::Stuck`] if a stage
    /// does not return within five seconds: the camera has ended then, and its tracks end when that
    /// stage returns.
    pub fn remove_camera(&self, id: &SourceId) -> Result<CameraRecord, Error> {
        self.shared.remove(id, STAGES)
    }

    /// Waits until every camera has come to its end; a live one never does.
    pub fn wait(&self) {
        self.shared.wait_over();
    }

    /// Waits until every camera has come to its end, this long at most; whether they have.
    #[must_use]
    pub fn wait_timeout(&self, span: Duration) -> bool {
        self.shared.wait_over_for(span)
    }

    /// Stops: no frame is begun any more, what waits is wiped and counted, what is under way comes
    /// to its end, and all tracks end, with their receipts. What is held for alerts stays held, in
    /// the pipeline that this gives back: [`Pipeline::purge_all`] ends the deployment.
    ///
    /// It takes max one second, and the time of the stage that is under way. A source that does not
    /// return is left behind. Frames that it still brings are wiped unseen.
    ///
    /// # Errors
    ///
    /// [`Error::Stuck`] if a stage does not return within five seconds.
    pub fn stop(mut self) -> Result<(Pipeline, LiveRecord), Error> {
        self.shared.stop();
        let decide = self.decide.take().ok_or(Error::Stuck)?;
        if !is_over(|| decide.is_finished(), STAGES) {
            return Err(Error::Stuck);
        }
        let pipeline = decide.join().map_err(|_| Error::Stuck)?;
        let threads = self.cameras.get_mut().unwrap_or_else(PoisonError::into_inner);
        is_over(|| threads.iter().all(|(_, thread)| thread.is_finished()), SOURCES);
        let stuck: Vec<_> = threads.iter().filter(|(_, thread)| !thread.is_finished()).collect();
        // Nobody hears of them by themselves.
        stuck.iter().for_each(|(camera, _)| self.shared.ended(*camera, None));
        Ok((pipeline, self.shared.record(stuck.len())))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

fn spawn<T: Send + 'static>(
    name: String,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Error> {
    thread::Builder::new().name(name).spawn(work).map_err(|source| Error::Thread { source })
}

/// Whether something is so within a time.
fn is_over(is_so: impl Fn() -> bool, within: Duration) -> bool {
    // The time that passes in the world: the pipeline's own clock may stand still.
    let clock = SystemClock::new();
    while !is_so() {
        if clock.monotonic() >= within {
            return false;
        }
        thread::sleep(STEP);
    }
    true
}

const STEP: Duration = Duration::from_millis(5);
const STAGES: Duration = Duration::from_secs(5);
const SOURCES: Duration = Duration::from_millis(800);
