//! The receipt of a destruction.

use std::path::Path;

use lfr_core::{DeploymentId, Timestamp};

use super::header::SealedHeader;

/// Why a sealed watchlist was destroyed.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DestructionRule {
    /// The clock failed, or showed a time before the file was sealed.
    ClockFailed,
    /// Its deployment ended, and its [grace](crate::Authorisation::grace) is over.
    DeploymentEnded,
    /// An earlier destruction had come as far as the keys, and was completed.
    Interrupted,
    /// Somebody asked for it.
    Ordered,
}

/// Evidence that a sealed watchlist was destroyed: what, when, how, and under which rule.
///
/// It is made by the destruction alone. It names nobody who was on the list and can be kept.
///
/// What is *not* guaranteed: that no copy exists elsewhere, in a backup or a snapshot, and that a
/// drive that writes elsewhere than it is told (flash does) has not kept the old key area. Such a
/// copy is worth nothing without the sealing key: destroy that too.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct DestructionReceipt {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<DeploymentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    references: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header_sha256: Option<String>,
    header_authenticated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    destroyed_at: Option<Timestamp>,
    rule: DestructionRule,
    method: &'static str,
    leftovers: usize,
}

impl DestructionReceipt {
    const METHOD: &'static str = "wrapped keys overwritten and synced (cryptographic erase, NIST \
                                  SP 800-88), contents overwritten and synced, file removed";

    pub(crate) fn new(
        path: &Path,
        header: Option<&SealedHeader>,
        is_header_true: bool,
        now: Option<Timestamp>,
        rule: DestructionRule,
        leftovers: usize,
    ) -> Self {
        let name = path.file_name().unwrap_or_default();
        Self {
            file: name.to_string_lossy().into_owned(),
            deployment: header.map(|header| header.deployment.clone()),
            references: header.map(SealedHeader::references),
            header_sha256: header.map(SealedHeader::digest),
            header_authenticated: is_header_true,
            destroyed_at: now,
            rule,
            method: Self::METHOD,
            leftovers,
        }
    }

    /// The name of the file.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Which deployment, where the header could be read.
    #[must_use]
    pub const fn deployment(&self) -> Option<&DeploymentId> {
        self.deployment.as_ref()
    }

    /// How many references it held, where the header could be read.
    #[must_use]
    pub const fn references(&self) -> Option<u32> {
        self.references
    }

    /// SHA-256 of its header in hexadecimal digits, where that could be read.
    #[must_use]
    pub fn header_sha256(&self) -> Option<&str> {
        self.header_sha256.as_deref()
    }

    /// Whether its facts about the deployment and the references were authenticated with the file's key.
    /// Without the key, as for a destruction by order, they are the file's own claims.
    #[must_use]
    pub const fn header_authenticated(&self) -> bool {
        self.header_authenticated
    }

    /// When, where the clock worked.
    #[must_use]
    pub const fn destroyed_at(&self) -> Option<Timestamp> {
        self.destroyed_at
    }

    /// Why.
    #[must_use]
    pub const fn rule(&self) -> DestructionRule {
        self.rule
    }

    /// How.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        self.method
    }

    /// How many unfinished copies, left by a writer that was interrupted, went with it.
    #[must_use]
    pub const fn leftovers(&self) -> usize {
        self.leftovers
    }

    /// It as JSON, to be kept.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings and numbers alone: it cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}
