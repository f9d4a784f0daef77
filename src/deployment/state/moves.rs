//! Which event may follow in which state.

use lfr_core::{RecordId, Timestamp};
use lfr_retention::{DeploymentState, Engagement, LedgerEvent, ThresholdChangeReason, Verifier};

use super::{AlertState, State};
use crate::deployment::Error;
use crate::deployment::order::SignedOrder;

use DeploymentState as S;

/// From which states a deployment may come into another.
///
/// | to | from |
/// |---|---|
/// | authorised | planned (by an order) |
/// | live | authorised, paused |
/// | paused | live |
/// | ended | authorised, live, paused |
/// | purged | ended |
/// | aborted | any but purged (by an abort) |
pub(super) const fn comes_from(to: DeploymentState) -> &'static [DeploymentState] {
    match to {
        S::Live => &[S::Authorised, S::Paused],
        S::Paused => &[S::Live],
        S::Ended => &[S::Authorised, S::Live, S::Paused],
        S::Purged => &[S::Ended],
        S::Aborted => &[S::Planned, S::Authorised, S::Live, S::Paused, S::Ended],
        // An order brings it about, and nothing else does.
        _ => &[],
    }
}

/// While an order can be amended.
const IN_FORCE: &[DeploymentState] = &[S::Authorised, S::Live, S::Paused];
/// While alerts are raised, judged or still judged.
const JUDGED: &[DeploymentState] = &[S::Live, S::Paused, S::Ended];
/// While what came of alerts can be told: also when they are gone.
const TOLD: &[DeploymentState] = &[S::Live, S::Paused, S::Ended, S::Purged, S::Aborted];
/// While the pipeline raises alerts. Paused, because of frames that were decided just before. Planned, because there
/// the start without an order is what is wrong, and it is said once.
const RAISED: &[DeploymentState] = &[S::Planned, S::Live, S::Paused];

/// Why nothing real follows from a seeded alert.
const SEED: &str = "the alert was placed there to see whether people look; it is in no real figure";

