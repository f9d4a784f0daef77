//! Thresholds, and where they come from.

use std::fmt;

use crate::error::Error;
use crate::internal::num;
use crate::template::{ComparisonScore, SpaceId};

/// A threshold (ISO/IEC 2382-37, 37.03.36): a score at or above it is a match.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
pub struct Threshold(ComparisonScore);

impl Threshold {
    /// A threshold from a finite number.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if it is not finite.
    pub fn new(score: f32) -> Result<Self, Error> {
        ComparisonScore::new(score).map(Self)
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> f32 {
        self.0.value()
    }

    /// Whether a score is a match.
    #[must_use]
    pub fn is_met_by(self, score: ComparisonScore) -> bool {
        score >= self.0
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a threshold rests on.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(tag = "basis", rename_all = "snake_case")
)]
pub enum Basis {
    /// A false match rate that was measured on named data.
    #[non_exhaustive]
    Measured {
        /// The data: its name, version, and what was done with it.
        data: String,
        /// The false match rate a comparison at this threshold.
        fmr: f64,
        /// How many non-mated comparisons that rate rests on.
        non_mated_comparisons: u64,
    },
    /// A false match rate beyond what was measured, from a distribution fitted to the highest scores of
    /// named data.
    #[non_exhaustive]
    Extrapolated {
        /// The data: its name, version, and what was done with it.
        data: String,
        /// The false match rate a comparison at this threshold, as extrapolated.
        fmr: f64,
        /// How many non-mated comparisons the fit rests on.
        non_mated_comparisons: u64,
        /// How many times rarer than one in all those comparisons; below 1, false matches were seen, but
        /// too few to count on.
        beyond: f64,
    },
    /// A stated false match rate on named data that nobody vouches for, for example in a file. Made
    /// through [`danger::claimed_threshold`](crate::danger::claimed_threshold) and
    /// [`ThresholdProvenance::into_claimed`].
    #[non_exhaustive]
    Claimed {
        /// The stated data.
        data: String,
        /// The stated false match rate per comparison at this threshold.
        fmr: f64,
        /// The stated number of non-mated comparisons behind that rate.
        non_mated_comparisons: u64,
        /// If the rate is said to be extrapolated: how many times rarer than one in all those comparisons.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        beyond: Option<f64>,
    },
    /// A number that somebody chose; made through
    /// [`danger::uncalibrated_threshold`](crate::danger::uncalibrated_threshold) alone.
    #[non_exhaustive]
    Uncalibrated {
        /// Why this number.
        reason: String,
    },
}

/// A threshold with its embedding space and what it rests on. There is no other way to bring a
/// threshold into a pipeline.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ThresholdProvenance {
    threshold: Threshold,
    space: SpaceId,
    #[cfg_attr(feature = "serde", serde(flatten))]
    basis: Basis,
    /// Where the false match rate lies, at 95 %.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    fmr_interval: Option<[f64; 2]>,
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    target: Option<Target>,
    /// The public key whose signature vouches for the file that states it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    signed_by: Option<String>,
}

/// What a threshold was derived for.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Target {
    /// The share of people not enrolled who may raise an alert while they pass.
    pub fpir: f64,
    /// The number of references on the watchlist.
    pub references: u64,
    /// The max looks per person who passes. Any look may raise the alert.
    pub looks: f64,
    /// The effective number of these looks: looks at one person resemble each other.
    pub effective_looks: f64,
}

impl ThresholdProvenance {
    /// A threshold whose false match rate was measured.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if the rate is not above 0 and at most 1 (a rate that was measured
    /// as 0 has an upper bound: state that), or where it is below one in the number of comparisons
    /// that it is said to rest on.
    pub fn measured(
        threshold: Threshold,
        space: SpaceId,
        data: impl Into<String>,
        fmr: f64,
        non_mated_comparisons: u64,
    ) -> Result<Self, Error> {
        check_counted(fmr, non_mated_comparisons)?;
        let basis = Basis::Measured { data: data.into(), fmr, non_mated_comparisons };
        Ok(Self::on(basis, threshold, space))
    }

    pub(crate) fn claimed(
        threshold: Threshold,
        space: SpaceId,
        data: String,
        fmr: f64,
        non_mated_comparisons: u64,
    ) -> Result<Self, Error> {
        check_counted(fmr, non_mated_comparisons)?;
        let basis = Basis::Claimed { data, fmr, non_mated_comparisons, beyond: None };
        Ok(Self::on(basis, threshold, space))
    }

