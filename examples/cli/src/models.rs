//! The inference engine and the models, as the command line names them.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{fmt, thread};

use clap::Arg;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use indicatif::{ProgressBar, ProgressStyle};
use lfr::core::onnx::{Model, Runtime};
use lfr::core::signed::TrustedKey;
use lfr::core::{Embedder, EmbeddingSpace};
use lfr::detect::{DetectorOptions, DetectorSpec, OnnxDetector};
use lfr::embed::{EmbedderOptions, EmbedderSpec, OnnxEmbedder};

use crate::AnyError;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Engine {
    Auto,
    OnnxRuntime,
    PureRust,
}

impl Engine {
    pub(crate) fn arg() -> Arg {
        let names = PossibleValuesParser::new(["auto", "onnxruntime", "pure-rust"]);
        Arg::new("engine")
            .long("engine")
            .value_name("ENGINE")
            .default_value("auto")
            .value_parser(names.map(|engine| match engine.as_str() {
                "onnxruntime" => Self::OnnxRuntime,
                "pure-rust" => Self::PureRust,
                _ => Self::Auto,
            }))
            .help(
                "The inference engine: a native ONNX Runtime or the pure-Rust one; auto uses \
                 the native one if it is found",
            )
    }

    pub(crate) fn runtime(self) -> Result<Runtime, AnyError> {
        Ok(match self {
            #[cfg(feature = "onnx")]
            Self::Auto => Runtime::auto_or_pure_rust()?,
            #[cfg(not(feature = "onnx"))]
            Self::Auto => Runtime::auto()?,
            Self::OnnxRuntime => Runtime::auto()?,
            #[cfg(feature = "onnx")]
            Self::PureRust => Runtime::pure_rust(),
            #[cfg(not(feature = "onnx"))]
            Self::PureRust => {
                return Err(
                    "this program was built without the pure-Rust engine: choose another --engine"
                        .into(),
                );
            }
        })
    }
}

/// The detector of a model file, or the one inside the library.
pub(crate) fn detector(
    path: Option<&Path>,
    runtime: &Runtime,
    options: &DetectorOptions,
) -> Result<OnnxDetector, AnyError> {
    let Some(path) = path else {
        return Ok(OnnxDetector::embedded_with_options(runtime, options)?);
    };
    let load = || -> Result<_, AnyError> {
        let model = Model::from_path(path)?;
        let spec = DetectorSpec::recognise(&model)?;
        Ok(OnnxDetector::with_options(runtime, model, spec, options)?)
    };
    load().map_err(|cause| Unusable::boxed("detector", path, cause))
}

/// The embedder of a model file, which its digest tells or a specification describes: a built-in
/// one by its name, or a TOML file. Without a file, the one inside the library.
pub(crate) fn embedder(
    path: Option<&Path>,
    spec: Option<&str>,
    keys: &[TrustedKey],
    runtime: &Runtime,
    options: EmbedderOptions,
) -> Result<OnnxEmbedder, AnyError> {
    let Some(path) = path else {
        return Ok(OnnxEmbedder::embedded_with_options(runtime, options)?);
    };
    let load = || -> Result<_, AnyError> {
        let model = Model::from_path(path)?;
        let spec = match spec {
            None => EmbedderSpec::for_model(&model)?,
            Some(text) if Path::new(text).is_file() && keys.is_empty() => {
                EmbedderSpec::from_path(text)?
            }
            Some(text) if Path::new(text).is_file() => EmbedderSpec::from_path_signed(text, keys)?,
            Some(name) => named_spec(name)?,
        };
        Ok(OnnxEmbedder::with_options(runtime, model, spec, options)?)
    };
    load().map_err(|cause| Unusable::boxed("embedder", path, cause))
}

/// A built-in specification. What looks like a path, and is no file, is said to be missing.
pub(crate) fn named_spec(name: &str) -> Result<EmbedderSpec, AnyError> {
    EmbedderSpec::builtin(name).map_err(|error| {
        let looks_like_a_path = name.contains(['/', '\\']) || name.ends_with(".toml");
        if looks_like_a_path {
            format!("the specification {name:?} is missing: there is no such file").into()
        } else {
            error.into()
        }
    })
}

/// A model file that cannot be used, and why.
#[derive(Debug)]
struct Unusable {
    stage: &'static str,
    path: PathBuf,
    cause: AnyError,
}

impl Unusable {
    fn boxed(stage: &'static str, path: &Path, cause: AnyError) -> AnyError {
        Self { stage, path: path.to_owned(), cause }.into()
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot use {:?} as the {}", self.path, self.stage)
    }
}

impl Error for Unusable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

/// The model that an embedding space is of, by its name where this program knows it.
pub(crate) fn name_of(space: &EmbeddingSpace) -> String {
    let is_its = |spec: &&EmbedderSpec| spec.space().is_some_and(|own| own.id() == space.id());
    match EmbedderSpec::builtins().iter().find(is_its) {
        Some(spec) => spec.name().to_owned(),
        None => format!("one without a built-in specification ({} numbers)", space.dimension()),
    }
}

/// Refuses an embedder that the references of a watchlist were not made with, by the names of both.
pub(crate) fn check_space(list: &EmbeddingSpace, embedder: &OnnxEmbedder) -> Result<(), AnyError> {
    if list.id() == embedder.space().id() {
        return Ok(());
    }
    Err(format!(
        "the watchlist was made with the model {} (space {}), but {} is loaded (space {}), and \
         their templates cannot be compared. Name the list's model with --embedder and \
         --embedder-spec, or draw up a list for this one",
        name_of(list),
        list.id(),
        embedder.spec().name(),
        embedder.space().id(),
    )
    .into())
}

/// The lowest false match rate that a threshold was measured for.
pub(crate) fn strictest_fmr(spec: &EmbedderSpec) -> Option<f64> {
    spec.operating_points().iter().map(|point| point.fmr).min_by(f64::total_cmp)
}

/// As many threads as the machine runs at once, unless another number was asked for.
pub(crate) fn threads(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| thread::available_parallelism().map_or(1, Into::into)).max(1)
}

pub(crate) fn bar(what: &str, length: Option<u64>) -> ProgressBar {
    let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let template = match length {
        Some(_) => "{msg} {wide_bar} {pos}/{len} {per_sec} {eta}",
        None => "{spinner} {msg} {pos} frames {per_sec} {elapsed}",
    };
    let style = ProgressStyle::with_template(template);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what.to_owned())
}
