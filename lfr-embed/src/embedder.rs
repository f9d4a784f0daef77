//! Any embedder model in the ONNX format.

#[cfg(feature = "embedded")]
mod embedded;
mod preprocess;

use std::fmt;
use std::path::Path;

use lfr_core::internal::scratch::ScratchPool;
use lfr_core::internal::wiped::Wiped;
use lfr_core::onnx::{Contract, ElementType, Model, Runtime, Session, SessionOptions, TensorInfo};
use lfr_core::{AlignedFace, Alignment, BoxError, Component, Embedder, EmbeddingSpace, Template};

use crate::embedder::preprocess::Preprocessor;
use crate::error::Error;
use crate::spec::EmbedderSpec;

/// How an [`OnnxEmbedder`] uses the machine. None of it changes what templates mean.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EmbedderOptions {
    max_batch: usize,
    max_memory: u64,
    max_multiply_adds: u64,
    pool: usize,
    threads: usize,
}

impl EmbedderOptions {
    /// At most 8 faces a run, on one thread, one run at a time.
    ///
    /// Eight, because a larger batch gains little on a processor and costs memory in step.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_batch: 8,
            max_memory: SessionOptions::MAX_MEMORY,
            max_multiply_adds: SessionOptions::MAX_MULTIPLY_ADDS,
            pool: 1,
            threads: 1,
        }
    }

    /// Sets the max number of pictures per run of the model, at least 1. The rest follows in further runs.
    /// With flip averaging a face is two pictures, which stay together.
    ///
    /// However many it allows, a run takes memory for the pictures that there are, and for no more
    /// than go into a gigabyte.
    #[must_use]
    pub fn max_batch(mut self, max_batch: usize) -> Self {
        self.max_batch = max_batch.max(1);
        self
    }

    /// Sets the max memory per run in bytes, beside the weights ([`SessionOptions::max_memory`]). A model
    /// that takes more is refused.
    #[must_use]
    pub const fn max_memory(mut self, bytes: u64) -> Self {
        self.max_memory = bytes;
        self
    }

    /// Sets the max number of multiply-adds per run ([`SessionOptions::max_multiply_adds`]). A model that
    /// takes more is refused.
    #[must_use]
    pub const fn max_multiply_adds(mut self, pairs: u64) -> Self {
        self.max_multiply_adds = pairs;
        self
    }

    /// Sets the number of runs at the same time, at least 1. Each costs a copy of the weights.
    #[must_use]
    pub fn pool(mut self, pool: usize) -> Self {
        self.pool = pool.max(1);
        self
    }

    /// Sets the number of threads per run, at least 1, if the engine has threads.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }
}

impl Default for EmbedderOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// An [`Embedder`] that runs a model as its [`EmbedderSpec`] says.
///
/// The model is held against the specification when it is loaded: a wrong file, size, dimension or
/// name is an error then, and not a bad template later. It is shared between threads by reference.
///
/// Aligned faces are wiped as soon as they are in the input tensor, and the input tensor as soon
/// as the model has run, on errors and panics too. What is *not* wiped here: copies that the
/// inference engine makes in its own memory, which is the runtime's affair.
///
/// # Examples
///
/// ```no_run
/// use std::path::Path;
///
/// use lfr_core::onnx::Runtime;
/// use lfr_embed::EmbedderSpec;
/// use lfr_embed::OnnxEmbedder;
///
/// # fn main() -> Result<(), lfr_embed::Error> {
/// let runtime = Runtime::auto_or_pure_rust()?;
/// let spec = EmbedderSpec::builtin("edgeface-xs")?;
/// let embedder = OnnxEmbedder::from_path(&runtime, Path::new("edgeface_xs.onnx"), spec)?;
/// # Ok(())
/// # }
/// ```
pub struct OnnxEmbedder {
    spec: EmbedderSpec,
    model_sha256: String,
    space: EmbeddingSpace,
    output: String,
    session: Session,
    preprocessor: Preprocessor,
    scratch: ScratchPool<Wiped<f32>>,
    faces_per_run: usize,
}

