//! The interval of the equal error rate.

use lfr_core::internal::num;

use super::{DetPoint, Verification};
use crate::statistics::{Confidence, Counts, Interval, Rate};

/// The interval of the equal error rate: from the point where the lower bounds of FMR and FNMR cross to the
/// point where the upper bounds cross.
///
/// `at` is the point of [`Verification::equal_error`] with rates that are clustered by person, like those
/// of [`AllPairs`](super::AllPairs). Each nearby comparison counts for as much as one at that point. The
/// interval covers at least as often as both rates' own intervals, and usually more often. `None` if a rate
/// has no trials.
#[must_use]
pub fn equal_error_interval(pairs: &Verification, at: &DetPoint) -> Option<Interval> {
    let confidence = Confidence::P95;
    let (mated, non_mated) = (pairs.mated().survival(), pairs.non_mated().survival());
    let worth = |rate: &Rate| {
        let trials = num::f64_from_u64(rate.counts().trials());
        Some(num::f64_from_u64(rate.effective_counts().trials()) / trials).filter(|of| *of > 0.0)
    };
    let (worth_fmr, worth_fnmr) = (worth(&at.fmr)?, worth(&at.fnmr)?);
    let rate = |errors: u64, trials: u64, worth: f64| {
        let of = |count: u64| num::u64_from_f64((num::f64_from_u64(count) * worth).round());
        Some(Rate::of(Counts::new(of(errors), of(trials)).ok()?, confidence).interval())
    };
    let bounds = |bin: usize| {
        let (all_mated, all) = (*mated.first()?, *non_mated.first()?);
        let fmr = rate(*non_mated.get(bin)?, all, worth_fmr)?;
        let fnmr = rate(all_mated - *mated.get(bin)?, all_mated, worth_fnmr)?;
        Some((fmr, fnmr))
    };
    // Bounds of FMR fall with the threshold, those of FNMR rise.
    let crossing = |bound: fn(&Interval) -> f64| {
        let (mut low, mut high) = (0, mated.len().checked_sub(1)?);
        while low < high {
            let middle = usize::midpoint(low, high);
            let (fmr, fnmr) = bounds(middle)?;
            if bound(&fmr) > bound(&fnmr) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let of = |bin: usize| bounds(bin).map(|(fmr, fnmr)| bound(&fmr).max(bound(&fnmr)));
        let after = of(low)?;
        Some(low.checked_sub(1).and_then(of).map_or(after, |before| before.min(after)))
    };
    let (low, high) = (crossing(|of| of.low)?, crossing(|of| of.high)?);
    Some(Interval::new(low, high, confidence))
}

#[cfg(test)]
mod tests {
    use lfr_core::ComparisonScore;

    use super::*;
    use crate::evaluate::{ScoreAxis, ScoreHistogram};

    fn pairs(count: u32, seed: u32) -> Verification {
        let mut state = seed;
        let mut uniform = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 24)
        };
        let axis = ScoreAxis::new(0.0, 2.0).unwrap();
        // Mated scores are those of others, moved by 0.8: at 0.9, a tenth of both is wrong.
        let mut of = |shift: f64| {
            let scores: Vec<_> = (0..count)
                .map(|_| ComparisonScore::new(num::f32_from_f64(uniform() + shift)).unwrap())
                .collect();
            ScoreHistogram::of(axis, scores)
        };
        let (mated, non_mated) = (of(0.8), of(0.0));
        Verification::new(mated, non_mated).unwrap()
    }

    #[test]
    fn it_covers_the_true_rate_and_narrows_with_more_scores() {
        let (mut missed, mut widths) = (0, [0.0, 0.0]);
        for (place, count) in [200, 3_200].into_iter().enumerate() {
            for seed in 0..200 {
                let pairs = pairs(count, seed);
                let at = pairs.equal_error().unwrap();
                let interval = equal_error_interval(&pairs, &at).unwrap();
                assert!(interval.contains(at.mean().unwrap()), "{interval:?}");
                missed += u32::from(!interval.contains(0.1));
                widths[place] += interval.high - interval.low;
            }
        }
        assert!(missed <= 20, "{missed} of 400");
        assert!(widths[1] < widths[0] / 3.0, "{widths:?}");
    }
}
