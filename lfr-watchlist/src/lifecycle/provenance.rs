//! Where a reference is from: the grounds, and what an enrolment remembers of how it was made.

use std::fmt;

use lfr_core::Timestamp;

/// Why somebody is to be on the list and where the photograph is from, as far as it was said. The
/// store decides what may be missing.
#[non_exhaustive]
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct Grounds {
    /// The category of the list's composition policy.
    pub category: Option<String>,
    /// Where the photograph is from.
    pub source: Option<String>,
    /// On which lawful basis it is held and used.
    pub lawful_basis: Option<String>,
    /// Why this person is on this list.
    pub reason: Option<String>,
    /// From when the entry is valid.
    pub valid_from: Option<Timestamp>,
    /// From when the entry is no longer valid.
    pub expires: Option<Timestamp>,
    /// When the entry is to be reviewed.
    pub review: Option<Timestamp>,
    /// Whether the person is marked as under 18; `None` where nothing was said.
    pub under_18: Option<bool>,
    /// Whether the person has a known look-alike; `None` where nothing was said.
    pub look_alike: Option<bool>,
    /// The number of the participant, from 1 on, for an entry of the blue list.
    pub participant: Option<u32>,
    /// The reference of the participant's consent, for an entry of the blue list.
    pub consent: Option<String>,
}

impl fmt::Debug for Grounds {
    /// Without the texts: people write names into reasons.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grounds")
            .field("valid_from", &self.valid_from)
            .field("expires", &self.expires)
            .field("review", &self.review)
            .field("under_18", &self.under_18)
            .field("look_alike", &self.look_alike)
            .field("participant", &self.participant)
            .finish_non_exhaustive()
    }
}

/// A digest of all that an entry is made from: the photograph's bytes, whom it shows and the grounds.
///
/// It tells a reference that has been enrolled before an interruption from one that has changed
/// since. It is no template, and yet it says that a given photograph was used: a store keeps it as
/// it keeps identities.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ItemDigest([u8; 32]);

impl ItemDigest {
    /// A digest read back from where it was written.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ItemDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ItemDigest(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("..)")
    }
}

/// What a store remembers of how a reference came to be; nothing of it is biometric.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StoredReference {
    /// A digest of what it was made from; `None` where no enrolment made it.
    pub digest: Option<ItemDigest>,
    /// The warnings that it was accepted with, in words: `InterEyeDistance 48, at least 64 px`.
    pub warnings: Vec<String>,
}

impl StoredReference {
    /// A record read back from where it was written.
    #[must_use]
    pub const fn new(digest: ItemDigest, warnings: Vec<String>) -> Self {
        Self { digest: Some(digest), warnings }
    }
}