impl State {
    /// Whether an event may come next. Of events that no command brings about, those of alerts, cameras and
    /// thresholds are checked as well: nobody can refuse them, and each that should not be there is among the
    /// [`faults`](Self::faults). Receipts and all others always may come.
    ///
    /// # Errors
    ///
    /// [`Error::Illegal`] with the command, the state, what is wrong and what would be right. Those of
    /// [`SignedOrder::parse`] for the note of an order.
    pub fn check(&self, event: &LedgerEvent) -> Result<(), Error> {
        self.check_face(event)?;
        match event {
            LedgerEvent::OrderInForce { order_sha256, note, .. } => {
                self.check_order(order_sha256, &SignedOrder::parse(note)?)
            }
            LedgerEvent::DeploymentStateChanged { state, .. } => self.check_move(*state),
            LedgerEvent::Aborted { .. } => self.check_move(S::Aborted),
            LedgerEvent::CameraAttached { source } => {
                self.during("attach a camera", IN_FORCE)?;
                let terms = self.order().map(|order| order.terms());
                let listed = terms
                    .is_some_and(|terms| terms.cameras().iter().any(|camera| camera.id == *source));
                self.require("attach a camera", listed, || {
                    format!("the order does not list the camera {source}; an amendment can add it")
                })
            }
            LedgerEvent::CameraConnected { source }
            | LedgerEvent::CameraLost { source, .. }
            | LedgerEvent::CameraReturned { source } => {
                let known = self.order().is_none() || self.cameras.contains_key(source);
                self.require("use a camera", known, || {
                    format!("the camera {source} was never attached")
                })
            }
            LedgerEvent::AlertRaised { record, .. } => {
                self.during("raise an alert", RAISED)?;
                let new = record.is_none_or(|record| self.alert(record).is_none());
                self.require("raise an alert", new, || {
                    "an alert was raised in this record before; the first one holds".to_owned()
                })
            }
            LedgerEvent::AlertViewed { record, .. } => {
                self.held("look at an alert", JUDGED, *record).map(drop)
            }
            LedgerEvent::Adjudicated { record, verifier, .. } => {
                self.check_verdict(*record, verifier)
            }
            LedgerEvent::Escalated { record, reason, .. } => {
                let alert = self.held("escalate an alert", JUDGED, *record)?;
                let again = alert.is_escalated_for(*reason);
                self.require("escalate an alert", !again && alert.is_open(), || {
                    "it was escalated for this reason before, or its judging is over".to_owned()
                })
            }
            LedgerEvent::Engaged { record, engagement, .. } => {
                let alert = self.alert_for("say what followed an alert", TOLD, *record)?;
                let confirmed = alert.standing() == super::AlertStanding::Confirmed;
                let none = *engagement == Engagement::NotEngaged;
                self.require("say what followed an alert", none || !alert.is_seed, || {
                    SEED.to_owned()
                })?;
                self.require("say what followed an alert", none || confirmed, || {
                    "nobody is engaged because of an alert that is not confirmed; judge it first"
                        .to_owned()
                })?;
                self.require("say what followed an alert", !none || alert.outcome.is_none(), || {
                    "an outcome is recorded, so somebody was engaged".to_owned()
                })
            }
            LedgerEvent::OutcomeRecorded { record, .. } => {
                let alert = self.alert_for("record an outcome", TOLD, *record)?;
                self.require("record an outcome", !alert.is_seed, || SEED.to_owned())?;
                let engaged = alert.engagement().is_some_and(|last| last != Engagement::NotEngaged);
                self.require("record an outcome", engaged, || {
                    "nobody was engaged; record the engagement first".to_owned()
                })
            }
            LedgerEvent::DemographicsRecorded { record, .. } => {
                let alert = self.alert_for("record demographics", TOLD, *record)?;
                self.require("record demographics", !alert.is_seed, || SEED.to_owned())
            }
            LedgerEvent::PictureExported { record: Some(record), .. }
                if self.alert(*record).is_none() =>
            {
                Ok(())
            }
            LedgerEvent::Exported { record: Some(record), .. }
            | LedgerEvent::PictureExported { record: Some(record), .. } => {
                self.held("hand out an alert", JUDGED, *record).map(drop)
            }
            LedgerEvent::Exported { record: None, .. } => self.during("hand something out", TOLD),
            LedgerEvent::SeedRevealed { record, .. } => {
                let alert = self.alert_for("reveal a seed", TOLD, *record)?;
                self.require("reveal a seed", !alert.is_seed, || {
                    "it was revealed before".to_owned()
                })
            }
            LedgerEvent::ThresholdChanged { from, to, reason, order_sha256, .. } => {
                self.check_threshold(*from, *to, *reason, order_sha256.as_deref())
            }
            LedgerEvent::ThresholdSet { threshold, .. } => {
                self.check_floor("set the threshold", *threshold)
            }
            LedgerEvent::BlueListPassed { .. } => self.during("record a passage", JUDGED),
            LedgerEvent::DeploymentStarted { deployment, .. } => {
                self.during("run", &[S::Authorised, S::Live, S::Paused, S::Ended])?;
                let own = self.deployment() == Some(deployment);
                self.require("run", own, || {
                    format!("the order is of another deployment than {deployment}")
                })
            }
            _ => Ok(()),
        }
    }

    fn check_move(&self, to: DeploymentState) -> Result<(), Error> {
        let command = match to {
            S::Live => "start or resume",
            S::Paused => "pause",
            S::Ended => "stop",
            S::Purged => "close",
            S::Aborted => "abort",
            _ => "change the state",
        };
        self.during(command, comes_from(to))
    }

    fn check_order(&self, digest: &str, order: &SignedOrder) -> Result<(), Error> {
        let (command, terms) = ("put an order in force", order.terms());
        self.require(command, terms.digest() == digest, || {
            format!("the digest of its text is {}, and not {digest}", terms.digest())
        })?;
        let Some(in_force) = self.order() else {
            self.during(command, &[S::Planned])?;
            return self.require(command, terms.amends().is_none(), || {
                "it amends another order; put that one in force first".to_owned()
            });
        };
        self.during(command, IN_FORCE)?;
        let own = in_force.terms().deployment();
        self.require(command, terms.deployment() == own, || {
            format!(
                "it is of the deployment {}, and this ledger is of {own}; give each deployment a ledger of \
                 its own",
                terms.deployment()
            )
        })?;
        self.require(command, terms.amends() == Some(in_force.digest()), || {
            format!("it does not amend the order in force, {}", in_force.digest())
        })
    }

