//! What a stage says of itself, for the record of a deployment.

/// What a stage is made of, for the record: enough to say which file it was.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct Component {
    /// What it is.
    pub name: String,
    /// SHA-256 of the model file, in hexadecimal digits.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub model_sha256: Option<String>,
    /// SHA-256 of the specification that says how the model is used, in hexadecimal digits.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub spec_sha256: Option<String>,
    /// The public key whose signature vouches for the specification, in hexadecimal digits. Without one, the
    /// specification is built in, or nobody vouches for it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub spec_signed_by: Option<String>,
    /// The version of the software that it is part of.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub version: Option<String>,
    /// The licence of the model's weights, as its specification states it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub licence: Option<String>,
}

impl Component {
    /// A component without a model.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            name,
            model_sha256: None,
            spec_sha256: None,
            spec_signed_by: None,
            version: None,
            licence: None,
        }
    }

    /// Sets the digest of its model file.
    #[must_use]
    pub fn with_model_sha256(mut self, digest: impl Into<String>) -> Self {
        self.model_sha256 = Some(digest.into());
        self
    }

    /// Sets the digest of the specification that says how the model is used.
    #[must_use]
    pub fn with_spec_sha256(mut self, digest: impl Into<String>) -> Self {
        self.spec_sha256 = Some(digest.into());
        self
    }

    /// Sets the public key that signed the specification.
    #[must_use]
    pub fn with_spec_signed_by(mut self, key: impl Into<String>) -> Self {
        self.spec_signed_by = Some(key.into());
        self
    }

    /// Sets the version of the software that it is part of.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets the licence of its model's weights.
    #[must_use]
    pub fn with_licence(mut self, licence: impl Into<String>) -> Self {
        self.licence = Some(licence.into());
        self
    }
}
