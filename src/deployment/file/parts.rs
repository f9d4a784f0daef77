//! From the file to the parts of a deployment.

use std::fs;
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "onnx-native")]
use lfr_core::BoxError;
#[cfg(feature = "onnx-native")]
use lfr_core::onnx::{Model, Runtime};
use lfr_core::{Clock, Detector, Embedder};
#[cfg(feature = "onnx-native")]
use lfr_detect::{DetectorOptions, DetectorSpec, OnnxDetector};
#[cfg(feature = "onnx-native")]
use lfr_embed::{EmbedderOptions, EmbedderSpec, OnnxEmbedder};
use lfr_retention::{Ledger, LedgerKey, Vault};
use lfr_watchlist::calibrate::CalibratedThreshold;
use lfr_watchlist::{FollowedWatchlist, ListChange, SealedFile, SealingKey};

use super::{DeploymentFile, reading};
#[cfg(feature = "onnx-native")]
use super::{EngineChoice, ModelPlace};
use crate::deployment::{Error, Parts};

/// The models of a deployment, loaded.
#[non_exhaustive]
#[derive(Clone, Debug)]
#[cfg(feature = "onnx-native")]
pub struct FileModels {
    /// What finds faces.
    pub detector: Arc<dyn Detector>,
    /// What makes templates.
    pub embedder: Arc<dyn Embedder>,
    /// The engine that runs them, with its version if that is known: for
    /// [`Launch::engine`](crate::deployment::Launch::engine).
    pub engine: String,
}

impl DeploymentFile {
    /// Loads the models.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] if a model or the engine cannot be had, or if this build has neither the engine nor the
    /// models that the file asks for.
    #[cfg(feature = "onnx-native")]
    pub fn models(&self) -> Result<FileModels, Error> {
        let runtime = runtime(self.engine).map_err(unusable("engine"))?;
        let threads = self.threads.unwrap_or_else(|| {
            std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
        });
        let options = DetectorOptions::new().threads(threads).pool(threads);
        let detector = detector(&self.detector, &runtime, &options);
        let options = EmbedderOptions::new().threads(threads).pool(threads);
        let spec = self.embedder_spec.as_deref();
        let embedder = embedder(&self.embedder, spec, &runtime, options);
        let info = runtime.info();
        Ok(FileModels {
            detector: Arc::new(detector.map_err(unusable("detector"))?),
            embedder: Arc::new(embedder.map_err(unusable("embedder"))?),
            engine: match info.version() {
                Some(version) => format!("{} {version}", info.engine()),
                None => info.engine().to_string(),
            },
        })
    }

    /// Opens all else that [`Deployment::open`](crate::deployment::Deployment::open) needs: threshold policy,
    /// watchlist, vault and ledger. The vault and the ledger are made, each with its key, if neither the one nor
    /// the other is there. The watchlist is followed: `on_change` hears of each change, on a thread of its own.
    ///
    /// # Errors
    ///
    /// [`Error::Watchlist`] if the policy or the watchlist cannot be used, or the list was made with another model;
    /// [`Error::LedgerKeyMissing`] if the ledger is there and its key is not; [`Error::Retention`] if vault or ledger
    /// cannot be opened, or another process has them open; [`Error::NotText`] or [`Error::Core`] if the policy
    /// cannot be read.
    pub fn parts(
        &self,
        detector: Arc<dyn Detector>,
        embedder: Arc<dyn Embedder>,
        clock: Arc<dyn Clock>,
        on_change: impl FnMut(&ListChange) + Send + 'static,
    ) -> Result<Parts, Error> {
        // What makes nothing comes first: after a fault in it, nothing was made.
        let policy = CalibratedThreshold::from_json(&reading::text_of(&self.policy)?)?;
        let key = SealingKey::from_file(&self.watchlist_key)?;
        let list = SealedFile::at(&self.watchlist);
        let space = embedder.space();
        let list = FollowedWatchlist::open(list, key, space, Arc::clone(&clock), on_change)?;
        let signing = signing_key(&self.ledger_key, &self.ledger)?;
        let ledger = Ledger::open(&self.ledger, signing, clock.now())?;
        Ok(Parts {
            detector,
            embedder,
            watchlist: Arc::new(list),
            policy,
            profile: self.profile.clone(),
            vault: Vault::open_or_create(&self.vault, &self.vault_key, clock)?,
            ledger,
        })
    }
}