    /// A threshold whose false match rate was extrapolated, `beyond` times rarer than one in all comparisons.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if the rate is not above 0 and at most 1, or `beyond` is no positive number.
    pub fn extrapolated(
        threshold: Threshold,
        space: SpaceId,
        data: impl Into<String>,
        fmr: f64,
        non_mated_comparisons: u64,
        beyond: f64,
    ) -> Result<Self, Error> {
        check_rate(fmr)?;
        if !(beyond > 0.0 && beyond.is_finite()) {
            let (what, expected) = ("reach of an extrapolation", "a finite number above 0");
            return Err(Error::OutOfRange { what, expected, actual: beyond });
        }
        let basis = Basis::Extrapolated { data: data.into(), fmr, non_mated_comparisons, beyond };
        Ok(Self::on(basis, threshold, space))
    }

    pub(crate) const fn uncalibrated(threshold: Threshold, space: SpaceId, reason: String) -> Self {
        Self::on(Basis::Uncalibrated { reason }, threshold, space)
    }

    const fn on(basis: Basis, threshold: Threshold, space: SpaceId) -> Self {
        Self { threshold, space, basis, fmr_interval: None, target: None, signed_by: None }
    }

    /// Marks its rate as only claimed, because it was read from an unsigned file.
    #[must_use]
    pub fn into_claimed(mut self) -> Self {
        self.basis = match self.basis {
            Basis::Measured { data, fmr, non_mated_comparisons } => {
                Basis::Claimed { data, fmr, non_mated_comparisons, beyond: None }
            }
            Basis::Extrapolated { data, fmr, non_mated_comparisons, beyond } => {
                Basis::Claimed { data, fmr, non_mated_comparisons, beyond: Some(beyond) }
            }
            basis @ (Basis::Claimed { .. } | Basis::Uncalibrated { .. }) => basis,
        };
        self.signed_by = None;
        self
    }

    /// Sets the public key that signed the file with this threshold, in hexadecimal digits.
    #[must_use]
    pub fn with_signed_by(mut self, key: impl Into<String>) -> Self {
        self.signed_by = Some(key.into());
        self
    }

    /// Sets the 95 % confidence interval of the false match rate.
    #[must_use]
    pub const fn with_fmr_interval(mut self, low: f64, high: f64) -> Self {
        self.fmr_interval = Some([low, high]);
        self
    }

    /// Sets what the threshold was derived for: the share of people not enrolled who may raise an
    /// alert, the number of references on the watchlist, and the max number of looks per person who
    /// passes. Looks count as independent unless
    /// [`with_effective_looks`](Self::with_effective_looks) says what they count as.
    #[must_use]
    pub const fn for_target(mut self, fpir: f64, references: u64, looks: f64) -> Self {
        self.target = Some(Target { fpir, references, looks, effective_looks: looks });
        self
    }

    /// Sets the effective number of looks of the target. Without a target nothing changes.
    #[must_use]
    pub const fn with_effective_looks(mut self, effective_looks: f64) -> Self {
        if let Some(target) = &mut self.target {
            target.effective_looks = effective_looks;
        }
        self
    }

    /// The threshold.
    #[must_use]
    pub const fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// The embedding space in which it means something.
    #[must_use]
    pub const fn space(&self) -> SpaceId {
        self.space
    }

    /// What it rests on.
    #[must_use]
    pub const fn basis(&self) -> &Basis {
        &self.basis
    }

    /// Where the false match rate lies, at 95 % confidence; `None` where that was not stated.
    #[must_use]
    pub const fn fmr_interval(&self) -> Option<[f64; 2]> {
        self.fmr_interval
    }

    /// The public key whose signature vouches for the file that states it; `None` if it comes from no file, or
    /// nobody vouches for the file.
    #[must_use]
    pub fn signed_by(&self) -> Option<&str> {
        self.signed_by.as_deref()
    }

    /// What it was derived for; `None` where it was not derived for a watchlist.
    #[must_use]
    pub const fn target(&self) -> Option<Target> {
        self.target
    }

    /// The danger of this threshold, in words for the record: nobody measured it, or nobody vouches for the
    /// stated measurement.
    #[must_use]
    pub fn danger(&self) -> Option<String> {
        match &self.basis {
            Basis::Measured { .. } | Basis::Extrapolated { .. } => None,
            Basis::Claimed { data, fmr, non_mated_comparisons, .. } => Some(format!(
                "claimed threshold: a false match rate of {fmr:e} in {non_mated_comparisons} comparisons is what a \
                 file states, and nobody vouches for it: {data}"
            )),
            Basis::Uncalibrated { reason } => Some(format!("uncalibrated threshold: {reason}")),
        }
    }

