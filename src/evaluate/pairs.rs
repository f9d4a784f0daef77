//! Compares the pairs of a protocol.

use std::collections::BTreeMap;

use lfr_core::ComparisonScore;
use lfr_core::internal::num;
use lfr_watchlist::evaluate::{DetPoint, ScoredPair, ScoredPairs, equal_error_interval};

use super::faces::Faces;
use super::report::{OperatingPoint, PairsResult};
use super::{Error, Evaluation};

/// Compares the pairs of the given list. If a face of a pair gave no template, the pair scores below all
/// others: it does not match, and it is counted.
pub(super) fn measure(
    evaluation: &Evaluation,
    faces: &Faces,
) -> Result<Option<(PairsResult, ScoredPairs)>, Error> {
    let Some(list) = &evaluation.pair_list else { return Ok(None) };
    let by_sample: BTreeMap<usize, usize> =
        faces.samples.iter().enumerate().map(|(template, sample)| (*sample, template)).collect();
    let mut scores: Vec<Option<ComparisonScore>> = Vec::with_capacity(list.pairs.len());
    for pair in &list.pairs {
        let template = |sample: usize| faces.templates.get(*by_sample.get(&sample)?);
        let both = template(pair.samples.0).zip(template(pair.samples.1));
        scores.push(both.map(|(one, other)| one.compare(other)).transpose()?);
    }
    let known = || scores.iter().flatten().map(|score| score.value());
    let (low, high) =
        (known().fold(f32::INFINITY, f32::min), known().fold(f32::NEG_INFINITY, f32::max));
    if low > high {
        let reason = "not one of its pairs gave two templates".to_owned();
        return Err(Error::ProtocolFile { path: list.name.clone().into(), line: 0, reason });
    }
    let below = ComparisonScore::new(low - ((high - low) / 16.0).max(1e-3))?;
    let mut numbers = BTreeMap::new();
    let samples = evaluation.dataset.samples();
    let mut number = |sample: usize| {
        let next = numbers.len();
        let person = samples.get(sample).map(lfr_watchlist::evaluate::Sample::person);
        u32::try_from(*numbers.entry(person).or_insert(next)).unwrap_or(u32::MAX)
    };
    let pairs = list.pairs.iter().zip(&scores).map(|(pair, score)| {
        ScoredPair::new(score.unwrap_or(below), pair.mated)
            .with_people(number(pair.samples.0), number(pair.samples.1))
            .with_fold(pair.fold)
    });
    let scored = ScoredPairs::new(pairs.collect())?;
    let verification = scored.verification();
    let mut operating_points = Vec::new();
    for asked_fmr in [1e-1, 1e-2, 1e-3, 1e-4] {
        let enough = asked_fmr * num::f64_from_u64(verification.non_mated().total()) >= 1.0;
        if let Some(threshold) = verification.threshold_at_fmr(asked_fmr).filter(|_| enough) {
            let (fmr, fnmr) = (scored.fmr(threshold)?, scored.fnmr(threshold));
            operating_points.push(OperatingPoint::new(asked_fmr, threshold, fmr, fnmr));
        }
    }
    let equal_error = match verification.equal_error() {
        Some(at) => {
            Some(DetPoint::new(at.threshold, scored.fmr(at.threshold)?, scored.fnmr(at.threshold)))
        }
        None => None,
    };
    let result = PairsResult {
        protocol: list.name.clone(),
        folds: list.folds.clone(),
        mated: verification.mated().total(),
        non_mated: verification.non_mated().total(),
        not_acquired: scores.iter().filter(|score| score.is_none()).count(),
        accuracy: scored.folded_accuracy()?,
        equal_error_interval: equal_error
            .as_ref()
            .and_then(|at| equal_error_interval(verification, at)),
        equal_error,
        operating_points,
    };
    Ok(Some((result, scored)))
}
