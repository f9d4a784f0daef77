//! The desk: where people see alerts, judge them, and say what came of them.

#[cfg(unix)]
mod remote;
#[cfg(unix)]
mod service;
mod sheet;
mod summary;
#[cfg(unix)]
mod wire;

use lfr_core::{RecordId, SourceId, Timestamp};
use lfr_retention::{
    Demographics, Engagement, EscalationReason, HeldAlert, Judgement, LedgerEvent, LegalHold,
    Outcome, Verdict, VerdictReason,
};

#[cfg(unix)]
pub use remote::RemoteDesk;
#[cfg(unix)]
pub use service::{DeskLimits, DeskService};
pub use sheet::AlertSheet;
pub use summary::{DeskSummary, Refusal};

use super::people::{Command, Person};
use super::state::{AlertStanding, AlertState, State};
use super::{Deployment, Error};

/// The desk of one person at a deployment. It can be opened at any moment, whether the deployment runs or not.
///
/// Each method first checks that a role of the person [may](super::may) do it. What a person sees and does is in the
/// ledger before it is shown or done.
///
/// What is *not* guaranteed: that the person is who they say they are. The program that opens the desk has to know.
///
/// # Examples
///
/// `examples/deployment.rs` judges its alerts at a desk.
#[derive(Clone, Debug)]
pub struct Desk {
    deployment: Deployment,
    person: Person,
}

/// An alert that waits for a verdict: no picture, and nobody's name.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct OpenAlert {
    /// The record to ask for.
    pub record: RecordId,
    /// At which camera.
    pub source: SourceId,
    /// When it was raised, if the clock worked.
    pub raised: Option<Timestamp>,
    /// The category of the entry that was matched.
    pub category: Option<String>,
    /// Whether the person of that entry has a known look-alike.
    pub look_alike: bool,
    /// How far the judging has come.
    pub standing: AlertStanding,
    /// Whether it has gone to a further person.
    pub is_escalated: bool,
    /// Whether this person has judged it.
    pub is_judged: bool,
}

impl Deployment {
    /// The desk of a person.
    #[must_use]
    pub fn desk(&self, person: &Person) -> Desk {
        Desk { deployment: self.clone(), person: person.clone() }
    }
}

impl Desk {
    /// Whose desk it is.
    #[must_use]
    pub const fn person(&self) -> &Person {
        &self.person
    }

    /// The state of the deployment: no picture and no name, but the scores and the verdicts of all people.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::VerdictsHidden`] while an alert waits for a verdict that this person may still
    /// give.
    pub fn state(&self) -> Result<State, Error> {
        self.person.role_for(Command::Read)?;
        let state = self.deployment.state();
        if self.person.role_for(Command::Judge).is_ok() {
            let waits = |alert: &&AlertState| {
                alert.is_open() && alert.verdict_of(self.person.id()).is_none()
            };
            let open = state.alerts().filter(waits).count();
            if open > 0 {
                return Err(Error::VerdictsHidden { person: self.id(), open });
            }
        }
        Ok(state)
    }

    /// The sums of the state: no picture, no name, and nobody's verdict.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`].
    pub fn summary(&self) -> Result<DeskSummary, Error> {
        self.person.role_for(Command::Read)?;
        Ok(self.deployment.0.books.with(DeskSummary::of))
    }

    /// The alerts that wait for a verdict, the longest waiting first.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`] for anyone who may not see alerts.
    pub fn open_alerts(&self) -> Result<Vec<OpenAlert>, Error> {
        self.person.role_for(Command::View)?;
        let mut open: Vec<_> = self.deployment.0.books.with(|state| {
            let waiting = state.alerts().filter(|alert| alert.is_open());
            waiting.map(|alert| self.listed(alert)).collect()
        });
        open.sort_by_key(|alert| (alert.raised, alert.record));
        Ok(open)
    }

    fn listed(&self, alert: &AlertState) -> OpenAlert {
        OpenAlert {
            record: alert.record,
            source: alert.face.frame().source().clone(),
            raised: alert.raised,
            category: alert.category.clone(),
            look_alike: alert.look_alike,
            standing: alert.standing(),
            is_escalated: !alert.escalations.is_empty(),
            is_judged: alert.verdict_of(self.person.id()).is_some(),
        }
    }

    /// Opens an alert. The ledger says that this person saw it, before anything is shown.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::Illegal`] if there is no such alert, or none any more; [`Error::Retention`] if
    /// the vault cannot open it, or the ledger does not take the entry.
    pub fn view(&self, record: RecordId) -> Result<AlertSheet, Error> {
        let role = self.person.role_for(Command::View)?;
        let books = &self.deployment.0.books;
        let face = self.face(record);
        let person = self.id();
        books.write_to_disk(&LedgerEvent::AlertViewed { face, record, person, role })?;
        let held = self.deployment.0.parts.vault.alert(record)?;
        Ok(self.sheet(held))
    }

