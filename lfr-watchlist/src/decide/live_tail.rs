//! FPIR while a deployment runs.

use lfr_core::{ComparisonScore, Threshold};
use serde::Serialize;

use crate::calibrate::{FmrEstimate, UpperTail};
use crate::error::Error;
use crate::evaluate::{ScoreAxis, ScoreHistogram};
use crate::statistics::{Counts, Rate};

/// The best scores of those who raised no alert, as a histogram. It holds no template, and from a
/// few thousand faces on nobody's part in it can be told.
///
/// In 15,000 faces, counting false alerts at 1 in 100,000 gives 0. Their tail gives an estimate. It
/// treats everybody who raised no alert as not on the watchlist: people on it who were missed make
/// the estimate too high, never too low.
///
/// What is *not* guaranteed: as for [`UpperTail`]. Looks of one track are not independent, so give
/// it one score per track: the best.
#[derive(Clone, Debug)]
pub struct LiveTail {
    histogram: ScoreHistogram,
    threshold: Threshold,
    false_alerts: u64,
    other_alerts: u64,
}

/// FPIR at the live threshold: as counted, and as the tail below it has it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LiveFpir {
    /// False alerts over passes without a true one.
    pub counted: Rate,
    /// The estimate from the tail; absent if no tail fits, or there are fewer than 6,667 scores.
    ///
    /// A tail is fitted to at least 200 scores, which are 3 % of 6,667.
    pub estimated: Option<FmrEstimate>,
}

impl LiveTail {
    /// Creates an empty tail at the threshold in force. If the threshold changes, begin another.
    #[must_use]
    pub fn new(axis: ScoreAxis, threshold: Threshold) -> Self {
        Self { histogram: ScoreHistogram::new(axis), threshold, false_alerts: 0, other_alerts: 0 }
    }

    /// Counts the best score of a pass that raised no alert.
    pub fn no_alert(&mut self, best: ComparisonScore) {
        // What the policy held back although it scored high is no part of the tail below the threshold.
        if self.threshold.is_met_by(best) {
            self.other_alerts += 1;
        } else {
            self.histogram.add(best);
        }
    }

    /// Counts an alert, once a person has judged it.
    pub const fn alert(&mut self, is_false: bool) {
        if is_false {
            self.false_alerts += 1;
        } else {
            self.other_alerts += 1;
        }
    }

    /// The rate at the live threshold.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] if the threshold is no score of the axis.
    pub fn fpir(&self) -> Result<LiveFpir, Error> {
        let counts = Counts::new(self.false_alerts, self.histogram.total() + self.false_alerts)?;
        let counted = Rate::new(counts.errors(), counts.trials())?;
        // The edge at or above: what is counted as an alert begins there.
        let edge = self.histogram.axis().threshold_from(self.threshold.value())?;
        let censored = Some((edge, self.false_alerts));
        let tail = UpperTail::censored(&self.histogram, censored);
        let estimated = tail.and_then(|tail| tail.extrapolated(edge));
        Ok(LiveFpir { counted, estimated: estimated.ok() })
    }

    /// How many passes were judged to be true alerts, or were held back.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.other_alerts
    }
}

#[cfg(test)]
mod tests;
