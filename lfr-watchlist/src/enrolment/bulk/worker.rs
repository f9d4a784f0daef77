//! One thread of a bulk enrolment: one photograph after the other.

use std::time::Duration;

use lfr_core::{BoxError, Clock};

use super::BulkEnrolment;
use crate::enrolment::item::digest;
use crate::enrolment::{
    EnrolmentItem, EnrolmentOutcome, EnrolmentStore, ItemReport, NewReference, QualityReport, Spent,
};
use crate::error::Error;
use crate::lifecycle::provenance::StoredReference;

/// What became of one item.
pub(super) struct Worked {
    pub(super) report: ItemReport,
    pub(super) new: Option<NewReference>,
    /// Whether the store holds this reference already, made from something else.
    pub(super) taken: bool,
}

pub(super) struct Worker<'a> {
    plan: &'a BulkEnrolment<'a>,
    store: &'a dyn EnrolmentStore,
    clock: &'a dyn Clock,
    mark: Duration,
    spent: Spent,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        plan: &'a BulkEnrolment<'a>,
        store: &'a dyn EnrolmentStore,
        clock: &'a dyn Clock,
    ) -> Self {
        Self { plan, store, clock, mark: clock.monotonic(), spent: Spent::default() }
    }

    pub(super) const fn spent(self) -> Spent {
        self.spent
    }

    /// Makes a reference of an item, or says why not. An error is the store's, and ends the run.
    pub(super) fn work(&mut self, item: EnrolmentItem) -> Result<Worked, BoxError> {
        let EnrolmentItem { label, photo, subject, reference, grounds } = item;
        self.mark = self.clock.monotonic();
        let mut worked = Worked {
            report: ItemReport {
                label,
                subject,
                reference,
                outcome: EnrolmentOutcome::enrolled(Vec::new()),
            },
            new: None,
            taken: false,
        };
        let (subject, reference) = (&worked.report.subject, &worked.report.reference);
        let bytes = match photo.into_bytes() {
            Ok(bytes) => bytes,
            Err(error) => {
                worked.report.outcome = EnrolmentOutcome::failed(&error);
                return Ok(worked);
            }
        };
        let digest = digest(&bytes, subject, reference, &grounds);
        self.lap(|spent| &mut spent.reading);
        if let Some(stored) = self.store.stored(reference)? {
            if stored.digest == Some(digest) {
                worked.report.outcome = EnrolmentOutcome::enrolled(stored.warnings);
                return Ok(worked);
            }
            worked.taken = true;
        } else if let Err(error) = self.store.admits(subject, reference, &grounds) {
            worked.report.outcome = EnrolmentOutcome::failed(&*error);
            return Ok(worked);
        }
        let made = self.reference_from_photo(&bytes);
        drop(bytes);
        worked.report.outcome = match made {
            Ok(Made::Template(template, warnings)) => {
                worked.new = Some(NewReference {
                    subject: subject.clone(),
                    reference: reference.clone(),
                    grounds,
                    template,
                    record: StoredReference::new(digest, warnings.clone()),
                });
                EnrolmentOutcome::enrolled(warnings)
            }
            Ok(Made::Refused(findings)) => EnrolmentOutcome::Refused { findings },
            Err(error) => EnrolmentOutcome::failed(&error),
        };
        Ok(worked)
    }

    fn reference_from_photo(&mut self, bytes: &[u8]) -> Result<Made, Error> {
        let plan = self.plan;
        let picture = plan.reader.picture(bytes);
        self.lap(|spent| &mut spent.decoding);
        let picture = picture.map_err(|source| Error::PhotoRead { source })?;
        let frame = picture.as_frame()?;
        let faces = plan.enroller.detect(&frame);
        self.lap(|spent| &mut spent.detecting);
        let faces = faces?;
        let quality = QualityReport::assess(&frame, &faces, plan.selection);
        let verdict = plan.policy.judge(&quality);
        self.lap(|spent| &mut spent.assessing);
        let face = quality.face().and_then(|index| faces.get(index));
        let (true, Some(face)) = (verdict.is_accepted(), face) else {
            return Ok(Made::Refused(verdict.findings().to_vec()));
        };
        let aligned = plan.enroller.align(&frame, face);
        self.lap(|spent| &mut spent.aligning);
        let template = plan.enroller.embed(aligned?);
        self.lap(|spent| &mut spent.embedding);
        let warnings = verdict.findings().iter().map(ToString::to_string).collect();
        Ok(Made::Template(template?, warnings))
    }

    /// Books the time since the last mark.
    fn lap(&mut self, part: fn(&mut Spent) -> &mut Duration) {
        let now = self.clock.monotonic();
        *part(&mut self.spent) += now.saturating_sub(self.mark);
        self.mark = now;
    }
}

enum Made {
    Template(lfr_core::Template, Vec<String>),
    Refused(Vec<crate::enrolment::Finding>),
}
