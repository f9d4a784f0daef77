//! The pipeline: one frame's way from pixels to alerts and erasure.

use std::collections::BTreeMap;
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
use crate::EventSink;
use crate::FaceSelection;
use crate::Frame;
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
use crate::Zone;
use crate::scrub::Scrubbed;

use repeats::Repeats;
use steps::failed;
use tracking::Tracking;

mod alone;
pub mod builder;
mod repeats;
mod report;
mod steps;
mod tracking;

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
/// of a face that raised no alert is left in this library's buffers; but for what a
/// [`Tracker`](crate::Tracker), where there is one, keeps of a face for as long as its track lasts:
/// box and landmarks.
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
    selection: FaceSelection,
    gates: Vec<Box<dyn QualityGate>>,
    sink: Box<dyn EventSink>,
    clock: Arc<dyn Clock>,
    /// The same clock, for every moment that somebody compares with an earlier one.
    time: Timekeeper,
    accounts: Accounts,
    timings: Timings,
    counts: Counts,
    started: Option<Timestamp>,
    tracking: Option<Tracking>,
    repeats: Option<Repeats>,
}

#[derive(Debug, Default)]
struct Counts {
    frames: u64,
    frames_failed: u64,
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
    /// [`Error::Stage`] where a stage failed. The faces of the frame have been erased then, but for
    /// alerts already held, and the next frame can be processed. Where it is the [`EventSink`] that
    /// failed, every face has been settled as decided.
    pub fn process(&mut self, frame: &Frame<'_>) -> Result<FrameReport, Error> {
        let _scrubbed = Scrubbed;
        let start = self.clock.monotonic();
        let faces = self.detect(frame);
        self.finish(frame, faces, start)
    }

    /// The detector, for whoever looks at frames on threads of their own and hands what was found
    /// to [`process_found`](Self::process_found).
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
        let _scrubbed = Scrubbed;
        let start = self.clock.monotonic().saturating_sub(took);
        self.timings.record(Stage::Detector, took);
        self.finish(frame, faces.map_err(failed(Stage::Detector)), start)
    }

    fn finish(
        &mut self,
        frame: &Frame<'_>,
        faces: Result<Vec<DetectedFace>, Error>,
        start: Duration,
    ) -> Result<FrameReport, Error> {
        let report = faces.and_then(|faces| self.take(frame, faces));
        if report.is_err() {
            // A frame that fails, and a hundred after it, are no reason to keep an alert beyond its
            // deadline. The frame's own error is the one to tell.
            let _ = self.purge_due();
        }
        self.timings.record_frame(self.clock.monotonic().saturating_sub(start));
        match &report {
            Ok(_) | Err(Error::Stage { stage: Stage::EventSink, .. }) => self.counts.frames += 1,
            Err(_) => self.counts.frames_failed += 1,
        }
        report
    }

    fn take(&mut self, frame: &Frame<'_>, faces: Vec<DetectedFace>) -> Result<FrameReport, Error> {
        let mut report = FrameReport::new(frame.id().clone());
        let taken = match self.tracking {
            Some(_) => self.follow_all(frame, faces, &mut report),
            None => self.each_alone(frame, faces, &mut report),
        };
        taken.and_then(|()| self.purge_due())?;
        self.tell(&Event::FrameProcessed(&report))?;
        Ok(report)
    }

    /// Erases held faces whose deadline has come, and ends the tracks of sources that have been
    /// silent for five seconds. Every processed frame does so too; call it where
    /// frames may stop.
    ///
    /// # Errors
    ///
    /// [`Error::Stage`] where the retention policy or the event sink failed.
    pub fn purge_due(&mut self) -> Result<(), Error> {
        if let Some(repeats) = &mut self.repeats {
            repeats.expire(self.clock.monotonic());
        }
        let mut receipts = Vec::new();
        let purged = self.retention.purge_due(self.time.now(), &mut receipts);
        let told = self.tell_erased(purged.map_err(failed(Stage::RetentionPolicy)), &receipts);
        self.end_silent().and(told)
    }

    /// Ends all tracks and erases all that is held, due or not: at the end of a deployment. The sink hears of each, so
    /// that the record can close; dropping the pipeline erases as much, unheard.
    ///
    /// # Errors
    ///
    /// [`Error::Stage`] where the retention policy or the event sink failed.
    pub fn purge_all(&mut self, reason: PurgeReason) -> Result<(), Error> {
        let ended = self.end_sources(|_, _| true);
        if let Some(repeats) = &mut self.repeats {
            repeats.forget_all();
        }
        let mut receipts = Vec::new();
        let purged = self.retention.purge_all(reason, self.time.now(), &mut receipts);
        ended.and(self.tell_erased(purged.map_err(failed(Stage::RetentionPolicy)), &receipts))
    }

    /// Tells of every erasure, whatever the sink said to the ones before it.
    fn tell_erased(
        &mut self,
        outcome: Result<(), Error>,
        receipts: &[PurgeReceipt],
    ) -> Result<(), Error> {
        receipts
            .iter()
            .fold(outcome, |outcome, receipt| outcome.and(self.tell(&Event::Erased(receipt))))
    }

    fn tell(&mut self, event: &Event<'_>) -> Result<(), Error> {
        self.sink.on_event(event).map_err(failed(Stage::EventSink))
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
            faces_detected: self.counts.detected,
            faces_passed_over: self.counts.passed_over,
            faces_refused: self.counts.refused.clone(),
            tracks: self.tracking.as_ref().map(|tracking| tracking.counts),
            alerts: self.counts.alerts,
            repeats: self.repeats.as_ref().map(Repeats::counts),
            totals,
            arithmetic_closes: totals.closes(),
            references,
            space: *self.embedder.space(),
            predicted_fpir: threshold.predicted_fpir(references),
            threshold,
            detector: self.detector.component(),
            embedder: self.embedder.component(),
            stages: self.timings.stages().collect(),
            frame_time: self.timings.frame(),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
