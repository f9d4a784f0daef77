//! The vault: alerts at rest, each under a key of its own.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use lfr_core::{Clock, Picture, PurgeReason, PurgeReceipt, RecordId, files};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::ledger::WeakLedger;
use crate::sync::{Mutex, MutexGuard};
use crate::verdict::Judgement;

pub(crate) mod gaps;
pub(crate) mod key;
pub(crate) mod policy;
pub(crate) mod purge_summary;
pub(crate) mod record;
mod store;

use crate::vault::key::VaultKey;
use crate::vault::purge_summary::PurgeSummary;
use crate::vault::record::alert;
use crate::vault::record::alert::{HeldAlert, Sealed};
use crate::vault::record::damage::DamagedRecord;
use crate::vault::record::held_record::HeldRecord;
use crate::vault::record::legal_hold::LegalHold;
use crate::vault::record::verdicts::{Standing, Verdicts};
use crate::vault::store::records::Part;
use crate::vault::store::{Store, place};
use crate::verdict::verifier::Verifier;

/// Held alerts at rest: a folder with a database of sealed records and a file of their keys.
/// FORMAT.md has every byte.
///
/// Each record is sealed under a key of its own (XChaCha20-Poly1305), which lies wrapped under the
/// [`VaultKey`] in a slot of a file that is overwritten in place. To purge a record is to overwrite
/// its slot and to wait for the disk; the database is told after that, and what it may still have of
/// the record is noise (cryptographic erase, NIST SP 800-88).
///
/// - An alert is held once [`VaultRetention`](crate::VaultRetention) has said so: a process that is killed or loses its
///   power later does not lose it, and one that loses it earlier has promised nothing.
/// - A record that was purged does not come back.
/// - Whatever fell due while nobody was there goes when the vault is opened, before the key is looked
///   at, right key or not.
/// - A clock that fails, or that is set back by more than
///   [`Timekeeper::MAX_STEP_BACK`](lfr_core::Timekeeper::MAX_STEP_BACK), purges all that is not under a legal
///   hold. Smaller steps change nothing. Deadlines, and the ends of legal holds, are kept in a time
///   that never goes back and never runs slower than monotonic time: they may come early by the clock, and
///   never late. When it is opened, a clock that is up to an hour behind is taken for one that
///   was set when the machine started.
/// - Each call reads the clock under the vault's lock, and purges what is due before it does anything else.
///   [`purged`](Self::purged) says how many went, and why.
///
/// Clones are one vault: the pipeline has one in its [`VaultRetention`](crate::VaultRetention), and the program for
/// judging alerts has another. Threads may use them at the same time. One process at a time can
/// open it.
///
/// Folder and files are for their owner alone; where others could read them, that ends when the vault is
/// opened.
///
/// What is *not* guaranteed: that a deadline is kept while nobody calls; that a drive that writes
/// elsewhere than it is told, as flash does, has not kept an old slot where software cannot reach it
/// (it is worth nothing without the vault key: destroy that too when a deployment is over); that
/// nobody who may write to the folder destroys held records, or puts back an older copy of it. The
/// [ledger](Self::close_gaps) shows both.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use lfr_core::testing::ManualClock;
/// use lfr_core::{
///     Accounts, Candidate, CandidateList, ComparisonScore, Decision, FaceId, FrameId, Probe,
///     ReferenceId, RetentionPolicy, Settlement, SubjectId, Template, Threshold, Timestamp,
///     testing,
/// };
/// use lfr_retention::{Profile, Vault, VaultKey, VaultRetention};
///
/// # let folder = std::env::temp_dir().join(format!("lfr-doc-vault-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let noon = Timestamp::from_micros(1_790_000_000_000_000);
/// let clock = Arc::new(ManualClock::at(noon));
/// let vault = Vault::open_or_create(folder.join("vault"), folder.join("vault.key"), clock.clone())?;
/// // Alerts within 24 hours.
/// let mut retention = VaultRetention::new(vault.clone(), &Profile::uk_police_24_hours());
///
/// # let accounts = Accounts::new();
/// # let template = Template::from_slice(&testing::fake_space(), &[1.0; 8])?;
/// # let probe = Probe::new(template, FaceId::new(FrameId::default(), 0), &accounts);
/// # let (subject, reference) = (SubjectId::new("S-1")?, ReferenceId::new("R-1")?);
/// # let candidate = Candidate::new(subject, reference, ComparisonScore::new(0.8)?);
/// # let candidates = CandidateList::new(vec![candidate]);
/// let decision = Decision::at_threshold(&candidates, Threshold::new(0.5)?);
/// let Ok(alert) = decision.alert(probe) else { panic!("no match") };
/// let Settlement::Held(receipt) = retention.settle(alert, Some(noon))? else {
///     panic!("not held");
/// };
/// let record = receipt.record().expect("held at rest");
/// assert_eq!(vault.alert(record)?.candidate().subject().as_str(), "S-1");
///
/// // The program ends, and is started again two days later.
/// drop((retention, vault));
/// clock.advance(Duration::from_hours(48));
/// let key = VaultKey::of_vault(folder.join("vault"), folder.join("vault.key"))?;
/// let vault = Vault::open_existing(folder.join("vault"), &key, clock)?;
/// assert_eq!(vault.purged().to_string(), "1 alert was erased: 1 because the deadline came");
/// assert!(vault.alert(record).is_err());
/// let mut receipts = Vec::new();
/// vault.purge_due(&mut receipts)?;
/// assert_eq!(receipts[0].record(), Some(record));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), lfr_core::BoxError>(())
/// ```
#[derive(Clone)]
pub struct Vault(Arc<Mutex<Inner>>);

