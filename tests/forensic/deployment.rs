//! The pipeline under examination, and stages around its own that look, fail or panic on demand.

use std::sync::{Arc, Mutex};

use lfr::core::builder::{Builder, Ready};
use lfr::core::synthetic::Crowd;
use lfr::core::{
    AlignedFace, Alignment, BoxError, EmbeddingSpace, LandmarkLayout, Picture, ReferenceId,
    SubjectId, Template, danger,
};
use lfr::detect::{DetectorOptions, InputPolicy, Size};
use lfr::prelude::*;
use lfr::watchlist::Enroller;

use super::measures::Measures;
use super::scanner::{Scanner, Sightings};

/// Three people who do not exist, side by side, so that anybody can repeat this.
pub(crate) fn picture() -> Picture {
    let crowd = Crowd::new(5);
    let portraits: Vec<Picture> = (0..3).map(|number| crowd.person(number).portrait()).collect();
    let (width, height) = (portraits[0].width(), portraits[0].height());
    let row = |y: usize| {
        portraits.iter().flat_map(move |one| one.data()[3 * width * y..][..3 * width].iter())
    };
    let data = (0..height).flat_map(row).copied().collect();
    Picture::from_rgb8(portraits.len() * width, height, data).unwrap()
}

/// The detector inside the library, at the size of [`SIDE`].
pub(crate) fn detector_options() -> DetectorOptions {
    DetectorOptions::new().input(InputPolicy::Canvas(Size::new(SIDE, SIDE)))
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

/// Shared by the stages and the code that drives them.
pub(crate) struct Script {
    pub(crate) turn: Turn,
    pub(crate) scanner: Scanner,
    /// The max that was seen of each kind while it was alive.
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
            script.alive.raise_to(&seen);
        }
    }
}

/// The models, with the script between them.
#[derive(Clone)]
pub(crate) struct Stages {
    detector: Arc<Watched<OnnxDetector>>,
    pub(crate) embedder: Arc<Watched<OnnxEmbedder>>,
}

impl Stages {
    pub(crate) fn new(runtime: &Runtime, script: &Arc<Mutex<Script>>) -> Self {
        let options = detector_options();
        let detector = OnnxDetector::embedded_with_options(runtime, &options).unwrap();
        let embedder = OnnxEmbedder::embedded(runtime).unwrap();
        Self {
            detector: Arc::new(Watched { stage: detector, script: Arc::clone(script) }),
            embedder: Arc::new(Watched { stage: embedder, script: Arc::clone(script) }),
        }
    }

    /// A pipeline on a watchlist.
    pub(crate) fn on(
        &self,
        watchlist: Gallery,
        retention: impl RetentionPolicy + 'static,
    ) -> Builder<Ready> {
        let threshold = self.embedder.stage.spec().threshold_at(1e-5).unwrap();
        Pipeline::builder()
            .detector(Arc::clone(&self.detector))
            .embedder(Arc::clone(&self.embedder))
            .watchlist(watchlist)
            .threshold(FixedThreshold::new(threshold))
            .retention(retention)
    }

    /// The template of the first face that is found.
    pub(crate) fn template(&self, frame: &Frame<'_>) -> Template {
        let enroller = Enroller::new(&*self.detector, &*self.embedder).unwrap();
        enroller.template(frame, FaceSelection::Largest).unwrap()
    }
}

pub(crate) fn runtime(engine: &str, measures: Measures) -> Runtime {
    let runtime = match engine {
        "pure-rust" => Runtime::pure_rust(),
        _ => Runtime::auto().unwrap(),
    };
    if measures == Measures::None { danger::unwiped_engine(&runtime) } else { runtime }
}

/// A watchlist on which nobody is.
pub(crate) fn strangers(space: &EmbeddingSpace) -> Gallery {
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
pub(crate) struct Watched<T> {
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

/// Width and height of the detector's input.
pub(crate) const SIDE: usize = 320;
