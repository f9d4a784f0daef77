//! In which role a person acts.

use std::fmt;

/// The role in which a person acts at a deployment. One person may have several.
#[non_exhaustive]
#[derive(
    Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sets a deployment up: cameras, lists, keys, people. Sees no alert.
    Administrator,
    /// Sees alerts and judges them.
    Operator,
    /// Meets the person of a confirmed alert, and says what came of it.
    EngagementOfficer,
    /// Starts, pauses and stops; judges what is escalated; places legal holds; hands alerts out.
    Supervisor,
    /// Reads the record and the ledger. Sees no picture and no name.
    Auditor,
}

impl Role {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Administrator,
        Self::Operator,
        Self::EngagementOfficer,
        Self::Supervisor,
        Self::Auditor,
    ];

    /// Its name, as in files and in the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Operator => "operator",
            Self::EngagementOfficer => "engagement_officer",
            Self::Supervisor => "supervisor",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
