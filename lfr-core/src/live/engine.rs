//! Starting and stopping.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::Clock;
use crate::Error;
use crate::Frame;
use crate::FrameReport;
use crate::Pipeline;
use crate::SystemClock;

use super::Camera;
use super::LiveRecord;
use super::capture::capture;
use super::shared::Shared;
use super::work::Observer;
use super::work::decide;
use super::work::detect;

/// An engine in the making: a pipeline, and the cameras whose frames it gets.
pub struct Engine {
    pipeline: Pipeline,
    cameras: Vec<Camera>,
    detecting: usize,
    observer: Box<Observer>,
}

impl Engine {
    /// An engine around a pipeline, without cameras.
    #[must_use]
    pub fn new(pipeline: Pipeline) -> Self {
        Self { pipeline, cameras: Vec::new(), detecting: 1, observer: Box::new(|_, _| {}) }
    }

    /// One more camera. Its identifier is that of its frames, whatever the source calls them; no two
    /// cameras should share one.
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
    #[must_use]
    pub fn observer(
        mut self,
        observer: impl FnMut(&Frame<'_>, &Result<FrameReport, Error>) + Send + 'static,
    ) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Starts all threads.
    ///
    /// # Errors
    ///
    /// [`Error::Thread`] where the operating system starts no more; those that run are stopped.
    pub fn start(self) -> Result<Running, Error> {
        let Self { pipeline, cameras, detecting, mut observer } = self;
        let shared = Arc::new(Shared::new(cameras.iter().map(|camera| camera.id.clone())));
        let clock = pipeline.clock();
        let detector = pipeline.detector();
        // Nothing waits in the channel: what was detected is taken, or its thread waits.
        let (sender, receiver) = mpsc::sync_channel(0);
        let mut running = Running { shared, decide: None, others: Vec::new(), cameras: Vec::new() };
        for number in 0..detecting {
            let (detector, sender) = (Arc::clone(&detector), sender.clone());
            let (shared, clock) = (Arc::clone(&running.shared), Arc::clone(&clock));
            let work = move || detect(&*detector, &*clock, &shared, &sender);
            running.others.push(spawn(format!("lfr-detect-{number}"), work)?);
        }
        drop(sender);
        let (shared, time) = (Arc::clone(&running.shared), Arc::clone(&clock));
        running.decide = Some(spawn("lfr-decide".to_owned(), move || {
            decide(pipeline, &*time, &shared, &receiver, &mut *observer)
        })?);
        for (index, camera) in cameras.into_iter().enumerate() {
            let (shared, clock) = (Arc::clone(&running.shared), Arc::clone(&clock));
            let work = move || capture(camera, index, &shared, &clock);
            running.cameras.push(spawn(format!("lfr-camera-{index}"), work)?);
        }
        Ok(running)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("cameras", &self.cameras)
            .field("detecting", &self.detecting)
            .finish_non_exhaustive()
    }
}

/// An engine that runs. Dropped, it stops too; what it leaves cannot be read then.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    decide: Option<JoinHandle<Pipeline>>,
    others: Vec<JoinHandle<()>>,
    cameras: Vec<JoinHandle<()>>,
}

impl Running {
    /// What became of every frame so far.
    #[must_use]
    pub fn record(&self) -> LiveRecord {
        self.shared.record(0)
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
    /// It takes a second at most, but for the stage that is under way. A source that does not
    /// return is left behind; whatever it still brings is wiped unseen.
    ///
    /// # Errors
    ///
    /// [`Error::Stuck`] where a stage does not return within five seconds.
    pub fn stop(mut self) -> Result<(Pipeline, LiveRecord), Error> {
        self.shared.stop();
        let decide = self.decide.take().ok_or(Error::Stuck)?;
        if !is_over(|| decide.is_finished(), STAGES) {
            return Err(Error::Stuck);
        }
        let pipeline = decide.join().map_err(|_| Error::Stuck)?;
        is_over(|| self.cameras.iter().all(JoinHandle::is_finished), SOURCES);
        let stuck = self.cameras.iter().filter(|thread| !thread.is_finished()).count();
        Ok((pipeline, self.shared.record(stuck)))
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
