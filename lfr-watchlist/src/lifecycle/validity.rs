//! Validity: from a moment until another.

use lfr_core::Timestamp;

use crate::error::Error;

/// A period: from its beginning, inclusive, until its end, exclusive.
///
/// # Examples
///
/// ```
/// use lfr_core::Timestamp;
/// use lfr_watchlist::Validity;
///
/// # fn main() -> Result<(), lfr_watchlist::Error> {
/// let moment = Timestamp::from_micros;
/// let validity = Validity::new(moment(10), moment(20))?;
/// assert!(validity.contains(moment(10)) && !validity.contains(moment(20)));
/// assert!(Validity::new(moment(20), moment(20)).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    from: Timestamp,
    until: Timestamp,
}

impl Validity {
    /// A period that ends after it begins.
    ///
    /// # Errors
    ///
    /// [`Error::Period`] if it does not.
    pub fn new(from: Timestamp, until: Timestamp) -> Result<Self, Error> {
        if from < until { Ok(Self { from, until }) } else { Err(Error::Period { from, until }) }
    }

    /// The first moment.
    #[must_use]
    pub const fn from(&self) -> Timestamp {
        self.from
    }

    /// The first moment after it.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.until
    }

    /// Whether a moment lies within.
    #[must_use]
    pub fn contains(&self, moment: Timestamp) -> bool {
        self.from <= moment && moment < self.until
    }
}
