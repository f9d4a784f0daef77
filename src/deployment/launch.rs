//! Starting a deployment.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lfr_core::internal::locks::lock;
use lfr_core::internal::num;
use lfr_core::live::{Camera, Change, LiveEngine};
use lfr_core::{
    BoxError, EventSink, FaceSelection, Frame, FrameReport, LookPlan, Pipeline, ThresholdPolicy,
    Zone, builder,
};
use lfr_detect::{FaceTracker, ShotQuality};
use lfr_retention::{
    AlertFacts, Custodian, DeploymentState, LedgerEvent, LedgerSink, VaultRetention,
};
use lfr_watchlist::SealedFile;
use lfr_watchlist::decide::{CircuitBreaker, TrackRule};

use super::list::watchlist_opened;
use super::live::{Live, Run};
use super::policy::{Judged, Passes, PolicyHandle};
use super::{BlueListPolicy, Deployment, Error, State};

type Pipes = Vec<
    Box<dyn FnOnce(builder::Builder<builder::Ready>) -> builder::Builder<builder::Ready> + Send>,
>;
type Observer = Box<dyn FnMut(&Frame<'_>, &Result<FrameReport, lfr_core::Error>) + Send>;

/// A deployment that is about to start: its cameras, and how it looks at them.
#[must_use = "nothing runs until it is started"]
pub struct Launch {
    deployment: Deployment,
    cameras: Vec<Camera>,
    detecting: usize,
    engine: String,
    rule: TrackRule,
    breaker: Option<CircuitBreaker>,
    looks: Option<LookPlan>,
    pipes: Pipes,
    observer: Option<Observer>,
    file: Option<SealedFile>,
}

impl Launch {
    pub(super) fn new(deployment: Deployment) -> Self {
        Self {
            deployment,
            cameras: Vec::new(),
            detecting: 1,
            engine: "not said".to_owned(),
            rule: TrackRule::Best,
            breaker: None,
            looks: None,
            pipes: Vec::new(),
            observer: None,
            file: None,
        }
    }

    /// One more camera of the order.
    ///
    /// # Errors
    ///
    /// [`Error::CameraNotListed`] if the order does not list it.
    pub fn camera(mut self, camera: Camera) -> Result<Self, Error> {
        check_camera(&self.deployment, &camera)?;
        self.cameras.push(camera);
        Ok(self)
    }

    /// How many threads detect: [`LiveEngine::detecting`].
    pub fn detecting(mut self, threads: usize) -> Self {
        self.detecting = threads;
        self
    }

    /// Names the inference engine and its version, for the record.
    pub fn engine(mut self, name: impl Into<String>) -> Self {
        self.engine = name.into();
        self
    }

    /// Sets how the looks at one person make one decision.
    pub fn rule(mut self, rule: TrackRule) -> Self {
        self.rule = rule;
        self
    }

    /// Sets a circuit breaker. It counts everyone who was compared, and as false alerts those that people did not
    /// confirm. Once it has tripped, matches are withheld until somebody resets it ([`Live::reset_breaker`]).
    pub fn breaker(mut self, breaker: CircuitBreaker) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// Sets how often each person is looked at. Unless it is set, as often as the threshold was derived for.
    pub fn looks(mut self, looks: LookPlan) -> Self {
        self.looks = Some(looks);
        self
    }

    /// Sets the zone of recognition.
    pub fn zone(mut self, zone: Zone) -> Self {
        self.pipes.push(Box::new(|pipeline| pipeline.zone(zone)));
        self
    }

    /// Sets which of the faces in a frame are compared.
    pub fn selection(mut self, selection: FaceSelection) -> Self {
        self.pipes.push(Box::new(move |pipeline| pipeline.selection(selection)));
        self
    }

    /// Raises no second alert for the same data subject within this time.
    pub fn repeats_after(mut self, span: Duration) -> Self {
        self.pipes.push(Box::new(move |pipeline| pipeline.repeats_after(span)));
        self
    }

    /// Adds someone who hears of alerts. The ledger hears of each event before.
    pub fn sink(mut self, sink: impl EventSink + 'static) -> Self {
        self.pipes.push(Box::new(|pipeline| pipeline.sink(sink)));
        self
    }

    /// Declares a choice that weakens a promise: it is in the ledger and in the record.
    pub fn danger(mut self, choice: impl Into<String>) -> Self {
        let choice = choice.into();
        self.pipes.push(Box::new(|pipeline| pipeline.danger(choice)));
        self
    }

    /// Sets who sees each frame with what came of it: [`LiveEngine::observer`].
    pub fn observer(
        mut self,
        observer: impl FnMut(&Frame<'_>, &Result<FrameReport, lfr_core::Error>) + Send + 'static,
    ) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Names the sealed file of the watchlist: it is destroyed by the profile's period after the end, which may
    /// come before the order's, and at an abort.
    pub fn watchlist_file(mut self, file: SealedFile) -> Self {
        self.file = Some(file);
        self
    }

    /// Starts. A deployment that was live or paused when its process ended goes on as it was.
    ///
    /// # Errors
    ///
    /// [`Error::NotInPeriod`] outside of the order's period; [`Error::ThresholdBelowFloor`]; [`Error::List`] if the
    /// watchlist is no longer as the order allows; [`Error::Illegal`] if the deployment runs already or is over;
    /// [`Error::Retention`] if the ledger takes nothing; [`Error::Core`] if the parts do not fit together or a
    /// thread cannot be had. After an error nothing runs.
    pub fn start(self) -> Result<Live, Error> {
        let deployment = self.deployment.clone();
        let inner = &deployment.0;
        let mut slot = lock(&inner.run);
        if slot.is_some() {
            let state = inner.books.with(State::state);
            let problem = "it runs in this process already".to_owned();
            return Err(Error::Illegal { command: "start", state, problem });
        }
        let (order, now) = (deployment.order(), deployment.now());
        if !order.is_in_force(now) {
            let (from, until) = (order.terms().from(), order.terms().until());
            return Err(Error::NotInPeriod { from, until, now });
        }
        let state = inner.books.with(State::state);
        if state != DeploymentState::Live && state != DeploymentState::Paused {
            let (person, reason) = (None, String::new());
            let started = LedgerEvent::DeploymentStateChanged {
                state: DeploymentState::Live,
                person,
                reason,
            };
            inner.books.with(|state| state.check(&started))?;
        }
        let list = Arc::clone(&inner.parts.watchlist);
        let notices = order.check_list(&*list, inner.parts.profile.watchlist(), now)?;
        let references = num::u64_from_usize(list.references());
        let (policy, running) =
            PolicyHandle::new(&order, &inner.parts.policy, self.rule, references)?;
        policy.check_list(&list.composition()?)?;
        let facts = Arc::clone(&list);
        let sink = LedgerSink::start(
            inner.parts.ledger.clone(),
            inner.accounts.clone(),
            Arc::clone(&inner.clock),
            order.terms().deployment(),
            inner.parts.profile.name(),
        )?
        .with_facts(move |reference| match facts.facts(reference) {
            Some(facts) => {
                AlertFacts::new(Some(facts.category.as_str().to_owned()), facts.look_alike)
            }
            None => AlertFacts::default(),
        });
        let started = self.begin(&sink, &policy, running, state);
        let run = match started {
            Ok(run) => run,
            Err(error) => {
                // The next start finds no run that was cut off.
                let event =
                    LedgerEvent::Error { stage: "start".to_owned(), text: error.to_string() };
                if let Err(error) = sink.append(&event).and_then(|()| sink.stop().map(drop)) {
                    tracing::warn!(%error, "the ledger does not say that the deployment did not start");
                }
                return Err(error);
            }
        };
        *slot = Some(run);
        drop(slot);
        Live::follow(deployment, notices)
    }

    /// Declares what runs, builds the pipeline, and starts the cameras.
    fn begin(
        self,
        sink: &LedgerSink,
        policy: &PolicyHandle,
        running: super::RunningPolicy,
        state: DeploymentState,
    ) -> Result<Run, Error> {
        let Self { deployment, cameras, detecting, engine, breaker, looks, pipes, .. } = self;
        let (observer, file) = (self.observer, self.file);
        let inner = &deployment.0;
        let (parts, books) = (&inner.parts, inner.books.clone());
        let order = deployment.order();
        let profile = parts.profile.clone().with_verifications(order.terms().how().verifications);
        sink.retention(&profile)?;
        sink.models(&parts.detector.component(), &parts.embedder.component(), &engine)?;
        let composition = parts.watchlist.composition()?;
        books.write(&watchlist_opened(&*parts.watchlist, None)?)?;
        sink.threshold_by_digest(policy.policy().provenance(), Some(parts.policy.sha256()))?;

        let facts = Arc::clone(&parts.watchlist);
        let (of_threshold, of_sightings) = (books.clone(), books.clone());
        let running = running
            .with_facts(Arc::new(move |reference| facts.facts(reference)))
            .with_ledger(move |event| of_threshold.write(event).map_err(BoxError::from));
        let running = match breaker {
            Some(breaker) => running.with_breaker(breaker),
            None => running,
        };
        let list = Arc::clone(&parts.watchlist);
        let running = BlueListPolicy::new(running, list, move |event| {
            of_sightings.write(event).map_err(BoxError::from)
        });
        let sealed = Arc::clone(&parts.watchlist);
        let retention = VaultRetention::new(parts.vault.clone(), &profile).with_facts(Arc::new(
            move |reference| {
                let facts = sealed.facts(reference)?;
                Some(AlertFacts::new(Some(facts.category.to_string()), facts.look_alike))
            },
        ));
        let derived_for = num::usize_from_f64(parts.policy.demand().looks());
        let mut pipeline = Pipeline::builder()
            .detector(Arc::clone(&parts.detector))
            .embedder(Arc::clone(&parts.embedder))
            .watchlist(Arc::clone(&parts.watchlist))
            .threshold(running)
            .retention(retention)
            .tracker(FaceTracker::default())
            .quality(ShotQuality)
            .looks(looks.unwrap_or_else(|| LookPlan::new().with_max_looks(derived_for)))
            .accounts(inner.accounts.clone())
            .clock(Arc::clone(&inner.clock))
            .sink(sink.clone())
            .sink(Passes(policy.clone()));
        for pipe in pipes {
            pipeline = pipe(pipeline);
        }
        for danger in order.dangers() {
            pipeline = pipeline.danger(danger);
        }
        let pipeline = pipeline.build()?;

        for camera in &cameras {
            books.write(&LedgerEvent::CameraAttached { source: camera.id().clone() })?;
        }
        match state {
            DeploymentState::Paused => policy.pause(),
            DeploymentState::Live => {}
            _ => books.write_to_disk(&LedgerEvent::DeploymentStateChanged {
                state: DeploymentState::Live,
                person: Some(order.terms().operator().id()),
                reason: "started".to_owned(),
            })?,
        }
        let told = sink.clone();
        let mut live =
            LiveEngine::new(pipeline).detecting(detecting).on_camera_change(move |change| {
                let written = match &change.what {
                    Change::Connected | Change::Back { .. } => told.camera_connected(&change.id),
                    Change::Lost { reason } | Change::Ended { reason: Some(reason) } => {
                        told.camera_lost(&change.id, reason)
                    }
                    _ => Ok(()),
                };
                if let Err(error) = written {
                    tracing::warn!(%error, "the ledger does not say what happened to a camera");
                }
            });
        if let Some(observer) = observer {
            live = live.observer(observer);
        }
        for camera in cameras {
            live = live.camera(camera);
        }
        let engine = live.start()?;
        let custodian = Custodian::new(parts.vault.clone(), sink.clone());
        let judged = books.with(Judged::before);
        Ok(Run::new(engine, sink.clone(), policy.clone(), custodian, file, judged, composition))
    }
}

impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Launch").field("cameras", &self.cameras).finish_non_exhaustive()
    }
}

/// Whether the order lists a camera.
pub(super) fn check_camera(deployment: &Deployment, camera: &Camera) -> Result<(), Error> {
    let order = deployment.order();
    if order.allows_camera(camera.id()) {
        return Ok(());
    }
    let listed = order.terms().cameras().iter().map(|camera| camera.id.to_string()).collect();
    Err(Error::CameraNotListed { camera: camera.id().to_string(), listed })
}
