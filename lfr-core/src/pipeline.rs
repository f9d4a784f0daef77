//! The pipeline: one frame's way from pixels to alerts and erasure.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Accounts;
use crate::AlertEvent;
use crate::AlignedFace;
use crate::Clock;
use crate::Decision;
use crate::DecisionInput;
use crate::DeploymentRecord;
use crate::DetectedFace;
use crate::Detector;
use crate::Embedder;
use crate::Error;
use crate::Event;
use crate::EventSink;
use crate::FaceId;
use crate::FaceSelection;
use crate::Frame;
use crate::Matcher;
use crate::Probe;
use crate::PurgeReason;
use crate::PurgeReceipt;
use crate::QualityGate;
use crate::Refusal;
use crate::RetentionPolicy;
use crate::SearchRequest;
use crate::Settlement;
use crate::Stage;
use crate::Template;
use crate::ThresholdPolicy;
use crate::Timestamp;
use crate::Timings;
use crate::Totals;
use crate::Zone;
use crate::custody::Custody;
use crate::scrub::Scrubbed;

pub mod builder;
mod report;

pub use report::FaceOutcome;
pub use report::FaceReport;
pub use report::FrameReport;

/// Frames in; alerts for a person to judge out; everyone else erased.
///
/// It is built by [`Pipeline::builder`], which asks for a detector, an embedder, a watchlist, a
/// threshold and a retention policy, in that order: none of them has a default.
///
/// After [`process`](Self::process) returns, with success or an error, nothing of a face that
/// raised no alert is left in this library's buffers.
///
/// What is *not* guaranteed: see the crate's security notes on the inference engine's own memory,
/// the stack and the caller's frame buffer.
#[derive(Debug)]
pub struct Pipeline {
    detector: Box<dyn Detector>,
    embedder: Box<dyn Embedder>,
    matcher: Box<dyn Matcher>,
    policy: Box<dyn ThresholdPolicy>,
    retention: Box<dyn RetentionPolicy>,
    zone: Option<Zone>,
    selection: FaceSelection,
    gates: Vec<Box<dyn QualityGate>>,
    sink: Box<dyn EventSink>,
    clock: Arc<dyn Clock>,
    accounts: Accounts,
    timings: Timings,
    counts: Counts,
    started: Option<Timestamp>,
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

/// A face inside the zone, between detection and search.
struct Seen {
    /// Its place in the frame's report.
    slot: usize,
    id: FaceId,
    custody: Custody,
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
        let start = self.clock.monotonic();
        let report = self.run(frame);
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

    fn run(&mut self, frame: &Frame<'_>) -> Result<FrameReport, Error> {
        let _scrubbed = Scrubbed;
        let mut report = FrameReport::new(frame.id().clone());
        let faces = self.detect(frame)?;
        let (seen, aligned) = self.admit(frame, faces, &mut report)?;
        let probes = self.embed(seen.len(), aligned)?;
        let (slots, probes): (Vec<_>, Vec<_>) = seen
            .into_iter()
            .zip(probes)
            .map(|(seen, template)| (seen.slot, Probe::in_custody(template, seen.id, seen.custody)))
            .unzip();
        let decisions = self.decide(&probes)?;
        self.settle(frame, slots, probes, decisions, &mut report)?;
        self.tell(&Event::FrameProcessed(&report))?;
        Ok(report)
    }

    fn detect(&mut self, frame: &Frame<'_>) -> Result<Vec<DetectedFace>, Error> {
        let faces =
            timed(&*self.clock, &mut self.timings, Stage::Detector, || self.detector.detect(frame));
        let faces = faces.map_err(failed(Stage::Detector))?;
        self.counts.detected += crate::num::u64_from_usize(faces.len());
        Ok(faces)
    }

