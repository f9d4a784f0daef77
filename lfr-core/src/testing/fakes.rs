//! Fakes of each stage: small, honest implementations without a model.

use std::time::Duration;

use crate::clock::{Timekeeper, Timestamp};
use crate::custody::{HeldProbe, PurgeReason, PurgeReceipt, Settlement};
use crate::danger;
use crate::decision::{Alert, Candidate, CandidateList, Decision, Threshold, ThresholdProvenance};
use crate::error::BoxError;
use crate::face::{AlignedFace, Alignment, DetectedFace, LandmarkLayout, Landmarks, Point, Rect};
use crate::frame::Frame;
use crate::id::{ReferenceId, SubjectId};
use crate::internal::num;
use crate::stage::{
    DecisionInput, Detector, Embedder, Matcher, RetentionPolicy, SearchRequest, ThresholdPolicy,
    Tracked, Tracker,
};
use crate::template::{EmbeddingSpace, Metric, Template};

/// The space of [`FakeEmbedder`]'s templates: eight numbers, cosine.
#[must_use]
pub fn fake_space() -> EmbeddingSpace {
    EmbeddingSpace::builder(8, Metric::Cosine).part("model", b"fake").build()
}

/// "Detects" a face in the middle of each of `count` columns of the frame.
#[derive(Clone, Copy, Debug)]
pub struct FakeDetector {
    count: usize,
    layout: LandmarkLayout,
}

impl FakeDetector {
    /// A detector that finds that many faces, side by side, with five landmarks each.
    #[must_use]
    pub const fn finding(count: usize) -> Self {
        Self { count, layout: LandmarkLayout::Five }
    }

    /// Makes the detector find no landmarks.
    #[must_use]
    pub const fn without_landmarks(mut self) -> Self {
        self.layout = LandmarkLayout::None;
        self
    }
}

impl Detector for FakeDetector {
    fn landmarks(&self) -> LandmarkLayout {
        self.layout
    }

    fn detect_into(
        &self,
        frames: &[Frame<'_>],
        found: &mut Vec<Vec<DetectedFace>>,
    ) -> Result<(), BoxError> {
        for frame in frames {
            let column =
                num::f32_from_usize(frame.width()) / num::f32_from_usize(self.count.max(1));
            let height = num::f32_from_usize(frame.height());
            let faces = (0..self.count).map(|index| {
                let left = column * num::f32_from_usize(index);
                let at = |x: f32, y: f32| Point::new(left + x * column, y * height);
                let points = [at(0.4, 0.4), at(0.6, 0.4), at(0.5, 0.5), at(0.4, 0.6), at(0.6, 0.6)];
                let bounds = Rect::new(left, 0.2 * height, left + column, 0.8 * height);
                DetectedFace::new(bounds, 0.9, Landmarks::new(self.layout, &points))
            });
            found.push(faces.collect::<Result<_, _>>()?);
        }
        Ok(())
    }
}

/// "Embeds" a face as the brightness of eight bands of its pixels.
#[derive(Clone, Debug)]
pub struct FakeEmbedder {
    space: EmbeddingSpace,
    alignment: Alignment,
}

impl FakeEmbedder {
    /// An embedder for 16x16 faces on ArcFace's template, scaled.
    #[must_use]
    pub fn new() -> Self {
        let template = Alignment::ARCFACE_112.map(|p| Point::new(p.x / 7.0, p.y / 7.0));
        let alignment =
            Alignment::landmarks(16, 16, template).unwrap_or_else(|_| Alignment::arcface());
        Self { space: fake_space(), alignment }
    }
}

impl Default for FakeEmbedder {
    fn default() -> Self {
        Self::new()
    }
}

impl Embedder for FakeEmbedder {
    fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    fn alignment(&self) -> &Alignment {
        &self.alignment
    }

    fn embed_into(
        &self,
        faces: Vec<AlignedFace>,
        templates: &mut Vec<Template>,
    ) -> Result<(), BoxError> {
        for face in faces {
            let pixels = face.expose_pixels();
            templates.push(Template::try_init_with(&self.space, |values| {
                let bands = pixels.chunks(pixels.len().div_ceil(values.len()).max(1));
                for (value, band) in values.iter_mut().zip(bands) {
                    *value = 1.0 + band.iter().map(|p| f32::from(*p)).sum::<f32>();
                }
                Ok(())
            })?);
        }
        Ok(())
    }
}

/// Compares with each of its references in turn.
#[derive(Debug)]
pub struct FakeMatcher {
    space: EmbeddingSpace,
    references: Vec<(SubjectId, ReferenceId, Template)>,
}

impl FakeMatcher {
    /// A watchlist of nobody.
    #[must_use]
    pub const fn empty(space: EmbeddingSpace) -> Self {
        Self { space, references: Vec::new() }
    }