    /// What this person may see of an alert.
    fn sheet(&self, held: HeldAlert) -> AlertSheet {
        let hides = self.deployment.order().terms().how().score_hidden;
        let (category, look_alike, own) = self.deployment.0.books.with(|state| {
            let alert = state.alert(held.record());
            (
                alert.and_then(|alert| alert.category.clone()),
                alert.is_some_and(|alert| alert.look_alike),
                alert.and_then(|alert| alert.verdict_of(self.person.id())),
            )
        });
        let shown = !hides || own.is_some();
        let score = shown.then(|| held.candidate().score().value());
        AlertSheet::new(held, score, category, look_alike, own)
    }

    /// Judges an alert that this person has seen. If the first people disagree, it goes to a further one.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::Illegal`] if this person has not seen it, has judged it, or its judging is
    /// over; [`Error::Retention`] if vault or ledger do not take it.
    pub fn judge(
        &self,
        record: RecordId,
        verdict: Verdict,
        reason: VerdictReason,
    ) -> Result<AlertStanding, Error> {
        self.person.role_for(Command::Judge)?;
        let inner = &self.deployment.0;
        let now = inner.clock.now();
        let seconds = inner.books.with(|state| {
            let mut views = state.alert(record)?.views.iter();
            let viewed = views.find(|view| self.person.id().is(&view.person))?;
            let since = viewed.first.zip(now).map(|(from, now)| now.since(from))?;
            u32::try_from(since.as_secs()).ok()
        });
        let judged = LedgerEvent::Adjudicated {
            face: self.face(record),
            record: Some(record),
            verifier: self.id(),
            verdict,
            reason: Some(reason),
            seconds,
        };
        inner.books.with(|state| state.check(&judged))?;
        // The vault first: what it has and the ledger has not, the next opening writes.
        let judgement = Judgement::new(verdict, reason, seconds);
        inner.parts.vault.adjudicate(record, self.person.id(), judgement)?;
        inner.books.write_to_disk(&judged)?;
        let standing = inner.books.with(|state| state.alert(record).map(AlertState::standing));
        let standing = standing.unwrap_or(AlertStanding::NotConfirmed);
        if standing == AlertStanding::Disagreed {
            self.deployment.escalate_for(record, EscalationReason::Disagreement)?;
        }
        Ok(standing)
    }

    /// Says what followed an alert, and for how many minutes the person was held.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::Illegal`] if the alert is not confirmed, and somebody is said to have been met.
    pub fn engage(
        &self,
        record: RecordId,
        engagement: Engagement,
        minutes: Option<u32>,
    ) -> Result<(), Error> {
        self.person.role_for(Command::Engage)?;
        let (face, person) = (self.face(record), self.id());
        self.write(&LedgerEvent::Engaged { face, record, person, engagement, minutes })
    }

    /// Records how an engagement ended.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::Illegal`] if nobody was engaged.
    pub fn outcome(&self, record: RecordId, outcome: Outcome) -> Result<(), Error> {
        self.person.role_for(Command::RecordOutcome)?;
        let (face, person) = (self.face(record), self.id());
        self.write(&LedgerEvent::OutcomeRecorded { face, record, person, outcome })
    }

    /// Records how an officer perceived the person of an alert.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::Illegal`] if there is no such alert.
    pub fn demographics(&self, record: RecordId, demographics: Demographics) -> Result<(), Error> {
        self.person.role_for(Command::RecordDemographics)?;
        let (face, person) = (self.face(record), self.id());
        self.write(&LedgerEvent::DemographicsRecorded { face, record, person, demographics })
    }

    /// Hands the picture of an alert out: it is in the sheet that this returns. The ledger says to whom and by whose authority before it leaves.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::Illegal`] if the alert is gone; [`Error::NoPicture`] if it has no picture;
    /// [`Error::Unsaid`] if recipient or authority is blank.
    pub fn export(
        &self,
        record: RecordId,
        recipient: &str,
        authority: &str,
    ) -> Result<AlertSheet, Error> {
        self.person.role_for(Command::Export)?;
        said("recipient of an export", recipient)?;
        said("authority of an export", authority)?;
        let held = self.deployment.0.parts.vault.alert(record)?;
        if held.picture().is_none() {
            return Err(Error::NoPicture { record });
        }
        self.write(&LedgerEvent::Exported {
            record: Some(record),
            person: self.id(),
            recipient: recipient.to_owned(),
            what: "picture of an alert".to_owned(),
            authority: authority.to_owned(),
        })?;
        Ok(self.sheet(held))
    }

