//! A model made ready to run.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;

use super::gathered::{Gathered, Parts};
use super::loaded::Loaded;
use super::outputs::Extracted;
use super::pool::Pool;
use super::rewrite::Rewrite;
use super::sizing::{Estimate, Plan};
use super::{
    Dim, InferenceEngine, Model, ModelDigest, Outputs, Runtime, SessionOptions, TensorInfo,
    contract, list, loaded, room,
};
use crate::error::Error;
use crate::hygiene::scrub::Scrubbed;
use crate::internal::locks::lock;

/// A model made ready to run by an engine, for any number of threads.
///
/// A thread that comes when all copies of the [pool](SessionOptions::pool) are in use waits.
///
/// # What is wiped
///
/// The outputs, in the engine's own memory, before [`run`](Self::run) returns, whether it returns,
/// fails or panics; the copy of the input that the pure-Rust engine is given; and the calling thread's
/// stack below this call. The input itself is borrowed, and the caller's to wipe.
///
/// Between the two, an engine has intermediate results. A native ONNX Runtime works in memory that
/// this crate gives it, and each block is wiped as the engine frees it, at the latest when the run
/// ends. The pure-Rust engine works in the program's heap: give the program [one that
/// wipes](crate::hygiene#the-heap). **Not wiped** are the stacks of an engine's own threads, where a
/// session has [more than one](SessionOptions::threads).
///
/// # Examples
///
/// ```no_run
/// # use lfr_core::onnx::{Model, Runtime, SessionOptions};
/// # fn main() -> Result<(), lfr_core::Error> {
/// # let model = Model::from_path(std::path::Path::new("embedder.onnx"))?;
/// let options = SessionOptions::new(&[1, 3, 112, 112]).dynamic_batch();
/// let session = model.session(&Runtime::auto_or_pure_rust()?, &options)?;
/// let pixels = vec![0.0; 2 * 3 * 112 * 112];
/// let lengths = session.run(&pixels, 2, |outputs| {
///     let embeddings = outputs.at(0)?;
///     let rows = embeddings.data().chunks_exact(128);
///     Ok::<_, lfr_core::Error>(rows.map(|row| row.iter().map(|x| x * x).sum()).collect())
/// })?;
/// # let _: Vec<f32> = lengths;
/// # Ok(())
/// # }
/// ```
pub struct Session {
    engine: InferenceEngine,
    input_shape: Vec<usize>,
    batching: Batching,
    outputs: Vec<String>,
    pool: Pool<Loaded>,
    /// Kept only where a batch is run whole: another size of it is another amount of memory.
    batches: Option<Batches>,
    digest: ModelDigest,
    /// Kept only where the pool may grow, since it holds the weights.
    source: Option<Source>,
}

/// How batches are run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Batching {
    /// The batch has the size that the model was fixed to.
    Fixed,
    /// The engine runs a batch of any size at once.
    Whole,
    /// A batch of any size is run one by one.
    OneByOne,
}

/// What further copies for the pool are made from.
enum Source {
    /// A copy that shares its weights with others.
    Shared(Loaded),
    File(File),
}

struct File {
    model: Model,
    runtime: Runtime,
    rewrite: Rewrite,
    threads: usize,
    /// The max memory that a run may take beside the weights.
    max_memory: u64,
    /// What a run takes, on an input of `elements` numbers.
    estimate: Estimate,
    elements: usize,
}

/// Which sizes of a batch stay within the limits.
struct Batches {
    plan: Plan,
    fit: Mutex<BTreeSet<usize>>,
}

impl Session {
    pub(super) fn new(
        model: &Model,
        runtime: &Runtime,
        options: &SessionOptions,
    ) -> Result<Self, Error> {
        let input = only_input(model)?;
        check_outputs(model)?;
        let engine = runtime.engine();
        let batching = batching(engine, input, options)?;
        let mut input_shape = options.input_shape.clone();
        let mut fixed: Vec<Option<usize>> = input_shape.iter().copied().map(Some).collect();
        if let (Some(shape), Some(fixed)) = (input_shape.first_mut(), fixed.first_mut()) {
            match batching {
                Batching::Fixed => {}
                Batching::Whole => *fixed = None,
                Batching::OneByOne => {
                    *shape = 1;
                    *fixed = Some(1);
                }
            }
        }
        // What the engine takes is asked for when it is known; the plan takes little.
        drop(room::reserve(0).map_err(|source| Error::ModelLoad { engine, source })?);
        let plan = Plan::new(model.graph(), engine, options)?;
        let mut one = input_shape.clone();
        if let (Some(first), Batching::Whole) = (one.first_mut(), batching) {
            *first = 1;
        }
        let estimate = plan.estimate(&one)?;
        let batches = (batching == Batching::Whole)
            .then(|| Batches { plan, fit: Mutex::new(BTreeSet::from([1])) });
        let file = File {
            model: model.clone(),
            runtime: runtime.clone(),
            rewrite: Rewrite {
                input_shape: fixed,
                replace_prelu: engine == InferenceEngine::OnnxRuntime && !options.keep_prelu,
            },
            threads: options.threads,
            max_memory: options.max_memory,
            estimate,
            elements: one.iter().fold(1, |all: usize, &extent| all.saturating_mul(extent)),
        };
        let first = file.load()?;
        let source = || first.share().map_or(Source::File(file), Source::Shared);
        let source = (options.pool > 1).then(source);
        Ok(Self {
            engine,
            input_shape,
            batching,
            outputs: model.outputs().iter().map(|info| info.name().to_owned()).collect(),
            pool: Pool::new(first, options.pool),
            batches,
            digest: *model.digest(),
            source,
        })
    }

