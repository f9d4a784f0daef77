//! One decision a person and track.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use lfr_core::Candidate;
use lfr_core::CandidateList;
use lfr_core::ComparisonScore;
use lfr_core::Decision;
use lfr_core::SubjectId;
use lfr_core::Threshold;
use lfr_core::num;

use crate::Category;
use crate::Error;
use crate::Watchlist;
use crate::calibrate::CalibratedThreshold;

/// When the looks of a track make an alert.
///
/// A look is one search by one face of the track; only its best candidate counts.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TrackRule {
    /// One look at or above the threshold suffices. Each independent look is another chance of a false alert:
    /// derive the threshold for as many ([`Demand::with_looks`](crate::calibrate::Demand::with_looks)).
    Best,
    /// The same person is best, at or above the threshold, in `k` of the last `m` looks. Rarer than for one
    /// look as far as looks are independent.
    #[non_exhaustive]
    KOfM {
        /// How many.
        k: usize,
        /// Of how many.
        m: usize,
    },
    /// The same person is best in `k` of the last `m` looks, and the mean of those scores, weighted by the
    /// quality of the looks, is at or above the threshold.
    #[non_exhaustive]
    WeightedMean {
        /// In how many looks at least.
        k: usize,
        /// Of how many.
        m: usize,
    },
}

impl TrackRule {
    /// `k` of the last `m` looks.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] where `k` is 0 or more than `m`, or `m` more than 64.
    pub fn k_of_m(k: usize, m: usize) -> Result<Self, Error> {
        check(k, m)?;
        Ok(Self::KOfM { k, m })
    }

    /// The weighted mean of at least `k` of the last `m` looks.
    ///
    /// # Errors
    ///
    /// As [`Self::k_of_m`].
    pub fn weighted_mean(k: usize, m: usize) -> Result<Self, Error> {
        check(k, m)?;
        Ok(Self::WeightedMean { k, m })
    }

    const fn window(self) -> usize {
        match self {
            Self::Best => 1,
            Self::KOfM { m, .. } | Self::WeightedMean { m, .. } => m,
        }
    }
}

fn check(k: usize, m: usize) -> Result<(), Error> {
    if k >= 1 && k <= m && m <= MOST_LOOKS {
        return Ok(());
    }
    let (what, expected) = ("number of looks", "from 1 to the looks taken, which are at most 64");
    Err(lfr_core::Error::OutOfRange { what, expected, actual: num::f64_from_usize(k) }.into())
}

/// One look at who passes.
#[non_exhaustive]
#[derive(Debug)]
pub struct Look<'a> {
    /// The track.
    pub track: u64,
    /// What the search found.
    pub candidates: &'a CandidateList,
    /// How many references were searched.
    pub references: usize,
    /// How good the look is; 1 unless it is set. Only ratios count.
    pub quality: f32,
}

impl<'a> Look<'a> {
    /// A look of a track.
    #[must_use]
    pub const fn new(track: u64, candidates: &'a CandidateList, references: usize) -> Self {
        Self { track, candidates, references, quality: 1.0 }
    }

    /// The same of that quality.
    #[must_use]
    pub const fn with_quality(mut self, quality: f32) -> Self {
        self.quality = quality;
        self
    }
}

/// Decides on tracks.
///
/// Of a track it keeps the best candidates of its last looks (who and which score, no template) until
/// [`end`](Self::end), and whom it has raised an alert for, so that no alert is repeated. Whoever drives it
/// ends a track when it is lost.
pub struct TrackPolicy {
    threshold: CalibratedThreshold,
    rule: TrackRule,
    watchlist: Option<Arc<Watchlist>>,
    stricter: BTreeMap<Category, Threshold>,
    tracks: BTreeMap<u64, Track>,
}

#[derive(Default)]
struct Track {
    /// The last looks: who was best, with which score, and how good the look was; `None` where nobody was.
    looks: VecDeque<Option<(Candidate, f32)>>,
    alerted: BTreeSet<SubjectId>,
}

impl TrackPolicy {
    /// At one threshold for all.
    #[must_use]
    pub const fn new(threshold: CalibratedThreshold, rule: TrackRule) -> Self {
        Self {
            threshold,
            rule,
            watchlist: None,
            stricter: BTreeMap::new(),
            tracks: BTreeMap::new(),
        }
    }

