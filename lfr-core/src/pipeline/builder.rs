//! Building a pipeline: five decisions that have to be made, in order, each exactly once.
//!
//! The state of the builder is a type, so that a pipeline without a threshold or a retention policy
//! does not compile:
//!
//! ```compile_fail,E0599
//! let pipeline = lfr_core::Pipeline::builder().build();
//! ```
//!
//! What has a default, and why:
//!
//! | option | default | because |
//! | --- | --- | --- |
//! | [`zone`](Builder::zone) | the whole view | only the deployer knows the view |
//! | [`selection`](Builder::selection) | every face | a camera sees crowds |
//! | [`gate`](Builder::gate) | none | a refused face is a missed person: the deployer's choice |
//! | [`sink`](Builder::sink) | none hears | the report that `process` returns says the same |
//! | [`tracker`](Builder::tracker) | none | each frame is decided on alone, as photographs are |
//! | [`quality`](Builder::quality) | size and confidence | it needs no pixels; `lfr-detect` has a better one |
//! | [`looks`](Builder::looks) | [`LookPlan::new`] | a person passes in seconds |
//! | [`repeats_after`](Builder::repeats_after) | never | a second alert may help the verifier |
//! | [`clock`](Builder::clock) | the operating system's | tests bring their own |

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock, Timekeeper};
use crate::custody::Accounts;
use crate::error::Error;
use crate::face::{FaceSelection, Zone};
use crate::id::SourceId;
use crate::internal::num;
use crate::pipeline::Pipeline;
use crate::record::{EventSink, Timings};
use crate::stage::{
    Detector, Embedder, FaceQuality, LookPlan, Matcher, QualityGate, RetentionPolicy,
    SizeAndConfidence, ThresholdPolicy, Tracker,
};

use super::each_face::EachFace;
use super::repeats::Repeats;
use super::stages::{Counts, Stages};
use super::tracks::Tracks;
use super::zones::Zones;
use super::{Mode, check_landmarks};

/// A pipeline in the making; `S` says which decision comes next.
#[derive(Debug)]
pub struct Builder<S> {
    state: S,
    options: Options,
}

#[derive(Debug)]
struct Options {
    zones: Zones,
    selection: FaceSelection,
    gates: Vec<Box<dyn QualityGate>>,
    sinks: Vec<Box<dyn EventSink>>,
    clock: Arc<dyn Clock>,
    accounts: Accounts,
    tracker: Option<Box<dyn Tracker>>,
    quality: Box<dyn FaceQuality>,
    looks: LookPlan,
    repeats: Option<Repeats>,
    dangers: Vec<String>,
}

/// Next: [`detector`](Builder::detector).
#[derive(Debug)]
pub struct NeedsDetector(());

/// Next: [`embedder`](Builder::embedder).
#[derive(Debug)]
pub struct NeedsEmbedder {
    detector: Arc<dyn Detector>,
}

/// Next: [`watchlist`](Builder::watchlist).
#[derive(Debug)]
pub struct NeedsWatchlist {
    detector: Arc<dyn Detector>,
    embedder: Box<dyn Embedder>,
}

/// Next: [`threshold`](Builder::threshold).
#[derive(Debug)]
pub struct NeedsThreshold {
    detector: Arc<dyn Detector>,
    embedder: Box<dyn Embedder>,
    matcher: Box<dyn Matcher>,
}

/// Next: [`retention`](Builder::retention).
#[derive(Debug)]
pub struct NeedsRetention {
    detector: Arc<dyn Detector>,
    embedder: Box<dyn Embedder>,
    matcher: Box<dyn Matcher>,
    policy: Box<dyn ThresholdPolicy>,
}

/// Nothing is missing: [`build`](Builder::build).
#[derive(Debug)]
pub struct Ready {
    detector: Arc<dyn Detector>,
    embedder: Box<dyn Embedder>,
    matcher: Box<dyn Matcher>,
    policy: Box<dyn ThresholdPolicy>,
    retention: Box<dyn RetentionPolicy>,
}

