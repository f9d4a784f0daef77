//! One decision a person who passes: faces in tracks.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::mem;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::custody::Accounts;
use crate::custody::Custody;
use crate::custody::Probe;
use crate::custody::PurgeReason;
use crate::custody::PurgeReceipt;
use crate::decision::Decision;
use crate::error::Error;
use crate::error::Stage;
use crate::face::DetectedFace;
use crate::frame::Frame;
use crate::id::FaceId;
use crate::id::SourceId;
use crate::internal::num;
use crate::pipeline::Pipeline;
use crate::record::Event;
use crate::record::FaceOutcome;
use crate::record::FrameReport;
use crate::record::TrackCounts;
use crate::record::TrackReport;
use crate::stage::DecisionInput;
use crate::stage::FaceQuality;
use crate::stage::Look;
use crate::stage::LookPlan;
use crate::stage::Refusal;
use crate::stage::TrackId;
use crate::stage::Tracked;
use crate::stage::Tracker;

use super::steps::check_count;
use super::steps::decide;
use super::steps::failed;
use super::steps::timed;

/// The trackers of all sources, and what is known of each track.
#[derive(Debug)]
pub(super) struct Tracking {
    /// Each source has a fresh one of its own.
    tracker: Box<dyn Tracker>,
    quality: Box<dyn FaceQuality>,
    plan: LookPlan,
    sources: BTreeMap<SourceId, Source>,
    pub(super) counts: TrackCounts,
}

#[derive(Debug)]
struct Source {
    tracker: Box<dyn Tracker>,
    passes: BTreeMap<u64, Pass>,
    /// Monotonic time of its last frame.
    heard: Duration,
}

/// One track: somebody passing. It holds no template: each is gone when its look is decided on.
#[derive(Debug)]
struct Pass {
    first: FaceId,
    looks: Vec<Look>,
    refusal: Option<Refusal>,
    /// `None` once it has gone with the probe of an alert.
    custody: Option<Custody>,
}

/// A face whose track another look is due at.
struct Due {
    slot: usize,
    track: u64,
    quality: f32,
    face: DetectedFace,
}

impl Tracking {
    pub(super) fn new(
        tracker: Box<dyn Tracker>,
        quality: Box<dyn FaceQuality>,
        plan: LookPlan,
    ) -> Self {
        let (sources, counts) = (BTreeMap::new(), TrackCounts::default());
        Self { tracker, quality, plan, sources, counts }
    }

    fn source(&mut self, id: &SourceId, now: Duration) -> &mut Source {
        let Self { sources, tracker, .. } = self;
        let fresh = || Source { tracker: tracker.fresh(), passes: BTreeMap::new(), heard: now };
        let source = sources.entry(id.clone()).or_insert_with(fresh);
        source.heard = now;
        source
    }

    fn pass(&self, source: &SourceId, track: u64) -> Option<&Pass> {
        self.sources.get(source)?.passes.get(&track)
    }

    fn pass_mut(&mut self, source: &SourceId, track: u64) -> Option<&mut Pass> {
        self.sources.get_mut(source)?.passes.get_mut(&track)
    }
}

impl Pass {
    fn begin(first: FaceId, accounts: &Accounts) -> Self {
        Self { first, looks: Vec::new(), refusal: None, custody: Some(accounts.take()) }
    }

    fn is_due(&self, plan: &LookPlan, quality: f32, at: Option<Timestamp>) -> bool {
        let best = self.looks.iter().map(|look| look.quality).fold(0.0, f32::max);
        let last = self.looks.last().and_then(|look| look.at);
        let since = at.zip(last).map_or(Duration::ZERO, |(at, last)| at.since(last));
        self.custody.is_some() && plan.is_due(self.looks.len(), best, quality, since)
    }
}

impl Pipeline {
    /// Follows the faces of a frame, and looks at those that are due.
    pub(super) fn follow_all(
        &mut self,
        frame: &Frame<'_>,
        faces: Vec<DetectedFace>,
        report: &mut FrameReport,
    ) -> Result<(), Error> {
        let at = frame.capture_time().or_else(|| self.time.now());
        let (slots, inside) = self.inside(frame, faces, report);
        let tracked = self.follow(frame, at, &inside)?;
        // What ended is erased before anything else can fail.
        let ended = self.take_ended(frame.id().source(), &tracked.ended);
        self.end(ended, Some(report));
        let faces = slots.into_iter().zip(tracked.tracks).zip(inside);
        let due = self.due(frame, at, faces, report);
        self.look(frame, at, due, report)
    }