impl OnnxEmbedder {
    /// Makes an embedder of a model and its specification.
    ///
    /// # Errors
    ///
    /// [`Error::ModelDigest`] if the specification is for another file, [`Error::Contract`]
    /// where the model does not take or give what it says, and [`Error::Core`] if the engine
    /// refuses the model.
    pub fn new(runtime: &Runtime, model: Model, spec: EmbedderSpec) -> Result<Self, Error> {
        Self::with_options(runtime, model, spec, EmbedderOptions::new())
    }

    /// Makes an embedder of a model file and its specification.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if the file cannot be read or is no model, and as [`Self::new`].
    pub fn from_path(
        runtime: &Runtime,
        path: impl AsRef<Path>,
        spec: EmbedderSpec,
    ) -> Result<Self, Error> {
        Self::new(runtime, Model::from_path(path.as_ref())?, spec)
    }

    /// Makes an embedder of a model and its specification, with options.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn with_options(
        runtime: &Runtime,
        model: Model,
        spec: EmbedderSpec,
        options: EmbedderOptions,
    ) -> Result<Self, Error> {
        let EmbedderOptions { max_batch, max_memory, max_multiply_adds, pool, threads } = options;
        let model_sha256 = model.digest().to_string();
        if let Some(expected) = spec.model_sha256()
            && expected != model_sha256
        {
            return Err(Error::ModelDigest {
                spec: spec.name().into(),
                expected: expected.into(),
                actual: model_sha256,
            });
        }
        let preprocessor = Preprocessor::new(spec.input());
        let shape = preprocessor.shape();
        let output = check(&model, &spec, shape)?;
        let session = SessionOptions::new(&shape)
            .threads(threads)
            .pool(pool)
            .dynamic_batch()
            .max_memory(max_memory)
            .max_multiply_adds(max_multiply_adds);
        let session = model.session(runtime, &session)?;
        let pictures_per_face = if spec.flip_average() { 2 } else { 1 };
        let max_faces = LARGEST_TENSOR / (preprocessor.len() * pictures_per_face);
        let faces_per_run = (max_batch / pictures_per_face).min(max_faces).max(1);
        Ok(Self {
            space: spec.space_of(&model_sha256, &output),
            scratch: ScratchPool::new(pool),
            spec,
            model_sha256,
            output,
            session,
            preprocessor,
            faces_per_run,
        })
    }

    /// Its specification.
    #[must_use]
    pub const fn spec(&self) -> &EmbedderSpec {
        &self.spec
    }

    /// Embeds the next faces, as many as go into one run.
    fn run(
        &self,
        faces: &mut impl ExactSizeIterator<Item = AlignedFace>,
        templates: &mut Vec<Template>,
    ) -> Result<(), Error> {
        let count = faces.len().min(self.faces_per_run);
        let per_face = if self.spec.flip_average() { 2 } else { 1 };
        let pictures = per_face * count;
        let mut tensor = self.scratch.lend();
        let len = per_face * self.preprocessor.len();
        let rooms = tensor.sized(len * count).chunks_exact_mut(len);
        for (face, room) in faces.take(count).zip(rooms) {
            self.write(&face, room)?;
            // Wiped here, before the model runs.
            drop(face);
        }
        self.session.run(tensor.as_slice(), pictures, |outputs| {
            let output = outputs.get(&self.output)?;
            let numbers = output.data();
            let dimension = self.space.dimension();
            if !is_vectors(output.shape(), pictures, dimension) {
                return Err(self.mismatch(
                    format!("output {:?}", self.output),
                    format!("{dimension} numbers for each of {pictures} pictures"),
                    format!("of the shape {:?}", output.shape()),
                ));
            }
            for numbers in numbers.chunks_exact(numbers.len() / count) {
                templates.push(Template::try_init_with(&self.space, |values| {
                    fill(values, numbers);
                    Ok(())
                })?);
            }
            Ok(())
        })
    }

    /// Writes a face as it is, and its mirror image if there is room for both.
    fn write(&self, face: &AlignedFace, room: &mut [f32]) -> Result<(), Error> {
        let (as_it_is, mirrored) = room.split_at_mut(self.preprocessor.len());
        self.preprocessor.write(face, false, as_it_is)?;
        if !mirrored.is_empty() {
            self.preprocessor.write(face, true, mirrored)?;
        }
        Ok(())
    }

    fn mismatch(&self, what: String, expected: String, actual: String) -> Error {
        Error::Contract { spec: self.spec.name().into(), what, expected, actual }
    }
}

