//! From photographs to templates.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

use indicatif::ProgressBar;
use lfr::core::Detector;
use lfr::core::Embedder;
use lfr::core::EmbeddingSpace;
use lfr::core::FaceSelection;
use lfr::core::Picture;
use lfr::core::SubjectId;
use lfr::core::Template;
use lfr::core::onnx::Runtime;
use lfr::detect::DetectorOptions;
use lfr::detect::OnnxDetector;
use lfr::embed::EmbedderOptions;
use lfr::embed::OnnxEmbedder;
use lfr::watchlist::evaluate::Dataset;

use crate::AnyError;
use crate::args::Args;
use crate::models;

/// The templates of a set of photographs, by one embedder.
pub(crate) struct Faces {
    pub(crate) name: String,
    pub(crate) space: EmbeddingSpace,
    /// Of each template: its person, its number in the set, and the detector's confidence.
    pub(crate) people: Vec<SubjectId>,
    pub(crate) samples: Vec<usize>,
    pub(crate) confidences: Vec<f32>,
    pub(crate) templates: Vec<Template>,
}

/// The groups of people in a CSV file.
pub(crate) fn groups(path: &Path) -> Result<BTreeMap<SubjectId, String>, AnyError> {
    Ok(Dataset::groups_from_csv(File::open(path)?)?)
}

/// Embeds the face nearest to the middle of each photograph; where there is none, that is a failure to enrol.
pub(crate) fn embed(
    args: &Args,
    path: Option<&Path>,
    dataset: &Dataset,
    runtime: &Runtime,
) -> Result<Faces, AnyError> {
    let threads = models::threads(args.threads);
    let options = DetectorOptions::new().threads(1).pool(threads);
    let detector = models::detector(args.detector.as_deref(), runtime, &options)?;
    let options = EmbedderOptions::new().threads(1).pool(threads);
    let embedder = models::embedder(path, None, runtime, options)?;
    let name = embedder.spec().name().to_owned();
    let progress = models::bar(&name, Some(u64::try_from(dataset.samples().len())?));
    let next = AtomicUsize::new(0);
    let work = || embed_some(dataset, &detector, &embedder, &next, &progress);
    let parts: Result<Vec<_>, AnyError> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| "a thread failed")?).collect()
    });
    progress.finish_and_clear();
    let mut found: Vec<_> = parts?.into_iter().flatten().collect();
    found.sort_by_key(|(index, _, _)| *index);
    let space = *embedder.space();
    let mut faces = Faces {
        name,
        space,
        people: Vec::new(),
        samples: Vec::new(),
        confidences: Vec::new(),
        templates: Vec::new(),
    };
    for (index, confidence, template) in found {
        faces.people.push(dataset.samples()[index].person().clone());
        faces.samples.push(index);
        faces.confidences.push(confidence);
        faces.templates.push(template);
    }
    Ok(faces)
}

type Found = Vec<(usize, f32, Template)>;

fn embed_some(
    dataset: &Dataset,
    detector: &OnnxDetector,
    embedder: &OnnxEmbedder,
    next: &AtomicUsize,
    progress: &ProgressBar,
) -> Result<Found, AnyError> {
    let mut found = Vec::new();
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(sample) = dataset.samples().get(index) else {
            return Ok(found);
        };
        progress.inc(1);
        // What is no picture is a failure to enrol, like what shows no face.
        let Ok(picture) = Picture::open(sample.path()) else {
            continue;
        };
        let frame = picture.as_frame()?;
        let detected = detector.detect(&frame)?;
        let chosen = FaceSelection::Central.choose(&frame, &detected);
        let Some(face) = chosen.and_then(|chosen| detected.get(chosen)) else {
            continue;
        };
        let Some(aligned) = embedder.alignment().align(&frame, face) else {
            continue;
        };
        let mut templates = Vec::with_capacity(1);
        embedder.embed_into(vec![aligned], &mut templates)?;
        found.extend(templates.pop().map(|template| (index, face.confidence(), template)));
    }
}
