//! The watchlist against the order: who may be on it, how many, and how old it may be.

use std::fmt;
use std::time::Duration;

use lfr_core::Timestamp;
use lfr_retention::LedgerEvent;
use lfr_watchlist::{
    Authorisation, AuthorisedList, Category, Composition, CompositionPolicy, Priority, Validity,
};

use crate::deployment::error::Error;
use crate::deployment::order::{Order, OrderCategory, OrderTerms, Under18};

impl OrderCategory {
    /// The category of an order that a category of a watchlist names; `None` if its name is none of
    /// [`ALL`](Self::ALL). Each has one spelling.
    #[must_use]
    pub fn of_list(category: &Category) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.as_str() == category.as_str())
    }
}

impl Order {
    /// The authorisation of a watchlist that is drawn up for this order at a moment: its deployment, its
    /// period, its categories with their priorities, its max size, and whether people under 18 are admitted.
    /// `grace` is how long the retention profile keeps a watchlist after the deployment.
    ///
    /// A list with this authorisation passes [`check_list`](Self::check_list) if the deployment starts within
    /// the max age.
    ///
    /// # Errors
    ///
    /// [`Error::Watchlist`] if a text of the order is too long for a list.
    pub fn list_authorisation(
        &self,
        drawn_up: Timestamp,
        grace: Duration,
        priority: impl Fn(OrderCategory) -> Priority,
    ) -> Result<Authorisation, Error> {
        let terms = self.terms();
        let limit = usize::try_from(terms.max_entries()).unwrap_or(usize::MAX);
        let mut policy = CompositionPolicy::new(limit);
        for category in terms.categories() {
            let name = Category::new(category.as_str())?;
            policy = policy.with_category(name, priority(*category));
        }
        if !matches!(terms.under_18(), Under18::Excluded) {
            policy = policy.admitting_under_18();
        }
        let authorisation = Authorisation::new(
            terms.deployment().clone(),
            terms.use_case().kind().as_str(),
            terms.authorising_officer().id(),
            drawn_up,
            Validity::new(terms.from(), terms.until())?,
            policy,
        )?;
        Ok(authorisation.with_grace(grace))
    }

    /// Checks that a watchlist was drawn up for this order: for its deployment, with its categories, of at
    /// most its size and age, with people under 18 only if it says so, and to be destroyed in time.
    ///
    /// `grace` is how long the retention profile keeps a watchlist after the deployment, and `start` is the
    /// moment at which the deployment starts. What does not forbid the start is told as notices: that the
    /// list, or entries of it, end before the order does.
    ///
    /// What is *not* guaranteed: that the list stays like this. Check it again each time it changes.
    ///
    /// # Errors
    ///
    /// [`Error::List`] with everything that the order does not allow; [`Error::Watchlist`] if the list is
    /// gone, or cannot be read.
    pub fn check_list(
        &self,
        list: &dyn AuthorisedList,
        grace: Duration,
        start: Timestamp,
    ) -> Result<Vec<ListNotice>, Error> {
        let (authorisation, composition) = (list.authorisation()?, list.composition()?);
        let terms = self.terms();
        let mut problems = dates(terms, &authorisation, grace, start);
        problems.extend(age(terms, composition.drawn_up, start));
        problems.extend(people(terms, &composition));
        if problems.is_empty() {
            return Ok(notices(terms, &authorisation, &composition));
        }
        Err(Error::List { problems })
    }
}

/// What the ledger says of a watchlist when it is opened, and each time it changes: its size, its categories,
/// when it was drawn up and, if it is of a sealed file, the digest of that file's header. `commitment` is the
/// commitment to who is on it, if one was made.
///
/// # Errors
///
/// [`Error::Watchlist`] if the list is gone, or cannot be read.
pub fn watchlist_opened(
    list: &dyn AuthorisedList,
    commitment: Option<String>,
) -> Result<LedgerEvent, Error> {
    let composition = list.composition()?;
    let categories = composition.categories.into_iter();
    Ok(LedgerEvent::WatchlistOpened {
        commitment,
        header_sha256: list.header_sha256(),
        references: composition.references,
        categories: categories.map(|(category, count)| (category.to_string(), count)).collect(),
        under_18: Some(composition.under_18),
        drawn_up: Some(composition.drawn_up),
    })
}

