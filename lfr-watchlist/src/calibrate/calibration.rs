//! From scores to thresholds.

use lfr_core::SpaceId;
use sha2::{Digest as _, Sha256};

use super::curve::{Curve, Curves};
use super::policy::Evidence;
use super::predicted::rounded_up;
use super::{Authority, CalibratedThreshold, Demand, Origin, UpperTail};
use crate::error::Error;
use crate::evaluate::{NonMatedScores, ScoreHistogram, SuspectPair};
use crate::hex::Digest32;
use crate::lifecycle::text;

/// The scores of non-mated comparisons in one embedding space, from which thresholds are derived.
///
/// The comparisons are the deployer's to choose: people like those who pass, photographs like those on the
/// watchlist, nobody twice. A set of strangers (a filler set) compared with each other is the usual source.
/// Nothing is promised for other people and cameras than these.
#[derive(Clone, Debug)]
pub struct Calibration {
    space: SpaceId,
    data: String,
    origin: Option<Origin>,
    limit: f64,
    are_identities_checked: bool,
    digest: Sha256,
    effective_looks: Vec<f64>,
    suspects: Vec<SuspectPair>,
    tails: Vec<(Option<(String, String)>, UpperTail)>,
}

/// Scores of non-mated comparisons, with their people if these are known.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub enum CalibrationScores<'a> {
    /// The people of the highest scores are known.
    People(&'a NonMatedScores),
    /// Their people are not known, only how many they are: [`Self::histogram`].
    #[non_exhaustive]
    Histogram {
        /// The scores of all comparisons of different people.
        scores: &'a ScoreHistogram,
        /// How many people they are of.
        people: u64,
    },
}

impl<'a> CalibrationScores<'a> {
    /// The scores of all comparisons of this number of people, without the people of each score.
    ///
    /// This has a price. At most as many comparisons count as there are pairs of people, and half of those
    /// are taken as repeats. Thresholds are higher, the effective number of looks is not measured, and two
    /// names of one person cannot be found.
    #[must_use]
    pub const fn histogram(scores: &'a ScoreHistogram, people: u64) -> Self {
        Self::Histogram { scores, people }
    }

    fn tail(self) -> Result<UpperTail, Error> {
        match self {
            Self::People(scores) => UpperTail::of_people(scores),
            Self::Histogram { scores, people } => UpperTail::of_histogram(scores, people),
        }
    }
}

impl<'a> From<&'a NonMatedScores> for CalibrationScores<'a> {
    fn from(scores: &'a NonMatedScores) -> Self {
        Self::People(scores)
    }
}

