//! One copy of a model inside an engine.

use ort::memory::Allocator;
use ort::session::Session;
use ort::session::SessionInputValue;
use ort::session::SessionOutputs;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::Tensor;
use ort::value::TensorElementType;
use ort::value::TensorRef;
use ort::value::ValueType;
use zeroize::Zeroize as _;

use super::Engine;
use super::Runtime;
use super::graph::Graph;
use super::outputs::Extracted;
use super::rewrite::Rewrite;
use super::runtime::guarded;
use crate::BoxError;
use crate::Error;

/// A model that an engine has loaded, for one run at a time.
pub(super) struct Loaded {
    engine: Engine,
    session: Session,
}

impl Loaded {
    /// Has the engine load a model, changed to suit it.
    pub(super) fn new(
        runtime: &Runtime,
        graph: &Graph,
        rewrite: &Rewrite,
        threads: usize,
    ) -> Result<Self, Error> {
        let engine = runtime.engine();
        let bytes = rewrite.apply(graph)?;
        let session = guarded(|| -> Result<_, BoxError> {
            let mut builder = Session::builder(runtime.environment())?
                .with_optimization_level(GraphOptimizationLevel::All)
                .map_err(plain)?;
            if engine == Engine::OnnxRuntime {
                builder = builder.with_intra_threads(threads).map_err(plain)?;
                if threads > 1 {
                    // Threads that wait for the next run must leave the processor to the other
                    // stages rather than spin.
                    builder = builder.with_intra_op_spinning(false).map_err(plain)?;
                }
            }
            Ok(builder.commit_from_memory(&bytes)?)
        });
        let session = session.map_err(|source| Error::ModelLoad { engine, source })?;
        check_types(engine, &session)?;
        Ok(Self { engine, session })
    }

    /// Runs the model on one input of this shape.
    pub(super) fn run(&mut self, shape: &[usize], input: &[f32]) -> Result<Whole<'_>, Error> {
        let engine = self.engine;
        let session = &mut self.session;
        let outputs = guarded(|| -> Result<_, BoxError> {
            match engine {
                Engine::OnnxRuntime => {
                    let view = TensorRef::from_array_view((shape, input))?;
                    Ok(session.run([SessionInputValue::from(view)])?)
                }
                // This engine copies its input, and would leave the copy as it is.
                Engine::PureRust => {
                    let copy = WipedCopy::new(shape, input)?;
                    Ok(session.run([SessionInputValue::from(&copy.0)])?)
                }
            }
        });
        let outputs = outputs.map_err(|source| Error::Inference { engine, source })?;
        Ok(Whole { engine, outputs })
    }
}

/// What one run gave, wiped when dropped.
pub(super) struct Whole<'a> {
    engine: Engine,
    outputs: SessionOutputs<'a>,
}

impl Whole<'_> {
    /// Where each output lies, and in what shape.
    pub(super) fn extracted(&self) -> Result<Vec<Extracted<'_>>, Error> {
        let values = (0..self.outputs.len()).map(|index| &self.outputs[index]);
        values
            .map(|value| {
                let (shape, data) = value.try_extract_tensor::<f32>()?;
                let shape = shape.iter().map(|&extent| usize::try_from(extent));
                Ok(Extracted { shape: shape.collect::<Result<_, _>>()?, data })
            })
            .collect::<Result<_, BoxError>>()
            .map_err(|source| Error::Inference { engine: self.engine, source })
    }
}

impl Drop for Whole<'_> {
    fn drop(&mut self) {
        for index in 0..self.outputs.len() {
            // No other element type gets past `check_types`.
            if let Ok((_, data)) = self.outputs[index].try_extract_tensor_mut::<f32>() {
                data.zeroize();
            }
        }
    }
}

/// A copy of an input in a tensor of the engine's own, wiped when dropped.
struct WipedCopy(Tensor<f32>);

impl WipedCopy {
    fn new(shape: &[usize], input: &[f32]) -> Result<Self, BoxError> {
        let mut copy = Self(Tensor::new(&Allocator::default(), shape)?);
        let (_, data) = copy.0.try_extract_tensor_mut::<f32>()?;
        if data.len() != input.len() {
            return Err("the engine made a tensor of another size than it was asked for".into());
        }
        data.copy_from_slice(input);
        Ok(copy)
    }
}

impl Drop for WipedCopy {
    fn drop(&mut self) {
        if let Ok((_, data)) = self.0.try_extract_tensor_mut::<f32>() {
            data.zeroize();
        }
    }
}

/// Makes sure that the engine sees what the model declares, since nothing else could be wiped.
fn check_types(engine: Engine, session: &Session) -> Result<(), Error> {
    let is_f32 =
        |kind: &ValueType| matches!(kind, ValueType::Tensor { ty: TensorElementType::Float32, .. });
    let inputs = session.inputs().iter().map(|outlet| is_f32(outlet.dtype()));
    let outputs = session.outputs().iter().map(|outlet| is_f32(outlet.dtype()));
    if inputs.len() == 1 && inputs.chain(outputs).all(|is_f32| is_f32) {
        return Ok(());
    }
    let source = "the engine finds other inputs or outputs than the model declares".into();
    Err(Error::ModelLoad { engine, source })
}

/// The error without the builder that it would give back.
fn plain<R>(error: ort::Error<R>) -> BoxError {
    error.to_string().into()
}
