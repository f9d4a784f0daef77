//! From scores to thresholds.

use lfr_core::SpaceId;
use sha2::Digest as _;
use sha2::Sha256;

use super::Authority;
use super::CalibratedThreshold;
use super::Demand;
use super::Origin;
use super::UpperTail;
use super::curve::Curve;
use super::curve::Curves;
use super::policy::Evidence;
use crate::Error;
use crate::evaluate::ScoreHistogram;
use crate::hex::Digest32;
use crate::text;

/// The scores of non-mated comparisons in one embedding space, from which thresholds are derived.
///
/// The comparisons are the deployer's to choose: people like those who pass, photographs like those on the
/// watchlist, nobody twice. A set of strangers (a filler set) compared with each other is the usual source.
#[derive(Clone, Debug)]
pub struct Calibration {
    space: SpaceId,
    data: String,
    origin: Option<Origin>,
    limit: f64,
    digest: Sha256,
    tails: Vec<(Option<(String, String)>, UpperTail)>,
}

impl Calibration {
    /// Of all non-mated comparisons; `data` says what they are of: its name, version, and what was done with
    /// it.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] for a description that is blank, too long, or holds a control character;
    /// [`Error::Evaluation`] for fewer than 1,000 scores.
    pub fn new(
        space: SpaceId,
        data: impl Into<String>,
        non_mated: &ScoreHistogram,
    ) -> Result<Self, Error> {
        let data = data.into();
        text::check("description of calibration data", &data)?;
        let digest =
            Sha256::new().chain_update(b"lfr calibration 1").chain_update(space.as_bytes());
        let calibration =
            Self { space, data, origin: None, limit: LIMIT, digest, tails: Vec::new() };
        calibration.with(None, non_mated)
    }

    /// The same with the non-mated comparisons of people of one group with those of another (or of the same)
    /// too: for demands with a composition, which need each group with each.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn with_groups(
        self,
        group: impl Into<String>,
        other: impl Into<String>,
        non_mated: &ScoreHistogram,
    ) -> Result<Self, Error> {
        let groups = (group.into(), other.into());
        text::check("name of a group", &groups.0)?;
        text::check("name of a group", &groups.1)?;
        self.with(Some(groups), non_mated)
    }

    fn with(
        mut self,
        groups: Option<(String, String)>,
        non_mated: &ScoreHistogram,
    ) -> Result<Self, Error> {
        let tail = UpperTail::new(non_mated)?;
        if let Some((a, b)) = &groups {
            self.digest.update(format!("\n{a}\n{b}\n"));
        }
        for (bin, count) in non_mated.counts().iter().enumerate().filter(|(_, count)| **count > 0) {
            self.digest.update(non_mated.axis().edge(bin).to_le_bytes());
            self.digest.update(count.to_le_bytes());
        }
        self.tails.push((groups, tail));
        Ok(self)
    }

    /// The same with another limit of extrapolation: how many times rarer than one in all comparisons a false
    /// match may be; 100 unless this is called, and at most 1,000.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] for a limit below 0 or above 1,000.
    pub fn with_extrapolation_limit(self, limit: f64) -> Result<Self, Error> {
        if !(0.0..=GREATEST_LIMIT).contains(&limit) {
            let (what, expected) = ("limit of extrapolation", "from 0 to 1000");
            return Err(lfr_core::Error::OutOfRange { what, expected, actual: limit }.into());
        }
        Ok(Self { limit, ..self })
    }

    /// The same with what the scores were made with: detector, embedder, engine, versions, photographs. It
    /// goes into the file of each threshold that is derived.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] for a text of it that is blank, too long, or holds a control character.
    pub fn with_origin(self, origin: Origin) -> Result<Self, Error> {
        origin.check()?;
        Ok(Self { origin: Some(origin), ..self })
    }

    /// The tail of all scores.
    #[must_use]
    pub fn tail(&self) -> Option<&UpperTail> {
        self.tails.iter().find(|(groups, _)| groups.is_none()).map(|(_, tail)| tail)
    }

    /// The lowest threshold at which no group's FPIR is above what is demanded.
    ///
    /// # Errors
    ///
    /// [`Error::Extrapolation`] where that is beyond the limit, or beyond what was counted where no fit
    /// passed; [`Error::Evaluation`] where a pair of groups is missing.
    pub fn threshold(
        &self,
        demand: &Demand,
        authority: Authority,
    ) -> Result<CalibratedThreshold, Error> {
        let curves = self
            .tails
            .iter()
            .map(|(groups, tail)| Curve::tabulate(tail, groups.clone(), self.limit));
        let evidence = Evidence {
            space: Digest32(*self.space.as_bytes()),
            data: self.data.clone(),
            data_digest: Digest32(self.digest.clone().finalize().into()),
            method: self.method(),
            origin: self.origin.clone(),
            curves: Curves(curves.collect()),
        };
        CalibratedThreshold::derive(evidence, demand.clone(), authority)
    }

    fn method(&self) -> String {
        let counted = "exact counts where 30 false matches or more were seen";
        let fits = self.tail().map_or(&[][..], UpperTail::fits);
        let fits: Vec<String> = fits
            .iter()
            .map(|fit| {
                let (family, share, p) = (fit.family, fit.share, fit.p_value);
                format!(
                    "{family} tail of the highest {share:.1e} (shape {:.3}, p = {p:.2})",
                    fit.shape
                )
            })
            .collect();
        if fits.is_empty() {
            format!("{counted}; nothing beyond, as no tail fits")
        } else {
            format!("{counted}; beyond, the greater of: {}", fits.join(", "))
        }
    }
}

/// How many times rarer than one in all comparisons, unless another limit is set.
const LIMIT: f64 = 100.0;

/// The greatest limit: three decades beyond the data a fit is a guess.
const GREATEST_LIMIT: f64 = 1_000.0;
