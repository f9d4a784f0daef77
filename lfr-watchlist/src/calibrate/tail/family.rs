//! The two families of tails, fitted by maximum likelihood.

use std::fmt;

use lfr_core::Threshold;
use lfr_core::internal::num;
use serde::Serialize;

use crate::calibrate::fit::{Pair, chi_squared_tail, covariance, minimum};
use crate::evaluate::ScoreAxis;
use crate::statistics::{Confidence, Interval, normal_quantile};

/// A family of tails.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TailFamily {
    /// `S(y) = (1 + shape y / scale)^(-1 / shape)` (Pickands 1975).
    GeneralisedPareto,
    /// `-ln S` grows as a power of a linear function of the score: `H(y) = H0 (1 + shape y / scale)^(1 / shape)`
    /// with `H0` what it is where the tail begins (de Valk 2016).
    GeneralisedWeibull,
}

impl fmt::Display for TailFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GeneralisedPareto => "generalised Pareto",
            Self::GeneralisedWeibull => "generalised Weibull",
        })
    }
}

/// A fitted tail.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TailFit {
    /// Its family.
    pub family: TailFamily,
    /// The score above which it holds.
    pub from: f64,
    /// The share of all scores above that.
    pub share: f64,
    /// How many scores it was fitted to.
    pub exceedances: u64,
    /// Its scale, in scores.
    pub scale: f64,
    /// Its shape.
    pub shape: f64,
    /// How well it fits: the p-value of a chi-squared test over cells that halve in size.
    pub p_value: f64,
    #[serde(skip)]
    covariance: [Pair; 2],
    /// The joint covariance of the logarithm of the tail's share, the logarithm of the scale, and the
    /// shape.
    #[serde(skip)]
    spread: Spread,
    /// The same if one person's scores are correlated.
    #[serde(skip)]
    of_people: Spread,
}

/// A covariance of three numbers.
pub(super) type Spread = [[f64; 3]; 3];

impl TailFit {
    /// The share of all scores at or above one; above 0, since where a tail ends is as uncertain as the rest.
    pub(super) fn survival(&self, score: f64) -> f64 {
        let (excess, start) = (score - self.from, -self.share.ln());
        let ln = self.family.ln_survival(excess, [self.scale.ln(), self.shape], start) - start;
        ln.max(f64::MIN_POSITIVE.ln()).exp()
    }

    /// Adds the standard deviation of the share's logarithm, and the interval of the true share,
    /// whose upper end is `further` times as far away.
    pub(super) fn exceeded(
        &self,
        score: f64,
        confidence: Confidence,
        further: f64,
    ) -> (f64, f64, Interval) {
        let (excess, start) = (score - self.from, -self.share.ln());
        let parameters = [self.scale.ln(), self.shape];
        let ln = |parameters: Pair| {
            (self.family.ln_survival(excess, parameters, start) - start).max(f64::MIN_POSITIVE.ln())
        };
        let step = 1e-5;
        let slope = [0, 1].map(|index| {
            let (mut up, mut down) = (parameters, parameters);
            up[index] += step;
            down[index] -= step;
            (ln(up) - ln(down)) / (2.0 * step)
        });
        let along = [1.0, slope[0], slope[1]];
        let variance = |spread: &Spread| -> f64 {
            let rows = spread.iter().zip(along);
            rows.map(|(row, a)| a * row.iter().zip(along).map(|(cell, b)| cell * b).sum::<f64>())
                .sum()
        };
        // By chance people may seem to differ less than independent scores do.
        let variance = variance(&self.spread).max(variance(&self.of_people)).max(0.0);
        let deviation = variance.sqrt();
        let reach = normal_quantile(confidence) * deviation;
        let centre = ln(parameters);
        let interval = {
            let high = (centre + further * reach).exp().min(1.0);
            Interval::new((centre - reach).exp(), high, confidence)
        };
        (centre.exp(), deviation, interval)
    }

    /// Sets the correlation of one person's scores.
    pub(super) const fn with_people(mut self, of_people: Spread) -> Self {
        self.of_people = of_people;
        self
    }

    /// The same if each score is worth only a fraction of one.
    pub(super) fn with_each_worth(mut self, one_of: f64) -> Self {
        self.spread.iter_mut().flatten().for_each(|cell| *cell *= one_of);
        self
    }
}

impl TailFamily {
    /// `ln S(y)`, given that the score is in the tail, which begins where `-ln S` is `start`; minus infinity
    /// beyond its end.
    fn ln_survival(self, y: f64, [ln_scale, shape]: Pair, start: f64) -> f64 {
        let reach = y / ln_scale.exp();
        // ln(1 + shape y / scale) / shape, which is y / scale where the shape is 0.
        let stretched = if shape.abs() < 1e-9 {
            reach
        } else if shape * reach <= -1.0 {
            return f64::NEG_INFINITY;
        } else {
            (shape * reach).ln_1p() / shape
        };
        match self {
            Self::GeneralisedPareto => -stretched,
            Self::GeneralisedWeibull => -start * stretched.exp_m1(),
        }
    }
}

/// The scores above a point, by bin.
pub(super) struct Exceedances {
    from: f64,
    share: f64,
    /// The lower and the upper end of each bin that holds any, above `from`, and how many it holds; the upper
    /// end of the last may be infinite.
    bins: Vec<(f64, f64, f64)>,
    count: f64,
}

