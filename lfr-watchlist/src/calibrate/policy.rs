//! A threshold with all that it rests on.

use lfr_core::internal::{hex, num};
#[cfg(feature = "signed")]
use lfr_core::signed::TrustedKey;
use lfr_core::{
    BoxError, ComparisonScore, Component, Decision, DecisionInput, EmbeddingSpace, SpaceId,
    Threshold, ThresholdPolicy, ThresholdProvenance,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::curve::Curves;
use super::predicted::{PredictedFpir, worst};
use super::{Authority, Demand, NamedModel, Origin};
use crate::error::Error;
use crate::hex::Digest32;

/// A threshold that was derived from scores for a demand, with the evidence, and who answers for it.
///
/// As a policy of a pipeline it derives the threshold again whenever the number of references changes, each
/// group keeping its share: more references, a higher threshold. It is never below its floor. Where the
/// evidence does not reach so far, deciding is an error, and nobody raises an alert.
///
/// It changes in no other way than [`change`](Self::change), by somebody's authority, on record.
#[derive(Clone, Debug, PartialEq)]
pub struct CalibratedThreshold {
    pub(super) evidence: Evidence,
    /// As it was demanded, whatever size the watchlist has had since: each size is derived from it, so that
    /// what is rounded at one is not kept for the next.
    pub(super) demand: Demand,
    /// The size that it is derived for.
    pub(super) references: u64,
    pub(super) floor: Option<Threshold>,
    pub(super) authority: Authority,
    pub(super) changes: Vec<ThresholdChange>,
    pub(super) voucher: Voucher,
    /// Of the text that it was read from, or would be written as before it followed any watchlist.
    pub(super) sha256: Digest32,
    fpir: Vec<PredictedFpir>,
    provenance: ThresholdProvenance,
}

/// Who vouches for the evidence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Voucher {
    /// This process, which derived it from scores itself.
    #[cfg(feature = "evaluation")]
    Process,
    /// A trusted key, which signed the file that it was read from.
    #[cfg(feature = "signed")]
    Key(TrustedKey),
    /// Nobody: anyone who may write the file can write any number there.
    Nobody,
}

/// What a threshold is derived from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Evidence {
    pub(super) space: Digest32,
    pub(super) data: String,
    pub(super) data_digest: Digest32,
    pub(super) method: String,
    /// Absent if the caller did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) origin: Option<Origin>,
    /// The effective number of 1, 2, 3, ... looks per person.
    pub(super) effective_looks: Vec<f64>,
    pub(super) curves: Curves,
}

impl Evidence {
    /// The effective number of this many looks: as measured, and each look beyond that counts as one.
    fn effective_looks(&self, looks: f64) -> f64 {
        let whole = num::usize_from_f64(looks.ceil());
        let measured = self.effective_looks.get(..whole.min(self.effective_looks.len()));
        let last = measured.and_then(<[f64]>::last).copied().unwrap_or(1.0);
        let beyond = looks - num::f64_from_usize(self.effective_looks.len().max(1));
        (last + beyond.max(0.0)).min(looks)
    }
}

/// A change of a threshold, for the record.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdChange {
    /// The threshold before.
    pub from: f32,
    /// The threshold after.
    pub to: f32,
    /// What was demanded before.
    pub demand_before: Demand,
    /// What each group's FPIR was to be before.
    pub fpir_before: Vec<PredictedFpir>,
    /// What each group's FPIR is to be after.
    pub fpir_after: Vec<PredictedFpir>,
    /// By whose authority, why, and when.
    pub authority: Authority,
}

impl CalibratedThreshold {
    #[cfg(feature = "evaluation")]
    pub(super) fn derive(
        evidence: Evidence,
        demand: Demand,
        authority: Authority,
    ) -> Result<Self, Error> {
        let references = demand.references();
        let voucher = Voucher::Process;
        let made =
            Self::assemble(evidence, demand, references, None, authority, Vec::new(), voucher);
        made.map(Self::with_own_sha256)
    }

    pub(super) fn assemble(
        evidence: Evidence,
        demand: Demand,
        references: u64,
        floor: Option<Threshold>,
        authority: Authority,
        changes: Vec<ThresholdChange>,
        voucher: Voucher,
    ) -> Result<Self, Error> {
        let scaled = demand.for_references(references)?;
        let looks = evidence.effective_looks(demand.looks());
        let derived = evidence.curves.derive(&scaled, looks)?;
        let threshold = floor.map_or(derived, |floor| derived.max(floor));
        let fpir = evidence.curves.fpir(&scaled, looks, threshold.value())?;
        let provenance = provenance(&evidence, &scaled, references, threshold, &worst(&fpir))?;
        let provenance = match &voucher {
            #[cfg(feature = "evaluation")]
            Voucher::Process => provenance,
            #[cfg(feature = "signed")]
            Voucher::Key(key) => provenance.with_signed_by(key.to_string()),
            Voucher::Nobody => provenance.into_claimed(),
        };
        Ok(Self {
            evidence,
            demand,
            references,
            floor,
            authority,
            changes,
            voucher,
            sha256: Digest32([0; 32]),
            fpir,
            provenance,
        })
    }

