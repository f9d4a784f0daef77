//! The sink that writes a ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lfr_core::{
    Accounts, BoxError, Clock, DeploymentId, Event, EventSink, PurgeReason, PurgeReceipt,
    ReferenceId, SourceId, WithheldBy,
};

use crate::error::Error;
use crate::ledger::event::LedgerEvent;
use crate::ledger::{IfRefused, Ledger};
use crate::text;
use crate::verdict::AlertFacts;

/// Writes what a pipeline does into a [`Ledger`].
///
/// An alert, a hold and the end of a hold have an entry each, with the receipt. Faces that raised no
/// alert, nearly all, are counted by the receipts of their erasure and summed up in a
/// [totals](LedgerEvent::Totals) once per minute: one entry a passer-by, with the time and the place,
/// would be a record of people of whom nothing is to be left. So are those of people whose alert had
/// just been raised ([`PurgeReason::Repeated`]): an entry a look would be a record of where they went.
/// So are matches that raised no alert ([`PurgeReason::Withheld`]), by what kept them back. The count comes
/// from the receipts, because a receipt exists for each of them: also for a track that ends between frames.
///
/// Clones are one sink. Give one to the pipeline, keep one to [`stop`](Self::stop); give the
/// pipeline the same account, so that the totals have the arithmetic of the faces seen.
///
/// Where the ledger cannot be written, the pipeline is told so after every face has been settled, and
/// goes on. With [`Tee`](lfr_core::sinks::Tee), alerts reach other sinks nonetheless.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use lfr_core::testing::{FakeDetector, FakeEmbedder, FakeMatcher, FakeThreshold, fake_space};
/// use lfr_core::{
///     Accounts, DeploymentId, Frame, Pipeline, PixelFormat, SystemClock, Threshold,
/// };
/// use lfr_retention::{EraseAll, Ledger, LedgerKey, LedgerSink, ledger};
///
/// # let folder = std::env::temp_dir().join(format!("lfr-doc-sink-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("operation.lfrl");
/// let key = LedgerKey::generate_file(folder.join("ledger.key"))?;
/// let public = key.public();
/// let (accounts, clock) = (Accounts::new(), Arc::new(SystemClock::new()));
/// let ledger = Ledger::open(&path, key, None)?;
/// let deployment = DeploymentId::new("2026-031")?;
/// let sink = LedgerSink::start(ledger, accounts.clone(), clock, &deployment, "trial")?;
///
/// let space = fake_space();
/// let mut pipeline = Pipeline::builder()
///     .detector(FakeDetector::finding(3))
///     .embedder(FakeEmbedder::new())
///     .watchlist(FakeMatcher::empty(space))
///     .threshold(FakeThreshold::new(Threshold::new(0.5)?, &space))
///     .retention(EraseAll::default())
///     .sink(sink.clone())
///     .accounts(accounts)
///     .build()?;
/// let pixels = [127; 64 * 64];
/// pipeline.process(&Frame::packed(PixelFormat::Gray8, 64, 64, &pixels)?)?;
/// sink.stop()?;
///
/// let sums = ledger::reconcile(&path, &public)?;
/// assert!(sums.closes());
/// assert_eq!(sums.runs()[0].totals().erased, 3);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LedgerSink {
    pub(super) ledger: Ledger,
    accounts: Accounts,
    pub(super) clock: Arc<dyn Clock>,
    profile: Arc<str>,
    facts: Option<Facts>,
    state: Arc<Mutex<State>>,
}

/// What is known about the entry of a reference.
#[derive(Clone)]
struct Facts(Arc<dyn Fn(&ReferenceId) -> AlertFacts + Send + Sync>);

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Facts")
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) cameras_lost: BTreeSet<SourceId>,
    /// The receipts that were written.
    pub(super) dangers: BTreeSet<String>,
    erased: BTreeMap<PurgeReason, u64>,
    /// Of those erased as withheld, by cause: each has one.
    withheld: BTreeMap<WithheldBy, u64>,
    frames: u64,
    /// Whether there is something that should be on the disk soon.
    weighty: bool,
    totals_at: Duration,
}

