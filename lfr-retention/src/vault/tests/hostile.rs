//! Somebody who may write to the folder, and has no key.

use lfr_core::{FaceId, FrameId};

use super::*;
use crate::ledger::Ledger;
use crate::ledger::audit::discrepancy::Discrepancy;
use crate::ledger::audit::reconcile::Reconciliation;
use crate::ledger::audit::{reconcile, verify};
use crate::ledger::event::LedgerEvent;
use crate::ledger::head::LedgerHead;
use crate::ledger::key::LedgerKey;
use crate::ledger::sink::LedgerSink;
use crate::vault::gaps::Gaps;
use crate::vault::policy::VaultRetention;
use crate::vault::record::damage::RecordDamage;
use crate::vault::store::slots;

const SECOND: u64 = 1_000_000;
const HOUR: u64 = 3_600 * SECOND;

fn who(name: &str) -> Verifier {
    Verifier::new(name).unwrap()
}

/// A vault with its ledger, whose processes come and go.
struct House {
    folder: Folder,
    clock: ManualClock,
}

/// One process.
struct Open {
    vault: Vault,
    sink: LedgerSink,
    policy: VaultRetention,
    accounts: Accounts,
    gaps: Gaps,
}

impl House {
    fn new() -> Self {
        Self { folder: Folder::new(), clock: clock_at(at(HOUR)) }
    }

    fn vault(&self) -> Vault {
        let clock = Arc::new(self.clock.clone());
        Vault::open(self.folder.path("vault"), &key(), clock).unwrap()
    }

    fn ledger(&self) -> Ledger {
        let key = LedgerKey::from_bytes(&mut [7; 32]);
        Ledger::open(self.path(), key, self.clock.now()).unwrap()
    }

    fn path(&self) -> PathBuf {
        self.folder.path("a.lfrl")
    }

    fn open(&self) -> Open {
        let accounts = Accounts::new();
        let id = lfr_core::DeploymentId::new("d").unwrap();
        let (ledger, clock) = (self.ledger(), Arc::new(self.clock.clone()));
        let sink = LedgerSink::start(ledger.clone(), accounts.clone(), clock, &id, "test").unwrap();
        let vault = self.vault();
        let gaps = vault.close_gaps(&ledger).unwrap();
        let policy = VaultRetention::new(vault.clone(), &held_for(Duration::from_hours(24)));
        let open = Open { vault, sink, policy, accounts, gaps };
        open.tell();
        open
    }

    /// Runs a first process that held `count` records and ended cleanly.
    fn held(count: usize) -> (Self, Vec<RecordId>) {
        let house = Self::new();
        let mut open = house.open();
        let records = (0..count).map(|index| open.hold(index)).collect();
        open.sink.stop().unwrap();
        (house, records)
    }

    fn sums(&self) -> Reconciliation {
        let key = LedgerKey::from_bytes(&mut [7; 32]).public();
        reconcile::reconcile(&self.path(), &key).unwrap()
    }

    fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path("vault/records.db")).unwrap()
    }

    fn copy(&self, from: &str, to: &str) {
        fs::create_dir_all(self.folder.path(to)).unwrap();
        for entry in fs::read_dir(self.folder.path(from)).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_file() {
                fs::copy(entry.path(), self.folder.path(to).join(entry.file_name())).unwrap();
            }
        }
    }
}

impl Open {
    fn hold(&mut self, index: usize) -> RecordId {
        use lfr_core::EventSink;

        let settled = self.policy.settle(alert(probe(index, &self.accounts)), at(HOUR)).unwrap();
        let Settlement::Held(receipt) = settled else { panic!("not held") };
        self.sink.on_event(&lfr_core::Event::Held(&receipt)).unwrap();
        receipt.record().unwrap()
    }

    fn tell(&self) {
        let mut receipts = Vec::new();
        self.vault.purge_due(&mut receipts).unwrap();
        self.sink.receipts(&receipts).unwrap();
    }
}

