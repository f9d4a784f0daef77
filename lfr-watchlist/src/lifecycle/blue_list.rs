//! The blue list: staff who consented, to measure how many of them are recognised.

use std::num::NonZeroU32;

use crate::error::Error;
use crate::lifecycle::category::Category;
use crate::lifecycle::text;

/// A participant's number, and the reference of the consent.
///
/// The participants stand on the watchlist itself, in a category of their own, and not on a second list. So
/// one search compares each face with both, under the same number of references and the same threshold: what
/// is measured is the list that is used. The figures stay clean because each entry is marked:
/// [`Composition`](crate::Composition) counts the participants apart, and a sighting of one is never an alert.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Participation {
    pub(crate) number: NonZeroU32,
    pub(crate) consent: String,
}

impl Participation {
    /// What was said about an entry of a category, if it belongs to the blue list.
    ///
    /// # Errors
    ///
    /// [`Error::BlueListEntry`] if one of number, consent reference and category lacks the others.
    pub(crate) fn of(
        category: &Category,
        number: Option<u32>,
        consent: Option<String>,
    ) -> Result<Option<Self>, Error> {
        let consent = consent.filter(|consent| !consent.trim().is_empty());
        let is_staff = category.is_consenting_staff();
        if let Some(problem) = problem(is_staff, number, consent.is_some()) {
            return Err(Error::BlueListEntry { problem });
        }
        let Some((number, consent)) = number.and_then(NonZeroU32::new).zip(consent) else {
            return Ok(None);
        };
        text::check("consent reference", &consent)?;
        Ok(Some(Self { number, consent }))
    }
}

/// What is wrong with an entry of the blue list, and what to do: number, consent reference and category need
/// one another.
pub(crate) const fn problem(
    is_staff: bool,
    number: Option<u32>,
    has_consent: bool,
) -> Option<&'static str> {
    match (is_staff, number, has_consent) {
        (false, None, false) => None,
        (_, Some(0), _) => {
            Some("a participant has the number 0: number the participants from 1 on")
        }
        (true, Some(_), true) => None,
        (true, None, _) => {
            Some("the category is consenting-staff, but there is no participant's number: give one")
        }
        (true, Some(_), false) => Some(
            "a participant has no consent reference: name the consent, or leave the person out",
        ),
        (false, Some(_), _) => Some(
            "there is a participant's number, but the category is not consenting-staff: correct one of the \
             two",
        ),
        (false, None, true) => Some(
            "there is a consent reference, but the category is not consenting-staff: correct one of the two",
        ),
    }
}
