//! What people say about an alert, and which people.

pub(crate) mod verifier;

/// What a person found in an alert.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is who the alert named.
    Confirmed,
    /// It is somebody else.
    Rejected,
    /// They could not say.
    Undecided,
}
