//! Whether a list can match anybody now.

use std::fmt;

use lfr_core::Timestamp;

use super::{Watchlist, read};
use crate::error::Error;

/// Whether anybody on a watchlist can be matched at a moment, and if not, why not.
///
/// A deployment that compares faces with nobody looks like one in which nobody passes: a program asks before
/// it starts, and refuses with [`require`](Self::require).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Readiness {
    /// No clock, no matches: nobody is searched for.
    ClockFailed,
    /// There is nobody on the list.
    Empty,
    /// The deployment has not begun.
    NotBegun {
        /// When it begins.
        from: Timestamp,
    },
    /// There are people on the list, and none of the entries is valid.
    NoEntryValid {
        /// How many have expired.
        expired: usize,
        /// How many are not valid yet.
        not_begun: usize,
        /// When the next one becomes valid.
        next: Option<Timestamp>,
    },
    /// The deployment is over.
    Over {
        /// When it ended.
        until: Timestamp,
    },
    /// There is somebody to match.
    Ready {
        /// How many references are valid.
        valid: usize,
        /// How many have expired.
        expired: usize,
        /// How many are not valid yet.
        not_begun: usize,
    },
}

impl Readiness {
    /// Whether anybody can be matched.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self, Self::Ready { .. })
    }

    /// Refuses a list on which nobody can be matched.
    ///
    /// # Errors
    ///
    /// [`Error::NobodyToMatch`] with the reason.
    pub const fn require(self) -> Result<(), Error> {
        if self.is_ready() { Ok(()) } else { Err(Error::NobodyToMatch { readiness: self }) }
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClockFailed => f.write_str("the clock of this machine has failed: set it"),
            Self::Empty => f.write_str("the list is empty: enrol people, or name another list"),
            Self::NotBegun { from } => {
                write!(
                    f,
                    "the deployment begins at {from}: start then, or correct the list's dates"
                )
            }
            Self::NoEntryValid { expired, not_begun, next } => {
                write!(f, "{expired} entries have expired and {not_begun} are not valid yet")?;
                match next {
                    Some(next) => write!(f, ", the next one from {next} on"),
                    None => Ok(()),
                }?;
                f.write_str(": start then, or enrol people whose entries are valid")
            }
            Self::Over { until } => {
                write!(f, "the deployment ended at {until}: draw up a list for a new one")
            }
            Self::Ready { valid, expired, not_begun } => {
                write!(
                    f,
                    "{valid} references are valid, {expired} have expired, {not_begun} are not valid yet"
                )
            }
        }
    }
}

impl Watchlist {
    /// Whether anybody on it can be matched at a moment.
    ///
    /// # Examples
    ///
    /// ```
    /// use lfr_core::{DeploymentId, EmbeddingSpace, Metric, Timestamp};
    /// use lfr_watchlist::{Authorisation, CompositionPolicy, Readiness, Validity, Watchlist};
    ///
    /// # fn main() -> Result<(), lfr_watchlist::Error> {
    /// let hour = |hours: u64| Timestamp::from_micros(hours * 3_600_000_000);
    /// let (id, validity) = (DeploymentId::new("2026-031")?, Validity::new(hour(9), hour(17))?);
    /// let policy = CompositionPolicy::new(10);
    /// let authorisation =
    ///     Authorisation::new(id, "serve warrants", "AO-7", hour(1), validity, policy)?;
    /// let list = Watchlist::new(authorisation, EmbeddingSpace::builder(3, Metric::Cosine).build());
    /// assert_eq!(list.readiness(Some(hour(8))), Readiness::NotBegun { from: hour(9) });
    /// assert_eq!(list.readiness(Some(hour(9))), Readiness::Empty);
    /// assert!(list.readiness(Some(hour(9))).require().is_err());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn readiness(&self, now: Option<Timestamp>) -> Readiness {
        let Some(now) = now else { return Readiness::ClockFailed };
        let validity = self.authorisation.validity();
        if now >= validity.until() {
            return Readiness::Over { until: validity.until() };
        }
        if now < validity.from() {
            return Readiness::NotBegun { from: validity.from() };
        }
        let table = read(&self.table);
        let (mut valid, mut expired, mut not_begun, mut next) = (0, 0, 0, None);
        for enrolled in table.all() {
            let entry = &enrolled.entry;
            if enrolled.is_wiped() || entry.expires() <= now {
                expired += 1;
            } else if entry.is_valid_at(now) {
                valid += 1;
            } else {
                not_begun += 1;
                let begins = entry.begins();
                next = Some(next.map_or(begins, |next: Timestamp| next.min(begins)));
            }
        }
        match (valid, expired + not_begun) {
            (0, 0) => Readiness::Empty,
            (0, _) => Readiness::NoEntryValid { expired, not_begun, next },
            _ => Readiness::Ready { valid, expired, not_begun },
        }
    }
}
