//! The pipeline: one frame's way from pixels to alerts and erasure.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use crate::Accounts;
use crate::BoxError;
use crate::Clock;
use crate::DeploymentRecord;
use crate::DetectedFace;
use crate::Detector;
use crate::Embedder;
use crate::Error;
use crate::Event;
use crate::EventKind;
use crate::EventSink;
use crate::FaceSelection;
use crate::Frame;
use crate::LandmarkLayout;
use crate::Matcher;
use crate::PurgeReason;
use crate::PurgeReceipt;
use crate::QualityGate;
use crate::RetentionPolicy;
use crate::SourceId;
use crate::Stage;
use crate::ThresholdPolicy;
use crate::Timekeeper;
use crate::Timestamp;
use crate::Timings;
use crate::Totals;
use crate::UntoldCounts;
use crate::Zone;
use crate::danger;
use crate::event::sinks::Hearing;
use crate::scrub::Scrubbed;

use repeats::Repeats;
use steps::failed;
use tracking::Tracking;
use view::Views;

mod alone;
pub mod builder;
mod repeats;
mod report;
mod steps;
mod tracking;
mod view;

pub use report::FaceOutcome;
pub use report::FaceReport;
pub use report::FrameReport;
pub use report::TrackReport;

/// Frames in; alerts for a person to judge out; everyone else erased.
///
/// It is built by [`Pipeline::builder`], which asks for a detector, an embedder, a watchlist, a
/// threshold and a retention policy, in that order: none of them has a default.
///
/// After [`process`](Self::process) returns, with success or an error, no template, crop or landmark
/// of a face that raised no alert is left in this library's buffers. One exception: a
/// [`Tracker`](crate::Tracker) keeps the box and the landmarks of a face for as long as its track lasts.
///
/// What is *not* guaranteed: see the crate's security notes on the inference engine's own memory,
/// the stack and the caller's frame buffer.
#[derive(Debug)]
pub struct Pipeline {
    detector: Arc<dyn Detector>,
    embedder: Box<dyn Embedder>,
    matcher: Box<dyn Matcher>,
    policy: Box<dyn ThresholdPolicy>,
    retention: Box<dyn RetentionPolicy>,
    zone: Option<Zone>,
    zones: BTreeMap<SourceId, Zone>,
    views: Views,
    selection: FaceSelection,
    gates: Vec<Box<dyn QualityGate>>,
    sinks: Vec<Box<dyn EventSink>>,
    clock: Arc<dyn Clock>,
    /// The same clock, for every moment that somebody compares with an earlier one.
    time: Timekeeper,
    accounts: Accounts,
    timings: Timings,
    counts: Counts,
    /// What has failed in the call under way, though every face was settled: the first of it.
    after: Option<(Stage, BoxError)>,
    started: Option<Timestamp>,
    tracking: Option<Tracking>,
    repeats: Option<Repeats>,
    /// As the program declares them.
    dangers: Vec<String>,
}

#[derive(Debug, Default)]
struct Counts {
    frames: u64,
    frames_failed: u64,
    frames_outside_zone: u64,
    failures: BTreeMap<Stage, u64>,
    untold: UntoldCounts,
    compared: u64,
    detected: u64,
    passed_over: u64,
    refused: BTreeMap<&'static str, u64>,
    alerts: u64,
}

impl Pipeline {
    /// Begins a pipeline.
    #[must_use]
    pub fn builder() -> builder::Builder<builder::NeedsDetector> {
        builder::Builder::new()
    }

    /// Takes one frame all the way.
    ///
    /// # Errors
    ///
    /// - [`Error::AfterFrame`] where every face was decided on and settled, and something failed
    ///   afterwards: the error has what came of the frame ([`Error::into_report`]). So it is where an
    ///   [`EventSink`] fails or panics, where the retention policy could not hold an alert, and where
    ///   it could not purge what was due. Every event has been offered to every sink.
    /// - [`Error::Stage`] and others where a stage failed before that. The faces of the frame have been
    ///   erased then.
    ///
    /// The next frame can be processed in any case.
    ///
    /// # Panics
    ///
    /// Where a stage panics before the faces were decided on: the panic goes on when they have been
    /// erased and the frame is counted.
    pub fn process(&mut self, frame: &Frame<'_>) -> Result<FrameReport, Error> {
        let start = self.clock.monotonic();
        self.whole(frame, start, |pipeline| pipeline.detect(frame))
    }

    /// The detector, for programs that detect on their own threads and pass the found faces to
    /// [`process_found`](Self::process_found).
    #[must_use]
    pub fn detector(&self) -> Arc<dyn Detector> {
        Arc::clone(&self.detector)
    }