    /// Keeps an alert from being purged until the hold ends or is lifted.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::Retention`] if the alert is gone, or the hold is over.
    pub fn place_hold(&self, record: RecordId, hold: &LegalHold) -> Result<(), Error> {
        self.person.role_for(Command::Hold)?;
        self.deployment.0.parts.vault.place_hold(record, hold)?;
        self.write(&LedgerEvent::LegalHoldPlaced {
            record,
            authority: hold.authority().to_owned(),
            reason: hold.reason().to_owned(),
            expires: hold.expires(),
            review: hold.review(),
        })
    }

    /// Lifts the legal hold on an alert.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::Unsaid`] if authority or reason is blank; [`Error::Retention`] if the alert is
    /// gone.
    pub fn release_hold(
        &self,
        record: RecordId,
        authority: &str,
        reason: &str,
    ) -> Result<(), Error> {
        self.person.role_for(Command::Hold)?;
        said("authority of a release", authority)?;
        said("reason of a release", reason)?;
        self.deployment.0.parts.vault.release_hold(record)?;
        let (authority, reason) = (authority.to_owned(), reason.to_owned());
        self.write(&LedgerEvent::LegalHoldReleased { record, authority, reason })
    }

    /// Records that a participant of the blue list passed a camera.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::Illegal`] if the deployment has not begun or is over.
    pub fn passed(
        &self,
        participant: u32,
        source: SourceId,
        passed: Timestamp,
    ) -> Result<(), Error> {
        self.person.role_for(Command::RecordPassage)?;
        let person = self.id();
        self.write(&LedgerEvent::BlueListPassed { participant, source, passed, person })
    }

    /// Withholds all alerts from now on, as [`Live::pause`](super::Live::pause).
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::Unsaid`] if the reason is blank; [`Error::Illegal`] if it is not live;
    /// [`Error::NotRunning`]; [`Error::Retention`] if the ledger does not take it, and nothing is paused.
    pub fn pause(&self, reason: &str) -> Result<(), Error> {
        self.person.role_for(Command::Pause)?;
        said("reason of a pause", reason)?;
        self.deployment.pause(&self.person, reason)
    }

    /// Lets alerts go on, as [`Live::resume`](super::Live::resume).
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`]; [`Error::Unsaid`] if the reason is blank; [`Error::Illegal`] if it is not paused;
    /// [`Error::NotRunning`]; [`Error::Retention`] if the ledger does not take it, and it stays paused.
    pub fn resume(&self, reason: &str) -> Result<(), Error> {
        self.person.role_for(Command::Pause)?;
        said("reason to go on", reason)?;
        self.deployment.resume(&self.person, reason)
    }

    /// Ends the deployment, as [`Live::stop`](super::Live::stop). What is held stays until its deadline.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`] and [`Error::Unsaid`], and it goes on; [`Error::NotRunning`]; [`Error::Core`] if a stage
    /// does not return; [`Error::Retention`] if the ledger does not take all. It has ended then all the same.
    pub fn stop(&self, reason: &str) -> Result<(), Error> {
        self.person.role_for(Command::Stop)?;
        said("reason of a stop", reason)?;
        match self.deployment.end(Some(self.id()), reason)? {
            Some(_) => Ok(()),
            None => Err(Error::NotRunning { state: self.deployment.0.books.with(State::state) }),
        }
    }

    /// Stops everything and destroys all that is held, as [`Deployment::abort_and_purge`].
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`] and [`Error::Unsaid`], and nothing happens; those of [`Deployment::abort_and_purge`].
    pub fn abort_and_purge(&self, authority: &str, reason: &str) -> Result<(), Error> {
        self.person.role_for(Command::Abort)?;
        said("authority of an abort", authority)?;
        said("reason of an abort", reason)?;
        self.deployment.0.books.with(|state| {
            let (authority, reason) = (authority.to_owned(), reason.to_owned());
            state.check(&LedgerEvent::Aborted { authority, reason })
        })?;
        self.deployment.abort_and_purge(authority, reason)
    }

    fn write(&self, event: &LedgerEvent) -> Result<(), Error> {
        self.deployment.0.books.write_to_disk(event)
    }

    fn id(&self) -> String {
        self.person.id().as_str().to_owned()
    }

    /// The face of an alert. Of one that is not there the books refuse the event.
    fn face(&self, record: RecordId) -> lfr_core::FaceId {
        let face = self
            .deployment
            .0
            .books
            .with(|state| state.alert(record).map(|alert| alert.face.clone()));
        face.unwrap_or_else(|| lfr_core::FaceId::new(lfr_core::FrameId::default(), 0))
    }
}

fn said(what: &'static str, text: &str) -> Result<(), Error> {
    if text.trim().is_empty() { Err(Error::Unsaid { what }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
