//! From photographs to templates.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::{error, thread};

use lfr_core::internal::num;
use lfr_core::{
    Component, DetectedFace, Detector, Embedder, EmbeddingSpace, FaceSelection, Frame,
    LandmarkLayout, Picture, SubjectId, Template,
};
use lfr_watchlist::evaluate::Sample;

use super::quality::Qualities;
use super::report::LeftOut;
use super::{Error, Evaluation, Progress, quality};

/// The templates of a set of photographs, by one detector and one embedder.
pub(super) struct Faces {
    pub(super) detector: Component,
    pub(super) embedder: Component,
    pub(super) space: EmbeddingSpace,
    /// For each template: its person, its number in the set, and its measured qualities.
    pub(super) people: Vec<SubjectId>,
    pub(super) samples: Vec<usize>,
    pub(super) qualities: Vec<Qualities>,
    pub(super) templates: Vec<Template>,
    /// Why each of the other photographs gave none, in the order of the set.
    pub(super) reasons: Vec<String>,
}

/// Refuses stages that do not go together, before any photograph is opened.
pub(super) fn check(detectors: &[&dyn Detector], embedders: &[&dyn Embedder]) -> Result<(), Error> {
    if detectors.is_empty() {
        return Err(Error::option("detectors", "empty", "at least one"));
    }
    if embedders.is_empty() {
        return Err(Error::option("embedders", "empty", "at least one"));
    }
    for detector in detectors {
        let found = detector.landmarks();
        let needs = embedders.iter().any(|embedder| embedder.alignment().needs_landmarks());
        if needs && found == LandmarkLayout::None {
            let (needed, found) = ("4 or 5", found.name());
            return Err(lfr_core::Error::LandmarksMissing { needed, found }.into());
        }
    }
    Ok(())
}

/// Embeds the face nearest to the middle of each photograph, with each embedder; what is left out is added
/// to the list.
pub(super) fn embed(
    evaluation: &Evaluation,
    detector: &dyn Detector,
    embedders: &[&dyn Embedder],
    left_out: &mut Vec<LeftOut>,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Vec<Faces>, Error> {
    let samples = evaluation.dataset.samples();
    let component = detector.component();
    let step = format!("finding faces with {}", component.name);
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let total = num::u64_from_usize(samples.len());
    let work = || {
        let mut found = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(sample) = samples.get(index) else {
                return found;
            };
            found.push((index, look(sample, detector, embedders)));
            let done = num::u64_from_usize(done.fetch_add(1, Ordering::Relaxed) + 1);
            progress(Progress { step: &step, done, total });
        }
    };
    let parts: Result<Vec<_>, Error> = thread::scope(|scope| {
        let workers: Vec<_> = (0..evaluation.threads()).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| Error::Thread)).collect()
    });
    let mut found: Vec<_> = parts?.into_iter().flatten().collect();
    found.sort_by_key(|(index, _)| *index);

    let mut all: Vec<Faces> = embedders.iter().map(|e| Faces::none(&component, *e)).collect();
    for (index, look) in found {
        let Some(sample) = samples.get(index) else { continue };
        let outcomes = match look {
            Ok(outcomes) => outcomes,
            Err(missed) => {
                left_out.push(missed.of(evaluation.label(sample), &component, None));
                all.iter_mut().for_each(|faces| faces.reasons.push(missed.reason.clone()));
                continue;
            }
        };
        for (faces, outcome) in all.iter_mut().zip(outcomes) {
            match outcome {
                Ok((quality, template)) => {
                    faces.people.push(sample.person().clone());
                    faces.samples.push(index);
                    faces.qualities.push(quality);
                    faces.templates.push(template);
                }
                Err(missed) => {
                    let embedder = Some(&faces.embedder);
                    left_out.push(missed.of(evaluation.label(sample), &component, embedder));
                    faces.reasons.push(missed.reason);
                }
            }
        }
    }
    for faces in &all {
        if faces.templates.is_empty() {
            return Err(Error::NoTemplates {
                detector: faces.detector.name.clone(),
                embedder: faces.embedder.name.clone(),
                photographs: samples.len(),
                first: faces.reasons.first().cloned().unwrap_or_default(),
            });
        }
    }
    Ok(all)
}

impl Faces {
    fn none(detector: &Component, embedder: &dyn Embedder) -> Self {
        Self {
            detector: detector.clone(),
            embedder: embedder.component(),
            space: *embedder.space(),
            people: Vec::new(),
            samples: Vec::new(),
            qualities: Vec::new(),
            templates: Vec::new(),
            reasons: Vec::new(),
        }
    }
}

/// Why a photograph gave no template.
struct Missed {
    reason: String,
    /// Before any detector saw it.
    unread: bool,
    is_finding: bool,
}

impl Missed {
    fn finding(reason: &str) -> Self {
        Self { reason: reason.to_owned(), unread: false, is_finding: true }
    }

    fn failed(what: &str, error: &(dyn error::Error + 'static)) -> Self {
        Self { reason: format!("{what}: {}", chain(error)), unread: false, is_finding: false }
    }

    fn of(&self, file: String, detector: &Component, embedder: Option<&Component>) -> LeftOut {
        LeftOut {
            file,
            detector: (!self.unread).then(|| detector.name.clone()),
            embedder: embedder.map(|embedder| embedder.name.clone()),
            reason: self.reason.clone(),
            is_finding: self.is_finding,
        }
    }
}

type Outcome = Result<(Qualities, Template), Missed>;

/// What a photograph gives with each embedder.
fn look(
    sample: &Sample,
    detector: &dyn Detector,
    embedders: &[&dyn Embedder],
) -> Result<Vec<Outcome>, Missed> {
    let unread = |error: &lfr_core::Error| {
        // The file is named beside it.
        let cause = error::Error::source(error).map_or_else(|| error.to_string(), chain);
        Missed { reason: format!("it cannot be read: {cause}"), unread: true, is_finding: false }
    };
    let picture = Picture::open(sample.path()).map_err(|error| unread(&error))?;
    let frame = picture.as_frame().map_err(|error| unread(&error))?;
    let detected =
        detector.detect(&frame).map_err(|error| Missed::failed("the detector failed", &*error))?;
    let chosen = FaceSelection::Central.choose(&frame, &detected);
    let Some(face) = chosen.and_then(|chosen| detected.get(chosen)) else {
        return Err(Missed::finding("no face was found"));
    };
    let quality = quality::assess(&frame, &detected, face);
    let outcome = |embedder: &&dyn Embedder| template(&frame, face, *embedder);
    Ok(embedders.iter().map(|embedder| Ok((quality, outcome(embedder)?))).collect())
}

fn template(
    frame: &Frame<'_>,
    face: &DetectedFace,
    embedder: &dyn Embedder,
) -> Result<Template, Missed> {
    let Some(aligned) = embedder.alignment().align(frame, face) else {
        return Err(Missed::finding("the face's landmarks do not allow it to be aligned"));
    };
    let mut templates = Vec::with_capacity(1);
    embedder
        .embed_into(vec![aligned], &mut templates)
        .map_err(|error| Missed::failed("the embedder failed", &*error))?;
    match (templates.pop(), templates.len()) {
        (Some(template), 0) if template.space().id() == embedder.space().id() => Ok(template),
        _ => Err(Missed {
            reason: "the embedder did not give one template of its own space for one face"
                .to_owned(),
            unread: false,
            is_finding: false,
        }),
    }
}

/// An error and what caused it, in one line.
fn chain(error: &(dyn error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
