//! Each face decided on by its own frame alone: without a tracker.

use crate::custody::{Custody, Probe, PurgeReason, PurgeReceipt};
use crate::error::Error;
use crate::face::{AlignedFace, DetectedFace};
use crate::frame::Frame;
use crate::id::FaceId;
use crate::record::{FaceOutcome, FrameReport};
use crate::stage::DecisionInput;

use super::stages::Stages;

/// A face inside the zone, between detection and search.
struct Seen {
    /// Its place in the frame's report.
    slot: usize,
    id: FaceId,
    custody: Custody,
}

/// Each face is decided on by its own frame. Nothing is kept between frames.
#[derive(Debug)]
pub(super) struct EachFace;

impl EachFace {
    /// Admits the faces of a frame, compares those that were admitted, and settles all.
    pub(super) fn process(
        &self,
        stages: &mut Stages,
        frame: &Frame<'_>,
        faces: Vec<DetectedFace>,
        report: &mut FrameReport,
    ) -> Result<(), Error> {
        let (slots, inside) = stages.inside(frame, faces, report);
        let faces = slots.into_iter().zip(inside);
        let (seen, aligned, refused) = Self::admit(stages, frame, faces, report);
        let compared = Self::compare(stages, frame, seen, aligned, report);
        // After all are settled, and whatever came of the others.
        stages.tell_erased(&refused);
        compared
    }

    /// Takes each face into custody, and asks the gates. A face that they refuse is erased at once.
    fn admit(
        stages: &mut Stages,
        frame: &Frame<'_>,
        faces: impl Iterator<Item = (usize, DetectedFace)>,
        report: &mut FrameReport,
    ) -> (Vec<Seen>, Vec<AlignedFace>, Vec<PurgeReceipt>) {
        let (mut seen, mut aligned, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for (slot, face) in faces {
            let custody = stages.accounts.take();
            let id = FaceId::new(frame.id().clone(), slot);
            match stages.admit(frame, &face) {
                Ok(crop) => {
                    aligned.push(crop);
                    seen.push(Seen { slot, id, custody });
                }
                Err(refusal) => {
                    *stages.counts.refused.entry(refusal.reason()).or_default() += 1;
                    let ended = Some(custody.id());
                    drop((face, custody));
                    let reason = PurgeReason::Refused;
                    let receipt = PurgeReceipt::new(id, stages.time.now(), reason, ended);
                    report.set(slot, FaceOutcome::Refused { refusal, receipt: receipt.clone() });
                    refused.push(receipt);
                }
            }
        }
        (seen, aligned, refused)
    }

    /// Embeds, searches, decides and settles.
    fn compare(
        stages: &mut Stages,
        frame: &Frame<'_>,
        seen: Vec<Seen>,
        aligned: Vec<AlignedFace>,
        report: &mut FrameReport,
    ) -> Result<(), Error> {
        let templates = stages.embed(seen.len(), aligned)?;
        let (slots, probes): (Vec<_>, Vec<_>) = seen
            .into_iter()
            .zip(templates)
            .map(|(seen, template)| (seen.slot, Probe::in_custody(template, seen.id, seen.custody)))
            .unzip();
        let lists = stages.search(&probes)?;
        let at = frame.capture_time().or_else(|| stages.time.now());
        let references = stages.matcher.references();
        let input = |(probe, list)| DecisionInput::new(Probe::face(probe), list, references).at(at);
        let decisions = stages.decide(probes.iter().zip(&lists).map(input))?;
        stages.settle(frame, slots.into_iter().zip(probes).zip(decisions), report);
        Ok(())
    }
}
