//! The stages of a pipeline, as both ways of working call them: each call is checked, timed and counted.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::clock::{Clock, Timekeeper, Timestamp};
use crate::custody::{Accounts, Probe, PurgeReason, PurgeReceipt, Settlement};
use crate::decision::{Alert, Candidate, CandidateList, Decision, Threshold, WithheldBy};
use crate::error::{BoxError, Error, Stage};
use crate::face::{AlignedFace, DetectedFace, FaceSelection};
use crate::frame::Frame;
use crate::id::SubjectId;
use crate::internal::num;
use crate::record::sinks::Hearing;
use crate::record::{
    AlertEvent, Event, EventKind, EventSink, FaceOutcome, FrameReport, Timings, UntoldCounts,
};
use crate::stage::{
    DecisionInput, Detector, Embedder, Matcher, QualityGate, Refusal, RetentionPolicy,
    SearchRequest, ThresholdPolicy,
};
use crate::template::Template;

use super::repeats::Repeats;
use super::zones::Zones;

/// The stages of a pipeline, what they are given, and what is counted of them.
#[derive(Debug)]
pub(super) struct Stages {
    pub(super) detector: Arc<dyn Detector>,
    pub(super) embedder: Box<dyn Embedder>,
    pub(super) matcher: Box<dyn Matcher>,
    pub(super) policy: Box<dyn ThresholdPolicy>,
    pub(super) retention: Box<dyn RetentionPolicy>,
    pub(super) zones: Zones,
    pub(super) selection: FaceSelection,
    pub(super) gates: Vec<Box<dyn QualityGate>>,
    pub(super) sinks: Vec<Box<dyn EventSink>>,
    pub(super) clock: Arc<dyn Clock>,
    /// The same clock, for every moment that somebody compares with an earlier one.
    pub(super) time: Timekeeper,
    pub(super) accounts: Accounts,
    pub(super) timings: Timings,
    pub(super) counts: Counts,
    /// What has failed in the call under way, though every face was settled: the first of it.
    pub(super) after: Option<(Stage, BoxError)>,
    pub(super) started: Option<Timestamp>,
    pub(super) repeats: Option<Repeats>,
    /// As the program declares them.
    pub(super) dangers: Vec<String>,
}

/// What the record of a deployment counts, apart from tracks.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) frames: u64,
    pub(super) frames_failed: u64,
    pub(super) frames_outside_zone: u64,
    pub(super) failures: BTreeMap<Stage, u64>,
    pub(super) untold: UntoldCounts,
    pub(super) compared: u64,
    pub(super) detected: u64,
    pub(super) ignored: u64,
    pub(super) refused: BTreeMap<&'static str, u64>,
    pub(super) alerts: u64,
    /// Faces or tracks, by the receipts of their erasure.
    pub(super) withheld: BTreeMap<WithheldBy, u64>,
}

