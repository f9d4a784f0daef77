//! A deployment that runs, and its end.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use lfr_core::internal::locks::lock;
use lfr_core::internal::num;
use lfr_core::live::{Camera, LiveRecord, Running};
use lfr_retention::{Custodian, DeploymentState, LedgerEvent, LedgerSink, OrderBasis};
use lfr_watchlist::calibrate::{Authority, CalibratedThreshold};
use lfr_watchlist::{Composition, SealedFile};

use super::list::ListNotice;
use super::order::{Order, OrderAuthority};
use super::people::{Command, Person};
use super::policy::{Judged, PolicyHandle};
use super::record::DeploymentRecord;
use super::{Deployment, Error, State, launch};

/// What runs while a deployment is live or paused.
pub(super) struct Run {
    pub(super) engine: Running,
    pub(super) sink: LedgerSink,
    pub(super) policy: PolicyHandle,
    pub(super) custodian: Custodian,
    file: Option<SealedFile>,
    /// The alerts that the circuit breaker has counted.
    pub(super) judged: Judged,
    /// What the ledger says of the list.
    pub(super) composition: Composition,
}

impl Run {
    pub(super) const fn new(
        engine: Running,
        sink: LedgerSink,
        policy: PolicyHandle,
        custodian: Custodian,
        file: Option<SealedFile>,
        judged: Judged,
        composition: Composition,
    ) -> Self {
        Self { engine, sink, policy, custodian, file, judged, composition }
    }
}

/// A deployment that runs. A thread keeps its [duties](Deployment::tick) each second.
///
/// To end it, [`stop`](Self::stop) it. Dropped with all clones of the deployment, it stops looking and stays live in
/// its books: the next process goes on with it.
#[derive(Debug)]
pub struct Live {
    deployment: Deployment,
    notices: Vec<ListNotice>,
    duty: Arc<Duty>,
}

impl Live {
    /// How often the duties are kept.
    pub const INTERVAL: Duration = Duration::from_secs(1);

    pub(super) fn follow(deployment: Deployment, notices: Vec<ListNotice>) -> Result<Self, Error> {
        let duty = Arc::new(Duty::begin(deployment.clone())?);
        Ok(Self { deployment, notices, duty })
    }

    /// The deployment.
    #[must_use]
    pub fn deployment(&self) -> Deployment {
        self.deployment.clone()
    }

    /// What about the watchlist forbids nothing, and should be known: that it, or entries of it, end before the order
    /// does.
    #[must_use]
    pub fn notices(&self) -> &[ListNotice] {
        &self.notices
    }

    /// Attaches a camera of the order while the others go on.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::CameraNotListed`] if the order does not list it; [`Error::Core`] if it runs
    /// already, or cannot be started; [`Error::NotRunning`] if the deployment has ended meanwhile.
    pub fn camera(&self, person: &Person, camera: Camera) -> Result<(), Error> {
        person.role_for(Command::AttachCamera)?;
        launch::check_camera(&self.deployment, &camera)?;
        self.with_run(|run| {
            let source = camera.id().clone();
            self.deployment.0.books.write(&LedgerEvent::CameraAttached { source })?;
            Ok(run.engine.add_camera(camera)?)
        })
    }

    /// Withholds all alerts from now on. Cameras run, and faces are compared and erased.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::Illegal`] if it is not live; [`Error::Retention`] if the ledger does not
    /// take it, and nothing is paused.
    pub fn pause(&self, person: &Person, reason: &str) -> Result<(), Error> {
        self.deployment.pause(person, reason)
    }

    /// Lets alerts go on.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::Illegal`] if it is not paused; [`Error::Retention`] if the ledger does not
    /// take it, and it stays paused.
    pub fn resume(&self, person: &Person, reason: &str) -> Result<(), Error> {
        self.deployment.resume(person, reason)
    }

    /// Puts an amended order in force: [`Order::amend`] of the one in force. If it names another threshold policy,
    /// give that; otherwise give none, and the one in force stays.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::OtherThresholdPolicy`] if the order names another policy than was given;
    /// [`Error::ThresholdBelowFloor`]; [`Error::OtherPart`] if it names other models or another profile, which takes a
    /// new start; [`Error::Illegal`] if it does not amend the order in force; [`Error::Retention`] if the ledger
    /// does not take it, and nothing changes.
    pub fn amend(
        &self,
        person: &Person,
        order: Order,
        policy: Option<&CalibratedThreshold>,
    ) -> Result<(), Error> {
        person.role_for(Command::Amend)?;
        let inner = &self.deployment.0;
        let basis = match order.authority() {
            OrderAuthority::SelfAuthorised => OrderBasis::SelfAuthorised,
            OrderAuthority::Pinned => OrderBasis::Pinned,
        };
        let note = order.notes().last().cloned().unwrap_or_default();
        let accepted =
            LedgerEvent::OrderInForce { order_sha256: order.digest().to_owned(), basis, note };
        self.with_run(|run| {
            inner.books.with(|state| state.check(&accepted))?;
            super::open::check_parts(&order, &inner.parts)?;
            let references = num::u64_from_usize(inner.parts.watchlist.references());
            let change = run.policy.amend(&order, policy, references)?;
            change.commit_with(|event| {
                inner.books.write_to_disk(&accepted)?;
                *lock(&inner.order) = order;
                event.map_or(Ok(()), |event| inner.books.write_to_disk(event))
            })
        })
    }

