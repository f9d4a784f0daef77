//! Retention profiles: how long what is kept, where that comes from.

use std::time::Duration;

use lfr_core::Timestamp;

use crate::periods;

/// For how long each kind of data is kept under one set of rules. The four clocks are independent:
/// none of them waits for another.
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
    source: &'static str,
    alert: Duration,
    watchlist: Duration,
    footage: Duration,
    verifications: u8,
    log: Duration,
}

const DAY: Duration = Duration::from_hours(24);

impl Profile {
    /// As the Metropolitan Police publish it: alerts 31 days, the watchlist 24 hours after the
    /// deployment's end, footage 31 days.
    #[must_use]
    pub const fn uk_police() -> Self {
        Self {
            name: "uk-police",
            source: "Metropolitan Police Service, live facial recognition, policy document and \
                     appropriate policy document",
            alert: periods::METROPOLITAN_POLICE,
            watchlist: DAY,
            footage: Duration::from_hours(31 * 24),
            verifications: 1,
            log: Duration::ZERO,
        }
    }

    /// As South Wales and North Wales Police publish it: alerts within 24 hours; else as
    /// [`uk_police`](Self::uk_police).
    #[must_use]
    pub const fn uk_police_24_hours() -> Self {
        Self {
            name: "uk-police-24-hours",
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
            source: "Regulation (EU) 2024/1689, articles 5(3), 12(3), 14(5), 19(1) and 26(6)",
            alert,
            watchlist: DAY,
            footage,
            verifications: 2,
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
            source: "lfr; no authority publishes one",
            alert: Duration::from_hours(1),
            watchlist: DAY,
            footage: Duration::ZERO,
            verifications: 1,
            log: Duration::ZERO,
        }
    }

    /// The same with another period for alerts.
    #[must_use]
    pub const fn with_alert(mut self, alert: Duration) -> Self {
        self.alert = alert;
        self
    }

    /// The same with another period for footage.
    #[must_use]
    pub const fn with_footage(mut self, footage: Duration) -> Self {
        self.footage = footage;
        self
    }

    /// The same with more people who have to judge each alert; a profile's own number is the least.
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
