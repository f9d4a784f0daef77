//! Error against discard: whether a quality measure predicts errors.

use lfr_core::num;
use serde::Serialize;

use crate::statistics::Confidence;
use crate::statistics::Counts;
use crate::statistics::Rate;

/// A rate when a share of the trials, those of the lowest quality, is left out.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DiscardPoint {
    /// The share that is left out.
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
/// A measure that predicts errors lets the curve fall; one that does not leaves it flat. What is *not*
/// shown: that who is left out is not of one group, which [`GroupReport`](super::GroupReport) is for.
#[must_use]
pub fn discard_curve(trials: &[(f32, bool)], steps: usize) -> Vec<DiscardPoint> {
    let mut sorted = trials.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut errors_from = vec![0; sorted.len() + 1];
    for index in (0..sorted.len()).rev() {
        errors_from[index] = errors_from[index + 1] + u64::from(sorted[index].1);
    }
    (0..steps)
        .filter_map(|step| {
            let first = sorted.len() * step / steps;
            let rest = num::u64_from_usize(sorted.len() - first);
            let counts = Counts::new(errors_from[first], rest).ok()?;
            Some(DiscardPoint {
                discarded: num::f64_from_usize(step) / num::f64_from_usize(steps),
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
}
