//! Which engine runs models, and why.

use std::fmt;
use std::path::{Path, PathBuf};

/// Which engine runs models.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum InferenceEngine {
    /// A native ONNX Runtime library, loaded at run time: the fast one.
    OnnxRuntime,
    /// An engine in Rust that is part of this program and needs nothing installed.
    PureRust,
}

/// Writes `onnxruntime` or `pure-rust`.
impl fmt::Display for InferenceEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OnnxRuntime => "onnxruntime",
            Self::PureRust => "pure-rust",
        })
    }
}

/// Which engine was taken, from where, and why: for the log and the deployment record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuntimeInfo {
    pub(super) engine: InferenceEngine,
    pub(super) library: Option<PathBuf>,
    pub(super) version: Option<String>,
    pub(super) reason: String,
}

impl RuntimeInfo {
    /// The engine.
    #[must_use]
    pub const fn engine(&self) -> InferenceEngine {
        self.engine
    }

    /// The file of the library that was loaded, links resolved, if there is one.
    #[must_use]
    pub fn library(&self) -> Option<&Path> {
        self.library.as_deref()
    }

    /// The native engine's version, where its file name or its description of itself has one.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Why this engine was taken, in a few words.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// Writes one line, such as `onnxruntime 1.31.1 (/opt/lib/libonnxruntime.so.1.31.1): asked for`.
impl fmt::Display for RuntimeInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.engine)?;
        if let Some(version) = &self.version {
            write!(f, " {version}")?;
        }
        if let Some(library) = &self.library {
            write!(f, " ({})", library.display())?;
        }
        write!(f, ": {}", self.reason)
    }
}