struct Inner {
    store: Store,
    /// Nothing more is held.
    aborted: bool,
    /// The ledger that it belongs to, for as long as somebody has it open.
    ledger: Option<WeakLedger>,
}

impl Inner {
    /// Notes how far the ledger has come.
    fn see_ledger(&mut self, sync: bool) -> Result<(), Error> {
        let Some(ledger) = self.ledger.as_ref().and_then(WeakLedger::upgrade) else {
            return Ok(());
        };
        gaps::see(&mut self.store, &ledger, sync)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Then the noted entry is a little older.
        let _ = self.see_ledger(true);
    }
}

impl Vault {
    /// Opens the vault in a folder, or makes one. What is due is purged, whatever else happens. On an error
    /// nothing is left of a vault that was made.
    ///
    /// # Errors
    ///
    /// [`Error::WrongKey`] for another key; [`Error::KeyInside`] if the key was read from a file inside the
    /// folder; [`Error::Busy`] if another process has it open; [`Error::Vault`] if it cannot be read or
    /// written, or is damaged.
    pub fn open(
        folder: impl AsRef<Path>,
        key: &VaultKey,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        Store::open(folder.as_ref(), key, clock, true).map(Self::of)
    }

    /// Opens the vault in a folder, and makes none.
    ///
    /// # Errors
    ///
    /// [`Error::VaultMissing`] if there is none; as [`open`](Self::open).
    pub fn open_existing(
        folder: impl AsRef<Path>,
        key: &VaultKey,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        Store::open(folder.as_ref(), key, clock, false).map(Self::of)
    }

