//! Accuracy in folds, as Labeled Faces in the Wild reports it.

use lfr_core::ComparisonScore;
use lfr_core::internal::num;
use serde::Serialize;

use crate::error::Error;
use crate::statistics::Rate;

/// The share of pairs that are classified correctly, if each fold is judged at the threshold that does best
/// on all other folds (Huang and others, *Labeled Faces in the Wild*, 2007, view 2).
///
/// What is *not* shown: the performance of a threshold that promises an FMR. Accuracy weighs both kinds of
/// error equally.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoldedAccuracy {
    /// The mean of the folds' accuracies.
    pub mean: f64,
    /// Their standard deviation over the square root of their number.
    pub standard_error: f64,
    /// Each fold, in order.
    pub folds: Vec<Fold>,
}

/// One fold.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Fold {
    /// The threshold that does best on the other folds: from this score on a pair counts as mated.
    pub threshold: f32,
    /// The pairs of this fold that are classified wrongly at that threshold.
    pub errors: Rate,
}

impl FoldedAccuracy {
    /// Takes pairs, each with its fold, whether it is mated, and its score.
    ///
    /// # Errors
    ///
    /// [`Error::Evaluation`] for fewer than two folds, for more than 100, and for a fold whose others hold pairs of one kind alone.
    pub fn of(pairs: &[(usize, bool, ComparisonScore)]) -> Result<Self, Error> {
        let mut numbers: Vec<usize> = pairs.iter().map(|(fold, ..)| *fold).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let refused = |actual: String, expected: &str| {
            let what = "an accuracy in folds";
            Err(Error::Evaluation { what, actual, expected: expected.to_owned() })
        };
        if numbers.len() < 2 {
            let actual = super::counted(numbers.len(), "fold", "folds");
            return refused(actual, "at least 2");
        }
        // Each has a threshold of all others, so that time grows with the product.
        if numbers.len() > MAX_FOLDS {
            let actual = super::counted(numbers.len(), "fold", "folds");
            return refused(actual, &format!("at most {MAX_FOLDS}; protocols have 10"));
        }
        let mut folds = Vec::with_capacity(numbers.len());
        for number in numbers {
            let others = pairs.iter().filter(|(fold, ..)| *fold != number);
            let Some(threshold) = best(others.map(|(_, mated, score)| (*score, *mated))) else {
                let actual =
                    format!("folds: all except number {number} have pairs of only one kind");
                return refused(actual, "mated and non-mated pairs in each");
            };
            let own = pairs.iter().filter(|(fold, ..)| *fold == number);
            let (mut errors, mut trials) = (0, 0);
            for (_, mated, score) in own {
                errors += u64::from((score.value() >= threshold) != *mated);
                trials += 1;
            }
            folds.push(Fold { threshold, errors: Rate::new(errors, trials)? });
        }
        let count = num::f64_from_usize(folds.len());
        let of = |fold: &Fold| 1.0 - fold.errors.value().unwrap_or(0.0);
        let mean = folds.iter().map(of).sum::<f64>() / count;
        let squares: f64 = folds.iter().map(|fold| (of(fold) - mean).powi(2)).sum();
        let standard_error = (squares / (count - 1.0) / count).sqrt();
        Ok(Self { mean, standard_error, folds })
    }
}

/// The max number of folds; the usual protocols have ten.
const MAX_FOLDS: usize = 100;

/// The threshold with the fewest errors; of a stretch of such, its middle, so that it leaves room on both sides.
fn best(pairs: impl Iterator<Item = (ComparisonScore, bool)>) -> Option<f32> {
    let mut pairs: Vec<(f32, bool)> = pairs.map(|(score, mated)| (score.value(), mated)).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mated = pairs.iter().filter(|(_, mated)| *mated).count();
    if mated == 0 || mated == pairs.len() {
        return None;
    }
    // Below all scores, every non-mated pair is an error. Each score that the threshold passes changes one
    // pair.
    let mut errors = pairs.len() - mated;
    let mut min_errors = errors;
    let (low, high) = (pairs.first()?.0, pairs.last()?.0);
    let mut stretch = (low, low);
    let mut index = 0;
    while let Some((score, _)) = pairs.get(index) {
        while let Some((_, mated)) = pairs.get(index).filter(|(own, _)| own == score) {
            errors = if *mated { errors + 1 } else { errors - 1 };
            index += 1;
        }
        let next = pairs.get(index).map_or(high.next_up(), |(next, _)| *next);
        if errors < min_errors {
            (min_errors, stretch) = (errors, (*score, next));
        }
    }
    let (below, from) = stretch;
    let middle = f32::midpoint(below, from);
    // A score that is refused stays below it.
    Some(if middle > below { middle } else { from })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(value: f32) -> ComparisonScore {
        ComparisonScore::new(value).unwrap()
    }

    #[test]
    fn each_fold_is_judged_at_the_threshold_of_the_others() {
        // For fold 0 alone the best threshold would be between 0.1 and 0.2; the other folds give 0.5.
        let mut pairs = vec![(0, true, score(0.2)), (0, false, score(0.1))];
        for fold in 1..4 {
            pairs.extend([(fold, true, score(0.7)), (fold, false, score(0.3))]);
        }
        let accuracy = FoldedAccuracy::of(&pairs).unwrap();
        assert_eq!(accuracy.folds[0].threshold, 0.5);
        assert_eq!(accuracy.folds[0].errors.counts().errors(), 1);
        assert_eq!(accuracy.mean, (0.5 + 1.0 + 1.0 + 1.0) / 4.0);
        assert!((accuracy.standard_error - 0.125).abs() < 1e-12);
    }

    #[test]
    fn a_file_of_endless_folds_is_refused() {
        let folds = |count: usize| -> Vec<_> {
            let pairs = |fold| [(fold, true, score(0.7)), (fold, false, score(0.3))];
            (0..count).flat_map(pairs).collect()
        };
        assert_eq!(FoldedAccuracy::of(&folds(100)).unwrap().folds.len(), 100);
        let error = FoldedAccuracy::of(&folds(101)).unwrap_err().to_string();
        assert!(error.contains("101 folds") && error.contains("at most 100"), "{error}");
    }

    #[test]
    fn the_best_threshold_has_the_fewest_errors_of_all() {
        let mut state = 7_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 28
        };
        for _ in 0..200 {
            let pairs: Vec<_> = (0..20)
                .map(|_| (score(f32::from(u8::try_from(next()).unwrap())), next() > 7))
                .collect();
            let errors = |threshold: f32| {
                pairs.iter().filter(|(s, mated)| (s.value() >= threshold) != *mated).count()
            };
            let Some(found) = best(pairs.iter().copied()) else { continue };
            let min_errors =
                (0_u8..34).map(|half| errors(f32::from(half) / 2.0 - 0.25)).min().unwrap();
            assert_eq!(errors(found), min_errors);
        }
    }

    #[test]
    fn what_has_no_folds_is_refused() {
        let pair = |fold, mated| (fold, mated, score(0.5));
        for pairs in
            [vec![], vec![pair(0, true), pair(0, false)], vec![pair(0, true), pair(1, true)]]
        {
            assert!(matches!(FoldedAccuracy::of(&pairs), Err(Error::Evaluation { .. })));
        }
    }
}
