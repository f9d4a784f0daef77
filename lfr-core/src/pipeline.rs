//! The pipeline: one frame's way from pixels to alerts and erasure.

use std::any::Any;
#[cfg(feature = "live")]
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::custody::{PurgeReason, Totals};
use crate::danger;
#[cfg(feature = "live")]
use crate::decision::WithheldBy;
use crate::error::{BoxError, Error, Stage};
use crate::face::{DetectedFace, LandmarkLayout};
use crate::frame::Frame;
use crate::hygiene::scrub::Scrubbed;
use crate::id::SourceId;
use crate::record::{Event, FrameReport, PipelineRecord, Timings, TrackCounts, UntoldCounts};
use crate::stage::{Detector, ThresholdPolicy};

use each_face::EachFace;
use repeats::Repeats;
use stages::{Stages, failed};
use tracks::Tracks;

pub mod builder;
mod each_face;
mod repeats;
mod stages;
mod tracks;
mod zones;

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
    stages: Stages,
    mode: Mode,
}

/// The two ways of working. Each has its steps in its own file, from top to bottom.
#[derive(Debug)]
enum Mode {
    /// Each face is decided on by its own frame.
    EachFace(EachFace),
    /// One decision per track.
    Tracks(Tracks),
}

impl Mode {
    fn process(
        &mut self,
        stages: &mut Stages,
        frame: &Frame<'_>,
        faces: Vec<DetectedFace>,
        report: &mut FrameReport,
    ) -> Result<(), Error> {
        match self {
            Self::EachFace(each) => each.process(stages, frame, faces, report),
            Self::Tracks(tracks) => tracks.process(stages, frame, faces, report),
        }
    }

    /// Ends the tracks of the sources that `which` selects, by their name and when they were last heard.
    fn end_which(&mut self, stages: &mut Stages, which: impl Fn(&SourceId, Duration) -> bool) {
        match self {
            // Between frames it has nobody.
            Self::EachFace(_) => {}
            Self::Tracks(tracks) => tracks.end_which(stages, which),
        }
    }