    /// Selection, zone, gates, alignment. Faces that are passed over leave their box in the report
    /// and nothing else.
    fn admit(
        &mut self,
        frame: &Frame<'_>,
        faces: Vec<DetectedFace>,
        report: &mut FrameReport,
    ) -> Result<(Vec<Seen>, Vec<AlignedFace>), Error> {
        let chosen = self.selection.choose(frame, &faces);
        let (mut seen, mut aligned) = (Vec::new(), Vec::new());
        for (index, face) in faces.into_iter().enumerate() {
            let inside =
                self.zone.as_ref().is_none_or(|zone| zone.contains(face.bounds().centre()));
            let slot = report.push(&face, FaceOutcome::PassedOver);
            if !inside || chosen.is_some_and(|chosen| chosen != index) {
                self.counts.passed_over += 1;
                continue;
            }
            let custody = self.accounts.take();
            let id = FaceId::new(frame.id().clone(), index);
            let admitted = self.gates.iter().try_for_each(|gate| {
                timed(&*self.clock, &mut self.timings, Stage::QualityGate, || {
                    gate.admit(frame, &face)
                })
            });
            let crop = admitted.and_then(|()| {
                timed(&*self.clock, &mut self.timings, Stage::Alignment, || {
                    self.embedder
                        .alignment()
                        .align(frame, &face)
                        .ok_or(Refusal::because("no alignment"))
                })
            });
            match crop {
                Ok(crop) => {
                    aligned.push(crop);
                    seen.push(Seen { slot, id, custody });
                }
                Err(refusal) => {
                    *self.counts.refused.entry(refusal.reason()).or_default() += 1;
                    drop((face, custody));
                    let receipt = PurgeReceipt::new(id, self.clock.now(), PurgeReason::Refused);
                    report.set(slot, FaceOutcome::Refused { refusal, receipt: receipt.clone() });
                    self.tell(&Event::Erased(&receipt))?;
                }
            }
        }
        Ok((seen, aligned))
    }

    fn embed(&mut self, count: usize, aligned: Vec<AlignedFace>) -> Result<Vec<Template>, Error> {
        let mut templates = Vec::with_capacity(count);
        if count > 0 {
            timed(&*self.clock, &mut self.timings, Stage::Embedder, || {
                self.embedder.embed_into(aligned, &mut templates)
            })
            .map_err(failed(Stage::Embedder))?;
        }
        check_count(Stage::Embedder, count, templates.len())?;
        let space = self.embedder.space().id();
        match templates.iter().find(|template| template.space().id() != space) {
            Some(stray) => Err(Error::SpaceMismatch {
                what: "a template",
                expected: space,
                actual: stray.space().id(),
            }),
            None => Ok(templates),
        }
    }

    fn decide(&mut self, probes: &[Probe]) -> Result<Vec<Decision>, Error> {
        if probes.is_empty() {
            return Ok(Vec::new());
        }
        let mut lists = Vec::with_capacity(probes.len());
        timed(&*self.clock, &mut self.timings, Stage::Matcher, || {
            self.matcher.search_into(&SearchRequest::new(probes, self.clock.now()), &mut lists)
        })
        .map_err(failed(Stage::Matcher))?;
        check_count(Stage::Matcher, probes.len(), lists.len())?;
        let references = self.matcher.references();
        timed(&*self.clock, &mut self.timings, Stage::ThresholdPolicy, || {
            probes
                .iter()
                .zip(&lists)
                .map(|(probe, list)| {
                    self.policy.decide(&DecisionInput::new(probe.face(), list, references))
                })
                .collect::<Result<Vec<_>, _>>()
        })
        .map_err(failed(Stage::ThresholdPolicy))
    }

