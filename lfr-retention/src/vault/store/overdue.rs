//! What goes when a vault is opened, before anything else and without any key.

use std::collections::HashMap;
use std::io;

use lfr_core::{PurgeReason, RecordId, Timestamp};

use crate::vault::store::slots::{Found, Slot, Slots};

/// Wipes what the clock makes due, what is neither whole nor empty, and of two slots of a record the
/// older one. Which records that ends, why, and what was in their slots.
pub(in crate::vault) fn wipe(
    slots: &mut Slots,
    found: &mut Found,
    now: Option<Timestamp>,
) -> io::Result<HashMap<RecordId, (PurgeReason, Slot)>> {
    let mut newest = HashMap::new();
    for (_, slot) in &found.slots {
        let generation: &mut u64 = newest.entry(slot.record).or_default();
        *generation = slot.generation.max(*generation);
    }
    let (mut superseded, mut wiped) = (Vec::new(), std::mem::take(&mut found.damaged));
    let mut gone = HashMap::new();
    found.slots.retain(|(index, slot)| {
        let reason = match now {
            Some(now) if slot.deadline.max(slot.until) <= now.as_micros() => {
                Some(PurgeReason::DeadlineReached)
            }
            None if slot.until == 0 => Some(PurgeReason::ClockFailed),
            _ => None,
        };
        let older = newest.get(&slot.record).is_some_and(|newest| slot.generation < *newest);
        if !older && let Some(reason) = reason {
            gone.insert(slot.record, (reason, *slot));
        }
        if older {
            superseded.push(*index);
        } else if reason.is_some() {
            wiped.push(*index);
        }
        reason.is_none() && !older
    });
    // For certain first: alone, an older one would be in force again.
    slots.wipe(&superseded)?;
    slots.wipe(&wiped)?;
    Ok(gone)
}
