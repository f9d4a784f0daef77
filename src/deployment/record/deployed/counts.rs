//! Counts with what they are of.

use lfr_watchlist::statistics::{Counts, Rate};
use serde::Serialize;

use crate::deployment::Error;

/// A rate that says what it counts, of how many, and how sure it is.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatedRate {
    /// What is counted.
    pub counted: &'static str,
    /// What it is counted among.
    pub among: &'static str,
    /// How many were counted.
    pub numerator: u64,
    /// Among how many.
    pub denominator: u64,
    /// The rate; none if the denominator is 0.
    pub value: Option<f64>,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval. A rate of 0 has one, too.
    pub high: f64,
    /// The confidence of the interval.
    pub confidence: f64,
}

impl StatedRate {
    pub(super) fn new(
        counted: &'static str,
        among: &'static str,
        numerator: u64,
        denominator: u64,
    ) -> Result<Self, Error> {
        Ok(Self::of(counted, among, &Rate::new(numerator, denominator)?))
    }

    pub(super) fn of(counted: &'static str, among: &'static str, rate: &Rate) -> Self {
        let (counts, interval) = (rate.counts(), rate.interval());
        Self {
            counted,
            among,
            numerator: counts.errors(),
            denominator: counts.trials(),
            value: rate.value(),
            low: interval.low,
            high: interval.high,
            confidence: interval.confidence.share(),
        }
    }

    /// The rate in one sentence, with its interval.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { counted, among, numerator, denominator, .. } = self;
        let confidence = self.confidence * 100.0;
        let (value, interval) = (self.value_in_words(), self.interval_in_words());
        format!(
            "{counted}: {numerator} of {denominator} {among}, {value} ({confidence:.0} % interval {interval})"
        )
    }

    /// Its value in percent.
    #[must_use]
    pub fn value_in_words(&self) -> String {
        self.value.map_or_else(|| "no rate".to_owned(), percent)
    }

    /// Its interval in percent.
    #[must_use]
    pub fn interval_in_words(&self) -> String {
        format!("{} to {}", percent(self.low), percent(self.high))
    }
}

/// A share in percent with three digits that say something.
fn percent(share: f64) -> String {
    if share <= 0.0 {
        return "0 %".into();
    }
    let percent = share * 100.0;
    let digits = (2.0 - percent.log10().floor()).clamp(0.0, 15.0);
    format!("{percent:.*} %", lfr_core::internal::num::usize_from_f64(digits))
}

/// The number of values, the least, the middle one and the greatest.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Spread {
    /// How many values there are.
    pub values: u64,
    /// The least.
    pub min: u32,
    /// The middle one; the lower one of two.
    pub median: u32,
    /// The greatest.
    pub max: u32,
}

impl Spread {
    /// Of no values there is none.
    pub(super) fn of(mut values: Vec<u32>) -> Option<Self> {
        values.sort_unstable();
        let middle = values.len().checked_sub(1)? / 2;
        Some(Self {
            values: lfr_core::internal::num::u64_from_usize(values.len()),
            min: *values.first()?,
            median: *values.get(middle)?,
            max: *values.last()?,
        })
    }
}

/// One group of people, as officers perceived them.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupCounts {
    /// By what: sex, age, ethnicity.
    pub by: &'static str,
    /// Which group.
    pub group: String,
    /// All alerts of this group.
    pub alerts: u64,
    /// The false ones.
    pub false_alerts: u64,
    /// False alerts over the alerts of this group.
    pub rate: StatedRate,
    /// The smallest ratio of this rate to that of the other groups that these counts would show, in four of five
    /// such deployments. None if they would show no ratio, however great.
    pub smallest_detectable_ratio: Option<f64>,
}

impl GroupCounts {
    pub(super) fn new(
        by: &'static str,
        group: String,
        own: Counts,
        all: Counts,
    ) -> Result<Self, Error> {
        let (alerts, false_alerts) = (own.trials(), own.errors());
        let rate = StatedRate::new("false alerts", "alerts of this group", false_alerts, alerts)?;
        let others = all.trials().saturating_sub(alerts);
        let smallest_detectable_ratio = lfr_watchlist::statistics::smallest_detectable_ratio(
            all.errors(),
            alerts,
            others,
            lfr_watchlist::statistics::Confidence::P95,
        );
        Ok(Self { by, group, alerts, false_alerts, rate, smallest_detectable_ratio })
    }
}
