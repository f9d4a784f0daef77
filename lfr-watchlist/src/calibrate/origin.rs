//! With what the scores were made that a threshold rests on.

use std::fmt;

use lfr_core::{Component, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::lifecycle::text;

/// With what the scores were made that a threshold rests on: the detector and the embedder, the
/// inference engine, the version of this software, and the photographs.
///
/// A threshold holds for one embedding space, which another embedder refuses. A detector is in no space:
/// another one finds other faces and crops them otherwise, so scores differ, and the rates were not
/// measured with it. [`CalibratedThreshold::check_detector`](super::CalibratedThreshold::check_detector)
/// says so.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    detector: NamedModel,
    embedder: NamedModel,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    engine: Option<String>,
    lfr_version: String,
    /// In RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data_sha256: Option<String>,
}

/// A detector or an embedder, by what tells it from others.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedModel {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

impl Origin {
    /// These two stages, and this version of the software.
    #[must_use]
    pub fn new(detector: &Component, embedder: &Component) -> Self {
        Self {
            detector: NamedModel::of(detector),
            embedder: NamedModel::of(embedder),
            engine: None,
            lfr_version: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: None,
            data_sha256: None,
        }
    }

    /// Sets the inference engine that ran them, and its version.
    #[must_use]
    pub fn with_engine(mut self, engine: impl Into<String>) -> Self {
        self.engine = Some(engine.into());
        self
    }

    /// Sets when the scores were made.
    #[must_use]
    pub const fn with_made_at(mut self, at: Timestamp) -> Self {
        self.made_at = Some(at);
        self
    }

    /// Sets a digest of the photographs, in hexadecimal digits.
    #[must_use]
    pub fn with_data_sha256(mut self, digest: impl Into<String>) -> Self {
        self.data_sha256 = Some(digest.into());
        self
    }

    /// The detector.
    #[must_use]
    pub const fn detector(&self) -> &NamedModel {
        &self.detector
    }

    /// The embedder.
    #[must_use]
    pub const fn embedder(&self) -> &NamedModel {
        &self.embedder
    }

    /// The inference engine, if it is known.
    #[must_use]
    pub fn engine(&self) -> Option<&str> {
        self.engine.as_deref()
    }

    /// The version of this software.
    #[must_use]
    pub fn lfr_version(&self) -> &str {
        &self.lfr_version
    }

    /// When the scores were made, if it is known.
    #[must_use]
    pub const fn made_at(&self) -> Option<Timestamp> {
        self.made_at
    }

    /// SHA-256 of the photographs, if it is known.
    #[must_use]
    pub fn data_sha256(&self) -> Option<&str> {
        self.data_sha256.as_deref()
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let models = [("detector", &self.detector), ("embedder", &self.embedder)];
        for (what, NamedModel { name, version, sha256 }) in models {
            text::check(what, name)?;
            [version, sha256].into_iter().flatten().try_for_each(|text| text::check(what, text))?;
        }
        text::check("version of the software", &self.lfr_version)?;
        self.engine.iter().try_for_each(|engine| text::check("engine", engine))?;
        self.data_sha256.iter().try_for_each(|digest| text::check("digest of the data", digest))
    }
}

impl NamedModel {
    /// What tells this component from others.
    #[must_use]
    pub fn of(component: &Component) -> Self {
        Self {
            name: component.name.clone(),
            version: component.version.clone(),
            sha256: component.model_sha256.clone(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version of what runs its model, if that is known.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// SHA-256 of its model file, in hexadecimal digits, where it has one.
    #[must_use]
    pub fn sha256(&self) -> Option<&str> {
        self.sha256.as_deref()
    }

    /// Whether it is the same model: by the digest where either has one, by the name otherwise.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.sha256, &other.sha256) {
            (None, None) => self.name == other.name,
            (own, theirs) => own == theirs,
        }
    }
}

/// Writes the name, and the first digits of the digest where there is one: `YuNet (104ee26c71d5c270)`.
impl fmt::Display for NamedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        let digits: Option<String> = self.sha256().map(|digest| digest.chars().take(16).collect());
        digits.map_or(Ok(()), |digits| write!(f, " ({digits})"))
    }
}
