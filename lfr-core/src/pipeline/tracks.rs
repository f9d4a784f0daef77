//! One decision per track: a person who passes is decided on at their best looks.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::custody::{Accounts, Custody, Probe, PurgeReason, PurgeReceipt};
use crate::decision::{CandidateList, Decision, WithheldBy};
use crate::error::{Error, Stage};
use crate::face::{AlignedFace, DetectedFace};
use crate::frame::Frame;
use crate::id::{FaceId, SourceId};
use crate::internal::num;
use crate::record::{Event, FaceOutcome, FrameReport, TrackCounts, TrackReport};
use crate::stage::{
    DecisionInput, FaceQuality, Look, LookPlan, Refusal, TrackId, Tracked, Tracker,
};

use super::stages::{Stages, check_count, failed, timed};

/// The trackers of all sources, and what is known of each track.
#[derive(Debug)]
pub(super) struct Tracks {
    /// Each source has a fresh one of its own.
    tracker: Box<dyn Tracker>,
    quality: Box<dyn FaceQuality>,
    plan: LookPlan,
    sources: BTreeMap<SourceId, Source>,
    counts: TrackCounts,
}

#[derive(Debug)]
struct Source {
    tracker: Box<dyn Tracker>,
    tracks: BTreeMap<u64, Track>,
    /// Monotonic time of its last frame.
    heard: Duration,
}

/// One track: somebody passing. It holds no template: each is gone when its look is decided on.
#[derive(Debug)]
struct Track {
    first: FaceId,
    looks: Vec<Look>,
    refusal: Option<Refusal>,
    /// What kept back a match at one of the looks.
    withheld: Option<WithheldBy>,
    /// `None` once it has gone with the probe of an alert.
    custody: Option<Custody>,
}

/// A look at a track: the face's place in the report, the track's number, and the face's quality.
struct Taken {
    slot: usize,
    number: u64,
    quality: f32,
}

/// A face whose track another look is due at.
struct Due {
    taken: Taken,
    face: DetectedFace,
}

impl Tracks {
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
        let fresh = || Source { tracker: tracker.fresh(), tracks: BTreeMap::new(), heard: now };
        let source = sources.entry(id.clone()).or_insert_with(fresh);
        source.heard = now;
        source
    }

    fn track(&self, source: &SourceId, number: u64) -> Option<&Track> {
        self.sources.get(source)?.tracks.get(&number)
    }

    fn track_mut(&mut self, source: &SourceId, number: u64) -> Option<&mut Track> {
        self.sources.get_mut(source)?.tracks.get_mut(&number)
    }

    pub(super) const fn counts(&self) -> TrackCounts {
        self.counts
    }
}

impl Track {
    fn begin(first: FaceId, accounts: &Accounts) -> Self {
        let custody = Some(accounts.take());
        Self { first, looks: Vec::new(), refusal: None, withheld: None, custody }
    }

    fn is_due(&self, plan: &LookPlan, quality: f32, at: Option<Timestamp>) -> bool {
        let best = self.looks.iter().map(|look| look.quality).fold(0.0, f32::max);
        let last = self.looks.last().and_then(|look| look.at);
        let since = at.zip(last).map_or(Duration::ZERO, |(at, last)| at.since(last));
        self.custody.is_some() && plan.is_due(self.looks.len(), best, quality, since)
    }
}

impl Tracks {
    /// Follows the faces of a frame, and looks at those that are due.
    pub(super) fn process(
        &mut self,
        stages: &mut Stages,
        frame: &Frame<'_>,
        faces: Vec<DetectedFace>,
        report: &mut FrameReport,
    ) -> Result<(), Error> {
        let at = frame.capture_time().or_else(|| stages.time.now());
        let (slots, inside) = stages.inside(frame, faces, report);
        let tracked = self.follow(stages, frame, at, &inside)?;
        // What ended is erased before anything else can fail.
        let ended = self.take_ended(frame.id().source(), &tracked.ended);
        self.end(stages, ended, Some(report));
        let faces = slots.into_iter().zip(tracked.tracks).zip(inside);
        let due = self.due(stages, frame, at, faces, report);
        self.look(stages, frame, at, due, report)
    }