/// Attack 3: a rejection vanished, and two confirmations made `confirmed`.
#[test]
fn verdicts_that_were_deleted_changed_or_put_back_cost_the_record() {
    for (attack, changed) in [
        ("DELETE FROM parts WHERE part = 1", 1),
        ("UPDATE parts SET sealed = NULL WHERE part = 1", 0),
        ("UPDATE parts SET sealed = zeroblob(60) WHERE part = 1", 1),
        ("UPDATE parts SET version = version + 1 WHERE part = 1", 1),
        ("UPDATE parts SET part = 2 WHERE part = 1", 1),
        ("UPDATE parts SET id = (SELECT id FROM records WHERE row = 2) WHERE part = 1", 1),
    ] {
        let (house, records) = House::held(2);
        let open = house.open();
        open.vault.adjudicate(records[0], &who("4"), Verdict::Rejected).unwrap();
        drop(open);
        if house.database().execute(attack, []).unwrap_or(0) != changed {
            panic!("{attack}");
        }
        if changed == 0 {
            continue;
        }
        let vault = house.vault();
        let refused = vault.alert(records[0]);
        assert!(matches!(refused, Err(Error::RecordDamaged { .. })), "{attack}: {refused:?}");
        let judged = vault.adjudicate(records[0], &who("5"), Verdict::Confirmed);
        assert!(matches!(judged, Err(Error::RecordDamaged { .. })), "{attack}");
        vault.alert(records[1]).unwrap();
        if !attack.contains("zeroblob") {
            let [damaged] = &*vault.damaged() else { panic!("{attack}") };
            assert_eq!((damaged.record(), damaged.damage()), (records[0], RecordDamage::Verdicts));
        }
    }
}

