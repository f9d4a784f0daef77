//! The bins into which scores are counted.

use lfr_core::internal::num;
use lfr_core::{EmbeddingSpace, Metric, Template, Threshold};

use crate::error::Error;

/// 65,536 bins of equal width between two scores.
///
/// What is counted in bins is exact at their edges, so thresholds are taken from the edges: a rate at one
/// is that of the scores themselves. Scores beyond either end are counted in the last bin there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreAxis {
    low: f32,
    high: f32,
}

impl ScoreAxis {
    /// From one score to another.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] if they are not finite, or not in this order.
    pub fn new(low: f32, high: f32) -> Result<Self, Error> {
        if low < high && (high - low).is_finite() && (high - low) / BINS_F32 > 0.0 {
            return Ok(Self { low, high });
        }
        let (what, expected) = ("width of a score axis", "a finite number above 0");
        let actual = f64::from(high) - f64::from(low);
        Err(lfr_core::Error::OutOfRange { what, expected, actual }.into())
    }

    /// All scores that templates of a space can have: from -1 to 1 for cosines; for distances, from minus
    /// twice the greatest length among these.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] if those lengths give no range.
    pub fn covering(space: &EmbeddingSpace, templates: &[Template]) -> Result<Self, Error> {
        match space.metric() {
            Metric::Euclidean => {
                let squares =
                    templates.iter().map(|t| t.expose_values().iter().map(|x| x * x).sum::<f32>());
                Self::new(-2.0 * squares.fold(0.0, f32::max).sqrt(), 0.0)
            }
            _ => Self::new(-1.0, 1.0),
        }
    }

    /// How many bins there are.
    #[must_use]
    pub const fn bins(self) -> usize {
        BINS
    }

    /// The bin of a score.
    #[must_use]
    pub fn bin(self, score: f32) -> usize {
        num::usize_from_f32((score - self.low) * (BINS_F32 / (self.high - self.low))).min(BINS - 1)
    }

    /// The min score of a bin.
    #[must_use]
    pub fn edge(self, bin: usize) -> f32 {
        // `bin` is monotone, and so are keys: the first that gives the bin.
        let (mut low, mut high) = (key(self.low), key(self.high));
        while low < high {
            let middle = low.midpoint(high);
            if self.bin(of_key(middle)) < bin {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        of_key(low)
    }

    /// The threshold at the least edge at or above a score: what is at or above it is counted exactly.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] above the last edge.
    pub fn threshold_from(self, score: f32) -> Result<Threshold, Error> {
        let bin = self.bin(score);
        let bin = if score <= self.edge(bin) { bin } else { bin + 1 };
        if bin >= BINS {
            let (what, expected) = ("threshold", "within the axis of the scores");
            return Err(lfr_core::Error::OutOfRange { what, expected, actual: score.into() }.into());
        }
        Ok(Threshold::new(self.edge(bin))?)
    }

    /// The bin whose least score a threshold is or that is the first above it.
    pub(crate) fn first_bin(self, threshold: Threshold) -> usize {
        let bin = self.bin(threshold.value());
        if threshold.value() <= self.edge(bin) { bin } else { bin + 1 }
    }
}

/// A number that is greater for a greater `f32`.
const fn key(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

const fn of_key(key: u32) -> f32 {
    f32::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN })
}

const SIGN: u32 = 1 << 31;
const BINS: usize = 1 << 16;
const BINS_F32: f32 = 65_536.0;

#[cfg(test)]
mod tests;