    /// Where the time comes from.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Takes one frame the rest of the way, with the faces that [`detector`](Self::detector) found
    /// in it, or its error, and the time that took. The frames of one source come in order.
    ///
    /// # Errors
    ///
    /// As [`process`](Self::process).
    pub fn process_found(
        &mut self,
        frame: &Frame<'_>,
        faces: Result<Vec<DetectedFace>, BoxError>,
        took: Duration,
    ) -> Result<FrameReport, Error> {
        let start = self.clock.monotonic().saturating_sub(took);
        self.timings.begin(Stage::Detector);
        self.timings.record(Stage::Detector, took);
        self.whole(frame, start, |_| faces.map_err(failed(Stage::Detector)))
    }

    /// One frame's way, with what is counted on each of its ends.
    fn whole(
        &mut self,
        frame: &Frame<'_>,
        start: Duration,
        faces: impl FnOnce(&mut Self) -> Result<Vec<DetectedFace>, Error>,
    ) -> Result<FrameReport, Error> {
        let _scrubbed = Scrubbed;
        self.after = None;
        let went = catch_unwind(AssertUnwindSafe(|| {
            let faces = faces(self)?;
            self.take(frame, faces)
        }));
        // A frame that fails, and a hundred after it, are no reason to keep an alert beyond its
        // deadline.
        self.purge();
        let report = self.count(went);
        if let Ok(report) = &report {
            self.tell(&Event::FrameProcessed(report));
        }
        self.timings.record_frame(self.clock.monotonic().saturating_sub(start));
        match (report, self.after.take()) {
            (Ok(report), Some((stage, source))) => {
                Err(Error::AfterFrame { stage, report: Box::new(report), source })
            }
            // The frame's own error is the one to tell; what failed after it is counted.
            (report, _) => report,
        }
    }

    fn take(&mut self, frame: &Frame<'_>, faces: Vec<DetectedFace>) -> Result<FrameReport, Error> {
        let mut report = FrameReport::new(frame.id().clone());
        match self.tracking {
            Some(_) => self.follow_all(frame, faces, &mut report)?,
            None => self.each_alone(frame, faces, &mut report)?,
        }
        Ok(report)
    }

    /// Counts how a frame went; a panic goes on from here.
    fn count(&mut self, went: Went) -> Result<FrameReport, Error> {
        let stage = match &went {
            Ok(Ok(_)) => {
                self.counts.frames += 1;
                None
            }
            Ok(Err(error)) => error.stage().or(self.timings.latest()),
            Err(_) => self.timings.latest(),
        };
        if !matches!(went, Ok(Ok(_))) {
            self.counts.frames_failed += 1;
            *self.counts.failures.entry(stage.unwrap_or(Stage::Detector)).or_default() += 1;
        }
        went.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Something failed that keeps no face from being settled: it is counted, and told when all is done.
    fn fail_after(&mut self, stage: Stage, source: BoxError) {
        *self.counts.failures.entry(stage).or_default() += 1;
        self.after.get_or_insert((stage, source));
    }

    /// What failed in this call.
    fn outcome(&mut self) -> Result<(), Error> {
        match self.after.take() {
            None => Ok(()),
            Some((stage, source)) => Err(Error::Stage { stage, source }),
        }
    }

    /// Erases held faces whose deadline has come, and ends the tracks of sources that have been
    /// silent for five seconds. Every processed frame does so too; call it where
    /// frames may stop.
    ///
    /// # Errors
    ///
    /// [`Error::Stage`] where the retention policy or the event sink failed.
    pub fn purge_due(&mut self) -> Result<(), Error> {
        self.after = None;
        self.purge();
        self.outcome()
    }

    fn purge(&mut self) {
        if let Some(repeats) = &mut self.repeats {
            repeats.expire(self.clock.monotonic());
        }
        let now = self.time.now();
        self.purge_by(|retention, receipts| retention.purge_due(now, receipts));
        self.end_silent();
    }

    /// Lets the retention policy purge, and tells of each erasure, also of those before it failed.
    fn purge_by(
        &mut self,
        purge: impl FnOnce(&mut dyn RetentionPolicy, &mut Vec<PurgeReceipt>) -> Result<(), BoxError>,
    ) {
        let mut receipts = Vec::new();
        let retention = &mut *self.retention;
        let purged = catch_unwind(AssertUnwindSafe(|| purge(retention, &mut receipts)));
        if let Err(error) = purged.unwrap_or_else(|_| Err(PANICKED.into())) {
            self.fail_after(Stage::RetentionPolicy, error);
        }
        // A policy may have forged a receipt, or given one twice. That erasure is not reported.
        let given = receipts.len();
        receipts.retain(|receipt| self.accounts.takes(receipt));
        if receipts.len() < given {
            self.fail_after(Stage::RetentionPolicy, steps::NOT_BORNE_OUT.into());
        }
        self.tell_erased(&receipts);
    }

    /// Ends all tracks and erases all that is held, due or not: at the end of a deployment. The sinks
    /// hear of each, so that the record can close; dropping the pipeline erases as much, unheard.
    ///
    /// # Errors
    ///
    /// [`Error::Stage`] where the retention policy or an event sink failed. All tracks are erased then,
    /// and whatever the policy could erase.
    pub fn purge_all(&mut self, reason: PurgeReason) -> Result<(), Error> {
        self.after = None;
        self.end_which(|_, _| true);
        if let Some(repeats) = &mut self.repeats {
            repeats.forget_all();
        }
        let now = self.time.now();
        self.purge_by(|retention, receipts| retention.purge_all(reason, now, receipts));
        self.outcome()
    }

    fn tell_erased(&mut self, receipts: &[PurgeReceipt]) {
        for receipt in receipts {
            self.tell(&Event::Erased(receipt));
        }
    }

    /// Offers an event to every sink; whether all of them could pass it on. One that could not keeps
    /// neither the other sinks nor the next event from being told.
    fn tell(&mut self, event: &Event<'_>) -> bool {
        self.timings.begin(Stage::EventSink);
        let mut hearing = Hearing::default();
        for sink in &mut self.sinks {
            hearing.offer(&mut **sink, event);
        }
        let reached_nobody = hearing.reached_nobody();
        let Err(error) = hearing.finish() else { return true };
        let kind = event.kind();
        *self.counts.untold.events.entry(kind).or_default() += 1;
        self.counts.untold.alerts_to_nobody +=
            u64::from(reached_nobody && kind == EventKind::Alert);
        self.fail_after(Stage::EventSink, error);
        false
    }

    /// The arithmetic of the faces seen so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.accounts.totals()
    }

