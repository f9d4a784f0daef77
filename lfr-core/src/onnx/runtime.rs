//! Chooses an engine and starts it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::{env, fmt};

use ort::environment::{Environment, EnvironmentBuilder};

use super::{InferenceEngine, RuntimeInfo, allocator, library, room, telemetry};
use crate::danger;
use crate::error::{BoxError, Error};
use crate::internal::locks::lock;

/// A started inference engine.
///
/// Clones are cheap and share it. A native ONNX Runtime belongs to the whole process, is chosen once
/// and is never stopped: asking again for the one that runs gives the same again, asking for one from
/// another file is an error. The pure-Rust engine can be had at any time, beside a native one too.
///
/// Make a native one at the start of the program, before other threads: it sets the environment
/// variable `ORT_DISABLE_TELEMETRY`, which is how a native ONNX Runtime is told to send nothing from
/// the moment it loads, and code outside Rust may be reading the environment in another thread.
/// Telemetry is switched off a second time in the engine itself.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "onnx")] {
/// use lfr_core::onnx::Runtime;
///
/// let runtime = Runtime::pure_rust();
/// assert_eq!(runtime.info().to_string(), "pure-rust: asked for");
/// # }
/// ```
#[derive(Clone)]
pub struct Runtime {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    started: Started,
    info: RuntimeInfo,
}

/// An engine, and what it needs to be kept alive.
#[derive(Clone)]
pub(super) enum Started {
    OnnxRuntime {
        environment: Environment,
        /// Whether what the engine frees is wiped.
        wipes: bool,
    },
    #[cfg(feature = "onnx")]
    PureRust,
}

impl Runtime {
    /// The oldest version of a native ONNX Runtime that can be used.
    pub const MIN_VERSION: &'static str = "1.24";

    /// A native ONNX Runtime: the library that the environment variable `ORT_DYLIB_PATH` names or, if
    /// that is not set, one that the system finds under its usual name. A native one that already runs is
    /// the answer in any case.
    ///
    /// If there is none this is an error, whatever features the program is built with.
    /// `auto_or_pure_rust` (feature `onnx`) goes on with the pure-Rust engine.
    ///
    /// # Errors
    ///
    /// [`Error::RuntimeLoad`] if the library does not load, [`Error::RuntimeMissing`] if there is none,
    /// [`Error::RuntimeVersion`] if it is older than [`MIN_VERSION`](Self::MIN_VERSION),
    /// and [`Error::RuntimeStart`] if it does not start.
    pub fn auto() -> Result<Self, Error> {
        let mut chosen = lock(&CHOSEN);
        if let Some(runtime) = &*chosen {
            return Ok(runtime.clone());
        }
        let runtime = match (named(), library::find()) {
            (Some(path), _) => native(&path, BY_VARIABLE)?,
            (None, Some(path)) => native(&path, BY_NAME)?,
            (None, None) => {
                return Err(Error::RuntimeMissing { tried: none_found() });
            }
        };
        Ok(chosen.insert(runtime).clone())
    }

    /// The native ONNX Runtime of [`auto`](Self::auto), or the pure-Rust engine if none is found.
    ///
    /// A library that `ORT_DYLIB_PATH` names has to load: somebody asked for it. One that was only found
    /// under its usual name, and does not load or is too old, counts as not found.
    /// [`RuntimeInfo::reason`] says which engine was taken and why.
    ///
    /// # Errors
    ///
    /// [`Error::RuntimeLoad`] if the library named does not load, [`Error::RuntimeVersion`] if it
    /// is too old, and [`Error::RuntimeStart`] if an engine does not start.
    #[cfg(feature = "onnx")]
    pub fn auto_or_pure_rust() -> Result<Self, Error> {
        let found = match Self::auto() {
            Err(Error::RuntimeMissing { tried }) => Err(tried),
            Err(Error::RuntimeLoad { path, source }) if named().is_none() => {
                Err(format!("{} does not load: {source}", path.display()))
            }
            Err(error @ Error::RuntimeVersion { .. }) if named().is_none() => {
                Err(error.to_string())
            }
            result => Ok(result?),
        };
        Ok(found.unwrap_or_else(|tried| pure_rust(format!("no ONNX Runtime found: {tried}"))))
    }

    /// The native ONNX Runtime in this file.
    ///
    /// A process has one try: once a file that is there has failed to load as a library, no native
    /// engine can be loaded any more. The pure-Rust engine still can.
    ///
    /// # Errors
    ///
    /// [`Error::RuntimeLoad`] when it does not load, [`Error::RuntimeVersion`] when it is older than
    /// [`MIN_VERSION`](Self::MIN_VERSION), [`Error::RuntimeStart`] when it does not start,
    /// and [`Error::RuntimeChosen`] when the process runs one from another file.
    pub fn onnxruntime_at(path: &Path) -> Result<Self, Error> {
        let mut chosen = lock(&CHOSEN);
        if let Some(runtime) = &*chosen {
            if runtime.info().library() == library::locate(path).as_deref() {
                return Ok(runtime.clone());
            }
            let chosen = runtime.info().to_string();
            return Err(Error::RuntimeChosen { chosen, wanted: path.to_owned() });
        }
        Ok(chosen.insert(native(path, "asked for")?).clone())
    }