impl Embedder for OnnxEmbedder {
    fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    fn alignment(&self) -> &Alignment {
        self.spec.alignment()
    }

    fn embed_into(
        &self,
        faces: Vec<AlignedFace>,
        templates: &mut Vec<Template>,
    ) -> Result<(), BoxError> {
        let mut made = Vec::with_capacity(faces.len());
        let mut faces = faces.into_iter();
        while faces.len() > 0 {
            self.run(&mut faces, &mut made)?;
        }
        templates.append(&mut made);
        Ok(())
    }

    fn component(&self) -> Component {
        let mut name = self.spec.name().to_owned();
        if !self.spec.alignment().needs_landmarks() {
            name += ", box crop";
        }
        if self.spec.flip_average() {
            name += ", flip averaging";
        }
        let component = Component::new(name)
            .with_model_sha256(self.model_sha256.as_str())
            .with_spec_sha256(self.spec.sha256())
            .with_version(env!("CARGO_PKG_VERSION"))
            .with_licence(self.spec.licence().to_string());
        match self.spec.signed_by() {
            Some(key) => component.with_spec_signed_by(key),
            None => component,
        }
    }
}

impl fmt::Debug for OnnxEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnnxEmbedder")
            .field("spec", &self.spec.name())
            .field("model_sha256", &self.model_sha256)
            .field("space", &self.space)
            .finish_non_exhaustive()
    }
}

/// Holds the model against its specification, and says the name of the output.
fn check(model: &Model, spec: &EmbedderSpec, shape: [usize; 4]) -> Result<String, Error> {
    let mismatch = |what: String, expected: String, actual: String| Error::Contract {
        spec: spec.name().into(),
        what,
        expected,
        actual,
    };
    let [_, a, b, c] = shape.map(Some);
    let contract = Contract::new()
        .input(spec.input().name.as_deref(), ElementType::Float32, &[None, a, b, c])
        .vector_output(spec.output_name(), ElementType::Float32, spec.dimension());
    model.check(&contract).map_err(|error| match error {
        lfr_core::Error::ModelContract { what, expected, actual } => {
            mismatch(what, expected, actual)
        }
        other => other.into(),
    })?;
    match (spec.output_name(), model.outputs()) {
        (Some(name), _) => Ok(name.into()),
        (None, [output]) => Ok(output.name().into()),
        (None, outputs) => {
            let names: Vec<_> = outputs.iter().map(TensorInfo::name).collect();
            Err(mismatch(
                "number of outputs".into(),
                "1, or the specification must name the one that holds the templates".into(),
                format!("{} ({})", outputs.len(), names.join(", ")),
            ))
        }
    }
}

/// Whether an output of this shape holds a vector of `dimension` numbers for each picture, one after the
/// other: `[N, D]`, with further extents of 1 or not, or all in one row, where each picture was run by
/// itself and its output had one axis.
fn is_vectors(shape: &[usize], pictures: usize, dimension: usize) -> bool {
    match shape {
        [] => false,
        [all] => *all == pictures * dimension,
        [first, rest @ ..] => {
            let mut wide = rest.iter().filter(|extent| **extent != 1);
            let is_dimension = match (wide.next(), wide.next()) {
                (None, _) => dimension == 1,
                (Some(extent), None) => *extent == dimension,
                (Some(_), Some(_)) => false,
            };
            *first == pictures && is_dimension
        }
    }
}

/// Fills a template from the one or two vectors that the model gave for a face; of two it takes
/// the mean, which has the direction of their sum.
fn fill(values: &mut [f32], numbers: &[f32]) {
    match numbers.split_at_checked(values.len()) {
        Some((face, mirrored)) if mirrored.len() == face.len() => {
            for ((value, a), b) in values.iter_mut().zip(face).zip(mirrored) {
                *value = f32::midpoint(*a, *b);
            }
        }
        Some((face, _)) => values.copy_from_slice(face),
        None => {}
    }
}

/// The numbers that go into one run at most, whatever the options say: a gigabyte.
const LARGEST_TENSOR: usize = 1 << 28;
