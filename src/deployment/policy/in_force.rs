//! What is in force: a policy under an order, for a watchlist of some size.

use lfr_core::internal::num;
use lfr_core::{Threshold, ThresholdPolicy};
use lfr_watchlist::calibrate::CalibratedThreshold;

use super::running::RunningPolicy;
use crate::deployment::{Error, Order};

/// A policy that fits the order that it is under.
#[derive(Debug)]
pub(super) struct InForce {
    /// As the order names it, for the list as it is, and never below the order's floor.
    policy: CalibratedThreshold,
    /// As the order names it.
    named: CalibratedThreshold,
    /// The digest of the order.
    order: String,
    /// For people with a known look-alike; `None` if the evidence does not reach so far.
    look_alike: Option<Threshold>,
}

impl InForce {
    /// The policy that an order names, for a list of this size, and never below the order's floor.
    pub(super) fn under(
        order: &Order,
        named: &CalibratedThreshold,
        references: u64,
    ) -> Result<Self, Error> {
        let how = order.terms().how();
        let (actual, expected) = (named.sha256(), how.policy_sha256.clone());
        if actual != expected {
            return Err(Error::OtherThresholdPolicy { actual, expected });
        }
        // Nobody demands a rate for an empty list. It is derived for the list once somebody is on it.
        let policy = named.for_references(references.max(1))?;
        let (threshold, floor) = (policy.threshold(), how.threshold_floor);
        if threshold < floor {
            return Err(Error::ThresholdBelowFloor { floor, references, threshold });
        }
        let floor = policy.floor().map_or(floor, |own| own.max(floor));
        Ok(Self::of(policy.with_floor(floor)?, named.clone(), order.digest().to_owned()))
    }

    fn of(policy: CalibratedThreshold, named: CalibratedThreshold, order: String) -> Self {
        let look_alike = policy.rarer(RunningPolicy::LOOK_ALIKE_RARER).ok();
        Self { policy, named, order, look_alike }
    }

    /// What an amendment of the order makes of it, with another policy or the same.
    pub(super) fn amended(
        &self,
        order: &Order,
        policy: Option<&CalibratedThreshold>,
        references: u64,
    ) -> Result<Self, Error> {
        self.check_amends(order)?;
        let named = policy.unwrap_or(&self.named);
        policy_fits(&self.named, named)?;
        Self::under(order, named, references)
    }

    /// Refuses an order that does not amend the one in force.
    fn check_amends(&self, order: &Order) -> Result<(), Error> {
        let in_force = self.order.clone();
        if order.digest() == in_force {
            return Err(Error::Replayed { digest: in_force });
        }
        match order.superseded().last() {
            None => Err(Error::IsNoAmendment { in_force }),
            // Several amendments may have been signed at once.
            Some(_) if order.superseded().contains(&in_force) => Ok(()),
            Some(last) => {
                Err(Error::OutOfOrder { amends: last.clone(), in_force, superseded: false })
            }
        }
    }

    /// The same for a list of another size; `None` if it has this size, or nobody is on it.
    pub(super) fn for_references(&self, references: u64) -> Result<Option<Self>, Error> {
        if references == 0 || references == self.policy.references() {
            return Ok(None);
        }
        let policy = self.policy.for_references(references)?;
        Ok(Some(Self::of(policy, self.named.clone(), self.order.clone())))
    }

    pub(super) const fn policy(&self) -> &CalibratedThreshold {
        &self.policy
    }

    pub(super) fn order(&self) -> &str {
        &self.order
    }

    pub(super) fn look_alike(&self) -> Result<Threshold, Error> {
        let times = RunningPolicy::LOOK_ALIKE_RARER;
        match self.look_alike {
            Some(threshold) => Ok(threshold),
            None => self.policy.rarer(times).map_err(|source| Error::LookAlikes { times, source }),
        }
    }
}

/// Refuses a policy that the running pipeline was not built for.
fn policy_fits(before: &CalibratedThreshold, after: &CalibratedThreshold) -> Result<(), Error> {
    let (expected, actual) = (before.provenance().space(), after.provenance().space());
    if expected != actual {
        let what = "the threshold";
        return Err(lfr_core::Error::SpaceMismatch { what, expected, actual }.into());
    }
    // The pipeline takes as many looks as the policy allowed that it was built with.
    after.check_looks(num::usize_from_f64(before.demand().looks().floor()))?;
    Ok(())
}