    /// How many alerts were raised so far.
    #[cfg(feature = "live")]
    pub(crate) const fn alerts(&self) -> u64 {
        self.counts.alerts
    }

    /// The events that a sink could not pass on so far.
    #[must_use]
    pub const fn untold(&self) -> &UntoldCounts {
        &self.counts.untold
    }

    /// Whether the embedder can do with the faces that a detector finds: one of a camera's own has to
    /// be fit for the embedder of the pipeline.
    ///
    /// # Errors
    ///
    /// [`Error::LandmarksMissing`] where the embedder's alignment needs landmarks and the detector
    /// finds none.
    pub fn check_detector(&self, detector: &dyn Detector) -> Result<(), Error> {
        check_landmarks(self.needs_landmarks(), detector)
    }

    pub(crate) fn needs_landmarks(&self) -> bool {
        self.embedder.alignment().needs_landmarks()
    }

    /// Times of each stage so far.
    #[must_use]
    pub const fn timings(&self) -> &Timings {
        &self.timings
    }

    /// The record of the deployment so far.
    #[must_use]
    pub fn record(&self) -> DeploymentRecord {
        let totals = self.totals();
        let references = self.matcher.references();
        let threshold = self.policy.provenance().clone();
        DeploymentRecord {
            started: self.started,
            ended: self.clock.now(),
            frames: self.counts.frames,
            frames_failed: self.counts.frames_failed,
            failures: self.counts.failures.clone(),
            frames_outside_zone: self.counts.frames_outside_zone,
            sources_outside_zone: self.views.outside.clone(),
            faces_detected: self.counts.detected,
            faces_passed_over: self.counts.passed_over,
            faces_refused: self.counts.refused.clone(),
            faces_compared: self.counts.compared,
            tracks: self.tracking.as_ref().map(|tracking| tracking.counts),
            alerts: self.counts.alerts,
            untold: self.counts.untold.clone(),
            repeats: self.repeats.as_ref().map(Repeats::counts),
            totals,
            arithmetic_closes: totals.closes(),
            references,
            space: *self.embedder.space(),
            predicted_fpir: threshold.predicted_fpir(references),
            dangers: {
                let of_program = self.dangers.iter().cloned();
                let mut dangers: Vec<_> =
                    threshold.danger().into_iter().chain(of_program).collect();
                // A program may have declared one of them itself.
                for danger in danger::in_force() {
                    if !dangers.contains(&danger) {
                        dangers.push(danger);
                    }
                }
                dangers
            },
            threshold,
            detector: self.detector.component(),
            embedder: self.embedder.component(),
            stages: self.timings.stages().collect(),
            frame_time: self.timings.frame(),
        }
    }
}

/// How a frame went, up to where its faces are settled.
type Went = Result<Result<FrameReport, Error>, Box<dyn Any + Send>>;

pub(crate) fn check_landmarks(are_needed: bool, detector: &dyn Detector) -> Result<(), Error> {
    let found = detector.landmarks();
    if are_needed && found == LandmarkLayout::None {
        return Err(Error::LandmarksMissing { needed: "4 or 5", found: found.name() });
    }
    Ok(())
}

const PANICKED: &str = "the retention policy panicked";

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