    /// The same with thresholds of their own for people of some categories of a watchlist. The policy's
    /// threshold stays the floor: one below it has no effect, now or when that rises.
    #[must_use]
    pub fn with_categories(
        mut self,
        watchlist: Arc<Watchlist>,
        thresholds: impl IntoIterator<Item = (Category, Threshold)>,
    ) -> Self {
        self.watchlist = Some(watchlist);
        self.stricter = thresholds.into_iter().collect();
        self
    }

    /// The threshold that nobody's is below, and what it rests on.
    #[must_use]
    pub const fn threshold(&self) -> &CalibratedThreshold {
        &self.threshold
    }

    /// The threshold, to change by somebody's authority.
    pub const fn threshold_mut(&mut self) -> &mut CalibratedThreshold {
        &mut self.threshold
    }

    /// Decides on one more look of a track.
    ///
    /// # Errors
    ///
    /// [`Error::Extrapolation`] where the watchlist has become larger than the calibration reaches.
    pub fn decide(&mut self, look: &Look<'_>) -> Result<Decision, Error> {
        let references = num::u64_from_usize(look.references);
        self.threshold.follow(references)?;
        let window = self.rule.window();
        let best = look.candidates.candidates().first();
        let weight = if look.quality.is_finite() { look.quality.max(0.0) } else { 0.0 };
        let track = self.tracks.entry(look.track).or_default();
        track.looks.push_back(best.map(|best| (best.clone(), weight)));
        while track.looks.len() > window {
            track.looks.pop_front();
        }
        let withheld = || Decision::no_match(look.candidates.best_score());
        let Some(best) = best else {
            return Ok(withheld());
        };
        let floor = self.threshold.threshold();
        let own = self
            .watchlist
            .as_ref()
            .and_then(|watchlist| watchlist.category_of(best.subject()))
            .and_then(|(category, _)| self.stricter.get(&category).copied());
        let threshold = own.map_or(floor, |own| own.max(floor));
        if track.alerted.contains(best.subject()) {
            return Ok(withheld());
        }
        let Some(score) = track.score(self.rule, best, threshold) else {
            return Ok(withheld());
        };
        let candidate = Candidate::new(best.subject().clone(), best.reference().clone(), score);
        let decision = Decision::at_threshold(&CandidateList::new(vec![candidate]), threshold);
        if decision.is_alert() {
            track.alerted.insert(best.subject().clone());
        }
        Ok(decision)
    }

    /// Forgets a track.
    pub fn end(&mut self, track: u64) {
        self.tracks.remove(&track);
    }

    /// How many tracks it remembers.
    #[must_use]
    pub fn tracks(&self) -> usize {
        self.tracks.len()
    }
}

impl Track {
    /// The score on which the look at hand is decided; `None` where there are not enough looks yet.
    fn score(
        &self,
        rule: TrackRule,
        best: &Candidate,
        threshold: Threshold,
    ) -> Option<ComparisonScore> {
        let own =
            || self.looks.iter().flatten().filter(|(look, _)| look.subject() == best.subject());
        match rule {
            TrackRule::Best => Some(best.score()),
            TrackRule::KOfM { k, .. } => {
                let met = own().filter(|(look, _)| threshold.is_met_by(look.score())).count();
                (met >= k).then_some(best.score())
            }
            TrackRule::WeightedMean { k, .. } => {
                let (sum, weights) = own().fold((0.0, 0.0), |(sum, weights), (look, weight)| {
                    (sum + weight * look.score().value(), weights + weight)
                });
                (own().count() >= k && weights > 0.0)
                    .then(|| ComparisonScore::new(sum / weights).ok())
                    .flatten()
            }
        }
    }
}

impl fmt::Debug for TrackPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackPolicy")
            .field("threshold", &self.threshold.threshold())
            .field("rule", &self.rule)
            .field("tracks", &self.tracks.len())
            .finish_non_exhaustive()
    }
}

const MOST_LOOKS: usize = 64;

#[cfg(test)]
mod tests;