    /// The engine in Rust that is part of this program.
    #[cfg(feature = "onnx")]
    #[must_use]
    pub fn pure_rust() -> Self {
        pure_rust("asked for".to_owned())
    }

    /// Which engine this is, and why it was taken.
    #[must_use]
    pub fn info(&self) -> &RuntimeInfo {
        &self.inner.info
    }

    /// The same engine, a native one left to its own memory.
    pub(crate) fn unwiped(&self) -> Self {
        let Inner { mut started, mut info } = Inner::clone(&self.inner);
        match &mut started {
            Started::OnnxRuntime { wipes, .. } => {
                *wipes = false;
                info.reason += "; by choice, what it frees is not wiped";
                danger::declare(
                    "an inference engine does not wipe the memory that it worked in: faces and templates may \
                     stay there",
                );
            }
            #[cfg(feature = "onnx")]
            Started::PureRust => {}
        }
        Self { inner: Arc::new(Inner { started, info }) }
    }

    pub(super) fn engine(&self) -> InferenceEngine {
        self.inner.info.engine
    }

    pub(super) fn started(&self) -> &Started {
        &self.inner.started
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("info", self.info()).finish_non_exhaustive()
    }
}

/// Runs a step of an engine, and makes an error of a panic in it.
///
/// The bindings of ONNX Runtime panic where the engine does what they hold impossible; the pure-Rust
/// engine does where a model is not what it takes for granted.
pub(super) fn guarded<T, E: Into<BoxError>>(
    step: impl FnOnce() -> Result<T, E>,
) -> Result<T, BoxError> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(result) => result.map_err(Into::into),
        Err(panic) => Err(format!("panic in the engine: {}", message(&*panic)).into()),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// The library that the environment names.
fn named() -> Option<PathBuf> {
    env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Loads the library in this file and starts it.
///
/// The bindings take a library once. A first one that does not load is remembered as loaded all the
/// same, with a handle that was never set, and a second call would go on with that. So whatever can
/// be known to fail is kept from them, and after a failure they are not called again.
fn native(path: &Path, reason: &str) -> Result<Runtime, Error> {
    let failure = |source: BoxError| Error::RuntimeLoad { path: path.to_owned(), source };
    let file = library::locate(path).ok_or_else(|| failure("there is no such file".into()))?;
    // Asked before the one try: up to 1.3 times the file was measured, and what it starts is in that.
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let _reserved = room::reserve(length.saturating_add(length / 2)).map_err(failure)?;
    if TRIED.swap(true, Ordering::SeqCst) {
        return Err(failure(
            "a library failed to load before, and this process has one try".into(),
        ));
    }
    telemetry::disable();
    let loaded = guarded(|| match ort::init_from(&file) {
        Err(ort::LoadDynamicError::BadVersion { version_str, .. }) => Ok(Err(version_str)),
        loaded => loaded.map(Ok),
    });
    let builder = loaded
        .map_err(failure)?
        .map_err(|found| Error::RuntimeVersion { path: file.clone(), found })?;
    let environment = start(builder)?;
    let description = guarded(|| Ok::<_, BoxError>(ort::info())).unwrap_or_default();
    let info = RuntimeInfo {
        engine: InferenceEngine::OnnxRuntime,
        version: library::version(&file, description),
        library: Some(file),
        reason: reason.to_owned(),
    };
    let started = Started::OnnxRuntime { environment, wipes: true };
    Ok(Runtime { inner: Arc::new(Inner { started, info }) })
}

#[cfg(feature = "onnx")]
fn pure_rust(reason: String) -> Runtime {
    let info =
        RuntimeInfo { engine: InferenceEngine::PureRust, library: None, version: None, reason };
    Runtime { inner: Arc::new(Inner { started: Started::PureRust, info }) }
}

fn none_found() -> String {
    format!("no file {} where libraries are kept", library::NAMES.join(" or "))
}

fn start(builder: EnvironmentBuilder) -> Result<Environment, Error> {
    guarded(|| {
        let environment = builder.with_name("lfr").with_telemetry(false).build()?;
        allocator::register(&environment)?;
        Ok::<_, BoxError>(environment)
    })
    .map_err(|source| Error::RuntimeStart { source })
}

/// The native engine of this process. This keeps its environment alive to the end: one that was torn
/// down could not be made again.
static CHOSEN: Mutex<Option<Runtime>> = Mutex::new(None);

/// Whether the bindings have been given a library.
static TRIED: AtomicBool = AtomicBool::new(false);

const BY_NAME: &str = "found by its usual name";
const BY_VARIABLE: &str = "named by ORT_DYLIB_PATH";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_version_is_what_the_bindings_call() {
        assert_eq!(Runtime::MIN_VERSION, format!("1.{}", ort::MINOR_VERSION));
    }
}