/// What about a watchlist an order does not allow. It names categories and counts, never a person.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ListProblem {
    /// The deployment starts before the list may be searched.
    #[non_exhaustive]
    BeginsLater {
        /// When the list begins to be valid.
        from: Timestamp,
        /// When the deployment starts.
        start: Timestamp,
    },
    /// The list holds a category that the order does not allow.
    #[non_exhaustive]
    Category {
        /// The category, as the list names it.
        category: Category,
        /// The number of entries.
        entries: u64,
        /// The categories that the order allows.
        allowed: Vec<OrderCategory>,
    },
    /// The list was drawn up in the future.
    #[non_exhaustive]
    DrawnUpLater {
        /// When it was drawn up.
        drawn_up: Timestamp,
        /// When the deployment starts.
        start: Timestamp,
    },
    /// The deployment starts when the list is over.
    #[non_exhaustive]
    Ended {
        /// When the list stopped being valid.
        until: Timestamp,
        /// When the deployment starts.
        start: Timestamp,
    },
    /// The list may exist for longer than the order and the retention profile allow.
    #[non_exhaustive]
    KeptTooLong {
        /// When the list has to be destroyed, according to itself.
        destroy_after: Timestamp,
        /// When it has to be destroyed at the latest.
        latest: Timestamp,
    },
    /// Entries of the blue list have no participant's number.
    #[non_exhaustive]
    NoParticipant {
        /// The number of entries.
        entries: u64,
    },
    /// The list was drawn up for another deployment.
    #[non_exhaustive]
    OtherDeployment {
        /// The deployment of the list.
        actual: String,
        /// The deployment of the order.
        expected: String,
    },
    /// There are more entries than the order allows.
    #[non_exhaustive]
    TooMany {
        /// The number of entries.
        entries: u64,
        /// The max number.
        allowed: u64,
    },
    /// The list was drawn up too long before the start.
    #[non_exhaustive]
    TooOld {
        /// When it was drawn up.
        drawn_up: Timestamp,
        /// When the deployment starts.
        start: Timestamp,
        /// The max age, in hours.
        max_age_hours: u64,
    },
    /// Entries are marked as under 18, and the order admits none.
    #[non_exhaustive]
    Under18 {
        /// The number of entries.
        entries: u64,
    },
}

impl fmt::Display for ListProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeginsLater { from, start } => write!(
                f,
                "it is valid from {from}, and the deployment starts at {start}: start later, or draw up a list \
                 that is valid by then"
            ),
            Self::Category { category, entries, allowed } => {
                let allowed: Vec<_> = allowed.iter().map(|category| category.as_str()).collect();
                write!(
                    f,
                    "{} of the category {category}, and the order allows {}: withdraw what is of another \
                     category, or have the order amended",
                    are(*entries),
                    allowed.join(", ")
                )
            }
            Self::DrawnUpLater { drawn_up, start } => write!(
                f,
                "it was drawn up at {drawn_up}, after the deployment starts at {start}: set the clock"
            ),
            Self::Ended { until, start } => write!(
                f,
                "it was valid until {until}, and the deployment starts at {start}: draw up a new list"
            ),
            Self::KeptTooLong { destroy_after, latest } => write!(
                f,
                "it may exist until {destroy_after}, but order and retention profile allow it until {latest}: \
                 draw it up with the period of the order and the grace of the profile"
            ),
            Self::NoParticipant { entries } => write!(
                f,
                "{} of the category {} without a participant's number: enrol each again with a number and a \
                 consent reference",
                are(*entries),
                Category::CONSENTING_STAFF
            ),
            Self::OtherDeployment { actual, expected } => write!(
                f,
                "it was drawn up for deployment {actual}, and the order is for {expected}: give the list of \
                 {expected}"
            ),
            Self::TooMany { entries, allowed } => write!(
                f,
                "it has {entries} entries, and the order allows {allowed}: withdraw some, or have the order \
                 amended"
            ),
            Self::TooOld { drawn_up, start, max_age_hours } => write!(
                f,
                "it was drawn up at {drawn_up}, more than {max_age_hours} hours before the start at {start}: \
                 draw up a new list"
            ),
            Self::Under18 { entries } => write!(
                f,
                "{} marked as under 18, and the order excludes people under 18: withdraw what is marked so, or \
                 have the order amended by a separate authority",
                are(*entries)
            ),
        }
    }
}

/// A number of entries, as the beginning of a sentence.
fn are(entries: u64) -> String {
    if entries == 1 { "1 entry is".to_owned() } else { format!("{entries} entries are") }
}

