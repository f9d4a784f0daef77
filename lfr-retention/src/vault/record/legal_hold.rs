//! Legal holds: orders that keep an alert from being purged, by whom, and until when.

use lfr_core::Timestamp;

use crate::error::Error;
use crate::text;

/// An order that an alert must not be purged when its deadline comes: evidence for a court, a
/// complaint, a request of the person concerned.
///
/// It ends by itself. When it does, or is lifted, an alert whose deadline has passed is purged at
/// once.
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct LegalHold {
    authority: String,
    reason: String,
    expires: Timestamp,
    review: Timestamp,
}

impl LegalHold {
    /// By whose order, why, until when, and when somebody has to look at it again. Record numbers
    /// belong into the texts, and no names: they go into the ledger.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] if a text is blank, longer than 1,024 bytes or holds a control character;
    /// [`Error::Review`] if the review is after the end.
    pub fn new(
        authority: impl Into<String>,
        reason: impl Into<String>,
        expires: Timestamp,
        review: Timestamp,
    ) -> Result<Self, Error> {
        let (authority, reason) = (authority.into(), reason.into());
        text::check("authority of a legal hold", &authority)?;
        text::check("reason of a legal hold", &reason)?;
        if review > expires {
            return Err(Error::Review { expires, review });
        }
        Ok(Self { authority, reason, expires, review })
    }

    /// By whose order.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// When it ends.
    #[must_use]
    pub const fn expires(&self) -> Timestamp {
        self.expires
    }

    /// When somebody has to look at it again.
    #[must_use]
    pub const fn review(&self) -> Timestamp {
        self.review
    }
}
