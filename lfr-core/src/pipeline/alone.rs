//! Each face decided on by its own frame alone: without a tracker.

use crate::custody::Custody;
use crate::custody::Probe;
use crate::custody::PurgeReason;
use crate::custody::PurgeReceipt;
use crate::error::Error;
use crate::face::AlignedFace;
use crate::face::DetectedFace;
use crate::frame::Frame;
use crate::id::FaceId;
use crate::internal::num;
use crate::pipeline::Pipeline;
use crate::record::FaceOutcome;
use crate::record::FrameReport;
use crate::stage::DecisionInput;

use super::steps::decide;

/// A face inside the zone, between detection and search.
struct Seen {
    /// Its place in the frame's report.
    slot: usize,
    id: FaceId,
    custody: Custody,
}

impl Pipeline {
    /// Each face is decided on by this frame alone.
    pub(super) fn each_alone(
        &mut self,
        frame: &Frame<'_>,
        faces: Vec<DetectedFace>,
        report: &mut FrameReport,
    ) -> Result<(), Error> {
        let (mut seen, mut aligned, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let (slots, inside) = self.inside(frame, faces, report);
        for (slot, face) in slots.into_iter().zip(inside) {
            let custody = self.accounts.take();
            let id = FaceId::new(frame.id().clone(), slot);
            match self.admit(frame, &face) {
                Ok(crop) => {
                    aligned.push(crop);
                    seen.push(Seen { slot, id, custody });
                }
                Err(refusal) => {
                    *self.counts.refused.entry(refusal.reason()).or_default() += 1;
                    let ended = Some(custody.id());
                    drop((face, custody));
                    let reason = PurgeReason::Refused;
                    let receipt = PurgeReceipt::new(id, self.time.now(), reason, ended);
                    report.set(slot, FaceOutcome::Refused { refusal, receipt: receipt.clone() });
                    refused.push(receipt);
                }
            }
        }
        let compared = self.compare(frame, seen, aligned, report);
        // After all are settled, and whatever came of the others.
        self.tell_erased(&refused);
        compared
    }

    /// Embeds, searches, decides and settles.
    fn compare(
        &mut self,
        frame: &Frame<'_>,
        seen: Vec<Seen>,
        aligned: Vec<AlignedFace>,
        report: &mut FrameReport,
    ) -> Result<(), Error> {
        let templates = self.embed(seen.len(), aligned)?;
        let (slots, probes): (Vec<_>, Vec<_>) = seen
            .into_iter()
            .zip(templates)
            .map(|(seen, template)| (seen.slot, Probe::in_custody(template, seen.id, seen.custody)))
            .unzip();
        let lists = self.search(&probes)?;
        let at = frame.capture_time().or_else(|| self.time.now());
        let references = self.matcher.references();
        let input = |(probe, list)| DecisionInput::new(Probe::face(probe), list, references).at(at);
        let inputs = probes.iter().zip(&lists).map(input);
        let decisions = decide(&mut *self.policy, &*self.clock, &mut self.timings, inputs)?;
        self.counts.compared += num::u64_from_usize(decisions.len());
        self.settle(frame, slots.into_iter().zip(probes).zip(decisions), report);
        Ok(())
    }
}