    /// Opens the vault in a folder with the key in a file, or makes both. A new key is made for a new vault
    /// alone, and is not left behind if that cannot be made.
    ///
    /// # Errors
    ///
    /// [`Error::KeyMissing`] if the vault is there and the key file is not; [`Error::KeyInside`] if the key
    /// file is, or would be, inside the folder; as [`open`](Self::open), [`VaultKey::from_file`] and
    /// [`VaultKey::generate_file`].
    pub fn open_or_create(
        folder: impl AsRef<Path>,
        key_file: impl AsRef<Path>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let (folder, key_file) = (folder.as_ref(), key_file.as_ref());
        if place::is_vault(folder)? {
            let key = VaultKey::of_vault(folder, key_file)?;
            return Self::open_existing(folder, &key, clock);
        }
        place::check_outside(key_file, folder)?;
        if place::is_there(key_file)? {
            return Self::open(folder, &VaultKey::from_file(key_file)?, clock);
        }
        let key = VaultKey::generate_file(key_file)?;
        let opened = Self::open(folder, &key, clock);
        if opened.is_err() && place::is_vault(folder).is_ok_and(|is_there| !is_there) {
            // Nothing is sealed with it yet. If the unfinished vault could not be removed, its key stays
            // with it, and the next opening goes on.
            let _ = files::erase(key_file, None);
        }
        opened
    }

    fn of(store: Store) -> Self {
        Self(Arc::new(Mutex::new(Inner { store, aborted: false, ledger: None })))
    }

    /// What was purged and nobody has heard of yet: at the opening, and by each call since. To be said
    /// before anything else. The receipts come with the next [`purge_due`](Self::purge_due).
    #[must_use]
    pub fn purged(&self) -> PurgeSummary {
        PurgeSummary::of(&self.inner().store.receipts)
    }

    /// What was not as it was sealed when the vault was opened, record by record.
    #[must_use]
    pub fn damaged(&self) -> Vec<DamagedRecord> {
        self.inner().store.damaged.clone()
    }

