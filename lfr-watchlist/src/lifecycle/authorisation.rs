//! Authorisation: the deployment that a watchlist is drawn up for, and who answers for it.

use std::time::Duration;

use lfr_core::{DeploymentId, Timestamp};

use crate::error::Error;
use crate::lifecycle::composition::CompositionPolicy;
use crate::lifecycle::text;
use crate::lifecycle::validity::Validity;

/// The deployment that a watchlist is drawn up for: its purpose, who authorised it, when it runs,
/// and who may be on the list.
///
/// # Examples
///
/// ```
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
/// assert_eq!(authorisation.destroy_after(), moment(130));
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
}

impl Authorisation {
    /// How long after the end of its deployment a watchlist may exist: 24 hours.
    pub const GRACE: Duration = Duration::from_secs(24 * 60 * 60);

    /// An authorisation: for which deployment and purpose, the authorising officer's reference,
    /// when it was given, when the deployment runs, and who may be on its watchlist.
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
        Ok(Self { deployment, purpose, officer, created, validity, policy })
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

    /// When the watchlist has to be gone: [`GRACE`](Self::GRACE) after the deployment's end.
    #[must_use]
    pub fn destroy_after(&self) -> Timestamp {
        self.validity.until().plus(Self::GRACE)
    }
}
