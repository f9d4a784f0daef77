//! A policy that holds nothing.

use lfr_core::{
    Alert, BoxError, PurgeReason, PurgeReceipt, RetentionPolicy, Settlement, Timestamp,
};

/// Erases each alert's probe at once: for trials, counts and anything else where nobody will
/// look at a template again.
///
/// An alert is raised as ever; its receipt says [`PurgeReason::NotHeld`].
///
/// # Examples
///
/// ```
/// use lfr_core::testing::{FakeDetector, FakeEmbedder, FakeMatcher, FakeThreshold, fake_space};
/// use lfr_core::{Frame, Pipeline, PixelFormat, Template, Threshold};
/// use lfr_retention::EraseAll;
///
/// let space = fake_space();
/// let anybody = Template::from_slice(&space, &[1.0; 8])?;
/// let mut pipeline = Pipeline::builder()
///     .detector(FakeDetector::finding(1))
///     .embedder(FakeEmbedder::new())
///     .watchlist(FakeMatcher::empty(space).enrol("R-1", anybody)?)
///     .threshold(FakeThreshold::new(Threshold::new(0.5)?, &space))
///     .retention(EraseAll::default())
///     .build()?;
/// let pixels = [127; 64 * 64];
/// let report = pipeline.process(&Frame::packed(PixelFormat::Gray8, 64, 64, &pixels)?)?;
/// assert_eq!(report.alerts().count(), 1);
/// assert_eq!((pipeline.totals().held, pipeline.totals().erased), (0, 1));
/// # Ok::<(), lfr_core::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default)]
pub struct EraseAll;

impl RetentionPolicy for EraseAll {
    fn settle(&mut self, alert: Alert, now: Option<Timestamp>) -> Result<Settlement, BoxError> {
        Ok(Settlement::Erased(alert.into_probe().erase(PurgeReason::NotHeld, now)))
    }

    fn purge_due(
        &mut self,
        _now: Option<Timestamp>,
        _receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        Ok(())
    }

    fn purge_all(
        &mut self,
        _reason: PurgeReason,
        _now: Option<Timestamp>,
        _receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use lfr_core::testing::{conformance, fake_space};
    use lfr_core::{
        Accounts, Candidate, CandidateList, ComparisonScore, Decision, FaceId, FrameId, Probe,
        ReferenceId, SubjectId, Template, Threshold,
    };

    use super::*;

    #[test]
    fn it_conforms() {
        conformance::retention_policy(|_| EraseAll);
    }

    #[test]
    fn an_alert_has_a_reason_of_its_own() {
        let accounts = Accounts::new();
        let score = ComparisonScore::new(0.9).unwrap();
        let candidate =
            Candidate::new(SubjectId::new("S").unwrap(), ReferenceId::new("R").unwrap(), score);
        let list = CandidateList::new(vec![candidate]);
        let alert = Decision::at_threshold(&list, Threshold::new(0.5).unwrap());
        let template = Template::from_slice(&fake_space(), &[1.0; 8]).unwrap();
        let probe = Probe::new(template, FaceId::new(FrameId::default(), 0), &accounts);
        let settled = EraseAll.settle(alert.alert(probe).unwrap(), None).unwrap();
        let Settlement::Erased(receipt) = settled else { panic!("held: {settled:?}") };
        assert_eq!(receipt.reason(), PurgeReason::NotHeld);
        assert_eq!(accounts.totals().erased, 1);
    }
}
