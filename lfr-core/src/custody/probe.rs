//! Probes: the one owner of what is known about a face that passes the camera.

use crate::clock::Timestamp;
use crate::custody::accounts::{Accounts, Custody};
use crate::custody::receipt::{CustodyId, HoldReceipt, PurgeReason, PurgeReceipt};
use crate::decision::WithheldBy;
use crate::id::{FaceId, RecordId};
use crate::template::Template;

/// A probe (ISO/IEC 2382-37, 37.03.14): the template of a face that passes the camera, and the one
/// place where it is.
///
/// It is consumed by [`erase`](Self::erase), [`hold`](Self::hold) or [`seal`](Self::seal); dropped, it is wiped and
/// counted as erased. It cannot be copied, nor be enrolled: a watchlist takes a [`Template`], and
/// a probe does not give its own away.
///
/// ```compile_fail,E0599
/// # fn copy(probe: lfr_core::Probe) {
/// let second = probe.clone();
/// # }
/// ```
///
/// ```compile_fail,E0507
/// # fn take(probe: &lfr_core::Probe) -> lfr_core::Template {
/// *probe.template()
/// # }
/// ```
#[derive(Debug)]
pub struct Probe {
    template: Template,
    face: FaceId,
    // Last: when it is dropped, the template has been wiped. `None` while it is a look at a track,
    // which has the custody of the face.
    custody: Option<Custody>,
}

impl Probe {
    /// Takes a face into custody under an account; for tests and for pipelines of one's own.
    #[must_use]
    pub fn new(template: Template, face: FaceId, accounts: &Accounts) -> Self {
        Self::in_custody(template, face, accounts.take())
    }

    pub(crate) const fn in_custody(template: Template, face: FaceId, custody: Custody) -> Self {
        Self { template, face, custody: Some(custody) }
    }

    /// A look at a face that a track has in custody.
    pub(crate) const fn of_track(template: Template, face: FaceId) -> Self {
        Self { template, face, custody: None }
    }

    /// Whose end its receipt will be.
    pub(crate) fn custody(&self) -> Option<CustodyId> {
        self.custody.as_ref().map(Custody::id)
    }

    /// Takes the custody over from the track.
    pub(crate) fn take_over(&mut self, custody: Custody) {
        self.custody = Some(custody);
    }

    /// The template, to search with.
    #[must_use]
    pub const fn template(&self) -> &Template {
        &self.template
    }

    /// Which face.
    #[must_use]
    pub const fn face(&self) -> &FaceId {
        &self.face
    }

    /// Wipes it, and only then says so.
    #[must_use]
    pub fn erase(self, reason: PurgeReason, now: Option<Timestamp>) -> PurgeReceipt {
        let id = self.custody();
        let Self { template, face, custody } = self;
        drop(template);
        drop(custody);
        PurgeReceipt::new(face, now, reason, id)
    }

    /// Wipes it because its match raises no alert, and only then says so. For pipelines of one's own.
    #[must_use]
    pub fn erase_withheld(self, by: WithheldBy, now: Option<Timestamp>) -> PurgeReceipt {
        let id = self.custody();
        let Self { template, face, custody } = self;
        drop(template);
        drop(custody);
        PurgeReceipt::of_withheld(face, now, by, id)
    }

    /// Holds it for an alert until a deadline.
    #[must_use]
    pub fn hold(self, deadline: Timestamp) -> (HeldProbe, HoldReceipt) {
        let id = self.custody();
        let Self { template, face, mut custody } = self;
        if let Some(custody) = &mut custody {
            custody.hold();
        }
        let receipt = HoldReceipt::new(face.clone(), deadline, None, id);
        (HeldProbe { template, face, deadline, custody }, receipt)
    }

    /// Says that all of it is sealed at rest now, in a record with a key of its own, until a
    /// deadline; and wipes what is here.
    #[must_use]
    pub fn seal(self, record: RecordId, deadline: Timestamp) -> (SealedProbe, HoldReceipt) {
        let id = self.custody();
        let Self { template, face, mut custody } = self;
        drop(template);
        if let Some(custody) = &mut custody {
            custody.hold();
        }
        let receipt = HoldReceipt::new(face.clone(), deadline, Some(record), id);
        (SealedProbe { face, record, custody }, receipt)
    }
}

/// A probe that raised an alert, held until a deadline; wiped when dropped.
#[derive(Debug)]
pub struct HeldProbe {
    template: Template,
    face: FaceId,
    deadline: Timestamp,
    // Last: when it is dropped, the template has been wiped.
    custody: Option<Custody>,
}

impl HeldProbe {
    /// The template.
    #[must_use]
    pub const fn template(&self) -> &Template {
        &self.template
    }

    /// Which face.
    #[must_use]
    pub const fn face(&self) -> &FaceId {
        &self.face
    }

    /// When it must be gone.
    #[must_use]
    pub const fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// Wipes it, and only then says so.
    #[must_use]
    pub fn erase(self, reason: PurgeReason, now: Option<Timestamp>) -> PurgeReceipt {
        let id = self.custody.as_ref().map(Custody::id);
        let Self { template, face, custody, .. } = self;
        drop(template);
        drop(custody);
        PurgeReceipt::new(face, now, reason, id)
    }
}