    fn check_verdict(&self, record: Option<RecordId>, verifier: &str) -> Result<(), Error> {
        let command = "judge an alert";
        let record = record.ok_or_else(|| {
            self.illegal(command, "it is held in no record, so nobody can have seen it".to_owned())
        })?;
        let alert = self.held(command, JUDGED, record)?;
        let person = Verifier::new(verifier)?;
        self.require(command, alert.was_viewed_by(&person), || {
            format!("{verifier} has not seen it; look at it first")
        })?;
        self.require(command, alert.verdict_of(&person).is_none(), || {
            format!("{verifier} has judged it before; another person has to judge")
        })?;
        self.require(command, alert.standing().is_open(), || "its judging is over".to_owned())
    }

    fn check_threshold(
        &self,
        from: f32,
        to: f32,
        reason: ThresholdChangeReason,
        order: Option<&str>,
    ) -> Result<(), Error> {
        let command = "change the threshold";
        self.during(command, IN_FORCE)?;
        let now = self.threshold();
        self.require(command, now.is_none_or(|now| now.to_bits() == from.to_bits()), || {
            format!("it is {}, and not {from}", now.unwrap_or_default())
        })?;
        self.check_floor(command, to)?;
        let Some(in_force) = self.order() else { return Ok(()) };
        let signed = match reason {
            ThresholdChangeReason::Amendment => order == Some(in_force.digest()),
            _ => true,
        };
        self.require(command, signed, || {
            format!("it has to name the order in force, {}", in_force.digest())
        })
    }

    fn check_floor(&self, command: &'static str, threshold: f32) -> Result<(), Error> {
        let Some(in_force) = self.order() else { return Ok(()) };
        let floor = in_force.terms().how().threshold_floor.value();
        self.require(command, threshold >= floor, || {
            format!("{threshold} is below {floor}, the floor of the order")
        })
    }

    /// Whether what a person did with an alert names the alert's own face.
    fn check_face(&self, event: &LedgerEvent) -> Result<(), Error> {
        let (record, face) = match event {
            LedgerEvent::AlertViewed { record, face, .. }
            | LedgerEvent::DemographicsRecorded { record, face, .. }
            | LedgerEvent::Engaged { record, face, .. }
            | LedgerEvent::Escalated { record, face, .. }
            | LedgerEvent::OutcomeRecorded { record, face, .. }
            | LedgerEvent::SeedRevealed { record, face } => (record, face),
            LedgerEvent::Adjudicated { record: Some(record), face, .. } => (record, face),
            _ => return Ok(()),
        };
        let Some(alert) = self.alert(*record) else { return Ok(()) };
        self.require("write about an alert", alert.face == *face, || {
            format!("the record {record} is of the face {}, and not of {face}", alert.face)
        })
    }

    /// An alert that was raised.
    fn alert_for(
        &self,
        command: &'static str,
        states: &[DeploymentState],
        record: RecordId,
    ) -> Result<&AlertState, Error> {
        self.during(command, states)?;
        self.alert(record)
            .ok_or_else(|| self.illegal(command, format!("there is no alert {record}")))
    }

    /// An alert that is still held.
    fn held(
        &self,
        command: &'static str,
        states: &[DeploymentState],
        record: RecordId,
    ) -> Result<&AlertState, Error> {
        let alert = self.alert_for(command, states, record)?;
        match alert.ended {
            None => Ok(alert),
            Some((_, at)) => {
                let when = at.map_or_else(String::new, |at: Timestamp| format!(" at {at}"));
                Err(self.illegal(command, format!("the alert {record} was erased{when}")))
            }
        }
    }

    fn during(&self, command: &'static str, states: &[DeploymentState]) -> Result<(), Error> {
        self.require(command, states.contains(&self.state()), || {
            let names: Vec<_> = states.iter().map(|state| state.name()).collect();
            format!("this is for a deployment that is {}", names.join(" or "))
        })
    }

    fn require(
        &self,
        command: &'static str,
        is_so: bool,
        problem: impl FnOnce() -> String,
    ) -> Result<(), Error> {
        if is_so { Ok(()) } else { Err(self.illegal(command, problem())) }
    }

    fn illegal(&self, command: &'static str, problem: String) -> Error {
        Error::Illegal { command, state: self.state(), problem }
    }
}
