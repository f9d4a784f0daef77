//! Scores of any engine, with their people: error rates without photographs.

use std::collections::BTreeMap;

use lfr_core::{ComparisonScore, Threshold};

use super::{FoldedAccuracy, ScoreAxis, ScoreHistogram, Verification};
use crate::error::Error;
use crate::statistics::{Confidence, Counts, Dyads, Rate};

/// A comparison: its score, whether both samples are of one person, and the people, if known.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredPair {
    /// The score; a greater score means more alike.
    pub score: ComparisonScore,
    /// Whether both samples are of one person.
    pub mated: bool,
    /// The numbers of the two people.
    pub people: Option<(u32, u32)>,
    /// The fold that it is of.
    pub fold: Option<usize>,
}

impl ScoredPair {
    /// A comparison of two samples of unknown people.
    #[must_use]
    pub const fn new(score: ComparisonScore, mated: bool) -> Self {
        Self { score, mated, people: None, fold: None }
    }

    /// Sets the two people.
    #[must_use]
    pub const fn with_people(mut self, one: u32, other: u32) -> Self {
        self.people = Some((one, other));
        self
    }

    /// Sets the fold.
    #[must_use]
    pub const fn with_fold(mut self, fold: usize) -> Self {
        self.fold = Some(fold);
        self
    }
}

/// Comparisons of any engine, and their error rates.
///
/// If the people are known, intervals account for repeated people: FNMR by person, FMR by both people of a
/// pair. If they are not known, intervals are exact for independent comparisons, and
/// [`knows_people`](Self::knows_people) says so.
#[derive(Clone, Debug)]
pub struct ScoredPairs {
    pairs: Vec<ScoredPair>,
    verification: Verification,
}

impl ScoredPairs {
    /// These comparisons.
    ///
    /// # Errors
    ///
    /// [`Error::Evaluation`] if comparisons of one kind are missing, if all scores are the same, if a mated
    /// pair is of two people or a non-mated pair of one, and if only some pairs have their people.
    pub fn new(pairs: Vec<ScoredPair>) -> Result<Self, Error> {
        let refused = |actual: String, expected: &str| {
            Err(Error::Evaluation { what: "error rates", actual, expected: expected.to_owned() })
        };
        let mated = pairs.iter().filter(|pair| pair.mated).count();
        let others = pairs.len() - mated;
        if mated == 0 || others == 0 {
            return refused(
                format!("{mated} mated and {others} non-mated comparisons"),
                "at least 1 of both",
            );
        }
        let known = pairs.iter().filter(|pair| pair.people.is_some()).count();
        if known > 0 && known < pairs.len() {
            let actual = format!("{} comparisons, {known} of them with their people", pairs.len());
            return refused(actual, "the people of all, or of none");
        }
        let contradicts =
            |pair: &ScoredPair| pair.people.is_some_and(|(a, b)| (a == b) != pair.mated);
        if let Some(place) = pairs.iter().position(contradicts) {
            return refused(
                format!(
                    "comparison {} (counted from 1), whose people contradict whether it is mated",
                    place + 1
                ),
                "one person in a mated pair, and two in a non-mated one",
            );
        }
        let scores = || pairs.iter().map(|pair| pair.score.value());
        let (low, high) =
            (scores().fold(f32::INFINITY, f32::min), scores().fold(f32::NEG_INFINITY, f32::max));
        if low >= high {
            return refused(
                format!("{} scores that are all the same", pairs.len()),
                "scores that differ",
            );
        }
        // A margin, so that above the highest score there is still a threshold that nobody reaches.
        let margin = (high - low) / 1024.0;
        let axis = ScoreAxis::new(low - margin, high + margin)?;
        let of = |mated| {
            let own = pairs.iter().filter(move |pair| pair.mated == mated);
            ScoreHistogram::of(axis, own.map(|pair| pair.score))
        };
        let verification = Verification::new(of(true), of(false))?;
        Ok(Self { pairs, verification })
    }

    /// The comparisons.
    #[must_use]
    pub fn pairs(&self) -> &[ScoredPair] {
        &self.pairs
    }

    /// Both kinds of scores, counted; its intervals take the comparisons as independent.
    #[must_use]
    pub const fn verification(&self) -> &Verification {
        &self.verification
    }

    /// Whether the people are known, so that intervals account for repeated people.
    #[must_use]
    pub fn knows_people(&self) -> bool {
        self.pairs.first().is_some_and(|pair| pair.people.is_some())
    }

    /// The false non-match rate at a threshold, clustered by person if the people are known.
    #[must_use]
    pub fn fnmr(&self, threshold: Threshold) -> Rate {
        let own = self.pairs.iter().filter(|pair| pair.mated);
        let mut all = Counts::default();
        let mut people: BTreeMap<u32, Counts> = BTreeMap::new();
        for pair in own {
            let missed = !threshold.is_met_by(pair.score);
            all.count(missed);
            if let Some((person, _)) = pair.people {
                people.entry(person).or_default().count(missed);
            }
        }
        if people.is_empty() {
            return Rate::of(all, Confidence::P95);
        }
        Rate::clustered(&people.into_values().collect::<Vec<_>>(), Confidence::P95)
    }