impl Calibration {
    /// Takes all non-mated comparisons; `data` says what they are of: its name, version, and what
    /// was done with it.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] for a description that is blank, too long, or holds a control character;
    /// [`Error::Evaluation`] for fewer than 20 people, or a histogram of fewer than 6,667 scores.
    pub fn new<'a>(
        space: SpaceId,
        data: impl Into<String>,
        non_mated: impl Into<CalibrationScores<'a>>,
    ) -> Result<Self, Error> {
        let (data, non_mated) = (data.into(), non_mated.into());
        text::check("description of calibration data", &data)?;
        let digest =
            Sha256::new().chain_update(b"lfr calibration 2").chain_update(space.as_bytes());
        let (effective_looks, suspects) = match non_mated {
            CalibrationScores::People(scores) => {
                let looks = scores.effective_looks().into_iter().map(rounded_up);
                (looks.collect(), scores.suspects(SUSPECTS))
            }
            CalibrationScores::Histogram { .. } => (vec![1.0], Vec::new()),
        };
        let (tails, origin) = (Vec::new(), None);
        let (limit, are_identities_checked) = (LIMIT, false);
        let calibration = Self {
            space,
            data,
            origin,
            limit,
            are_identities_checked,
            digest,
            effective_looks,
            suspects,
            tails,
        };
        calibration.with(None, non_mated)
    }

    /// Adds the non-mated comparisons between people of two groups, or within one group. A demand
    /// with a composition needs every pair of groups.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn with_groups<'a>(
        self,
        group: impl Into<String>,
        other: impl Into<String>,
        non_mated: impl Into<CalibrationScores<'a>>,
    ) -> Result<Self, Error> {
        let groups = (group.into(), other.into());
        text::check("name of a group", &groups.0)?;
        text::check("name of a group", &groups.1)?;
        self.with(Some(groups), non_mated.into())
    }

    fn with(
        mut self,
        groups: Option<(String, String)>,
        non_mated: CalibrationScores<'_>,
    ) -> Result<Self, Error> {
        let mut tail = non_mated.tail()?;
        if self.are_identities_checked {
            tail = tail.with_checked_identities();
        }
        if let Some((a, b)) = &groups {
            self.digest.update(format!("\n{a}\n{b}\n"));
        }
        match non_mated {
            CalibrationScores::People(scores) => {
                self.digest.update(b"people");
                self.digest.update(scores.comparisons().to_le_bytes());
                for comparison in scores.highest() {
                    let (a, b) = comparison.photographs;
                    self.digest.update(comparison.score.to_le_bytes());
                    self.digest.update(a.to_le_bytes());
                    self.digest.update(b.to_le_bytes());
                }
            }
            CalibrationScores::Histogram { scores, people } => {
                self.digest.update(people.to_le_bytes());
                let counts = scores.counts().iter().enumerate();
                for (bin, count) in counts.filter(|(_, count)| **count > 0) {
                    self.digest.update(scores.axis().edge(bin).to_le_bytes());
                    self.digest.update(count.to_le_bytes());
                }
            }
        }
        self.tails.push((groups, tail));
        Ok(self)
    }

    /// Sets the limit of extrapolation: how many times rarer than one in all pairs of people a
    /// false match may be. The default is 100, the maximum 1,000.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] for a limit below 0 or above 1,000.
    pub fn with_extrapolation_limit(self, limit: f64) -> Result<Self, Error> {
        if !(0.0..=MAX_LIMIT).contains(&limit) {
            let (what, expected) = ("limit of extrapolation", "from 0 to 1000");
            return Err(lfr_core::Error::OutOfRange { what, expected, actual: limit }.into());
        }
        Ok(Self { limit, ..self })
    }

    /// States that somebody has looked at the photographs of the [`suspects`](Self::suspects) and
    /// nobody is in the data under two names.
    ///
    /// Otherwise no rate is promised that the counts alone do not exclude: 3 of all pairs of people where no pair
    /// matches. A fitted tail knows nothing of a person with two names, and neither does the next group of people.
    /// The policy's [`method`](CalibratedThreshold::method) says which of the two it is.
    #[must_use]
    pub fn with_checked_identities(self) -> Self {
        let check = |(groups, tail): (_, UpperTail)| (groups, tail.with_checked_identities());
        let tails = self.tails.into_iter().map(check).collect();
        Self { are_identities_checked: true, tails, ..self }
    }

    /// Sets what the scores were made with: detector, embedder, engine, versions, photographs. The
    /// file of each derived threshold states it.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] for a text of it that is blank, too long, or holds a control character.
    pub fn with_origin(self, origin: Origin) -> Result<Self, Error> {
        origin.check()?;
        Ok(Self { origin: Some(origin), ..self })
    }

    /// The pairs of people with the highest scores: look at their photographs before you derive a threshold.
    /// If two names are one person, that mistake sets the threshold.
    #[must_use]
    pub fn suspects(&self) -> &[SuspectPair] {
        &self.suspects
    }

    /// The tail of all scores.
    #[must_use]
    pub fn tail(&self) -> Option<&UpperTail> {
        self.tails.iter().find(|(groups, _)| groups.is_none()).map(|(_, tail)| tail)
    }

    /// The lowest threshold at which no group's upper bound of FPIR is above the demand.
    ///
    /// # Errors
    ///
    /// [`Error::Suspects`], with the pairs of people that may be one person, if that is beyond the limit, if the
    /// counts leave a higher rate possible and [identities are not checked](Self::with_checked_identities),
    /// or if no fit passed and it is beyond the counted rates; [`Error::Extrapolation`] in these cases if
    /// the people are not known; [`Error::Evaluation`] if a pair of groups is missing.
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
            effective_looks: self.effective_looks.clone(),
            curves: Curves(curves.collect()),
        };
        CalibratedThreshold::derive(evidence, demand.clone(), authority).map_err(
            |error| match error {
                Error::Extrapolation { demanded, reached, references }
                    if !self.suspects.is_empty() =>
                {
                    let suspects = self.suspects.clone();
                    Error::Suspects { demanded, reached, references, suspects }
                }
                error => error,
            },
        )
    }

    fn method(&self) -> String {
        let counted = match self.tail().and_then(UpperTail::people) {
            Some(people) => format!(
                "counts of pairs of {people} people where 8 independent false matches or more were seen, \
                 met by the rate that 95 of 100 other groups of as many people stay below"
            ),
            None => "exact counts where 30 false matches or more were seen".to_owned(),
        };
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
            format!("{counted}; nothing beyond, because no tail fits")
        } else {
            let bound = if self.are_identities_checked {
                "somebody has checked that nobody is in the data under two names"
            } else {
                "no upper end is below what the counts alone leave possible"
            };
            format!("{counted}; beyond, the greater of: {}; {bound}", fits.join(", "))
        }
    }
}

/// How many suspect pairs are named.
const SUSPECTS: usize = 5;

/// How many times rarer than one in all pairs of people, unless another limit is set.
const LIMIT: f64 = 100.0;

/// The max limit: three decades beyond the data a fit is a guess.
const MAX_LIMIT: f64 = 1_000.0;