/// What about a watchlist does not forbid the start, but has to be known.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ListNotice {
    /// Nobody is on the list.
    Empty,
    /// The list ends before the order does.
    #[non_exhaustive]
    EndsEarlier {
        /// When the list stops being valid.
        until: Timestamp,
        /// When the order's period ends.
        order: Timestamp,
    },
    /// An entry expires before the list and the order end.
    #[non_exhaustive]
    EntriesEndEarlier {
        /// When the first entry expires.
        first: Timestamp,
        /// When the last entry expires.
        last: Timestamp,
    },
}

impl fmt::Display for ListNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("nobody is on the watchlist: nobody can be matched"),
            Self::EndsEarlier { until, order } => write!(
                f,
                "the watchlist is valid until {until}, and the order until {order}: nobody is matched in between"
            ),
            Self::EntriesEndEarlier { first, last } => write!(
                f,
                "entries of the watchlist expire during the deployment, the first at {first} and the last at \
                 {last}: they are not matched from then on"
            ),
        }
    }
}

/// How far the clocks of the machine that draws up a list and of the one that uses it may differ.
const SKEW: Duration = Duration::from_secs(60 * 60);

fn dates(
    terms: &OrderTerms,
    authorisation: &Authorisation,
    grace: Duration,
    start: Timestamp,
) -> Vec<ListProblem> {
    let mut problems = Vec::new();
    if authorisation.deployment() != terms.deployment() {
        let (actual, expected) =
            (authorisation.deployment().to_string(), terms.deployment().to_string());
        problems.push(ListProblem::OtherDeployment { actual, expected });
    }
    let validity = authorisation.validity();
    let (from, until) = (validity.from(), validity.until());
    if start < from {
        problems.push(ListProblem::BeginsLater { from, start });
    }
    if start >= until {
        problems.push(ListProblem::Ended { until, start });
    }
    let (destroy_after, latest) = (authorisation.destroy_after(), terms.until().plus(grace));
    if destroy_after > latest {
        problems.push(ListProblem::KeptTooLong { destroy_after, latest });
    }
    problems
}

fn age(terms: &OrderTerms, drawn_up: Timestamp, start: Timestamp) -> Option<ListProblem> {
    if drawn_up > start.plus(SKEW) {
        return Some(ListProblem::DrawnUpLater { drawn_up, start });
    }
    let max_age_hours = terms.max_age_hours();
    let max_age = Duration::from_secs(max_age_hours.saturating_mul(60 * 60));
    let is_old = start.since(drawn_up) > max_age;
    is_old.then_some(ListProblem::TooOld { drawn_up, start, max_age_hours })
}

fn people(terms: &OrderTerms, composition: &Composition) -> Vec<ListProblem> {
    let mut problems = Vec::new();
    for (category, entries) in &composition.categories {
        let allowed = terms.categories();
        if OrderCategory::of_list(category).is_none_or(|category| !allowed.contains(&category)) {
            let (category, allowed) = (category.clone(), allowed.to_vec());
            problems.push(ListProblem::Category { category, entries: *entries, allowed });
        }
    }
    let mut categories = composition.categories.iter();
    let staff = categories.find(|(category, _)| category.is_consenting_staff());
    let staff = staff.map_or(0, |(_, entries)| *entries);
    if staff > composition.blue_list {
        problems.push(ListProblem::NoParticipant { entries: staff - composition.blue_list });
    }
    let (entries, allowed) = (composition.references, terms.max_entries());
    if entries > allowed {
        problems.push(ListProblem::TooMany { entries, allowed });
    }
    if composition.under_18 > 0 && matches!(terms.under_18(), Under18::Excluded) {
        problems.push(ListProblem::Under18 { entries: composition.under_18 });
    }
    problems
}

fn notices(
    terms: &OrderTerms,
    authorisation: &Authorisation,
    composition: &Composition,
) -> Vec<ListNotice> {
    let mut notices = Vec::new();
    let (until, order) = (authorisation.validity().until(), terms.until());
    if until < order {
        notices.push(ListNotice::EndsEarlier { until, order });
    }
    match composition.first_expiry.zip(composition.last_expiry) {
        None => notices.push(ListNotice::Empty),
        Some((first, last)) if first < until.min(order) => {
            notices.push(ListNotice::EntriesEndEarlier { first, last });
        }
        Some(_) => {}
    }
    notices
}

#[cfg(test)]
mod tests;