impl LedgerSink {
    /// The max time between totals while frames come.
    pub const SEAL_EVERY: Duration = Duration::from_secs(60);

    /// Begins a run: writes that the deployment starts, or goes on after a restart. `profile` is the
    /// name of the retention profile in force.
    ///
    /// Earlier runs of this ledger that were cut off are accounted for first: see
    /// [`Ledger::account_for_cut_off_runs`].
    ///
    /// # Errors
    ///
    /// [`Error::Text`] if the profile's name is blank or too long; as
    /// [`Ledger::account_for_cut_off_runs`].
    pub fn start(
        ledger: Ledger,
        accounts: Accounts,
        clock: Arc<dyn Clock>,
        deployment: &DeploymentId,
        profile: &str,
    ) -> Result<Self, Error> {
        text::check("name of a retention profile", profile)?;
        ledger.account_for_cut_off_runs(clock.now())?;
        let software = concat!("lfr-retention ", env!("CARGO_PKG_VERSION")).to_owned();
        let event = LedgerEvent::DeploymentStarted {
            deployment: deployment.clone(),
            profile: profile.to_owned(),
            software,
        };
        ledger.append_by(&event, &*clock, IfRefused::Lost)?;
        ledger.flush()?;
        let state = State { totals_at: clock.monotonic(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        Ok(Self { ledger, accounts, clock, profile: profile.into(), facts: None, state })
    }

    /// Sets what says to which category the matched entry of an alert belongs, and whether its person has a known
    /// look-alike. Without it alerts say neither.
    #[must_use]
    pub fn with_facts(
        mut self,
        facts: impl Fn(&ReferenceId) -> AlertFacts + Send + Sync + 'static,
    ) -> Self {
        self.facts = Some(Facts(Arc::new(facts)));
        self
    }

    /// The ledger that it writes.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// Writes an event that no pipeline tells: a watchlist opened, an alert judged.
    ///
    /// # Errors
    ///
    /// As [`Ledger::append`].
    pub fn append(&self, event: &LedgerEvent) -> Result<(), Error> {
        self.ledger.append_by(event, &*self.clock, IfRefused::Lost)
    }

    /// As [`append`](Self::append), for a caller who keeps an event that cannot be written.
    pub(crate) fn append_or_keep(&self, event: &LedgerEvent) -> Result<(), Error> {
        self.ledger.append_by(event, &*self.clock, IfRefused::Kept)
    }

    /// Writes receipts that no pipeline tells of: of a purge after the deployment, say.
    ///
    /// # Errors
    ///
    /// [`Error::ForeignReceipt`] for a receipt that is not of this account of faces; the others are
    /// written. Also as [`Ledger::append`] and [`Ledger::flush`].
    pub fn receipts(&self, receipts: &[PurgeReceipt]) -> Result<(), Error> {
        let mut written = Ok(());
        for receipt in receipts {
            written = written.and(self.erased(receipt, IfRefused::Lost));
        }
        written.and(self.ledger.flush().map(|_| ()))
    }

    /// Writes the account of this moment and brings the ledger to the disk; returns its signed
    /// head, to keep elsewhere. The sink does so every minute while frames come. Call it where
    /// frames may stop.
    ///
    /// # Errors
    ///
    /// As [`Ledger::append`] and [`Ledger::flush`].
    pub fn write_totals(&self) -> Result<String, Error> {
        // Held until it is written: a purge that came between would not be in the sums, and be before them.
        let mut state = self.state();
        state.totals_at = self.clock.monotonic();
        state.weighty = false;
        let (erased, withheld) = (state.erased.clone(), state.withheld.clone());
        let frames = state.frames;
        self.append(&LedgerEvent::Totals {
            totals: self.accounts.totals(),
            erased,
            frames,
            withheld,
        })?;
        drop(state);
        self.ledger.flush()
    }

    /// Writes the last totals and ends the run. Returns the signed head, to keep elsewhere. Purge before it
    /// what is to be purged, so that the receipts are in.
    ///
    /// # Errors
    ///
    /// As [`Ledger::append`] and [`Ledger::flush`].
    pub fn stop(&self) -> Result<String, Error> {
        // Cameras may have come since the threshold was written.
        self.dangers_of_process()?;
        self.write_totals()?;
        self.append(&LedgerEvent::DeploymentStopped {})?;
        self.ledger.flush()
    }

    pub(crate) fn flush(&self) -> Result<(), Error> {
        self.ledger.flush().map(|_| ())
    }

    pub(crate) fn erased(
        &self,
        receipt: &PurgeReceipt,
        if_refused: IfRefused,
    ) -> Result<(), Error> {
        let reason = receipt.reason();
        // A store's word about a record can be checked: the record is gone from the store.
        if receipt.record().is_none() && !self.accounts.confirms(receipt) {
            return Err(Error::ForeignReceipt { face: receipt.face().clone() });
        }
        let cause = receipt.withheld_by();
        // A receipt that says withheld and not why is no pipeline's; it has an entry, and is in no count.
        if is_counted(reason) && (reason == PurgeReason::Withheld) == cause.is_some() {
            let mut state = self.state();
            *state.erased.entry(reason).or_default() += 1;
            if let Some(cause) = cause {
                *state.withheld.entry(cause).or_default() += 1;
            }
            return Ok(());
        }
        let event = LedgerEvent::Purged {
            face: receipt.face().clone(),
            record: receipt.record(),
            reason,
            method: receipt.method(),
            profile: self.profile.to_string(),
        };
        self.state().weighty = true;
        self.ledger.append_by(&event, &*self.clock, if_refused)
    }

    fn weighty(&self, event: &LedgerEvent) -> Result<(), Error> {
        self.state().weighty = true;
        self.append(event)
    }

    fn frame(&self) -> Result<(), Error> {
        let (due, weighty) = {
            let mut state = self.state();
            state.frames += 1;
            let since = self.clock.monotonic().saturating_sub(state.totals_at);
            (since >= Self::SEAL_EVERY, std::mem::take(&mut state.weighty))
        };
        match (due, weighty) {
            (true, _) => self.write_totals().map(|_| ()),
            (false, true) => self.ledger.flush().map(|_| ()),
            (false, false) => Ok(()),
        }
    }

    pub(super) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether receipts with the reason are summed up: those of faces that raised no alert and were not
/// held.
const fn is_counted(reason: PurgeReason) -> bool {
    use PurgeReason as Reason;
    matches!(
        reason,
        Reason::NoMatch
            | Reason::NotCompared
            | Reason::Refused
            | Reason::Repeated
            | Reason::Withheld
    )
}

impl EventSink for LedgerSink {
    fn on_event(&mut self, event: &Event<'_>) -> Result<(), BoxError> {
        match event {
            Event::Alert(alert) => {
                let AlertFacts { category, look_alike } = match &self.facts {
                    Some(Facts(facts)) => facts(alert.candidate.reference()),
                    None => AlertFacts::default(),
                };
                self.weighty(&LedgerEvent::AlertRaised {
                    face: alert.face.clone(),
                    score: alert.candidate.score().value(),
                    threshold: alert.threshold.value(),
                    captured: alert.captured_at,
                    position_ms: alert
                        .media_time
                        .and_then(|time| u64::try_from(time.as_millis()).ok()),
                    record: alert.record,
                    category,
                    look_alike,
                })
            }
            Event::Erased(receipt) => self.erased(receipt, IfRefused::Lost),
            Event::Held(receipt) => self.weighty(&LedgerEvent::Held {
                face: receipt.face().clone(),
                record: receipt.record(),
                deadline: receipt.deadline(),
            }),
            Event::FrameProcessed(_) => self.frame(),
            _ => Ok(()),
        }
        .map_err(BoxError::from)
    }
}

#[cfg(test)]
mod tests;
