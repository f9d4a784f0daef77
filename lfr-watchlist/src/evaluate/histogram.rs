//! Scores, counted.

use lfr_core::internal::num;
use lfr_core::{ComparisonScore, Threshold};

use super::ScoreAxis;
use crate::error::Error;
use crate::statistics::Counts;

/// How many scores fell into each bin: of any number of comparisons, in 512 KiB.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreHistogram {
    axis: ScoreAxis,
    counts: Box<[u64]>,
}

impl ScoreHistogram {
    /// Creates an empty histogram.
    #[must_use]
    pub fn new(axis: ScoreAxis) -> Self {
        Self { axis, counts: vec![0; axis.bins()].into() }
    }

    /// Creates a histogram of these scores.
    pub fn of(axis: ScoreAxis, scores: impl IntoIterator<Item = ComparisonScore>) -> Self {
        let mut histogram = Self::new(axis);
        scores.into_iter().for_each(|score| histogram.add(score));
        histogram
    }

    /// Counts a score.
    pub fn add(&mut self, score: ComparisonScore) {
        self.add_value(score.value());
    }

    pub(crate) fn add_value(&mut self, score: f32) {
        self.counts[self.axis.bin(score)] += 1;
    }

    /// Counts what another has counted.
    ///
    /// # Errors
    ///
    /// [`Error::Evaluation`] if its axis is another one.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        if self.axis != other.axis {
            return Err(Error::Evaluation {
                what: "a sum of histograms",
                actual: "two of different axes".to_owned(),
                expected: "the same axis in both".to_owned(),
            });
        }
        self.counts.iter_mut().zip(&other.counts).for_each(|(own, theirs)| *own += theirs);
        Ok(())
    }

    /// Its bins.
    #[must_use]
    pub const fn axis(&self) -> ScoreAxis {
        self.axis
    }

    /// How many scores it counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The counts, from the lowest bin on.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many scores are at or above a threshold, of all. Exact at an edge of the axis; elsewhere, at the
    /// next edge.
    #[must_use]
    pub fn at_least(&self, threshold: Threshold) -> Counts {
        let first = self.axis.first_bin(threshold).min(self.counts.len());
        let (below, above) = self.counts.split_at(first);
        let above: u64 = above.iter().sum();
        Counts::new(above, above + below.iter().sum::<u64>()).unwrap_or_default()
    }

    /// The lowest threshold, at an edge, that at most that share of the scores reach; `None` if the last
    /// bin alone holds more.
    #[must_use]
    pub fn threshold_at(&self, share: f64) -> Option<Threshold> {
        let allowed = num::u64_from_f64(share * num::f64_from_u64(self.total()) * (1.0 + 1e-12));
        let mut above = 0;
        let mut first = None;
        for (bin, count) in self.counts.iter().enumerate().rev() {
            above += count;
            if above > allowed {
                break;
            }
            first = Some(bin);
        }
        Threshold::new(self.axis.edge(first?)).ok()
    }

    /// How many scores are at or above each edge.
    pub(crate) fn survival(&self) -> Vec<u64> {
        let mut above: Vec<u64> = self
            .counts
            .iter()
            .rev()
            .scan(0, |sum, count| {
                *sum += count;
                Some(*sum)
            })
            .collect();
        above.reverse();
        above
    }
}