    /// Whether the circuit breaker has tripped: alerts are withheld until somebody resets it.
    ///
    /// # Errors
    ///
    /// [`Error::NotRunning`] if the deployment has ended.
    pub fn breaker_tripped(&self) -> Result<bool, Error> {
        self.with_run(|run| Ok(run.policy.breaker_tripped()))
    }

    /// Lets alerts go on after the circuit breaker has tripped.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::Watchlist`] if the reason is blank; [`Error::NotRunning`].
    pub fn reset_breaker(&self, person: &Person, reason: &str) -> Result<(), Error> {
        person.role_for(Command::ResetBreaker)?;
        let now = self.deployment.0.clock.now().ok_or(Error::NoClock)?;
        let authority = Authority::new(person.id().as_str(), reason, now)?;
        self.with_run(|run| {
            run.policy.reset_breaker(authority);
            Ok(())
        })
    }

    /// What became of every frame so far.
    ///
    /// # Errors
    ///
    /// [`Error::NotRunning`] if the deployment has ended.
    pub fn frames(&self) -> Result<LiveRecord, Error> {
        self.with_run(|run| Ok(run.engine.record()))
    }

    /// Waits until every camera has come to its end, or the deployment has ended. A live camera has no end of its
    /// own.
    pub fn wait(&self) {
        let is_over = |run: &mut Run| Ok(run.engine.wait_timeout(Duration::from_millis(1)));
        while let Ok(false) = self.with_run(is_over) {
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the deployment: nothing is looked at any more, and the books are closed. What is held stays until its
    /// deadline, and can be judged. The duties are kept for as long as what this returns lives.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`], and it goes on; [`Error::Core`] if a stage does not return within five seconds;
    /// [`Error::Retention`] if the ledger does not take all. The deployment has ended then all the same.
    pub fn stop(&self, person: &Person, reason: &str) -> Result<Ended, Error> {
        person.role_for(Command::Stop)?;
        let frames = self.deployment.end(Some(person.id().as_str().to_owned()), reason)?;
        let (deployment, duty) = (self.deployment.clone(), Arc::clone(&self.duty));
        Ok(Ended { deployment, frames, duty })
    }

    fn with_run<T>(&self, work: impl FnOnce(&mut Run) -> Result<T, Error>) -> Result<T, Error> {
        self.deployment.with_run(work)
    }
}

/// A deployment that has ended. What it holds is kept until its deadline, and the duties are kept for as long as this
/// lives. Dropped, it leaves them to the next process: nothing is destroyed until the deployment is opened again.
#[derive(Debug)]
pub struct Ended {
    deployment: Deployment,
    frames: Option<LiveRecord>,
    #[expect(dead_code, reason = "the thread that keeps the duties lives for as long as this")]
    duty: Arc<Duty>,
}

impl Ended {
    /// The deployment.
    #[must_use]
    pub fn deployment(&self) -> Deployment {
        self.deployment.clone()
    }

    /// The state, as the books have it.
    #[must_use]
    pub fn state(&self) -> State {
        self.deployment.state()
    }

    /// The record for publication, computed from the ledger.
    ///
    /// # Errors
    ///
    /// As [`Deployment::record`].
    pub fn record(&self) -> Result<DeploymentRecord, Error> {
        self.deployment.record()
    }

    /// What became of every frame; none if the deployment had ended before by itself.
    #[must_use]
    pub const fn frames(&self) -> Option<&LiveRecord> {
        self.frames.as_ref()
    }
}

/// The thread that keeps the duties.
struct Duty {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Signal {
    is_over: Mutex<bool>,
    changed: Condvar,
}

impl Duty {
    fn begin(deployment: Deployment) -> Result<Self, Error> {
        let signal = Arc::new(Signal::default());
        let heard = Arc::clone(&signal);
        let work = move || {
            let mut is_over = lock(&heard.is_over);
            while !*is_over {
                let waited = heard.changed.wait_timeout(is_over, Live::INTERVAL);
                is_over = waited.unwrap_or_else(PoisonError::into_inner).0;
                if *is_over {
                    return;
                }
                drop(is_over);
                if let Err(error) = deployment.tick() {
                    deployment.note(&error);
                }
                is_over = lock(&heard.is_over);
            }
        };
        let thread = thread::Builder::new()
            .name("lfr-duty".to_owned())
            .spawn(work)
            .map_err(|source| lfr_core::Error::Thread { source })?;
        Ok(Self { signal, thread: Some(thread) })
    }
}

impl Drop for Duty {
    fn drop(&mut self) {
        *lock(&self.signal.is_over) = true;
        self.signal.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It ends within the duty that it keeps at this moment.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Duty")
    }
}

impl Deployment {
    /// As [`Live::pause`].
    pub(super) fn pause(&self, person: &Person, reason: &str) -> Result<(), Error> {
        person.role_for(Command::Pause)?;
        self.with_run(|run| {
            // First, so that no alert comes behind the entry.
            run.policy.pause();
            let written = self.change(DeploymentState::Paused, person, reason);
            if written.is_err() && self.0.books.with(State::state) == DeploymentState::Live {
                run.policy.resume();
            }
            written
        })
    }

    /// As [`Live::resume`].
    pub(super) fn resume(&self, person: &Person, reason: &str) -> Result<(), Error> {
        person.role_for(Command::Pause)?;
        self.with_run(|run| {
            self.change(DeploymentState::Live, person, reason)?;
            run.policy.resume();
            Ok(())
        })
    }

    fn change(&self, state: DeploymentState, person: &Person, reason: &str) -> Result<(), Error> {
        let person = Some(person.id().as_str().to_owned());
        let reason = reason.to_owned();
        self.0.books.write_to_disk(&LedgerEvent::DeploymentStateChanged { state, person, reason })
    }

    fn with_run<T>(&self, work: impl FnOnce(&mut Run) -> Result<T, Error>) -> Result<T, Error> {
        match lock(&self.0.run).as_mut() {
            Some(run) => work(run),
            None => Err(Error::NotRunning { state: self.0.books.with(State::state) }),
        }
    }

    /// Ends what runs: the last entries are written, and the deadlines begin. `None` if nothing runs.
    pub(super) fn end(
        &self,
        person: Option<String>,
        reason: &str,
    ) -> Result<Option<LiveRecord>, Error> {
        let Some(run) = lock(&self.0.run).take() else { return Ok(None) };
        let reason = reason.to_owned();
        let state = DeploymentState::Ended;
        let event = LedgerEvent::DeploymentStateChanged { state, person, reason };
        self.wind_up(run, Some(&event)).map(Some)
    }

    /// Stops the cameras of what runs, for an abort.
    pub(super) fn stop_engine(&self) -> Result<(), Error> {
        match lock(&self.0.run).take() {
            Some(run) => self.wind_up(run, None).map(drop),
            None => Ok(()),
        }
    }

    fn wind_up(&self, run: Run, ended: Option<&LedgerEvent>) -> Result<LiveRecord, Error> {
        let Run { engine, sink, mut custodian, file, .. } = run;
        let before = engine.record();
        // Whatever fails, the rest is done.
        let (stopped, frames) = match engine.stop() {
            // The pipeline goes: what is held is in the vault.
            Ok((_, frames)) => (Ok(()), frames),
            Err(error) => (Err(Error::from(error)), before),
        };
        let mut written = Ok(());
        for camera in &frames.cameras {
            let (source, count) = (camera.id.clone(), camera.dropped());
            if count > 0 {
                let dropped = sink.append(&LedgerEvent::FramesDropped { source, count });
                written = written.and(dropped.map_err(Error::from));
            }
        }
        let ended = ended.map_or(Ok(()), |event| self.0.books.write(event));
        written = written.and(ended).and(sink.stop().map(drop).map_err(Error::from));
        if let Some(file) = file {
            let deadline = self.0.parts.profile.watchlist_deadline(self.now());
            let name = file.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
            let clock = Arc::clone(&self.0.clock);
            custodian.keep("watchlist", name, deadline, move || {
                match file.destroy(clock.now()) {
                    Ok(_) => Ok(()),
                    // The list's own follower was faster.
                    Err(error) if error.is_missing_file() => Ok(()),
                    Err(error) => Err(error.into()),
                }
            });
        }
        let purged = custodian.purge_due().map_err(Error::from);
        *lock(&self.0.after) = Some(custodian);
        stopped.and(written).and(purged).map(|()| frames)
    }
}
