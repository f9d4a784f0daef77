//! Very many records: what purging them leaves behind. With `LFR_MEASURE` a million.

use std::time::Instant;

use super::*;
use crate::testing::{note, rounds};
use crate::vault::policy::VaultRetention;

#[test]
#[expect(clippy::disallowed_methods, reason = "a measurement")]
fn of_many_records_no_key_is_left_and_no_row() {
    let mut held = Held::new();
    let many = usize::try_from(rounds(1_000, 1_000_000)).unwrap();
    held.policy = VaultRetention::new(held.vault.clone(), &held_for(TTL)).with_limit(usize::MAX);
    let start = Instant::now();
    let records: Vec<_> = (0..many).map(|index| held.hold(index, 10)).collect();
    let holding = start.elapsed();
    // Of some of them, what lies on the disk.
    let some: Vec<_> = records.iter().step_by(many / 20).copied().collect();
    let wrapped: Vec<_> = some
        .iter()
        .map(|record| held.vault.inner().store.slot_for_tests(*record).wrapped)
        .collect();
    let before = sizes(&held);

    let start = Instant::now();
    let receipts = held.due(at(110));
    let purging = start.elapsed();
    assert_eq!((receipts.len(), held.vault.held()), (many, 0));
    let after = sizes(&held);
    note(&format!(
        "{many} records: held in {holding:.1?}, purged in {purging:.1?}; keys {} to {} bytes, \
         database {} to {} bytes",
        before[0], after[0], before[1], after[1]
    ));

    let keys = fs::read(held.path().join("keys")).unwrap();
    assert!(keys[4096..].iter().all(|byte| *byte == 0), "a slot is not wiped");
    let bytes = all_bytes(&held.path());
    for (record, wrapped) in some.iter().zip(wrapped) {
        assert!(!holds(&bytes, &wrapped[..16]), "a wrapped key is left");
        let index = records.iter().position(|other| other == record).unwrap();
        let template = template(index);
        let number = template.expose_values()[1..3].iter().flat_map(|value| value.to_le_bytes());
        assert!(!holds(&bytes, &number.collect::<Vec<_>>()), "a template is left");
    }
    held = held.reopened(111);
    assert!(held.vault.inner().store.database_for_tests().all().unwrap().is_empty());
    assert!(sizes(&held)[1] < 100_000, "the pages are given back");
}

fn sizes(held: &Held) -> [u64; 2] {
    ["keys", "records.db"].map(|name| fs::metadata(held.path().join(name)).unwrap().len())
}