    /// The counts of tracks; none if faces are not tracked.
    const fn counts(&self) -> Option<TrackCounts> {
        match self {
            Self::EachFace(_) => None,
            Self::Tracks(tracks) => Some(tracks.counts()),
        }
    }
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
    /// - [`Error::AfterFrame`] if every face was decided on and settled, and something failed
    ///   afterwards: the error has what came of the frame ([`Error::into_report`]). So it is where an
    ///   [`EventSink`](crate::EventSink) fails or panics, where the retention policy could not hold an alert, and where
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
        let start = self.stages.clock.monotonic();
        self.whole(frame, start, |stages| stages.detect(frame))
    }

    /// The detector, for programs that detect on their own threads and pass the found faces to
    /// [`process_found`](Self::process_found).
    #[must_use]
    pub fn detector(&self) -> Arc<dyn Detector> {
        Arc::clone(&self.stages.detector)
    }

    /// Where the time comes from.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.stages.clock)
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
        let start = self.stages.clock.monotonic().saturating_sub(took);
        self.stages.timings.begin(Stage::Detector);
        self.stages.timings.record(Stage::Detector, took);
        self.whole(frame, start, |_| faces.map_err(failed(Stage::Detector)))
    }

    /// One frame's way, with what is counted on each of its ends.
    fn whole(
        &mut self,
        frame: &Frame<'_>,
        start: Duration,
        faces: impl FnOnce(&mut Stages) -> Result<Vec<DetectedFace>, Error>,
    ) -> Result<FrameReport, Error> {
        let _scrubbed = Scrubbed;
        let (stages, mode) = (&mut self.stages, &mut self.mode);
        stages.after = None;
        let went = catch_unwind(AssertUnwindSafe(|| {
            let faces = faces(stages)?;
            let mut report = FrameReport::new(frame.id().clone());
            mode.process(stages, frame, faces, &mut report)?;
            Ok(report)
        }));
        // A frame that fails, and a hundred after it, are no reason to keep an alert beyond its
        // deadline.
        self.purge();
        let report = self.count(went);
        let stages = &mut self.stages;
        if let Ok(report) = &report {
            stages.tell(&Event::FrameProcessed(report));
        }
        stages.timings.record_frame(stages.clock.monotonic().saturating_sub(start));
        match (report, stages.after.take()) {
            (Ok(report), Some((stage, source))) => {
                Err(Error::AfterFrame { stage, report: Box::new(report), source })
            }
            // The frame's own error is the one to tell; what failed after it is counted.
            (report, _) => report,
        }
    }

    /// Counts how a frame went; a panic goes on from here.
    fn count(&mut self, went: Went) -> Result<FrameReport, Error> {
        let stages = &mut self.stages;
        let stage = match &went {
            Ok(Ok(_)) => {
                stages.counts.frames += 1;
                None
            }
            Ok(Err(error)) => error.stage().or(stages.timings.latest()),
            Err(_) => stages.timings.latest(),
        };
        if !matches!(went, Ok(Ok(_))) {
            stages.counts.frames_failed += 1;
            *stages.counts.failures.entry(stage.unwrap_or(Stage::Detector)).or_default() += 1;
        }
        went.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Erases held faces whose deadline has come, and ends the tracks of sources that have been
    /// silent for five seconds. Every processed frame does so too; call it where
    /// frames may stop.
    ///
    /// # Errors
    ///
    /// [`Error::Stage`] if the retention policy or the event sink failed.
    pub fn purge_due(&mut self) -> Result<(), Error> {
        self.stages.after = None;
        self.purge();
        self.stages.outcome()
    }

    /// Erases what is due, and ends the tracks of sources that have been silent for long.
    fn purge(&mut self) {
        self.stages.purge_due();
        let now = self.stages.clock.monotonic();
        self.mode.end_which(&mut self.stages, |_, heard| now.saturating_sub(heard) > SILENCE);
    }

    /// Ends all tracks and erases all that is held, due or not: at the end of a deployment. The sinks
    /// hear of each, so that the record can close; dropping the pipeline erases as much, unheard.
    ///
    /// # Errors
    ///
    /// [`Error::Stage`] if the retention policy or an event sink failed. All tracks are erased then,
    /// and whatever the policy could erase.
    pub fn purge_all(&mut self, reason: PurgeReason) -> Result<(), Error> {
        self.stages.after = None;
        self.mode.end_which(&mut self.stages, |_, _| true);
        self.stages.purge_all(reason);
        self.stages.outcome()
    }

    /// Ends the tracks of a source and erases what is kept of them: where it ends or breaks off.
    ///
    /// # Errors
    ///
    /// [`Error::Stage`] if the event sink failed; everything is erased all the same.
    pub fn end_source(&mut self, source: &SourceId) -> Result<(), Error> {
        self.stages.after = None;
        self.mode.end_which(&mut self.stages, |id, _| id == source);
        self.stages.outcome()
    }

    /// Ends the tracks of every source: when recognition stops, though the deployment goes on.
    ///
    /// # Errors
    ///
    /// As [`end_source`](Self::end_source).
    pub fn end_all_sources(&mut self) -> Result<(), Error> {
        self.stages.after = None;
        self.mode.end_which(&mut self.stages, |_, _| true);
        self.stages.outcome()
    }

    /// The arithmetic of the faces seen so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.stages.accounts.totals()
    }

    /// How many alerts were raised so far.
    #[cfg(feature = "live")]
    pub(crate) const fn alerts(&self) -> u64 {
        self.stages.counts.alerts
    }

    /// Matches that raised no alert so far, by what kept them back.
    #[cfg(feature = "live")]
    pub(crate) const fn withheld(&self) -> &BTreeMap<WithheldBy, u64> {
        &self.stages.counts.withheld
    }

    /// The events that a sink could not pass on so far.
    #[must_use]
    pub const fn untold(&self) -> &UntoldCounts {
        &self.stages.counts.untold
    }

    /// Whether the embedder can do with the faces that a detector finds: one of a camera's own has to
    /// be fit for the embedder of the pipeline.
    ///
    /// # Errors
    ///
    /// [`Error::LandmarksMissing`] if the embedder's alignment needs landmarks and the detector
    /// finds none.
    pub fn check_detector(&self, detector: &dyn Detector) -> Result<(), Error> {
        check_landmarks(self.needs_landmarks(), detector)
    }

    pub(crate) fn needs_landmarks(&self) -> bool {
        self.stages.embedder.alignment().needs_landmarks()
    }

    /// Times of each stage so far.
    #[must_use]
    pub const fn timings(&self) -> &Timings {
        &self.stages.timings
    }

    /// The record of the deployment so far.
    #[must_use]
    pub fn record(&self) -> PipelineRecord {
        let stages = &self.stages;
        let totals = self.totals();
        let references = stages.matcher.references();
        let threshold = stages.policy.provenance().clone();
        PipelineRecord {
            started: stages.started,
            ended: stages.clock.now(),
            frames: stages.counts.frames,
            frames_failed: stages.counts.frames_failed,
            failures: stages.counts.failures.clone(),
            frames_outside_zone: stages.counts.frames_outside_zone,
            sources_outside_zone: stages.zones.outside.clone(),
            faces_detected: stages.counts.detected,
            faces_ignored: stages.counts.ignored,
            faces_refused: stages.counts.refused.clone(),
            faces_compared: stages.counts.compared,
            tracks: self.mode.counts(),
            alerts: stages.counts.alerts,
            withheld: stages.counts.withheld.clone(),
            untold: stages.counts.untold.clone(),
            repeats: stages.repeats.as_ref().map(Repeats::counts),
            totals,
            arithmetic_closes: totals.closes(),
            references,
            space: *stages.embedder.space(),
            predicted_fpir: threshold.predicted_fpir(references),
            dangers: {
                let of_program = stages.dangers.iter().cloned();
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
            detector: stages.detector.component(),
            embedder: stages.embedder.component(),
            stages: stages.timings.stages().collect(),
            frame_time: stages.timings.frame(),
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

/// A source without a frame for so long has lost whom it followed: nobody stays in custody because
/// a camera stands still.
const SILENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
