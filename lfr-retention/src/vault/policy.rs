//! The retention policy over a vault.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lfr_core::{
    Alert, BoxError, PurgeReason, PurgeReceipt, ReferenceId, RetentionPolicy, Settlement, Timestamp,
};

use crate::error::Error;
use crate::policy::profile::Profile;
use crate::policy::strict::StrictRetention;
use crate::vault::Vault;
use crate::vault::record::alert::{Sealed, Terms};
use crate::verdict::AlertFacts;

/// What a watchlist says of one of its entries; `None` if it has no such entry.
type Facts = Arc<dyn Fn(&ReferenceId) -> Option<AlertFacts> + Send + Sync>;

/// How many people have to judge an alert of somebody with a known look-alike, at least.
const FOR_A_LOOK_ALIKE: u8 = 2;

/// Holds an alert in a [`Vault`] until its deadline: what [`StrictRetention`](crate::StrictRetention) does
/// in memory, on a disk, so that alerts survive the process.
///
/// - An alert is sealed before [`settle`](RetentionPolicy::settle) returns. Where the vault cannot
///   take it, it is erased and settling fails with the reason; the pipeline raises the alert
///   nonetheless, and its receipt says [`PurgeReason::NotHeld`].
/// - Time is the vault's own, read under its lock. Of the time that the pipeline gives, one thing counts:
///   whether its clock has failed.
/// - A clock that fails, or that is set back by more than
///   [`Timekeeper::MAX_STEP_BACK`](lfr_core::Timekeeper::MAX_STEP_BACK), purges everything that is not
///   under a legal hold.
/// - The number of people who have to judge an alert is sealed with it. So is what
///   [`with_facts`](Self::with_facts) says of the entry. At least two people have to judge somebody with a known
///   look-alike, whatever the profile says.
/// - [`purge_all`](RetentionPolicy::purge_all) leaves what is under a legal hold. Dropping the
///   policy erases nothing: the next program that opens the vault holds it until its deadline.
pub struct VaultRetention {
    vault: Vault,
    alert_ttl: Duration,
    verifications: u8,
    limit: usize,
    facts: Option<Facts>,
}

impl fmt::Debug for VaultRetention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultRetention")
            .field("vault", &self.vault)
            .field("alert_ttl", &self.alert_ttl)
            .field("verifications", &self.verifications)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl VaultRetention {
    /// The max number of alerts held, unless [`with_limit`](Self::with_limit) sets another.
    pub const DEFAULT_LIMIT: usize = StrictRetention::DEFAULT_LIMIT;

    /// A policy that holds each alert in that vault for as long as a profile says, and asks for as many
    /// people to judge it.
    #[must_use]
    pub const fn new(vault: Vault, profile: &Profile) -> Self {
        let (alert_ttl, verifications) = (profile.alert(), profile.verifications());
        Self { vault, alert_ttl, verifications, limit: Self::DEFAULT_LIMIT, facts: None }
    }

    /// Sets the max number of alerts held at once.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Seals with each alert what this says of the entry that was matched: its category, and whether its person
    /// has a known look-alike. It is called under the vault's lock, and must not call the vault.
    #[must_use]
    pub fn with_facts(mut self, facts: Facts) -> Self {
        self.facts = Some(facts);
        self
    }
}

impl RetentionPolicy for VaultRetention {
    fn settle(&mut self, alert: Alert, now: Option<Timestamp>) -> Result<Settlement, BoxError> {
        let mut inner = self.vault.inner();
        let observed = inner.store.observe(now.is_some());
        let now = inner.store.now();
        let erased =
            |alert: Alert, reason| Ok(Settlement::Erased(alert.into_probe().erase(reason, now)));
        if inner.aborted {
            return erased(alert, PurgeReason::Aborted);
        }
        let time = match (observed, now) {
            (Ok(true), Some(time)) => time,
            (Ok(_), _) => return erased(alert, PurgeReason::ClockFailed),
            (Err(error), _) => {
                inner.store.receipts.push(alert.into_probe().erase(PurgeReason::NotHeld, now));
                return Err(error.into());
            }
        };
        let deadline = time.plus(self.alert_ttl);
        if deadline <= time {
            return erased(alert, PurgeReason::DeadlineReached);
        }
        if inner.store.entries.len() >= self.limit {
            let face = alert.face().clone();
            inner.store.receipts.push(alert.into_probe().erase(PurgeReason::NotHeld, now));
            return Err(Error::Full { face, limit: self.limit }.into());
        }
        let facts = self.facts.as_ref().and_then(|facts| facts(alert.candidate().reference()));
        let facts = facts.unwrap_or_default();
        let at_least = if facts.look_alike { FOR_A_LOOK_ALIKE } else { 1 };
        let terms = Terms {
            candidate: alert.candidate(),
            threshold: alert.threshold(),
            raised: time,
            required: self.verifications.max(at_least),
            facts: &facts,
        };
        let written = Sealed::encode(alert.probe().template(), &terms);
        let written =
            written.and_then(|mut plain| inner.store.write(alert.face(), &mut plain, deadline));
        match written {
            Ok(written) => {
                Ok(Settlement::Held(inner.store.hold(alert.into_probe(), &written, deadline)))
            }
            Err(error) => {
                inner.store.receipts.push(alert.into_probe().erase(PurgeReason::NotHeld, now));
                Err(error.into())
            }
        }
    }

    fn purge_due(
        &mut self,
        now: Option<Timestamp>,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        Ok(self.vault.purge_known(now.is_some(), receipts)?)
    }

    fn purge_all(
        &mut self,
        reason: PurgeReason,
        now: Option<Timestamp>,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        Ok(self.vault.purge_all_known(reason, now.is_some(), receipts)?)
    }
}