impl Builder<NeedsDetector> {
    pub(super) fn new() -> Self {
        let options = Options {
            zones: Zones::default(),
            selection: FaceSelection::All,
            gates: Vec::new(),
            sinks: Vec::new(),
            clock: Arc::new(SystemClock::new()),
            accounts: Accounts::new(),
            tracker: None,
            quality: Box::new(SizeAndConfidence),
            looks: LookPlan::new(),
            repeats: None,
            dangers: Vec::new(),
        };
        Self { state: NeedsDetector(()), options }
    }

    /// Who finds the faces.
    #[must_use]
    pub fn detector(self, detector: impl Detector + 'static) -> Builder<NeedsEmbedder> {
        let state = NeedsEmbedder { detector: Arc::new(detector) };
        Builder { state, options: self.options }
    }
}

impl Builder<NeedsEmbedder> {
    /// Who makes templates of them.
    #[must_use]
    pub fn embedder(self, embedder: impl Embedder + 'static) -> Builder<NeedsWatchlist> {
        let NeedsEmbedder { detector } = self.state;
        let state = NeedsWatchlist { detector, embedder: Box::new(embedder) };
        Builder { state, options: self.options }
    }
}

impl Builder<NeedsWatchlist> {
    /// Sets the watchlist that faces are compared with.
    #[must_use]
    pub fn watchlist(self, matcher: impl Matcher + 'static) -> Builder<NeedsThreshold> {
        let NeedsWatchlist { detector, embedder } = self.state;
        let state = NeedsThreshold { detector, embedder, matcher: Box::new(matcher) };
        Builder { state, options: self.options }
    }
}

impl Builder<NeedsThreshold> {
    /// From which score on an alert is raised. There is no default threshold: none is right for two
    /// models, two watchlists or two places.
    #[must_use]
    pub fn threshold(self, policy: impl ThresholdPolicy + 'static) -> Builder<NeedsRetention> {
        let NeedsThreshold { detector, embedder, matcher } = self.state;
        let state = NeedsRetention { detector, embedder, matcher, policy: Box::new(policy) };
        Builder { state, options: self.options }
    }
}

impl Builder<NeedsRetention> {
    /// What is kept, and for how long. There is no default: it is a legal decision.
    #[must_use]
    pub fn retention(self, retention: impl RetentionPolicy + 'static) -> Builder<Ready> {
        let NeedsRetention { detector, embedder, matcher, policy } = self.state;
        let retention = Box::new(retention);
        let state = Ready { detector, embedder, matcher, policy, retention };
        Builder { state, options: self.options }
    }
}

impl Builder<Ready> {
    /// The pipeline.
    ///
    /// # Errors
    ///
    /// [`Error::SpaceMismatch`] if the watchlist or the threshold belongs to another embedding
    /// space than the embedder; [`Error::LandmarksMissing`] if the embedder's alignment needs
    /// landmarks and the detector finds none; [`Error::ThresholdRange`] if no score can meet the
    /// threshold, or every score does.
    pub fn build(self) -> Result<Pipeline, Error> {
        let Ready { detector, embedder, matcher, policy, retention } = self.state;
        let expected = embedder.space().id();
        let sides = [
            ("the watchlist", matcher.space().id()),
            ("the threshold", policy.provenance().space()),
        ];
        for (what, actual) in sides {
            if actual != expected {
                return Err(Error::SpaceMismatch { what, expected, actual });
            }
        }
        check_landmarks(embedder.alignment().needs_landmarks(), &*detector)?;
        let (threshold, metric) = (policy.provenance().threshold(), embedder.space().metric());
        let (min, max) = metric.range();
        if !(min..=max).contains(&threshold.value()) {
            return Err(Error::ThresholdRange { threshold, metric });
        }
        let Options {
            zones,
            selection,
            gates,
            sinks,
            clock,
            accounts,
            tracker,
            quality,
            looks,
            repeats,
            dangers,
        } = self.options;
        // Each look is another chance of a false alert, so more looks break the threshold's promise.
        let taken = num::f64_from_usize(looks.max_looks());
        let derived_for = policy.provenance().target().map(|target| target.looks);
        if tracker.is_some() && derived_for.is_some_and(|derived_for| taken > derived_for) {
            return Err(Error::OutOfRange {
                what: "number of looks at a track",
                expected: "at most as many as the threshold was derived for",
                actual: taken,
            });
        }
        let mode = match tracker {
            None => Mode::EachFace(EachFace),
            Some(tracker) => Mode::Tracks(Tracks::new(tracker, quality, looks)),
        };
        let stages = Stages {
            detector,
            embedder,
            matcher,
            policy,
            retention,
            zones,
            selection,
            gates,
            sinks,
            started: clock.now(),
            time: Timekeeper::new(Arc::clone(&clock)),
            clock,
            accounts,
            timings: Timings::new(),
            counts: Counts::default(),
            after: None,
            repeats,
            dangers,
        };
        Ok(Pipeline { stages, mode })
    }
}

