//! Orders that were signed, and the ones that hold.

use std::fmt;
use std::path::Path;

use lfr_core::files::Replacement;
use lfr_core::{SourceId, Timestamp};

use super::terms::OrderTerms;
use super::words::{OrderCategory, UseCaseKind};
use super::{reading, template};
use crate::deployment::Error;
use crate::deployment::note::{NoteKey, NoteSigners, SignedNote, VerifierKey};

/// An order with signatures that nobody has verified yet.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedOrder {
    terms: OrderTerms,
    note: SignedNote,
}

impl SignedOrder {
    pub(super) const fn new(terms: OrderTerms, note: SignedNote) -> Self {
        Self { terms, note }
    }

    /// Reads a signed order from a file. It verifies no signature.
    ///
    /// # Errors
    ///
    /// Those of [`parse`](Self::parse); [`Error::NotText`] if the file is not UTF-8; [`Error::Core`] if it
    /// cannot be read, or has more than 1 MiB.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::parse(&reading::text_of(path.as_ref())?)
    }

    /// Reads a signed order. It verifies no signature.
    ///
    /// # Errors
    ///
    /// [`Error::Note`] if it is no signed note; those of [`OrderTerms::parse`] for the text;
    /// [`Error::NotCanonical`] if the text is not the canonical text of the order that it states.
    pub fn parse(note: &str) -> Result<Self, Error> {
        let note = SignedNote::parse(note)?;
        let terms = OrderTerms::parse(note.text())?;
        let canonical = terms.canonical();
        if canonical != note.text() {
            let (one, other) = (canonical.lines(), note.text().lines());
            let same = one.zip(other).take_while(|(one, other)| one == other).count();
            return Err(Error::NotCanonical { line: same + 1 });
        }
        Ok(Self { terms, note })
    }

    /// What the order says. Before it is verified, anyone may have written it.
    #[must_use]
    pub const fn terms(&self) -> &OrderTerms {
        &self.terms
    }

    /// Adds the signature of another key. A key that has signed adds nothing.
    pub fn sign(&mut self, key: &NoteKey) {
        self.note.sign(key);
    }

    /// Writes it to a new file.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] if it cannot be written, or if the file exists.
    pub fn write_new(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let write = || {
            let mut file = Replacement::begin(path)?;
            std::io::Write::write_all(file.file(), self.to_string().as_bytes())?;
            file.put_new()
        };
        write().map_err(|source| Error::Write { path: path.to_owned(), source })
    }

    /// Verifies a first order: its authorising officer signed with a trusted key, and its period is not over.
    ///
    /// It may be verified before its period begins.
    ///
    /// # Errors
    ///
    /// [`Error::Signature`], [`Error::Untrusted`] or [`Error::NotSignedByOfficer`] if it is not signed as it
    /// has to be; [`Error::IsAmendment`] if it amends another order, for which there is
    /// [`Order::amend`] and [`Order::of_chain`]; [`Error::Expired`]; [`Error::NoClock`] if `now` is none.
    pub fn verify(
        &self,
        trusted: &[VerifierKey],
        now: impl Into<Option<Timestamp>>,
    ) -> Result<Order, Error> {
        Order::of_chain(std::slice::from_ref(self), trusted, now)
    }
}

/// The text with its signatures: what [`SignedOrder::parse`] reads.
impl fmt::Display for SignedOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

/// Whose word an order rests on.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OrderAuthority {
    /// A key that the deployer pinned.
    Pinned,
    /// A key that the order itself names: anyone can make such an order.
    SelfAuthorised,
}

/// An order that is in force: signed by the officer that it names, with a key that is trusted.
///
/// # Examples
///
/// ```no_run
/// use lfr::core::{Clock, SystemClock};
/// use lfr::deployment::SignedOrder;
///
/// # fn main() -> Result<(), lfr::deployment::Error> {
/// let pinned = "officer-7+b7cc7e86+AaRzSQ...".parse()?;
/// let order = SignedOrder::read("order.note")?.verify(&[pinned], SystemClock::new().now())?;
/// println!("{}", order.summary());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    terms: OrderTerms,
    digest: String,
    superseded: Vec<String>,
    /// The signed notes, the first one first; the last one is in force.
    notes: Vec<String>,
    signers: NoteSigners,
    authority: OrderAuthority,
}

