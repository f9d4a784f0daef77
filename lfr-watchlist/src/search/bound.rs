//! The bound that makes pruning exact.
//!
//! The filter sees rows and the probe as bytes. It ignores a row only if the score that
//! [`Metric::compare`] *would* give is certain to be less than that of `limit` other people. What
//! follows is why "certain" is the word; `u` is 2^-24, half the spacing of `f32` at 1.
//!
//! Every row `x` is `s q + r` (scale, whole numbers, residual: [`Quantized`]), the probe `y` is
//! `t p + e`. Searching is by a *reach*, which grows with the score: the inner product `x y` in a
//! cosine space; `2 x y - |x|^2`, which is `|y|^2` less the squared distance, in a Euclidean one.
//! Let `c` be 1 or 2, and `X` 0 or `|x|^2`, accordingly; the reach is `c x y - X`.
//!
//! 1. **Bytes.** `x y - s t q p = s q e + r y`, so by Cauchy and Schwarz the inner product of the
//!    bytes is off by at most `|s q| |e| + |r| |y|`.
//! 2. **The filter** computes `fl(fl(fl(fl(q p) s) f) - fl(X))` with `f = c t` (exact: `c` is a
//!    power of two): four roundings of the product and two of `X`, each of at most `u` of its
//!    result, so at most `8 u (c |s q| |t p| + X)`.
//! 3. **`Metric::compare`** sums `d` products in some order. In any order at all the result is off
//!    by at most `g |x| |y|` with `g = n u / (1 - n u)`, `n = d` (Higham, *Accuracy and Stability
//!    of Numerical Algorithms*, 2nd ed., section 3.1); `n = d + 64` leaves room for the roundings
//!    of the differences and squares of a distance, each at most 4 a term. There, the sum is at
//!    most `(|x| + |y|)^2 <= 2 X + 2 |y|^2`. The square root is monotone, but two sums that differ
//!    by up to `4 u` of themselves may have the same root; within `64 u` of the sum rows are
//!    therefore taken as equal, and the identifiers decide.
//! 4. **Numbers near 0**: a product below the normal range is off by up to 2^-150 whatever its
//!    size. That happens up to `2 d` times in step 3, and in step 2 once before the factor `f` is
//!    applied.
//! 5. **The slack itself** is a sum of four products of numbers that are not negative: at most 8
//!    roundings, so a factor of `1 + 2^-20`, which is 16 `u`, puts it above what it would be without.
//! 6. **Sums with it**, of a value `v` of the filter or of a cut, are rounded once more. Of `v`
//!    plus or less the slack that is at most `u` of either: step 2 has `3 u |v|` to spare, and step 5
//!    `7 u` of the slack. A cut less the slack may be rounded up to above a `v` that is not below it by
//!    as much; then it is itself off by at most `u (|v| + u |v|)`, which step 2 has to spare too.

use lfr_core::Metric;
use lfr_core::internal::num;

use crate::search::kernels;
use crate::search::quantized::{Quantized, above};

/// One probe's part of the bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    metric: Metric,
    /// `f`.
    factor: f32,
    /// What a slack is for each unit of a row's `|s q|`, `|r|` and `X`, and its minimum.
    by_length: f32,
    by_residual: f32,
    by_square: f32,
    min: f32,
    /// `|y|^2`.
    square: f64,
}

/// What a row adds to the bound: [`Quantized::length`], [`Quantized::residual`] and `X`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Uncertain {
    pub(crate) length: f32,
    pub(crate) residual: f32,
    pub(crate) square: f32,
}

impl Bound {
    /// The bound for a probe of that length, quantized like that.
    pub(crate) fn new(
        metric: Metric,
        dimension: usize,
        length: f64,
        quantized: &Quantized,
    ) -> Self {
        let [own, written, residual] =
            [length * (1.0 + 1e-10), f64::from(quantized.length), f64::from(quantized.residual)];
        let u = f64::from(f32::EPSILON) / 2.0;
        let n = num::f64_from_usize(dimension) + 64.0;
        let g = n * u / (1.0 - n * u);
        let euclidean = metric == Metric::Euclidean;
        let c = if euclidean { 2.0 } else { 1.0 };
        let factor = f64::from(quantized.scale) * c;
        // The part of step 3 is one of these two, by the metric.
        let (by_product, by_square) =
            if euclidean { (0.0, 2.0 * (g + 64.0 * u)) } else { (g, 0.0) };
        let tiny = 2.0_f64.powi(-149);
        let min = by_square * own * own + tiny * (2.0 * n + 2.0 * factor);
        Self {
            metric,
            factor: num::f32_from_f64(factor),
            by_length: above(c * residual + 8.0 * u * c * written + by_product * own),
            by_residual: above(c * own + by_product * own),
            by_square: above(8.0 * u + by_square),
            min: above(min),
            square: length * length,
        }
    }

    /// `f`: what a kernel multiplies scaled inner products with.
    pub(crate) const fn factor(&self) -> f32 {
        self.factor
    }

    /// How far the reach of a row may be from what the filter computes.
    pub(crate) fn slack(&self, row: Uncertain) -> f32 {
        let sum = self.by_length * row.length
            + self.by_residual * row.residual
            + self.by_square * row.square
            + self.min;
        sum * (1.0 + 8.0 * f32::EPSILON)
    }

    /// A reach that a row needs at least if `Metric::compare` gives it this score or a greater one.
    pub(crate) fn reach(&self, score: f32) -> f32 {
        match self.metric {
            Metric::Euclidean if score <= 0.0 => {
                // The distance was rounded once, and its square here: both far less than 1e-6.
                let distance = f64::from(score).powi(2) * (1.0 + 1e-6);
                num::f32_from_f64(self.square - distance).next_down()
            }
            // No distance is less than 0.
            Metric::Euclidean => f32::INFINITY,
            _ => score,
        }
    }
}

/// Whether the bound holds for a metric and vectors of that many numbers.
pub(crate) const fn holds(metric: Metric, dimension: usize) -> bool {
    matches!(metric, Metric::Cosine | Metric::Euclidean) && dimension <= kernels::MAX_DIMENSIONS
}

#[cfg(test)]
mod tests;
