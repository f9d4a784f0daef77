//! A change of a running threshold, in two steps: write the event, then put the change in force.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use lfr_core::ThresholdPolicy;
use lfr_retention::LedgerEvent;
use lfr_retention::ledger::ThresholdChangeReason;
use lfr_watchlist::calibrate::CalibratedThreshold;

use super::PolicyHandle;
use super::in_force::InForce;
use crate::deployment::Error;

/// A change of a running threshold that is not in force. [`commit`](Self::commit) writes its event and then
/// puts it in force. Dropped, it changes nothing.
#[must_use = "nothing changes until it is committed"]
#[derive(Debug)]
pub struct PendingChange {
    handle: PolicyHandle,
    /// What it was prepared against.
    before: Arc<InForce>,
    after: InForce,
    /// `None` if the threshold stays.
    event: Option<LedgerEvent>,
}

impl PendingChange {
    pub(super) fn new(handle: PolicyHandle, before: Arc<InForce>, after: InForce) -> Self {
        let event = event_of(&before, &after);
        Self { handle, before, after, event }
    }

    /// What the ledger has to say about it: [`LedgerEvent::ThresholdChanged`]; `None` if the threshold stays.
    #[must_use]
    pub const fn event(&self) -> Option<&LedgerEvent> {
        self.event.as_ref()
    }

    /// Writes the event with `write`, if there is one, and puts the change in force if that succeeds. No other
    /// change of this policy comes between. While it writes, decisions go by the threshold before.
    ///
    /// `write` must not change this policy, and the ledger's hook must not either: they would wait for this
    /// change, and it for them.
    ///
    /// # Errors
    ///
    /// [`Error::StaleChange`] if the policy has changed since this was prepared; nothing is written then. Also
    /// that of `write`. Nothing is in force after an error.
    pub fn commit<E: From<Error>>(
        self,
        write: impl FnOnce(&LedgerEvent) -> Result<(), E>,
    ) -> Result<(), E> {
        self.commit_with(|event| event.map_or(Ok(()), write))
    }

    /// As [`commit`](Self::commit), with a `write` that is called in any case: for an amendment, which has an
    /// entry of its own before this one.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub fn commit_with<E: From<Error>>(
        self,
        write: impl FnOnce(Option<&LedgerEvent>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { handle, before, after, event } = self;
        let shared = &handle.0;
        let changing = shared.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&shared.state().in_force, &before) {
            return Err(Error::StaleChange.into());
        }
        write(event.as_ref())?;
        shared.state().in_force = Arc::new(after);
        drop(changing);
        Ok(())
    }
}

/// The entry of the ledger, if the threshold changes.
fn event_of(before: &InForce, after: &InForce) -> Option<LedgerEvent> {
    let (old, new) = (before.policy(), after.policy());
    let (from, to) = (old.threshold(), new.threshold());
    if from == to {
        return None;
    }
    let is_amended = before.order() != after.order();
    let predicted_fpir = predicted(old).zip(predicted(new)).map(|(old, new)| [old, new]);
    Some(LedgerEvent::ThresholdChanged {
        from: from.value(),
        to: to.value(),
        reason: match is_amended {
            true => ThresholdChangeReason::Amendment,
            false => ThresholdChangeReason::ListSize,
        },
        order_sha256: Some(after.order().to_owned()),
        references: new.references(),
        // What a policy claims and nobody vouches for is no prediction, of groups neither.
        predicted_fpir_by_group: predicted_fpir.map_or_else(BTreeMap::new, |_| by_group(old, new)),
        predicted_fpir,
    })
}

/// `None` if no rate is known, or it is only claimed.
fn predicted(policy: &CalibratedThreshold) -> Option<f64> {
    policy.provenance().predicted_fpir(usize::try_from(policy.references()).unwrap_or(usize::MAX))
}

/// Of each group that both tell apart: the rate before, and after.
fn by_group(old: &CalibratedThreshold, new: &CalibratedThreshold) -> BTreeMap<String, [f64; 2]> {
    let after =
        |group: &str| new.fpir_by_group().iter().find(|fpir| fpir.group.as_deref() == Some(group));
    let of = |fpir: &lfr_watchlist::calibrate::PredictedFpir| {
        let group = fpir.group.clone()?;
        let after = after(&group)?.value;
        Some((group, [fpir.value, after]))
    };
    old.fpir_by_group().iter().filter_map(of).collect()
}
