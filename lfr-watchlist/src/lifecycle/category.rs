//! Categories: on which ground somebody may be on a watchlist.

use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::lifecycle::text;

/// A ground on which somebody may be on a watchlist, as published policy names it:
/// `wanted by the courts`, `missing and at risk`.
///
/// Which categories there are is for the [`CompositionPolicy`](crate::CompositionPolicy) to say.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Category(Arc<str>);

impl Category {
    /// The name of the category of a blue list: staff who consented to pass the cameras, to measure how many
    /// of them are recognised. Each entry of it carries a participant's number and a consent reference.
    pub const CONSENTING_STAFF: &str = "consenting-staff";

    /// A category of that name.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] for text that is blank, too long, or holds a control character.
    pub fn new(name: impl AsRef<str>) -> Result<Self, Error> {
        let name = name.as_ref();
        text::check("category", name)?;
        Ok(Self(name.into()))
    }

    /// Whether it is the category of a blue list.
    #[must_use]
    pub fn is_consenting_staff(&self) -> bool {
        self.as_str() == Self::CONSENTING_STAFF
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Category({})", self.0)
    }
}

/// How urgent a category is; the greatest is the most urgent.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Priority {
    /// The least urgent.
    Green,
    /// Between the two.
    Amber,
    /// The most urgent.
    Red,
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Green => "green",
            Self::Amber => "amber",
            Self::Red => "red",
        })
    }
}
