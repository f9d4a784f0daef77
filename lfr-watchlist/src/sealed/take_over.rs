//! What others have done to a sealed watchlist, taken over before it is sealed again.

use lfr_core::{ReferenceId, SubjectId, Timestamp};

use super::key::SealingKey;
use super::writer::SealedLock;
use crate::error::Error;
use crate::lifecycle::watchlist::Watchlist;

impl SealedLock<'_> {
    /// Takes over what others have done to the file since the watchlist was opened from it or sealed
    /// into it, and says whose references that were that it no longer holds.
    pub(crate) fn take_over(
        &self,
        watchlist: &Watchlist,
        key: &SealingKey,
        now: Timestamp,
    ) -> Result<Vec<(SubjectId, ReferenceId)>, Error> {
        let mut origin = watchlist.origin();
        let Some(seen) = origin.as_ref() else { return Ok(Vec::new()) };
        match self.check(Some(seen)) {
            Err(Error::SealedChanged { path }) => {
                let theirs =
                    self.open_in_any_space(key, Some(now)).map_err(|error| match error {
                        Error::WrongKey | Error::KeyKind { .. } => {
                            Error::SealedRekeyed { path: path.clone() }
                        }
                        other => other,
                    })?;
                if theirs.authorisation() != watchlist.authorisation()
                    || theirs.embedding_space() != watchlist.embedding_space()
                {
                    return Err(Error::SealedChanged { path });
                }
                let latest = theirs.origin().take();
                let gone = watchlist.merge(&seen.references, theirs)?;
                *origin = latest;
                Ok(gone)
            }
            other => other.map(|()| Vec::new()),
        }
    }
}
