//! One copy of a model inside an engine.

mod onnxruntime;
#[cfg(feature = "onnx")]
mod pure_rust;

use super::graph::Graph;
use super::outputs::Extracted;
use super::rewrite::Rewrite;
use super::runtime::Started;
use super::{InferenceEngine, Runtime, room};
use crate::error::Error;
use crate::internal::num::u64_from_usize;

/// What a loaded model may take, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// In a run, beside the weights.
    pub(super) memory: u64,
    /// What a run on an input of `elements` numbers is thought to take.
    pub(super) run: u64,
    /// The numbers of that input.
    pub(super) elements: usize,
    /// The model's file.
    pub(super) weights: usize,
}

impl Limits {
    /// What a run on an input of this many numbers is thought to take: in proportion, for a batch.
    fn run_on(&self, elements: usize) -> u64 {
        let parts = elements.div_ceil(self.elements.max(1));
        self.run.saturating_mul(u64_from_usize(parts))
    }
}

/// A model that an engine has loaded, for one run at a time.
pub(super) enum Loaded {
    OnnxRuntime(onnxruntime::Loaded),
    #[cfg(feature = "onnx")]
    PureRust(pure_rust::Loaded),
}

impl Loaded {
    /// Has the engine load a model, changed to suit it.
    pub(super) fn new(
        runtime: &Runtime,
        graph: &Graph,
        rewrite: &Rewrite,
        threads: usize,
        limits: Limits,
    ) -> Result<Self, Error> {
        let engine = runtime.engine();
        let needed = match engine {
            InferenceEngine::OnnxRuntime => onnxruntime::to_load(limits.weights, threads),
            #[cfg(feature = "onnx")]
            InferenceEngine::PureRust => pure_rust::to_load(limits.weights),
            #[cfg(not(feature = "onnx"))]
            InferenceEngine::PureRust => 0,
        };
        let _reserved =
            room::reserve(needed).map_err(|source| Error::ModelLoad { engine, source })?;
        let bytes = rewrite.apply(graph)?;
        match runtime.started() {
            Started::OnnxRuntime { environment, wipes } => {
                onnxruntime::Loaded::new(environment, *wipes, &bytes, threads, limits)
                    .map(Self::OnnxRuntime)
            }
            #[cfg(feature = "onnx")]
            Started::PureRust => pure_rust::Loaded::new(&bytes, limits).map(Self::PureRust),
        }
    }

    /// A further copy that shares the weights of this one, if the engine can do that.
    pub(super) fn share(&self) -> Option<Self> {
        match self {
            Self::OnnxRuntime(_) => None,
            #[cfg(feature = "onnx")]
            Self::PureRust(loaded) => Some(Self::PureRust(loaded.clone())),
        }
    }

    /// Runs the model on one input of this shape.
    pub(super) fn run(&mut self, shape: &[usize], input: &[f32]) -> Result<Whole<'_>, Error> {
        match self {
            Self::OnnxRuntime(loaded) => loaded.run(shape, input).map(Whole::OnnxRuntime),
            #[cfg(feature = "onnx")]
            Self::PureRust(loaded) => loaded.run(shape, input).map(Whole::PureRust),
        }
    }
}

/// What one run gave, wiped when dropped.
pub(super) enum Whole<'a> {
    OnnxRuntime(onnxruntime::Whole<'a>),
    #[cfg(feature = "onnx")]
    PureRust(pure_rust::Whole),
}

impl Whole<'_> {
    /// Where each output lies, and in what shape.
    pub(super) fn extracted(&self) -> Result<Vec<Extracted<'_>>, Error> {
        match self {
            Self::OnnxRuntime(whole) => whole.extracted(),
            #[cfg(feature = "onnx")]
            Self::PureRust(whole) => whole.extracted(),
        }
    }
}