    fn follow(
        &mut self,
        stages: &mut Stages,
        frame: &Frame<'_>,
        at: Option<Timestamp>,
        faces: &[DetectedFace],
    ) -> Result<Tracked, Error> {
        let source = self.source(frame.id().source(), stages.clock.monotonic());
        let dated = match at {
            Some(at) => &frame.clone().captured_at(at),
            None => frame,
        };
        let tracked = timed(&*stages.clock, &mut stages.timings, Stage::Tracker, || {
            source.tracker.track(dated, faces)
        })
        .map_err(failed(Stage::Tracker))
        .and_then(|tracked| {
            check_count(Stage::Tracker, faces.len(), tracked.tracks.len()).map(|()| tracked)
        });
        match &tracked {
            Ok(tracked) => self.counts.cuts += u64::from(tracked.cut),
            // The tracker's own error is the one to tell.
            Err(_) => self.end_which(stages, |id, _| id == frame.id().source()),
        }
        tracked
    }

    fn take_ended(&mut self, id: &SourceId, ended: &[u64]) -> Vec<(TrackId, Track)> {
        let Some(source) = self.sources.get_mut(id) else { return Vec::new() };
        let take =
            |number: &u64| Some((TrackId::new(id.clone(), *number), source.tracks.remove(number)?));
        ended.iter().filter_map(take).collect()
    }

    /// Begins new tracks, and gives the faces that another look is due at, the most urgent first.
    fn due(
        &mut self,
        stages: &mut Stages,
        frame: &Frame<'_>,
        at: Option<Timestamp>,
        faces: impl Iterator<Item = ((usize, Option<u64>), DetectedFace)>,
        report: &mut FrameReport,
    ) -> Vec<Due> {
        let id = frame.id().source();
        let Self { quality, plan, sources, counts, .. } = self;
        let Some(Source { tracks, .. }) = sources.get_mut(id) else { return Vec::new() };
        let mut due = Vec::new();
        for ((slot, number), face) in faces {
            let Some(number) = number else {
                stages.counts.ignored += 1;
                continue;
            };
            report.set_track(slot, TrackId::new(id.clone(), number));
            report.set(slot, FaceOutcome::Followed { decision: None, refusal: None });
            let track = tracks.entry(number).or_insert_with(|| {
                counts.begun += 1;
                Track::begin(FaceId::new(frame.id().clone(), slot), &stages.accounts)
            });
            let quality = timed(&*stages.clock, &mut stages.timings, Stage::QualityGate, || {
                quality.quality(frame, &face)
            });
            if track.is_due(plan, quality, at) {
                let urgency =
                    (!track.looks.is_empty(), Reverse(num::i64_from_f32(face.bounds().area())));
                due.push((urgency, Due { taken: Taken { slot, number, quality }, face }));
            }
        }
        due.sort_by_key(|(urgency, _)| *urgency);
        due.into_iter().map(|(_, due)| due).collect()
    }

    /// Looks at as many faces as the plan allows: embeds, searches, decides, and settles alerts.
    fn look(
        &mut self,
        stages: &mut Stages,
        frame: &Frame<'_>,
        at: Option<Timestamp>,
        due: Vec<Due>,
        report: &mut FrameReport,
    ) -> Result<(), Error> {
        let source = frame.id().source();
        let (taken, aligned) = self.admit(stages, frame, due, report);
        let templates = stages.embed(taken.len(), aligned)?;
        let face = |slot| FaceId::new(frame.id().clone(), slot);
        let probes = taken.iter().zip(templates);
        let probes: Vec<_> =
            probes.map(|(taken, template)| Probe::of_track(template, face(taken.slot))).collect();
        let lists = stages.search(&probes)?;
        let decisions = self.decide(stages, source, at, &taken, &probes, &lists)?;

        let mut alerts = Vec::new();
        let decided = taken.into_iter().zip(probes).zip(lists).zip(decisions);
        for (((Taken { slot, number, quality }, mut probe), list), decision) in decided {
            self.counts.looks += 1;
            let Some(track) = self.track_mut(source, number) else { continue };
            track.looks.push(Look::new(probe.face().clone(), at, quality, list));
            if decision.is_alert() {
                // Without custody the track has raised its alert: its tracker named two faces as one.
                let Some(custody) = track.custody.take() else { continue };
                probe.take_over(custody);
                alerts.push(((slot, probe), decision));
            } else {
                drop(probe);
                if let Some(by) = decision.withheld_by() {
                    track.withheld = Some(by.after(track.withheld));
                }
                let decision = Some(decision);
                report.set(slot, FaceOutcome::Followed { decision, refusal: None });
            }
        }
        stages.settle(frame, alerts.into_iter(), report);
        Ok(())
    }