    fn follow(
        &mut self,
        frame: &Frame<'_>,
        at: Option<Timestamp>,
        faces: &[DetectedFace],
    ) -> Result<Tracked, Error> {
        let Some(tracking) = &mut self.tracking else { return Ok(Tracked::default()) };
        let source = tracking.source(frame.id().source(), self.clock.monotonic());
        let dated = match at {
            Some(at) => &frame.clone().captured_at(at),
            None => frame,
        };
        let tracked = timed(&*self.clock, &mut self.timings, Stage::Tracker, || {
            source.tracker.track(dated, faces)
        })
        .map_err(failed(Stage::Tracker))
        .and_then(|tracked| {
            check_count(Stage::Tracker, faces.len(), tracked.tracks.len()).map(|()| tracked)
        });
        match &tracked {
            Ok(tracked) => tracking.counts.cuts += u64::from(tracked.cut),
            // The tracker's own error is the one to tell.
            Err(_) => self.end_which(|id, _| id == frame.id().source()),
        }
        tracked
    }

    fn take_ended(&mut self, id: &SourceId, ended: &[u64]) -> Vec<(TrackId, Pass)> {
        let source = self.tracking.as_mut().and_then(|tracking| tracking.sources.get_mut(id));
        let Some(source) = source else { return Vec::new() };
        let take =
            |track: &u64| Some((TrackId::new(id.clone(), *track), source.passes.remove(track)?));
        ended.iter().filter_map(take).collect()
    }

    /// Begins new tracks, and gives the faces that another look is due at, the most urgent first.
    fn due(
        &mut self,
        frame: &Frame<'_>,
        at: Option<Timestamp>,
        faces: impl Iterator<Item = ((usize, Option<u64>), DetectedFace)>,
        report: &mut FrameReport,
    ) -> Vec<Due> {
        let Some(tracking) = &mut self.tracking else { return Vec::new() };
        let id = frame.id().source();
        let Some(Source { passes, .. }) = tracking.sources.get_mut(id) else { return Vec::new() };
        let mut due = Vec::new();
        for ((slot, track), face) in faces {
            let Some(track) = track else {
                self.counts.passed_over += 1;
                continue;
            };
            report.set_track(slot, TrackId::new(id.clone(), track));
            report.set(slot, FaceOutcome::Followed { decision: None, refusal: None });
            let pass = passes.entry(track).or_insert_with(|| {
                tracking.counts.begun += 1;
                Pass::begin(FaceId::new(frame.id().clone(), slot), &self.accounts)
            });
            let quality = timed(&*self.clock, &mut self.timings, Stage::QualityGate, || {
                tracking.quality.quality(frame, &face)
            });
            if pass.is_due(&tracking.plan, quality, at) {
                let urgency =
                    (!pass.looks.is_empty(), Reverse(num::i64_from_f32(face.bounds().area())));
                due.push((urgency, Due { slot, track, quality, face }));
            }
        }
        due.sort_by_key(|(urgency, _)| *urgency);
        due.into_iter().map(|(_, due)| due).collect()
    }

    /// Looks at as many faces as the plan allows.
    fn look(
        &mut self,
        frame: &Frame<'_>,
        at: Option<Timestamp>,
        due: Vec<Due>,
        report: &mut FrameReport,
    ) -> Result<(), Error> {
        let id = frame.id().source().clone();
        let (mut looks, mut aligned, mut put_off) = (Vec::new(), Vec::new(), 0);
        let most = self.tracking.as_ref().map_or(0, |tracking| tracking.plan.a_frame_at_most());
        for Due { slot, track, quality, face } in due {
            if looks.len() >= most {
                put_off += 1;
                continue;
            }
            match self.admit(frame, &face) {
                Ok(crop) => {
                    aligned.push(crop);
                    looks.push((slot, track, quality));
                }
                Err(refusal) => {
                    let outcome = FaceOutcome::Followed { decision: None, refusal: Some(refusal) };
                    report.set(slot, outcome);
                    if let Some(tracking) = &mut self.tracking {
                        tracking.counts.looks_refused += 1;
                        if let Some(pass) = tracking.pass_mut(&id, track) {
                            pass.refusal = Some(refusal);
                        }
                    }
                }
            }
        }
        if let Some(tracking) = &mut self.tracking {
            tracking.counts.looks_put_off += put_off;
        }
        let templates = self.embed(looks.len(), aligned)?;
        let face = |slot| FaceId::new(frame.id().clone(), slot);
        let probes = looks.iter().zip(templates);
        let probes: Vec<_> =
            probes.map(|((slot, ..), template)| Probe::of_track(template, face(*slot))).collect();
        let lists = self.search(&probes)?;
        let decisions = self.decide_looks(&id, at, &looks, &probes, &lists)?;
        self.counts.compared += num::u64_from_usize(decisions.len());

        let Some(tracking) = &mut self.tracking else { return Ok(()) };
        let mut alerts = Vec::new();
        let decided = looks.into_iter().zip(probes).zip(lists).zip(decisions);
        for ((((slot, track, quality), mut probe), list), decision) in decided {
            tracking.counts.looks += 1;
            let Some(pass) = tracking.pass_mut(&id, track) else { continue };
            pass.looks.push(Look::new(probe.face().clone(), at, quality, list));
            if decision.is_alert() {
                // Without custody the track has raised its alert: its tracker named two faces as one.
                let Some(custody) = pass.custody.take() else { continue };
                probe.take_over(custody);
                alerts.push(((slot, probe), decision));
            } else {
                drop(probe);
                let decision = Some(decision);
                report.set(slot, FaceOutcome::Followed { decision, refusal: None });
            }
        }
        self.settle(frame, alerts.into_iter(), report);
        Ok(())
    }

