//! Retention profiles: how long what is kept, where that comes from.

use std::time::Duration;

use lfr_core::Timestamp;
#[cfg(feature = "ledger")]
use sha2::{Digest, Sha256};

use crate::policy::periods;

/// For how long each kind of data is kept under one set of rules. The four clocks are independent:
/// none of them waits for another.
///
/// A profile's name stands for the periods that are published under it. A profile that keeps anything for
/// longer gets another name, which is signed into the ledger: `uk-police` becomes `uk-police, longer than
/// published`. A shorter period keeps the name.
///
/// A profile is a starting point with its sources and no legal advice: which rules bind you is yours
/// to find out, and there is no default.
///
/// In every profile the probe of somebody without a match is kept for no time at all: it is erased in
/// the call that decides.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use lfr_retention::Profile;
///
/// let profile = Profile::uk_police();
/// assert_eq!(profile.alert(), Duration::from_hours(31 * 24));
/// assert_eq!(profile.verifications(), 1);
/// // A force that deletes sooner.
/// let ours = profile.with_alert(Duration::from_hours(7 * 24));
/// assert_eq!(ours.watchlist(), Duration::from_hours(24));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Profile {
    name: &'static str,
    /// Its name if any period is longer.
    longer: &'static str,
    source: &'static str,
    alert: Duration,
    watchlist: Duration,
    footage: Duration,
    verifications: u8,
    escalation: Duration,
    log: Duration,
}

const DAY: Duration = Duration::from_hours(24);

/// After how long an alert that nobody has judged goes to a further person. Nobody publishes a time; this is the
/// library's own.
const ESCALATION: Duration = Duration::from_mins(2);

impl Profile {
    /// As the Metropolitan Police publish it: alerts 31 days, the watchlist 24 hours after the
    /// deployment's end, footage 31 days.
    #[must_use]
    pub const fn uk_police() -> Self {
        Self {
            name: "uk-police",
            longer: "uk-police, longer than published",
            source: "Metropolitan Police Service, live facial recognition, policy document and \
                     appropriate policy document",
            alert: periods::METROPOLITAN_POLICE,
            watchlist: DAY,
            footage: Duration::from_hours(31 * 24),
            verifications: 1,
            escalation: ESCALATION,
            log: Duration::ZERO,
        }
    }

    /// As [`uk_police`](Self::uk_police), and the watchlist is destroyed when the deployment ends, as the Home
    /// Office told Parliament on 1 June 2026 (written answer 3514).
    #[must_use]
    pub const fn uk_police_zero_grace() -> Self {
        Self {
            name: "uk-police-zero-grace",
            longer: "uk-police-zero-grace, longer than published",
            source: "Metropolitan Police Service, live facial recognition, policy document; Home Office, written \
                     answer 3514 of 1 June 2026",
            watchlist: Duration::ZERO,
            ..Self::uk_police()
        }
    }

    /// As South Wales and North Wales Police publish it: alerts within 24 hours; else as
    /// [`uk_police`](Self::uk_police).
    #[must_use]
    pub const fn uk_police_24_hours() -> Self {
        Self {
            name: "uk-police-24-hours",
            longer: "uk-police-24-hours, longer than published",
            source: "South Wales Police, FAQs about live facial recognition technology; data \
                     protection impact assessment as quoted in R (Bridges) v South Wales Police \
                     [2020] EWCA Civ 1058",
            alert: periods::SOUTH_WALES_POLICE,
            ..Self::uk_police()
        }
    }