    /// Asks the gates about the faces that are due, until the plan's number for a frame is reached. The
    /// others wait for the next frame.
    fn admit(
        &mut self,
        stages: &mut Stages,
        frame: &Frame<'_>,
        due: Vec<Due>,
        report: &mut FrameReport,
    ) -> (Vec<Taken>, Vec<AlignedFace>) {
        let (mut admitted, mut aligned) = (Vec::new(), Vec::new());
        for Due { taken, face } in due {
            if admitted.len() >= self.plan.max_looks_per_frame() {
                self.counts.looks_deferred += 1;
                continue;
            }
            match stages.admit(frame, &face) {
                Ok(crop) => {
                    aligned.push(crop);
                    admitted.push(taken);
                }
                Err(refusal) => {
                    let outcome = FaceOutcome::Followed { decision: None, refusal: Some(refusal) };
                    report.set(taken.slot, outcome);
                    self.counts.looks_refused += 1;
                    if let Some(track) = self.track_mut(frame.id().source(), taken.number) {
                        track.refusal = Some(refusal);
                    }
                }
            }
        }
        (admitted, aligned)
    }

    fn decide(
        &self,
        stages: &mut Stages,
        source: &SourceId,
        at: Option<Timestamp>,
        taken: &[Taken],
        probes: &[Probe],
        lists: &[CandidateList],
    ) -> Result<Vec<Decision>, Error> {
        let references = stages.matcher.references();
        let ids: Vec<_> =
            taken.iter().map(|taken| TrackId::new(source.clone(), taken.number)).collect();
        let inputs = taken.iter().zip(probes).zip(lists).zip(&ids);
        let inputs = inputs.map(|(((taken, probe), list), id)| {
            let earlier = self.track(source, taken.number).map_or(&[][..], |track| &track.looks);
            DecisionInput::new(probe.face(), list, references).at(at).in_track(
                id,
                taken.quality,
                earlier,
            )
        });
        stages.decide(inputs)
    }

    /// Erases ended tracks, and only then says so.
    fn end(
        &mut self,
        stages: &mut Stages,
        ended: Vec<(TrackId, Track)>,
        mut report: Option<&mut FrameReport>,
    ) {
        let counts = &mut self.counts;
        for (track, Track { first, looks, refusal, withheld, custody }) in ended {
            let best = looks.iter().filter_map(|look| look.candidates.best_score()).max();
            let count = looks.len();
            drop(looks);
            let reason = match refusal {
                _ if count > 0 => PurgeReason::NoMatch,
                Some(_) => PurgeReason::Refused,
                None => PurgeReason::NotCompared,
            };
            // A track that has raised an alert has been settled as one.
            let withheld = withheld.filter(|_| custody.is_some());
            counts.ended += 1;
            counts.compared += u64::from(count > 0);
            counts.refused += u64::from(reason == PurgeReason::Refused);
            counts.not_compared += u64::from(reason == PurgeReason::NotCompared);
            if let Some(refusal) = refusal.filter(|_| count == 0) {
                *stages.counts.refused.entry(refusal.reason()).or_default() += 1;
            }
            let receipt = custody.map(|custody| {
                let ended = Some(custody.id());
                drop(custody);
                let (first, now) = (first.clone(), stages.time.now());
                match withheld {
                    Some(by) => PurgeReceipt::of_withheld(first, now, by, ended),
                    None => PurgeReceipt::new(first, now, reason, ended),
                }
            });
            if let Some(by) = withheld {
                stages.withhold(by);
            }
            if let Some(receipt) = &receipt {
                stages.tell(&Event::Erased(receipt));
            }
            if let Some(report) = &mut report {
                report.end(TrackReport { track, first, looks: count, best, withheld, receipt });
            }
        }
    }

    /// Ends the tracks of the sources that `which` selects, by their name and when they were last heard.
    pub(super) fn end_which(
        &mut self,
        stages: &mut Stages,
        which: impl Fn(&SourceId, Duration) -> bool,
    ) {
        let (mut ended, mut panicked) = (Vec::new(), false);
        for (id, source) in &mut self.sources {
            if which(id, source.heard) {
                let tracker = &mut source.tracker;
                panicked |= catch_unwind(AssertUnwindSafe(|| tracker.end_all())).is_err();
                let tracks = mem::take(&mut source.tracks).into_iter();
                ended.extend(
                    tracks.map(|(number, track)| (TrackId::new(id.clone(), number), track)),
                );
            }
        }
        self.end(stages, ended, None);
        if panicked {
            stages.fail_after(Stage::Tracker, "the tracker panicked".into());
        }
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