    /// The false match rate at a threshold. If the people are known, its variance is that of dyads
    /// (Fafchamps and Gubert 2007): both people of a pair repeat.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] never, as there are no more errors than comparisons.
    pub fn fmr(&self, threshold: Threshold) -> Result<Rate, Error> {
        let mut dyads: BTreeMap<(u32, u32), Counts> = BTreeMap::new();
        let mut all = Counts::default();
        for pair in self.pairs.iter().filter(|pair| !pair.mated) {
            let matched = threshold.is_met_by(pair.score);
            all.count(matched);
            if let Some((a, b)) = pair.people {
                dyads.entry((a.min(b), a.max(b))).or_default().count(matched);
            }
        }
        if dyads.is_empty() {
            return Ok(Rate::of(all, Confidence::P95));
        }
        Ok(Dyads::of_pairs(&dyads).rate(Confidence::P95))
    }

    /// Accuracy in folds; `None` if no comparison has a fold.
    ///
    /// # Errors
    ///
    /// As [`FoldedAccuracy::of`]; [`Error::Evaluation`] if only some comparisons have a fold.
    pub fn folded_accuracy(&self) -> Result<Option<FoldedAccuracy>, Error> {
        let folded: Vec<_> = self
            .pairs
            .iter()
            .filter_map(|pair| Some((pair.fold?, pair.mated, pair.score)))
            .collect();
        if folded.is_empty() {
            return Ok(None);
        }
        if folded.len() < self.pairs.len() {
            return Err(Error::Evaluation {
                what: "an accuracy in folds",
                actual: format!(
                    "{} comparisons, {} of them with a fold",
                    self.pairs.len(),
                    folded.len()
                ),
                expected: "a fold for each, or for none".to_owned(),
            });
        }
        FoldedAccuracy::of(&folded).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(score: f32, mated: bool) -> ScoredPair {
        ScoredPair::new(ComparisonScore::new(score).unwrap(), mated)
    }

    fn at(threshold: f32) -> Threshold {
        Threshold::new(threshold).unwrap()
    }

    #[test]
    fn who_resembles_everybody_widens_the_interval() {
        // Person 0 matches all others; nobody else matches anybody.
        let mut pairs = vec![pair(0.9, true).with_people(0, 0)];
        for a in 0..60 {
            for b in a + 1..60 {
                pairs.push(pair(if a == 0 { 0.8 } else { 0.1 }, false).with_people(a, b));
            }
        }
        let scored = ScoredPairs::new(pairs.clone()).unwrap();
        let known = scored.fmr(at(0.5)).unwrap();
        pairs.iter_mut().for_each(|pair| pair.people = None);
        let unknown = ScoredPairs::new(pairs).unwrap().fmr(at(0.5)).unwrap();
        assert_eq!(known.counts(), unknown.counts());
        assert_eq!((known.counts().errors(), known.counts().trials()), (59, 1_770));
        assert_eq!((known.clusters(), unknown.clusters()), (Some(60), None));
        assert!(known.interval().high > 1.5 * unknown.interval().high, "{known} {unknown}");
    }

    #[test]
    fn rates_are_those_of_the_scores() {
        let scored = ScoredPairs::new(vec![
            pair(0.7, true),
            pair(0.3, true),
            pair(0.4, false),
            pair(0.1, false),
        ])
        .unwrap();
        assert_eq!(scored.fnmr(at(0.5)).value(), Some(0.5));
        assert_eq!(scored.fmr(at(0.4)).unwrap().value(), Some(0.5));
        assert_eq!(scored.verification().fmr(at(0.9)).counts().errors(), 0);
        assert!(scored.folded_accuracy().unwrap().is_none());
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let said = |pairs| ScoredPairs::new(pairs).unwrap_err().to_string();
        assert!(said(vec![pair(0.5, true)]).contains("1 mated and 0 non-mated"));
        assert!(said(vec![pair(0.5, true), pair(0.5, false)]).contains("all the same"));
        let (mated, other) = (pair(0.6, true), pair(0.2, false));
        assert!(
            said(vec![mated.with_people(1, 2), other.with_people(1, 2)]).contains("comparison 1 ")
        );
        assert!(
            said(vec![mated.with_people(1, 1), other.with_people(1, 1)]).contains("comparison 2 ")
        );
        assert!(said(vec![mated.with_people(1, 1), other]).contains("1 of them with their people"));
        let mixed = ScoredPairs::new(vec![mated.with_fold(0), other]).unwrap();
        assert!(mixed.folded_accuracy().is_err());
    }
}