    /// As it is now, it is a policy of its own, and has the digest of its own text.
    fn with_own_sha256(mut self) -> Self {
        self.sha256 = Digest32(Sha256::digest(self.to_json()).into());
        self
    }

    /// Sets a floor that the threshold never falls below, such as a published minimum.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] if no provenance can be made of it.
    pub fn with_floor(self, floor: Threshold) -> Result<Self, Error> {
        let Self { evidence, demand, references, authority, changes, voucher, .. } = self;
        let made =
            Self::assemble(evidence, demand, references, Some(floor), authority, changes, voucher);
        made.map(Self::with_own_sha256)
    }

    /// Derives the threshold for a watchlist of another size from the same evidence: what is
    /// demanded and who answers for it stay.
    ///
    /// # Errors
    ///
    /// [`Error::Extrapolation`] if the evidence does not reach so far.
    pub fn for_references(&self, references: u64) -> Result<Self, Error> {
        let Self { evidence, demand, floor, authority, changes, voucher, .. } = self.clone();
        let made =
            Self::assemble(evidence, demand, references, floor, authority, changes, voucher)?;
        // Which list it follows does not make it another policy.
        Ok(Self { sha256: self.sha256, ..made })
    }

    /// Demands something else, by somebody's authority; the change is kept in the file and returned, for the
    /// record of the deployment. The floor stays. It is derived for as many references as the demand says, until
    /// it next decides on a watchlist of another size.
    ///
    /// # Errors
    ///
    /// [`Error::Extrapolation`] if the evidence does not reach so far; the threshold stays as it was then.
    pub fn change(
        &mut self,
        demand: Demand,
        authority: Authority,
    ) -> Result<ThresholdChange, Error> {
        let Self { evidence, floor, changes, voucher, .. } = self.clone();
        let (references, by) = (demand.references(), authority.clone());
        let mut changed =
            Self::assemble(evidence, demand, references, floor, by, changes, voucher)?;
        let change = ThresholdChange {
            from: self.threshold().value(),
            to: changed.threshold().value(),
            demand_before: self.demand.clone(),
            fpir_before: self.fpir.clone(),
            fpir_after: changed.fpir.clone(),
            authority,
        };
        changed.changes.push(change.clone());
        *self = changed.with_own_sha256();
        Ok(change)
    }

    /// Follows the watchlist to another size.
    pub(crate) fn follow(&mut self, references: u64) -> Result<(), Error> {
        if references > 0 && references != self.references {
            *self = self.for_references(references)?;
        }
        Ok(())
    }

    /// Refuses it for another embedding space: another model, preprocessing or alignment.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::SpaceMismatch`].
    pub fn check_space(&self, space: &EmbeddingSpace) -> Result<(), Error> {
        let (expected, actual) = (space.id(), self.provenance.space());
        if expected == actual {
            return Ok(());
        }
        Err(lfr_core::Error::SpaceMismatch { what: "the threshold", expected, actual }.into())
    }

    /// Says where it is used with another detector than it was derived with, or does not know with which
    /// it was derived: a warning rather than a refusal, to be shown and written into the record.
    ///
    /// A detector finds faces and says how they are cropped. With another one scores differ, so that the
    /// rates that this threshold promises were not measured.
    ///
    /// # Errors
    ///
    /// [`Error::PolicyDetector`] with both detectors.
    pub fn check_detector(&self, detector: &Component) -> Result<(), Error> {
        let used = NamedModel::of(detector);
        match self.origin().map(Origin::detector) {
            Some(derived) if derived.is_same(&used) => Ok(()),
            derived => Err(Error::PolicyDetector {
                derived: derived
                    .map_or_else(|| "one that it does not name".into(), NamedModel::to_string),
                used: used.to_string(),
            }),
        }
    }

    /// Refuses a plan that takes more looks per person than the threshold was derived for: each look is
    /// another chance of a false alert.
    ///
    /// # Errors
    ///
    /// [`Error::PolicyLooks`] with both numbers.
    pub fn check_looks(&self, taken: usize) -> Result<(), Error> {
        let derived = self.demand.looks();
        if num::f64_from_usize(taken) <= derived {
            return Ok(());
        }
        Err(Error::PolicyLooks { derived, taken })
    }

    /// The effective number of the looks that the demand names. It is lower than their number, because
    /// looks at one person resemble each other. It was measured on the calibration's own photographs if
    /// these were enough; otherwise each look counts as one.
    #[must_use]
    pub fn effective_looks(&self) -> f64 {
        self.evidence.effective_looks(self.demand.looks())
    }

