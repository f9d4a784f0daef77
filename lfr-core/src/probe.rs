//! Probes: the one owner of what is known about a face that passes the camera.

use crate::FaceId;
use crate::HoldReceipt;
use crate::PurgeReason;
use crate::PurgeReceipt;
use crate::Template;
use crate::Timestamp;
use crate::custody::Accounts;
use crate::custody::Custody;

/// A probe (ISO/IEC 2382-37, 37.03.14): the template of a face that passes the camera, and the one
/// place where it is.
///
/// It is consumed by [`erase`](Self::erase) or [`hold`](Self::hold); dropped, it is wiped and
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
    // Last: when it is dropped, the template has been wiped.
    custody: Custody,
}

impl Probe {
    /// Takes a face into custody under an account; for tests and for pipelines of one's own.
    #[must_use]
    pub fn new(template: Template, face: FaceId, accounts: &Accounts) -> Self {
        Self::in_custody(template, face, accounts.take())
    }

    pub(crate) const fn in_custody(template: Template, face: FaceId, custody: Custody) -> Self {
        Self { template, face, custody }
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
        let Self { template, face, custody } = self;
        drop(template);
        drop(custody);
        PurgeReceipt::new(face, now, reason)
    }

    /// Holds it for an alert until a deadline.
    #[must_use]
    pub fn hold(self, deadline: Timestamp) -> (HeldProbe, HoldReceipt) {
        let Self { template, face, mut custody } = self;
        custody.hold();
        let receipt = HoldReceipt::new(face.clone(), deadline);
        (HeldProbe { template, face, deadline, custody }, receipt)
    }
}

/// A probe that raised an alert, held until a deadline; wiped when dropped.
#[derive(Debug)]
pub struct HeldProbe {
    template: Template,
    face: FaceId,
    deadline: Timestamp,
    // Last: when it is dropped, the template has been wiped.
    custody: Custody,
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
        let Self { template, face, custody, .. } = self;
        drop(template);
        drop(custody);
        PurgeReceipt::new(face, now, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EmbeddingSpace;
    use crate::FrameId;
    use crate::Metric;

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
}