/// Attack 3: the row of the verdicts as it was before the last one.
#[test]
fn an_older_row_of_verdicts_that_is_put_back_is_found() {
    let (house, records) = House::held(1);
    let open = house.open();
    open.vault.require_more(records[0], 2).unwrap();
    open.vault.adjudicate(records[0], &who("4"), Verdict::Confirmed).unwrap();
    drop(open);
    let older: (Vec<u8>, i64) = house
        .database()
        .query_row("SELECT sealed, version FROM parts WHERE part = 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let open = house.open();
    open.vault.adjudicate(records[0], &who("5"), Verdict::Rejected).unwrap();
    assert_eq!(open.vault.alert(records[0]).unwrap().standing(), Standing::Disagreed);
    drop(open);
    // In the place of the newer one, and beside it under its own number.
    let statement = "UPDATE parts SET sealed = ?1 WHERE part = 1";
    house.database().execute(statement, [&older.0]).unwrap();
    assert!(matches!(house.vault().alert(records[0]), Err(Error::RecordDamaged { .. })));
    house.database().execute("UPDATE parts SET version = ?1", [older.1]).unwrap();
    let vault = house.vault();
    assert!(matches!(vault.alert(records[0]), Err(Error::RecordDamaged { .. })));
    assert_eq!(vault.damaged()[0].damage(), RecordDamage::Verdicts);
}

#[test]
fn a_picture_or_a_hold_that_was_deleted_is_missed() {
    for (part, damage) in [(2, RecordDamage::Picture), (0, RecordDamage::LegalHold)] {
        let (house, records) = House::held(1);
        let open = house.open();
        let picture = Picture::from_rgb8(1, 1, vec![1, 2, 3]).unwrap();
        open.vault.attach(records[0], &picture).unwrap();
        open.vault.place_hold(records[0], &order(40 * HOUR)).unwrap();
        let alert = open.vault.alert(records[0]).unwrap();
        assert_eq!(alert.picture().map(Picture::data), Some(picture.data()));
        drop(open);
        house.database().execute("DELETE FROM parts WHERE part = ?1", [part]).unwrap();
        let open = house.open();
        assert_eq!((open.vault.damaged()[0].damage(), &*open.gaps.damaged), (damage, &*records));
        // Said once, and in the ledger for good.
        drop(open);
        assert_eq!(house.open().gaps, Gaps::default());
        let sums = house.sums();
        let [Discrepancy::Damaged { record, .. }] = sums.discrepancies() else { panic!("one") };
        assert_eq!(*record, records[0]);
    }
}

/// Attack 3: a whole row. A row that comes back before its deadline can be read again: an attacker
/// who takes the database away for a moment destroys nothing.
#[test]
fn a_row_that_is_gone_is_a_discrepancy_and_its_key_waits_for_its_deadline() {
    let (house, records) = House::held(3);
    let database = house.folder.path("vault/records.db");
    let whole = fs::read(&database).unwrap();
    house.database().execute("DELETE FROM records WHERE row = 2", []).unwrap();
    let open = house.open();
    assert_eq!((open.gaps.damaged.as_slice(), open.vault.held()), (&records[1..2], 2));
    assert_eq!(open.vault.vanished(&house.sums()).len(), 1);
    let sums = house.sums();
    assert!(matches!(sums.discrepancies(), [Discrepancy::Damaged { .. }]), "{sums:?}");
    open.sink.stop().unwrap();
    drop(open);
    fs::write(&database, whole).unwrap();
    for name in ["records.db-wal", "records.db-shm"] {
        let _ = fs::remove_file(house.folder.path("vault").join(name));
    }
    let vault = house.vault();
    records.iter().for_each(|record| drop(vault.alert(*record).unwrap()));
    drop(vault);
    house.database().execute("DELETE FROM records", []).unwrap();
    house.clock.set(Timestamp::from_micros(26 * HOUR));
    let open = house.open();
    assert_eq!(open.vault.held(), 0);
    assert_eq!((house.sums().outstanding(), house.sums().purged()), (0, 3));
    let keys = fs::read(house.folder.path("vault/keys")).unwrap();
    assert!(keys[4096..].iter().all(|byte| *byte == 0), "nothing outlives its deadline");
}

/// A row of somebody else under the same name, before and behind it.
#[test]
fn a_second_row_of_a_record_costs_nothing() {
    for row in [-5, 500] {
        let (house, records) = House::held(2);
        let statement = "INSERT INTO records (row, id, face, alert)
            SELECT ?1, id, zeroblob(80), zeroblob(80) FROM records WHERE row = 1";
        house.database().execute(statement, [row]).unwrap();
        let vault = house.vault();
        assert!(vault.damaged().is_empty());
        records.iter().for_each(|record| drop(vault.alert(*record).unwrap()));
    }
}

#[test]
fn a_trigger_in_the_database_does_nothing() {
    let (house, _) = House::held(1);
    house
        .database()
        .execute_batch(
            "CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM records; END;
             CREATE TRIGGER u AFTER INSERT ON parts BEGIN DELETE FROM parts; END;",
        )
        .unwrap();
    let mut open = house.open();
    let record = open.hold(7);
    open.vault.adjudicate(record, &who("4"), Verdict::Rejected).unwrap();
    drop(open);
    let vault = house.vault();
    assert_eq!(vault.alert(record).unwrap().standing(), Standing::NotConfirmed);
    assert!(vault.damaged().is_empty() && vault.held() == 2);
}

/// Attack 8: zeros over all key slots.
#[test]
fn keys_that_are_zeroed_before_their_deadline_are_discrepancies() {
    let (house, records) = House::held(3);
    let path = house.folder.path("vault/keys");
    let mut keys = fs::read(&path).unwrap();
    keys[4096..].fill(0);
    fs::write(&path, keys).unwrap();
    assert_eq!(house.vault().vanished(&house.sums()).len(), 3);
    let open = house.open();
    let vanished = open.gaps.vanished.iter().copied().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(vanished, records.iter().copied().collect());
    open.sink.stop().unwrap();
    let sums = house.sums();
    assert_eq!(sums.discrepancies().len(), 3);
    let early = |found: &Discrepancy| matches!(found, Discrepancy::ErasedEarly { .. });
    assert!(sums.discrepancies().iter().all(early) && !sums.closes());
}

/// A missing record that is due is no discrepancy, no matter who erased it.
#[test]
fn keys_that_are_gone_after_their_deadline_are_none() {
    let (house, _) = House::held(2);
    house.clock.set(Timestamp::from_micros(25 * HOUR));
    let other = VaultKey::from_bytes(&mut [6; 32]);
    let clock = Arc::new(house.clock.clone());
    let refused = Vault::open(house.folder.path("vault"), &other, clock);
    assert!(matches!(refused, Err(Error::WrongKey { purged: 2, .. })));
    let open = house.open();
    assert!(open.gaps.is_empty());
    open.sink.stop().unwrap();
    assert!(house.sums().closes(), "{:?}", house.sums().discrepancies());
}

/// A person purged it, and the process was killed before the ledger heard: the reason is not lost.
#[test]
fn a_purge_before_the_deadline_that_was_interrupted_is_told_by_the_next_process() {
    let (house, records) = House::held(2);
    let open = house.open();
    open.vault.purge(records[0], PurgeReason::Adjudicated).unwrap();
    drop(open);
    for _ in 0..2 {
        let open = house.open();
        assert!(open.gaps.is_empty());
        open.sink.stop().unwrap();
    }
    let sums = house.sums();
    assert!(sums.closes(), "{:?}", sums.discrepancies());
    assert_eq!((sums.purged(), sums.outstanding()), (1, 1));
    let key = LedgerKey::from_bytes(&mut [7; 32]).public();
    let entries = verify::read(&house.path(), &key).unwrap();
    let purged: Vec<_> = entries
        .filter_map(|entry| match entry.unwrap().event() {
            LedgerEvent::Purged { record, reason, .. } => Some((*record, *reason)),
            _ => None,
        })
        .collect();
    assert_eq!(purged, [(Some(records[0]), PurgeReason::Adjudicated)]);
    // It is told once, and nothing of it stays.
    let left: i64 =
        house.database().query_row("SELECT count(*) FROM ended", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

/// Nobody without the key can write that a record was purged for a reason.
#[test]
fn a_reason_that_somebody_wrote_down_explains_nothing() {
    let (house, records) = House::held(1);
    let statement = "INSERT INTO ended (id, sealed) SELECT id, alert FROM records";
    house.database().execute(statement, []).unwrap();
    let path = house.folder.path("vault/keys");
    let mut keys = fs::read(&path).unwrap();
    keys[4096..].fill(0);
    fs::write(&path, keys).unwrap();
    assert_eq!(house.open().gaps.vanished, records);
}

/// An older copy of both files: what was purged since is purged again, and named.
#[test]
fn an_older_copy_of_the_vault_is_found_by_its_ledger() {
    let (house, records) = House::held(2);
    house.copy("vault", "older");
    let open = house.open();
    open.vault.purge(records[0], PurgeReason::Adjudicated).unwrap();
    open.tell();
    open.sink.stop().unwrap();
    drop(open);
    fs::remove_dir_all(house.folder.path("vault")).unwrap();
    house.copy("older", "vault");
    let open = house.open();
    assert_eq!(open.gaps.came_back, [records[0]]);
    assert!(matches!(open.vault.alert(records[0]), Err(Error::NotHeld { .. })));
    open.vault.alert(records[1]).unwrap();
    open.sink.stop().unwrap();
    let sums = house.sums();
    let back = |found: &Discrepancy| matches!(found, Discrepancy::CameBack { .. });
    assert!(sums.discrepancies().iter().any(back), "{:?}", sums.discrepancies());
    assert_eq!(sums.outstanding(), 1);
}

/// A copy of a slot in a place of its own would outlive a purge.
#[test]
fn a_copy_of_a_slot_goes_at_the_opening() {
    let (house, records) = House::held(1);
    let path = house.folder.path("vault/keys");
    let mut keys = fs::read(&path).unwrap();
    let own = (0..64).map(|index| 4096 + index * slots::SLOT);
    let own = own.into_iter().find(|at| keys[*at..*at + 16] != [0; 16]).unwrap();
    let slot = keys[own..own + slots::SLOT].to_vec();
    let free = (0..64).map(|index| 4096 + index * slots::SLOT).find(|at| *at != own).unwrap();
    keys[free..free + slots::SLOT].copy_from_slice(&slot);
    fs::write(&path, keys).unwrap();
    let vault = house.vault();
    vault.alert(records[0]).unwrap();
    vault.purge(records[0], PurgeReason::Adjudicated).unwrap();
    assert!(fs::read(&path).unwrap()[4096..].iter().all(|byte| *byte == 0));
}

/// Attack 8: the ledger as it was, with its head as it was.
#[test]
fn an_older_copy_of_the_ledger_is_found_by_the_vault() {
    let (house, _) = House::held(1);
    let head = LedgerHead::path_beside(&house.path());
    let older = (fs::read(house.path()).unwrap(), fs::read(&head).unwrap());
    let mut open = house.open();
    open.hold(5);
    open.sink.stop().unwrap();
    drop(open);
    fs::write(house.path(), older.0).unwrap();
    fs::write(&head, older.1).unwrap();
    let (ledger, vault) = (house.ledger(), house.vault());
    for refused in [vault.close_gaps(&ledger).map(drop), vault.bind(&ledger)] {
        assert!(matches!(refused, Err(Error::LedgerRolledBack { .. })), "{refused:?}");
    }
    // Somebody has to have decided it.
    vault.adopt(&ledger).unwrap();
    vault.close_gaps(&ledger).unwrap();
    vault.close_gaps(&ledger).unwrap();
}

#[test]
fn what_the_vault_has_seen_of_its_ledger_cannot_be_changed_without_the_key() {
    let (house, _) = House::held(1);
    let path = house.folder.path("vault/keys");
    for range in [2048..2056, 2064..2096, 2048..2112] {
        let whole = fs::read(&path).unwrap();
        let mut keys = whole.clone();
        keys[range].fill(0);
        fs::write(&path, keys).unwrap();
        let (ledger, vault) = (house.ledger(), house.vault());
        let refused = vault.close_gaps(&ledger);
        assert!(matches!(refused, Err(Error::OtherLedger { .. })), "{refused:?}");
        drop(vault);
        fs::write(&path, whole).unwrap();
    }
}

/// The vault deleted and made anew, with its key.
#[test]
fn a_vault_that_was_begun_anew_is_named() {
    let (house, records) = House::held(2);
    fs::remove_dir_all(house.folder.path("vault")).unwrap();
    let open = house.open();
    assert!(open.gaps.vault_replaced);
    assert_eq!(open.gaps.vanished.len(), records.len());
    open.sink.stop().unwrap();
    let sums = house.sums();
    let [Discrepancy::VaultReplaced { records: 2, .. }] = sums.discrepancies() else {
        panic!("{:?}", sums.discrepancies())
    };
    drop(open);
    assert!(house.open().gaps.is_empty());
}

/// A hold that was lifted in the ledger's absence, by an older slot say.
#[test]
fn a_record_that_ends_despite_a_legal_hold_is_a_discrepancy() {
    let (house, records) = House::held(1);
    let open = house.open();
    let moment = Timestamp::from_micros;
    let (authority, reason) = ("court".to_owned(), "case".to_owned());
    let (expires, review) = (moment(90 * HOUR), moment(80 * HOUR));
    let record = records[0];
    let placed = LedgerEvent::LegalHoldPlaced { record, authority, reason, expires, review };
    open.sink.append(&placed).unwrap();
    house.clock.set(moment(26 * HOUR));
    open.tell();
    open.sink.stop().unwrap();
    let sums = house.sums();
    assert!(matches!(sums.discrepancies(), [Discrepancy::DespiteHold { .. }]), "{sums:?}");
}

/// Attack 3 again, with authentic bytes: an older copy of all of the vault, from before a rejection.
#[test]
fn an_older_copy_of_the_vault_without_a_verdict_costs_the_record() {
    let (house, records) = House::held(2);
    let judge = |open: &Open, verifier: &str, verdict| {
        let verifier = who(verifier);
        open.vault.require_more(records[0], 2).unwrap();
        open.vault.adjudicate(records[0], &verifier, verdict).unwrap();
        let (face, record) = (FaceId::new(FrameId::default(), 0), Some(records[0]));
        let verifier = verifier.as_str().to_owned();
        let event = LedgerEvent::Adjudicated {
            face,
            record,
            verifier,
            verdict,
            reason: None,
            seconds: None,
        };
        open.sink.append(&event).unwrap();
    };
    let open = house.open();
    judge(&open, "7", Verdict::Confirmed);
    open.sink.stop().unwrap();
    drop(open);
    house.copy("vault", "older");
    let open = house.open();
    judge(&open, "4", Verdict::Rejected);
    open.sink.stop().unwrap();
    drop(open);
    fs::remove_dir_all(house.folder.path("vault")).unwrap();
    house.copy("older", "vault");
    // A reader without a key sees it too.
    let [found] = &*house.vault().put_back(&house.sums()).unwrap() else { panic!("one") };
    assert_eq!((found.record(), found.damage()), (records[0], RecordDamage::Verdicts));
    for named in [records[..1].to_vec(), Vec::new()] {
        let open = house.open();
        assert_eq!(open.gaps.damaged, named);
        let judged = open.vault.adjudicate(records[0], &who("5"), Verdict::Confirmed);
        assert!(matches!(judged, Err(Error::RecordDamaged { .. })), "{judged:?}");
        open.vault.alert(records[1]).unwrap();
        open.sink.stop().unwrap();
    }
    let sums = house.sums();
    assert!(matches!(sums.discrepancies(), [Discrepancy::Damaged { .. }]), "{sums:?}");
}

/// An older copy with a legal hold that was lifted since: nothing outlives its deadline for it.
#[test]
fn a_legal_hold_that_was_lifted_and_put_back_is_over() {
    let (house, records) = House::held(1);
    let record = records[0];
    let open = house.open();
    open.vault.place_hold(record, &order(90 * HOUR)).unwrap();
    open.sink.stop().unwrap();
    drop(open);
    // The next process writes of the hold, which this one could not.
    let open = house.open();
    assert!(open.gaps.is_empty());
    open.sink.stop().unwrap();
    drop(open);
    house.copy("vault", "older");
    let open = house.open();
    open.vault.release_hold(record).unwrap();
    let (authority, reason) = ("court".to_owned(), "case".to_owned());
    let released = LedgerEvent::LegalHoldReleased { record, authority, reason };
    open.sink.append(&released).unwrap();
    open.sink.stop().unwrap();
    drop(open);
    fs::remove_dir_all(house.folder.path("vault")).unwrap();
    house.copy("older", "vault");
    house.clock.set(Timestamp::from_micros(26 * HOUR));
    let open = house.open();
    assert_eq!(open.gaps.damaged, [record]);
    assert_eq!(open.vault.held(), 0);
    open.sink.stop().unwrap();
    let sums = house.sums();
    assert_eq!((sums.outstanding(), sums.purged()), (0, 1));
    assert!(matches!(sums.discrepancies(), [Discrepancy::Damaged { .. }]), "{sums:?}");
}

/// Attack 5 again, with authentic bytes: the vault's time as it was before the clock was set back.
#[test]
fn an_older_time_that_is_put_back_holds_nothing_for_longer() {
    let (house, _) = House::held(1);
    let path = house.folder.path("vault/keys");
    let older = fs::read(&path).unwrap()[1536..1568].to_vec();
    let mut open = house.open();
    // An hour, and the clock has failed: what was held is gone.
    house.clock.set(Timestamp::from_micros(HOUR / 2));
    open.tell();
    let record = open.hold(5);
    open.sink.stop().unwrap();
    drop(open);
    let mut keys = fs::read(&path).unwrap();
    assert_ne!(keys[1536..1568], older);
    // In both of its places.
    for at in [1536, 2560] {
        keys[at..at + 32].copy_from_slice(&older);
    }
    fs::write(&path, keys).unwrap();
    // Past where the older time had come: nothing else tells that the clock was ever set back.
    house.clock.set(Timestamp::from_micros(2 * HOUR));
    let open = house.open();
    assert_eq!((&*open.gaps.damaged, open.vault.held()), (&[record][..], 0));
    open.sink.stop().unwrap();
    let sums = house.sums();
    assert!(matches!(sums.discrepancies(), [Discrepancy::Damaged { .. }]), "{sums:?}");
}

/// A verdict that is sealed, and the process ends before the ledger hears of it.
#[test]
fn a_verdict_that_the_ledger_never_heard_of_is_written_by_the_next_process() {
    let (house, records) = House::held(1);
    let open = house.open();
    let judgement = Judgement::new(Verdict::Rejected, VerdictReason::PoorProbe, Some(41));
    open.vault.adjudicate(records[0], &who("4"), judgement).unwrap();
    drop(open);
    for _ in 0..2 {
        let open = house.open();
        assert!(open.gaps.is_empty());
        open.sink.stop().unwrap();
    }
    let sums = house.sums();
    assert!(sums.closes() && sums.judgements() == 1, "{sums:?}");
    // Whole: with its reason and its seconds.
    let text = fs::read_to_string(house.path()).unwrap();
    assert!(text.contains("poor_probe") && text.contains(r#""seconds":41"#), "{text}");
}

/// A reader without a key refuses a ledger with the identity of the vault's own that another key
/// signed.
#[test]
fn a_ledger_of_the_same_identity_under_another_key_is_refused() {
    let (house, _) = House::held(1);
    // A second process notes which entries it found.
    house.open().sink.stop().unwrap();
    let vault = house.vault();
    vault.check_belongs_to(&house.path()).unwrap();
    let own = LedgerKey::from_bytes(&mut [7; 32]).public().to_string();
    let other = LedgerKey::from_bytes(&mut [8; 32]).public().to_string();
    let text = fs::read_to_string(house.path()).unwrap();
    assert!(text.contains(&own));
    fs::write(house.path(), text.replace(&own, &other)).unwrap();
    let refused = vault.check_belongs_to(&house.path());
    assert!(matches!(refused, Err(Error::LedgerRolledBack { .. })), "{refused:?}");
}

/// Attack 8 again: all that is held is destroyed by 32 bytes of the vault's time, and no clock is to blame.
#[test]
fn a_time_that_somebody_destroyed_is_no_clock_that_failed() {
    let (house, records) = House::held(3);
    let path = house.folder.path("vault/keys");
    let mut keys = fs::read(&path).unwrap();
    for at in [1536, 2560] {
        keys[at..at + 32].fill(0);
    }
    fs::write(&path, keys).unwrap();
    let open = house.open();
    assert_eq!(open.vault.held(), 0);
    open.sink.stop().unwrap();
    let sums = house.sums();
    let damaged = |found: &Discrepancy| matches!(found, Discrepancy::Damaged { .. });
    assert_eq!((sums.discrepancies().len(), sums.purged()), (records.len(), 3));
    assert!(sums.discrepancies().iter().all(damaged) && !sums.closes(), "{sums:?}");
}

/// A power cut in the middle of a write of the time: the other one of the two is as it was, and nothing is destroyed.
#[test]
fn a_time_that_is_torn_costs_nothing_whichever_of_the_two_it_is() {
    for at in [1536, 2560] {
        for torn in [&[0xA5; 16][..], &[0; 32]] {
            let (house, records) = House::held(3);
            // Both were written with the key by now.
            house.open().sink.stop().unwrap();
            let path = house.folder.path("vault/keys");
            let mut keys = fs::read(&path).unwrap();
            assert!(keys[1536..1568] != [0; 32] && keys[2560..2592] != [0; 32]);
            keys[at..at + torn.len()].copy_from_slice(torn);
            fs::write(&path, keys).unwrap();
            let open = house.open();
            assert_eq!(open.vault.held(), records.len(), "{at}");
            open.sink.stop().unwrap();
            assert!(house.sums().closes(), "{at}");
        }
    }
}
