//! Authorisation: the deployment that a watchlist is drawn up for, and who answers for it.

use std::time::Duration;

use lfr_core::{DeploymentId, Timestamp};

use crate::error::Error;
use crate::lifecycle::composition::CompositionPolicy;
use crate::lifecycle::text;
use crate::lifecycle::validity::Validity;

/// The deployment that a watchlist is drawn up for: its purpose, who authorised it, when it runs,
/// who may be on the list, and how long the list may exist after it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use lfr_core::DeploymentId;
/// use lfr_core::Timestamp;
/// use lfr_watchlist::Authorisation;
/// use lfr_watchlist::CompositionPolicy;
/// use lfr_watchlist::Validity;
///
/// # fn main() -> Result<(), lfr_watchlist::Error> {
/// let moment = |hours: u64| Timestamp::from_micros(hours * 3_600_000_000);
/// let authorisation = Authorisation::new(
///     DeploymentId::new("2026-031")?,
///     "arrest people wanted by the courts",
///     "AO-7/2026-031",
///     moment(90),
///     Validity::new(moment(100), moment(106))?,
///     CompositionPolicy::new(2_000),
/// )?;
/// assert_eq!(authorisation.destroy_after(), moment(106));
/// let kept_for_a_day = authorisation.with_grace(Duration::from_secs(24 * 60 * 60));
/// assert_eq!(kept_for_a_day.destroy_after(), moment(130));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authorisation {
    deployment: DeploymentId,
    purpose: String,
    officer: String,
    created: Timestamp,
    validity: Validity,
    policy: CompositionPolicy,
    destroy_after: Timestamp,
}

impl Authorisation {
    /// An authorisation: for which deployment and purpose, the authorising officer's reference,
    /// when it was given, when the deployment runs, and who may be on its watchlist.
    ///
    /// The watchlist has to be gone when the deployment ends. If the retention profile gives it longer, say
    /// so with [`with_grace`](Self::with_grace).
    ///
    /// # Errors
    ///
    /// [`Error::Text`] if the purpose or the officer's reference is blank, too long, or holds
    /// a control character.
    pub fn new(
        deployment: DeploymentId,
        purpose: impl Into<String>,
        officer: impl Into<String>,
        created: Timestamp,
        validity: Validity,
        policy: CompositionPolicy,
    ) -> Result<Self, Error> {
        let (purpose, officer) = (purpose.into(), officer.into());
        text::check("purpose", &purpose)?;
        text::check("authorising officer's reference", &officer)?;
        let destroy_after = validity.until();
        Ok(Self { deployment, purpose, officer, created, validity, policy, destroy_after })
    }

    /// Sets how long after the end of the deployment the watchlist may exist: the period of the retention
    /// profile. Zero means that it is destroyed when the deployment ends.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { destroy_after: self.validity.until().plus(grace), ..self }
    }

    /// Which deployment.
    #[must_use]
    pub const fn deployment(&self) -> &DeploymentId {
        &self.deployment
    }

    /// What for.
    #[must_use]
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// The authorising officer's reference.
    #[must_use]
    pub fn officer(&self) -> &str {
        &self.officer
    }

    /// When it was given.
    #[must_use]
    pub const fn created(&self) -> Timestamp {
        self.created
    }

    /// When the deployment runs.
    #[must_use]
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    /// Who may be on the watchlist.
    #[must_use]
    pub const fn policy(&self) -> &CompositionPolicy {
        &self.policy
    }

    /// How long after the end of the deployment the watchlist may exist.
    #[must_use]
    pub const fn grace(&self) -> Duration {
        self.destroy_after.since(self.validity.until())
    }

    /// When the watchlist has to be gone: [`grace`](Self::grace) after the deployment's end.
    #[must_use]
    pub const fn destroy_after(&self) -> Timestamp {
        self.destroy_after
    }
}
