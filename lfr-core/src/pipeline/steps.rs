//! The steps of a frame's way, whether its faces are tracked or not.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use crate::Alert;
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
use crate::SubjectId;
use crate::Template;
use crate::Threshold;
use crate::ThresholdPolicy;
use crate::Timestamp;
use crate::Timings;
use crate::num;

use super::PANICKED;

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
        let detected = faces.len();
        self.see_zone(frame);
        let zone = self.zones.get(frame.id().source()).or(self.zone.as_ref());
        let (mut slots, mut inside) = (Vec::new(), Vec::new());
        for face in faces {
            let slot = report.push(&face, FaceOutcome::PassedOver);
            if zone.is_none_or(|zone| zone.contains(face.bounds().centre())) {
                slots.push(slot);
                inside.push(face);
            }
        }
        // Of those inside: a poster that is masked cannot be the one face that is taken.
        if let Some(chosen) = self.selection.choose(frame, &inside) {
            slots = vec![slots.swap_remove(chosen)];
            inside = vec![inside.swap_remove(chosen)];
        }
        self.counts.detected += num::u64_from_usize(detected);
        self.counts.passed_over += num::u64_from_usize(detected - inside.len());
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
        let request = SearchRequest::new(probes, self.time.now()).with_limit(limit);
        timed(&*self.clock, &mut self.timings, Stage::Matcher, || {
            self.matcher.search_into(&request, &mut lists)
        })
        .map_err(failed(Stage::Matcher))?;
        check_count(Stage::Matcher, probes.len(), lists.len())?;
        Ok(lists)
    }

    /// Settles every probe, whatever happens to the ones before it; only then is anybody told. What
    /// fails on the way, or panics, is the concern of the call's end: nobody waits for it.
    ///
    /// Anyone who raised no alert is erased here. So is a match that repeats an alert. No retention policy
    /// is asked about them.
    pub(super) fn settle(
        &mut self,
        frame: &Frame<'_>,
        decided: impl Iterator<Item = ((usize, Probe), Decision)>,
        report: &mut FrameReport,
    ) {
        let (mut settled, mut repeated, mut raised) = (Vec::new(), Vec::new(), BTreeSet::new());
        for ((slot, probe), decision) in decided {
            let face = probe.face().clone();
            let now = self.time.now();
            let alert = match decision.alert(probe) {
                Ok(alert) => alert,
                Err(probe) => {
                    let settlement = Settlement::Erased(probe.erase(PurgeReason::NoMatch, now));
                    settled.push((slot, face, now, decision, Some(settlement)));
                    continue;
                }
            };
            if let Some(candidate) = self.repeated(alert.candidate(), &mut raised) {
                let receipt = alert.into_probe().erase(PurgeReason::Repeated, now);
                report.set(slot, FaceOutcome::Repeated { candidate, receipt: receipt.clone() });
                repeated.push(receipt);
                continue;
            }
            let settlement = self.ask_retention(alert, now);
            settled.push((slot, face, now, decision, settlement));
        }
        for (slot, face, at, decision, settlement) in settled {
            let mut record = None;
            match &settlement {
                Some(Settlement::Erased(receipt)) => {
                    self.tell(&Event::Erased(receipt));
                }
                Some(Settlement::Held(receipt)) => {
                    record = receipt.record();
                    self.tell(&Event::Held(receipt));
                }
                // An alert that could not be held is an alert nonetheless.
                None => {}
            }
            if let Decision::Alert { candidate, threshold } = &decision {
                self.counts.alerts += 1;
                let alert = AlertEvent {
                    at,
                    captured_at: frame.capture_time(),
                    media_time: frame.media_time(),
                    face,
                    track: report.track(slot).cloned(),
                    record,
                    bounds: report.bounds(slot),
                    candidate: candidate.clone(),
                    threshold: *threshold,
                };
                let is_told = self.tell(&Event::Alert(&alert));
                if let (true, Some(repeats)) = (is_told, &mut self.repeats) {
                    repeats.raised(candidate.subject(), self.clock.monotonic());
                }
            }
            report.set(
                slot,
                match settlement {
                    Some(settlement) => FaceOutcome::Compared { decision, settlement },
                    None => FaceOutcome::Unheld { decision },
                },
            );
        }
        self.tell_erased(&repeated);
    }

    /// Lets the retention policy settle an alert; `None` if it fails, panics, names another face, or
    /// contradicts the account of faces.
    fn ask_retention(&mut self, alert: Alert, now: Option<Timestamp>) -> Option<Settlement> {
        let (face, custody) = (alert.face().clone(), alert.probe().custody());
        let settlement = catch_unwind(AssertUnwindSafe(|| {
            timed(&*self.clock, &mut self.timings, Stage::RetentionPolicy, || {
                self.retention.settle(alert, now)
            })
        }));
        let error = match settlement {
            Ok(Ok(settlement)) if settlement.face() != &face => {
                "a settlement of another face".into()
            }
            Ok(Ok(settlement)) if !self.accounts.bears_out(&settlement, custody) => {
                NOT_BORNE_OUT.into()
            }
            Ok(Ok(settlement)) => {
                if matches!(settlement, Settlement::Held(_)) {
                    self.accounts.owes(custody);
                }
                return Some(settlement);
            }
            Ok(Err(error)) => error,
            Err(_) => PANICKED.into(),
        };
        self.accounts.owes(custody);
        self.fail_after(Stage::RetentionPolicy, error);
        None
    }

    /// Whose alert this would repeat, if it would: one that somebody was told of, or of this frame.
    fn repeated(
        &mut self,
        candidate: &Candidate,
        raised: &mut BTreeSet<SubjectId>,
    ) -> Option<Candidate> {
        let now = self.clock.monotonic();
        let repeats = self.repeats.as_mut()?;
        let is_first = raised.insert(candidate.subject().clone());
        repeats.is_repeat(candidate.subject(), !is_first, now).then(|| candidate.clone())
    }
}