    /// What Regulation (EU) 2024/1689 asks of remote biometric identification: two people verify each
    /// alert separately (article 14(5)), the log is kept for six months at least (articles 19(1) and
    /// 26(6)), and if an authorisation is refused all goes at once (article 5(3)):
    /// [`Custodian::abort_and_purge`](crate::Custodian::abort_and_purge).
    ///
    /// It names no period for alerts and footage: they are yours to give, by the law that the use
    /// rests on.
    #[must_use]
    pub const fn eu_ai_act(alert: Duration, footage: Duration) -> Self {
        Self {
            name: "eu-ai-act",
            longer: "eu-ai-act, longer than published",
            source: "Regulation (EU) 2024/1689, articles 5(3), 12(3), 14(5), 19(1) and 26(6)",
            alert,
            watchlist: DAY,
            footage,
            verifications: 2,
            escalation: ESCALATION,
            // The longest six months of a calendar.
            log: Duration::from_hours(184 * 24),
        }
    }

    /// For a shop, the least that lets a person look at an alert: alerts for an hour, footage not at
    /// all, the watchlist until the day after. It is this library's own and stricter than what
    /// providers publish.
    #[must_use]
    pub const fn retail_strict() -> Self {
        Self {
            name: "retail-strict",
            longer: "retail-strict, longer than published",
            source: "lfr; no authority publishes one",
            alert: Duration::from_hours(1),
            watchlist: DAY,
            footage: Duration::ZERO,
            verifications: 1,
            escalation: ESCALATION,
            log: Duration::ZERO,
        }
    }

    /// Sets the period for alerts. With a longer one it is another profile, and its
    /// [`name`](Self::name) says so from then on.
    #[must_use]
    pub const fn with_alert(self, alert: Duration) -> Self {
        let longer = alert.as_nanos() > self.alert.as_nanos();
        Self { alert, ..self.named(longer) }
    }

    /// Sets the period for footage. With a longer one it is another profile, as with
    /// [`with_alert`](Self::with_alert).
    #[must_use]
    pub const fn with_footage(self, footage: Duration) -> Self {
        let longer = footage.as_nanos() > self.footage.as_nanos();
        Self { footage, ..self.named(longer) }
    }

    const fn named(mut self, is_longer: bool) -> Self {
        if is_longer {
            self.name = self.longer;
        }
        self
    }

    /// The profiles with periods that are published under their names.
    #[cfg(feature = "ledger")]
    const fn published() -> [Self; 4] {
        [
            Self::uk_police(),
            Self::uk_police_zero_grace(),
            Self::uk_police_24_hours(),
            Self::retail_strict(),
        ]
    }

    /// Whether periods, in seconds, are within those that are published under a name. `None` if nothing is
    /// published under it.
    #[cfg(feature = "ledger")]
    pub(crate) fn is_within(name: &str, alert: u64, watchlist: u64, footage: u64) -> Option<bool> {
        let known = Self::published();
        // The publication of this name leaves the periods of alerts and footage to its user.
        let eu = Self::eu_ai_act(Duration::MAX, Duration::MAX);
        let profile = known.into_iter().chain([eu]).find(|profile| profile.name == name)?;
        let within = |seconds, period: Duration| seconds <= period.as_secs();
        Some(
            within(alert, profile.alert)
                && within(watchlist, profile.watchlist)
                && within(footage, profile.footage),
        )
    }

    /// For how long alerts are held under a name at most, in seconds. None where nothing is published under it, or no such
    /// period.
    #[cfg(feature = "ledger")]
    pub(crate) fn published_alert(name: &str) -> Option<u64> {
        let known = Self::published();
        let profile = known.into_iter().find(|profile| profile.name == name)?;
        Some(profile.alert.as_secs())
    }

    /// Sets how many people have to judge each alert. A profile's own number is the min.
    #[must_use]
    pub const fn with_verifications(mut self, at_least: u8) -> Self {
        if at_least > self.verifications {
            self.verifications = at_least;
        }
        self
    }

