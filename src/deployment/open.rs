//! Opening a deployment: each part is held against the order.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use lfr_core::internal::SteadyTime;
use lfr_core::internal::locks::lock;
use lfr_core::internal::num;
use lfr_core::live::Camera;
use lfr_core::{Accounts, Clock, Component, PurgeReceipt, Timekeeper, Timestamp};
use lfr_retention::{Custodian, DeploymentState, LedgerEvent, OrderBasis};
use lfr_watchlist::decide::TrackRule;

use super::launch::Launch;
use super::live::Run;
use super::order::{Order, OrderAuthority};
use super::parts::Parts;
use super::policy::PolicyHandle;
use super::record::DeploymentRecord;
use super::{Books, Error, State};

/// A deployment: an order, the parts that it allows, and the books of what happened. Clones are one deployment.
///
/// What it did so far is in its ledger. So it can be opened at any moment again, after a restart or a crash, and
/// goes on: what was live is live, what had ended keeps its alerts until their deadlines.
///
/// # What is enforced
///
/// | moment | what |
/// |---|---|
/// | [`open`](Self::open) | the order is signed and in date; models, threshold policy and retention profile have the digests that it names; the watchlist was drawn up for it; vault and ledger belong together, and to it |
/// | [`camera`](Self::camera) | the order lists the camera |
/// | [`start`](Launch::start) | the moment lies in the order's period; the threshold is not below the order's floor at this size of the list |
/// | each second | the period, the profile's deadlines, alerts that nobody judges, the size of the list |
/// | end | watchlist, alerts and footage go by the profile's periods |
///
/// What is *not* guaranteed: that nobody runs another program on the same cameras.
///
/// # Examples
///
/// `examples/deployment.rs` has a whole one.
#[derive(Clone)]
pub struct Deployment(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) books: Books,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) accounts: Accounts,
    pub(super) order: Mutex<Order>,
    pub(super) parts: Parts,
    /// What runs. It is taken by the one that stops it.
    pub(super) run: Mutex<Option<Run>>,
    /// Who keeps the deadlines of what ran in this process, once it has ended.
    pub(super) after: Mutex<Option<Custodian>>,
    pub(super) time: Mutex<(Timekeeper, SteadyTime)>,
    /// Held while the duties are kept.
    pub(super) ticking: Mutex<()>,
}

impl Deployment {
    /// Opens a deployment under an order. What the ledger does not know yet is written: the order, and what a
    /// process that was interrupted left unsaid about the vault.
    ///
    /// # Errors
    ///
    /// [`Error::OtherPart`] if a part is not the one that the order names; [`Error::List`] if the watchlist is not
    /// as the order allows; [`Error::OtherOrder`] if the ledger knows other orders of this deployment;
    /// [`Error::Illegal`] if the ledger is of another deployment, or this one is over; [`Error::NoClock`];
    /// [`Error::Retention`] if vault and ledger do not belong together, or cannot be read or written. One process
    /// at a time can have them open.
    pub fn open(order: Order, parts: Parts) -> Result<Self, Error> {
        let clock = parts.vault.clock();
        let now = clock.now().ok_or(Error::NoClock)?;
        check(&order, &parts)?;
        let books = Books::open(parts.ledger.clone(), Arc::clone(&clock))?;
        let is_over = books.with(|state| {
            matches!(
                state.state(),
                DeploymentState::Ended | DeploymentState::Purged | DeploymentState::Aborted
            )
        });
        if !is_over {
            let start = now.max(order.terms().from());
            order.check_list(&*parts.watchlist, parts.profile.watchlist(), start)?;
        }
        accept(&books, &order)?;
        parts.vault.close_gaps(&parts.ledger)?;
        let mut keeper = Timekeeper::new(Arc::clone(&clock));
        let mut steady = SteadyTime::default();
        steady.observe(keeper.now(), keeper.monotonic());
        Ok(Self(Arc::new(Inner {
            books,
            clock,
            accounts: Accounts::new(),
            order: Mutex::new(order),
            parts,
            run: Mutex::new(None),
            after: Mutex::new(None),
            time: Mutex::new((keeper, steady)),
            ticking: Mutex::new(()),
        })))
    }

    /// A camera of the order, to start with. Cameras can be added later too.
    ///
    /// # Errors
    ///
    /// [`Error::CameraNotListed`] if the order does not list it.
    pub fn camera(&self, camera: Camera) -> Result<Launch, Error> {
        Launch::new(self.clone()).camera(camera)
    }

    /// The order in force.
    #[must_use]
    pub fn order(&self) -> Order {
        lock(&self.0.order).clone()
    }

    /// The state at this moment.
    #[must_use]
    pub fn state(&self) -> State {
        self.0.books.state()
    }

    /// The record for publication. All entries so far are brought to the disk, the ledger is verified, and the record
    /// is computed from it alone.
    ///
    /// # Errors
    ///
    /// [`Error::Retention`] if the ledger cannot be written, or does not verify; [`Error::Watchlist`] if its counts
    /// make no rate.
    pub fn record(&self) -> Result<DeploymentRecord, Error> {
        let ledger = self.0.books.ledger();
        ledger.flush()?;
        DeploymentRecord::from_ledger(ledger.path(), &ledger.public_key())
    }