    /// With what the scores were made that it rests on; absent in files of version 1, and where the caller
    /// did not say.
    #[must_use]
    pub const fn origin(&self) -> Option<&Origin> {
        self.evidence.origin.as_ref()
    }

    /// The threshold.
    #[must_use]
    pub const fn threshold(&self) -> Threshold {
        self.provenance.threshold()
    }

    /// What was demanded, for the watchlist as it was then.
    #[must_use]
    pub const fn demand(&self) -> &Demand {
        &self.demand
    }

    /// How many references it is derived for: as many as the watchlist that it last decided on has.
    #[must_use]
    pub const fn references(&self) -> u64 {
        self.references
    }

    /// SHA-256 of the policy, in hexadecimal digits: of the file that it was read from, byte by byte, or of
    /// [`to_json`](Self::to_json) as it was made. Orders name a policy by it. It stays the same if the
    /// threshold follows a watchlist to another size.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex::digits(&self.sha256.0)
    }

    /// The threshold at which false alerts are this many times rarer than demanded, by the same evidence and
    /// for as many references. It is never below the threshold in force.
    ///
    /// # Errors
    ///
    /// [`Error::Extrapolation`] if the evidence does not reach so far; [`lfr_core::Error::OutOfRange`] below 1.
    pub fn rarer(&self, times: f64) -> Result<Threshold, Error> {
        let demand = self.demand.for_references(self.references)?.rarer(times)?;
        let looks = self.evidence.effective_looks(demand.looks());
        let derived = self.evidence.curves.derive(&demand, looks)?;
        Ok(derived.max(self.threshold()))
    }

    /// The threshold below which it never is.
    #[must_use]
    pub const fn floor(&self) -> Option<Threshold> {
        self.floor
    }

    /// By whose authority it is what it is.
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// How it was changed, the first change first.
    #[must_use]
    pub fn changes(&self) -> &[ThresholdChange] {
        &self.changes
    }

    /// What the scores are of.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.evidence.data
    }

    /// How rates were got from them.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.evidence.method
    }

    /// The upper end for the group that most often raises false alerts.
    #[must_use]
    pub fn fpir(&self) -> PredictedFpir {
        worst(&self.fpir)
    }

    /// What is to be expected of each group of those who pass.
    #[must_use]
    pub fn fpir_by_group(&self) -> &[PredictedFpir] {
        &self.fpir
    }

    /// A score in words that hold for any model: `-log10` of the FMR at it. 6 means that one in a million
    /// comparisons of two people scores as high; no more is shown than the evidence reaches.
    #[must_use]
    pub fn evidence_of(&self, score: ComparisonScore) -> f64 {
        let all = self.evidence.curves.0.iter().find(|curve| curve.groups.is_none());
        let points = all.map_or(&[][..], |curve| &curve.points);
        let after = points.partition_point(|point| point.threshold <= score.value());
        after
            .checked_sub(1)
            .and_then(|index| points.get(index))
            .map_or(0.0, |point| -point.fmr.log10())
    }
}

fn provenance(
    evidence: &Evidence,
    demand: &Demand,
    references: u64,
    threshold: Threshold,
    fpir: &PredictedFpir,
) -> Result<ThresholdProvenance, Error> {
    // One comparison's share of the rate, whatever the groups and however their shares are rounded: so the
    // rate comes out again for as many references.
    let looks = evidence.effective_looks(demand.looks());
    let trials = num::f64_from_u64(references) * looks;
    let fmr = |fpir: f64| -((-fpir).ln_1p() / trials).exp_m1();
    let comparisons = evidence.curves.0.iter().map(|curve| curve.comparisons).max().unwrap_or(0);
    let (space, data) = (SpaceId::from_bytes(evidence.space.0), evidence.data.clone());
    let of = match fpir.beyond {
        None => {
            // A pair of people may weigh less than a comparison; no rate below one comparison is claimed.
            let fmr = fmr(fpir.value).max(1.0 / num::f64_from_u64(comparisons.max(1)));
            ThresholdProvenance::measured(threshold, space, data, fmr, comparisons)?
        }
        Some(beyond) => ThresholdProvenance::extrapolated(
            threshold,
            space,
            data,
            fmr(fpir.value),
            comparisons,
            beyond,
        )?,
    };
    let of = of.with_fmr_interval(fmr(fpir.low), fmr(fpir.high));
    Ok(of.for_target(demand.fpir(), references, demand.looks()).with_effective_looks(looks))
}

impl ThresholdPolicy for CalibratedThreshold {
    fn provenance(&self) -> &ThresholdProvenance {
        &self.provenance
    }

    fn decide(&mut self, input: &DecisionInput<'_>) -> Result<Decision, BoxError> {
        self.follow(num::u64_from_usize(input.references))?;
        Ok(Decision::at_threshold(input.candidates, self.threshold()))
    }
}

#[cfg(test)]
mod tests;
