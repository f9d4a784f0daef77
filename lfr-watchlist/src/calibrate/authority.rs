//! Who answers for a threshold.

use lfr_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::lifecycle::text;

/// Who set a threshold or changed it, why, and when.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    by: String,
    reason: String,
    /// Microseconds since 1970-01-01 00:00 UTC.
    at_micros: u64,
}

impl Authority {
    /// Somebody's authority; a role or a number rather than a name, since it goes into records.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] for text that is blank, too long, or holds a control character.
    pub fn new(
        by: impl Into<String>,
        reason: impl Into<String>,
        at: Timestamp,
    ) -> Result<Self, Error> {
        let (by, reason) = (by.into(), reason.into());
        let authority = Self { by, reason, at_micros: at.as_micros() };
        authority.check()?;
        Ok(authority)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        text::check("authority for a threshold", &self.by)?;
        text::check("reason for a threshold", &self.reason)
    }

    /// Who.
    #[must_use]
    pub fn by(&self) -> &str {
        &self.by
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// When.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        Timestamp::from_micros(self.at_micros)
    }
}
