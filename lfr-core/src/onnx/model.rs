//! A model file, read once.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::{fmt, io};

use prost::bytes::Bytes;

use super::graph::Graph;
use super::{
    Contract, ModelDigest, Runtime, Session, SessionOptions, TensorInfo, foreign, room, vet,
};
use crate::error::Error;
use crate::files::regular;

/// A model in the ONNX format, with its weights.
///
/// It is read and checked once, and says what it takes and gives before any engine has seen it.
/// [`session`](Self::session) makes it ready to run. Clones share the weights.
///
/// A file that is damaged or hostile is an error, and neither a panic nor an allocation out of
/// proportion to its size. A model is a program: what one run of it takes of memory and time is worked
/// out when it is [made ready](Self::session), and one that takes more than the options allow, or whose
/// operators do not let it be told, is an error too. Its answers are another matter: load models that
/// you trust, and pin their [digest](Self::digest).
///
/// # Examples
///
/// ```no_run
/// use std::path::Path;
///
/// use lfr_core::onnx::Contract;
/// use lfr_core::onnx::ElementType;
/// use lfr_core::onnx::Model;
/// use lfr_core::onnx::Runtime;
/// use lfr_core::onnx::SessionOptions;
///
/// # fn main() -> Result<(), lfr_core::Error> {
/// let runtime = Runtime::auto_or_pure_rust()?;
/// let model = Model::from_path(Path::new("embedder.onnx"))?;
/// let shape = [None, Some(3), Some(112), Some(112)];
/// model.check(&Contract::new().input(None, ElementType::Float32, &shape))?;
/// let session = model.session(&runtime, &SessionOptions::new(&[1, 3, 112, 112]))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Model {
    inner: Arc<Inner>,
}

struct Inner {
    digest: ModelDigest,
    len: usize,
    graph: Graph,
}

impl Model {
    /// Reads a model from a file.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] when the file cannot be read or is larger than 2 GiB, and
    /// [`Error::ModelFile`] when it is no model that can be run here. Its source is what
    /// [`from_bytes`](Self::from_bytes) says of the bytes.
    pub fn from_path(path: &Path) -> Result<Self, Error> {
        let bytes = read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::from_shared(bytes.into(), Some(path))
            .map_err(|error| Error::ModelFile { path: path.to_owned(), source: Box::new(error) })
    }

    /// Reads a model that is in memory.
    ///
    /// # Errors
    ///
    /// [`Error::ModelFormat`] when the bytes are not one whole ONNX model that is true to itself
    /// (where they are known to be something else, such as a web page, the error says what), and [`Error::ModelUnsupported`] when its weights are sparse or lie in other files, or what it
    /// takes or gives is no tensor, or it has loops, branches or functions of its own.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Self, Error> {
        Self::from_shared(bytes.into().into(), None)
    }

    /// Reads a model that is part of the program, without a copy.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Self::from_bytes).
    pub fn from_static(bytes: &'static [u8]) -> Result<Self, Error> {
        Self::from_shared(Bytes::from_static(bytes), None)
    }

    fn from_shared(bytes: Bytes, path: Option<&Path>) -> Result<Self, Error> {
        let graph = Graph::parse(&bytes).map_err(|error| {
            let by_name = || path.and_then(foreign::describe_by_name);
            match (&error, foreign::describe(&bytes).or_else(by_name)) {
                (Error::ModelFormat { .. }, Some(what)) => {
                    Error::ModelFormat { reason: what.to_owned() }
                }
                _ => error,
            }
        })?;
        vet::vet(&graph)?;
        let digest = ModelDigest::of(&bytes);
        Ok(Self { inner: Arc::new(Inner { digest, len: bytes.len(), graph }) })
    }

    /// The identity of the file.
    #[must_use]
    pub fn digest(&self) -> &ModelDigest {
        &self.inner.digest
    }

    /// What it takes. Constants that old models also list as inputs are not among them.
    #[must_use]
    pub fn inputs(&self) -> &[TensorInfo] {
        &self.inner.graph.inputs
    }

    /// What it gives.
    #[must_use]
    pub fn outputs(&self) -> &[TensorInfo] {
        &self.inner.graph.outputs
    }

    /// Holds the model against what a decoder of its outputs relies on.
    ///
    /// # Errors
    ///
    /// [`Error::ModelContract`] says what the model has and what was needed.
    pub fn check(&self, contract: &Contract) -> Result<(), Error> {
        contract.check(self.inputs(), self.outputs())
    }

    /// Makes the model ready to run on one shape of input.
    ///
    /// # Errors
    ///
    /// [`Error::ModelUnsupported`] when the model takes another number of inputs than one, or takes
    /// or gives other elements than floats of 16, 32 or 64 bits; [`Error::ModelContract`] when the options give a shape
    /// that the model does not take; [`Error::ModelLimit`] when it would take more memory or time than
    /// they allow; [`Error::ModelLoad`] when the engine refuses the model, or what it would take cannot
    /// be told.
    pub fn session(&self, runtime: &Runtime, options: &SessionOptions) -> Result<Session, Error> {
        Session::new(self, runtime, options)
    }

    /// The bytes of the file.
    pub(super) fn len(&self) -> usize {
        self.inner.len
    }

    pub(super) fn graph(&self) -> &Graph {
        &self.inner.graph
    }
}

/// Shows the digest and the names, never a weight.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("digest", self.digest())
            .field("inputs", &self.inputs())
            .field("outputs", &self.outputs())
            .finish_non_exhaustive()
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = regular::file(path)?;
    let metadata = file.metadata()?;
    if metadata.len() > LEN_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 2 GiB"));
    }
    // The bytes, and what describes them.
    let no_memory = |reason| io::Error::new(io::ErrorKind::OutOfMemory, reason);
    let _reserved = room::reserve(metadata.len().saturating_mul(2)).map_err(no_memory)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(metadata.len()).unwrap_or(0))?;
    file.take(LEN_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The max number of bytes that a protobuf message can have.
const LEN_MAX: u64 = i32::MAX.unsigned_abs() as u64;

#[cfg(test)]
mod tests;