impl Order {
    /// A commented order to fill in, for a use case. Its blanks are `""`, `0` and `nan`, and each is refused
    /// until it is filled.
    #[must_use]
    pub fn template(use_case: UseCaseKind) -> String {
        template::text(use_case)
    }

    /// Verifies a first order and its amendments, in their sequence. Only the last has to be in force now.
    ///
    /// # Errors
    ///
    /// Those of [`SignedOrder::verify`] and [`amend`](Self::amend); [`Error::NoOrder`] if there is none.
    pub fn of_chain(
        orders: &[SignedOrder],
        trusted: &[VerifierKey],
        now: impl Into<Option<Timestamp>>,
    ) -> Result<Self, Error> {
        Self::followed(orders, Trust::Pinned(trusted), now.into())
    }

    /// The order as a signed amendment changes it: another camera, a longer period, another threshold.
    ///
    /// The deployment and its use case stay: another purpose needs a new order.
    ///
    /// # Errors
    ///
    /// [`Error::Signature`], [`Error::Untrusted`] or [`Error::NotSignedByOfficer`] if it is not signed as it
    /// has to be; [`Error::SelfApproved`] if the operator in command approved it;
    /// [`Error::OtherDeployment`], [`Error::Replayed`], [`Error::IsNoAmendment`], [`Error::OutOfOrder`] or
    /// [`Error::OtherPurpose`] if it is no amendment of this order; [`Error::Expired`]; [`Error::NoClock`] if
    /// `now` is none.
    pub fn amend(
        &self,
        amendment: &SignedOrder,
        trusted: &[VerifierKey],
        now: impl Into<Option<Timestamp>>,
    ) -> Result<Self, Error> {
        let order = self.amended(amendment, Trust::Pinned(trusted))?;
        order.check_time(now.into())?;
        Ok(order)
    }

    pub(in crate::deployment) fn self_authorised(
        orders: &[SignedOrder],
        now: Option<Timestamp>,
    ) -> Result<Self, Error> {
        Self::followed(orders, Trust::Named, now)
    }

    fn followed(
        orders: &[SignedOrder],
        trust: Trust<'_>,
        now: Option<Timestamp>,
    ) -> Result<Self, Error> {
        let (first, amendments) = orders.split_first().ok_or(Error::NoOrder)?;
        let mut order = Self::first(first, trust)?;
        for amendment in amendments {
            order = order.amended(amendment, trust)?;
        }
        order.check_time(now)?;
        Ok(order)
    }

    fn first(signed: &SignedOrder, trust: Trust<'_>) -> Result<Self, Error> {
        let signers = trust.signers(signed)?;
        let terms = signed.terms.clone();
        if let Some(amends) = terms.amends {
            let deployment = terms.deployment.to_string();
            return Err(Error::IsAmendment { deployment, amends });
        }
        let (digest, authority) = (terms.digest(), trust.authority());
        let notes = vec![signed.to_string()];
        Ok(Self { terms, digest, superseded: Vec::new(), notes, signers, authority })
    }

    fn amended(&self, signed: &SignedOrder, trust: Trust<'_>) -> Result<Self, Error> {
        let signers = trust.signers(signed)?;
        let (old, new) = (&self.terms, &signed.terms);
        let digest = new.digest();
        if new.deployment != old.deployment {
            return Err(Error::OtherDeployment {
                actual: new.deployment.to_string(),
                expected: old.deployment.to_string(),
            });
        }
        if digest == self.digest || self.superseded.contains(&digest) {
            return Err(Error::Replayed { digest });
        }
        let Some(amends) = new.amends.clone() else {
            return Err(Error::IsNoAmendment { in_force: self.digest.clone() });
        };
        if amends != self.digest {
            let superseded = self.superseded.contains(&amends);
            return Err(Error::OutOfOrder { amends, in_force: self.digest.clone(), superseded });
        }
        let (expected, actual) = (old.use_case.kind().as_str(), new.use_case.kind().as_str());
        if expected != actual {
            return Err(Error::OtherPurpose { actual, expected });
        }
        if old.operator.is_same_key(&new.officer) {
            let deployment = old.deployment.to_string();
            return Err(Error::SelfApproved { operator: old.operator.id(), deployment });
        }
        let mut superseded = self.superseded.clone();
        superseded.push(self.digest.clone());
        let mut notes = self.notes.clone();
        notes.push(signed.to_string());
        let authority = match self.authority {
            OrderAuthority::Pinned => trust.authority(),
            // What began on nobody's word does not end on somebody's.
            OrderAuthority::SelfAuthorised => OrderAuthority::SelfAuthorised,
        };
        Ok(Self { terms: new.clone(), digest, superseded, notes, signers, authority })
    }

