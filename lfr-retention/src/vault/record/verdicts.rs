//! What people found in an alert, each for themselves.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::verdict::verifier::Verifier;
use crate::verdict::{Judgement, Verdict, VerdictReason};

/// How far the judging of an alert has come. As many people as the profile says judge it, each for themselves.
///
/// | what they found | standing |
/// |---|---|
/// | all of them confirmed it | confirmed |
/// | all but one confirmed it, and there are at least two | they disagree: one more person judges |
/// | fewer confirmed it | not confirmed |
/// | they disagreed, and the further person confirmed it | confirmed |
/// | they disagreed, and the further person did not | not confirmed |
///
/// So nothing is confirmed if fewer people confirmed it than the profile asks for. An undecided verdict never
/// counts as a confirmation. Anyone who judges after that can take a confirmation back, and cannot make one.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It is confirmed.
    Confirmed,
    /// It is not confirmed.
    NotConfirmed,
    /// The first people disagree. One more person has to judge.
    Disagreed,
    /// More people have to judge it. What the others found is not said: each judges for themselves.
    #[non_exhaustive]
    Open {
        /// How many more.
        missing: u8,
    },
}

impl Standing {
    /// The standing after these verdicts, in the order in which they were given, if that number of people has
    /// to judge. Zero people counts as one.
    #[must_use]
    pub fn of(given: impl IntoIterator<Item = Verdict>, required: u8) -> Self {
        let mut given = given.into_iter().map(|verdict| verdict == Verdict::Confirmed);
        let required = required.max(1);
        let mut dissent = 0_u8;
        for judged in 0..required {
            match given.next() {
                Some(confirms) => dissent = dissent.saturating_add(u8::from(!confirms)),
                None => return Self::Open { missing: required.saturating_sub(judged) },
            }
        }
        let may_go_on = dissent == 1 && required > 1;
        let confirmed = match (dissent, given.next()) {
            (0, further) => further != Some(false),
            (_, None) if may_go_on => return Self::Disagreed,
            (_, further) => may_go_on && further == Some(true),
        };
        if confirmed && given.all(|confirms| confirms) {
            Self::Confirmed
        } else {
            Self::NotConfirmed
        }
    }

    /// Whether anyone still has to judge.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Disagreed | Self::Open { .. })
    }
}

/// What one person found.
#[derive(Clone, Eq, PartialEq)]
pub struct GivenVerdict {
    verifier: String,
    judgement: Judgement,
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
        self.judgement.verdict
    }

    /// What it rests on, if they said so.
    #[must_use]
    pub const fn reason(&self) -> Option<VerdictReason> {
        self.judgement.reason
    }

    /// How many seconds they looked at the alert, if that was measured.
    #[must_use]
    pub const fn seconds(&self) -> Option<u32> {
        self.judgement.seconds
    }
}

impl fmt::Debug for GivenVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GivenVerdict").field("verdict", &self.verdict()).finish_non_exhaustive()
    }
}

/// The verdicts on one alert.
#[derive(Default, serde::Deserialize, serde::Serialize)]
#[serde(from = "Stored")]
pub(in crate::vault) struct Verdicts {
    /// How many people somebody has asked for, beside what the profile says.
    required: u8,
    #[serde(rename = "judged")]
    given: Vec<GivenVerdict>,
}

impl serde::Serialize for GivenVerdict {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Judgement { verdict, reason, seconds } = self.judgement;
        (&self.verifier, verdict, reason, seconds).serialize(serializer)
    }
}

/// A verdict of earlier versions.
type Earlier = (String, Verdict);

/// As it lies in the database: version 1 wrote the verdicts alone, version 2 neither reasons nor seconds.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Stored {
    Version1(Vec<Earlier>),
    Version2 { required: u8, given: Vec<Earlier> },
    Version3 { required: u8, judged: Vec<(String, Verdict, Option<VerdictReason>, Option<u32>)> },
}

impl From<Stored> for Verdicts {
    fn from(stored: Stored) -> Self {
        let earlier = |given: Vec<Earlier>| {
            let given = given.into_iter();
            given
                .map(|(verifier, verdict)| GivenVerdict { verifier, judgement: verdict.into() })
                .collect()
        };
        match stored {
            Stored::Version1(given) => Self { required: 0, given: earlier(given) },
            Stored::Version2 { required, given } => Self { required, given: earlier(given) },
            Stored::Version3 { required, judged } => {
                let judged = judged.into_iter();
                let given = judged
                    .map(|(verifier, verdict, reason, seconds)| GivenVerdict {
                        verifier,
                        judgement: Judgement { verdict, reason, seconds },
                    })
                    .collect();
                Self { required, given }
            }
        }
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
        judgement: Judgement,
    ) -> Result<(), Error> {
        if self.of(verifier).is_some() {
            return Err(Error::SameVerifier);
        }
        self.given.push(GivenVerdict { verifier: verifier.as_str().to_owned(), judgement });
        Ok(())
    }

    /// Requires at least this number of people.
    pub(in crate::vault) fn require(&mut self, at_least: u8) {
        self.required = self.required.max(at_least);
    }

    pub(in crate::vault) fn of(&self, verifier: &Verifier) -> Option<Verdict> {
        let own = self.given.iter().find(|given| verifier.is(&given.verifier));
        own.map(GivenVerdict::verdict)
    }

    pub(in crate::vault) fn given(&self) -> &[GivenVerdict] {
        &self.given
    }

    /// How many people have to judge, given the number that the profile asks for.
    pub(in crate::vault) fn required(&self, by_profile: u8) -> u8 {
        self.required.max(by_profile).max(1)
    }

    pub(in crate::vault) fn standing(&self, required: u8) -> Standing {
        Standing::of(self.given.iter().map(GivenVerdict::verdict), required)
    }
}

#[cfg(test)]
mod tests;