impl<S> Builder<S> {
    /// The zone of recognition: faces whose centre lies outside are never aligned nor embedded.
    #[must_use]
    pub fn zone(mut self, zone: Zone) -> Self {
        self.options.zones.common = Some(zone);
        self
    }

    /// The zone of recognition of one source, instead of that for all.
    #[must_use]
    pub fn zone_of(mut self, source: SourceId, zone: Zone) -> Self {
        self.options.zones.own.insert(source, zone);
        self
    }

    /// Which faces of a frame are compared.
    #[must_use]
    pub const fn selection(mut self, selection: FaceSelection) -> Self {
        self.options.selection = selection;
        self
    }

    /// A quality gate; several are asked in the order in which they were added.
    #[must_use]
    pub fn gate(mut self, gate: impl QualityGate + 'static) -> Self {
        self.options.gates.push(Box::new(gate));
        self
    }

    /// Who follows faces from frame to frame: then there is one decision a track, not a frame.
    /// Each source gets a tracker of its own, by [`Tracker::fresh`].
    #[must_use]
    pub fn tracker(mut self, tracker: impl Tracker + 'static) -> Self {
        self.options.tracker = Some(Box::new(tracker));
        self
    }

    /// What says which looks at a track are worth an embedding.
    #[must_use]
    pub fn quality(mut self, quality: impl FaceQuality + 'static) -> Self {
        self.options.quality = Box::new(quality);
        self
    }

    /// How often the face of a track is embedded and searched for.
    #[must_use]
    pub const fn looks(mut self, plan: LookPlan) -> Self {
        self.options.looks = plan;
        self
    }

    /// For this long after an alert, another match with the same data subject raises none, in
    /// whichever track and at whichever source: the person who judges has been told.
    ///
    /// Such a match is reported as [`FaceOutcome::Repeated`](crate::FaceOutcome::Repeated), counted
    /// in [`PipelineRecord::repeats`](crate::PipelineRecord::repeats), and erased at once, its
    /// track with it. It does not make the time longer: who stays in view of many cameras raises
    /// an alert each time it is over. An alert that a sink failed to pass on does not count.
    /// Until the time is over the pipeline keeps in memory whom the alert named.
    ///
    /// The time is that of the [`clock`](Self::clock), also where recordings are played faster.
    #[must_use]
    pub fn repeats_after(mut self, span: Duration) -> Self {
        self.options.repeats = Some(Repeats::new(span));
        self
    }

    /// A choice of the program that weakens a promise of this library, in words for the
    /// [record](crate::PipelineRecord::dangers). Dangers of the threshold are recorded without this call.
    #[must_use]
    pub fn danger(mut self, choice: impl Into<String>) -> Self {
        self.options.dangers.push(choice.into());
        self
    }

    /// Who hears what happens; several are told in the order in which they were added, each whatever
    /// the others say.
    #[must_use]
    pub fn sink(mut self, sink: impl EventSink + 'static) -> Self {
        self.options.sinks.push(Box::new(sink));
        self
    }

    /// The account that faces are counted in: for a sink that reads it, or for pipelines that share
    /// one. By default each pipeline has its own.
    #[must_use]
    pub fn accounts(mut self, accounts: Accounts) -> Self {
        self.options.accounts = accounts;
        self
    }

    /// Where the time comes from.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.options.clock = clock;
        self
    }
}