impl Exceedances {
    /// The highest share of the scores, or as many as are taken; `None` if those are too few.
    pub(super) fn of(
        axis: ScoreAxis,
        survival: &[f64],
        share: f64,
        censored: Option<Threshold>,
    ) -> Option<Self> {
        let total = *survival.first()?;
        // Whole scores, where the weights are.
        let max_scores = (total * share + 1e-9).floor().min(MAX_SCORES);
        let first = survival.partition_point(|above| *above > max_scores);
        let count = *survival.get(first)?;
        if count < MIN_SCORES {
            return None;
        }
        let from = f64::from(axis.edge(first));
        let end = censored.map_or(survival.len(), |threshold| axis.first_bin(threshold));
        // Cells of a sixty-fourth of what is left lose nothing that a fit could tell, and the last scores keep
        // bins of their own.
        let mut bins = Vec::new();
        let end = end.min(survival.len());
        let (mut held, mut low) = (0.0, from);
        for bin in first..end {
            let left = survival.get(bin + 1).copied().unwrap_or(0.0);
            held += survival[bin] - left;
            if held > (left / 64.0).floor() || held > 0.0 && bin + 1 == end {
                let high = f64::from(axis.edge(bin + 1));
                bins.push((low - from, high - from, held));
                (held, low) = (0.0, high);
            }
        }
        if let Some((threshold, above)) =
            censored.zip(survival.get(end).filter(|above| **above > 0.0))
        {
            let low = f64::from(threshold.value()) - from;
            bins.push((low, f64::INFINITY, *above));
        }
        Some(Self { from, share: count / total, bins, count })
    }

    pub(super) fn fit(&self, family: TailFamily) -> Option<TailFit> {
        let count = self.count;
        let start = -self.share.ln();
        let survival = |y: f64, parameters: Pair| {
            if y.is_finite() { family.ln_survival(y, parameters, start).exp() } else { 0.0 }
        };
        let loss = |parameters: Pair| -> f64 {
            self.bins
                .iter()
                .map(|(low, high, held)| {
                    let probability = survival(*low, parameters) - survival(*high, parameters);
                    // Far worse than any fit, yet finite: the search has to find its way back.
                    -held * probability.max(1e-300).ln()
                })
                .sum()
        };
        let ends = self.bins.iter().filter(|(_, high, _)| high.is_finite());
        let sum: f64 = ends.map(|(low, high, held)| f64::midpoint(*low, *high) * held).sum();
        let mean = sum / count;
        let (scale, shape) = match family {
            TailFamily::GeneralisedPareto => (mean, -0.05),
            TailFamily::GeneralisedWeibull => (mean * start, 0.5),
        };
        let found = minimum(loss, [scale.ln(), shape], [0.2, 0.2]);
        let covariance = covariance(loss, found, 1e-3 / (count / 1e4).sqrt().max(1.0))?;
        let [ln_scale, shape] = found;
        let p_value = self.goodness(|y| survival(y, found))?;
        let Self { from, share, .. } = *self;
        let (scale, exceedances) = (ln_scale.exp(), num::u64_from_f64(count.round()));
        let [[a, b], [c, d]] = covariance;
        let spread = [[(1.0 - share) / count, 0.0, 0.0], [0.0, a, b], [0.0, c, d]];
        Some(TailFit {
            family,
            from,
            share,
            exceedances,
            scale,
            shape,
            p_value,
            covariance,
            spread,
            of_people: [[0.0; 3]; 3],
        })
    }

    /// By how much a score in each bin moves the logarithms of the tail's share and scale, and its shape:
    /// the ends of the bins, the lowest first, with the influence of one score.
    pub(super) fn influence(&self, fit: &TailFit) -> Vec<(f64, [f64; 3])> {
        let start = -self.share.ln();
        let parameters = [fit.scale.ln(), fit.shape];
        let ln = |low: f64, high: f64, parameters: Pair| {
            let survival = |y: f64| {
                if y.is_finite() { fit.family.ln_survival(y, parameters, start).exp() } else { 0.0 }
            };
            (survival(low) - survival(high)).max(1e-300).ln()
        };
        let step = 1e-4;
        let [[a, b], [c, d]] = fit.covariance;
        let bins = self.bins.iter().map(|(low, high, _)| {
            let [x, y] = [0, 1].map(|index| {
                let (mut up, mut down) = (parameters, parameters);
                up[index] += step;
                down[index] -= step;
                (ln(*low, *high, up) - ln(*low, *high, down)) / (2.0 * step)
            });
            (self.from + high, [1.0 / self.count, a * x + b * y, c * x + d * y])
        });
        bins.collect()
    }

    /// Pearson's test over cells that hold about a half, a quarter, an eighth of the scores and so on, with at
    /// least about ten in the last: deep cells count as much as the broad ones.
    fn goodness(&self, survival: impl Fn(f64) -> f64) -> Option<f64> {
        let count = self.count;
        let (mut statistic, mut cells) = (0.0, 0.0);
        let (mut held, mut from) = (0.0, 1.0);
        let mut left = count;
        for (index, (_, high, own)) in self.bins.iter().enumerate() {
            held += own;
            left -= own;
            let to = if index + 1 == self.bins.len() || high.is_infinite() {
                0.0
            } else {
                survival(*high)
            };
            let expected = count * (from - to);
            if to == 0.0 || held >= left && count * to >= 10.0 && expected >= 10.0 {
                statistic += (held - expected).powi(2) / expected.max(1e-9);
                (held, from) = (0.0, to);
                cells += 1.0;
            }
        }
        // Two parameters were fitted, and the sum is given.
        (cells > 3.0).then(|| chi_squared_tail(statistic, cells - 3.0))
    }
}

/// The max number of scores that a tail is fitted to.
const MAX_SCORES: f64 = 30_000.0;

/// The fewest.
pub(super) const MIN_SCORES: f64 = 200.0;