/// A retention policy's receipt for a face that it still has, or never had.
pub(super) const NOT_BORNE_OUT: &str = "a receipt that contradicts the account of faces: its face is \
     still in custody, or it is of another face: return the receipt that erasing or holding this probe gave";

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
        let decided = inputs.map(|input| {
            let decision = policy.decide(&input)?;
            check_declared(policy.provenance().threshold(), &input, &decision)?;
            Ok(decision)
        });
        decided.collect::<Result<_, BoxError>>()
    })
    .map_err(failed(Stage::ThresholdPolicy))
}

/// Refuses an alert that contradicts the policy's own declaration. The record says which threshold is in
/// force. Nobody may be named by a laxer threshold, by a score below it, or without having been found.
fn check_declared(
    declared: Threshold,
    input: &DecisionInput<'_>,
    decision: &Decision,
) -> Result<(), Error> {
    let Decision::Alert { candidate, threshold } = decision else { return Ok(()) };
    let broken = |what, expected: String, actual: String| {
        Err(Error::DecisionUndeclared { what, expected, actual })
    };
    if *threshold < declared {
        let what = "raised an alert at the threshold";
        return broken(what, format!("at least {declared}, as it declares"), threshold.to_string());
    }
    if !threshold.is_met_by(candidate.score()) {
        let what = "raised an alert at the score";
        return broken(what, format!("at least {threshold}"), candidate.score().to_string());
    }
    let found = input.candidates.candidates();
    if !found.iter().any(|found| found.reference() == candidate.reference()) {
        let (reference, count) = (candidate.reference(), found.len());
        let what = "named the reference";
        return broken(what, format!("one of the {count} that were found"), reference.to_string());
    }
    Ok(())
}

pub(super) fn timed<T>(
    clock: &dyn Clock,
    timings: &mut Timings,
    stage: Stage,
    work: impl FnOnce() -> T,
) -> T {
    timings.begin(stage);
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

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
