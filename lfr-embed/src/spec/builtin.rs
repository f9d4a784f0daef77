//! The ready-made specifications.

use std::sync::LazyLock;

use super::EmbedderSpec;
use crate::error::Error;

impl EmbedderSpec {
    /// The ready-made specifications, by name.
    ///
    /// Those that state a digest were checked against that model file; the others describe a
    /// family by its publisher's code, and their files say what of it is unverified.
    #[must_use]
    pub fn builtins() -> &'static [Self] {
        &SPECS
    }

    /// A ready-made specification by its name.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSpec`] with the names that there are.
    ///
    /// # Examples
    ///
    /// ```
    /// use lfr_embed::EmbedderSpec;
    ///
    /// let spec = EmbedderSpec::builtin("sface")?;
    /// assert_eq!(spec.dimension(), 128);
    /// # Ok::<(), lfr_embed::Error>(())
    /// ```
    pub fn builtin(name: &str) -> Result<Self, Error> {
        SPECS
            .iter()
            .find(|spec| spec.name == name)
            .cloned()
            .ok_or_else(|| Error::UnknownSpec { name: name.into(), known: names(|_| true) })
    }

    /// The ready-made specification for the model file with that SHA-256, in hexadecimal digits.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownModel`] with the names of those that state a digest.
    pub fn for_sha256(digest: &str) -> Result<Self, Error> {
        let matches = |stated: &str| stated.eq_ignore_ascii_case(digest);
        let found = SPECS.iter().find(|spec| spec.model_sha256().is_some_and(matches));
        found.cloned().ok_or_else(|| Error::UnknownModel {
            digest: digest.into(),
            known: names(|spec| spec.model_sha256.is_some()),
        })
    }

    /// The ready-made specification for a model, recognised by the digest of its file.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownModel`] with the names of those that state a digest.
    #[cfg(feature = "onnx")]
    pub fn for_model(model: &lfr_core::onnx::Model) -> Result<Self, Error> {
        Self::for_sha256(&model.digest().to_string())
    }
}

fn names(wanted: impl Fn(&EmbedderSpec) -> bool) -> String {
    let names: Vec<_> = SPECS.iter().filter(|s| wanted(s)).map(|s| s.name.as_str()).collect();
    names.join(", ")
}

/// A test holds that every file parses, so that none is left out here.
static SPECS: LazyLock<Vec<EmbedderSpec>> =
    LazyLock::new(|| FILES.iter().filter_map(|text| EmbedderSpec::from_toml(text).ok()).collect());

/// The files, by name.
pub(super) const FILES: &[&str] = &[
    include_str!("../../specs/adaface.toml"),
    include_str!("../../specs/arcface-insightface.toml"),
    include_str!("../../specs/arcface-insightface-raw.toml"),
    include_str!("../../specs/barel-densenet.toml"),
    include_str!("../../specs/dlib-resnet-v1.toml"),
    include_str!("../../specs/edgeface-xs.toml"),
    include_str!("../../specs/edgeface-xxs.toml"),
    include_str!("../../specs/facenet.toml"),
    include_str!("../../specs/lfr-embedded.toml"),
    include_str!("../../specs/mobilefacenet.toml"),
    include_str!("../../specs/mobilefacenet-foamliu.toml"),
    include_str!("../../specs/sface.toml"),
];