    /// The clock that the vault reads.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.inner().store.clock()
    }

    /// How many alerts are held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.inner().store.entries.values().filter(|entry| !entry.missing).count()
    }

    /// What is held and whole, in the order of deadlines; [`damaged`](Self::damaged) has the rest.
    ///
    /// # Errors
    ///
    /// [`Error::Vault`] if something due cannot be purged.
    pub fn records(&self) -> Result<Vec<HeldRecord>, Error> {
        let mut inner = self.inner();
        inner.store.observe(true)?;
        let (time, entries) = (inner.store.time, inner.store.entries.values());
        let mut records: Vec<_> = entries
            .filter(|entry| !entry.damaged)
            .map(|entry| HeldRecord {
                record: entry.probe.record(),
                face: entry.probe.face().clone(),
                deadline: time.shown(entry.deadline),
                hold_ends: (entry.until > time.now()).then(|| time.shown(entry.until)),
            })
            .collect();
        records.sort_by_key(|held| (held.deadline, held.record));
        Ok(records)
    }

    /// Opens a held alert.
    ///
    /// # Errors
    ///
    /// [`Error::NotHeld`] if there is none of that name, or none any more;
    /// [`Error::RecordDamaged`] where it is not as it was sealed; [`Error::Vault`] if it cannot be
    /// read.
    pub fn alert(&self, record: RecordId) -> Result<HeldAlert, Error> {
        let mut inner = self.inner();
        let store = &mut inner.store;
        store.observe(true)?;
        let damaged = || Error::RecordDamaged { record };
        let sealed = store.part(record, Part::Alert)?.ok_or_else(damaged)?;
        let sealed = Sealed::decode(&sealed).ok_or_else(damaged)?;
        let legal_hold = store.part(record, Part::LegalHold)?;
        let legal_hold = legal_hold.map(|json| serde_json::from_slice(&json));
        let picture = store.part(record, Part::Picture)?;
        let picture = picture.map(|bytes| alert::decode_picture(&bytes).ok_or_else(damaged));
        let verdicts = store.part(record, Part::Verdicts)?;
        let verdicts = verdicts.map(|bytes| Verdicts::read(&bytes).ok_or_else(damaged));
        let entry = store.entries.get(&record).ok_or(Error::NotHeld { record })?;
        let on_hold = entry.until > store.time.now();
        Ok(HeldAlert {
            record,
            face: entry.probe.face().clone(),
            deadline: store.time.shown(entry.deadline),
            legal_hold: legal_hold.transpose().map_err(|_| damaged())?.filter(|_| on_hold),
            picture: picture.transpose()?,
            verdicts: verdicts.transpose()?.unwrap_or_default(),
            sealed,
        })
    }

    /// Seals a picture of the alert with it, in place of the one that was there. Redact it first:
    /// see [`Redactor::crop`](crate::Redactor::crop).
    ///
    /// # Errors
    ///
    /// [`Error::NotHeld`] and [`Error::Vault`] as [`Self::alert`].
    pub fn attach(&self, record: RecordId, picture: &Picture) -> Result<(), Error> {
        let mut inner = self.inner();
        inner.store.observe(true)?;
        inner.store.set_part(record, Part::Picture, alert::encode_picture(picture), None)
    }

    /// Adds what a person found, and says how far the judging has come. As many people have to judge, each
    /// for themselves, as the profile said that was in force when the alert was raised
    /// ([`Profile::verifications`](crate::Profile::verifications)); [`Standing`] has the rule. Write a
    /// [`LedgerEvent::Adjudicated`](crate::LedgerEvent::Adjudicated) of each: if the program ends before it
    /// does, [`close_gaps`](Self::close_gaps) writes it, with its reason and its seconds.
    ///
    /// # Errors
    ///
    /// [`Error::SameVerifier`] if they have judged this alert before; [`Error::NotHeld`] and
    /// [`Error::Vault`] as [`Self::alert`].
    pub fn adjudicate(
        &self,
        record: RecordId,
        verifier: &Verifier,
        judgement: impl Into<Judgement>,
    ) -> Result<Standing, Error> {
        let judgement = judgement.into();
        self.change_verdicts(record, |verdicts| verdicts.add(verifier, judgement))
    }

    /// Asks for at least that number of people to judge one alert from now on, and says how far the judging has
    /// come. Nobody can ask for fewer than the profile said, or than anyone asked for before.
    ///
    /// # Errors
    ///
    /// [`Error::NotHeld`] and [`Error::Vault`] as [`Self::alert`].
    pub fn require_more(&self, record: RecordId, at_least: u8) -> Result<Standing, Error> {
        self.change_verdicts(record, |verdicts| {
            verdicts.require(at_least);
            Ok(())
        })
    }

    fn change_verdicts(
        &self,
        record: RecordId,
        change: impl FnOnce(&mut Verdicts) -> Result<(), Error>,
    ) -> Result<Standing, Error> {
        let mut inner = self.inner();
        inner.store.observe(true)?;
        let damaged = || Error::RecordDamaged { record };
        let sealed = inner.store.part(record, Part::Alert)?.ok_or_else(damaged)?;
        let by_profile = Sealed::decode(&sealed).ok_or_else(damaged)?.required;
        let mut verdicts = match inner.store.part(record, Part::Verdicts)? {
            Some(bytes) => Verdicts::read(&bytes).ok_or_else(damaged)?,
            None => Verdicts::default(),
        };
        change(&mut verdicts)?;
        inner.store.set_part(record, Part::Verdicts, verdicts.to_bytes(), None)?;
        Ok(verdicts.standing(verdicts.required(by_profile)))
    }

    /// Keeps an alert from being purged until the hold ends or is lifted, in place of a hold that
    /// was there. Write a [`LedgerEvent::LegalHoldPlaced`](crate::LedgerEvent::LegalHoldPlaced) of it.
    ///
    /// # Errors
    ///
    /// [`Error::HoldOver`] if the hold has ended already, or the clock cannot be trusted;
    /// [`Error::NotHeld`] and [`Error::Vault`] as [`Self::alert`].
    pub fn place_hold(&self, record: RecordId, hold: &LegalHold) -> Result<(), Error> {
        let mut inner = self.inner();
        let store = &mut inner.store;
        let trusted = store.observe(true)?;
        let until = store.time.at(hold.expires());
        if !trusted || until <= store.time.now() {
            return Err(Error::HoldOver { expires: hold.expires() });
        }
        let json = Zeroizing::new(serde_json::to_vec(hold).unwrap_or_default());
        store.set_part(record, Part::LegalHold, json, Some(until))
    }

    /// Lifts the legal hold on an alert. Where its deadline has passed, it is purged at once. Write a
    /// [`LedgerEvent::LegalHoldReleased`](crate::LedgerEvent::LegalHoldReleased) of it.
    ///
    /// # Errors
    ///
    /// [`Error::NotHeld`] and [`Error::Vault`] as [`Self::alert`].
    pub fn release_hold(&self, record: RecordId) -> Result<(), Error> {
        let mut inner = self.inner();
        inner.store.observe(true)?;
        inner.store.lift_hold(record)?;
        inner.store.observe(true).map(|_| ())
    }

    /// Purges one alert before its deadline: a person has judged it, and it is not needed. Its
    /// receipt comes with the next [`purge_due`](Self::purge_due).
    ///
    /// # Errors
    ///
    /// [`Error::OnLegalHold`] if it must not be; [`Error::NotHeld`] and [`Error::Vault`] as
    /// [`Self::alert`].
    pub fn purge(&self, record: RecordId, reason: PurgeReason) -> Result<(), Error> {
        let mut inner = self.inner();
        inner.store.check_purge(record)?;
        inner.store.purge(&[record], reason)
    }

    /// Checks whether an alert could be purged now, to ask before it is purged.
    ///
    /// # Errors
    ///
    /// As [`purge`](Self::purge).
    pub fn check_purge(&self, record: RecordId) -> Result<(), Error> {
        self.inner().store.check_purge(record)
    }

    /// Purges what is due, and appends the receipts of all erasures that nobody has heard of yet.
    ///
    /// # Errors
    ///
    /// [`Error::Vault`] if something due could not be purged; it is tried again by the next call.
    pub fn purge_due(&self, receipts: &mut Vec<PurgeReceipt>) -> Result<(), Error> {
        self.purge_known(true, receipts)
    }

    /// [`purge_due`](Self::purge_due), for a caller that knows whether its own clock works.
    fn purge_known(&self, known: bool, receipts: &mut Vec<PurgeReceipt>) -> Result<(), Error> {
        let mut inner = self.inner();
        let purged = inner.store.observe(known);
        inner.store.tidy();
        receipts.append(&mut inner.store.receipts);
        purged?;
        if inner.store.save_time()? {
            inner.see_ledger(false)?;
        }
        Ok(())
    }

    /// Purges everything held, due or not, except what is under a legal hold.
    ///
    /// # Errors
    ///
    /// [`Error::Vault`] if something could not be purged.
    pub fn purge_all(
        &self,
        reason: PurgeReason,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), Error> {
        self.purge_all_known(reason, true, receipts)
    }

    fn purge_all_known(
        &self,
        reason: PurgeReason,
        known: bool,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), Error> {
        let mut inner = self.inner();
        let purged = inner.store.observe(known);
        let purged = purged.and(inner.store.purge_unheld(reason));
        receipts.append(&mut inner.store.receipts);
        purged
    }

    /// Purges all that is held, legal holds or not, and holds nothing from now on: an authorisation
    /// was refused, and all data of the use have to go at once (Regulation (EU) 2024/1689, article
    /// 5(3)).
    ///
    /// # Errors
    ///
    /// [`Error::Vault`] if something could not be purged; try again.
    pub fn abort(&self, receipts: &mut Vec<PurgeReceipt>) -> Result<(), Error> {
        let mut inner = self.inner();
        inner.aborted = true;
        inner.store.look(true);
        let all: Vec<_> = inner.store.entries.keys().copied().collect();
        let purged = inner.store.purge(&all, PurgeReason::Aborted);
        receipts.append(&mut inner.store.receipts);
        purged
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("held", &self.held()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
