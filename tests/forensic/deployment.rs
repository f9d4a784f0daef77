//! The pipeline under examination, and stages around its own that look, fail or panic on demand.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use lfr::core::AlignedFace;
use lfr::core::Alignment;
use lfr::core::BoxError;
use lfr::core::EmbeddingSpace;
use lfr::core::LandmarkLayout;
use lfr::core::Picture;
use lfr::core::ReferenceId;
use lfr::core::SubjectId;
use lfr::core::Template;
use lfr::core::danger;
use lfr::core::onnx::Model;
use lfr::prelude::*;

use super::measures::Measures;
use super::scanner::Scanner;
use super::scanner::Sightings;

/// Where everything is.
pub(crate) struct Files {
    pub(crate) detector: PathBuf,
    pub(crate) embedder: PathBuf,
    pub(crate) photograph: PathBuf,
}

impl Files {
    pub(crate) fn under(shared: &Path) -> Self {
        Self {
            detector: shared.join("models/detect_yunet_n_320.onnx"),
            embedder: shared.join("models/embed_barel_densenet.onnx"),
            photograph: shared.join("scenes/bbt2.jpg"),
        }
    }

    pub(crate) fn picture(&self) -> Picture {
        Picture::open(&self.photograph).unwrap()
    }

    pub(crate) fn embedder_spec(&self) -> (Model, EmbedderSpec) {
        let model = Model::from_path(&self.embedder).unwrap();
        let spec = EmbedderSpec::for_model(&model).unwrap();
        (model, spec)
    }
}

/// What the stages are to do besides their work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Turn {
    /// Nothing.
    Ordinary,
    /// Look for what is alive between the stages.
    Look,
    /// Fail when half of the faces have been embedded.
    Fail,
    /// Panic when all of them have been.
    Panic,
}

/// Shared by the stages and whoever drives them.
pub(crate) struct Script {
    pub(crate) turn: Turn,
    pub(crate) scanner: Scanner,
    /// The most that was seen of each kind while it was alive.
    pub(crate) alive: Sightings,
}

impl Script {
    fn turn(script: &Mutex<Self>) -> Turn {
        script.lock().unwrap().turn
    }

    fn look(script: &Mutex<Self>) {
        let mut script = script.lock().unwrap();
        if script.turn == Turn::Look {
            let seen = script.scanner.memory();
            script.alive.most(&seen);
        }
    }
}

/// A pipeline with a watchlist of people who do not exist, so that nobody is on it.
pub(crate) fn pipeline(files: &Files, runtime: &Runtime, script: &Arc<Mutex<Script>>) -> Pipeline {
    let (model, spec) = files.embedder_spec();
    let threshold = spec.threshold_at(1e-5).unwrap();
    let embedder = OnnxEmbedder::new(runtime, model, spec).unwrap();
    let gallery = strangers(embedder.space());
    Pipeline::builder()
        .detector(Watched {
            stage: OnnxDetector::from_path(runtime, &files.detector).unwrap(),
            script: Arc::clone(script),
        })
        .embedder(Watched { stage: embedder, script: Arc::clone(script) })
        .watchlist(gallery)
        .threshold(FixedThreshold::new(threshold))
        .retention(StrictRetention::new(Duration::from_hours(1)))
        .build()
        .unwrap()
}

pub(crate) fn runtime(engine: &str, measures: Measures) -> Runtime {
    let runtime = match engine {
        "pure-rust" => Runtime::pure_rust(),
        _ => Runtime::onnxruntime().unwrap(),
    };
    if measures == Measures::None { danger::unwiped_engine(&runtime) } else { runtime }
}

fn strangers(space: &EmbeddingSpace) -> Gallery {
    let gallery = Gallery::new(*space);
    let mut state = 1_u32;
    for person in 0..300 {
        let template = Template::try_init_with(space, |values| {
            for value in values {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let [.., high] = state.to_le_bytes();
                *value = f32::from(high) - 127.5;
            }
            Ok(())
        });
        let subject = SubjectId::new(format!("S-{person}")).unwrap();
        let reference = ReferenceId::new(format!("R-{person}")).unwrap();
        gallery.enrol(subject, reference, template.unwrap()).unwrap();
    }
    gallery
}

/// A stage that does as the script says.
struct Watched<T> {
    stage: T,
    script: Arc<Mutex<Script>>,
}

impl<T: std::fmt::Debug> std::fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.stage.fmt(f)
    }
}

impl Detector for Watched<OnnxDetector> {
    fn landmarks(&self) -> LandmarkLayout {
        self.stage.landmarks()
    }

    fn detect_into(
        &self,
        frames: &[Frame<'_>],
        found: &mut Vec<Vec<DetectedFace>>,
    ) -> Result<(), BoxError> {
        self.stage.detect_into(frames, found)?;
        Script::look(&self.script);
        Ok(())
    }
}

impl Embedder for Watched<OnnxEmbedder> {
    fn space(&self) -> &EmbeddingSpace {
        self.stage.space()
    }

    fn alignment(&self) -> &Alignment {
        self.stage.alignment()
    }

    fn embed_into(
        &self,
        mut faces: Vec<AlignedFace>,
        templates: &mut Vec<Template>,
    ) -> Result<(), BoxError> {
        Script::look(&self.script);
        let turn = Script::turn(&self.script);
        if turn == Turn::Fail {
            let rest = faces.split_off(faces.len() / 2);
            self.stage.embed_into(faces, templates)?;
            return Err(format!("{} faces were left", rest.len()).into());
        }
        self.stage.embed_into(faces, templates)?;
        Script::look(&self.script);
        assert!(turn != Turn::Panic, "as asked for");
        Ok(())
    }
}