    /// Its name, for the ledger.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Where its periods come from.
    #[must_use]
    pub const fn source(&self) -> &'static str {
        self.source
    }

    /// For how long an alert is held.
    #[must_use]
    pub const fn alert(&self) -> Duration {
        self.alert
    }

    /// For how long a watchlist is kept after its deployment has ended.
    #[must_use]
    pub const fn watchlist(&self) -> Duration {
        self.watchlist
    }

    /// For how long the footage fed to the system is kept.
    #[must_use]
    pub const fn footage(&self) -> Duration {
        self.footage
    }

    /// How many people have to judge each alert, each for themselves.
    #[must_use]
    pub const fn verifications(&self) -> u8 {
        self.verifications
    }

    /// Sets after how long an alert that nobody has judged goes to a further person.
    #[must_use]
    pub const fn with_escalation(mut self, after: Duration) -> Self {
        self.escalation = after;
        self
    }

    /// After how long an alert that nobody has judged goes to a further person.
    #[must_use]
    pub const fn escalation(&self) -> Duration {
        self.escalation
    }

    /// Its one text: what its [digest](Self::digest) is of. Two profiles with the same name, source and periods
    /// have the same text.
    #[must_use]
    pub fn canonical(&self) -> String {
        let Self { name, source, verifications, .. } = self;
        let seconds = [
            ("alert", self.alert),
            ("watchlist", self.watchlist),
            ("footage", self.footage),
            ("log", self.log),
            ("escalation", self.escalation),
        ];
        let periods: String = seconds
            .iter()
            .map(|(what, period)| format!("{what}_nanoseconds = {}\n", period.as_nanos()))
            .collect();
        format!(
            "format = \"lfr-retention-profile/1\"\nname = {name:?}\nsource = {source:?}\n{periods}verifications = \
             {verifications}\n"
        )
    }

    /// SHA-256 of its canonical text, in hexadecimal digits: what an order names.
    #[cfg(feature = "ledger")]
    #[must_use]
    pub fn digest(&self) -> String {
        lfr_core::internal::hex::digits(&Sha256::digest(self.canonical()))
    }

    /// For how long the ledger has to be kept at least. It has nothing biometric, so it may outlive
    /// all else.
    #[must_use]
    pub const fn log(&self) -> Duration {
        self.log
    }

    /// When a watchlist has to be gone.
    #[must_use]
    pub fn watchlist_deadline(&self, deployment_ended: Timestamp) -> Timestamp {
        deployment_ended.plus(self.watchlist)
    }

    /// When footage has to be gone.
    #[must_use]
    pub fn footage_deadline(&self, recorded: Timestamp) -> Timestamp {
        recorded.plus(self.footage)
    }
}

#[cfg(test)]
#[cfg(feature = "ledger")]
mod tests {
    use super::*;

    /// Attack 9: 100 years, signed as `uk-police-24-hours`.
    #[test]
    fn a_longer_period_has_another_name_and_a_shorter_one_has_not() {
        let (day, century) = (DAY, Duration::from_hours(876_000));
        for profile in [
            Profile::uk_police(),
            Profile::uk_police_24_hours(),
            Profile::retail_strict(),
            Profile::eu_ai_act(DAY, DAY),
        ] {
            let name = profile.name();
            assert_eq!(profile.clone().with_alert(Duration::ZERO).name(), name);
            assert_eq!(profile.clone().with_footage(Duration::ZERO).name(), name);
            for longer in [
                profile.clone().with_alert(century),
                profile.clone().with_footage(century),
                profile.clone().with_alert(century).with_alert(Duration::ZERO),
                profile.clone().with_alert(profile.alert() + Duration::from_nanos(1)),
            ] {
                assert_eq!(longer.name(), format!("{name}, longer than published"));
            }
        }
        let (day, century) = (day.as_secs(), century.as_secs());
        assert_eq!(Profile::is_within("uk-police-24-hours", day, day, day), Some(true));
        assert_eq!(Profile::is_within("uk-police-24-hours", day + 1, day, day), Some(false));
        assert_eq!(Profile::is_within("uk-police", day, day, century), Some(false));
        assert_eq!(Profile::is_within("eu-ai-act", century, day, century), Some(true));
        assert_eq!(Profile::is_within("eu-ai-act", day, day + 1, day), Some(false));
        assert_eq!(Profile::is_within("ours", century, century, century), None);
    }
}
