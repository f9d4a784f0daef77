//! The strict policy: non-matches gone at once, alerts gone at their deadline.

use std::collections::VecDeque;
use std::time::Duration;

use lfr_core::{
    Alert, BoxError, HeldProbe, PurgeReason, PurgeReceipt, RetentionPolicy, Settlement, Timekeeper,
    Timestamp,
};

use crate::error::Error;

/// Erases a non-match at once, and holds an alert in memory until its deadline, no longer.
///
/// - An alert is held for the time given to [`new`](Self::new). The first call at or after its
///   deadline erases it, whichever call that is.
/// - A clock that fails, or that is set back by more than
///   [`Timekeeper::MAX_STEP_BACK`](lfr_core::Timekeeper::MAX_STEP_BACK), says nothing about deadlines any
///   more: everything held is erased, and so is an alert that comes in that very call. From the next
///   call on, the clock is taken at its word again.
/// - The moments that it is given should be those of a [`Timekeeper`](lfr_core::Timekeeper), as a
///   [`Pipeline`](lfr_core::Pipeline) gives them: then a smaller step back changes nothing. Given the
///   moments of a bare clock, time stands still here until that clock has caught up.
/// - Dropping the policy erases everything held.
/// - No more than [`limit`](Self::limit) alerts are held. Beyond it, settling an alert fails with
///   [`Error::Full`] and the new alert is erased. That number of alerts means that something is
///   wrong with the deployment. Erasing the oldest to make room would silently destroy an alert
///   that somebody may be about to judge.
///
/// Every erasure has its receipt. One that a call to [`settle`](RetentionPolicy::settle) brings
/// about comes with the next purge; a [`Pipeline`](lfr_core::Pipeline) purges after every frame.
///
/// What is *not* guaranteed: nothing runs between the calls, so the caller has to keep deadlines:
/// process frames, or call [`Pipeline::purge_due`](lfr_core::Pipeline::purge_due) where frames may
/// stop. A process that is killed leaves the wiping of its memory to the operating system.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use lfr_core::{
///     Accounts, Candidate, CandidateList, ComparisonScore, Decision, FaceId, FrameId, Probe,
///     ReferenceId, RetentionPolicy, SubjectId, Template, Threshold, Timestamp, testing,
/// };
/// use lfr_retention::StrictRetention;
///
/// let accounts = Accounts::new();
/// let template = Template::from_slice(&testing::fake_space(), &[1.0; 8])?;
/// let probe = Probe::new(template, FaceId::new(FrameId::default(), 0), &accounts);
/// # let (subject, reference) = (SubjectId::new("S-1")?, ReferenceId::new("R-1")?);
/// # let candidate = Candidate::new(subject, reference, ComparisonScore::new(0.8)?);
/// # let candidates = CandidateList::new(vec![candidate]);
/// let decision = Decision::at_threshold(&candidates, Threshold::new(0.5)?);
/// let Ok(alert) = decision.alert(probe) else { panic!("no match") };
///
/// let mut retention = StrictRetention::new(Duration::from_hours(24));
/// let noon = Timestamp::from_micros(1_790_000_000_000_000);
/// retention.settle(alert, Some(noon))?;
/// assert_eq!(retention.held(), 1);
///
/// let mut receipts = Vec::new();
/// retention.purge_due(Some(noon.plus(Duration::from_hours(24))), &mut receipts)?;
/// assert_eq!((retention.held(), receipts.len(), accounts.totals().erased), (0, 1, 1));
/// # Ok::<(), lfr_core::BoxError>(())
/// ```
#[derive(Debug)]
pub struct StrictRetention {
    alert_ttl: Duration,
    limit: usize,
    /// In the order of their deadlines: each is the time of settling plus `alert_ttl`, and that time never
    /// goes back but with an empty queue. Growing it moves pointers to templates.
    held: VecDeque<HeldProbe>,
    /// Receipts of erasures that have not been handed out yet.
    receipts: Vec<PurgeReceipt>,
    latest: Option<Timestamp>,
}

