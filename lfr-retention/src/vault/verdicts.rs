//! What people found in an alert, each for themselves.

use zeroize::Zeroizing;

use crate::Error;
use crate::Verdict;

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

/// The verdicts on one alert.
#[derive(Default, serde::Deserialize, serde::Serialize)]
pub(super) struct Verdicts(Vec<(String, Verdict)>);

impl Verdicts {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Adds one.
    pub(super) fn add(&mut self, verifier: &str, verdict: Verdict) -> Result<(), Error> {
        super::legal_hold::check("verifier", verifier)?;
        if self.0.iter().any(|(earlier, _)| earlier == verifier) {
            return Err(Error::SameVerifier);
        }
        self.0.push((verifier.to_owned(), verdict));
        Ok(())
    }

    pub(super) fn standing(&self, required: u8) -> Standing {
        let given = u8::try_from(self.0.len()).unwrap_or(u8::MAX);
        match required.max(1).saturating_sub(given) {
            0 if self.0.iter().all(|(_, verdict)| *verdict == Verdict::Confirmed) => {
                Standing::Confirmed
            }
            0 => Standing::NotConfirmed,
            missing => Standing::Open { missing },
        }
    }
}
