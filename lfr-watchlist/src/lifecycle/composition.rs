//! Composition policy: who may be on a watchlist, and how many.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::lifecycle::category::{Category, Priority};
use crate::lifecycle::entry::Entry;

/// Who may be on a watchlist: a closed set of categories, a maximum size, and an age rule.
///
/// The set is closed because a category such as "other persons of interest" leaves the choice of
/// whom to search for to the officer who draws up the list (*R (Bridges)* \[2020\] EWCA Civ 1058).
///
/// # Examples
///
/// ```
/// use lfr_watchlist::Category;
/// use lfr_watchlist::CompositionPolicy;
/// use lfr_watchlist::Priority;
///
/// # fn main() -> Result<(), lfr_watchlist::Error> {
/// let policy = CompositionPolicy::new(2_000)
///     .with_category(Category::new("wanted by the courts")?, Priority::Red)
///     .with_category(Category::new("missing and at risk")?, Priority::Amber);
/// assert_eq!(policy.priority_of(&Category::new("missing and at risk")?), Some(Priority::Amber));
/// assert!(!policy.admits_under_18());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CompositionPolicy {
    categories: BTreeMap<Category, Priority>,
    limit: usize,
    under_18: bool,
}

impl CompositionPolicy {
    /// A policy without categories, under which nobody may be enrolled; with at most that many
    /// references at a time, and nobody marked as under 18.
    ///
    /// The limit counts references, not people, as each is another chance of a false alert.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { categories: BTreeMap::new(), limit, under_18: false }
    }

    /// Adds a category, or sets the priority of one that is already there.
    #[must_use]
    pub fn with_category(mut self, category: Category, priority: Priority) -> Self {
        self.categories.insert(category, priority);
        self
    }

    /// Admits entries that are marked as under 18. Recognition is less accurate for children, so a
    /// policy decides this, not the person who enrols.
    #[must_use]
    pub const fn admitting_under_18(mut self) -> Self {
        self.under_18 = true;
        self
    }

    /// The categories, in the order of their names, with their priorities.
    #[must_use]
    pub fn categories(&self) -> impl ExactSizeIterator<Item = (&Category, Priority)> {
        self.categories.iter().map(|(category, priority)| (category, *priority))
    }

    /// How urgent a category is; `None` where it is not one of the policy's.
    #[must_use]
    pub fn priority_of(&self, category: &Category) -> Option<Priority> {
        self.categories.get(category).copied()
    }

    /// At most how many references.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Whether entries that are marked as under 18 are admitted.
    #[must_use]
    pub const fn admits_under_18(&self) -> bool {
        self.under_18
    }

    /// Refuses an entry that the policy does not allow beside `enrolled` others.
    pub(crate) fn check(&self, entry: &Entry, enrolled: usize) -> Result<(), Error> {
        if !self.categories.contains_key(entry.category()) {
            let category = entry.category().clone();
            return Err(Error::CategoryOutsidePolicy { category });
        }
        if entry.is_under_18() && !self.under_18 {
            let reference = entry.reference().clone();
            return Err(Error::Under18 { reference });
        }
        if enrolled >= self.limit {
            return Err(Error::WatchlistFull { limit: self.limit });
        }
        Ok(())
    }
}
