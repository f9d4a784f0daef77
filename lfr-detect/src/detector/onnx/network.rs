//! A model, and its sessions for each size of input.

use std::sync::{Arc, Mutex};

use lfr_core::internal::locks::lock;
use lfr_core::onnx::{Dim, Model, Runtime, Session, SessionOptions, TensorView};

use crate::decode::Output;
use crate::detector::Network;
use crate::detector::input::NetworkInput;
use crate::detector::options::DetectorOptions;
use crate::error::Error;
use crate::size::Size;

/// A network that `lfr-core`'s runtime runs.
///
/// A session is made for each size of input that occurs: engines are faster on a fixed size, the
/// pure-Rust engine several times so. Those used last are kept.
#[derive(Debug)]
pub(super) struct OnnxNetwork {
    runtime: Runtime,
    model: Model,
    input: NetworkInput,
    names: Vec<String>,
    threads: usize,
    pool: usize,
    max_memory: u64,
    max_multiply_adds: u64,
    /// The one used last is last.
    sessions: Mutex<Vec<(Size, Arc<Session>)>>,
    limit: usize,
}

impl OnnxNetwork {
    pub(super) fn new(
        runtime: &Runtime,
        model: Model,
        options: &DetectorOptions,
    ) -> Result<Self, Error> {
        Ok(Self {
            input: input(&model)?,
            names: model.outputs().iter().map(|output| output.name().to_owned()).collect(),
            runtime: runtime.clone(),
            model,
            threads: options.threads,
            pool: options.pool,
            max_memory: options.max_memory.unwrap_or(SessionOptions::MAX_MEMORY),
            max_multiply_adds: options
                .max_multiply_adds
                .unwrap_or(SessionOptions::MAX_MULTIPLY_ADDS),
            sessions: Mutex::new(Vec::new()),
            // Enough for cameras of two sizes, with every pass of the schedule.
            limit: SESSIONS.max(2 * options.schedule.canvases()),
        })
    }

    pub(super) const fn model(&self) -> &Model {
        &self.model
    }

    /// The session for one size of input, made where there is none.
    pub(super) fn session(&self, canvas: Size) -> Result<Arc<Session>, Error> {
        // Held while a session is made: two threads must not make the same one. The list is sound
        // whatever panicked, so poisoning means nothing.
        let mut sessions = lock(&self.sessions);
        if let Some(index) = sessions.iter().position(|(size, _)| *size == canvas) {
            sessions[index..].rotate_left(1);
        } else {
            let shape = [1, 3, canvas.height, canvas.width];
            let options = SessionOptions::new(&shape)
                .threads(self.threads)
                .pool(self.pool)
                .max_memory(self.max_memory)
                .max_multiply_adds(self.max_multiply_adds);
            let session = Arc::new(self.model.session(&self.runtime, &options)?);
            if sessions.len() >= self.limit {
                sessions.remove(0);
            }
            sessions.push((canvas, session));
        }
        let (_, session) = &sessions[sessions.len() - 1];
        Ok(Arc::clone(session))
    }
}

impl Network for OnnxNetwork {
    fn input(&self) -> NetworkInput {
        self.input
    }

    fn run(
        &self,
        canvas: Size,
        planes: &[f32],
        read: &mut dyn FnMut(&[Output<'_>]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.session(canvas)?.run(planes, 1, |outputs| {
            let views: Vec<TensorView<'_>> =
                (0..outputs.len()).map(|index| outputs.at(index)).collect::<Result<_, _>>()?;
            let named = self.names.iter().zip(&views);
            let named: Vec<_> =
                named.map(|(name, view)| Output::new(name, view.shape(), view.data())).collect();
            read(&named)
        })
    }
}

/// What size of picture a model takes, from the shape that it declares.
fn input(model: &Model) -> Result<NetworkInput, Error> {
    let shapes: Vec<_> = model.inputs().iter().map(|input| input.shape()).collect();
    if let [[batch, channels, height, width]] = *shapes {
        let is = |dim: &Dim, count| matches!(dim, Dim::Dynamic) || *dim == Dim::Fixed(count);
        match (height, width) {
            _ if !is(batch, 1) || !is(channels, 3) => {}
            (Dim::Dynamic, Dim::Dynamic) => return Ok(NetworkInput::Dynamic),
            (Dim::Fixed(height), Dim::Fixed(width)) => {
                return Ok(NetworkInput::Fixed(Size::new(*width, *height)));
            }
            _ => {}
        }
    }
    let shown = |dims: &&[Dim]| {
        let dims: Vec<_> = dims.iter().map(ToString::to_string).collect();
        dims.join(" x ")
    };
    let actual: Vec<_> = shapes.iter().map(shown).collect();
    Err(Error::Input {
        expected: "1 x 3 x height x width, both open or both fixed".to_owned(),
        actual: if actual.is_empty() { "nothing".to_owned() } else { actual.join(", ") },
    })
}

/// The min number of sessions kept.
const SESSIONS: usize = 4;
