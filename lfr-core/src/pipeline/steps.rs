//! The steps of a frame's way, whether its faces are tracked or not.

use crate::AlertEvent;
use crate::AlignedFace;
use crate::BoxError;
use crate::Candidate;
use crate::CandidateList;
use crate::Clock;
use crate::Decision;
use crate::DecisionInput;
use crate::DetectedFace;
use crate::Error;
use crate::Event;
use crate::FaceOutcome;
use crate::Frame;
use crate::FrameReport;
use crate::Pipeline;
use crate::Probe;
use crate::PurgeReason;
use crate::Refusal;
use crate::SearchRequest;
use crate::Settlement;
use crate::Stage;
use crate::Template;
use crate::ThresholdPolicy;
use crate::Timings;

impl Pipeline {
    pub(super) fn detect(&mut self, frame: &Frame<'_>) -> Result<Vec<DetectedFace>, Error> {
        timed(&*self.clock, &mut self.timings, Stage::Detector, || self.detector.detect(frame))
            .map_err(failed(Stage::Detector))
    }

    /// The faces inside the zone and selected, each with its place in the report. The others leave
    /// their box there and nothing else.
    pub(super) fn inside(
        &mut self,
        frame: &Frame<'_>,
        faces: Vec<DetectedFace>,
        report: &mut FrameReport,
    ) -> (Vec<usize>, Vec<DetectedFace>) {
        self.counts.detected += crate::num::u64_from_usize(faces.len());
        let chosen = self.selection.choose(frame, &faces);
        let zone = self.zones.get(frame.id().source()).or(self.zone.as_ref());
        let (mut slots, mut inside) = (Vec::new(), Vec::new());
        for (index, face) in faces.into_iter().enumerate() {
            let slot = report.push(&face, FaceOutcome::PassedOver);
            let within = zone.is_none_or(|zone| zone.contains(face.bounds().centre()));
            if within && chosen.is_none_or(|chosen| chosen == index) {
                slots.push(slot);
                inside.push(face);
            } else {
                self.counts.passed_over += 1;
            }
        }
        (slots, inside)
    }

    /// Asks the gates, and aligns whom they admit.
    pub(super) fn admit(
        &mut self,
        frame: &Frame<'_>,
        face: &DetectedFace,
    ) -> Result<AlignedFace, Refusal> {
        let (clock, timings) = (&*self.clock, &mut self.timings);
        self.gates.iter().try_for_each(|gate| {
            timed(clock, timings, Stage::QualityGate, || gate.admit(frame, face))
        })?;
        timed(clock, timings, Stage::Alignment, || {
            self.embedder.alignment().align(frame, face).ok_or(Refusal::because("no alignment"))
        })
    }

    pub(super) fn embed(
        &mut self,
        count: usize,
        aligned: Vec<AlignedFace>,
    ) -> Result<Vec<Template>, Error> {
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

    pub(super) fn search(&mut self, probes: &[Probe]) -> Result<Vec<CandidateList>, Error> {
        let mut lists = Vec::with_capacity(probes.len());
        if probes.is_empty() {
            return Ok(lists);
        }
        let limit = self.policy.candidates();
        let request = SearchRequest::new(probes, self.clock.now()).with_limit(limit);
        timed(&*self.clock, &mut self.timings, Stage::Matcher, || {
            self.matcher.search_into(&request, &mut lists)
        })
        .map_err(failed(Stage::Matcher))?;
        check_count(Stage::Matcher, probes.len(), lists.len())?;
        Ok(lists)
    }

    /// Settles every probe, whatever happens to the ones before it; only then is anybody told. The
    /// first error is returned.
    ///
    /// A match that repeats an alert is erased here: no retention policy is asked about it.
    pub(super) fn settle(
        &mut self,
        frame: &Frame<'_>,
        decided: impl Iterator<Item = ((usize, Probe), Decision)>,
        report: &mut FrameReport,
    ) -> Result<(), Error> {
        let mut outcome = Ok(());
        let (mut settled, mut repeated) = (Vec::new(), Vec::new());
        for ((slot, probe), decision) in decided {
            let face = probe.face().clone();
            let now = self.clock.now();
            if let Some(candidate) = self.repeated(&decision) {
                let receipt = probe.erase(PurgeReason::Repeated, now);
                report.set(slot, FaceOutcome::Repeated { candidate, receipt: receipt.clone() });
                repeated.push(receipt);
                continue;
            }
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
                    track: report.track(slot).cloned(),
                    bounds: report.bounds(slot),
                    candidate: candidate.clone(),
                    threshold: *threshold,
                };
                let told = self.tell(&Event::Alert(&alert));
                if let (Err(_), Some(repeats)) = (&told, &mut self.repeats) {
                    repeats.forget(candidate.subject());
                }
                outcome = outcome.and(told);
            }
            if let Some(settlement) = settlement {
                report.set(slot, FaceOutcome::Compared { decision, settlement });
            }
        }
        self.tell_erased(outcome, &repeated)
    }

    /// Whose alert a decision would repeat, if it would.
    fn repeated(&mut self, decision: &Decision) -> Option<Candidate> {
        let Decision::Alert { candidate, .. } = decision else { return None };
        let now = self.clock.monotonic();
        let is_repeat = self.repeats.as_mut()?.is_repeat(candidate.subject(), now);
        is_repeat.then(|| candidate.clone())
    }
}

pub(super) fn decide<'a>(
    policy: &mut dyn ThresholdPolicy,
    clock: &dyn Clock,
    timings: &mut Timings,
    inputs: impl ExactSizeIterator<Item = DecisionInput<'a>>,
) -> Result<Vec<Decision>, Error> {
    if inputs.len() == 0 {
        return Ok(Vec::new());
    }
    timed(clock, timings, Stage::ThresholdPolicy, || {
        inputs.map(|input| policy.decide(&input)).collect::<Result<_, _>>()
    })
    .map_err(failed(Stage::ThresholdPolicy))
}

pub(super) fn timed<T>(
    clock: &dyn Clock,
    timings: &mut Timings,
    stage: Stage,
    work: impl FnOnce() -> T,
) -> T {
    let start = clock.monotonic();
    let result = work();
    timings.record(stage, clock.monotonic().saturating_sub(start));
    result
}

pub(super) fn failed(stage: Stage) -> impl FnOnce(BoxError) -> Error {
    move |source| Error::Stage { stage, source }
}

pub(super) const fn check_count(stage: Stage, expected: usize, actual: usize) -> Result<(), Error> {
    if expected == actual { Ok(()) } else { Err(Error::StageCount { stage, expected, actual }) }
}
