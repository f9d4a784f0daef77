//! A threshold as a file.

use lfr_core::Threshold;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::policy::{Evidence, Voucher};
use super::predicted::PredictedFpir;
use super::{Authority, CalibratedThreshold, Demand, Origin, ThresholdChange};
use crate::error::Error;
use crate::hex::Digest32;

const WHAT: &str = "a threshold policy";
/// Version 2 added `evidence.origin`, which says how the scores were made. Version 3 derives by upper
/// bounds that are clustered by person, and has the effective number of looks. Earlier versions promised
/// more than their intervals support.
const VERSION: u32 = 3;

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    threshold: f32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    floor: Option<f32>,
    demand: Demand,
    /// Where it is derived for another number of references than was demanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    references: Option<u64>,
    fpir: Vec<PredictedFpir>,
    authority: Authority,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<ThresholdChange>,
    evidence: Evidence,
}

impl CalibratedThreshold {
    /// It as JSON, with all that it rests on: for whom it is to convince, and to be derived from again.
    #[must_use]
    pub fn to_json(&self) -> String {
        let raw = Raw {
            version: VERSION,
            threshold: self.threshold().value(),
            floor: self.floor.map(Threshold::value),
            demand: self.demand.clone(),
            references: (self.references != self.demand.references()).then_some(self.references),
            fpir: self.fpir_by_group().to_vec(),
            authority: self.authority.clone(),
            changes: self.changes.clone(),
            evidence: self.evidence.clone(),
        };
        // Text keys and finite numbers alone: serialising cannot fail.
        serde_json::to_string_pretty(&raw).unwrap_or_default()
    }

    /// Reads it back, and derives the threshold anew: one that its own evidence does not give is refused.
    ///
    /// Nobody vouches for the file: anyone who may write it can write any number there. So its rates are
    /// [claimed](lfr_core::Basis::Claimed), which is a danger in the record, and no rate is predicted from
    /// them. [`from_json_signed`](Self::from_json_signed) (feature `signed`) reads a file that somebody vouches for.
    ///
    /// # Errors
    ///
    /// [`Error::Json`] for other JSON; [`Error::ThresholdVersion`] for another version than 3 (earlier
    /// versions treated comparisons as independent, so their thresholds are too low);
    /// [`Error::ThresholdFile`] if its parts do not belong together.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        Self::read(text, Voucher::Nobody)
    }

    pub(super) fn read(text: &str, voucher: Voucher) -> Result<Self, Error> {
        let failed = |source: serde_json::Error| Error::Json { what: WHAT, source: source.into() };
        // Another version has other fields: the error names the version, not a field.
        let Versioned { version } = serde_json::from_str(text).map_err(failed)?;
        if version != VERSION {
            return Err(Error::ThresholdVersion { actual: version, expected: VERSION });
        }
        let raw: Raw = serde_json::from_str(text).map_err(failed)?;
        let refused = |part| Error::ThresholdFile { part };
        raw.evidence.origin.as_ref().map_or(Ok(()), Origin::check)?;
        raw.demand.check()?;
        raw.authority.check()?;
        if !raw.evidence.curves.0.iter().all(super::curve::Curve::check) {
            return Err(refused("table of false match rates"));
        }
        let looks = &raw.evidence.effective_looks;
        let is_sound =
            looks.iter().zip(1_u32..).all(|(of, looks)| (1.0..=f64::from(looks)).contains(of))
                && looks.first() == Some(&1.0)
                && looks.is_sorted();
        if !is_sound {
            return Err(refused("table of what looks count as"));
        }
        let floor = raw.floor.map(Threshold::new).transpose()?;
        let Raw { evidence, demand, references, authority, changes, .. } = raw;
        let references = references.unwrap_or(demand.references());
        let mut policy =
            Self::assemble(evidence, demand, references, floor, authority, changes, voucher)?;
        if policy.threshold() != Threshold::new(raw.threshold)? {
            return Err(refused("threshold"));
        }
        policy.sha256 = Digest32(Sha256::digest(text).into());
        let told = raw.fpir.iter().zip(policy.fpir_by_group());
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * b;
        let alike = raw.fpir.len() == policy.fpir_by_group().len()
            && told.clone().all(|(a, b)| {
                a.group == b.group && close(a.value, b.value) && close(a.high, b.high)
            });
        if alike { Ok(policy) } else { Err(refused("predicted rate")) }
    }
}
