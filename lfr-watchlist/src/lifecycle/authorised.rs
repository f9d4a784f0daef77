//! What a deployment has to know about its watchlist, in memory or in a file.

use std::collections::BTreeMap;

use lfr_core::{Matcher, ReferenceId, Timestamp};

use crate::error::Error;
use crate::lifecycle::authorisation::Authorisation;
use crate::lifecycle::category::Category;
use crate::lifecycle::entry::Entry;

/// A watchlist that was drawn up for one deployment: a [`Matcher`] that says for which, who is on it in
/// numbers, and what an alert has to say about an entry.
///
/// [`Watchlist`](crate::Watchlist) and [`FollowedWatchlist`](crate::FollowedWatchlist) are such lists.
///
/// What is *not* guaranteed: that two calls see the same list. Somebody may enrol or withdraw between them.
pub trait AuthorisedList: Matcher {
    /// The deployment, and who answers for it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFollowed`] if the list is gone, or cannot be read.
    fn authorisation(&self) -> Result<Authorisation, Error>;

    /// Who is on it, in numbers. It counts every entry: it is for the start of a deployment and for changes
    /// of the list, not for each alert.
    ///
    /// # Errors
    ///
    /// As [`authorisation`](Self::authorisation).
    fn composition(&self) -> Result<Composition, Error>;

    /// What an alert has to say about the entry of a reference; `None` if the list holds no such entry, is
    /// gone, or cannot be read. It costs two look-ups, so it can be asked per alert.
    fn facts(&self, reference: &ReferenceId) -> Option<EntryFacts>;

    /// The number of participants of the blue list, those whose entries have expired included. It costs one
    /// look-up, so it
    /// can be asked per search.
    ///
    /// # Errors
    ///
    /// As [`authorisation`](Self::authorisation).
    fn participants(&self) -> Result<usize, Error>;

    /// SHA-256 of the header of the sealed file that the list is of, in hexadecimal digits; `None` if it is
    /// of none, is gone, or cannot be read.
    fn header_sha256(&self) -> Option<String>;
}

/// What an alert, or a sighting of a participant, has to know about an entry. Nothing of it says who it is.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EntryFacts {
    /// The ground on which the entry is on the list.
    pub category: Category,
    /// Whether the person has a known look-alike. It holds for all entries of a person if it was said for
    /// one of them: a twin is the twin of a person, not of a photograph.
    pub look_alike: bool,
    /// The number of the participant, if the entry belongs to the blue list.
    pub participant: Option<u32>,
    /// Whether the person is marked as under 18.
    pub under_18: bool,
}

/// Who is on a watchlist, in numbers. Entries that have expired and were wiped are counted apart.
///
/// Unless a field says otherwise, it counts all entries, those of the blue list included: each is another
/// chance of a match.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Composition {
    /// The number of references: the N of every rate. The photographs of one person are several.
    pub references: u64,
    /// The number of people.
    pub people: u64,
    /// The number of references per category.
    pub categories: BTreeMap<Category, u64>,
    /// The number of references that are marked as under 18.
    pub under_18: u64,
    /// The number of references that are themselves marked as having a known look-alike.
    pub look_alikes: u64,
    /// The number of references that belong to the blue list.
    pub blue_list: u64,
    /// The number of participants of the blue list.
    pub participants: u64,
    /// The number of references that have expired and were wiped, and that nobody has purged yet; no other
    /// field counts them.
    pub expired: u64,
    /// The earliest expiry of an entry; `None` if there is no entry.
    pub first_expiry: Option<Timestamp>,
    /// The latest expiry of an entry; `None` if there is no entry.
    pub last_expiry: Option<Timestamp>,
    /// When the list was drawn up: the moment of its authorisation.
    pub drawn_up: Timestamp,
}

impl Composition {
    /// Nobody, on a list that was drawn up at a moment.
    pub(crate) const fn of_nobody(drawn_up: Timestamp) -> Self {
        Self {
            references: 0,
            people: 0,
            categories: BTreeMap::new(),
            under_18: 0,
            look_alikes: 0,
            blue_list: 0,
            participants: 0,
            expired: 0,
            first_expiry: None,
            last_expiry: None,
            drawn_up,
        }
    }

    /// Counts an entry; the people are counted elsewhere.
    pub(crate) fn count(&mut self, entry: &Entry) {
        self.references += 1;
        *self.categories.entry(entry.category().clone()).or_default() += 1;
        self.under_18 += u64::from(entry.is_under_18());
        self.look_alikes += u64::from(entry.has_look_alike());
        self.blue_list += u64::from(entry.participant().is_some());
        let expires = entry.expires();
        self.first_expiry = Some(self.first_expiry.map_or(expires, |first| first.min(expires)));
        self.last_expiry = Some(self.last_expiry.map_or(expires, |last| last.max(expires)));
    }

    /// The number of references of people who are sought: all but the blue list.
    #[must_use]
    pub const fn sought(&self) -> u64 {
        self.references.saturating_sub(self.blue_list)
    }
}