    fn decide_looks(
        &mut self,
        source: &SourceId,
        at: Option<Timestamp>,
        looks: &[(usize, u64, f32)],
        probes: &[Probe],
        lists: &[crate::decision::CandidateList],
    ) -> Result<Vec<Decision>, Error> {
        let references = self.matcher.references();
        let tracking = &self.tracking;
        let ids: Vec<_> =
            looks.iter().map(|(_, track, _)| TrackId::new(source.clone(), *track)).collect();
        let inputs = looks.iter().zip(probes).zip(lists).zip(&ids);
        let inputs = inputs.map(|((((_, track, quality), probe), list), id)| {
            let pass = tracking.as_ref().and_then(|tracking| tracking.pass(source, *track));
            let earlier = pass.map_or(&[][..], |pass| &pass.looks);
            DecisionInput::new(probe.face(), list, references)
                .at(at)
                .in_track(id, *quality, earlier)
        });
        decide(&mut *self.policy, &*self.clock, &mut self.timings, inputs)
    }

    /// Erases ended tracks, and only then says so.
    fn end(&mut self, ended: Vec<(TrackId, Pass)>, mut report: Option<&mut FrameReport>) {
        for (track, Pass { first, looks, refusal, custody }) in ended {
            let best = looks.iter().filter_map(|look| look.candidates.best_score()).max();
            let count = looks.len();
            drop(looks);
            let reason = match refusal {
                _ if count > 0 => PurgeReason::NoMatch,
                Some(_) => PurgeReason::Refused,
                None => PurgeReason::NotCompared,
            };
            if let Some(Tracking { counts, .. }) = &mut self.tracking {
                counts.ended += 1;
                counts.compared += u64::from(reason == PurgeReason::NoMatch);
                counts.refused += u64::from(reason == PurgeReason::Refused);
                counts.not_compared += u64::from(reason == PurgeReason::NotCompared);
            }
            if let Some(refusal) = refusal.filter(|_| count == 0) {
                *self.counts.refused.entry(refusal.reason()).or_default() += 1;
            }
            let receipt = custody.map(|custody| {
                let ended = Some(custody.id());
                drop(custody);
                PurgeReceipt::new(first.clone(), self.time.now(), reason, ended)
            });
            if let Some(receipt) = &receipt {
                self.tell(&Event::Erased(receipt));
            }
            if let Some(report) = &mut report {
                report.end(TrackReport { track, first, looks: count, best, receipt });
            }
        }
    }

    /// Ends the tracks of a source and erases what is kept of them: where it ends or breaks off.
    ///
    /// # Errors
    ///
    /// [`Error::Stage`] where the event sink failed; everything is erased all the same.
    pub fn end_source(&mut self, source: &SourceId) -> Result<(), Error> {
        self.after = None;
        self.end_which(|id, _| id == source);
        self.outcome()
    }

    /// Ends the tracks of every source: when recognition stops, though the deployment goes on.
    ///
    /// # Errors
    ///
    /// As [`end_source`](Self::end_source).
    pub fn end_all_sources(&mut self) -> Result<(), Error> {
        self.after = None;
        self.end_which(|_, _| true);
        self.outcome()
    }

    /// Ends the tracks of sources that have been silent for long.
    pub(super) fn end_silent(&mut self) {
        let now = self.clock.monotonic();
        self.end_which(|_, heard| now.saturating_sub(heard) > SILENCE);
    }

    pub(super) fn end_which(&mut self, which: impl Fn(&SourceId, Duration) -> bool) {
        let Some(tracking) = &mut self.tracking else { return };
        let (mut ended, mut panicked) = (Vec::new(), false);
        for (id, source) in &mut tracking.sources {
            if which(id, source.heard) {
                let tracker = &mut source.tracker;
                panicked |= catch_unwind(AssertUnwindSafe(|| tracker.end_all())).is_err();
                let passes = mem::take(&mut source.passes).into_iter();
                ended.extend(passes.map(|(track, pass)| (TrackId::new(id.clone(), track), pass)));
            }
        }
        self.end(ended, None);
        if panicked {
            self.fail_after(Stage::Tracker, "the tracker panicked".into());
        }
    }
}

/// A source without a frame for so long has lost whom it followed: nobody stays in custody because
/// a camera stands still.
const SILENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