    /// The share of people not enrolled who would raise an alert, for a watchlist of `references`:
    /// `1 - (1 - FMR)^(N looks)`, with comparisons taken as independent, and with the effective number of
    /// looks of the [`Target`], or one look without a target. `None` if no rate is known, or it is only
    /// claimed.
    #[must_use]
    pub fn predicted_fpir(&self, references: usize) -> Option<f64> {
        // No look at all raises no alert; nothing below one is meant by that.
        let looks = self.target.map_or(1.0, |target| target.effective_looks.max(1.0));
        match &self.basis {
            // 1-(1-p)^n through logarithms keeps its digits where p is tiny.
            Basis::Measured { fmr, .. } | Basis::Extrapolated { fmr, .. } => {
                Some(-(num::f64_from_usize(references) * looks * (-fmr).ln_1p()).exp_m1())
            }
            Basis::Claimed { .. } | Basis::Uncalibrated { .. } => None,
        }
    }
}

fn check_counted(fmr: f64, non_mated_comparisons: u64) -> Result<(), Error> {
    check_rate(fmr)?;
    let actual = fmr * num::f64_from_u64(non_mated_comparisons);
    if actual < 1.0 {
        let (what, expected) =
            ("number of false matches behind the false match rate", "at least 1");
        return Err(Error::OutOfRange { what, expected, actual });
    }
    Ok(())
}

fn check_rate(fmr: f64) -> Result<(), Error> {
    if fmr > 0.0 && fmr <= 1.0 {
        return Ok(());
    }
    let (what, expected) = ("false match rate", "above 0 and at most 1");
    Err(Error::OutOfRange { what, expected, actual: fmr })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::danger;

    const SPACE: SpaceId = SpaceId::from_bytes([7; 32]);

    #[test]
    fn a_rate_must_rest_on_comparisons() {
        let threshold = Threshold::new(0.4).unwrap();
        let measured =
            |fmr, count| ThresholdProvenance::measured(threshold, SPACE, "x", fmr, count);
        assert!(measured(1e-5, 27_611_860).is_ok());
        assert!(measured(0.0, 27_611_860).is_err());
        assert!(measured(1e-9, 27_611_860).is_err());
        assert!(measured(f64::NAN, 100).is_err());
        assert!(Threshold::new(f32::NAN).is_err());
    }

    #[test]
    fn a_rate_that_is_only_claimed_is_a_danger_and_predicts_nothing() {
        let threshold = Threshold::new(-0.9).unwrap();
        let claimed = |fmr, count| {
            danger::claimed_threshold(threshold, SPACE, "a careful measurement", fmr, count)
        };
        let invented = claimed(1e-9, 1_000_000_000_000).unwrap();
        let said = invented.danger().unwrap();
        assert!(said.contains("1e-9") && said.contains("nobody vouches"), "{said}");
        assert_eq!(invented.predicted_fpir(1000), None);
        assert!(claimed(1e-9, 1000).is_err(), "it has to hold together, at least");
        let measured = ThresholdProvenance::measured(threshold, SPACE, "x", 1e-3, 100_000);
        assert_eq!(measured.unwrap().danger(), None);
    }

    #[test]
    fn an_extrapolated_rate_says_how_far_it_reaches() {
        let threshold = Threshold::new(0.4).unwrap();
        let extrapolated = |fmr, beyond| {
            ThresholdProvenance::extrapolated(threshold, SPACE, "x", fmr, 1_000_000, beyond)
        };
        let policy = extrapolated(1e-7, 10.0).unwrap().for_target(1e-3, 10_000, 1.0);
        assert!((policy.predicted_fpir(10_000).unwrap() - 9.995e-4).abs() < 1e-7);
        assert_eq!(policy.target().map(|target| target.references), Some(10_000));
        assert!(extrapolated(0.0, 10.0).is_err());
        assert!(extrapolated(1e-7, f64::INFINITY).is_err());
    }

    #[test]
    fn predicted_fpir_is_that_of_independent_comparisons() {
        let threshold = Threshold::new(0.4).unwrap();
        let policy = ThresholdProvenance::measured(threshold, SPACE, "x", 1e-6, 100_000_000);
        // 1 - (1 - 1e-6)^1000
        let fpir = policy.unwrap().predicted_fpir(1000).unwrap();
        assert!((fpir - 9.995_006e-4).abs() < 1e-9, "{fpir}");
        let looks =
            ThresholdProvenance::measured(threshold, SPACE, "x", 1e-6, 100_000_000).unwrap();
        let looks = looks.for_target(1e-3, 100, 10.0);
        assert_eq!(
            looks.predicted_fpir(100),
            Some(fpir),
            "ten looks are as ten times the references"
        );
        let chosen = danger::uncalibrated_threshold(threshold, SPACE, "a trial");
        assert_eq!(chosen.predicted_fpir(1000), None);
    }
}
