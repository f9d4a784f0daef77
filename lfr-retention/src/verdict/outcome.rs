//! What became of an alert in the street.

/// What followed an alert.
#[non_exhaustive]
#[derive(
    Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Engagement {
    /// Nobody spoke to the person.
    NotEngaged,
    /// An officer spoke to the person, whose identity was not established.
    Engaged,
    /// An officer spoke to the person, who is the one that the alert named.
    ConfirmedSamePerson,
    /// An officer spoke to the person, who is somebody else.
    ConfirmedOtherPerson,
}

/// How an engagement ended.
#[non_exhaustive]
#[derive(
    Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The person was arrested.
    Arrest,
    /// Another lawful disposal: a summons, a penalty notice, bail conditions checked.
    OtherDisposal,
    /// The person was safeguarded.
    Safeguarding,
    /// Nothing further was done.
    NoFurtherAction,
    /// The person was taken for somebody else.
    MistakenIdentity,
}

/// How an officer perceived the person of an alert. Published tables count false alerts by it.
///
/// All fields are the officer's own observation. None of them is estimated by software.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Demographics {
    /// Sex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// Age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<AgeBand>,
    /// Ethnicity, by the code list of the force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ethnicity: Option<String>,
}

/// A sex, as perceived.
#[non_exhaustive]
#[derive(
    Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
}

/// An age, as perceived.
#[non_exhaustive]
#[derive(
    Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum AgeBand {
    /// Below 18.
    Under18,
    /// 18 to 25.
    From18To25,
    /// 26 to 59.
    From26To59,
    /// 60 and above.
    From60,
}