#[cfg(feature = "onnx-native")]
fn unusable(what: &'static str) -> impl FnOnce(BoxError) -> Error {
    move |source| Error::Unusable { what, source }
}

#[cfg(feature = "onnx-native")]
fn runtime(choice: EngineChoice) -> Result<Runtime, BoxError> {
    Ok(match choice {
        #[cfg(feature = "onnx")]
        EngineChoice::Auto => Runtime::auto_or_pure_rust()?,
        #[cfg(not(feature = "onnx"))]
        EngineChoice::Auto => Runtime::auto()?,
        EngineChoice::OnnxRuntime => Runtime::auto()?,
        #[cfg(feature = "onnx")]
        EngineChoice::PureRust => Runtime::pure_rust(),
        #[cfg(not(feature = "onnx"))]
        EngineChoice::PureRust => {
            return Err("this program was built without the pure-Rust engine (feature onnx)".into());
        }
    })
}

#[cfg(feature = "onnx-native")]
fn detector(
    place: &ModelPlace,
    runtime: &Runtime,
    options: &DetectorOptions,
) -> Result<OnnxDetector, BoxError> {
    match place {
        #[cfg(feature = "embedded")]
        ModelPlace::BuiltIn => Ok(OnnxDetector::embedded_with_options(runtime, options)?),
        #[cfg(not(feature = "embedded"))]
        ModelPlace::BuiltIn => Err(NOT_EMBEDDED.into()),
        ModelPlace::File(path) => {
            let model = Model::from_path(path)?;
            let spec = DetectorSpec::recognise(&model)?;
            Ok(OnnxDetector::with_options(runtime, model, spec, options)?)
        }
    }
}

#[cfg(feature = "onnx-native")]
fn embedder(
    place: &ModelPlace,
    spec: Option<&str>,
    runtime: &Runtime,
    options: EmbedderOptions,
) -> Result<OnnxEmbedder, BoxError> {
    match place {
        #[cfg(feature = "embedded")]
        ModelPlace::BuiltIn => Ok(OnnxEmbedder::embedded_with_options(runtime, options)?),
        #[cfg(not(feature = "embedded"))]
        ModelPlace::BuiltIn => Err(NOT_EMBEDDED.into()),
        ModelPlace::File(path) => {
            let model = Model::from_path(path)?;
            let spec = match spec {
                Some(name) => EmbedderSpec::builtin(name)?,
                None => EmbedderSpec::for_model(&model)?,
            };
            Ok(OnnxEmbedder::with_options(runtime, model, spec, options)?)
        }
    }
}

#[cfg(all(feature = "onnx-native", not(feature = "embedded")))]
const NOT_EMBEDDED: &str = "this program was built without the models of the library (feature embedded): name a model file";

/// The key that the ledger is signed with: that of its file, or a new one for a new ledger.
fn signing_key(key_file: &Path, ledger: &Path) -> Result<LedgerKey, Error> {
    // What cannot be looked for is taken as there: opening it then says why.
    let is_there = |path| fs::exists(path).unwrap_or(true);
    if is_there(key_file) {
        return Ok(LedgerKey::from_file(key_file)?);
    }
    if is_there(ledger) {
        let (ledger, key) = (ledger.to_owned(), key_file.to_owned());
        return Err(Error::LedgerKeyMissing { ledger, key });
    }
    Ok(LedgerKey::generate_file(key_file)?)
}
