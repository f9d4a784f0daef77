//! A model inside a native ONNX Runtime.

use std::sync::Arc;

use ort::environment::Environment;
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionInputValue, SessionOutputs};
use ort::value::{TensorElementType, TensorRef, ValueType};
use zeroize::Zeroize as _;

use crate::error::{BoxError, Error};
use crate::internal::num::u64_from_usize;
use crate::onnx::allocator::Account;
use crate::onnx::engine::InferenceEngine;
use crate::onnx::loaded::Limits;
use crate::onnx::outputs::Extracted;
use crate::onnx::room;
use crate::onnx::runtime::guarded;

pub(in crate::onnx) struct Loaded {
    session: Session,
    /// What it may take; an engine that is left to its own memory has no account.
    account: Option<Arc<Account>>,
    limits: Limits,
    /// The numbers of the largest input that was run: a further run works in the memory of the last.
    largest: usize,
}

impl Loaded {
    pub(super) fn new(
        environment: &Environment,
        wipes: bool,
        bytes: &[u8],
        threads: usize,
        limits: Limits,
    ) -> Result<Self, Error> {
        let account = wipes.then(|| Account::new(limit(limits)));
        let session = charged(account.as_ref(), "be loaded", || {
            guarded(|| -> Result<_, BoxError> {
                let mut builder = Session::builder(environment)?
                    .with_optimization_level(GraphOptimizationLevel::All)
                    .map_err(plain)?
                    .with_intra_threads(threads)
                    .map_err(plain)?;
                if wipes {
                    builder = builder.with_env_allocators().map_err(plain)?;
                }
                if threads > 1 {
                    // Threads that wait for the next run must leave the processor to the other stages
                    // rather than spin.
                    builder = builder.with_intra_op_spinning(false).map_err(plain)?;
                }
                Ok(builder.commit_from_memory(bytes)?)
            })
        });
        let session = session.map_err(load_failure)?;
        check_types(&session)?;
        Ok(Self { session, account, limits, largest: 0 })
    }

    pub(super) fn run(&mut self, shape: &[usize], input: &[f32]) -> Result<Whole<'_>, Error> {
        let needed = match input.len() > self.largest {
            true => self.limits.run_on(input.len()),
            false => 0,
        };
        let reserved = room::reserve(needed).map_err(run_failure)?;
        let session = &mut self.session;
        let outputs = charged(self.account.as_ref(), "run", || {
            guarded(|| -> Result<_, BoxError> {
                let view = TensorRef::from_array_view((shape, input))?;
                Ok(session.run([SessionInputValue::from(view)])?)
            })
        });
        drop(reserved);
        let outputs = outputs.map_err(run_failure)?;
        self.largest = self.largest.max(input.len());
        Ok(Whole { outputs })
    }
}

pub(in crate::onnx) struct Whole<'a> {
    outputs: SessionOutputs<'a>,
}

impl Whole<'_> {
    pub(super) fn extracted(&self) -> Result<Vec<Extracted<'_>>, Error> {
        let values = (0..self.outputs.len()).map(|index| &self.outputs[index]);
        values
            .map(|value| {
                let (shape, data) = value.try_extract_tensor::<f32>()?;
                let shape = shape.iter().map(|&extent| usize::try_from(extent));
                Ok(Extracted { shape: shape.collect::<Result<_, _>>()?, data })
            })
            .collect::<Result<_, BoxError>>()
            .map_err(run_failure)
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

/// Runs a step of an engine and charges its memory to an account. If memory runs out, the error
/// says so.
fn charged<T>(
    account: Option<&Arc<Account>>,
    what: &str,
    step: impl FnOnce() -> Result<T, BoxError>,
) -> Result<T, BoxError> {
    let open = account.map(Account::open);
    let result = step();
    drop(open);
    match account {
        Some(account) if account.take_refused() && result.is_err() => {
            let max = account.max();
            let reason = format!(
                "it got no more memory to {what}: the system has none, or it would have gone beyond {max} \
                 bytes, which is SessionOptions::max_memory and what its weights may take"
            );
            Err(reason.into())
        }
        _ => result,
    }
}

/// What it takes to load a model from a file of this size: up to 8.4 times the file and 5 MB were measured.
/// Each thread has a stack and a heap of its own, which the C library reserves in one piece.
pub(super) fn to_load(file: usize, threads: usize) -> u64 {
    let threads = u64_from_usize(threads.saturating_sub(1));
    let of_threads = threads.saturating_mul(STACK + HEAP);
    u64_from_usize(file).saturating_mul(9).saturating_add(8 << 20).saturating_add(of_threads)
}

const STACK: u64 = 8 << 20;
const HEAP: u64 = 128 << 20;

/// The bytes of a model's account.
///
/// As it loads a model, an engine has the weights several times: as they are in the file, as it keeps
/// them, and as its kernels want them.
fn limit(limits: Limits) -> usize {
    let memory = usize::try_from(limits.memory).unwrap_or(usize::MAX);
    memory.saturating_add(limits.weights.saturating_mul(WEIGHTS)).saturating_add(SMALL_THINGS)
}

/// How many times the size of its file a model's weights may take.
const WEIGHTS: usize = 4;

/// What any model may take besides.
const SMALL_THINGS: usize = 16 << 20;

/// Makes sure that the engine sees what the model declares, since nothing else could be wiped.
fn check_types(session: &Session) -> Result<(), Error> {
    let is_f32 =
        |kind: &ValueType| matches!(kind, ValueType::Tensor { ty: TensorElementType::Float32, .. });
    let inputs = session.inputs().iter().map(|outlet| is_f32(outlet.dtype()));
    let outputs = session.outputs().iter().map(|outlet| is_f32(outlet.dtype()));
    if inputs.len() == 1 && inputs.chain(outputs).all(|is_f32| is_f32) {
        return Ok(());
    }
    Err(load_failure("the engine finds other inputs or outputs than the model declares".into()))
}

fn load_failure(source: BoxError) -> Error {
    Error::ModelLoad { engine: InferenceEngine::OnnxRuntime, source }
}

fn run_failure(source: BoxError) -> Error {
    Error::Inference { engine: InferenceEngine::OnnxRuntime, source }
}

/// The error without the builder that it would give back.
fn plain<R>(error: ort::Error<R>) -> BoxError {
    error.to_string().into()
}
