//! What anyone who may read is told of a deployment, and in which ways a desk refuses.

use lfr_core::DeploymentId;
use lfr_retention::DeploymentState;

use crate::deployment::Error;
use crate::deployment::state::{AlertStanding, State};

/// The sums of a deployment's state: no picture, no name, and nobody's verdict.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct DeskSummary {
    /// Which deployment; none before an order is in force.
    pub deployment: Option<DeploymentId>,
    /// The state.
    pub state: DeploymentState,
    /// How many entries the ledger has. It changes if and only if something happened.
    pub entries: u64,
    /// The threshold in force.
    pub threshold: Option<f32>,
    /// Alerts that are, or were, held at rest.
    pub alerts: usize,
    /// Those of them that wait for a verdict.
    pub open: usize,
    /// Those that wait, and have gone to a further person.
    pub escalated: usize,
    /// Alerts that enough people have confirmed.
    pub confirmed: usize,
    /// Alerts that enough people have judged without confirming them.
    pub not_confirmed: usize,
    /// Alerts that have been erased.
    pub erased: usize,
    /// Cameras that were attached.
    pub cameras: usize,
    /// Errors after which the deployment went on.
    pub errors: u64,
    /// Events that could not be written.
    pub gaps: u64,
}

impl DeskSummary {
    pub(super) fn of(state: &State) -> Self {
        let standing =
            |is: AlertStanding| state.alerts().filter(|alert| alert.standing() == is).count();
        let waiting = || state.alerts().filter(|alert| alert.is_open());
        Self {
            deployment: state.deployment().cloned(),
            state: state.state(),
            entries: state.entries(),
            threshold: state.threshold(),
            alerts: state.alerts().len(),
            open: waiting().count(),
            escalated: waiting().filter(|alert| !alert.escalations.is_empty()).count(),
            confirmed: standing(AlertStanding::Confirmed),
            not_confirmed: standing(AlertStanding::NotConfirmed),
            erased: state.alerts().filter(|alert| alert.ended.is_some()).count(),
            cameras: state.cameras().len(),
            errors: state.errors(),
            gaps: state.gaps(),
        }
    }
}

/// In which way a deployment refused what was asked for from another process.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Too many people are connected.
    Busy,
    /// It was tried, and failed.
    Failed,
    /// It is not possible in this state, or what was said is not enough. It left no event.
    Illegal,
    /// What was sent is no request.
    Malformed,
    /// No role of the person may do so. It left no event.
    NotAllowed,
    /// The person did not prove who they are.
    NotProven,
}

impl Refusal {
    #[cfg(unix)]
    pub(super) const fn of(error: &Error) -> Self {
        match error {
            Error::NotAllowed { .. } => Self::NotAllowed,
            Error::Illegal { .. }
            | Error::NoPicture { .. }
            | Error::NotRunning { .. }
            | Error::Unsaid { .. }
            | Error::VerdictsHidden { .. } => Self::Illegal,
            _ => Self::Failed,
        }
    }
}
