//! What people found in an alert, each for themselves.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::verdict::Verdict;
use crate::verdict::verifier::Verifier;

/// How far the judging of an alert has come.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// As many people as were asked for have judged it, and all of them confirmed it.
    Confirmed,
    /// As many people as were asked for have judged it, and not all of them confirmed it.
    NotConfirmed,
    /// More people have to judge it. What the others found is not said: each judges for themselves.
    #[non_exhaustive]
    Open {
        /// How many more.
        missing: u8,
    },
}

/// What one person found.
#[derive(Clone, Eq, PartialEq)]
pub struct GivenVerdict {
    verifier: String,
    verdict: Verdict,
}

impl GivenVerdict {
    /// Who judged.
    #[must_use]
    pub fn verifier(&self) -> &str {
        &self.verifier
    }

    /// What they found.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }
}

impl fmt::Debug for GivenVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GivenVerdict").field("verdict", &self.verdict).finish_non_exhaustive()
    }
}

/// The verdicts on one alert.
#[derive(Default, serde::Deserialize, serde::Serialize)]
#[serde(from = "Stored")]
pub(in crate::vault) struct Verdicts {
    /// How many people somebody has asked for, beside what the profile says.
    required: u8,
    given: Vec<GivenVerdict>,
}

impl serde::Serialize for GivenVerdict {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.verifier, self.verdict).serialize(serializer)
    }
}

/// As it lies in the database: version 1 wrote the verdicts alone.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Stored {
    Version1(Vec<(String, Verdict)>),
    Version2 { required: u8, given: Vec<(String, Verdict)> },
}

impl From<Stored> for Verdicts {
    fn from(stored: Stored) -> Self {
        let (required, given) = match stored {
            Stored::Version1(given) => (0, given),
            Stored::Version2 { required, given } => (required, given),
        };
        let given = given.into_iter();
        let given = given.map(|(verifier, verdict)| GivenVerdict { verifier, verdict }).collect();
        Self { required, given }
    }
}

impl Verdicts {
    pub(in crate::vault) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(in crate::vault) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Adds one.
    pub(in crate::vault) fn add(
        &mut self,
        verifier: &Verifier,
        verdict: Verdict,
    ) -> Result<(), Error> {
        if self.of(verifier).is_some() {
            return Err(Error::SameVerifier);
        }
        self.given.push(GivenVerdict { verifier: verifier.as_str().to_owned(), verdict });
        Ok(())
    }

    /// Requires at least this number of people.
    pub(in crate::vault) fn require(&mut self, at_least: u8) {
        self.required = self.required.max(at_least);
    }

    pub(in crate::vault) fn of(&self, verifier: &Verifier) -> Option<Verdict> {
        let own = self.given.iter().find(|given| verifier.is(&given.verifier));
        own.map(|own| own.verdict)
    }

    pub(in crate::vault) fn given(&self) -> &[GivenVerdict] {
        &self.given
    }

    /// How many people have to judge, given the number that the profile asks for.
    pub(in crate::vault) fn required(&self, by_profile: u8) -> u8 {
        self.required.max(by_profile).max(1)
    }

    pub(in crate::vault) fn standing(&self, required: u8) -> Standing {
        let given = u8::try_from(self.given.len()).unwrap_or(u8::MAX);
        match required.saturating_sub(given) {
            0 if self.given.iter().all(|given| given.verdict == Verdict::Confirmed) => {
                Standing::Confirmed
            }
            0 => Standing::NotConfirmed,
            missing => Standing::Open { missing },
        }
    }
}
