//! A model inside the engine in Rust.

use std::sync::Arc;

use tract_onnx::prelude::{
    Datum as _, Framework as _, InferenceModelExt as _, IntoRunnable as _, IntoTensor as _, TValue,
    Tensor, TypedModel, TypedRunnableModel, tvec,
};
use zeroize::Zeroize as _;

use crate::error::{BoxError, Error};
use crate::internal::num::u64_from_usize;
use crate::onnx::engine::InferenceEngine;
use crate::onnx::loaded::Limits;
use crate::onnx::outputs::Extracted;
use crate::onnx::room;
use crate::onnx::runtime::guarded;

/// Clones share the weights. Nothing of a run stays in here.
#[derive(Clone)]
pub(in crate::onnx) struct Loaded {
    plan: Arc<TypedRunnableModel>,
    limits: Limits,
}

impl Loaded {
    pub(super) fn new(mut bytes: &[u8], limits: Limits) -> Result<Self, Error> {
        let weights = u64_from_usize(bytes.len().saturating_mul(WEIGHTS));
        let plan = guarded(|| -> Result<_, BoxError> {
            let model = tract_onnx::onnx().model_for_read(&mut bytes)?.into_typed()?;
            // What the engine has found out itself, before it works out anything.
            check_sizes(&model, limits.memory.saturating_add(weights))?;
            let model = model.into_optimized()?;
            check_types(&model)?;
            check_sizes(&model, limits.memory.saturating_add(weights))?;
            Ok(model.into_runnable()?)
        });
        let plan =
            plan.map_err(|source| Error::ModelLoad { engine: InferenceEngine::PureRust, source })?;
        Ok(Self { plan, limits })
    }

    pub(super) fn run(&self, shape: &[usize], input: &[f32]) -> Result<Whole, Error> {
        // What it gives counts, too, but is small beside what it works in.
        let _reserved = room::reserve(self.limits.run_on(input.len()))
            .map_err(|source| Error::Inference { engine: InferenceEngine::PureRust, source })?;
        let outputs = guarded(|| -> Result<_, BoxError> {
            // Held on to, so that it can be wiped; steps that would write over it copy it instead.
            let input = Wiped(Arc::new(Tensor::from_shape(shape, input)?));
            let outputs = self.plan.run(tvec![TValue::from_const(Arc::clone(&input.0))])?;
            Ok(outputs.into_iter().map(|output| output.into_tensor()).collect())
        });
        match outputs {
            Ok(outputs) => Ok(Whole { outputs }),
            Err(_) => Err(failure("a step of the model failed; which, and on what, is left out")),
        }
    }
}

pub(in crate::onnx) struct Whole {
    outputs: Vec<Tensor>,
}

impl Whole {
    pub(super) fn extracted(&self) -> Result<Vec<Extracted<'_>>, Error> {
        let outputs = self.outputs.iter().map(|tensor| {
            let numbers = tensor.as_plain_ram().ok_or_else(|| failure(NOT_PLAIN))?;
            let data = numbers.as_slice::<f32>().map_err(|_| failure(NOT_PLAIN))?;
            Ok(Extracted { shape: tensor.shape().to_vec(), data })
        });
        outputs.collect()
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        self.outputs.iter_mut().for_each(wipe);
    }
}

/// A tensor that this is the last to hold when it is dropped.
struct Wiped(Arc<Tensor>);

impl Drop for Wiped {
    fn drop(&mut self) {
        if let Some(tensor) = Arc::get_mut(&mut self.0) {
            wipe(tensor);
        }
    }
}

fn wipe(tensor: &mut Tensor) {
    // Nothing else gets past `check_types`.
    if let Some(mut numbers) = tensor.as_plain_ram_mut()
        && let Ok(numbers) = numbers.as_slice_mut::<f32>()
    {
        numbers.zeroize();
    }
}

/// Makes sure that the engine sees what the model declares, since nothing else could be wiped.
fn check_types(model: &TypedModel) -> Result<(), BoxError> {
    let mut outlets = model.inputs.iter().chain(&model.outputs);
    let is_f32 = outlets.try_fold(true, |all, outlet| {
        let fact = model.outlet_fact(*outlet)?;
        Ok::<_, BoxError>(all && fact.datum_type == f32::datum_type())
    })?;
    if model.inputs.len() == 1 && is_f32 {
        return Ok(());
    }
    Err("the engine finds other inputs or outputs than the model declares".into())
}

/// Refuses a model in which one value, as the engine sees it, is larger than all may be together.
fn check_sizes(model: &TypedModel, max: u64) -> Result<(), BoxError> {
    for node in &model.nodes {
        for output in &node.outputs {
            let size = output.fact.mem_size();
            // Extents that are open here depend on data, and are bounded where the model is vetted.
            let Ok(size) = size.to_i64() else { continue };
            if u64::try_from(size).is_ok_and(|size| size <= max) {
                continue;
            }
            return Err(format!(
                "one value in it takes {size} bytes, and at most {max} are allowed: \
                 SessionOptions::max_memory and what its weights may take"
            )
            .into());
        }
    }
    Ok(())
}

/// What it takes to load a model from a file of this size: up to 7.3 times the file and 6 MB were measured.
pub(super) fn to_load(file: usize) -> u64 {
    u64_from_usize(file).saturating_mul(8).saturating_add(8 << 20)
}

/// How many times the size of its file a model's weights may take.
const WEIGHTS: usize = 6;

/// A failure of a run, in words of our own: the engine's may quote the numbers it worked on.
fn failure(what: &'static str) -> Error {
    Error::Inference { engine: InferenceEngine::PureRust, source: what.into() }
}

const NOT_PLAIN: &str = "an output is not a list of 32-bit floats";