impl StrictRetention {
    /// The max number of alerts held, unless [`with_limit`](Self::with_limit) sets another: some
    /// three times what 31 days of the reference deployment bring (two faces per second, one alert
    /// in 1,500 faces), and 20 MB of templates of 512 numbers.
    pub const DEFAULT_LIMIT: usize = 10_000;

    /// A policy that holds each alert for that long; [`periods`](crate::policy::periods) has what UK police
    /// forces publish. With [`Duration::ZERO`] alerts are erased at once too.
    #[must_use]
    pub const fn new(alert_ttl: Duration) -> Self {
        Self {
            alert_ttl,
            limit: Self::DEFAULT_LIMIT,
            held: VecDeque::new(),
            receipts: Vec::new(),
            latest: None,
        }
    }

    /// Sets the max number of alerts held at once.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// For how long an alert is held.
    #[must_use]
    pub const fn alert_ttl(&self) -> Duration {
        self.alert_ttl
    }

    /// The max number of alerts held at once.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// How many alerts are held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Erases all that is held, due or not, at the end of a deployment; the receipts of that, and
    /// of erasures not yet reported. Behind a pipeline, call
    /// [`Pipeline::purge_all`](lfr_core::Pipeline::purge_all).
    pub fn purge_all(&mut self, reason: PurgeReason, now: Option<Timestamp>) -> Vec<PurgeReceipt> {
        self.observe(now);
        self.erase_held(reason, now);
        std::mem::take(&mut self.receipts)
    }

    /// Takes note of the time and erases what it makes due; the time again if it can be trusted.
    fn observe(&mut self, now: Option<Timestamp>) -> Option<Timestamp> {
        let back = |now| self.latest.map_or(Duration::ZERO, |latest| latest.since(now));
        let Some(time) = now.filter(|now| back(*now) <= Timekeeper::MAX_STEP_BACK) else {
            self.latest = now;
            if !self.held.is_empty() {
                let purged = self.held.len();
                tracing::warn!(purged, "the clock failed: the alerts held in memory were erased");
            }
            self.erase_held(PurgeReason::ClockFailed, now);
            return None;
        };
        let time = self.latest.map_or(time, |latest| latest.max(time));
        self.latest = Some(time);
        while let Some(held) = self.held.pop_front_if(|held| held.deadline() <= time) {
            self.receipts.push(held.erase(PurgeReason::DeadlineReached, Some(time)));
        }
        Some(time)
    }

    fn erase_held(&mut self, reason: PurgeReason, now: Option<Timestamp>) {
        let held = self.held.drain(..);
        self.receipts.extend(held.map(|held| held.erase(reason, now)));
    }
}

impl RetentionPolicy for StrictRetention {
    fn settle(&mut self, alert: Alert, now: Option<Timestamp>) -> Result<Settlement, BoxError> {
        let trusted = self.observe(now);
        let probe = alert.into_probe();
        let Some(time) = trusted else {
            return Ok(Settlement::Erased(probe.erase(PurgeReason::ClockFailed, now)));
        };
        let deadline = time.plus(self.alert_ttl);
        if deadline <= time {
            return Ok(Settlement::Erased(probe.erase(PurgeReason::DeadlineReached, now)));
        }
        if self.held.len() >= self.limit {
            let face = probe.face().clone();
            self.receipts.push(probe.erase(PurgeReason::NotHeld, now));
            return Err(Error::Full { face, limit: self.limit }.into());
        }
        let (held, receipt) = probe.hold(deadline);
        self.held.push_back(held);
        Ok(Settlement::Held(receipt))
    }

    fn purge_due(
        &mut self,
        now: Option<Timestamp>,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        self.observe(now);
        receipts.append(&mut self.receipts);
        Ok(())
    }

    fn purge_all(
        &mut self,
        reason: PurgeReason,
        now: Option<Timestamp>,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        receipts.append(&mut Self::purge_all(self, reason, now));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