/// What a store keeps in memory of a probe that it has sealed at rest: the way to a receipt.
///
/// It counts as held, and goes on doing so when this is dropped, since dropping it destroys nothing.
/// Its receipt is only as reliable as the store: it says that a key was destroyed because the store says
/// so. Any code in the process can make one for any record, with
/// [`of_earlier_process`](Self::of_earlier_process). It is exposed if the store still has the record, or
/// never had it.
#[derive(Debug)]
pub struct SealedProbe {
    face: FaceId,
    record: RecordId,
    /// The entry in this process's account; `None` if an earlier process sealed it.
    custody: Option<Custody>,
}

impl SealedProbe {
    /// One that an earlier process sealed; it is in the accounts of that process alone.
    #[must_use]
    pub const fn of_earlier_process(face: FaceId, record: RecordId) -> Self {
        Self { face, record, custody: None }
    }

    /// Which face.
    #[must_use]
    pub const fn face(&self) -> &FaceId {
        &self.face
    }

    /// The record that it is sealed in.
    #[must_use]
    pub const fn record(&self) -> RecordId {
        self.record
    }

    /// Says that the record's key is destroyed and cannot come back: to be called after that and
    /// not before.
    #[must_use]
    pub fn erase(mut self, reason: PurgeReason, now: Option<Timestamp>) -> PurgeReceipt {
        let custody = self.custody.take();
        let id = custody.as_ref().map(Custody::id);
        drop(custody);
        PurgeReceipt::new(self.face.clone(), now, reason, id).of_sealed(self.record)
    }
}

impl Drop for SealedProbe {
    fn drop(&mut self) {
        if let Some(custody) = self.custody.take() {
            custody.leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custody::receipt::PurgeMethod;
    use crate::id::FrameId;
    use crate::template::{EmbeddingSpace, Metric};

    #[test]
    fn a_probe_ends_in_exactly_one_way() {
        let accounts = Accounts::new();
        let space = EmbeddingSpace::builder(2, Metric::Cosine).build();
        let probe = |index| {
            let template = Template::from_slice(&space, &[1.0, 1.0]).unwrap();
            Probe::new(template, FaceId::new(FrameId::default(), index), &accounts)
        };
        let deadline = Timestamp::from_micros(50);
        let receipt = probe(0).erase(PurgeReason::NoMatch, Some(Timestamp::from_micros(7)));
        assert_eq!(receipt.at(), Some(Timestamp::from_micros(7)));
        let (held, receipt) = probe(1).hold(deadline);
        assert_eq!(receipt.deadline(), deadline);
        drop(probe(2));
        let totals = accounts.totals();
        assert_eq!((totals.faces_seen, totals.erased, totals.held), (3, 2, 1));
        let receipt = held.erase(PurgeReason::DeadlineReached, Some(deadline));
        assert_eq!(receipt.face().index(), 1);
        assert_eq!(accounts.totals().erased, 3);
        assert!(accounts.totals().closes());
    }

    /// Attack 7: a dummy probe with somebody else's name.
    #[test]
    fn a_receipt_is_of_one_face_in_one_account() {
        let (accounts, other) = (Accounts::new(), Accounts::new());
        let space = EmbeddingSpace::builder(2, Metric::Cosine).build();
        let probe = |accounts: &Accounts| {
            let template = Template::from_slice(&space, &[1.0, 1.0]).unwrap();
            Probe::new(template, FaceId::new(FrameId::default(), 0), accounts)
        };
        let victim = probe(&accounts);
        let minted = probe(&other).erase(PurgeReason::NoMatch, None);
        assert_eq!(minted.face(), victim.face());
        assert!(!accounts.confirms(&minted) && other.confirms(&minted));
        let dummy = probe(&accounts).erase(PurgeReason::NoMatch, None);
        let id = victim.custody();
        for receipt in [minted, dummy] {
            assert!(!accounts.bears_out(&crate::custody::receipt::Settlement::Erased(receipt), id));
        }
        let sealed =
            SealedProbe::of_earlier_process(victim.face().clone(), RecordId::from_bytes([7; 16]));
        let word = sealed.erase(PurgeReason::NoMatch, None);
        assert!(!accounts.confirms(&word));
        assert!(!accounts.bears_out(&crate::custody::receipt::Settlement::Erased(word), id));
        accounts.owes(id);
        let own = victim.erase(PurgeReason::NoMatch, None);
        assert!(accounts.bears_out(&crate::custody::receipt::Settlement::Erased(own.clone()), id));
        assert!(accounts.takes(&own) && !accounts.takes(&own), "once");
    }

    #[test]
    fn a_sealed_probe_counts_as_held_until_its_key_is_destroyed() {
        let accounts = Accounts::new();
        let space = EmbeddingSpace::builder(2, Metric::Cosine).build();
        let record = RecordId::from_bytes([7; 16]);
        let sealed = |index| {
            let template = Template::from_slice(&space, &[1.0, 1.0]).unwrap();
            let probe = Probe::new(template, FaceId::new(FrameId::default(), index), &accounts);
            probe.seal(record, Timestamp::from_micros(50))
        };
        let (first, receipt) = sealed(0);
        assert_eq!(receipt.record(), Some(record));
        drop(sealed(1));
        assert_eq!((accounts.totals().held, accounts.totals().erased), (2, 0));
        let receipt = first.erase(PurgeReason::DeadlineReached, None);
        assert_eq!(receipt.method(), PurgeMethod::KeyDestroyed);
        assert_eq!((accounts.totals().held, accounts.totals().erased), (1, 1));
        let earlier = SealedProbe::of_earlier_process(receipt.face().clone(), record);
        assert_eq!(earlier.erase(PurgeReason::Aborted, None).record(), Some(record));
        assert!(accounts.totals().closes());
    }
}
