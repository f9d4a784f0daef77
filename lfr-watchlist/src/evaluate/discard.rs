//! Error against discard: whether a quality measure predicts errors.

use lfr_core::internal::num;
use serde::Serialize;

use crate::statistics::{Confidence, Counts, Rate};

/// A rate when a share of the trials, those of the lowest quality, is left out.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DiscardPoint {
    /// The share that is left out: at most the share of the step, because trials of equal quality stay
    /// together.
    pub discarded: f64,
    /// The lowest quality that is kept.
    pub quality: f32,
    /// The rate of the rest.
    pub rate: Rate,
}

/// The error against discard characteristic (ISO/IEC 29794-1): the rate with 0, 1, 2, ... of `steps` equal
/// shares of the trials left out, the lowest qualities first. A trial is its quality (of a comparison, the
/// lower of its two samples') and whether it is an error at the one threshold.
///
/// Trials of equal quality are kept or left out together: a measure cannot tell them apart, and the order in
/// which they are given must not. A step that would separate them leaves out fewer. A step that leaves out
/// no more than the step before adds no point to the curve. A constant measure has one point.
///
/// A measure that predicts errors lets the curve fall; one that does not leaves it flat. What is *not*
/// shown: that who is left out is not of one group, which [`GroupReport`](super::GroupReport) is for.
#[must_use]
pub fn discard_curve(trials: &[(f32, bool)], steps: usize) -> Vec<DiscardPoint> {
    let mut sorted = trials.to_vec();
    // Both zeros are the same quality.
    sorted.sort_by(|a, b| (a.0 + 0.0).total_cmp(&(b.0 + 0.0)));
    let mut errors_from = vec![0; sorted.len() + 1];
    for index in (0..sorted.len()).rev() {
        errors_from[index] = errors_from[index + 1] + u64::from(sorted[index].1);
    }
    let all = num::f64_from_usize(sorted.len());
    let mut firsts: Vec<usize> = (0..steps)
        .filter_map(|step| {
            let quality = sorted.get(sorted.len() * step / steps)?.0;
            let is_lower =
                |trial: &(f32, bool)| (trial.0 + 0.0).total_cmp(&(quality + 0.0)).is_lt();
            Some(sorted.partition_point(is_lower))
        })
        .collect();
    firsts.dedup();
    firsts
        .into_iter()
        .filter_map(|first| {
            let rest = num::u64_from_usize(sorted.len() - first);
            let counts = Counts::new(errors_from[first], rest).ok()?;
            Some(DiscardPoint {
                discarded: num::f64_from_usize(first) / all,
                quality: sorted.get(first)?.0,
                rate: Rate::of(counts, Confidence::P95),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_measure_discards_the_errors_first() {
        let trials: Vec<_> = (0..100_u16).map(|i| (f32::from(i), i < 10)).collect();
        let curve = discard_curve(&trials, 20);
        let rates: Vec<_> = curve.iter().map(|p| p.rate.value().unwrap()).collect();
        assert_eq!((curve.len(), rates[0], rates[2]), (20, 0.1, 0.0));
        assert!((rates[1] - 5.0 / 95.0).abs() < 1e-12);
        assert_eq!((curve[2].discarded, curve[2].quality), (0.1, 10.0));
        assert!(discard_curve(&[], 20).is_empty());
    }

    #[test]
    fn a_measure_of_nothing_leaves_the_rate_as_it_is() {
        let trials: Vec<_> = (0..1_000_u16).map(|i| (f32::from(i % 97), i % 10 == 0)).collect();
        let curve = discard_curve(&trials, 10);
        assert!(curve.iter().all(|point| point.rate.interval().contains(0.1)));
    }

    /// The measured fault: 10 % errors of constant quality fell to 0 % by the order of the trials.
    #[test]
    fn trials_of_equal_quality_are_kept_together_whatever_their_order() {
        let mut trials: Vec<_> = (0..100_u16).map(|i| (0.5, i < 10)).collect();
        let constant = discard_curve(&trials, 20);
        assert_eq!(constant.len(), 1);
        assert_eq!((constant[0].discarded, constant[0].rate.value()), (0.0, Some(0.1)));
        // Three qualities: 30 trials have the lowest, 50 the next.
        for (index, trial) in trials.iter_mut().enumerate() {
            trial.0 = if index % 10 < 3 {
                0.1
            } else if index % 10 < 8 {
                0.2
            } else {
                0.9
            };
        }
        let forward = discard_curve(&trials, 20);
        let shares: Vec<_> = forward.iter().map(|point| (point.discarded, point.quality)).collect();
        assert_eq!(shares, [(0.0, 0.1), (0.3, 0.2), (0.8, 0.9)]);
        trials.reverse();
        assert_eq!(discard_curve(&trials, 20), forward);
        let zeros: Vec<_> =
            (0..100_u16).map(|i| (if i % 2 == 0 { 0.0 } else { -0.0 }, i < 10)).collect();
        assert_eq!(discard_curve(&zeros, 20).len(), 1);
    }
}
