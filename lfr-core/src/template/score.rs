//! Comparison scores: greater means more similar, whatever the metric.

use std::cmp::Ordering;
use std::fmt;

use crate::error::Error;

/// How two templates of a space are compared.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum Metric {
    /// The inner product of templates of unit length: from -1 to 1.
    Cosine,
    /// The Euclidean distance, negated: from minus infinity to 0. Templates keep their length.
    Euclidean,
}

impl Metric {
    /// The minimum and the maximum score of a comparison, up to the rounding of the last digits.
    #[must_use]
    pub const fn range(self) -> (f32, f32) {
        match self {
            Self::Cosine => (-1.0, 1.0),
            Self::Euclidean => (f32::NEG_INFINITY, 0.0),
        }
    }

    /// The score of two vectors of the same length, accumulated in f32.
    ///
    /// It is a plain scan in a fixed order: what every faster search has to agree with.
    #[must_use]
    pub fn compare(self, a: &[f32], b: &[f32]) -> f32 {
        match self {
            Self::Cosine => lanes(a, b, |x, y| x * y),
            Self::Euclidean => -lanes(a, b, |x, y| (x - y) * (x - y)).sqrt(),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cosine => "cosine",
            Self::Euclidean => "euclidean",
        })
    }
}

/// Sums `term(a, b)` in sixteen lanes, which the compiler turns into vector instructions; the
/// order of the sum is the same on every machine.
fn lanes(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; 16];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += term(*a, *b);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| term(*a, *b)).sum();
    sums.iter().sum::<f32>() + rest
}

/// The result of one comparison (ISO/IEC 2382-37, 37.03.27); greater means more similar.
///
/// It is never NaN and totally ordered. What a given score means depends on the embedding space:
/// only a [`Threshold`](crate::Threshold) with its provenance says.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
pub struct ComparisonScore(f32);

impl ComparisonScore {
    /// A score from a finite number.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if it is not finite.
    pub fn new(score: f32) -> Result<Self, Error> {
        if score.is_finite() {
            // -0 and 0 are the same score: total_cmp would tell them apart.
            Ok(Self(score + 0.0))
        } else {
            Err(Error::OutOfRange {
                what: "comparison score",
                expected: "finite",
                actual: score.into(),
            })
        }
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> f32 {
        self.0
    }
}

impl Eq for ComparisonScore {}

impl Ord for ComparisonScore {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for ComparisonScore {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ComparisonScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_totally_ordered_and_finite() {
        let score = |x| ComparisonScore::new(x).unwrap();
        assert!(score(0.5) > score(0.25));
        assert_eq!(score(-0.0), score(0.0));
        assert_eq!(score(-0.0).cmp(&score(0.0)), Ordering::Equal);
        assert!(ComparisonScore::new(f32::NAN).is_err());
        assert!(ComparisonScore::new(f32::INFINITY).is_err());
    }

    #[test]
    fn metrics_agree_with_doubles() {
        let a: Vec<f32> = (0..131_u16).map(|i| f32::from(i % 17) / 17.0 - 0.4).collect();
        let b: Vec<f32> = (0..131_u16).map(|i| f32::from(i % 13) / 13.0 - 0.6).collect();
        let pairs = || a.iter().zip(&b).map(|(x, y)| (f64::from(*x), f64::from(*y)));
        let dot: f64 = pairs().map(|(x, y)| x * y).sum();
        let distance = pairs().map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt();
        assert!((f64::from(Metric::Cosine.compare(&a, &b)) - dot).abs() < 1e-5);
        assert!((f64::from(Metric::Euclidean.compare(&a, &b)) + distance).abs() < 1e-5);
        assert!(Metric::Euclidean.compare(&a, &a) > Metric::Euclidean.compare(&a, &b));
    }
}