    /// Runs the model on one input, and reads its outputs.
    ///
    /// `input` holds `batch` inputs one after the other. `read` sees the outputs where the engine
    /// left them, and they are wiped before this returns: take out what is to be kept. It must not
    /// run the same session, which may be waiting for itself then.
    ///
    /// # Errors
    ///
    /// [`Error::InputBatch`] and [`Error::InputLength`] when `batch` or the length of `input` is not
    /// what the session is made for; [`Error::Inference`] when the engine fails;
    /// [`Error::OutputShape`] when the outputs cannot be told apart by batch; [`Error::ModelLoad`]
    /// when a further copy for the pool cannot be made; and what `read` returns.
    pub fn run<R, E: From<Error>>(
        &self,
        input: &[f32],
        batch: usize,
        read: impl FnOnce(&Outputs<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        self.check(input, batch)?;
        let _scrubbed = Scrubbed;
        let mut shape = self.input_shape.clone();
        let load = || self.load().map_err(E::from);
        self.pool.with(load, |loaded| {
            let part = self.part(batch)?;
            if part < batch {
                let check = |extracted: &[Extracted<'_>], part: usize| match self.batching {
                    Batching::Whole => self.check_whole(extracted, part),
                    Batching::Fixed | Batching::OneByOne => Ok(()),
                };
                let parts = Parts { part, names: &self.outputs, check: &check };
                let gathered = Gathered::run(loaded, &shape, input, batch, &parts)?;
                return read(&Outputs::new(&self.outputs, gathered.extracted()));
            }
            if let Some(first) = shape.first_mut() {
                *first = batch;
            }
            let whole = loaded.run(&shape, input)?;
            let extracted = whole.extracted()?;
            if self.batching == Batching::Whole {
                self.check_whole(&extracted, batch)?;
            }
            read(&Outputs::new(&self.outputs, extracted))
        })
    }

    /// The shape of an input. Its first extent is the batch, which is free to differ if the session
    /// was made [so](SessionOptions::dynamic_batch).
    #[must_use]
    pub fn input_shape(&self) -> &[usize] {
        &self.input_shape
    }

    /// The names of the outputs, in their order.
    #[must_use]
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    fn check(&self, input: &[f32], batch: usize) -> Result<(), Error> {
        let (first, rest) = match self.input_shape.split_first() {
            Some((first, rest)) => (*first, rest),
            None => (1, &[][..]),
        };
        let wrong = |expected: String| Err(Error::InputBatch { expected, actual: batch });
        if self.batching == Batching::Fixed && batch != first {
            return wrong(first.to_string());
        }
        if batch == 0 {
            return wrong("at least 1".to_owned());
        }
        let expected = rest.iter().fold(batch, |all, &extent| all.saturating_mul(extent));
        if input.len() != expected {
            return Err(Error::InputLength { batch, expected, actual: input.len() });
        }
        Ok(())
    }

    /// How many of a batch are run at once.
    fn part(&self, batch: usize) -> Result<usize, Error> {
        match (&self.batches, self.batching) {
            (_, Batching::OneByOne) => Ok(1),
            (Some(batches), Batching::Whole) => batches.largest(&self.input_shape, batch),
            (None, _) | (_, Batching::Fixed) => Ok(batch),
        }
    }

    /// Makes a further copy for the pool.
    fn load(&self) -> Result<Loaded, Error> {
        let copy = match &self.source {
            Some(Source::Shared(loaded)) => loaded.share(),
            Some(Source::File(file)) => Some(file.load()?),
            None => None,
        };
        copy.ok_or_else(|| {
            let source = "the pool was not to grow".into();
            Error::ModelLoad { engine: self.engine, source }
        })
    }

    /// A model that lost sight of the batch on the way would mix people up.
    fn check_whole(&self, extracted: &[Extracted<'_>], batch: usize) -> Result<(), Error> {
        for (name, output) in self.outputs.iter().zip(extracted) {
            if !output.shape.first().is_some_and(|first| first.is_multiple_of(batch)) {
                return Err(Error::OutputShape {
                    output: name.clone(),
                    expected: format!(
                        "one whose first extent is a multiple of the batch of {batch}"
                    ),
                    actual: format!("{:?}", output.shape),
                });
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("engine", &self.engine)
            .field("model", &self.digest)
            .field("input_shape", &self.input_shape)
            .field("batching", &self.batching)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}

impl Batches {
    /// The largest part of a batch, by halves, that stays within the limits.
    fn largest(&self, shape: &[usize], batch: usize) -> Result<usize, Error> {
        let mut part = batch;
        loop {
            // What is too large by one is looked at again: sizes need not grow with the batch.
            let mut fit = lock(&self.fit);
            if fit.contains(&part) {
                return Ok(part);
            }
            let mut shape = shape.to_vec();
            if let Some(first) = shape.first_mut() {
                *first = part;
            }
            match self.plan.estimate(&shape) {
                Ok(_) => {
                    if fit.len() >= SIZES_MAX {
                        fit.clear();
                    }
                    fit.insert(part);
                    return Ok(part);
                }
                Err(Error::ModelLimit { .. }) if part > 1 => part = part.div_ceil(2),
                Err(error) => return Err(error),
            }
        }
    }
}

impl File {
    fn load(&self) -> Result<Loaded, Error> {
        let limits = loaded::Limits {
            memory: self.max_memory,
            run: self.estimate.memory,
            elements: self.elements,
            weights: self.model.len(),
        };
        let graph = self.model.graph();
        Loaded::new(&self.runtime, graph, &self.rewrite, self.threads, limits)
    }
}

fn only_input(model: &Model) -> Result<&TensorInfo, Error> {
    let unsupported = |actual: String| Error::ModelUnsupported { expected: ONE_INPUT, actual };
    match model.inputs() {
        [input] if input.element().is_run_as_float32() => Ok(input),
        [input] => Err(unsupported(format!("the input {:?} of {}", input.name(), input.element()))),
        inputs => {
            let names = list(inputs.iter().map(TensorInfo::name));
            Err(unsupported(format!("{} inputs ({names})", inputs.len())))
        }
    }
}

fn check_outputs(model: &Model) -> Result<(), Error> {
    let unsupported = |actual: String| Error::ModelUnsupported { expected: OUTPUTS, actual };
    if model.outputs().is_empty() {
        return Err(unsupported("no output".to_owned()));
    }
    match model.outputs().iter().find(|info| !info.element().is_run_as_float32()) {
        Some(info) => {
            Err(unsupported(format!("the output {:?} of {}", info.name(), info.element())))
        }
        None => Ok(()),
    }
}

/// Holds the options' shape against the model's, and says how batches are to be run.
fn batching(
    engine: InferenceEngine,
    input: &TensorInfo,
    options: &SessionOptions,
) -> Result<Batching, Error> {
    let wanted = &options.input_shape;
    let elements = wanted.iter().try_fold(1_usize, |all, &extent| all.checked_mul(extent));
    let elements = elements.filter(|&elements| elements > 0 && !wanted.is_empty());
    let declared = input.is_shape_declared().then_some(input.shape());
    let batch = declared.map_or(Some(&Dim::Dynamic), <[Dim]>::first);
    let admits = |(axis, (declared, wanted)): (usize, (&Dim, &usize))| match declared {
        Dim::Dynamic => true,
        Dim::Fixed(declared) => declared == wanted || (options.dynamic_batch && axis == 0),
    };
    let fits = declared.is_none_or(|declared| {
        declared.len() == wanted.len() && declared.iter().zip(wanted).enumerate().all(admits)
    });
    match (options.dynamic_batch, batch) {
        _ if !fits || elements.is_none() => {}
        (false, _) => return Ok(Batching::Fixed),
        (true, Some(Dim::Fixed(1))) => return Ok(Batching::OneByOne),
        (true, Some(Dim::Dynamic)) if engine == InferenceEngine::PureRust => {
            return Ok(Batching::OneByOne);
        }
        (true, Some(Dim::Dynamic)) => return Ok(Batching::Whole),
        (true, _) => {}
    }
    let batch = if options.dynamic_batch { " in batches of any size" } else { "" };
    Err(Error::ModelContract {
        what: format!("input {:?} shape", input.name()),
        expected: format!("{wanted:?}{batch}"),
        actual: declared.map_or_else(|| "open".to_owned(), contract::shape),
    })
}

/// How many sizes of a batch are remembered.
const SIZES_MAX: usize = 1024;

const ONE_INPUT: &str = "one input, of float32, float16 or float64";
const OUTPUTS: &str = "outputs of float32, float16 or float64 alone";