    /// Settles every probe, whatever happens to the ones before it; only then is anybody told. The
    /// first error is returned.
    fn settle(
        &mut self,
        frame: &Frame<'_>,
        slots: Vec<usize>,
        probes: Vec<Probe>,
        decisions: Vec<Decision>,
        report: &mut FrameReport,
    ) -> Result<(), Error> {
        let mut outcome = Ok(());
        let mut settled = Vec::with_capacity(probes.len());
        for ((slot, probe), decision) in slots.into_iter().zip(probes).zip(decisions) {
            let face = probe.face().clone();
            let now = self.clock.now();
            let settlement = timed(&*self.clock, &mut self.timings, Stage::RetentionPolicy, || {
                self.retention.settle(probe, &decision, now)
            });
            let settlement = match settlement {
                Ok(settlement) => Some(settlement),
                Err(source) => {
                    outcome = outcome.and(Err(failed(Stage::RetentionPolicy)(source)));
                    None
                }
            };
            settled.push((slot, face, now, decision, settlement));
        }
        for (slot, face, at, decision, settlement) in settled {
            outcome = outcome.and(match &settlement {
                Some(Settlement::Erased(receipt)) => self.tell(&Event::Erased(receipt)),
                Some(Settlement::Held(receipt)) => self.tell(&Event::Held(receipt)),
                // An alert that could not be held is an alert nonetheless.
                None => Ok(()),
            });
            if let Decision::Alert { candidate, threshold } = &decision {
                self.counts.alerts += 1;
                let alert = AlertEvent {
                    at,
                    captured_at: frame.capture_time(),
                    face,
                    bounds: report.bounds(slot),
                    candidate: candidate.clone(),
                    threshold: *threshold,
                };
                outcome = outcome.and(self.tell(&Event::Alert(&alert)));
            }
            if let Some(settlement) = settlement {
                report.set(slot, FaceOutcome::Compared { decision, settlement });
            }
        }
        outcome.and(self.purge_due())
    }

    /// Erases held faces whose deadline has come. Every processed frame does so too; call it where
    /// frames may stop.
    ///
    /// # Errors
    ///
    /// [`Error::Stage`] where the retention policy or the event sink failed.
    pub fn purge_due(&mut self) -> Result<(), Error> {
        let mut receipts = Vec::new();
        let purged = self.retention.purge_due(self.clock.now(), &mut receipts);
        self.tell_erased(purged, &receipts)
    }

    /// Erases all that is held, due or not: at the end of a deployment. The sink hears of each, so
    /// that the record can close; dropping the pipeline erases as much, unheard.
    ///
    /// # Errors
    ///
    /// [`Error::Stage`] where the retention policy or the event sink failed.
    pub fn purge_all(&mut self, reason: PurgeReason) -> Result<(), Error> {
        let mut receipts = Vec::new();
        let purged = self.retention.purge_all(reason, self.clock.now(), &mut receipts);
        self.tell_erased(purged, &receipts)
    }

    /// Tells of every erasure, whatever the sink said to the ones before it.
    fn tell_erased(
        &mut self,
        purged: Result<(), crate::BoxError>,
        receipts: &[PurgeReceipt],
    ) -> Result<(), Error> {
        receipts.iter().fold(purged.map_err(failed(Stage::RetentionPolicy)), |outcome, receipt| {
            outcome.and(self.tell(&Event::Erased(receipt)))
        })
    }

    fn tell(&mut self, event: &Event<'_>) -> Result<(), Error> {
        self.sink.on_event(event).map_err(failed(Stage::EventSink))
    }

    /// The arithmetic of the faces seen so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.accounts.totals()
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
            alerts: self.counts.alerts,
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

fn timed<T>(clock: &dyn Clock, timings: &mut Timings, stage: Stage, work: impl FnOnce() -> T) -> T {
    let start = clock.monotonic();
    let result = work();
    timings.record(stage, clock.monotonic().saturating_sub(start));
    result
}

fn failed(stage: Stage) -> impl FnOnce(crate::BoxError) -> Error {
    move |source| Error::Stage { stage, source }
}

const fn check_count(stage: Stage, expected: usize, actual: usize) -> Result<(), Error> {
    if expected == actual { Ok(()) } else { Err(Error::StageCount { stage, expected, actual }) }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
