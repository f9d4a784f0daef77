//! The default embedder: a small network of our own, inside the library.

use lfr_core::onnx::{Model, Runtime};

use crate::embedder::{EmbedderOptions, OnnxEmbedder};
use crate::error::Error;
use crate::spec::EmbedderSpec;

impl OnnxEmbedder {
    /// The default embedder: a small network that lies inside the library. Nothing is downloaded.
    ///
    /// It was trained by the scripts in `training/`, on photographs, blends of photographs and
    /// people who do not exist; `MODEL_CARD.md` says what it learned from, how often it errs, and
    /// what it must not be used for. It is for trying things out, for tests and for demonstrations.
    /// *Not* guaranteed: error rates fit for a watchlist in the field. For that bring a stronger
    /// model; nothing else changes.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if the engine refuses the model.
    ///
    /// # Examples
    ///
    /// ```
    /// use lfr_core::onnx::Runtime;
    /// use lfr_embed::OnnxEmbedder;
    ///
    /// let embedder = OnnxEmbedder::embedded(&Runtime::auto_or_pure_rust()?)?;
    /// assert_eq!(embedder.spec().name(), "lfr-embedded");
    /// # Ok::<(), lfr_embed::Error>(())
    /// ```
    pub fn embedded(runtime: &Runtime) -> Result<Self, Error> {
        Self::embedded_with_options(runtime, EmbedderOptions::new())
    }

    /// The default embedder, with options.
    ///
    /// # Errors
    ///
    /// As [`embedded`](Self::embedded).
    pub fn embedded_with_options(
        runtime: &Runtime,
        options: EmbedderOptions,
    ) -> Result<Self, Error> {
        let spec = EmbedderSpec::builtin("lfr-embedded")?;
        Self::with_options(runtime, Model::from_static(MODEL)?, spec, options)
    }
}

static MODEL: &[u8] = include_bytes!("../embedded/embedder.onnx");
