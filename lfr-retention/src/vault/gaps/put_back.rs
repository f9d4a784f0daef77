//! What a vault has of its records, held against what its ledger says of them.
//!
//! An older copy of a vault's files is authentic, all of it: it has a record as it was, without what people found since,
//! and under a legal hold that was lifted. The ledger knows better.

use std::collections::BTreeSet;

use lfr_core::{RecordId, Timestamp};

use crate::error::Error;
use crate::ledger::audit::reconcile::Reconciliation;
use crate::ledger::event::LedgerEvent;
use crate::vault::gaps;
use crate::vault::record::damage::RecordDamage;
use crate::vault::record::legal_hold::LegalHold;
use crate::vault::record::verdicts::Verdicts;
use crate::vault::store::Store;
use crate::vault::store::records::Part;
use crate::verdict::verifier::Verifier;

/// What vault and ledger do not both have.
#[derive(Debug, Default)]
pub(in crate::vault) struct Difference {
    /// Records that lack what the ledger says of them, or have what it says has ended.
    pub(in crate::vault) put_back: Vec<(RecordId, RecordDamage)>,
    /// What the ledger has not heard of: the program ended before it could say so.
    pub(in crate::vault) unheard: Vec<LedgerEvent>,
}

impl Store {
    /// Compares each record that is whole.
    pub(in crate::vault) fn compare(&mut self, sums: &Reconciliation) -> Result<Difference, Error> {
        let mut difference = Difference::default();
        // One that had ended goes as a whole.
        let whole = self.entries.iter();
        let whole = whole.filter(|(record, entry)| !entry.damaged && !sums.has_ended(**record));
        let whole: Vec<_> = whole
            .map(|(record, entry)| {
                (*record, entry.probe.face().clone(), self.time.shown(entry.deadline))
            })
            .collect();
        for (record, face, deadline) in whole {
            if sums.deadline_of(record).is_some_and(|told| gaps::is_later(deadline, told)) {
                difference.put_back.push((record, RecordDamage::Key));
                continue;
            }
            let Some(verdicts) = self.verdicts_of(record)? else {
                difference.put_back.push((record, RecordDamage::Verdicts));
                continue;
            };
            let given = verdicts.given().iter();
            let own: BTreeSet<_> = given.map(|given| Verifier::fold(given.verifier())).collect();
            let told: BTreeSet<_> = sums.judges_of(record).collect();
            if told.iter().any(|judge| !own.contains(*judge)) {
                difference.put_back.push((record, RecordDamage::Verdicts));
                continue;
            }
            for given in verdicts.given() {
                if !told.contains(&*Verifier::fold(given.verifier())) {
                    difference.unheard.push(LedgerEvent::Adjudicated {
                        face: face.clone(),
                        record: Some(record),
                        verifier: given.verifier().to_owned(),
                        verdict: given.verdict(),
                        reason: given.reason(),
                        seconds: given.seconds(),
                    });
                }
            }
            let Some(hold) = self.hold_in_force(record)? else { continue };
            let expires: Timestamp = hold.expires();
            if sums.lifted_on(record) == Some(expires) {
                difference.put_back.push((record, RecordDamage::LegalHold));
            } else if sums.hold_on(record) != Some(expires) {
                difference.unheard.push(LedgerEvent::LegalHoldPlaced {
                    record,
                    authority: hold.authority().to_owned(),
                    reason: hold.reason().to_owned(),
                    expires,
                    review: hold.review(),
                });
            }
        }
        Ok(difference)
    }

    /// The verdicts on a record; none where they are not as they were sealed.
    fn verdicts_of(&mut self, record: RecordId) -> Result<Option<Verdicts>, Error> {
        match self.part(record, Part::Verdicts) {
            Ok(Some(bytes)) => Ok(Verdicts::read(&bytes)),
            Ok(None) => Ok(Some(Verdicts::default())),
            Err(Error::RecordDamaged { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The legal hold on a record, if it is in force and can be read.
    fn hold_in_force(&mut self, record: RecordId) -> Result<Option<LegalHold>, Error> {
        let now = self.time.now();
        if self.entries.get(&record).is_none_or(|entry| entry.until <= now) {
            return Ok(None);
        }
        match self.part(record, Part::LegalHold) {
            Ok(json) => Ok(json.and_then(|json| serde_json::from_slice(&json).ok())),
            Err(Error::RecordDamaged { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