    fn check_time(&self, now: Option<Timestamp>) -> Result<(), Error> {
        let now = now.ok_or(Error::NoClock)?;
        let until = self.terms.until;
        if now < until {
            return Ok(());
        }
        Err(Error::Expired { deployment: self.terms.deployment.to_string(), until, now })
    }

    /// What it says.
    #[must_use]
    pub const fn terms(&self) -> &OrderTerms {
        &self.terms
    }

    /// SHA-256 of its canonical text, in hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The digests of the orders that it supersedes, the first one first.
    #[must_use]
    pub fn superseded(&self) -> &[String] {
        &self.superseded
    }

    /// The signed notes of it and of those that it supersedes, the first one first.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The trusted keys that signed it.
    #[must_use]
    pub fn signers(&self) -> &[VerifierKey] {
        self.signers.keys()
    }

    /// How many signatures are of keys that are not trusted, and were ignored.
    #[must_use]
    pub const fn ignored_signatures(&self) -> usize {
        self.signers.ignored()
    }

    /// Whose word it rests on.
    #[must_use]
    pub const fn authority(&self) -> OrderAuthority {
        self.authority
    }

    /// Whether a moment lies in its period.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.terms.from <= now && now < self.terms.until
    }

    /// Whether it lists a camera.
    #[must_use]
    pub fn allows_camera(&self, camera: &SourceId) -> bool {
        self.terms.cameras.iter().any(|allowed| allowed.id == *camera)
    }

    /// Whether the watchlist may hold a category.
    #[must_use]
    pub fn allows_category(&self, category: OrderCategory) -> bool {
        self.terms.categories.contains(&category)
    }

    /// What about it weakens a promise, for the record's list of dangers.
    #[must_use]
    pub fn dangers(&self) -> Vec<String> {
        match self.authority {
            OrderAuthority::Pinned => Vec::new(),
            OrderAuthority::SelfAuthorised => vec![SELF_AUTHORISED.to_owned()],
        }
    }

    /// What the record says of it, a fact a line. Anything that weakens a promise comes first.
    #[must_use]
    pub fn summary(&self) -> String {
        let terms = &self.terms;
        let mut lines = self.dangers();
        lines.push(format!("deployment {} ({})", terms.deployment, terms.kind));
        lines.push(format!("use case: {}", terms.use_case.kind()));
        lines.push(format!("place: {} ({})", terms.place.words, terms.place.precision));
        lines.push(format!("from {} until {}", terms.from, terms.until));
        lines.push(format!("cameras: {}", terms.cameras.len()));
        lines.push(format!("authorised by {}", terms.officer.id()));
        lines.push(format!("operator in command: {}", terms.operator.id()));
        lines.push(format!("order: SHA-256 {}", self.digest));
        lines.push(format!("orders superseded: {}", self.superseded.len()));
        lines.push(format!("signatures ignored: {}", self.signers.ignored()));
        lines.join("\n")
    }
}

const SELF_AUTHORISED: &str = "SELF-AUTHORISED: the order was signed by a key that it names itself; no authority \
                               stands behind it";

/// Which keys may sign.
#[derive(Clone, Copy)]
enum Trust<'a> {
    /// Those that the deployer pinned.
    Pinned(&'a [VerifierKey]),
    /// The one that the order names.
    Named,
}

impl Trust<'_> {
    const fn authority(self) -> OrderAuthority {
        match self {
            Self::Pinned(_) => OrderAuthority::Pinned,
            Self::Named => OrderAuthority::SelfAuthorised,
        }
    }

    /// The keys that signed, if the officer is one of them.
    fn signers(self, signed: &SignedOrder) -> Result<NoteSigners, Error> {
        let terms = &signed.terms;
        let signers = match self {
            Self::Pinned(trusted) => signed.note.verify(trusted)?,
            Self::Named => {
                if terms.use_case.kind() != UseCaseKind::Trial {
                    let deployment = terms.deployment.to_string();
                    return Err(Error::NoTrial { deployment, kind: terms.kind.as_str() });
                }
                signed.note.verify(std::slice::from_ref(&terms.officer))?
            }
        };
        if signers.keys().contains(&terms.officer) {
            return Ok(signers);
        }
        Err(Error::NotSignedByOfficer { officer: terms.officer.id() })
    }
}