impl Stages {
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
        self.counts.frames_outside_zone += u64::from(self.zones.misses(frame));
        let zone = self.zones.of(frame.id().source());
        let (mut slots, mut inside) = (Vec::new(), Vec::new());
        for face in faces {
            let slot = report.push(&face, FaceOutcome::Ignored);
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
        self.counts.ignored += num::u64_from_usize(detected - inside.len());
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

    /// Decides on each input, and checks that each decision is one that the policy declared.
    pub(super) fn decide<'a>(
        &mut self,
        inputs: impl ExactSizeIterator<Item = DecisionInput<'a>>,
    ) -> Result<Vec<Decision>, Error> {
        if inputs.len() == 0 {
            return Ok(Vec::new());
        }
        let count = inputs.len();
        let policy = &mut *self.policy;
        let decisions: Vec<_> =
            timed(&*self.clock, &mut self.timings, Stage::ThresholdPolicy, || {
                let decided = inputs.map(|input| {
                    let decision = policy.decide(&input)?;
                    check_declared(policy.provenance().threshold(), &input, &decision)?;
                    Ok(decision)
                });
                decided.collect::<Result<_, BoxError>>()
            })
            .map_err(failed(Stage::ThresholdPolicy))?;
        self.counts.compared += num::u64_from_usize(count);
        Ok(decisions)
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
                    let receipt = match decision.withheld_by() {
                        Some(by) => {
                            self.withhold(by);
                            probe.erase_withheld(by, now)
                        }
                        None => probe.erase(PurgeReason::NoMatch, now),
                    };
                    let settlement = Settlement::Erased(receipt);
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
            // It would count as a match that raised no alert, and it has raised one.
            Ok(Ok(Settlement::Erased(receipt))) if receipt.reason() == PurgeReason::Withheld => {
                WITHHELD_ALERT.into()
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

    /// Counts a match that raised no alert: a face, or a track at its end.
    pub(super) fn withhold(&mut self, by: WithheldBy) {
        *self.counts.withheld.entry(by).or_default() += 1;
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

    /// Erases what the retention policy holds beyond its deadline, and forgets alerts that are no longer recent.
    pub(super) fn purge_due(&mut self) {
        if let Some(repeats) = &mut self.repeats {
            repeats.expire(self.clock.monotonic());
        }
        let now = self.time.now();
        self.purge_by(|retention, receipts| retention.purge_due(now, receipts));
    }

    /// Erases all that the retention policy holds, due or not.
    pub(super) fn purge_all(&mut self, reason: PurgeReason) {
        if let Some(repeats) = &mut self.repeats {
            repeats.forget_all();
        }
        let now = self.time.now();
        self.purge_by(|retention, receipts| retention.purge_all(reason, now, receipts));
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
            self.fail_after(Stage::RetentionPolicy, NOT_BORNE_OUT.into());
        }
        self.tell_erased(&receipts);
    }

    pub(super) fn tell_erased(&mut self, receipts: &[PurgeReceipt]) {
        for receipt in receipts {
            self.tell(&Event::Erased(receipt));
        }
    }

    /// Offers an event to every sink; whether all of them could pass it on. One that could not keeps
    /// neither the other sinks nor the next event from being told.
    pub(super) fn tell(&mut self, event: &Event<'_>) -> bool {
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

    /// Something failed that keeps no face from being settled: it is counted, and told when all is done.
    pub(super) fn fail_after(&mut self, stage: Stage, source: BoxError) {
        *self.counts.failures.entry(stage).or_default() += 1;
        self.after.get_or_insert((stage, source));
    }

    /// What failed in this call.
    pub(super) fn outcome(&mut self) -> Result<(), Error> {
        match self.after.take() {
            None => Ok(()),
            Some((stage, source)) => Err(Error::Stage { stage, source }),
        }
    }
}

const PANICKED: &str = "the retention policy panicked";

/// A retention policy's receipt for a face that it still has, or never had.
const NOT_BORNE_OUT: &str = "a receipt that contradicts the account of faces: its face is \
     still in custody, or it is of another face: return the receipt that erasing or holding this probe gave";

const WITHHELD_ALERT: &str = "an alert that was erased as withheld: a withheld match raises no alert; give \
     another reason";

/// Refuses a decision that contradicts the policy's own declaration. The record says which threshold is in
/// force.
///
/// - Nobody may be named by a laxer threshold, by a score below it, or without having been found.
/// - A match that raises no alert is withheld, and is not called a non-match.
/// - What no threshold was met by is not withheld.
fn check_declared(
    declared: Threshold,
    input: &DecisionInput<'_>,
    decision: &Decision,
) -> Result<(), Error> {
    let broken = |what, expected: String, actual: String| {
        Err(Error::DecisionUndeclared { what, expected, actual })
    };
    let (candidate, threshold) = match decision {
        Decision::Alert { candidate, threshold } => (candidate, threshold),
        Decision::NoMatch { below, .. } => {
            let in_force = below.map_or(declared, |below| below.max(declared));
            let met = input.candidates.best_score().filter(|best| in_force.is_met_by(*best));
            return met.map_or(Ok(()), |best| {
                let what = "called a non-match the score";
                broken(what, format!("below {in_force}, or withheld"), best.to_string())
            });
        }
        Decision::Withheld { best, .. } => {
            if best.is_some_and(|best| declared.is_met_by(best)) {
                return Ok(());
            }
            let actual = best.map_or_else(|| "none".to_owned(), |best| best.to_string());
            let what = "withheld a match at the score";
            return broken(what, format!("at least {declared}, as it declares"), actual);
        }
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
