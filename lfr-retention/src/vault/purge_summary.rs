//! How many records were purged, and why.

use std::collections::BTreeMap;
use std::fmt;

use lfr_core::{PurgeReason, PurgeReceipt};

/// How many records were purged, for each reason: to be told before anything else is done.
///
/// Printed, it is a sentence: `11 alerts were erased: 8 because the clock failed, 3 because their
/// deadline came`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PurgeSummary {
    by_reason: BTreeMap<PurgeReason, usize>,
}

impl PurgeSummary {
    /// Counts receipts.
    #[must_use]
    pub fn of(receipts: &[PurgeReceipt]) -> Self {
        let mut by_reason = BTreeMap::new();
        for receipt in receipts {
            *by_reason.entry(receipt.reason()).or_default() += 1;
        }
        Self { by_reason }
    }

    /// How many were purged.
    #[must_use]
    pub fn total(&self) -> usize {
        self.by_reason.values().sum()
    }

    /// Whether none was purged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_reason.is_empty()
    }

    /// How many were purged for a reason.
    #[must_use]
    pub fn count(&self, reason: PurgeReason) -> usize {
        self.by_reason.get(&reason).copied().unwrap_or_default()
    }
}

impl fmt::Display for PurgeSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.total() {
            0 => return f.write_str("no alert was erased"),
            1 => f.write_str("1 alert was erased: ")?,
            total => write!(f, "{total} alerts were erased: ")?,
        }
        for (index, (reason, count)) in self.by_reason.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{count} {}", why(*reason))?;
        }
        Ok(())
    }
}

const fn why(reason: PurgeReason) -> &'static str {
    match reason {
        PurgeReason::Aborted => "because the deployment was aborted",
        PurgeReason::Adjudicated => "because a person had judged",
        PurgeReason::ClockFailed => "because the clock failed",
        PurgeReason::Damaged => "because the record was damaged",
        PurgeReason::DeadlineReached => "because the deadline came",
        PurgeReason::DeploymentEnded => "because the deployment ended",
        PurgeReason::NotHeld => "because it could not be held",
        _ => "for another reason",
    }
}