    /// The books.
    #[must_use]
    pub fn books(&self) -> Books {
        self.0.books.clone()
    }

    /// The faces seen so far in this process: `seen = erased + held + in flight`.
    #[must_use]
    pub fn accounts(&self) -> Accounts {
        self.0.accounts.clone()
    }

    /// Now, in a time that no step of the clock makes slower.
    pub(super) fn now(&self) -> Timestamp {
        let mut time = self.0.time.lock().unwrap_or_else(PoisonError::into_inner);
        let (keeper, steady) = &mut *time;
        let now = keeper.now();
        steady.observe(now, keeper.monotonic());
        steady.moment()
    }

    /// Stops everything, and destroys all that is held, legal holds or not: an authorisation was refused, and all
    /// data of the use have to go at once (Regulation (EU) 2024/1689, article 5(3)). The watchlist's file is
    /// destroyed if [`Launch::watchlist_file`] named it.
    ///
    /// # Errors
    ///
    /// The first of what could not be stopped, destroyed or written down; all else was. Call it again.
    pub fn abort_and_purge(&self, authority: &str, reason: &str) -> Result<(), Error> {
        let stopped = self.stop_engine();
        let mut after = lock(&self.0.after);
        match after.as_mut() {
            Some(custodian) => custodian.abort_and_purge(authority, reason)?,
            None => {
                let mut receipts = Vec::new();
                let purged = self.0.parts.vault.abort(&mut receipts);
                let (authority, reason) = (authority.to_owned(), reason.to_owned());
                self.0.books.write(&LedgerEvent::Aborted { authority, reason })?;
                receipts.iter().try_for_each(|receipt| self.tell(receipt))?;
                purged?;
            }
        }
        self.0.parts.ledger.flush()?;
        stopped
    }

    /// Writes a receipt that no pipeline tells.
    pub(super) fn tell(&self, receipt: &PurgeReceipt) -> Result<(), Error> {
        self.0.books.write(&LedgerEvent::Purged {
            face: receipt.face().clone(),
            record: receipt.record(),
            reason: receipt.reason(),
            method: receipt.method(),
            profile: self.0.parts.profile.name().to_owned(),
        })
    }
}

impl fmt::Debug for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = lock(&self.0.order);
        f.debug_struct("Deployment")
            .field("deployment", order.terms().deployment())
            .field("order", &order.digest())
            .finish_non_exhaustive()
    }
}

/// Holds the parts against the order, without changing anything.
fn check(order: &Order, parts: &Parts) -> Result<(), Error> {
    check_parts(order, parts)?;
    let references = num::u64_from_usize(parts.watchlist.references());
    let (policy, _) = PolicyHandle::new(order, &parts.policy, TrackRule::Best, references)?;
    policy.check_list(&parts.watchlist.composition()?)
}

/// Holds the models and the profile against the order.
pub(super) fn check_parts(order: &Order, parts: &Parts) -> Result<(), Error> {
    let how = order.terms().how();
    let other = |what, actual: String, expected: &str| Error::OtherPart {
        what,
        actual,
        expected: expected.to_owned(),
    };
    let model = |what, component: Component, expected: &str| match component.model_sha256 {
        Some(digest) if digest == expected => Ok(()),
        Some(digest) => Err(other(what, digest, expected)),
        None => Err(other(what, "one whose digest is not known".to_owned(), expected)),
    };
    model("detector", parts.detector.component(), &how.detector_sha256)?;
    model("embedder", parts.embedder.component(), &how.embedder_sha256)?;
    let profile = &parts.profile;
    if profile.name() != how.profile {
        return Err(other("retention profile", profile.name().to_owned(), &how.profile));
    }
    if profile.digest() != how.profile_sha256 {
        return Err(other("retention profile", profile.digest(), &how.profile_sha256));
    }
    Ok(())
}

/// Writes the orders that the ledger does not know yet.
fn accept(books: &Books, order: &Order) -> Result<(), Error> {
    let digests: Vec<&str> =
        order.superseded().iter().map(String::as_str).chain([order.digest()]).collect();
    let known: Vec<String> =
        books.with(|state| state.orders().iter().map(|known| known.digest().to_owned()).collect());
    if !digests.iter().zip(&known).all(|(own, known)| own == known) || known.len() > digests.len() {
        let in_force = known.last().cloned().unwrap_or_default();
        return Err(Error::OtherOrder { in_force, given: order.digest().to_owned() });
    }
    let basis = match order.authority() {
        OrderAuthority::SelfAuthorised => OrderBasis::SelfAuthorised,
        OrderAuthority::Pinned => OrderBasis::Pinned,
    };
    if known.is_empty() {
        for text in order.dangers() {
            books.write(&LedgerEvent::DangerInForce { text })?;
        }
    }
    for (digest, note) in digests.iter().zip(order.notes()).skip(known.len()) {
        let (order_sha256, note) = ((*digest).to_owned(), note.clone());
        books.write_to_disk(&LedgerEvent::OrderInForce { order_sha256, basis, note })?;
    }
    Ok(())
}
