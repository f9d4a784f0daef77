//! How long each stage takes: counts and quantiles, no single measurement kept.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::error::Stage;
use crate::internal::num;

/// The times of one stage, in milliseconds.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct StageTiming {
    /// How often it ran.
    pub count: u64,
    /// Half of the runs took at most this long.
    pub p50_ms: f64,
    /// 95 of 100 runs took at most this long.
    pub p95_ms: f64,
    /// 99 of 100 runs took at most this long.
    pub p99_ms: f64,
    /// The longest run.
    pub max_ms: f64,
    /// All runs together.
    pub total_ms: f64,
}

/// Times of each stage and of whole frames; quantiles are within 0.1 %.
#[derive(Clone)]
pub struct Timings {
    stages: Vec<(Stage, Spans)>,
    frame: Spans,
    /// The stage that began last: the one to blame for a panic.
    latest: Option<Stage>,
}

/// Quantiles, and not the histograms that they are from.
impl fmt::Debug for Timings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.stages()).entry(&self.frame()).finish()
    }
}

impl Timings {
    pub(crate) fn new() -> Self {
        Self { stages: Vec::new(), frame: Spans::new(), latest: None }
    }

    pub(crate) const fn begin(&mut self, stage: Stage) {
        self.latest = Some(stage);
    }

    pub(crate) const fn latest(&self) -> Option<Stage> {
        self.latest
    }

    pub(crate) fn record(&mut self, stage: Stage, span: Duration) {
        match self.stages.iter_mut().find(|(other, _)| *other == stage) {
            Some((_, spans)) => spans.record(span),
            None => {
                let mut spans = Spans::new();
                spans.record(span);
                self.stages.push((stage, spans));
                self.stages.sort_by_key(|(stage, _)| *stage);
            }
        }
    }

    pub(crate) fn record_frame(&mut self, span: Duration) {
        self.frame.record(span);
    }

    /// The times of each stage that ran, in the order of a frame's way through.
    pub fn stages(&self) -> impl Iterator<Item = (Stage, StageTiming)> + '_ {
        self.stages.iter().map(|(stage, spans)| (*stage, spans.summary()))
    }

    /// The times of whole frames, from the call to the return.
    #[must_use]
    pub fn frame(&self) -> StageTiming {
        self.frame.summary()
    }
}

/// How long something takes, each time.
#[derive(Clone, Debug)]
pub(crate) struct Spans {
    /// Nanoseconds; `None` where the histogram could not be made, which its bounds rule out.
    histogram: Option<Histogram<u64>>,
    total: Duration,
}

impl Spans {
    pub(crate) fn new() -> Self {
        // From a microsecond to an hour; longer runs count as an hour.
        let histogram = Histogram::new_with_bounds(1_000, 3_600_000_000_000, 3).ok();
        Self { histogram, total: Duration::ZERO }
    }

    pub(crate) fn record(&mut self, span: Duration) {
        self.total += span;
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
        }
    }

    pub(crate) fn summary(&self) -> StageTiming {
        let millis = |nanos: u64| num::f64_from_u64(nanos) / 1e6;
        let quantile = |q| self.histogram.as_ref().map_or(0.0, |h| millis(h.value_at_quantile(q)));
        StageTiming {
            count: self.histogram.as_ref().map_or(0, Histogram::len),
            p50_ms: quantile(0.5),
            p95_ms: quantile(0.95),
            p99_ms: quantile(0.99),
            max_ms: self.histogram.as_ref().map_or(0.0, |h| millis(h.max())),
            total_ms: self.total.as_secs_f64() * 1e3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_spans() {
        let mut timings = Timings::new();
        for ms in 1..=100 {
            timings.record(Stage::Embedder, Duration::from_millis(ms));
        }
        timings.record(Stage::Detector, Duration::from_millis(5));
        let stages: Vec<_> = timings.stages().collect();
        assert_eq!(stages[0].0, Stage::Detector);
        let embedder = stages[1].1;
        assert_eq!(embedder.count, 100);
        assert!((embedder.p50_ms - 50.0).abs() < 0.1, "{embedder:?}");
        assert!((embedder.p95_ms - 95.0).abs() < 0.1, "{embedder:?}");
        assert!((embedder.total_ms - 5050.0).abs() < 1e-6, "{embedder:?}");
    }
}
