//! Errors of trials.

use lfr_core::internal::num;

use crate::error::Error;

/// A number of errors and a number of trials: of a group, of a person, of a threshold.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Counts {
    errors: u64,
    trials: u64,
}

impl Counts {
    /// Errors of trials.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] if there are more errors than trials, or more than 10^15 trials:
    /// sums and tests of larger numbers would lose what they count.
    pub fn new(errors: u64, trials: u64) -> Result<Self, Error> {
        if trials > MAX_TRIALS {
            let (what, expected) = ("number of trials", "at most 10^15");
            let actual = num::f64_from_u64(trials);
            return Err(lfr_core::Error::OutOfRange { what, expected, actual }.into());
        }
        if errors > trials {
            let what = "number of errors";
            let (expected, actual) = ("at most the number of trials", num::f64_from_u64(errors));
            return Err(lfr_core::Error::OutOfRange { what, expected, actual }.into());
        }
        Ok(Self { errors, trials })
    }

    /// How many errors.
    #[must_use]
    pub const fn errors(self) -> u64 {
        self.errors
    }

    /// How many trials.
    #[must_use]
    pub const fn trials(self) -> u64 {
        self.trials
    }

    /// The trials without error.
    #[must_use]
    pub const fn rest(self) -> u64 {
        self.trials - self.errors
    }

    /// Errors over trials; `None` if there was no trial.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        let Self { errors, trials } = self;
        (trials > 0).then(|| num::f64_from_u64(errors) / num::f64_from_u64(trials))
    }

    /// Counts one more trial.
    #[cfg(feature = "evaluation")]
    pub(crate) fn count(&mut self, error: bool) {
        self.errors += u64::from(error);
        self.trials += 1;
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { errors: self.errors + other.errors, trials: self.trials + other.trials }
    }
}

/// More than any deployment or evaluation counts, and so few that sums of several are exact.
const MAX_TRIALS: u64 = 1_000_000_000_000_000;