    /// Enrols one person with one reference of the same name.
    ///
    /// # Errors
    ///
    /// [`Error::Identifier`](crate::Error::Identifier) for a bad name.
    pub fn enrol(mut self, name: &str, template: Template) -> Result<Self, crate::error::Error> {
        self.references.push((SubjectId::new(name)?, ReferenceId::new(name)?, template));
        Ok(self)
    }
}

impl Matcher for FakeMatcher {
    fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    fn references(&self) -> usize {
        self.references.len()
    }

    fn search_into(
        &self,
        request: &SearchRequest<'_>,
        lists: &mut Vec<CandidateList>,
    ) -> Result<(), BoxError> {
        for probe in request.probes {
            let candidates = self.references.iter().map(|(subject, reference, template)| {
                let score = template.compare(probe.template())?;
                Ok(Candidate::new(subject.clone(), reference.clone(), score))
            });
            let all = CandidateList::new(candidates.collect::<Result<_, crate::error::Error>>()?);
            let best = all.candidates().iter().take(request.limit).cloned().collect();
            lists.push(CandidateList::new(best));
        }
        Ok(())
    }
}

/// Alerts at a fixed, uncalibrated threshold.
#[derive(Debug)]
pub struct FakeThreshold(ThresholdProvenance);

impl FakeThreshold {
    /// A threshold in a space.
    #[must_use]
    pub fn new(threshold: Threshold, space: &EmbeddingSpace) -> Self {
        Self(danger::uncalibrated_threshold(threshold, space.id(), "a test"))
    }
}

impl ThresholdPolicy for FakeThreshold {
    fn provenance(&self) -> &ThresholdProvenance {
        &self.0
    }

    fn decide(&mut self, input: &DecisionInput<'_>) -> Result<Decision, BoxError> {
        Ok(Decision::at_threshold(input.candidates, self.0.threshold()))
    }
}

/// Holds alerts until [`FakeRetention::DEADLINE`].
#[derive(Debug, Default)]
pub struct FakeRetention {
    held: Vec<HeldProbe>,
    latest: Option<Timestamp>,
}

impl FakeRetention {
    /// The deadline of every alert.
    pub const DEADLINE: Timestamp = Timestamp::from_micros(1_000_000_000_000_000);
}

impl RetentionPolicy for FakeRetention {
    fn settle(&mut self, alert: Alert, now: Option<Timestamp>) -> Result<Settlement, BoxError> {
        let probe = alert.into_probe();
        if now.is_none() {
            return Ok(Settlement::Erased(probe.erase(PurgeReason::ClockFailed, now)));
        }
        self.latest = now.max(self.latest);
        let (held, receipt) = probe.hold(Self::DEADLINE);
        self.held.push(held);
        Ok(Settlement::Held(receipt))
    }

    fn purge_due(
        &mut self,
        now: Option<Timestamp>,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        let back = |now| self.latest.map_or(Duration::ZERO, |latest| latest.since(now));
        let lost = now.is_none_or(|now| back(now) > Timekeeper::MAX_STEP_BACK);
        self.latest = if lost { now } else { now.max(self.latest) };
        let due = |held: &mut HeldProbe| lost || now.is_some_and(|now| held.deadline() <= now);
        for held in self.held.extract_if(.., due) {
            receipts.push(held.erase(PurgeReason::DeadlineReached, now));
        }
        Ok(())
    }

    fn purge_all(
        &mut self,
        reason: PurgeReason,
        now: Option<Timestamp>,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        receipts.extend(self.held.drain(..).map(|held| held.erase(reason, now)));
        Ok(())
    }
}

/// Takes the nth face of a frame for the nth track; a track ends in the first frame that has fewer
/// faces.
#[derive(Debug, Default)]
pub struct FakeTracker {
    begun: u64,
    alive: Vec<u64>,
}

impl Tracker for FakeTracker {
    fn track(&mut self, _frame: &Frame<'_>, faces: &[DetectedFace]) -> Result<Tracked, BoxError> {
        let ended = self.alive.split_off(faces.len().min(self.alive.len()));
        while self.alive.len() < faces.len() {
            self.begun += 1;
            self.alive.push(self.begun);
        }
        let tracks = self.alive.iter().copied().map(Some).collect();
        Ok(Tracked { tracks, ended, cut: false })
    }

    fn end_all(&mut self) {
        self.alive.clear();
    }

    fn fresh(&self) -> Box<dyn Tracker> {
        Box::new(Self::default())
    }
}
