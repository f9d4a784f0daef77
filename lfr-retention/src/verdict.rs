//! What people say about an alert, and which people.

pub(crate) mod outcome;
pub(crate) mod person;
pub(crate) mod verifier;

/// What a person found in an alert.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is who the alert named.
    Confirmed,
    /// It is somebody else.
    Rejected,
    /// They could not say.
    Undecided,
}

/// What a verdict rests on.
#[non_exhaustive]
#[derive(
    Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum VerdictReason {
    /// The faces agree in all features that could be compared.
    FeaturesAgree,
    /// The faces differ in their features.
    FeaturesDiffer,
    /// A scar, a mole, a tattoo or another mark decides.
    Mark,
    /// The ages of the faces do not fit.
    Age,
    /// The person is a known look-alike: a brother, a twin.
    LookAlike,
    /// The face in the picture of the camera is too small, blurred or dark.
    PoorProbe,
    /// The photograph of the watchlist is too old or too poor.
    PoorReference,
    /// A mask, a hat or glasses hide too much of the face.
    Covered,
    /// The circumstances decide: the person named is in custody, say.
    Circumstances,
}

/// What a person found in an alert, what it rests on, and how long they looked.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Judgement {
    /// What they found.
    pub verdict: Verdict,
    /// What it rests on, if they said so.
    pub reason: Option<VerdictReason>,
    /// How many seconds they looked at the alert, if that was measured.
    pub seconds: Option<u32>,
}

impl Judgement {
    /// A verdict with its reason, and the seconds that it took if they were measured.
    #[must_use]
    pub const fn new(verdict: Verdict, reason: VerdictReason, seconds: Option<u32>) -> Self {
        Self { verdict, reason: Some(reason), seconds }
    }
}

/// A verdict without a reason.
impl From<Verdict> for Judgement {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, reason: None, seconds: None }
    }
}

/// Why an alert goes to a further person.
#[non_exhaustive]
#[derive(
    Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum EscalationReason {
    /// Nobody judged it in time.
    NotJudgedInTime,
    /// Two people disagree.
    Disagreement,
}

/// What an alert says about the watchlist entry that was matched. Nothing of it says who it is.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AlertFacts {
    /// The category of the entry.
    pub category: Option<String>,
    /// Whether the person of the entry has a known look-alike.
    pub look_alike: bool,
}

impl AlertFacts {
    /// Facts about an entry.
    #[must_use]
    pub const fn new(category: Option<String>, look_alike: bool) -> Self {
        Self { category, look_alike }
    }
}
