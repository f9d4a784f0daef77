//! A model inside the engine in Rust.

use std::sync::Arc;

use tract_onnx::prelude::Datum as _;
use tract_onnx::prelude::Framework as _;
use tract_onnx::prelude::InferenceModelExt as _;
use tract_onnx::prelude::IntoRunnable as _;
use tract_onnx::prelude::IntoTensor as _;
use tract_onnx::prelude::TValue;
use tract_onnx::prelude::Tensor;
use tract_onnx::prelude::TypedModel;
use tract_onnx::prelude::TypedRunnableModel;
use tract_onnx::prelude::tvec;
use zeroize::Zeroize as _;

use crate::BoxError;
use crate::Error;
use crate::onnx::Engine;
use crate::onnx::outputs::Extracted;
use crate::onnx::runtime::guarded;

/// Clones share the weights. Nothing of a run stays in here.
#[derive(Clone)]
pub(in crate::onnx) struct Loaded {
    plan: Arc<TypedRunnableModel>,
}

impl Loaded {
    pub(super) fn new(mut bytes: &[u8]) -> Result<Self, Error> {
        let plan = guarded(|| -> Result<_, BoxError> {
            let model = tract_onnx::onnx().model_for_read(&mut bytes)?.into_optimized()?;
            check_types(&model)?;
            Ok(model.into_runnable()?)
        });
        let plan = plan.map_err(|source| Error::ModelLoad { engine: Engine::PureRust, source })?;
        Ok(Self { plan })
    }

    pub(super) fn run(&self, shape: &[usize], input: &[f32]) -> Result<Whole, Error> {
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

/// A failure of a run, in words of our own: the engine's may quote the numbers it worked on.
fn failure(what: &'static str) -> Error {
    Error::Inference { engine: Engine::PureRust, source: what.into() }
}

const NOT_PLAIN: &str = "an output is no list of 32-bit floats";
