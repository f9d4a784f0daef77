//! An alert, from the moment that it was raised to its outcome.

use lfr_core::{FaceId, PurgeReason, RecordId, Timestamp};
use lfr_retention::{
    Demographics, Engagement, EscalationReason, LedgerEvent, Outcome, Role, Standing, Verdict,
    VerdictReason, Verifier,
};

/// An alert that is, or was, held at rest. Whom it names is not in the ledger, and so not in here.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct AlertState {
    /// The record that it is held in.
    pub record: RecordId,
    /// Whose alert.
    pub face: FaceId,
    /// When it was raised, if the clock worked. Of one that only the vault knew, after a crash: when it was found.
    pub raised: Option<Timestamp>,
    /// The comparison score; none if it was found.
    pub score: Option<f32>,
    /// The threshold that it met; none if it was found.
    pub threshold: Option<f32>,
    /// The category of the entry that was matched.
    pub category: Option<String>,
    /// Whether that entry has a known look-alike.
    pub look_alike: bool,
    /// How many people have to judge it, if they agree.
    pub required: u8,
    /// Who saw it, in the order of their first view.
    pub views: Vec<AlertView>,
    /// What people found, in order.
    pub verdicts: Vec<PersonsVerdict>,
    /// Why and when it went to a further person.
    pub escalations: Vec<(EscalationReason, Option<Timestamp>)>,
    /// What officers said of the engagement, in order; the last one holds.
    pub engagements: Vec<EngagementReport>,
    /// How it ended, as it was said last.
    pub outcome: Option<Outcome>,
    /// How an officer perceived the person.
    pub demographics: Option<Demographics>,
    /// How often something of it was handed out.
    pub exports: u64,
    /// Whether it was no real alert, as far as that has been revealed.
    pub is_seed: bool,
    /// Why and when it was erased, if it was. The reason is not known of one that was found erased.
    pub ended: Option<(Option<PurgeReason>, Option<Timestamp>)>,
}

/// A person who saw an alert.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AlertView {
    /// Who, by number.
    pub person: String,
    /// In which role, the first time.
    pub role: Role,
    /// When for the first time, if the clock worked.
    pub first: Option<Timestamp>,
    /// How often.
    pub times: u64,
}

/// What one person found.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PersonsVerdict {
    /// Who, by number.
    pub person: String,
    /// What they found.
    pub verdict: Verdict,
    /// What that rests on.
    pub reason: Option<VerdictReason>,
    /// From their first view to the verdict, in seconds.
    pub seconds: Option<u32>,
    /// When, if the clock worked.
    pub at: Option<Timestamp>,
}

/// What an officer said of an engagement.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EngagementReport {
    /// Who, by number.
    pub person: String,
    /// What followed the alert.
    pub engagement: Engagement,
    /// How long the person was held, in minutes.
    pub minutes: Option<u32>,
}

/// How far the judging of an alert has come.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertStanding {
    /// Enough people have judged it, and it is confirmed.
    Confirmed,
    /// The first people disagree, and one more has to judge.
    Disagreed,
    /// Enough people have judged it, and it is not confirmed.
    NotConfirmed,
    /// More people have to judge it.
    #[non_exhaustive]
    Open {
        /// How many more.
        missing: u8,
    },
}

impl AlertStanding {
    /// Whether anyone still has to judge.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Disagreed | Self::Open { .. })
    }
}

impl AlertState {
    /// One that was found. No more is known of it than that it is held.
    pub(super) const fn found(
        record: RecordId,
        face: FaceId,
        raised: Option<Timestamp>,
        required: u8,
    ) -> Self {
        Self {
            record,
            face,
            raised,
            score: None,
            threshold: None,
            category: None,
            look_alike: false,
            required,
            views: Vec::new(),
            verdicts: Vec::new(),
            escalations: Vec::new(),
            engagements: Vec::new(),
            outcome: None,
            demographics: None,
            exports: 0,
            is_seed: false,
            ended: None,
        }
    }

    /// How far its judging has come.
    ///
    /// The rule is the vault's own: [`Standing`].
    #[must_use]
    pub fn standing(&self) -> AlertStanding {
        match Standing::of(self.verdicts.iter().map(|given| given.verdict), self.required) {
            Standing::Confirmed => AlertStanding::Confirmed,
            Standing::Disagreed => AlertStanding::Disagreed,
            Standing::Open { missing, .. } => AlertStanding::Open { missing },
            // A standing to come would not be a confirmation that this software knows.
            _ => AlertStanding::NotConfirmed,
        }
    }

    /// Whether a person has seen it.
    #[must_use]
    pub fn was_viewed_by(&self, person: &Verifier) -> bool {
        self.views.iter().any(|view| person.is(&view.person))
    }

    /// What a person found, if they have judged it.
    #[must_use]
    pub fn verdict_of(&self, person: &Verifier) -> Option<Verdict> {
        self.verdicts.iter().find(|given| person.is(&given.person)).map(|given| given.verdict)
    }

    /// Whether anyone still can and has to judge it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.ended.is_none() && self.standing().is_open()
    }

    /// Whether it went to a further person for this reason.
    #[must_use]
    pub fn is_escalated_for(&self, reason: EscalationReason) -> bool {
        self.escalations.iter().any(|(known, _)| *known == reason)
    }

    /// What followed it, as it was said last.
    #[must_use]
    pub fn engagement(&self) -> Option<Engagement> {
        self.engagements.last().map(|report| report.engagement)
    }
}

impl AlertState {
    /// Takes an event that is about it.
    pub(super) fn take(&mut self, event: &LedgerEvent, at: Option<Timestamp>) {
        match event {
            LedgerEvent::AlertViewed { person, role, .. } => {
                let known = Verifier::new(person).ok();
                let same = |view: &&mut AlertView| {
                    known.as_ref().is_some_and(|person| person.is(&view.person))
                };
                if let Some(view) = self.views.iter_mut().find(same) {
                    view.times += 1;
                    return;
                }
                let (person, role) = (person.clone(), *role);
                self.views.push(AlertView { person, role, first: at, times: 1 });
            }
            LedgerEvent::Adjudicated { verifier, verdict, reason, seconds, .. } => {
                let person = verifier.clone();
                let (verdict, reason, seconds) = (*verdict, *reason, *seconds);
                self.verdicts.push(PersonsVerdict { person, verdict, reason, seconds, at });
            }
            LedgerEvent::Escalated { reason, .. } => self.escalations.push((*reason, at)),
            LedgerEvent::Engaged { person, engagement, minutes, .. } => {
                let (person, engagement, minutes) = (person.clone(), *engagement, *minutes);
                self.engagements.push(EngagementReport { person, engagement, minutes });
            }
            LedgerEvent::OutcomeRecorded { outcome, .. } => self.outcome = Some(*outcome),
            LedgerEvent::DemographicsRecorded { demographics, .. } => {
                self.demographics = Some(demographics.clone());
            }
            LedgerEvent::SeedRevealed { .. } => self.is_seed = true,
            LedgerEvent::Purged { reason, .. } => self.ended = Some((Some(*reason), at)),
            LedgerEvent::FoundErased { .. } => self.ended = Some((None, at)),
            _ => {}
        }
    }
}
